#include "daemon/app/watch.hpp"

#include <gtest/gtest.h>

namespace cyclerd::app {
namespace {

using base::MonoTime;
using base::WallTime;

constexpr std::int64_t kOffset_us = 1'700'000'000'000'000;

TEST(ClockAnchor, AtTheStartThenEachMinute) {
  ClockAnchor anchor;
  EXPECT_TRUE(anchor.look(MonoTime{0}, WallTime{kOffset_us}).due);
  EXPECT_FALSE(anchor.look(MonoTime{59'999'999}, WallTime{kOffset_us + 59'999'999}).due);
  const auto due = anchor.look(MonoTime{60'000'000}, WallTime{kOffset_us + 60'000'000});
  EXPECT_TRUE(due.due);
  EXPECT_EQ(due.step.us, 0);
  EXPECT_FALSE(anchor.look(MonoTime{60'000'001}, WallTime{kOffset_us + 60'000'001}).due);
}

TEST(ClockAnchor, AStepOfMoreThanFiftyMillisecondsIsSeenInBothDirections) {
  for (const int sign : {1, -1}) {
    ClockAnchor anchor;
    (void)anchor.look(MonoTime{0}, WallTime{kOffset_us});
    EXPECT_FALSE(anchor.look(MonoTime{10}, WallTime{kOffset_us + 10 + sign * 50'000}).due) << "just at the bound";
    const auto due = anchor.look(MonoTime{20}, WallTime{kOffset_us + 20 + sign * (50'000 + 50'001)});
    EXPECT_TRUE(due.due);
    EXPECT_EQ(due.step.us, sign * 50'001);
  }
}

TEST(ClockAnchor, SlewingIsNoStep) {
  ClockAnchor anchor;
  (void)anchor.look(MonoTime{0}, WallTime{kOffset_us});
  std::int64_t slewed_us = 0;
  for (std::int64_t i = 1; i < 1000; ++i) {
    slewed_us += 25;  // 500 ppm of 50 ms
    EXPECT_EQ(anchor.look(MonoTime{i * 50'000}, WallTime{kOffset_us + i * 50'000 + slewed_us}).step.us, 0);
  }
}

TEST(UnreachableLimits, AreTheOnesBeyondTheInstrumentsRange) {
  device::Capability cycler;
  cycler.voltage_min_V = 0.0;
  cycler.voltage_max_V = 20.0;
  cycler.current_min_A = -40.0;
  cycler.current_max_A = 40.0;
  profiles::SafetyLimits limits;
  EXPECT_EQ(unreachable_limits(limits, cycler), "") << "no limits at all";
  limits.voltage = {0.0, 20.0, {}};
  limits.current = {-40.0, 39.9, {}};
  EXPECT_EQ(unreachable_limits(limits, cycler), "") << "at the edge";
  limits.voltage.max = 20.1;
  EXPECT_EQ(unreachable_limits(limits, cycler), "the voltage limit 20.1 V is outside the cycler's range 0 to 20 V");
  limits.current.min = -40.1;
  EXPECT_NE(unreachable_limits(limits, cycler).find("current limit -40.1 A"), std::string::npos);
}

}  // namespace
}  // namespace cyclerd::app
