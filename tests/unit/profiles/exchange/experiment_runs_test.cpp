// Imported experiments and protocols run on a virtual cell; CC-CV and the two steps it is exported as run the same.
#include <cstdlib>

#include "daemon/app/simulation.hpp"
#include "tests/unit/profiles/exchange/exchange_bench.hpp"

namespace cyclerd::exchange::test {
namespace {

app::SimulationResult run(const Translation& translation) {
  std::string folder = testing::TempDir() + "cyclerd-experiment-XXXXXX";
  EXPECT_NE(mkdtemp(folder.data()), nullptr);
  app::SimulationConfig config;
  config.launch.profile = translation.text;
  config.launch.profile_name = "f.toml";
  config.launch.waveforms = translation.files;
  config.launch.cell_name = "lg-m50";
  config.launch.soc = config.initial_soc = 0.5;
  config.instruments = app::Instruments::ideal;
  config.out = folder;
  config.max_duration = base::hours(24 * 30);
  app::SimulationResult result = app::simulate(config);
  EXPECT_FALSE(result.diagnostics.has_errors()) << result.diagnostics.render() << translation.text;
  EXPECT_EQ(result.error, "");
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return result;
}

TEST(ExperimentRuns, imported_examples_run_to_their_end) {
  const std::tuple<const char*, Importer, std::uint64_t> examples[] = {
      {"pybamm/lines.txt", &import_pybamm, 7},
      {"pybamm/experiment.py", &import_pybamm, 3 * 7 + 1},  // six steps and the look at the capacity, a rest at the end
      {"pybamm/config.json", &import_pybamm, 2 * 3 + 1},
      {"unicycler/formation.json", &import_unicycler, 1 + 2 * (3 * 3 + 2 * 2 + 1)}};
  for (const auto& [file, importer, steps] : examples) {
    const Imported made = import_text(importer, foreign_text(file), file);
    ASSERT_TRUE(made.translation) << made.all();
    const app::SimulationResult result = run(*made.translation);
    EXPECT_EQ(result.outcome, profiles::TestOutcome::completed) << file << result.reason;
    EXPECT_EQ(result.steps, steps) << file << "\n" << made.translation->text;
  }
}

TEST(ExperimentRuns, cc_cv_and_its_two_steps_take_the_same_time) {
  Translation one;
  one.text = profiles::test::kHead +
             "[[step]]\ncharge = { current = \"C/2\", voltage = \"4.2 V\" }\nuntil = \"abs(current) <= C/20\"\n";
  const double single_s = run(one).virtual_s;
  EXPECT_GT(single_s, 3600.0);
  for (const auto& [exporter, importer] :
       {std::pair{&export_pybamm, &import_pybamm}, {&export_unicycler, &import_unicycler}}) {
    text::Diagnostics findings;
    const auto out = exporter(profiles::test::source_of(one.text), profiles::test::roomy_launch(), findings);
    ASSERT_TRUE(out) << findings.render();
    const Imported back = import_text(importer, out->text);
    ASSERT_TRUE(back.translation) << back.all();
    const app::SimulationResult result = run(*back.translation);
    EXPECT_EQ(result.steps, 2U);
    EXPECT_NEAR(result.virtual_s, single_s, 5.0) << "a scan between the two, and what it shifts in the taper";
  }
}

}  // namespace
}  // namespace cyclerd::exchange::test
