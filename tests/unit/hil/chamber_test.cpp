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
  double air_min = 0.0, load_min = 0.0;  // last time outside +-0.5 K
};

Response step_response(double from_degC, double to_degC, double load_J_per_K = 0.0) {
  ChamberConfig config;
  config.start_degC = from_degC;
  config.load_J_per_K = load_J_per_K;
  Chamber chamber(config, {});
  EXPECT_TRUE(chamber.apply({1, {}, to_degC, 0.0}));
  const double span = to_degC - from_degC;
  Response r;
  double t10 = -1.0, t90 = -1.0;
  for (int k = 1; k <= 2 * 3600; ++k) {
    chamber.advance_to(base::MonoTime{} + base::seconds(k));
    const ChamberReadout c = chamber.readout();
    const double part = (c.air_degC - from_degC) / span;
    if (t10 < 0.0 && part >= 0.1) t10 = k;
    if (t90 < 0.0 && part >= 0.9) t90 = k;
    r.overshoot_K = std::max(r.overshoot_K, (part - 1.0) * std::abs(span));
    if (std::abs(c.air_degC - to_degC) > 0.5) r.air_min = k / 60.0;
    if (std::abs(c.load_degC - to_degC) > 0.5) r.load_min = k / 60.0;
  }
  r.rate_K_per_min = 0.8 * std::abs(span) / ((t90 - t10) / 60.0);
  return r;
}

// Figures of a standard chamber of 240 litres, which the default set was tuned to; 2700 J/K are 3 kg of aluminium.
struct Row {
  double to_degC, load_J_per_K, rate_K_per_min, overshoot_K, air_min, load_min;
};
class ChamberStep : public ::testing::TestWithParam<Row> {};

TEST_P(ChamberStep, IsThatOfAStandardChamber) {
  const Row& row = GetParam();
  const Response r = step_response(25.0, row.to_degC, row.load_J_per_K);
  EXPECT_NEAR(r.rate_K_per_min, row.rate_K_per_min, 0.03);
  EXPECT_NEAR(r.overshoot_K, row.overshoot_K, 0.06);
  if (row.air_min > 0.0) {
    EXPECT_NEAR(r.air_min, row.air_min, 0.6);
  }
  if (row.load_min > 0.0) {
    EXPECT_NEAR(r.load_min, row.load_min, 0.6);
  }
}
INSTANTIATE_TEST_SUITE_P(Table, ChamberStep,
                         ::testing::Values(Row{45.0, 0.0, 4.30, 1.8, 19.0, 0.0}, Row{60.0, 0.0, 4.75, 2.1, 22.0, 0.0},
                                           Row{0.0, 0.0, 2.42, 1.0, 22.5, 0.0}, Row{-20.0, 0.0, 1.37, 0.2, 35.5, 0.0},
                                           Row{45.0, 2700.0, 4.07, 2.0, 0.0, 22.0},
                                           Row{0.0, 2700.0, 2.20, 1.05, 0.0, 26.0}));

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
