#include <limits>

#include <gtest/gtest.h>

#include "daemon/safety/judge.hpp"

namespace cyclerd::safety {
namespace {

using base::milliseconds;
using base::MonoTime;
using base::seconds;
using device::DeviceKind;

constexpr MonoTime kStart{10'000'000};

Judge judge_of(DeviceKind kind, base::Duration period, const LimitTable& table = {}) {
  Judge judge(kind, period, 1.0);
  judge.set_limits(table);
  judge.restart(kStart);
  return judge;
}

base::Reading reading(MonoTime at) {
  base::Reading r;
  r.sent = r.received = at;
  return r;
}

base::Reading cycler_reading(MonoTime at) {
  base::Reading r = reading(at);
  r.voltage_V = 3.7;
  r.current_A = 0.0;
  return r;
}

struct AgeCase {
  DeviceKind kind;
  base::Duration period;
  base::Duration allowed;
  Cause cause;
};

class EveryAge : public testing::TestWithParam<AgeCase> {};

TEST_P(EveryAge, IsAllowedUpToItsBoundAndTripsJustBeyond) {
  const AgeCase& c = GetParam();
  LimitTable table;
  table.tighten(Cause::chamber_high, 1000.0, {});
  const Judge judge = judge_of(c.kind, c.period, table);
  EXPECT_FALSE(judge.check_age(kStart + c.allowed - base::microseconds(1), true).violated());
  EXPECT_FALSE(judge.check_age(kStart + c.allowed, true).violated());
  const Verdict v = judge.check_age(kStart + c.allowed + base::microseconds(1), true);
  EXPECT_EQ(v.cause, c.cause);
  EXPECT_DOUBLE_EQ(v.bound, c.allowed.seconds());
  EXPECT_DOUBLE_EQ(v.value, c.allowed.seconds() + 1e-6);
}

TEST_P(EveryAge, IsNotJudgedWhileNothingIsEnergised) {
  const AgeCase& c = GetParam();
  EXPECT_FALSE(judge_of(c.kind, c.period).check_age(kStart + base::hours(1000), false).violated());
}

INSTANTIATE_TEST_SUITE_P(
    Table, EveryAge,
    testing::Values(AgeCase{DeviceKind::cycler, milliseconds(100), milliseconds(500), Cause::stale_cycler},
                    AgeCase{DeviceKind::cycler, milliseconds(166), milliseconds(500), Cause::stale_cycler},
                    AgeCase{DeviceKind::cycler, milliseconds(167), milliseconds(501), Cause::stale_cycler},
                    AgeCase{DeviceKind::cycler, seconds(1), seconds(3), Cause::stale_cycler},
                    AgeCase{DeviceKind::chamber, seconds(1), seconds(3), Cause::stale_chamber},
                    AgeCase{DeviceKind::chamber, seconds(2), seconds(6), Cause::stale_chamber},
                    AgeCase{DeviceKind::sensor, milliseconds(100), seconds(3), Cause::stale_temperature}));

TEST(JudgeAge, BelievableReadingMakesItYoungAgain) {
  Judge judge = judge_of(DeviceKind::cycler, milliseconds(100));
  judge.commanded_off();
  EXPECT_FALSE(judge.judge(cycler_reading(kStart + milliseconds(400)), true).violated());
  EXPECT_FALSE(judge.check_age(kStart + milliseconds(900), true).violated());
  EXPECT_EQ(judge.check_age(kStart + milliseconds(901), true).cause, Cause::stale_cycler);
}

TEST(JudgeAge, ReadingsWithoutDataDoNotMakeItYoungAgainAndTripByThemselves) {
  const double infinity = std::numeric_limits<double>::infinity();
  std::vector<base::Reading> useless(6, cycler_reading({}));
  useless[0].flags = base::flag::kInvalid;
  useless[1].flags = base::flag::kStale;
  useless[2].voltage_V = base::kAbsent;
  useless[3].current_A = base::kAbsent;
  useless[4].voltage_V = infinity;
  useless[5].current_A = -infinity;
  for (std::size_t i = 0; i < useless.size(); ++i) {
    Judge judge = judge_of(DeviceKind::cycler, milliseconds(100));
    EXPECT_FALSE(judge.believable(useless[i])) << i;
    useless[i].sent = useless[i].received = kStart + milliseconds(400);
    EXPECT_FALSE(judge.judge(useless[i], true).violated()) << i;
    useless[i].sent = useless[i].received = kStart + milliseconds(501);
    EXPECT_EQ(judge.judge(useless[i], true).cause, Cause::stale_cycler) << i;
  }
}

TEST(JudgeAge, RepeatedSampleIsData) {
  Judge judge = judge_of(DeviceKind::cycler, milliseconds(100));
  base::Reading r = cycler_reading(kStart + milliseconds(400));
  r.flags = base::flag::kRepeated;
  EXPECT_TRUE(judge.believable(r));
  EXPECT_FALSE(judge.judge(r, true).violated());
  EXPECT_FALSE(judge.check_age(kStart + milliseconds(900), true).violated());
}

// A cycler with a thermocouple that breaks: voltage and current go on, the temperature must not be forgotten.
TEST(JudgeAge, ValueThatWasOnceDeliveredMustGoOn) {
  Judge judge = judge_of(DeviceKind::cycler, milliseconds(100));
  EXPECT_FALSE(judge.judge(cycler_reading(kStart + seconds(60)), true).violated()) << "no temperature, none expected";
  base::Reading with = cycler_reading(kStart + seconds(61));
  with.temperature_degC = 25.0;
  EXPECT_FALSE(judge.judge(with, true).violated());
  EXPECT_FALSE(judge.judge(cycler_reading(kStart + seconds(64)), true).violated());
  EXPECT_EQ(judge.judge(cycler_reading(kStart + seconds(64) + base::microseconds(1)), true).cause,
            Cause::stale_temperature);
}

// Its loss is the cycle's to weigh (pause or trip) unless a limit depends on it.
TEST(JudgeAge, ChamberIsNeededOnlyByAChamberLimit) {
  const MonoTime late = kStart + seconds(100);
  EXPECT_FALSE(judge_of(DeviceKind::chamber, seconds(1)).check_age(late, true).violated());
  for (const Cause cause : {Cause::chamber_high, Cause::chamber_low}) {
    LimitTable table;
    table.tighten(cause, 50.0, {});
    EXPECT_EQ(judge_of(DeviceKind::chamber, seconds(1), table).check_age(late, true).cause, Cause::stale_chamber);
  }
}

TEST(JudgeAge, OpeningAnewStartsTheAgeAndEveryDwellAnew) {
  LimitTable table;
  table.tighten(Cause::voltage_high, 3.0, seconds(2));
  Judge judge = judge_of(DeviceKind::cycler, milliseconds(100), table);
  EXPECT_FALSE(judge.judge(cycler_reading(kStart), true).violated());
  judge.restart(kStart + seconds(2));
  EXPECT_FALSE(judge.check_age(kStart + seconds(2) + milliseconds(500), true).violated());
  EXPECT_FALSE(judge.judge(cycler_reading(kStart + seconds(2)), true).violated());
  EXPECT_EQ(judge.judge(cycler_reading(kStart + seconds(4)), true).cause, Cause::voltage_high);
}

TEST(JudgeAge, BelievableNeedsWhatTheKindMustDeliver) {
  base::Reading chamber;
  chamber.chamber_degC = 25.0;
  base::Reading sensor;
  sensor.temperature_degC = 25.0;
  EXPECT_TRUE(judge_of(DeviceKind::chamber, seconds(1)).believable(chamber));
  EXPECT_FALSE(judge_of(DeviceKind::chamber, seconds(1)).believable(sensor));
  EXPECT_TRUE(judge_of(DeviceKind::sensor, seconds(1)).believable(sensor));
  EXPECT_FALSE(judge_of(DeviceKind::sensor, seconds(1)).believable(chamber));
  EXPECT_TRUE(judge_of(DeviceKind::cycler, seconds(1)).believable(cycler_reading({})));
}

}  // namespace
}  // namespace cyclerd::safety
