#include "daemon/app/simulation.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace cyclerd::app {
namespace {

constexpr const char* kProfile = R"(
profile = "short"
schema = 1
[cell]
chemistry = "nmc-graphite"
[safety]
voltage = { min = "2.45 V", max = "4.25 V" }
temperature = { max = "60 degC" }
[record]
every = "10 s"
[[step]]
name = "charge"
charge = { current = "1 C", voltage = "4.2 V" }
until = ["abs(current) <= 0.1 C", { when = "time >= 2 h", then = "fail", reason = "no taper" }]
[[step]]
rest = {}
until = "time >= 5 min"
[[step]]
name = "discharge"
discharge = { current = "1 C" }
until = ["voltage <= 3.0 V", { when = "time >= 2 h", then = "fail", reason = "no end" }]
[[step]]
advance_cycle = {}
)";

SimulationConfig config(const std::string& profile) {
  std::string folder = testing::TempDir() + "cyclerd-simulation-XXXXXX";
  SimulationConfig made;
  made.out = mkdtemp(folder.data());
  made.launch.profile = profile;
  made.launch.profile_name = "short.toml";
  made.launch.cell_name = "lg-m50";
  made.launch.soc = 0.5;
  return made;
}

std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Simulation, ACycleEndsByItsLimitsAndLeavesARecord) {
  const SimulationResult result = simulate(config(kProfile));
  ASSERT_FALSE(result.diagnostics.has_errors()) << result.diagnostics.render();
  ASSERT_EQ(result.error, "");
  EXPECT_EQ(result.outcome, profiles::TestOutcome::completed) << result.reason;
  EXPECT_GE(result.steps, 3U);
  EXPECT_GT(result.virtual_s, 3600.0);
  EXPECT_LT(result.virtual_s, 3 * 3600.0);
  EXPECT_NEAR(static_cast<double>(result.scans), result.virtual_s, 0.01 * result.virtual_s + 2);
  const std::string steps = contents(result.folder + "/steps.jsonl");
  EXPECT_NE(steps.find("abs(current) <= 0.1 C"), std::string::npos) << steps;
  EXPECT_NE(steps.find("voltage <= 3.0 V"), std::string::npos) << steps;
  EXPECT_FALSE(contents(result.folder + "/cycles.jsonl").empty());
}

TEST(Simulation, TheSameSeedGivesTheSameRecord) {
  const SimulationResult one = simulate(config(kProfile));
  const SimulationResult two = simulate(config(kProfile));
  ASSERT_EQ(one.error + two.error, "");
  EXPECT_EQ(contents(one.folder + "/steps.jsonl"), contents(two.folder + "/steps.jsonl"));
  EXPECT_EQ(contents(one.folder + "/rows.arrows"), contents(two.folder + "/rows.arrows"));
  SimulationConfig other = config(kProfile);
  other.seed = 2;
  const SimulationResult three = simulate(other);
  EXPECT_NE(contents(one.folder + "/rows.arrows"), contents(three.folder + "/rows.arrows"));
}

TEST(Simulation, ASecondOneInTheSameFolderIsATestOfItsOwn) {
  SimulationConfig made = config(kProfile);
  const SimulationResult first = simulate(made);
  made.initial_soc = 0.9;
  const SimulationResult second = simulate(made);
  ASSERT_EQ(second.error, "");
  EXPECT_NE(first.folder, second.folder);
  EXPECT_NE(contents(first.folder + "/steps.jsonl"), contents(second.folder + "/steps.jsonl"));
  EXPECT_LT(second.virtual_s, first.virtual_s);
}

TEST(Simulation, LeavingTheSafetyBoxTrips) {
  std::string profile = kProfile;
  profile.replace(profile.find("\"4.25 V\""), 8, "\"4.21 V\"");
  profile.replace(profile.find("\"60 degC\""), 9, "\"26 degC\"");
  const SimulationResult result = simulate(config(profile));
  ASSERT_FALSE(result.diagnostics.has_errors()) << result.diagnostics.render();
  EXPECT_EQ(result.outcome, profiles::TestOutcome::tripped) << result.error << result.reason;
  EXPECT_NE(result.reason.find("temperature"), std::string::npos) << result.reason;
}

TEST(Simulation, AWrongProfileRunsNothing) {
  std::string profile = kProfile;
  profile.replace(profile.find("3.0 V"), 5, "3.0 A");
  const SimulationResult result = simulate(config(profile));
  EXPECT_TRUE(result.diagnostics.has_errors());
  EXPECT_EQ(result.scans, 0U);
}

TEST(Simulation, AnUnknownParameterSetIsNamed) {
  SimulationConfig wrong = config(kProfile);
  wrong.cell_set = "lg-m51";
  const SimulationResult result = simulate(wrong);
  ASSERT_TRUE(result.diagnostics.has_errors());
  EXPECT_EQ(result.diagnostics.all().front().code, "S041");
}

}  // namespace
}  // namespace cyclerd::app
