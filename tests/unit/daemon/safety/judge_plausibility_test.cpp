#include <cmath>

#include <gtest/gtest.h>

#include "daemon/safety/judge.hpp"

namespace cyclerd::safety {
namespace {

using base::Control;
using base::milliseconds;
using base::MonoTime;
using base::Regulation;
using base::seconds;
using device::DeviceKind;

constexpr double kTolerance_A = 0.125;
constexpr double kNoise_A = 0.25;

class Plausibility : public testing::Test {
 protected:
  Plausibility() { use_table(kTolerance_A); }

  void use_table(double tolerance_A) {
    table.current_tolerance_A = tolerance_A;
    judge.set_limits(table);
  }
  base::Reading reading(double current_A, Regulation regulation = Regulation::current) const {
    base::Reading r;
    r.voltage_V = 3.7;
    r.current_A = current_A;
    r.regulation = regulation;
    r.output_on = 1;
    return r;
  }
  Verdict at(base::Reading r, std::int64_t ms) {
    r.sent = r.received = MonoTime{ms * 1000};
    return judge.judge(r, true);
  }
  // Held for the dwell of the current: what is judged of it in the end.
  Verdict held(const base::Reading& r) {
    start_ms += 100'000;
    EXPECT_FALSE(at(r, start_ms).violated()) << "at once";
    EXPECT_FALSE(at(r, start_ms + 1999).violated()) << "just before the dwell";
    const Verdict v = at(r, start_ms + 2000);
    at(reading(judge_conform_A), start_ms + 2001);  // ends the dwell
    return v;
  }
  void command(base::Setpoint s) { judge.commanded(s, 1); }
  void charge(double current_A) {
    judge_conform_A = current_A;
    command({.control = Control::current, .current_A = current_A});
  }

  LimitTable table = [] {
    LimitTable t;
    t.stale_after = seconds(1'000'000);
    return t;
  }();
  Judge judge{DeviceKind::cycler, milliseconds(100), kNoise_A};
  std::int64_t start_ms = 0;
  double judge_conform_A = 0.0;
};

double above(double x) {
  return std::nextafter(x, 1e9);
}
double below(double x) {
  return std::nextafter(x, -1e9);
}

TEST_F(Plausibility, RegulatedCurrentMayDifferByTheToleranceOnBothSides) {
  for (const double set_A : {2.0, -2.0}) {
    charge(set_A);
    EXPECT_FALSE(held(reading(set_A + kTolerance_A)).violated()) << set_A;
    EXPECT_FALSE(held(reading(set_A - kTolerance_A)).violated()) << set_A;
    const Verdict high = held(reading(above(set_A + kTolerance_A)));
    EXPECT_EQ(high.cause, Cause::current_deviation) << set_A;
    EXPECT_EQ(high.bound, set_A + kTolerance_A);
    const Verdict low = held(reading(below(set_A - kTolerance_A)));
    EXPECT_EQ(low.cause, Cause::current_deviation) << set_A;
    EXPECT_EQ(low.bound, set_A - kTolerance_A);
  }
}

// An instrument that went over from CC to CV by itself draws less than its set-point, rightly.
TEST_F(Plausibility, AfterTheHandOverToConstantVoltageOnlyTooMuchCurrentCounts) {
  for (const Regulation regulation : {Regulation::voltage, Regulation::unknown, Regulation::power}) {
    charge(2.0);
    EXPECT_FALSE(held(reading(0.05, regulation)).violated());
    EXPECT_FALSE(held(reading(2.0 + kTolerance_A, regulation)).violated());
    EXPECT_EQ(held(reading(above(2.0 + kTolerance_A), regulation)).cause, Cause::current_deviation);
    charge(-2.0);
    EXPECT_FALSE(held(reading(-0.05, regulation)).violated());
    EXPECT_FALSE(held(reading(-2.0 - kTolerance_A, regulation)).violated());
    EXPECT_EQ(held(reading(below(-2.0 - kTolerance_A), regulation)).cause, Cause::current_deviation);
  }
}

TEST_F(Plausibility, WithoutToleranceOnlyMoreThanCommandedIsJudgedBeyondTheNoise) {
  use_table(base::kAbsent);
  for (const double sign : {1.0, -1.0}) {
    charge(sign * 2.0);
    EXPECT_FALSE(held(reading(0.0)).violated());
    EXPECT_FALSE(held(reading(sign * (2.0 + kNoise_A))).violated());
    EXPECT_EQ(held(reading(sign * above(2.0 + kNoise_A))).cause, Cause::current_deviation);
  }
}

TEST_F(Plausibility, MissingCurrentDoesNotEndADwell) {
  charge(2.0);
  EXPECT_FALSE(at(reading(1.0), 0).violated());
  EXPECT_FALSE(at(reading(base::kAbsent), 1000).violated());
  EXPECT_EQ(at(reading(1.0), 2000).cause, Cause::current_deviation);
}

TEST_F(Plausibility, CurrentAgainstTheCommandTripsBeyondTheTolerance) {
  charge(2.0);
  EXPECT_FALSE(held(reading(-kTolerance_A, Regulation::voltage)).violated());
  const Verdict charging = held(reading(below(-kTolerance_A), Regulation::voltage));
  EXPECT_EQ(charging.cause, Cause::current_sign);
  EXPECT_EQ(charging.bound, -kTolerance_A);
  charge(-2.0);
  EXPECT_FALSE(held(reading(kTolerance_A, Regulation::voltage)).violated());
  const Verdict discharging = held(reading(above(kTolerance_A), Regulation::voltage));
  EXPECT_EQ(discharging.cause, Cause::current_sign);
  EXPECT_EQ(discharging.bound, kTolerance_A);
}

TEST_F(Plausibility, WithoutToleranceTheSignIsJudgedBeyondTheNoise) {
  use_table(base::kAbsent);
  charge(2.0);
  EXPECT_FALSE(held(reading(-kNoise_A)).violated());
  EXPECT_EQ(held(reading(below(-kNoise_A))).cause, Cause::current_sign);
}

TEST_F(Plausibility, PowerHasASignAndResistanceOnlyDischarges) {
  judge_conform_A = 1.0;
  command({.control = Control::power, .power_W = 5.0, .current_max_A = 3.0, .current_min_A = -3.0});
  EXPECT_FALSE(held(reading(1.0, Regulation::power)).violated());
  EXPECT_EQ(held(reading(-1.0, Regulation::power)).cause, Cause::current_sign);
  judge_conform_A = -1.0;
  command({.control = Control::power, .power_W = -5.0, .current_max_A = 3.0, .current_min_A = -3.0});
  EXPECT_EQ(held(reading(1.0, Regulation::power)).cause, Cause::current_sign);
  command({.control = Control::resistance, .resistance_Ohm = 2.0, .current_min_A = -3.0});
  EXPECT_FALSE(held(reading(-1.0, Regulation::resistance)).violated());
  EXPECT_EQ(held(reading(1.0, Regulation::resistance)).cause, Cause::current_sign);
  EXPECT_EQ(held(reading(below(-3.0 - kTolerance_A))).cause, Cause::current_deviation);
}

TEST_F(Plausibility, HoldAtAVoltageMayGoBothWaysWithinItsClamps) {
  command({.control = Control::voltage, .voltage_V = 4.0, .current_max_A = 3.0, .current_min_A = -1.0});
  EXPECT_FALSE(held(reading(3.0 + kTolerance_A, Regulation::voltage)).violated());
  EXPECT_FALSE(held(reading(-1.0 - kTolerance_A, Regulation::voltage)).violated());
  EXPECT_EQ(held(reading(above(3.0 + kTolerance_A), Regulation::voltage)).cause, Cause::current_deviation);
  EXPECT_EQ(held(reading(below(-1.0 - kTolerance_A), Regulation::voltage)).cause, Cause::current_deviation);
}

TEST_F(Plausibility, AConformingReadingEndsTheDwellANewSetpointDoesNot) {
  charge(2.0);
  EXPECT_FALSE(at(reading(1.0), 0).violated());
  charge(3.0);
  EXPECT_FALSE(at(reading(1.0), 1000).violated());
  EXPECT_EQ(at(reading(1.0), 2000).cause, Cause::current_deviation);
  EXPECT_FALSE(at(reading(3.0), 2100).violated());
  EXPECT_FALSE(at(reading(1.0), 2200).violated());
  EXPECT_FALSE(at(reading(1.0), 4199).violated());
  EXPECT_EQ(at(reading(1.0), 4200).cause, Cause::current_deviation);
}

TEST_F(Plausibility, RestForgetsARunningDeviation) {
  charge(2.0);
  EXPECT_FALSE(at(reading(1.0), 0).violated());
  judge.commanded_off();
  base::Reading off = reading(0.0, Regulation::off);
  off.output_on = 0;
  EXPECT_FALSE(at(off, 1000).violated());
  charge(2.0);
  EXPECT_FALSE(at(reading(1.0), 2500).violated());
}

TEST_F(Plausibility, OutputThatIsOnWhileCommandedOffTripsAfterItsDwell) {
  const base::Reading on = reading(0.0);
  EXPECT_FALSE(at(on, 0).violated());
  EXPECT_FALSE(at(on, 499).violated());
  const Verdict v = at(on, 500);
  EXPECT_EQ(v.cause, Cause::output_mismatch);
  EXPECT_EQ(v.value, 1.0);
  EXPECT_EQ(v.bound, 0.0);
}

TEST_F(Plausibility, OutputThatIsOffWhileCommandedOnTripsAfterItsDwell) {
  charge(2.0);
  base::Reading off = reading(2.0);
  off.output_on = 0;
  EXPECT_FALSE(at(off, 0).violated());
  EXPECT_FALSE(at(off, 499).violated());
  const Verdict v = at(off, 500);
  EXPECT_EQ(v.cause, Cause::output_mismatch);
  EXPECT_EQ(v.value, 0.0);
  EXPECT_EQ(v.bound, 1.0);
}

TEST_F(Plausibility, OutputThatFollowsInTimeDoesNotTrip) {
  charge(2.0);
  base::Reading off = reading(0.0, Regulation::off);
  off.output_on = 0;
  EXPECT_FALSE(at(off, 0).violated());
  EXPECT_FALSE(at(reading(2.0), 100).violated());
  EXPECT_FALSE(at(off, 200).violated());
  EXPECT_FALSE(at(off, 699).violated());
  EXPECT_EQ(at(off, 700).cause, Cause::output_mismatch);
}

TEST_F(Plausibility, CurrentThroughAnOpenOutputIsAStuckRelay) {
  for (const double tolerance_A : {kTolerance_A, base::kAbsent}) {
    use_table(tolerance_A);
    const double bound = std::isnan(tolerance_A) ? kNoise_A : tolerance_A;
    for (const double sign : {1.0, -1.0}) {
      base::Reading r = reading(sign * bound, Regulation::off);
      r.output_on = 0;
      EXPECT_FALSE(at(r, start_ms += 10'000).violated());
      EXPECT_FALSE(at(r, start_ms += 1000).violated());
      r.current_A = sign * above(bound);
      EXPECT_FALSE(at(r, start_ms += 1000).violated());
      const Verdict v = at(r, start_ms += 500);
      EXPECT_EQ(v.cause, Cause::output_mismatch);
      EXPECT_EQ(v.bound, bound);
      r.current_A = 0.0;
      EXPECT_FALSE(at(r, start_ms += 500).violated());
    }
  }
}

TEST_F(Plausibility, AlarmTripsAtOnceEvenAtRest) {
  base::Reading r = reading(0.0, Regulation::off);
  r.output_on = 0;
  r.alarm = 1;
  r.status = 0x42;
  const Verdict v = at(r, 0);
  EXPECT_EQ(v.cause, Cause::device_alarm);
  EXPECT_EQ(v.value, 66.0);
}

TEST_F(Plausibility, CyclerThatIsNoLongerRemoteTripsAtOnce) {
  charge(2.0);
  base::Reading r = reading(2.0);
  EXPECT_FALSE(at(r, 0).violated());
  r.remote = 0;
  EXPECT_EQ(at(r, 1).cause, Cause::foreign_control);
}

TEST_F(Plausibility, FlaggedReadingSaysNothingOfStateEither) {
  charge(2.0);
  base::Reading r = reading(2.0);
  r.flags = base::flag::kInvalid;
  r.alarm = 1;
  r.remote = 0;
  EXPECT_FALSE(at(r, 0).violated());
}

TEST_F(Plausibility, SameBitsMayRepeatAsOftenAsAllowedWhileEnergised) {
  table.frozen_count = 3;
  use_table(kTolerance_A);
  charge(2.0);
  EXPECT_FALSE(at(reading(2.0), 0).violated());
  EXPECT_FALSE(at(reading(2.0), 100).violated());
  EXPECT_FALSE(at(reading(2.0), 200).violated()) << "three in a row are allowed";
  const Verdict v = at(reading(2.0), 300);
  EXPECT_EQ(v.cause, Cause::frozen_value);
  EXPECT_EQ(v.value, 4.0);
  EXPECT_EQ(v.bound, 3.0);
  base::Reading moved = reading(2.0);
  moved.voltage_V = std::nextafter(moved.voltage_V, 5.0);
  EXPECT_FALSE(at(moved, 400).violated()) << "one bit is enough";
  EXPECT_FALSE(at(moved, 500).violated());
  EXPECT_FALSE(at(moved, 600).violated());
  EXPECT_EQ(at(moved, 700).cause, Cause::frozen_value);
  moved.current_A = above(2.0);
  EXPECT_FALSE(at(moved, 800).violated()) << "of the current as well";
}

TEST_F(Plausibility, FrozenValuesAreNotCountedAtRest) {
  table.frozen_count = 3;
  use_table(kTolerance_A);
  base::Reading r = reading(0.0, Regulation::off);
  r.output_on = 0;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(at(r, i * 100).violated());
}

TEST_F(Plausibility, FrozenValuesAreNotJudgedWithoutACount) {
  charge(2.0);
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(at(reading(2.0), i * 100).violated());
}

class ChamberPlausibility : public testing::Test {
 protected:
  Verdict at(double setpoint_degC, std::int64_t ms) {
    base::Reading r;
    r.sent = r.received = MonoTime{ms * 1000};
    r.chamber_degC = 25.0;
    r.chamber_setpoint_degC = setpoint_degC;
    return judge.judge(r, false);
  }
  Judge judge{DeviceKind::chamber, seconds(1), 0.0};
};

TEST_F(ChamberPlausibility, SetpointThatWasTakenAndThenChangedIsForeignControl) {
  judge.commanded(base::ChamberSetpoint{.run = 1, .temperature_degC = 40.0});
  EXPECT_FALSE(at(40.0, 0).violated());
  EXPECT_FALSE(at(40.5, 1000).violated()) << "at the tolerance";
  EXPECT_FALSE(at(60.0, 2000).violated());
  EXPECT_FALSE(at(60.0, 2499).violated());
  const Verdict v = at(60.0, 2500);
  EXPECT_EQ(v.cause, Cause::foreign_control);
  EXPECT_EQ(v.value, 60.0);
  EXPECT_EQ(v.bound, 40.0);
}

TEST_F(ChamberPlausibility, SetpointThatRampsTowardsTheWishIsNoForeignControl) {
  judge.commanded(base::ChamberSetpoint{.run = 1, .temperature_degC = 40.0, .ramp_K_per_min = 1.0});
  for (int s = 0; s < 15; ++s) EXPECT_FALSE(at(25.0 + s, s * 1000).violated());
  EXPECT_FALSE(at(40.0, 15'000).violated());
  EXPECT_FALSE(at(30.0, 16'000).violated());
  EXPECT_EQ(at(30.0, 17'000).cause, Cause::foreign_control);
}

TEST_F(ChamberPlausibility, ANewWishMustBeTakenFirst) {
  judge.commanded(base::ChamberSetpoint{.run = 1, .temperature_degC = 40.0});
  EXPECT_FALSE(at(40.0, 0).violated());
  judge.commanded(base::ChamberSetpoint{.run = 1, .temperature_degC = 10.0});
  EXPECT_FALSE(at(40.0, 1000).violated());
  EXPECT_FALSE(at(40.0, 9000).violated());
}

TEST_F(ChamberPlausibility, StoppedChamberIsFree) {
  judge.commanded(base::ChamberSetpoint{.run = 1, .temperature_degC = 40.0});
  EXPECT_FALSE(at(40.0, 0).violated());
  judge.commanded_off();
  EXPECT_FALSE(at(25.0, 500).violated());
  EXPECT_FALSE(at(80.0, 1000).violated());
  EXPECT_FALSE(at(80.0, 9000).violated());
}

TEST_F(ChamberPlausibility, SetpointThatIsNotReadBackAgreesWithNothing) {
  judge.commanded(base::ChamberSetpoint{.run = 1, .temperature_degC = 40.0});
  EXPECT_FALSE(at(base::kAbsent, 0).violated());
  EXPECT_FALSE(at(30.0, 1000).violated());
  EXPECT_FALSE(at(30.0, 9000).violated());
}

TEST_F(ChamberPlausibility, RemoteFlagOfAChamberIsNotJudged) {
  base::Reading r;
  r.chamber_degC = 25.0;
  r.remote = 0;
  EXPECT_FALSE(judge.judge(r, true).violated());
}

}  // namespace
}  // namespace cyclerd::safety
