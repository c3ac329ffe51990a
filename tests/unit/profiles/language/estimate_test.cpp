// What a test will take: the worst case by its guards, the expected course on the stand-in cell, the disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/profiles/language/bench.hpp"

namespace cyclerd::profiles::test {
namespace {

constexpr double kAh = 3600.0;

std::unique_ptr<const Program> program(const std::string& body, const Launch& launch = roomy_launch()) {
  Compiled c = compile_body(body, launch);
  EXPECT_TRUE(c.program) << c.diagnostics.render();
  return std::move(c.program);
}

TEST(Estimate, ARestTakesItsTimeAndMovesNothing) {
  const auto p = program("[[step]]\nrest = {}\nuntil = \"time >= 1 h\"\n");
  EXPECT_NEAR(p->expected.duration.seconds(), 3600.0, 0.3);
  EXPECT_NEAR(p->expected.rows, p->worst_case_rows, 1.0);
  EXPECT_EQ(p->expected.charge_C, 0.0);
  EXPECT_EQ(p->worst_case_charge_C, 0.0);
}

TEST(Estimate, AFullCycleAtAThirdTakesThreeHoursEachWay) {
  const auto p = program(R"toml([[step]]
discharge = { current = "C/3" }
until = ["voltage <= cell.voltage_min", "time >= 10 h"]
[[step]]
set = { mark = "empty" }
[[step]]
name = "charge"
charge = { current = "C/3", voltage = "cell.voltage_max" }
until = ["abs(current) <= 0.05 C", "time >= 10 h"]
[[step]]
discharge = { current = "C/3" }
until = ["voltage <= cell.voltage_min", "time >= 10 h"]
)toml");
  // From 50 %: half a discharge, a charge with its taper, a discharge.
  EXPECT_NEAR(p->expected.duration.seconds() / 3600.0, 1.5 + 3.2 + 3.0, 0.5);
  EXPECT_NEAR(p->expected.charge_C / kAh, 2.5 * 5.0, 0.5);
  EXPECT_NEAR(p->expected.energy_J / (p->expected.charge_C * 3.55), 1.0, 0.1);
  EXPECT_EQ(p->worst_case_duration, base::hours(30));
  EXPECT_NEAR(p->worst_case_charge_C / kAh, 50.0, 1e-6) << "C/3 for 30 h";
}

TEST(Estimate, TheWorstCaseStopsWhereSafetyTrips) {
  const std::string step =
      "[[step]]\ncharge = { current = \"1 A\" }\nuntil = [\"voltage >= 4.1 V\", \"time >= 4 h\"]\n";
  EXPECT_NEAR(program(step)->worst_case_charge_C / kAh, 4.0, 1e-9);
  for (const auto& [limit, charge_Ah] : {std::pair{"3.9 Ah", 3.9}, {"4 Ah", 4.0}, {"4.1 Ah", 4.0}}) {
    const auto p = program("[safety]\ncapacity = { max = \"" + std::string(limit) + "\" }\n" + step);
    EXPECT_NEAR(p->worst_case_charge_C / kAh, charge_Ah, 1e-9) << limit;
    EXPECT_NEAR(p->worst_case_energy_J / p->worst_case_charge_C, p->envelope.voltage_max_V, 1e-9) << limit;
  }
}

TEST(Estimate, PassesAreMultipliedWhetherTheyAreRunOrOnlyCounted) {
  const auto with = [](int count) {
    return program("[[step]]\nrepeat = { count = " + std::to_string(count) + R"toml( }
  [[step.steps]]
  discharge = { current = "1 C" }
  until = ["voltage <= cell.voltage_min", "time >= 2 h"]
  [[step.steps]]
  charge = { current = "0.5 C", voltage = "cell.voltage_max" }
  until = ["abs(current) <= 0.05 C", "time >= 4 h"]
  [[step.steps]]
  advance_cycle = {}
)toml");
  };
  const auto ten = with(10);
  const auto many = with(100'000);
  const double once_s = ten->expected.duration.seconds() / 10.0;
  EXPECT_NEAR(once_s / 3600.0, 3.3, 0.5);
  EXPECT_NEAR(many->expected.duration.seconds() / once_s, 100'000, 4'000);
  EXPECT_NEAR(many->expected.charge_C / ten->expected.charge_C, 10'000, 400);
  EXPECT_NEAR(many->expected.rows / ten->expected.rows, 10'000, 400);
}

TEST(Estimate, NothingIsExpectedOfATestThatTheStandInDoesNotFinish) {
  EXPECT_EQ(program("[[step]]\nrest = {}\nuntil = { when = \"time >= 1 h\", then = \"fail\" }\n")->expected.duration.us,
            0);
  EXPECT_EQ(program("[[step]]\nrest = {}\nuntil = \"temperature > 50 degC\"\n")->expected.duration.us, 0)
      << "it never warms up";
}

TEST(Estimate, RestsThatWaitForTheVoltageAndSoaksComeToTheirEnd) {
  const auto rest = program(R"toml([[step]]
discharge = { current = "1 C" }
until = "time >= 10 min"
[[step]]
rest = {}
until = ["abs(rate(voltage, 10 min)) < 1 mV/h", "time >= 10 h"]
)toml");
  EXPECT_GT(rest->expected.duration.seconds(), 600.0 + 3600.0);
  EXPECT_LT(rest->expected.duration.seconds(), 600.0 + 3.0 * 3600.0);
  const auto soak = program(R"toml([[step]]
chamber = { temperature = "45 degC", soak = { within = "1 K", for = "30 min" } }
until = { when = "time >= 10 h", then = "fail" }
)toml");
  EXPECT_GT(soak->expected.duration.seconds(), 20.0 * 60.0 + 1800.0);
  EXPECT_LT(soak->expected.duration.seconds(), 20.0 * 60.0 + 1800.0 + 3600.0);
}

TEST(Estimate, SoftwareCvIsEstimatedLikeNativeAndTheProgramKeepsIt) {
  const std::string body =
      "[[step]]\ncharge = { current = \"1 C\", voltage = \"4.1 V\" }\nuntil = [\"abs(current) <= 0.05 C\", \"time >= 5 "
      "h\"]\n";
  Launch software = roomy_launch();
  software.cycler.native_cv = 0;
  const auto native = program(body);
  const auto looped = program(body, software);
  EXPECT_EQ(native->expected.duration, looped->expected.duration);
  EXPECT_EQ(looped->steps[0].software_cv, 1);
}

TEST(Estimate, TheDiskHoldsWhatIsExpectedAndTellsOfTheWorst) {
  const std::string body = "[record]\nevery = \"1 s\"\n[[step]]\nrest = {}\nuntil = \"time >= 100 h\"\n";
  Launch launch = roomy_launch();
  const auto p = program(body);
  Estimate worst;
  worst.duration = p->worst_case_duration;
  worst.rows = p->worst_case_rows;
  const double bytes = record_bytes(worst, launch.scan);
  EXPECT_NEAR(bytes, 3.6e6 * 144.0 + 3.6e5 * 320.0, 1e4);
  const auto findings = [&](double free_bytes) {
    launch.free_bytes = free_bytes;
    const Compiled c = compile_body(body, launch);
    EXPECT_EQ(c.program == nullptr, c.diagnostics.has_errors());
    if (c.program) {
      EXPECT_EQ(c.program->compiled_sha256, p->compiled_sha256);
    }
    return c.diagnostics.all().empty() ? std::string("-")
                                       : (c.diagnostics.has_errors() ? "E " : "W ") + std::string(c.find("P064")->code);
  };
  const double expected_bytes = expected_record_bytes(*p);
  EXPECT_LT(expected_bytes, bytes * 1.0001);
  EXPECT_EQ(findings(base::kAbsent), "-");
  EXPECT_EQ(findings(expected_bytes * 0.999), "E P064");
  EXPECT_EQ(findings(expected_bytes * 1.001), "W P064");
  EXPECT_EQ(findings(bytes * 1.001), "W P064");
  EXPECT_EQ(findings(bytes / 0.8 * 0.999), "W P064");
  EXPECT_EQ(findings(bytes / 0.8 * 1.001), "-");
}

TEST(Estimate, TheDiskFindingNamesWhatTakesTheRoom) {
  Launch launch = roomy_launch();
  launch.free_bytes = 1.0;
  const auto help = [&](const std::string& every) {
    const Compiled c =
        compile_body("[record]\nevery = \"" + every + "\"\n[[step]]\nrest = {}\nuntil = \"time >= 100 h\"\n", launch);
    return std::string(c.find("P064")->help);
  };
  // Ten scans a second: 10 x 144 bytes of inputs against 320 of one row, or ten.
  EXPECT_THAT(help("1 s"), testing::HasSubstr("journal of every scan"));
  EXPECT_THAT(help("0.1 s"), testing::HasSubstr("lengthen every in [record]"));
}

}  // namespace
}  // namespace cyclerd::profiles::test
