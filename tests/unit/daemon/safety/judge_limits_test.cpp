// Every limit of the table, just inside, at and just beyond its bound and its dwell: generated from the table itself.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/safety/judge.hpp"

namespace cyclerd::safety {
namespace {

using base::milliseconds;
using base::MonoTime;
using base::seconds;
using device::DeviceKind;

struct Case {
  CauseInfo info;
  double bound;
  DeviceKind kind;
  double inside;
  double beyond;
};

double bound_of(const CauseInfo& info) {
  const bool upper = info.side == Side::upper;
  switch (info.quantity) {
    case Quantity::voltage: return upper ? 4.2 : 2.5;
    case Quantity::current: return upper ? 5.0 : -7.3;
    case Quantity::power: return upper ? 21.0 : -30.66;
    case Quantity::temperature: return upper ? 55.0 : -10.0;
    case Quantity::chamber: return upper ? 60.0 : -20.0;
    default: return 1000.0;
  }
}

std::vector<Case> table_cases() {
  std::vector<Case> cases;
  for (const CauseInfo& info : causes()) {
    if (info.side == Side::none || info.quantity == Quantity::capacity) continue;
    const double infinity = std::numeric_limits<double>::infinity();
    const double out = info.side == Side::upper ? infinity : -infinity;
    const double bound = bound_of(info);
    const DeviceKind kind = info.quantity == Quantity::chamber       ? DeviceKind::chamber
                            : info.quantity == Quantity::temperature ? DeviceKind::sensor
                                                                     : DeviceKind::cycler;
    cases.push_back({info, bound, kind, std::nextafter(bound, -out), std::nextafter(bound, out)});
  }
  return cases;
}

base::Reading reading_of(const Case& c, double value, MonoTime at) {
  base::Reading r;
  r.sent = r.received = at;
  if (c.kind == DeviceKind::cycler) {
    r.voltage_V = 3.7;
    r.current_A = 0.0;
    r.power_W = 0.0;
  }
  switch (c.info.quantity) {
    case Quantity::voltage: r.voltage_V = value; break;
    case Quantity::current: r.current_A = value; break;
    case Quantity::power: r.power_W = value; break;
    case Quantity::temperature: r.temperature_degC = value; break;
    default: r.chamber_degC = value; break;
  }
  return r;
}

Judge judge_of(const Case& c, base::Duration dwell) {
  LimitTable table;
  table.tighten(c.info.cause, c.bound, dwell);
  Judge judge(c.kind, milliseconds(100), 1e6);  // noise so large that nothing else is judged of the current
  judge.set_limits(table);
  judge.restart({});
  return judge;
}

class EveryLimit : public testing::TestWithParam<Case> {};

TEST_P(EveryLimit, HoldsJustInsideAndAtTheBoundAndTripsJustBeyond) {
  const Case& c = GetParam();
  Judge judge = judge_of(c, {});
  EXPECT_FALSE(judge.judge(reading_of(c, c.inside, MonoTime{1000}), true).violated());
  EXPECT_FALSE(judge.judge(reading_of(c, c.bound, MonoTime{2000}), true).violated());
  const Verdict v = judge.judge(reading_of(c, c.beyond, MonoTime{3000}), true);
  EXPECT_EQ(v.cause, c.info.cause);
  EXPECT_EQ(v.value, c.beyond);
  EXPECT_EQ(v.bound, c.bound);
}

TEST_P(EveryLimit, TripsWithoutAnythingEnergised) {
  const Case& c = GetParam();
  Judge judge = judge_of(c, {});
  EXPECT_EQ(judge.judge(reading_of(c, c.beyond, MonoTime{1000}), false).cause, c.info.cause);
}

TEST_P(EveryLimit, TripsWhenTheDwellIsReachedNotJustBefore) {
  const Case& c = GetParam();
  Judge judge = judge_of(c, seconds(2));
  EXPECT_FALSE(judge.judge(reading_of(c, c.beyond, MonoTime{1'000'000}), false).violated());
  EXPECT_FALSE(judge.judge(reading_of(c, c.beyond, MonoTime{2'999'999}), false).violated());
  EXPECT_EQ(judge.judge(reading_of(c, c.beyond, MonoTime{3'000'000}), false).cause, c.info.cause);
}

TEST_P(EveryLimit, ReturnToTheBoundRestartsTheDwell) {
  const Case& c = GetParam();
  Judge judge = judge_of(c, seconds(2));
  EXPECT_FALSE(judge.judge(reading_of(c, c.beyond, MonoTime{1'000'000}), false).violated());
  EXPECT_FALSE(judge.judge(reading_of(c, c.bound, MonoTime{2'000'000}), false).violated());
  EXPECT_FALSE(judge.judge(reading_of(c, c.beyond, MonoTime{3'000'000}), false).violated());
  EXPECT_FALSE(judge.judge(reading_of(c, c.beyond, MonoTime{4'999'999}), false).violated());
  EXPECT_EQ(judge.judge(reading_of(c, c.beyond, MonoTime{5'000'000}), false).cause, c.info.cause);
}

TEST_P(EveryLimit, MissingDataDoesNotEndADwell) {
  const Case& c = GetParam();
  for (const bool flagged : {false, true}) {
    Judge judge = judge_of(c, seconds(2));
    EXPECT_FALSE(judge.judge(reading_of(c, c.beyond, MonoTime{1'000'000}), false).violated());
    base::Reading gap = reading_of(c, flagged ? c.inside : base::kAbsent, MonoTime{2'000'000});
    if (flagged) gap.flags = base::flag::kInvalid;
    if (c.info.quantity == Quantity::power && !flagged) gap.voltage_V = base::kAbsent;  // else it is computed
    EXPECT_FALSE(judge.judge(gap, false).violated());
    EXPECT_EQ(judge.judge(reading_of(c, c.beyond, MonoTime{3'000'000}), false).cause, c.info.cause);
  }
}

TEST_P(EveryLimit, DataThatIsFlaggedOrNotFiniteProvesNothing) {
  const Case& c = GetParam();
  Judge judge = judge_of(c, {});
  for (const std::uint32_t flag : {base::flag::kInvalid, base::flag::kStale}) {
    base::Reading r = reading_of(c, c.beyond, MonoTime{1000});
    r.flags = flag;
    EXPECT_FALSE(judge.judge(r, false).violated());
  }
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double value : {infinity, -infinity, base::kAbsent}) {
    EXPECT_FALSE(judge.judge(reading_of(c, value, MonoTime{1000}), false).violated());
  }
}

TEST_P(EveryLimit, TheOtherDirectionIsFree) {
  const Case& c = GetParam();
  Judge judge = judge_of(c, {});
  const double far = c.info.side == Side::upper ? -1e6 : 1e6;
  EXPECT_FALSE(judge.judge(reading_of(c, far, MonoTime{1000}), false).violated());
}

INSTANTIATE_TEST_SUITE_P(Table, EveryLimit, testing::ValuesIn(table_cases()),
                         [](const auto& suite) { return std::string{suite.param.info.name}; });

TEST(JudgeLimits, EveryRowOfTheTableIsGenerated) {
  EXPECT_EQ(table_cases().size(), 10U);
}

TEST(JudgeLimits, WideRowAtOnceAndTightRowWithDwellWorkTogether) {
  LimitTable table;
  table.tighten(Cause::voltage_high, 4.3, {});
  table.tighten(Cause::voltage_high, 4.2, seconds(2));
  Judge judge(DeviceKind::cycler, milliseconds(100), 1.0);
  judge.set_limits(table);
  const auto at = [&](double voltage_V, std::int64_t us) {
    base::Reading r;
    r.sent = r.received = {us};
    r.voltage_V = voltage_V;
    r.current_A = 0.0;
    return judge.judge(r, false);
  };
  EXPECT_FALSE(at(4.25, 0).violated());
  EXPECT_EQ(at(4.31, 1000).bound, 4.3);
  EXPECT_EQ(at(4.25, 2'000'000).bound, 4.2);
}

TEST(JudgeLimits, PowerIsComputedWhereTheInstrumentDoesNotMeasureIt) {
  LimitTable table;
  table.tighten(Cause::power_high, 8.0, {});
  Judge judge(DeviceKind::cycler, milliseconds(100), 10.0);
  judge.set_limits(table);
  base::Reading r;
  r.voltage_V = 4.0;
  r.current_A = 2.0;
  EXPECT_FALSE(judge.judge(r, false).violated());
  r.current_A = 2.5;
  const Verdict v = judge.judge(r, false);
  EXPECT_EQ(v.cause, Cause::power_high);
  EXPECT_EQ(v.value, 10.0);
  r.power_W = 7.0;
  EXPECT_FALSE(judge.judge(r, false).violated()) << "its own measurement counts where there is one";
}

// A hot cell is hot, even when the same reading has no voltage.
TEST(JudgeLimits, OneMissingValueDoesNotHideAnother) {
  LimitTable table;
  table.tighten(Cause::temperature_high, 55.0, {});
  Judge judge(DeviceKind::cycler, milliseconds(100), 1.0);
  judge.set_limits(table);
  base::Reading r;
  r.temperature_degC = 80.0;
  EXPECT_EQ(judge.judge(r, false).cause, Cause::temperature_high);
  EXPECT_FALSE(judge.believable(r));
}

class StepCapacity : public testing::Test {
 protected:
  // A current held from 0 to `until_s`, sampled each second.
  Verdict run(Judge& judge, double current_A, int from_s, int until_s) {
    Verdict v;
    for (int s = from_s; s <= until_s; ++s) {
      base::Reading r;
      r.sent = r.received = MonoTime{s * 1'000'000LL};
      r.voltage_V = 3.7;
      r.current_A = current_A;
      v = judge.judge(r, false);
      if (v.violated()) return v;
    }
    return v;
  }
  Judge judge_with(double bound_C) {
    LimitTable table;
    table.tighten(Cause::capacity_high, bound_C, {});
    table.output_dwell = base::hours(1);  // not the subject here
    Judge judge(DeviceKind::cycler, seconds(1), 1e6);
    judge.set_limits(table);
    return judge;
  }
};

TEST_F(StepCapacity, HoldsJustInsideAndAtTheBoundAndTripsJustBeyond) {
  Judge counter = judge_with(1e9);
  EXPECT_FALSE(run(counter, 2.0, 0, 100).violated());
  const double moved_C = counter.step_capacity_C();
  EXPECT_NEAR(moved_C, 200.0, 1e-9);

  Judge above = judge_with(std::nextafter(moved_C, 1e9));
  EXPECT_FALSE(run(above, 2.0, 0, 100).violated());
  Judge at = judge_with(moved_C);
  EXPECT_FALSE(run(at, 2.0, 0, 100).violated());
  Judge below = judge_with(std::nextafter(moved_C, 0.0));
  const Verdict v = run(below, 2.0, 0, 100);
  EXPECT_EQ(v.cause, Cause::capacity_high);
  EXPECT_EQ(v.value, moved_C);
}

TEST_F(StepCapacity, BothDirectionsAddUp) {
  Judge judge = judge_with(1e9);
  run(judge, 2.0, 0, 10);
  run(judge, -2.0, 10, 20);
  EXPECT_NEAR(judge.step_capacity_C(), 40.0, 1e-9);
}

TEST_F(StepCapacity, StartsAnewWithAStepAndWithATableNotWithASetpointOfTheSameStep) {
  Judge judge = judge_with(1e9);
  base::Setpoint charge{.control = base::Control::current, .current_A = 2.0};
  judge.commanded(charge, 1);
  run(judge, 2.0, 0, 10);
  judge.commanded(charge, 1);
  EXPECT_NEAR(judge.step_capacity_C(), 20.0, 1e-9);
  judge.commanded(charge, 2);
  EXPECT_EQ(judge.step_capacity_C(), 0.0);
  run(judge, 2.0, 11, 12);
  EXPECT_NEAR(judge.step_capacity_C(), 4.0, 1e-9) << "goes on from the last sample of the step before";
  judge.set_limits(LimitTable{});
  EXPECT_EQ(judge.step_capacity_C(), 0.0);
}

TEST_F(StepCapacity, CountsFromTheFirstCurrentWheneverItComesAndNeverBackwards) {
  Judge judge = judge_with(1e9);
  run(judge, 2.0, 100, 101);
  EXPECT_NEAR(judge.step_capacity_C(), 2.0, 1e-9);
  run(judge, 2.0, 50, 50);
  EXPECT_NEAR(judge.step_capacity_C(), 2.0, 1e-9);
}

TEST_F(StepCapacity, RampIsIntegratedByTrapezes) {
  Judge judge = judge_with(1e9);
  run(judge, 0.0, 0, 0);
  run(judge, 4.0, 1, 1);
  EXPECT_DOUBLE_EQ(judge.step_capacity_C(), 2.0);
}

TEST_F(StepCapacity, MissingCurrentIsBridged) {
  Judge judge = judge_with(1e9);
  run(judge, 2.0, 0, 1);
  run(judge, base::kAbsent, 2, 3);
  run(judge, 2.0, 4, 4);
  EXPECT_NEAR(judge.step_capacity_C(), 8.0, 1e-9);
}

TEST_F(StepCapacity, RepeatedMomentCountsOnce) {
  Judge judge = judge_with(1e9);
  run(judge, 2.0, 0, 1);
  run(judge, 2.0, 1, 1);
  EXPECT_NEAR(judge.step_capacity_C(), 2.0, 1e-9);
}

}  // namespace
}  // namespace cyclerd::safety
