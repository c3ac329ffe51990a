// Set-points: what each kind of step asks of the devices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/profiles/run/bench.hpp"

namespace cyclerd::profiles {
namespace {

using namespace cyclerd::test;
using ::testing::DoubleEq;
using ::testing::ElementsAre;

base::Setpoint first_setpoint(ProgramBuilder& b) {
  Bench bench(b.build());
  bench.scan();
  return bench.setpoints.at(0);
}

TEST(SetPoint, charge_and_discharge_with_voltage_are_native_cc_cv) {
  ProgramBuilder up;
  up.charge("c", 5.0).with(&Step::voltage, num(4.2)).for_seconds(1);
  const auto charge = first_setpoint(up);
  EXPECT_EQ(charge.control, base::Control::current);
  EXPECT_EQ(charge.current_A, 5.0);
  EXPECT_EQ(charge.voltage_max_V, 4.2);
  EXPECT_EQ(charge.voltage_min_V, 2.4);
  ProgramBuilder down;
  down.discharge("d", 5.0).with(&Step::voltage, num(2.8)).for_seconds(1);
  const auto discharge = first_setpoint(down);
  EXPECT_EQ(discharge.current_A, -5.0);
  EXPECT_EQ(discharge.voltage_min_V, 2.8);
  EXPECT_EQ(discharge.voltage_max_V, 4.25);
}

TEST(SetPoint, never_leaves_the_envelope) {
  for (const auto& [asked_A, given_A] : {std::pair{9.9, 9.9}, {10.0, 10.0}, {10.1, 10.0}}) {
    ProgramBuilder b;
    b.charge("c", asked_A).with(&Step::voltage, num(9.0)).for_seconds(1);
    const auto s = first_setpoint(b);
    EXPECT_EQ(s.current_A, given_A);
    EXPECT_EQ(s.voltage_max_V, 4.25);
  }
  ProgramBuilder p;
  p.step(StepKind::power, "p", -1).with(&Step::power, num(100.0)).for_seconds(1);
  EXPECT_EQ(first_setpoint(p).power_W, -40.0);
  ProgramBuilder h;
  h.step(StepKind::voltage, "h").with(&Step::voltage, num(5.0)).with(&Step::current, num(50.0)).for_seconds(1);
  const auto hold = first_setpoint(h);
  EXPECT_EQ(hold.voltage_V, 4.25);
  EXPECT_EQ(hold.current_max_A, 10.0);
  EXPECT_EQ(hold.current_min_A, -10.0);
}

TEST(SetPoint, hold_clamps_the_current_both_ways) {
  ProgramBuilder h;
  h.step(StepKind::voltage, "h").with(&Step::voltage, num(4.0)).with(&Step::current, num(2.0)).for_seconds(1);
  const auto hold = first_setpoint(h);
  EXPECT_EQ(hold.control, base::Control::voltage);
  EXPECT_EQ(hold.current_max_A, 2.0);
  EXPECT_EQ(hold.current_min_A, -2.0);
}

TEST(SetPoint, power_with_voltage_and_resistance) {
  ProgramBuilder p;
  p.step(StepKind::power, "p", -1).with(&Step::power, num(20.0)).with(&Step::voltage, num(3.0)).for_seconds(1);
  const auto power = first_setpoint(p);
  EXPECT_EQ(power.control, base::Control::power);
  EXPECT_EQ(power.power_W, -20.0);
  EXPECT_EQ(power.voltage_min_V, 3.0);
  ProgramBuilder r;
  r.step(StepKind::resistance, "r", -1).with(&Step::resistance, num(2.0)).for_seconds(1);
  const auto resistance = first_setpoint(r);
  EXPECT_EQ(resistance.control, base::Control::resistance);
  EXPECT_EQ(resistance.resistance_Ohm, 2.0);
}

TEST(SetPoint, that_is_no_number_fails_the_test) {
  ProgramBuilder b;
  b.rest("r").for_seconds(1).store(ResultOf::duration, ResultPick::nth, 0, 7);
  b.step(StepKind::current, "c", 1).with(&Step::current, result(0)).for_seconds(1);
  Bench bench(b.build());
  bench.run(100);
  EXPECT_EQ(bench.output->state, RunState::failed);
  EXPECT_EQ(bench.summary("c").reason, EndReason::failure);
  EXPECT_EQ(bench.summary("c").reason_text.view(), "the step cannot run: one of its set-points is not a number");
  EXPECT_EQ(bench.setpoints.back().control, base::Control::rest);
}

TEST(SetPoint, is_sent_once_a_step) {
  ProgramBuilder b;
  b.charge("one", 2.0).for_seconds(1);
  b.charge("two", 2.0).for_seconds(1);
  Bench bench(b.build());
  bench.run(100);
  EXPECT_EQ(bench.setpoints.size(), 3u);  // two steps, and the rest at the end
}

TEST(CcCv, native_device_tapers_and_the_summary_tells_the_cv_part) {
  ProgramBuilder b;
  b.program().scan = base::seconds(1);
  b.charge("cccv", 5.0)
      .with(&Step::voltage, num(4.2))
      .until(current_below(0.25))
      .until(after_seconds(4 * 3600, Then::fail));
  Bench bench(b.build());
  bench.run(20'000);
  ASSERT_EQ(bench.steps.size(), 1u);
  const StepSummary& s = bench.steps[0];
  EXPECT_EQ(s.reason, EndReason::condition);
  // Linear OCV a + b soc behind R: CC until a + b soc + R I = 4.2 V, then I falls as exp(-t b / (Q R)).
  const double cc_end_soc = 1.0 - 0.02 * 5.0 / 1.2;
  const double cc_s = (cc_end_soc - 0.5) * 18000.0 / 5.0;
  const double tau_s = 18000.0 * 0.02 / 1.2;
  const double cv_s = tau_s * std::log(5.0 / 0.25);
  EXPECT_NEAR(static_cast<double>(s.duration_us) / 1e6, cc_s + cv_s, 3.0);
  EXPECT_NEAR(static_cast<double>(s.cv_duration_us) / 1e6, cv_s, 3.0);
  EXPECT_NEAR(s.cv_charge_C, tau_s * (5.0 - 0.25), 10.0);
  EXPECT_NEAR(s.start_voltage_V, 3.6, 1e-9);
  EXPECT_NEAR(s.end_voltage_V, 4.2, 1e-9);
  EXPECT_NEAR(s.end_current_A, 0.25, 0.01);
  EXPECT_EQ(s.min_temperature_degC, 25.0);
  EXPECT_EQ(s.max_temperature_degC, 25.0);
  EXPECT_DOUBLE_EQ(s.mean_temperature_degC, 25.0);
}

TEST(SoftwareCv, holds_the_level_without_overshoot_of_a_millivolt_at_ten_scans_a_second) {
  for (double resistance_Ohm : {0.004, 0.02, 0.08}) {  // 20, 100, 400 mV at 1C
    ProgramBuilder b;
    b.charge("cccv", 5.0)
        .with(&Step::voltage, num(4.1))
        .until(current_below(0.25))
        .until(after_seconds(4 * 3600, Then::fail));
    b.last().software_cv = 1;
    Bench bench(b.build());
    bench.cell.resistance_Ohm = resistance_Ohm;
    double highest_V = 0.0;
    double lowest_cv_V = 10.0;
    int cv_scans = 0;
    while (!is_over(bench.output->state)) {
      const Output& o = bench.scan();
      if (o.state != RunState::running) break;
      highest_V = std::max(highest_V, o.row.voltage_V);
      cv_scans = (o.row.flags & base::flag::kSoftwareCv) != 0 ? cv_scans + 1 : 0;
      if (cv_scans > 1000) lowest_cv_V = std::min(lowest_cv_V, o.row.voltage_V);
    }
    EXPECT_LE(highest_V, 4.1 + 2e-3) << resistance_Ohm;
    EXPECT_GE(lowest_cv_V, 4.1 - 1e-3) << resistance_Ohm;
    EXPECT_EQ(bench.steps.at(0).reason_text.view(), "condition 0");
    EXPECT_GT(bench.steps[0].cv_duration_us, 0);
  }
}

TEST(SoftwareCv, discharge_stays_above_its_level) {
  ProgramBuilder b;
  b.discharge("dcv", 5.0)
      .with(&Step::voltage, num(3.3))
      .until(current_below(0.25))
      .until(after_seconds(9 * 3600, Then::fail));
  b.last().software_cv = 1;
  Bench bench(b.build());
  double lowest_V = 10.0;
  while (!is_over(bench.output->state)) lowest_V = std::min(lowest_V, bench.scan().row.voltage_V);
  EXPECT_GE(lowest_V, 3.3 - 2e-3);
  EXPECT_EQ(bench.steps.at(0).reason_text.view(), "condition 0");
}

TEST(SoftwareCv, hold_of_a_device_without_cv_goes_both_ways) {
  for (double level_V : {3.5, 3.7}) {
    ProgramBuilder b;
    b.step(StepKind::voltage, "hold").with(&Step::voltage, num(level_V)).with(&Step::current, num(2.0)).for_seconds(30);
    b.last().software_cv = 1;
    Bench bench(b.build());
    for (int i = 0; i < 100; ++i) {
      bench.scan();
      EXPECT_LE(std::abs(bench.cell.current_A), 2.0);
    }
    EXPECT_EQ(bench.setpoints.back().control, base::Control::current);
    EXPECT_GT(bench.cell.current_A * (level_V - 3.6), 0.0);
  }
}

Waveform staircase(WaveformQuantity quantity, Resample resample) {
  return {quantity, resample, {0, 1'000'000, 2'000'000, 3'000'000}, {1.0, -2.0, 3.0, 3.0}, "staircase"};
}

TEST(Follow, holds_scales_repeats_and_ends_as_complete) {
  ProgramBuilder b;
  b.program().scan = base::milliseconds(500);
  const auto w = b.waveform(staircase(WaveformQuantity::current, Resample::hold));
  b.step(StepKind::follow, "drive").with(&Step::scale, num(2.0)).with(&Step::count, num(2));
  b.last().waveform = w;
  Bench bench(b.build());
  bench.run(100);
  ASSERT_EQ(bench.steps.size(), 1u);
  EXPECT_EQ(bench.steps[0].reason, EndReason::complete);
  EXPECT_EQ(bench.steps[0].duration_us, 6'000'000);
  std::vector<double> sent;
  for (const auto& s : bench.setpoints) sent.push_back(s.control == base::Control::rest ? 0.0 : s.current_A);
  EXPECT_THAT(sent, ElementsAre(2, -4, 6, 2, -4, 6, 0));  // only changes are sent
}

TEST(Follow, interpolates_between_points) {
  ProgramBuilder b;
  b.program().scan = base::milliseconds(250);
  const auto w = b.waveform(staircase(WaveformQuantity::power, Resample::linear));
  b.step(StepKind::follow, "drive");
  b.last().waveform = w;
  Bench bench(b.build());
  for (int i = 0; i < 4; ++i) bench.scan();
  std::vector<double> sent;
  for (const auto& s : bench.setpoints) {
    EXPECT_EQ(s.control, base::Control::power);
    sent.push_back(s.power_W);
  }
  EXPECT_THAT(sent, ElementsAre(DoubleEq(1.0), DoubleEq(0.25), DoubleEq(-0.5), DoubleEq(-1.25)));
}

TEST(Follow, limits_stay_active_and_the_envelope_clamps) {
  ProgramBuilder b;
  const auto w = b.waveform(staircase(WaveformQuantity::c_rate, Resample::hold));
  b.step(StepKind::follow, "drive").with(&Step::scale, num(100.0)).until(at_least(Live::time, 1.5));
  b.last().waveform = w;
  Bench bench(b.build());
  bench.run(100);
  EXPECT_EQ(bench.steps[0].reason, EndReason::condition);
  EXPECT_EQ(bench.setpoints[0].current_A, 10.0);
  EXPECT_EQ(bench.setpoints[1].current_A, -10.0);
}

TEST(Ramp, goes_from_one_value_to_the_other_and_completes) {
  ProgramBuilder b;
  b.step(StepKind::ramp, "ramp")
      .with(&Step::ramp_from, num(0))
      .with(&Step::ramp_to, num(2))
      .with(&Step::ramp_rate, num(4));
  b.last().ramp_quantity = WaveformQuantity::current;
  Bench bench(b.build());
  bench.run(100);
  EXPECT_EQ(bench.steps[0].duration_us, 500'000);
  EXPECT_EQ(bench.steps[0].reason, EndReason::complete);
  std::vector<double> sent;
  for (const auto& s : bench.setpoints) sent.push_back(s.current_A);
  EXPECT_THAT(sent, ElementsAre(DoubleEq(0), DoubleEq(0.4), DoubleEq(0.8), DoubleEq(1.2), DoubleEq(1.6), DoubleEq(0)));
}

struct SoakTest : ::testing::Test {
  std::shared_ptr<const Program> soak() {
    ProgramBuilder b;
    b.step(StepKind::chamber, "soak").with(&Step::chamber, num(30)).with(&Step::soak_within, num(1));
    b.with(&Step::chamber_ramp, num(0.05));
    b.last().soak_for = base::seconds(1);
    return b.build();
  }
};

TEST_F(SoakTest, sets_the_chamber_and_completes_after_the_dwell_of_the_cells_sensor) {
  Bench bench(soak());
  bench.chamber_degC = 30.0;  // the air is there at once, the cell is not
  bench.scan();
  ASSERT_EQ(bench.chambers.size(), 1u);
  EXPECT_EQ(bench.chambers[0].run, 1);
  EXPECT_EQ(bench.chambers[0].temperature_degC, 30.0);
  EXPECT_DOUBLE_EQ(bench.chambers[0].ramp_K_per_min, 3.0);
  EXPECT_EQ(bench.setpoints.at(0).control, base::Control::rest);
  for (int i = 0; i < 50; ++i) bench.scan();
  EXPECT_TRUE(bench.steps.empty());
  bench.cell.temperature_degC = 28.99;  // just outside
  for (int i = 0; i < 50; ++i) bench.scan();
  EXPECT_TRUE(bench.steps.empty());
  bench.cell.temperature_degC = 29.0;  // at
  for (int i = 0; i < 10; ++i) bench.scan();
  EXPECT_TRUE(bench.steps.empty());
  bench.cell.temperature_degC = 31.01;  // breaks the dwell
  bench.scan();
  bench.cell.temperature_degC = 31.0;
  for (int i = 0; i < 10; ++i) bench.scan();
  EXPECT_TRUE(bench.steps.empty());
  bench.scan();
  ASSERT_EQ(bench.steps.size(), 1u);
  EXPECT_EQ(bench.steps[0].reason, EndReason::complete);
}

TEST_F(SoakTest, uses_the_air_when_the_cell_has_no_sensor_and_not_when_it_fell_silent) {
  Bench air(soak());
  air.cell.temperature_degC = base::kAbsent;
  air.chamber_degC = 30.0;
  for (int i = 0; i < 20; ++i) air.scan();
  EXPECT_EQ(air.steps.size(), 1u);
  Bench silent(soak());
  silent.chamber_degC = 30.0;
  silent.scan();
  silent.cell.temperature_degC = base::kAbsent;
  for (int i = 0; i < 100; ++i) silent.scan();
  EXPECT_TRUE(silent.steps.empty());
}

TEST(Chamber, other_steps_set_it_too_and_only_changes_are_sent) {
  ProgramBuilder b;
  b.rest("a").with(&Step::chamber, num(25)).for_seconds(1);
  b.rest("b").with(&Step::chamber, num(25)).for_seconds(1);
  b.charge("c", 1.0).with(&Step::chamber, num(35)).for_seconds(1);
  Bench bench(b.build());
  bench.run(15);
  bench.run(25);
  ASSERT_EQ(bench.chambers.size(), 2u + 0u);
  EXPECT_EQ(bench.chambers[0].temperature_degC, 25.0);
  EXPECT_EQ(bench.chambers[1].temperature_degC, 35.0);
}

TEST(Chamber, is_sent_again_when_a_paused_test_resumes) {
  ProgramBuilder b;
  b.rest("a").with(&Step::chamber, num(25)).for_seconds(10);
  Bench bench(b.build());
  bench.scan();
  bench.scan(Request::pause);
  bench.scan(Request::resume);
  EXPECT_EQ(bench.chambers.size(), 2u);
}

}  // namespace
}  // namespace cyclerd::profiles
