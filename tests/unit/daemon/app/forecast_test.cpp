// What the checker expects of a shipped profile, against the same profile simulated on a fitted cell.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "daemon/app/simulation.hpp"
#include "daemon/control/station_api.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::app {
namespace {

struct Forecast {
  double expected_s = 0.0, expected_Ah = 0.0;  // by the checker, in the test's metadata
  double simulated_s = 0.0;
  double worst_s = 0.0;
};

Forecast forecast(const std::string& profile, const std::string& cell) {
  std::string folder = testing::TempDir() + "cyclerd-forecast-XXXXXX";
  SimulationConfig config;
  config.out = mkdtemp(folder.data());
  const auto source = text::read_source(CYCLERD_SOURCE_DIR "/profiles/library/" + profile + ".toml");
  if (!source) throw std::runtime_error(profile + " is not there");
  config.launch.profile = (*source)->text;
  config.launch.profile_name = profile + ".toml";
  config.launch.cell_name = cell;
  config.launch.soc = 0.5;
  const SimulationResult result = simulate(config);
  EXPECT_EQ(result.outcome, profiles::TestOutcome::completed) << profile << " " << result.reason;
  std::ifstream file(result.folder + "/test.json");
  const control::Json json = control::Json::parse(file, nullptr, false)["metadata"]["profile"];
  Forecast found;
  found.simulated_s = result.virtual_s;
  found.expected_s = json.value("expected_duration_s", 0.0);
  found.expected_Ah = json.value("expected_charge_Ah", 0.0);
  found.worst_s = json.value("worst_case_duration_s", 0.0);
  std::filesystem::remove_all(config.out);
  return found;
}

TEST(Forecast, IsWithinAFifthOfWhatTheSimulationTakes) {
  for (const auto& [profile, cell] : {std::pair{"capacity-check", "lg-m50"},
                                      {"capacity-check", "a123-26650"},
                                      {"capacity-check", "lto-nmc-synthetic"},
                                      {"quasi-ocv", "lg-m50"},
                                      {"rate-capability", "lg-m50"},
                                      {"drive-udds", "lg-m50"}}) {
    const Forecast f = forecast(profile, cell);
    EXPECT_GT(f.expected_s, 0.8 * f.simulated_s) << profile << " on " << cell;
    EXPECT_LT(f.expected_s, 1.2 * f.simulated_s) << profile << " on " << cell;
    EXPECT_LT(f.expected_s, f.worst_s) << profile;
    EXPECT_GT(f.expected_Ah, 0.0) << profile;
  }
}

}  // namespace
}  // namespace cyclerd::app
