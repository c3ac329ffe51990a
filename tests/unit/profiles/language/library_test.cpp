// Every shipped profile compiles, without an error, on the cells it is for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "profiles/evaluate.hpp"
#include "tests/unit/profiles/language/run_text.hpp"

namespace cyclerd::profiles::test {
namespace {

// Names of the TOML files of a folder of profiles/, sorted.
std::vector<std::string> names_in(const char* folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(CYCLERD_SOURCE_DIR "/profiles/") + folder)) {
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> shipped() {
  return names_in("library");
}

Launch launch_on(const std::string& cell_name) {
  Launch launch = roomy_launch();
  const auto source = text::read_source(std::string(CYCLERD_SOURCE_DIR "/profiles/cells/") + cell_name + ".toml");
  text::Diagnostics diagnostics;
  launch.cell = *load_cell(*source, diagnostics);
  return launch;
}

// Codes of what is found in a profile on a cell; empty when nothing is.
std::string found_on(const std::string& profile, const std::string& cell) {
  const auto source = text::read_source(CYCLERD_SOURCE_DIR "/profiles/library/" + profile + ".toml");
  text::Diagnostics diagnostics;
  const auto program = compile_profile(*source, launch_on(cell), diagnostics);
  std::map<std::string, int> codes;
  for (const auto& d : diagnostics.all()) ++codes[d.code];
  std::string out = program ? "" : "refused by";
  for (const auto& [code, count] : codes) {
    if (!out.empty()) out += " ";
    out += count == 1 ? code : fmt::format("{} x {}", code, count);
  }
  return out;
}

// The LG M50, unless the profile is refused there: then the first shipped cell that it is for. The matrix below says
// where it must not be refused.
std::string home_of(const std::string& profile) {
  if (!found_on(profile, "lg-m50").starts_with("refused")) return "lg-m50";
  for (const std::string& cell : names_in("cells")) {
    if (!found_on(profile, cell).starts_with("refused")) return cell;
  }
  return "lg-m50";
}

class Library : public testing::TestWithParam<std::string> {};

TEST_P(Library, CompilesOnTheCellItIsFor) {
  const auto source = text::read_source(CYCLERD_SOURCE_DIR "/profiles/library/" + GetParam() + ".toml");
  ASSERT_TRUE(source);
  const std::string home = home_of(GetParam());
  text::Diagnostics diagnostics;
  const auto program = compile_profile(*source, launch_on(home), diagnostics);
  ASSERT_TRUE(program) << diagnostics.render();
  EXPECT_EQ(malformed(*program), nullptr);
  EXPECT_EQ(program->name, GetParam()) << "file and profile have one name";
  if (GetParam() == "cycle-life") {
    // As on the design page: the discharge has no time guard, and the first check-up comes after 49 cycles.
    std::vector<std::string> codes;
    for (const auto& d : diagnostics.all()) codes.push_back(d.code);
    EXPECT_THAT(codes, testing::UnorderedElementsAre("P041", "P049")) << diagnostics.render();
  } else {
    EXPECT_GT(program->worst_case_duration.us, 0) << "every shipped profile is bounded in time";
    EXPECT_GT(program->worst_case_rows, 0.0);
    EXPECT_TRUE(diagnostics.all().empty()) << diagnostics.render();
  }
  // compile, print, compile
  text::Diagnostics again_diagnostics;
  Launch alone = launch_on(home);
  alone.procedure_library.clear();  // the canonical form holds what it calls
  const auto again = compile_profile(source_of(program->canonical), alone, again_diagnostics);
  ASSERT_TRUE(again) << again_diagnostics.render();
  EXPECT_EQ(again->compiled_sha256, program->compiled_sha256);
}

INSTANTIATE_TEST_SUITE_P(Shipped, Library, testing::ValuesIn(shipped()), [](const auto& test) {
  std::string name = test.param;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
});

// The example of the language, run to its end of life: the cell loses half a percent a cycle.
TEST(LibraryProfiles, CycleLifeEndsAtFourFifthsOfItsFirstCheckUp) {
  Launch launch = launch_on("lg-m50");
  launch.scan = base::seconds(10);
  const auto source = text::read_source(CYCLERD_SOURCE_DIR "/profiles/library/cycle-life.toml");
  text::Diagnostics diagnostics;
  const std::shared_ptr<const Program> program = compile_profile(*source, launch, diagnostics);
  ASSERT_TRUE(program) << diagnostics.render();
  ExecutorState state;
  start(*program, state);
  cyclerd::test::BenchCell cell;
  cell.resistance_Ohm = 1e-3;  // to 2.8 V it gives 82 % of what it gives to 2.5 V: its voltage is a straight line
  Output output;
  double first_C = 0.0;
  std::vector<double> discharged_C;
  std::string ended_by;
  for (std::int64_t at_s = 0; at_s < 10'000'000 && !is_over(output.state); at_s += 10) {
    Input input;
    input.sample = cell.sample(base::MonoTime{1'000'000 * (at_s + 1)});
    step(*program, state, input, output);
    for (const StepSummary& s : output.steps.view()) {
      if (s.name.view() == "check_up.discharge" && first_C == 0.0) first_C = s.throughput.discharge_C;
      if (s.name.view() == "discharge") discharged_C.push_back(s.throughput.discharge_C);
    }
    for (const base::Event& e : output.events.view()) {
      if (e.subject.view() == "ageing") ended_by = std::string(e.text.view());
    }
    cell.capacity_C = 18'000.0 * (1.0 - 0.005 * static_cast<double>(discharged_C.size()));
    if (output.has_setpoint) cell.apply(output.setpoint);
    cell.advance(10.0);
  }
  EXPECT_EQ(output.state, RunState::finished);
  EXPECT_EQ(ended_by, "discharge_capacity < 0.8 * check_up.discharge_capacity[first]");
  ASSERT_GT(discharged_C.size(), 50u) << "not before the first check-up, in cycle 50";
  EXPECT_LT(discharged_C.size(), 150u);
  EXPECT_LT(discharged_C.back(), 0.8 * first_C);
  EXPECT_GE(discharged_C[discharged_C.size() - 2], 0.8 * first_C);
}

// Every profile on every shipped cell: it compiles, or is refused because it is for another chemistry, and what it is
// warned of is what a reviewer has read in library_matrix.txt. CYCLERD_WRITE_GOLDEN=1 writes that file.
TEST(LibraryProfiles, AreFoundOnEveryShippedCellWhatTheMatrixSays) {
  std::string matrix;
  for (const std::string& profile : shipped()) {
    std::map<std::string, std::string> cells;  // by what is found
    for (const std::string& cell : names_in("cells")) cells[found_on(profile, cell)] += " " + cell;
    matrix += profile + "\n";
    for (const auto& [found, where] : cells)
      matrix += fmt::format("  {} on{}\n", found.empty() ? "nothing" : found,
                            cells.size() == 1 ? std::string(" every shipped cell") : where);
  }
  const std::string path = CYCLERD_SOURCE_DIR "/tests/unit/profiles/language/library_matrix.txt";
  const auto golden = text::read_source(path);
  const std::string read = golden ? (*golden)->text : "";
  if (matrix != read && std::getenv("CYCLERD_WRITE_GOLDEN") != nullptr) std::ofstream(path) << matrix;
  EXPECT_EQ(matrix, read) << "if it is meant: CYCLERD_WRITE_GOLDEN=1 test_profiles_language --gtest_filter=*Matrix*, "
                          << "and read the diff of " << path;
}

TEST(LibraryProfiles, EveryProcedureIsOne) {
  for (const auto& entry : std::filesystem::directory_iterator(CYCLERD_SOURCE_DIR "/profiles/library/procedures")) {
    const std::string name = entry.path().stem().string();
    const Compiled c = compile_body("[[step]]\ncall = { procedure = \"" + name + "\" }\n", launch_on("lg-m50"));
    ASSERT_TRUE(c.program) << c.diagnostics.render();
    EXPECT_TRUE(c.diagnostics.all().empty()) << c.diagnostics.render();
    EXPECT_GT(c.program->worst_case_duration.us, 0);
  }
}

TEST(LibraryProfiles, CapacityCheckRunsOnLfpAsItIs) {
  const auto source = text::read_source(CYCLERD_SOURCE_DIR "/profiles/library/capacity-check.toml");
  Launch launch = launch_on("a123-26650");
  text::Diagnostics diagnostics;
  EXPECT_TRUE(compile_profile(*source, launch, diagnostics)) << diagnostics.render();
  launch.parameters = {{"charge_voltage", "4.2 V"}};
  text::Diagnostics second;
  EXPECT_FALSE(compile_profile(*source, launch, second)) << "4.2 V is above the cell's 3.6 V";
}

TEST(LibraryProfiles, DemoLastsAboutThreeMinutes) {
  const auto source = text::read_source(CYCLERD_SOURCE_DIR "/profiles/library/demo.toml");
  text::Diagnostics diagnostics;
  const auto program = compile_profile(*source, launch_on("lg-m50"), diagnostics);
  ASSERT_TRUE(program) << diagnostics.render();
  // At the most: the guards of soak (120 s) and charge (90 s), 2 x 10 s rest, 75 s of US06. A working chamber and the
  // lab's cell take 3 s and 67 s.
  EXPECT_EQ(program->worst_case_duration, base::seconds(120 + 90 + 10 + 75 + 10));
}

}  // namespace
}  // namespace cyclerd::profiles::test
