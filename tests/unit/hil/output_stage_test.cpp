// Imperfections of the output stage and its instruments.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "hil/plant/plant.hpp"
#include "tests/support/allocation_count.hpp"
#include "tests/unit/hil/golden.hpp"

namespace cyclerd::hil {
namespace {

using test::charge_at;
using test::discharge_at;
using test::shipped;

Plant plant_of(const PlantConfig& config, double soc = 0.5) {
  return Plant(shipped("linear-closed-form").make({soc, 25.0}), config, {});
}
base::MonoTime at_ms(std::int64_t ms) {
  return {ms * 1000};
}

PlantConfig everything() {
  PlantConfig c;
  c.stage.rise_time_constant_s = 5e-3;
  c.stage.slew_A_per_s = 500.0;
  c.stage.voltage_overshoot_V = 5e-3;
  c.stage.voltage_loop_s = 10e-3;
  c.stage.bleeder_Ohm = 10e3;
  c.stage.reverse_drain_A = 1e-4;
  c.voltage_accuracy = {0.005, 100e-6, 0.0, {5.0}};
  c.current_accuracy = {0.005, 100e-6, 0.0, {1.0, 5.0}};
  c.range_gap = base::milliseconds(3);
  c.leads = {false, 0.0172, 0.001, 0.01, 0.0005};
  c.voltage = {1.0, 0.0, 0.5e-3, 1e-3};
  c.current = {1.0, 0.0, 5e-3, 10e-3};
  c.probe.lag_s = 15.0;
  c.sampling = base::milliseconds(100);
  c.current_delay = base::milliseconds(20);
  c.instrument_degC = 31.0;
  c.seed = 4;
  return c;
}

TEST(OutputStage, SlewLimitsTheRise) {
  PlantConfig config;
  config.stage.slew_A_per_s = 100.0;
  Plant plant = plant_of(config);
  ASSERT_EQ(plant.apply(charge_at(2.5, 4.2)), Refusal::none);
  plant.advance_to(at_ms(10));
  EXPECT_NEAR(plant.truth().current_A, 1.0, 1e-9);
  plant.advance_to(at_ms(24));
  EXPECT_NEAR(plant.truth().current_A, 2.4, 1e-9);
  plant.advance_to(at_ms(26));
  EXPECT_DOUBLE_EQ(plant.truth().current_A, 2.5);
  EXPECT_NEAR(plant.truth().charge_C, 2.5 * 0.026 - 0.5 * 2.5 * 0.025, 1e-9);
}

TEST(OutputStage, AMixedRiseIsNeverFasterThanEither) {
  PlantConfig config;
  config.stage.slew_A_per_s = 500.0;
  config.stage.rise_time_constant_s = 2e-3;
  Plant plant = plant_of(config);
  ASSERT_EQ(plant.apply(discharge_at(5.0, 2.5)), Refusal::none);
  double before = 0.0;
  for (int ms = 1; ms <= 40; ++ms) {
    plant.advance_to(at_ms(ms));
    const double now = plant.truth().current_A;
    EXPECT_LE(std::abs(now - before), 0.5 + 1e-9);
    EXPECT_GE(now, -5.0 * (1.0 - std::exp(-ms / 2.0)) - 1e-6);
    before = now;
  }
  EXPECT_DOUBLE_EQ(before, -5.0);
}

class Overshoot : public ::testing::TestWithParam<double> {};

TEST_P(Overshoot, IsReachedNotPassedAndComesBack) {
  for (bool charging : {true, false}) {
    PlantConfig config;
    config.stage.voltage_overshoot_V = GetParam();
    config.stage.voltage_loop_s = 0.01;
    Plant plant = plant_of(config);
    const double set_V = charging ? 4.2 : 3.0;
    ASSERT_EQ(plant.apply(charging ? charge_at(2.5, set_V) : discharge_at(2.5, set_V)), Refusal::none);
    plant.advance_to({3'100'000'000});
    double worst_V = 0.0;
    base::MonoTime since{};
    for (std::int64_t us = 3'100'000'000; us < 3'300'000'000; us += 2'000) {
      plant.advance_to({us});
      const Truth t = plant.truth();
      worst_V = std::max(worst_V, charging ? t.voltage_V - set_V : set_V - t.voltage_V);
      if (since.us == 0 && t.mode == StageMode::voltage) since = {us};
    }
    // The last glance before the hand-over is up to 2 ms early, and the loop has begun at the first one after it.
    EXPECT_LE(worst_V, GetParam() + 1e-9);
    EXPECT_GE(worst_V, GetParam() - 0.2 * GetParam() - 1e-9);
    EXPECT_NEAR(plant.truth().voltage_V, set_V, 1e-9);
    EXPECT_GT(since.us, 3'149'000'000);
  }
}
INSTANTIATE_TEST_SUITE_P(Bounds, Overshoot, ::testing::Values(0.0, 0.001, 0.005, 0.02));

TEST(OutputStage, ErrorsOfAChannelLieInsideItsClassAndStayWithIt) {
  std::set<double> seen;
  double sum = 0.0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    PlantConfig config;
    config.stage.current_max_A = 20.0;
    config.stage.current_min_A = -20.0;
    config.current_accuracy.class_of_full_scale = 0.001;
    config.seed = seed;
    Plant plant = plant_of(config), twin = plant_of(config);
    ASSERT_EQ(plant.apply(charge_at(2.0, 4.2)), Refusal::none);
    ASSERT_EQ(twin.apply(charge_at(2.0, 4.2)), Refusal::none);
    const double error_A = plant.truth().current_A - 2.0;
    EXPECT_LE(std::abs(error_A), 2.0 * 0.001 + 0.0005 * 20.0);
    const double reading_error_A = plant.measure().current_A - plant.truth().current_A;
    EXPECT_LE(std::abs(reading_error_A), 2.1 * 0.001 + 0.0005 * 20.0);
    EXPECT_EQ(twin.truth().current_A, plant.truth().current_A);
    seen.insert(error_A);
    sum += error_A;
  }
  EXPECT_EQ(seen.size(), 300U);
  EXPECT_NEAR(sum / 300.0, 0.0, 1.5e-3);
}

TEST(OutputStage, TheSetPointChoosesTheRangeAndAChangeOpensTheOutputForAMoment) {
  PlantConfig config;
  config.stage.current_max_A = 20.0;
  config.current_accuracy = {0.0, 0.0, 1.0 / 32768.0, {0.1, 1.0}};
  config.range_gap = base::milliseconds(5);
  Plant plant = plant_of(config);
  ASSERT_EQ(plant.apply(charge_at(0.1, 4.2)), Refusal::none);  // exactly full scale
  EXPECT_EQ(plant.truth().current_range, 0U);
  plant.advance_to(at_ms(10));
  EXPECT_NEAR(plant.measure().current_A, 0.1, 0.1 / 32768.0);
  ASSERT_EQ(plant.apply(charge_at(0.1001, 4.2)), Refusal::none);
  EXPECT_EQ(plant.truth().current_range, 1U);
  EXPECT_EQ(plant.truth().current_A, 0.0);
  plant.advance_to(at_ms(14));
  EXPECT_EQ(plant.truth().current_A, 0.0);
  EXPECT_TRUE(plant.truth().output_on);
  plant.advance_to(at_ms(15));
  EXPECT_NEAR(plant.truth().current_A, 0.1001, 1.0 / 32768.0);
  ASSERT_EQ(plant.apply(charge_at(0.9, 4.2)), Refusal::none);  // the same range: no gap
  EXPECT_NEAR(plant.truth().current_A, 0.9, 1.0 / 32768.0);
  ASSERT_EQ(plant.apply(charge_at(1.1, 4.2)), Refusal::none);
  EXPECT_EQ(plant.truth().current_range, 2U);  // the rating is the last
  plant.open_output();                         // inside the gap
  plant.advance_to(at_ms(100));
  EXPECT_EQ(plant.truth().current_A, 0.0);
}

TEST(OutputStage, GainDriftsWithTheInstrumentsTemperature) {
  PlantConfig config;
  config.current_accuracy.drift_per_K = 20e-6;
  Plant plant = plant_of(config);
  ASSERT_EQ(plant.apply(charge_at(2.5, 4.2)), Refusal::none);
  EXPECT_DOUBLE_EQ(plant.truth().current_A, 2.5);
  EXPECT_TRUE(plant.set_instrument_temperature(35.0));
  EXPECT_NEAR(plant.truth().current_A, 2.5 * 1.0002, 1e-12);
  EXPECT_FALSE(plant.set_instrument_temperature(NAN));
}

TEST(OutputStage, ReadingsStandOnTheSamplingGridWithTheCurrentBehind) {
  PlantConfig config;
  config.sampling = base::milliseconds(100);
  config.current_delay = base::milliseconds(20);
  config.voltage.noise = 1e-3;
  Plant plant = plant_of(config);
  plant.advance_to(at_ms(290));
  ASSERT_EQ(plant.apply(discharge_at(2.5, 2.5)), Refusal::none);
  plant.advance_to(at_ms(299));
  EXPECT_NEAR(plant.measure().voltage_V, 3.6, 5e-3);  // of 200 ms
  plant.advance_to(at_ms(301));
  const Measurement m = plant.measure();
  EXPECT_EQ(m.time.us, 300'000);
  EXPECT_NEAR(m.voltage_V, 3.55, 5e-3);  // sags already
  EXPECT_NEAR(m.current_A, 0.0, 1e-9);   // of 280 ms
  plant.advance_to(at_ms(399));
  EXPECT_EQ(plant.measure().voltage_V, m.voltage_V) << "the same sample, the same noise";
  plant.advance_to(at_ms(400));
  EXPECT_NE(plant.measure().voltage_V, m.voltage_V);
  EXPECT_NEAR(plant.measure().current_A, -2.5, 1e-9);
}

TEST(OutputStage, WithTheOutputOffBleederAndDrainEmptyTheCellUnseen) {
  PlantConfig config;
  config.stage.bleeder_Ohm = 10e3;
  Plant plant = plant_of(config);
  plant.advance_to({3'600'000'000});
  EXPECT_NEAR(plant.truth().charge_C, -3.6 / 10e3 * 3600.0, 1e-3);
  EXPECT_EQ(plant.measure().current_A, 0.0);
  config.stage.reverse_drain_A = 1e-3;
  Plant both = plant_of(config);
  both.advance_to({3'600'000'000});
  EXPECT_NEAR(both.truth().charge_C, -(3.6 / 10e3 + 1e-3) * 3600.0, 2e-3);
  config.stage.bleeder_Ohm = 0.0;
  Plant drain = plant_of(config);
  drain.advance_to({3'600'000'000});
  EXPECT_NEAR(drain.truth().charge_C, -3.6, 1e-9);
}

TEST(OutputStage, OvervoltageTripsFivePercentAboveTheSetVoltage) {
  for (double offset_V : {0.2, 0.2105, 0.2115, 0.22}) {  // 4.2 V * 5 % = 0.21 V, and 1 mV of the comparator
    PlantConfig config;
    config.stage.ovp_margin = 0.05;
    config.stage.voltage_offset_V = offset_V;  // a voltage loop that regulates to the wrong place
    Plant plant = plant_of(config, 0.999);
    ASSERT_EQ(plant.apply(charge_at(2.5, 4.2)), Refusal::none);
    plant.advance_to({7200'000'000});
    const bool trips = offset_V > 0.211;
    EXPECT_EQ(plant.measure().alarms, trips ? alarm::kOverVoltage : 0U) << offset_V;
    EXPECT_EQ(plant.truth().output_on, !trips);
    if (!trips) continue;
    ASSERT_EQ(plant.apply(charge_at(1.0, 4.2)), Refusal::none);
    EXPECT_FALSE(plant.truth().output_on) << "latched";
  }
}

TEST(OutputStage, OvercurrentTripsTenPercentAboveTheSetCurrent) {
  for (double gain : {1.09, 1.0999, 1.1001, 1.101, 1.2}) {
    for (bool charging : {true, false}) {
      PlantConfig config;
      config.stage.ocp_margin = 0.10;
      config.stage.current_gain = gain;
      Plant plant = plant_of(config);
      ASSERT_EQ(plant.apply(charging ? charge_at(5.0, 4.2) : discharge_at(5.0, 2.5)), Refusal::none);
      plant.advance_to(at_ms(10));
      const bool trips = gain > 1.1 + 1e-3 / 5.0;  // beyond what the comparator tells apart
      EXPECT_EQ(plant.measure().alarms, trips ? alarm::kOverCurrent : 0U) << gain;
    }
  }
}

TEST(OutputStage, ALowerSetCurrentIsNoOvercurrentWhileItFalls) {
  PlantConfig config = everything();
  config.stage.ocp_margin = 0.10;
  config.range_gap = {};
  Plant plant = plant_of(config);
  ASSERT_EQ(plant.apply(charge_at(10.0, 4.2)), Refusal::none);
  plant.advance_to(at_ms(200));
  ASSERT_EQ(plant.apply(charge_at(6.0, 4.2)), Refusal::none);
  plant.advance_to(at_ms(400));
  EXPECT_EQ(plant.measure().alarms, 0U);
}

// A cut-off that is decided on readings is late by up to the period: the undershoot is the slope times that.
TEST(OutputStage, ADecisionPeriodBringsUndershoot) {
  for (std::int64_t period_ms : {10, 100, 1000}) {
    Plant plant = plant_of({}, 0.05);  // 3.06 V
    ASSERT_EQ(plant.apply(discharge_at(10.0, 0.0)), Refusal::none);
    std::int64_t t = 0;
    while (plant.measure().voltage_V > 2.64) plant.advance_to(at_ms(t += period_ms));
    const double slope_V_per_s = 1.2 * 10.0 / 18000.0;
    EXPECT_LE(plant.truth().voltage_V, 2.64);
    EXPECT_GE(plant.truth().voltage_V, 2.64 - slope_V_per_s * static_cast<double>(period_ms) * 1.1e-3);
  }
}

TEST(OutputStage, OneSeedGivesTheSameReadingsAndTwoSeedsOthers) {
  auto run = [](std::uint64_t seed) {
    PlantConfig config = everything();
    config.seed = seed;
    Plant plant(shipped("lg-m50").make({0.5, 25.0}), config, {});
    std::vector<double> readings;
    for (int k = 1; k <= 500; ++k) {
      if (k % 50 == 1) {
        EXPECT_EQ(plant.apply(k % 100 == 1 ? charge_at(0.04 * k, 4.1) : discharge_at(0.02 * k, 3.0)), Refusal::none);
      }
      plant.advance_to(at_ms(137 * k));
      const Measurement m = plant.measure();
      readings.insert(readings.end(), {m.voltage_V, m.current_A, m.temperature_degC});
    }
    return readings;
  };
  const auto first = run(7);
  EXPECT_EQ(first, run(7));
  EXPECT_NE(first, run(8));
}

TEST(OutputStage, ASnapshotWithEverythingOnContinuesBitForBit) {
  PlantConfig config = everything();
  config.current_delay = {};  // the readings of the last moment are not part of a snapshot
  config.sampling = {};
  auto make = [&] { return Plant(shipped("lg-m50").make({0.9, 25.0}), config, {}); };
  for (std::int64_t us : {2'000, 50'000, 1'500'000'000}) {
    Plant first = make(), second = make();
    ASSERT_EQ(first.apply(charge_at(2.5, 4.2)), Refusal::none);
    first.advance_to({us});
    (void)first.measure();
    ASSERT_TRUE(second.restore(first.snapshot()));
    for (int k = 1; k <= 300; ++k) {
      first.advance_to(base::MonoTime{us + k * 77'777});
      second.advance_to(base::MonoTime{us + k * 77'777});
      ASSERT_EQ(first.truth().current_A, second.truth().current_A) << us << " " << k;
      ASSERT_EQ(first.truth().energy_J, second.truth().energy_J);
      ASSERT_EQ(first.measure().voltage_V, second.measure().voltage_V);
    }
  }
}

TEST(OutputStage, TheBeatAllocatesNothing) {
  Plant plant(shipped("lg-m50").make({0.9, 25.0}), everything(), {});
  ASSERT_EQ(plant.apply(charge_at(5.0, 4.2)), Refusal::none);
  const auto before = cyclerd::test::allocations();
  for (int ms = 1; ms <= 20'000; ++ms) {
    plant.advance_to(at_ms(ms));
    if (ms % 10 == 0) (void)plant.measure();
    if (ms == 5000) {
      EXPECT_EQ(plant.apply(discharge_at(0.5, 3.0)), Refusal::none);
    }
    if (ms == 9000) plant.open_output();
    if (ms == 9500) {
      EXPECT_EQ(plant.apply(charge_at(0.8, 4.15)), Refusal::none);
    }
  }
  EXPECT_EQ(cyclerd::test::allocations(), before);
}

}  // namespace
}  // namespace cyclerd::hil
