// ramp, pulse, impedance: what goes out, what comes back, what is kept.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/row_selector.hpp"
#include "tests/unit/profiles/language/run_text.hpp"

namespace cyclerd::profiles::test {
namespace {

using cyclerd::test::Bench;

Launch slow_launch() {
  Launch launch = roomy_launch();
  launch.scan = base::seconds(1);
  return launch;
}

TEST(Ramps, OfTheCurrentTakeTheirTimeAndReportTheirStaircase) {
  const std::string body = "[[step]]\nname = \"r\"\nramp = { from = \"-1 A\", to = \"1 A\", over = \"4 s\" }\n";
  const Compiled c = compile_body(body, slow_launch());
  ASSERT_NE(c.find("P059"), nullptr);
  EXPECT_EQ(c.find("P059")->message, "step 'r' is a staircase of 4 steps of 500 mA, one a scan");
  Bench bench(program_of(body, slow_launch()));
  bench.run();
  std::vector<double> currents;
  for (const auto& s : bench.setpoints) currents.push_back(s.current_A);
  EXPECT_THAT(currents, testing::ElementsAre(-1.0, -0.5, 0.0, 0.5, 0.0)) << "the last is the end's";
  EXPECT_EQ(bench.summary("r").duration_us, 4'000'000);
  EXPECT_EQ(bench.summary("r").reason_text.view(), "the ramp is done");
  expect_reproducible(bench, slow_launch());
}

TEST(Ramps, OfTheVoltageByRateKeepTheCurrentLimit) {
  const auto program = program_of(
      "[[step]]\nname = \"r\"\nramp = { from = \"3.6 V\", to = \"3.7 V\", rate = \"10 mV/s\", current = \"0.5 C\" }\n",
      slow_launch());
  Bench bench(program);
  bench.run();
  EXPECT_EQ(bench.summary("r").duration_us, 10'000'000);
  EXPECT_EQ(bench.setpoints[0].control, base::Control::voltage);
  EXPECT_DOUBLE_EQ(bench.setpoints[0].voltage_V, 3.6);
  EXPECT_DOUBLE_EQ(bench.setpoints[0].current_max_A, 2.5);
  EXPECT_DOUBLE_EQ(bench.setpoints[0].current_min_A, -2.5);
  EXPECT_NEAR(bench.setpoints[9].voltage_V, 3.69, 1e-12);
  EXPECT_EQ(program->worst_case_duration, base::seconds(10));
  expect_reproducible(bench, slow_launch());
}

TEST(Ramps, OfTheVoltageRunOnACyclerWithoutNativeCv) {
  Launch launch = roomy_launch();
  launch.cycler.native_cv = 0;
  const auto program =
      program_of("[[step]]\nname = \"r\"\nramp = { from = \"3.6 V\", to = \"3.62 V\", rate = \"0.5 mV/s\" }\n", launch);
  Bench bench(program);
  bench.cell.resistance_Ohm = 0.1;  // 0.5 V at 1 C
  bench.run();
  for (const auto& s : bench.setpoints) EXPECT_NE(s.control, base::Control::voltage);
  // The level runs away at 0.05 mV a scan, of which the loop takes half each scan.
  EXPECT_NEAR(bench.summary("r").end_voltage_V, 3.62, 0.4e-3);
  expect_reproducible(bench, launch);
}

TEST(Pulses, FollowTheListAndAreKeptInFull) {
  const auto program = program_of(R"(
[record]
every = "1 h"
[[step]]
name = "first"
rest = {}
until = "time >= 1 s"
[[step]]
name = "p"
pulse = { pulses = [{ current = "-1 C", time = "2 s" }, { current = "0 A", time = "3 s" }, { power = "4 W", time = "1 s" }], count = 2 }
)");
  Bench bench(program);
  bench.run();
  const StepSummary& s = bench.summary("p");
  EXPECT_EQ(s.duration_us, 12'000'000);
  EXPECT_EQ(s.reason_text.view(), "the pulses are done");
  // Each pulse begins and ends on its scan: 2 s of 5 A twice; the edges are trapezoids of one scan.
  EXPECT_NEAR(s.throughput.discharge_C, 20.0, 1.1);
  std::vector<std::string> sent;
  for (const auto& set : bench.setpoints) {
    sent.push_back(set.control == base::Control::power  ? "W"
                   : set.control == base::Control::rest ? "-"
                   : set.current_A == 0.0               ? "0"
                                                        : "A");
  }
  EXPECT_THAT(sent, testing::ElementsAre("-", "A", "0", "W", "A", "0", "W", "-"));
  const Replayed again = replay(*program, bench.inputs);
  EXPECT_GE(again.rows.size(), 120u) << "every scan of the pulses";
  EXPECT_DOUBLE_EQ(program->worst_case_duration.seconds(), 13.0);
  expect_reproducible(bench);
}

TEST(Pulses, EdgesAreKeptEvenWhenTheRuleIsCoarse) {
  const auto program = program_of(R"(
[[step]]
pulse = { pulses = [{ current = "-1 C", time = "2 s" }, { current = "0 A", time = "3 s" }] }
record = { every = "1 h" }
)");
  Bench bench(program);
  bench.run();
  std::vector<std::int64_t> kept_ms;
  for (const Row& row : replay(*program, bench.inputs).rows) kept_ms.push_back(row.test_time_us / 1000);
  // The first rows of the step, the row before and the row after the edge at 2 s, the end.
  EXPECT_THAT(kept_ms, testing::ElementsAre(0, 100, 2000, 2100, 5000));
}

TEST(Pulses, AmplitudeMayComeFromAnEarlierStep) {
  const auto program = program_of(R"(
[[step]]
name = "check"
discharge = { current = "1 C" }
until = "time >= 10 s"
[[step]]
name = "p"
pulse = { pulses = [{ current = "-check.discharge_capacity / 20 s", time = "1 s" }] }
until = { when = "voltage < 3 V", then = "fail" }
)");
  Bench bench(program);
  bench.run();
  EXPECT_DOUBLE_EQ(bench.setpoints[1].current_A, -bench.summary("check").throughput.discharge_C / 20.0);
  expect_reproducible(bench);
}

TEST(Pulses, PauseHoldsTheirPlace) {
  const auto program = program_of(R"(
[[step]]
name = "p"
pulse = { pulses = [{ current = "-1 C", time = "2 s" }, { current = "1 C", time = "2 s" }] }
)");
  Bench bench(program);
  bench.run(11);
  bench.scan(Request::pause);
  bench.run(50);
  bench.scan(Request::resume);
  bench.run();
  EXPECT_EQ(bench.summary("p").duration_us, 4'000'000) << "without the pause";
  std::vector<double> currents;
  for (const auto& s : bench.setpoints) currents.push_back(s.current_A);
  EXPECT_THAT(currents, testing::ElementsAre(-5.0, 0.0, -5.0, 5.0, 0.0));
  expect_reproducible(bench);
}

const std::string kDcir = R"(
[[step]]
rest = {}
until = "time >= 1 s"
[[step]]
name = "dcir"
impedance = { dcir = { current = "-1 C", time = "10 s", method = "METHOD" } }
[[step]]
name = "use"
charge = { current = "dcir.resistance * 1 A / 1 Ohm" }
until = "time >= 1 s"
)";

std::string with_method(const std::string& method) {
  std::string body = kDcir;
  return body.replace(body.find("METHOD"), 6, method);
}

TEST(Impedance, ResistanceOfAPulse) {
  Bench bench(program_of(with_method("end")));
  bench.cell.resistance_Ohm = 0.025;
  bench.run();
  // 25 mOhm, and what the open-circuit voltage fell in 10 s at 5 A: 1.2 V x 50 A s / 18000 A s = 3.33 mV, 0.67 mOhm.
  const double expected_Ohm = 0.025 + 1.2 * 50.0 / 18000.0 / 5.0;
  EXPECT_NEAR(bench.setpoints[2].current_A, expected_Ohm, 1e-5);
  EXPECT_EQ(bench.summary("dcir").duration_us, 10'000'000);
  EXPECT_THAT(std::string(bench.summary("dcir").reason_text.view()), testing::StartsWith("25.66"));
  EXPECT_THAT(std::string(bench.summary("dcir").reason_text.view()), testing::EndsWith("mOhm, end of 10 s at -5 A"));
  expect_reproducible(bench);
}

// A cell whose voltage falls with the square root of time: the line drawn back to the start finds the ohmic part alone.
TEST(Impedance, SquareRootMethodFindsTheOhmicPart) {
  Bench bench(program_of(with_method("sqrt")));
  double begin_s = -1.0;
  for (int i = 0; i < 2000 && !is_over(bench.output->state); ++i) {
    base::Sample sample;
    sample.time = base::MonoTime{1'000'000 + 100'000 * i};
    const bool pulse = bench.setpoints.size() > 1 && bench.setpoints.back().current_A == -5.0;
    if (pulse && begin_s < 0) begin_s = 0.1 * (i - 1);
    sample.current_A = pulse ? -5.0 : 0.0;
    sample.voltage_V = pulse ? 3.7 - 5.0 * 0.02 - 0.01 * std::sqrt(0.1 * i - begin_s) : 3.7;
    sample.regulation = base::Regulation::current;
    bench.feed(sample);
    if (bench.setpoints.size() > 2) break;
  }
  ASSERT_GE(bench.setpoints.size(), 3u);
  EXPECT_NEAR(bench.setpoints[2].current_A, 0.02, 1e-9);
}

TEST(Impedance, WithoutACurrentThereIsNoResultAndItsUseFailsTheTest) {
  Bench bench(program_of(with_method("end")));
  for (int i = 0; i < 200; ++i) {
    base::Sample sample;
    sample.time = base::MonoTime{1'000'000 + 100'000 * i};
    sample.voltage_V = 3.7;
    sample.current_A = 0.0;
    bench.feed(sample);
  }
  EXPECT_EQ(bench.summary("dcir").reason_text.view(), "no resistance: paused, or the current did not change");
  EXPECT_EQ(bench.state.run_state, static_cast<std::uint32_t>(RunState::failed));
}

TEST(Impedance, SpectraNeedACapabilityThatNoDriverHas) {
  const Compiled c =
      compile_body("[[step]]\nimpedance = { sweep = { from = \"1 kHz\", to = \"0.1 Hz\", amplitude = \"C/20\" } }\n");
  ASSERT_NE(c.find("P053"), nullptr) << c.diagnostics.render();
  EXPECT_THAT(c.find("P053")->message, testing::HasSubstr("impedance spectrum"));
}

// Power to a voltage on a cycler that can only regulate current.
TEST(SoftwareCv, PowerGivesWayAtTheLevel) {
  Launch launch = roomy_launch();
  launch.cycler.native_cv = 0;
  const auto program = program_of(R"(
[[step]]
name = "c"
charge = { power = "10 W", voltage = "3.7 V" }
until = ["abs(current) <= 0.5 A", "time >= 2 h"]
)",
                                  launch);
  Bench bench(program);
  bench.cell.resistance_Ohm = 0.1;
  bench.cell.soc = 0.3;
  double highest_V = 0.0;
  for (int i = 0; i < 100'000 && !is_over(bench.output->state); ++i) {
    bench.scan();
    highest_V = std::max(highest_V, bench.cell.voltage_V());
    if (i == 20) {
      EXPECT_NEAR(bench.cell.voltage_V() * bench.cell.current_A, 10.0, 0.01) << "the power, scan by scan";
    }
  }
  EXPECT_EQ(bench.summary("c").reason, EndReason::condition);
  EXPECT_LT(highest_V, 3.702);
  EXPECT_NEAR(bench.summary("c").end_voltage_V, 3.7, 1e-3);
  for (const auto& s : bench.setpoints) EXPECT_NE(s.control, base::Control::power);
  expect_reproducible(bench, launch);
}

}  // namespace
}  // namespace cyclerd::profiles::test
