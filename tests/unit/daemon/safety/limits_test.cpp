#include "daemon/safety/limits.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <type_traits>

#include <gtest/gtest.h>

namespace cyclerd::safety {
namespace {

using base::milliseconds;
using base::seconds;

static_assert(std::is_trivially_copyable_v<LimitTable>, "goes through a ring");

TEST(Causes, StandInTheOrderOfTheirNumbersWithDifferentNames) {
  std::set<std::string_view> names;
  ASSERT_EQ(causes().size(), kCauseCount);
  for (std::uint32_t i = 0; i < kCauseCount; ++i) {
    const CauseInfo& info = causes()[i];
    EXPECT_EQ(static_cast<std::uint32_t>(info.cause), i);
    EXPECT_EQ(to_string(info.cause), info.name);
    EXPECT_FALSE(info.text.empty()) << info.name;
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(info.side != Side::none, i >= 1 && i <= 11) << info.name;
    EXPECT_TRUE(info.side == Side::none || !info.unit.empty()) << info.name;
  }
}

// The numbers are in records that must be readable for ten years.
TEST(Causes, KeepTheirNumbers) {
  EXPECT_EQ(static_cast<int>(Cause::voltage_high), 1);
  EXPECT_EQ(static_cast<int>(Cause::capacity_high), 11);
  EXPECT_EQ(static_cast<int>(Cause::stale_cycler), 12);
  EXPECT_EQ(static_cast<int>(Cause::device_lost), 20 + 1);
  EXPECT_EQ(static_cast<int>(Cause::self_check), 25);
  EXPECT_EQ(to_string(Cause::discharge_current_high), "discharge_current_high");
}

TEST(Causes, UnknownNumberIsNone) {
  EXPECT_EQ(to_string(static_cast<Cause>(kCauseCount)), "none");
}

TEST(Tighten, KeepsTheTighterBoundOfEachSide) {
  for (const CauseInfo& info : causes()) {
    if (info.side == Side::none) continue;
    const double tight = info.side == Side::upper ? 1.0 : -1.0;
    const double wide = 2.0 * tight;
    for (const bool tight_first : {true, false}) {
      LimitTable table;
      table.tighten(info.cause, tight_first ? tight : wide, seconds(1));
      table.tighten(info.cause, tight_first ? wide : tight, seconds(1));
      ASSERT_EQ(table.count, 1U) << info.name;
      EXPECT_EQ(table.limits[0].bound, tight) << info.name;
      EXPECT_EQ(table.bound(info.cause), tight) << info.name;
    }
  }
}

TEST(Tighten, EqualBoundTakesTheShorterDwell) {
  for (const auto& [first, second] : {std::pair{seconds(1), seconds(2)}, std::pair{seconds(2), seconds(1)}}) {
    LimitTable table;
    table.tighten(Cause::voltage_high, 4.2, first);
    table.tighten(Cause::voltage_high, 4.2, second);
    ASSERT_EQ(table.count, 1U);
    EXPECT_EQ(table.limits[0].dwell, seconds(1));
  }
}

TEST(Tighten, TightBoundWithLongDwellDoesNotReplaceAWideOneThatActsAtOnce) {
  for (const bool wide_first : {true, false}) {
    LimitTable table;
    if (wide_first) table.tighten(Cause::voltage_high, 4.3, {});
    table.tighten(Cause::voltage_high, 4.2, seconds(2));
    if (!wide_first) table.tighten(Cause::voltage_high, 4.3, {});
    ASSERT_EQ(table.count, 2U);
    EXPECT_EQ(table.bound(Cause::voltage_high), 4.2);
    table.tighten(Cause::voltage_high, 4.2, {});  // stricter than both
    ASSERT_EQ(table.count, 1U);
    EXPECT_EQ(table.limits[0].bound, 4.2);
    EXPECT_EQ(table.limits[0].dwell, base::Duration{});
  }
}

TEST(Tighten, MoreLayersThanRowsCollapseToTheStrictest) {
  LimitTable table;
  for (int i = 0; i <= static_cast<int>(LimitTable::kRowsPerCause); ++i) {
    table.tighten(Cause::voltage_low, 2.0 + 0.1 * i, milliseconds(100 * (i + 1)));
  }
  ASSERT_EQ(table.count, 1U);
  EXPECT_EQ(table.limits[0].bound, 2.0 + 0.1 * LimitTable::kRowsPerCause);
  EXPECT_EQ(table.limits[0].dwell, milliseconds(100));
}

TEST(Tighten, TableHoldsEveryCauseInEveryLayer) {
  LimitTable table;
  for (std::uint32_t layer = 0; layer < LimitTable::kRowsPerCause; ++layer) {
    for (const CauseInfo& info : causes()) {
      const double tighter = info.side == Side::upper ? -1.0 * layer : 1.0 * layer;
      table.tighten(info.cause, tighter, seconds(layer));
    }
  }
  EXPECT_EQ(table.count, LimitTable::kMax);
}

TEST(Tighten, AbsentBoundAndCauseWithoutSideChangeNothing) {
  LimitTable table;
  table.tighten(Cause::voltage_high, base::kAbsent, {});
  table.tighten(Cause::device_lost, 1.0, {});
  EXPECT_EQ(table.count, 0U);
  EXPECT_TRUE(std::isnan(table.bound(Cause::voltage_high)));
}

TEST(Merge, FillsEveryRowWithItsOwnBoundAndDwell) {
  profiles::SafetyLimits layer;
  layer.voltage = {2.5, 4.2, seconds(1)};
  layer.current = {-6.0, 3.0, seconds(2)};
  layer.power = {-20.0, 12.0, seconds(3)};
  layer.temperature = {0.0, 55.0, seconds(4)};
  layer.chamber = {-10.0, 60.0, seconds(5)};
  layer.capacity = {base::kAbsent, 18'000.0, seconds(6)};
  layer.sensor_loss = seconds(2);
  LimitTable table;
  merge(table, layer);
  EXPECT_EQ(table.count, 11U);
  const std::pair<Cause, double> expected[] = {{Cause::voltage_high, 4.2},        {Cause::voltage_low, 2.5},
                                               {Cause::charge_current_high, 3.0}, {Cause::discharge_current_high, -6.0},
                                               {Cause::power_high, 12.0},         {Cause::power_low, -20.0},
                                               {Cause::temperature_high, 55.0},   {Cause::temperature_low, 0.0},
                                               {Cause::chamber_high, 60.0},       {Cause::chamber_low, -10.0},
                                               {Cause::capacity_high, 18'000.0}};
  for (const auto& [cause, bound] : expected) EXPECT_EQ(table.bound(cause), bound) << to_string(cause);
  for (std::uint32_t i = 0; i < table.count; ++i) {
    EXPECT_EQ(table.limits[i].dwell, seconds(table.limits[i].cause == Cause::capacity_high ? 6 : 1 + i / 2));
  }
  EXPECT_EQ(table.sensor_loss, seconds(2));
}

TEST(Merge, MaximumAloneLimitsCurrentAndPowerInBothDirections) {
  profiles::SafetyLimits layer;
  layer.current.max = 6.0;
  layer.power.max = 25.0;
  layer.voltage.max = 4.2;
  LimitTable table;
  merge(table, layer);
  EXPECT_EQ(table.bound(Cause::charge_current_high), 6.0);
  EXPECT_EQ(table.bound(Cause::discharge_current_high), -6.0);
  EXPECT_EQ(table.bound(Cause::power_high), 25.0);
  EXPECT_EQ(table.bound(Cause::power_low), -25.0);
  EXPECT_TRUE(std::isnan(table.bound(Cause::voltage_low)));
}

TEST(Merge, TightestOfThreeLayersWinsInAnyOrder) {
  profiles::SafetyLimits layers[3];
  layers[0].voltage = {2.0, 4.5, {}};
  layers[1].voltage = {2.5, 4.3, {}};
  layers[2].voltage = {2.4, 4.25, {}};
  layers[1].sensor_loss = seconds(1);
  int order[3] = {0, 1, 2};
  do {
    LimitTable table;
    for (const int i : order) merge(table, layers[i]);
    EXPECT_EQ(table.bound(Cause::voltage_high), 4.25);
    EXPECT_EQ(table.bound(Cause::voltage_low), 2.5);
    EXPECT_EQ(table.sensor_loss, seconds(1));
    EXPECT_EQ(table.count, 2U);
  } while (std::next_permutation(order, order + 3));
}

TEST(Merge, EmptyLayerLimitsNothing) {
  LimitTable table;
  merge(table, {});
  EXPECT_EQ(table.count, 0U);
}

TEST(Beyond, IsFalseAtTheBoundAndWithoutData) {
  const double up = std::nextafter(1.0, 2.0);
  const double down = std::nextafter(1.0, 0.0);
  EXPECT_FALSE(beyond(Side::upper, down, 1.0));
  EXPECT_FALSE(beyond(Side::upper, 1.0, 1.0));
  EXPECT_TRUE(beyond(Side::upper, up, 1.0));
  EXPECT_TRUE(beyond(Side::lower, down, 1.0));
  EXPECT_FALSE(beyond(Side::lower, 1.0, 1.0));
  EXPECT_FALSE(beyond(Side::lower, up, 1.0));
  EXPECT_FALSE(beyond(Side::upper, base::kAbsent, 1.0));
  EXPECT_FALSE(beyond(Side::upper, 2.0, base::kAbsent));
  EXPECT_FALSE(beyond(Side::none, 2.0, 1.0));
}

}  // namespace
}  // namespace cyclerd::safety
