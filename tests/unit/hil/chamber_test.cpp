#include "hil/plant/chamber.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "hil/plant/world.hpp"
#include "tests/unit/hil/golden.hpp"

namespace cyclerd::hil {
namespace {

struct Response {
  double rate_K_per_min = 0.0;  // 10 to 90 % of the step
  double overshoot_K = 0.0;
  double within_half_K_min = 0.0;  // last time outside +-0.5 K
};

Response step_response(double from_degC, double to_degC) {
  ChamberConfig config;
  config.start_degC = from_degC;
  Chamber chamber(config, {});
  EXPECT_TRUE(chamber.apply({1, {}, to_degC, 0.0}));
  const double span = to_degC - from_degC;
  Response r;
  double t10 = -1.0, t90 = -1.0;
  for (int k = 1; k <= 4 * 3600; ++k) {
    chamber.advance_to(base::MonoTime{} + base::seconds(k));
    const double part = (chamber.air_degC() - from_degC) / span;
    if (t10 < 0.0 && part >= 0.1) t10 = k;
    if (t90 < 0.0 && part >= 0.9) t90 = k;
    r.overshoot_K = std::max(r.overshoot_K, (part - 1.0) * std::abs(span));
    if (std::abs(chamber.air_degC() - to_degC) > 0.5) r.within_half_K_min = k / 60.0;
  }
  r.rate_K_per_min = 0.8 * std::abs(span) / ((t90 - t10) / 60.0);
  return r;
}

// Figures of a standard chamber of 240 litres, which the default set was tuned to.
TEST(Chamber, HeatsLikeAStandardChamber) {
  const Response r = step_response(25.0, 45.0);
  EXPECT_NEAR(r.rate_K_per_min, 4.3, 0.3);
  EXPECT_NEAR(r.overshoot_K, 1.8, 0.6);
  EXPECT_NEAR(r.within_half_K_min, 19.0, 4.0);
}

TEST(Chamber, CoolsSlowerTheColderItGets) {
  const Response to_zero = step_response(25.0, 0.0);
  EXPECT_NEAR(to_zero.rate_K_per_min, 2.42, 0.25);
  const Response to_minus_twenty = step_response(25.0, -20.0);
  EXPECT_NEAR(to_minus_twenty.rate_K_per_min, 1.37, 0.2);
  EXPECT_LT(to_minus_twenty.overshoot_K, 0.7);
}

TEST(Chamber, RampMovesTheSetPointInForce) {
  Chamber chamber({}, {});
  ASSERT_TRUE(chamber.apply({1, {}, 35.0, 1.0}));
  chamber.advance_to({60'000'000});
  EXPECT_NEAR(chamber.readout().setpoint_in_force_degC, 26.0, 0.01);
  EXPECT_DOUBLE_EQ(chamber.readout().setpoint_degC, 35.0);
  chamber.advance_to({20 * 60'000'000});
  EXPECT_DOUBLE_EQ(chamber.readout().setpoint_in_force_degC, 35.0);
}

TEST(Chamber, ThermostatLatchesAndNoSetPointClearsIt) {
  ChamberConfig config;
  config.thermostat_degC = 40.0;
  Chamber chamber(config, {});
  ASSERT_TRUE(chamber.apply({1, {}, 60.0, 0.0}));
  chamber.advance_to({3600'000'000});
  EXPECT_TRUE(chamber.readout().thermostat_tripped);
  EXPECT_EQ(chamber.readout().power_W, 0.0);
  ASSERT_TRUE(chamber.apply({1, {}, 20.0, 0.0}));
  chamber.advance_to({3700'000'000});
  EXPECT_TRUE(chamber.readout().thermostat_tripped);
  EXPECT_EQ(chamber.readout().power_W, 0.0);
  chamber.reset_thermostat();
  chamber.advance_to({3701'000'000});
  EXPECT_LT(chamber.readout().power_W, 0.0);
}

TEST(Chamber, RefusesSetPointsOutsideItsRange) {
  Chamber chamber({}, {});
  EXPECT_TRUE(chamber.apply({1, {}, 120.0, 0.0}));
  EXPECT_FALSE(chamber.apply({1, {}, 120.1, 0.0}));
  EXPECT_TRUE(chamber.apply({1, {}, -40.0, 0.0}));
  EXPECT_FALSE(chamber.apply({1, {}, -40.1, 0.0}));
  EXPECT_FALSE(chamber.apply({1, {}, std::numeric_limits<double>::quiet_NaN(), 0.0}));
  EXPECT_FALSE(chamber.apply({1, {}, 25.0, -1.0}));
}

TEST(Chamber, StoppedItDriftsToTheRoom) {
  ChamberConfig config;
  config.start_degC = 60.0;
  Chamber chamber(config, {});
  chamber.advance_to({24 * 3'600'000'000});
  EXPECT_NEAR(chamber.air_degC(), 25.0, 0.1);
}

TEST(Chamber, ASnapshotContinuesBitForBit) {
  ChamberConfig config;
  config.reading.noise = 0.05;
  Chamber first(config, {}), second(config, {});
  ASSERT_TRUE(first.apply({1, {}, 45.0, 2.0}));
  first.advance_to({100'300'000});
  ASSERT_TRUE(second.restore(first.snapshot()));
  for (int k = 1; k < 100; ++k) {
    first.advance_to(base::MonoTime{100'300'000 + k * 333'333});
    second.advance_to(base::MonoTime{100'300'000 + k * 333'333});
    ASSERT_EQ(first.readout().reading_degC, second.readout().reading_degC);
  }
}

TEST(World, ACellNeedsHalfAnHourAfterItsChamber) {
  World world;
  const std::size_t chamber = world.add_chamber({});
  world.add_plant(test::shipped("lg-m50").make({0.5, 25.0}), {}, chamber);
  ASSERT_TRUE(world.chamber(0).apply({1, {}, 45.0, 0.0}));
  double within_min = 0.0;
  for (int k = 1; k < 7200; ++k) {
    world.advance_to(base::MonoTime{} + base::seconds(k));
    if (std::abs(world.plant(0).truth().cell.surface_degC - 45.0) > 0.5) within_min = k / 60.0;
  }
  EXPECT_GT(within_min, 25.0);
  EXPECT_LT(within_min, 50.0);
}

TEST(World, TheResultDoesNotDependOnHowOftenItIsAsked) {
  auto run = [](std::int64_t step_us) {
    World world;
    world.add_chamber({});
    world.add_plant(test::shipped("lg-m50").make({0.5, 25.0}), {}, 0);
    EXPECT_TRUE(world.chamber(0).apply({1, {}, 35.0, 0.0}));
    EXPECT_EQ(world.plant(0).apply(test::discharge_at(5.0, 2.5)), Refusal::none);
    for (std::int64_t t = step_us; t < 1'200'000'000; t += step_us) world.advance_to({t});
    world.advance_to({1'200'000'000});
    return world.plant(0).truth();
  };
  const Truth fine = run(10'000), coarse = run(60'000'000);
  EXPECT_NEAR(fine.voltage_V, coarse.voltage_V, 1e-4);
  EXPECT_NEAR(fine.cell.core_degC, coarse.cell.core_degC, 5e-3);
}

}  // namespace
}  // namespace cyclerd::hil
