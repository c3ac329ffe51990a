// What goes wrong with chambers, and what enters through their door.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "hil/plant/chamber.hpp"
#include "hil/plant/world.hpp"
#include "tests/support/allocation_count.hpp"
#include "tests/unit/hil/golden.hpp"

namespace cyclerd::hil {
namespace {

base::MonoTime at_min(double minutes) {
  return {static_cast<std::int64_t>(std::llround(minutes * 60e6))};
}

Chamber held_at(double degC, ChamberConfig config = {}) {
  config.start_degC = degC;
  Chamber chamber(config, {});
  EXPECT_TRUE(chamber.apply({1, {}, degC, 0.0}));
  return chamber;
}

TEST(ChamberFault, AnOpenDoorLetsTheRoomIn) {
  Chamber chamber = held_at(60.0);
  chamber.advance_to(at_min(30));
  EXPECT_NEAR(chamber.air_degC(), 60.0, 0.5);
  chamber.set_door(true);
  chamber.advance_to(at_min(31));
  EXPECT_LT(chamber.air_degC(), 59.0);
  EXPECT_TRUE(chamber.readout().door_open);
  chamber.set_door(false);
  chamber.advance_to(at_min(90));
  EXPECT_NEAR(chamber.air_degC(), 60.0, 0.5);
}

TEST(ChamberFault, WithoutCompressorItDriftsToTheRoom) {
  Chamber chamber = held_at(0.0);
  chamber.advance_to(at_min(60));
  EXPECT_NEAR(chamber.air_degC(), 0.0, 0.5);
  chamber.set_compressor_trip(true);
  chamber.advance_to(at_min(180));
  EXPECT_GT(chamber.air_degC(), 15.0);
  chamber.set_compressor_trip(false);
  chamber.advance_to(at_min(300));
  EXPECT_NEAR(chamber.air_degC(), 0.0, 0.5);
}

TEST(ChamberFault, FrostHalvesTheRefrigerationAfterFourHoursBelowZero) {
  Chamber chamber = held_at(-20.0);
  chamber.advance_to(at_min(239.9));
  EXPECT_FALSE(chamber.readout().frosted);
  chamber.advance_to(at_min(240.1));
  EXPECT_TRUE(chamber.readout().frosted);
  ASSERT_TRUE(chamber.apply({1, {}, -35.0, 0.0}));
  for (double minute = 240.2; minute < 250.0; minute += 0.1) {
    chamber.advance_to(at_min(minute));
    const double whole_W = 1400.0 + 24.0 * (chamber.air_degC() - 20.0);
    EXPECT_NEAR(-chamber.readout().power_W, 0.5 * whole_W, 1.0);
  }
  ASSERT_TRUE(chamber.apply({1, {}, 30.0, 0.0}));
  chamber.advance_to(at_min(320));
  EXPECT_FALSE(chamber.readout().frosted) << "thawed";
}

TEST(ChamberFault, ACompressorThatMustRestLeavesTheAirToItself) {
  ChamberConfig config;
  config.compressor_rest = base::seconds(300);
  Chamber chamber = held_at(10.0, config);
  bool was_cooling = false;
  double stopped_min = -1e9;
  int starts = 0;
  for (double minute = 0.01; minute < 240.0; minute += 0.01) {
    chamber.advance_to(at_min(minute));
    const bool cooling = chamber.readout().power_W < 0.0;
    if (was_cooling && !cooling) stopped_min = minute;
    if (!was_cooling && cooling) {
      EXPECT_GE(minute - stopped_min, 4.98);
      ++starts;
    }
    was_cooling = cooling;
  }
  EXPECT_GE(starts, 1);
}

TEST(ChamberFault, ARestartedControllerGoesToItsStoredSetPoint) {
  ChamberConfig config;
  config.stored_degC = 40.0;
  Chamber chamber = held_at(25.0, config);
  chamber.stop();
  chamber.restart();
  EXPECT_DOUBLE_EQ(chamber.readout().setpoint_degC, 40.0);
  EXPECT_TRUE(chamber.readout().running);
  chamber.advance_to(at_min(60));
  EXPECT_NEAR(chamber.air_degC(), 40.0, 0.5);
}

TEST(ChamberFault, ReportsThatAreNotTheTemperature) {
  Chamber chamber = held_at(25.0);
  ASSERT_TRUE(chamber.apply({1, {}, 45.0, 0.0}));
  chamber.advance_to(at_min(1));
  const double actual_degC = chamber.readout().reading_degC;
  EXPECT_LT(actual_degC, 35.0);
  chamber.set_report(ChamberReport::setpoint);
  EXPECT_DOUBLE_EQ(chamber.readout().reading_degC, 45.0);
  chamber.set_report(ChamberReport::fahrenheit);
  EXPECT_DOUBLE_EQ(chamber.readout().reading_degC, 32.0 + 1.8 * actual_degC);
  chamber.set_report(ChamberReport::tenfold);
  EXPECT_DOUBLE_EQ(chamber.readout().reading_degC, 10.0 * actual_degC);
  chamber.set_report(ChamberReport::actual);
  EXPECT_DOUBLE_EQ(chamber.readout().reading_degC, actual_degC);
}

TEST(ChamberFault, ASensorInTheWrongPlaceMovesTheAir) {
  Chamber chamber = held_at(40.0);
  ASSERT_TRUE(chamber.set_sensor_offset(2.5));
  chamber.advance_to(at_min(120));
  EXPECT_NEAR(chamber.readout().reading_degC, 40.0, 0.1);
  EXPECT_NEAR(chamber.air_degC(), 37.5, 0.1);
  EXPECT_FALSE(chamber.set_sensor_offset(NAN));
}

TEST(Moisture, DewPointsAreThoseOfTheTables) {
  EXPECT_NEAR(dew_point_degC(20.0, 1.0), 20.0, 1e-9);
  EXPECT_NEAR(dew_point_degC(20.0, 0.5), 9.26, 0.05);
  EXPECT_NEAR(dew_point_degC(25.0, 0.6), 16.7, 0.05);
}

// A cell that was cold when the door was opened gets wet; a cell in a shut chamber does not.
TEST(Moisture, ColdCellsGetWetWhenTheDoorIsOpenedAndDryAgainWhenWarm) {
  World world;
  world.add_chamber({});
  world.add_plant(test::shipped("lg-m50").make({0.5, 25.0}), {}, 0);
  ASSERT_TRUE(world.chamber(0).apply({1, {}, -10.0, 0.0}));
  for (int minute = 1; minute <= 120; ++minute) {
    world.advance_to(at_min(minute));
    EXPECT_FALSE(world.chamber(0).readout().condensation) << "the cooler dries the air, minute " << minute;
  }
  world.chamber(0).set_door(true);
  world.advance_to(at_min(122));
  EXPECT_TRUE(world.chamber(0).readout().condensation);
  EXPECT_GT(world.chamber(0).readout().dew_point_degC, 0.0);
  world.chamber(0).set_door(false);
  ASSERT_TRUE(world.chamber(0).apply({1, {}, 35.0, 0.0}));
  world.advance_to(at_min(124));
  EXPECT_TRUE(world.chamber(0).readout().condensation) << "warm air, cold cell";
  double dry_min = 0.0;
  for (double minute = 124.0; minute < 240.0; minute += 0.5) {
    world.advance_to(at_min(minute));
    if (world.chamber(0).readout().condensation) dry_min = minute;
  }
  EXPECT_GT(dry_min, 126.0) << "a profile has to wait";
  EXPECT_LT(dry_min, 200.0);
}

TEST(Moisture, WarmingUpAColdShutChamberThawsItsIceOntoTheCells) {
  World world;
  world.add_chamber({});
  world.add_plant(test::shipped("lg-m50").make({0.5, 25.0}), {}, 0);
  ASSERT_TRUE(world.chamber(0).apply({1, {}, -20.0, 0.0}));
  world.advance_to(at_min(600));
  EXPECT_FALSE(world.chamber(0).readout().condensation);
  ASSERT_TRUE(world.chamber(0).apply({1, {}, 30.0, 0.0}));
  bool wet = false;
  for (double minute = 600.0; minute < 660.0; minute += 1.0) {
    world.advance_to(at_min(minute));
    wet = wet || world.chamber(0).readout().condensation;
  }
  EXPECT_TRUE(wet);
  world.advance_to(at_min(800));
  EXPECT_FALSE(world.chamber(0).readout().condensation);
}

TEST(World, SeveralCellsHeatOneChamber) {
  auto air_after = [](int cells) {
    World world;
    ChamberConfig config;
    config.cooling_max_W = 1.0;  // hardly any refrigeration
    world.add_chamber(config);
    for (int i = 0; i < cells; ++i) {
      world.add_plant(test::shipped("lg-m50").make({0.9, 25.0}), {}, 0);
      EXPECT_EQ(world.plant(static_cast<std::size_t>(i)).apply(test::discharge_at(7.5, 2.8)), Refusal::none);
    }
    world.advance_to(at_min(25));
    return world.chamber(0).air_degC();
  };
  const double none = air_after(0), one = air_after(1), eight = air_after(8);
  EXPECT_GT(one, none);
  EXPECT_NEAR((eight - none) / (one - none), 8.0, 0.8);
}

TEST(World, TheBeatAllocatesNothing) {
  World world;
  world.add_chamber({});
  for (int i = 0; i < 3; ++i) world.add_plant(test::shipped("lg-m50").make({0.5, 25.0}), {}, 0);
  ASSERT_TRUE(world.chamber(0).apply({1, {}, 35.0, 1.0}));
  ASSERT_EQ(world.plant(0).apply(test::charge_at(5.0, 3.9)), Refusal::none);
  const auto before = cyclerd::test::allocations();
  for (int ms = 1; ms <= 5'000; ++ms) {
    world.advance_to({ms * 1000});
    (void)world.chamber(0).readout();
  }
  EXPECT_EQ(cyclerd::test::allocations(), before);
}

}  // namespace
}  // namespace cyclerd::hil
