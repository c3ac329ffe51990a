#include "hil/plant/plant.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "tests/unit/hil/golden.hpp"

namespace cyclerd::hil {
namespace {

using test::charge_at;
using test::discharge_at;
using test::shipped;

Plant golden_plant(const PlantConfig& config = {}) {
  return Plant(shipped("linear-closed-form").make({0.5, 25.0}), config, base::MonoTime{});
}
base::MonoTime at_s(double seconds) {
  return {static_cast<std::int64_t>(std::llround(seconds * 1e6))};
}

class GoldenCharge : public ::testing::TestWithParam<std::int64_t> {};

TEST_P(GoldenCharge, ConstantVoltageBeginsWhereTheClosedFormSays) {
  const std::int64_t step_us = GetParam();
  Plant plant = golden_plant();
  ASSERT_EQ(plant.apply(charge_at(2.5, 4.2)), Refusal::none);
  for (std::int64_t t = step_us; plant.truth().mode != StageMode::voltage && t < 4'000'000'000; t += step_us)
    plant.advance_to({t});
  // Three million steps of 1 ms round the state of charge three million times: 1e-10 of it is 1 us.
  EXPECT_NEAR(plant.truth().mode_since_s, test::kCvStart_s, step_us < 10'000 ? 3e-6 : 1e-7);
}

TEST_P(GoldenCharge, CurrentFollowsTheTwoExponentials) {
  const std::int64_t step_us = GetParam();
  Plant plant = golden_plant();
  ASSERT_EQ(plant.apply(charge_at(2.5, 4.2)), Refusal::none);
  std::int64_t t = 0;
  for (const auto& golden : test::kGoldenCurrents) {
    const std::int64_t until = at_s(test::kCvStart_s + golden.after_s).us;
    for (; t < until; t = std::min(t + step_us, until)) plant.advance_to({std::min(t + step_us, until)});
    EXPECT_NEAR(plant.truth().current_A, golden.current_A, 6e-8) << golden.after_s << " s after the hand-over";
    EXPECT_NEAR(plant.truth().current_A, test::golden_current_A(golden.after_s), step_us < 10'000 ? 2e-8 : 5e-9);
    EXPECT_NEAR(plant.truth().voltage_V, 4.2, 1e-10);
  }
}

TEST_P(GoldenCharge, CutOffsComeInTimeWithTheirCharge) {
  const std::int64_t step_us = GetParam();
  Plant plant = golden_plant();
  ASSERT_EQ(plant.apply(charge_at(2.5, 4.2)), Refusal::none);
  plant.advance_to(at_s(test::kCvStart_s));
  const double charge_before = plant.truth().charge_C;
  EXPECT_NEAR(charge_before, 2.5 * test::kCvStart_s, 1e-6);
  std::int64_t t = at_s(test::kCvStart_s).us;
  for (const auto& golden : test::kGoldenCutoffs) {
    Truth before = plant.truth();
    while (plant.truth().current_A > golden.current_A) {
      before = plant.truth();
      // fine steps around the place that is looked for: between two steps the current is taken as straight
      const double left_s = golden.after_s + test::kCvStart_s - static_cast<double>(t) * 1e-6;
      t += left_s > 5.0 ? std::min<std::int64_t>(step_us, 2'000'000) : std::min<std::int64_t>(step_us, 10'000);
      plant.advance_to({t});
    }
    const Truth now = plant.truth();
    const double part = (before.current_A - golden.current_A) / (before.current_A - now.current_A);
    const double cut_s =
        (before.time - base::MonoTime{}).seconds() + part * (now.time - before.time).seconds() - test::kCvStart_s;
    EXPECT_NEAR(cut_s, golden.after_s, 1e-5) << golden.current_A << " A";
    const double charge_C = before.charge_C + part * (now.charge_C - before.charge_C) - charge_before;
    EXPECT_NEAR(charge_C / 3600.0, golden.charge_Ah, 2e-9) << golden.current_A << " A";
  }
}

INSTANTIATE_TEST_SUITE_P(StepSizes, GoldenCharge, ::testing::Values(1'000, 10'000, 100'000, 1'000'000, 7'654'321),
                         [](const auto& p) { return std::to_string(p.param) + "us"; });

TEST(Plant, RelaxesAfterCutOffAsTheClosedFormSays) {
  Plant plant = golden_plant();
  ASSERT_EQ(plant.apply(charge_at(2.5, 4.2)), Refusal::none);
  plant.advance_to(at_s(test::kCvStart_s + 1049.185664));
  EXPECT_NEAR(plant.truth().cell.ocv_V, 4.192325766, 1e-8);
  plant.open_output();
  EXPECT_NEAR(plant.truth().voltage_V, 4.195, 1e-7);
  plant.advance_to(at_s(test::kCvStart_s + 1049.185664 + 60.0));
  EXPECT_NEAR(plant.truth().voltage_V, 4.192687684, 1e-7);
}

TEST(Plant, DischargeTurnsToConstantVoltageAtTheLowerEnd) {
  Plant plant = golden_plant();
  ASSERT_EQ(plant.apply(discharge_at(2.5, 3.0)), Refusal::none);
  plant.advance_to(at_s(4000.0));
  EXPECT_EQ(plant.truth().mode, StageMode::voltage);
  // mirror image of the charge: U falls from 3.6 V by the same 0.6 V less the same overvoltage
  EXPECT_NEAR(plant.truth().mode_since_s, test::kCvStart_s, 1e-6);
  EXPECT_NEAR(plant.truth().voltage_V, 3.0, 1e-10);
  EXPECT_LT(plant.truth().current_A, 0.0);
}

TEST(Plant, VoltageControlKeepsTwoSidedCurrentClamps) {
  Plant plant = golden_plant();
  base::Setpoint hold;
  hold.control = base::Control::voltage;
  hold.voltage_V = 3.7;
  hold.current_max_A = 1.0;
  hold.current_min_A = -2.0;
  ASSERT_EQ(plant.apply(hold), Refusal::none);
  EXPECT_DOUBLE_EQ(plant.truth().current_A, 1.0);
  EXPECT_EQ(plant.truth().mode, StageMode::current_high);
  hold.voltage_V = 3.5;
  ASSERT_EQ(plant.apply(hold), Refusal::none);
  EXPECT_DOUBLE_EQ(plant.truth().current_A, -2.0);
  hold.voltage_V = 3.59;
  ASSERT_EQ(plant.apply(hold), Refusal::none);
  EXPECT_NEAR(plant.truth().current_A, -0.5, 1e-9);
  EXPECT_EQ(plant.truth().mode, StageMode::voltage);
}

TEST(Plant, PowerIsHeldInBothDirections) {
  for (double power_W : {8.0, -8.0}) {
    Plant plant = golden_plant();
    base::Setpoint s;
    s.control = base::Control::power;
    s.power_W = power_W;
    s.voltage_max_V = 4.2;
    s.voltage_min_V = 2.5;
    s.current_max_A = 5.0;
    s.current_min_A = -5.0;
    ASSERT_EQ(plant.apply(s), Refusal::none);
    for (int k = 1; k <= 600; ++k) {
      plant.advance_to(base::MonoTime{} + base::seconds(k));
      const Truth t = plant.truth();
      ASSERT_NEAR(t.voltage_V * t.current_A, power_W, 1e-8);
    }
    EXPECT_NEAR(plant.truth().energy_J, power_W * 600.0, 1e-5);
  }
}

TEST(Plant, PowerGivesWayToVoltageAndCurrentClamps) {
  Plant plant = golden_plant();
  base::Setpoint s;
  s.control = base::Control::power;
  s.power_W = 100.0;
  s.voltage_max_V = 3.61;
  s.current_max_A = 5.0;
  ASSERT_EQ(plant.apply(s), Refusal::none);
  EXPECT_EQ(plant.truth().mode, StageMode::voltage);
  EXPECT_NEAR(plant.truth().current_A, 0.5, 1e-9);
  s.voltage_max_V = 4.2;
  ASSERT_EQ(plant.apply(s), Refusal::none);
  EXPECT_EQ(plant.truth().mode, StageMode::current_high);
  EXPECT_DOUBLE_EQ(plant.truth().current_A, 5.0);
}

TEST(Plant, ResistorDrawsVoltageOverResistance) {
  Plant plant = golden_plant();
  base::Setpoint s;
  s.control = base::Control::resistance;
  s.resistance_Ohm = 3.0;
  s.voltage_min_V = 2.5;
  s.current_min_A = -5.0;
  ASSERT_EQ(plant.apply(s), Refusal::none);
  plant.advance_to(at_s(10.0));
  const Truth t = plant.truth();
  EXPECT_EQ(t.mode, StageMode::resistance);
  EXPECT_NEAR(t.current_A, -t.voltage_V / 3.0, 1e-9);
}

TEST(Plant, SetPointsThatAreNoNumbersOrAbsurdAreRefusedAndChangeNothing) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Plant plant = golden_plant();
  ASSERT_EQ(plant.apply(charge_at(1.0, 4.2)), Refusal::none);
  EXPECT_EQ(plant.apply(charge_at(nan, 4.2)), Refusal::not_a_number);
  EXPECT_EQ(plant.apply(charge_at(1.0, nan)), Refusal::not_a_number);
  EXPECT_EQ(plant.apply(charge_at(std::numeric_limits<double>::infinity(), 4.2)), Refusal::not_a_number);
  EXPECT_EQ(plant.apply(charge_at(1e9, 4.2)), Refusal::out_of_range);
  EXPECT_EQ(plant.apply(charge_at(1.0, -4.2)), Refusal::out_of_range);
  EXPECT_EQ(plant.apply(charge_at(40.0 * 1.02, 4.2)), Refusal::none);
  EXPECT_EQ(plant.apply(charge_at(40.0 * 1.021, 4.2)), Refusal::out_of_range);
  EXPECT_EQ(plant.apply(charge_at(1.0, 4.2)), Refusal::none);
  plant.advance_to(at_s(1.0));
  EXPECT_DOUBLE_EQ(plant.truth().current_A, 1.0);
}

TEST(Plant, OverVoltageProtectionLatchesUntilAcknowledged) {
  Plant plant = golden_plant();
  Protection protection;
  protection.voltage_max_V = 3.75;
  plant.set_protection(protection);
  ASSERT_EQ(plant.apply(charge_at(2.5, 4.2)), Refusal::none);
  plant.advance_to(at_s(2000.0));
  EXPECT_FALSE(plant.truth().output_on);
  EXPECT_EQ(plant.measure().alarms, alarm::kOverVoltage);
  // 3.6 + 0.075 V when settled, then 1.6667e-4 V/s: 3.751 V after 456 s; the stage looks at the end of each second
  EXPECT_NEAR(static_cast<double>(plant.truth().output_changed.us) * 1e-6, 456.0, 1.1);
  ASSERT_EQ(plant.apply(charge_at(1.0, 4.2)), Refusal::none);
  EXPECT_FALSE(plant.truth().output_on);
  plant.acknowledge();
  plant.set_protection({});
  ASSERT_EQ(plant.apply(charge_at(1.0, 4.2)), Refusal::none);
  EXPECT_TRUE(plant.truth().output_on);
}

TEST(Plant, ASilentMasterLosesTheOutputWhenTheWatchdogFires) {
  Plant plant = golden_plant();
  plant.set_watchdog(base::milliseconds(500));
  plant.advance_to(at_s(10.0));
  ASSERT_EQ(plant.apply(charge_at(1.0, 4.2)), Refusal::none);
  for (int k = 1; k <= 9; ++k) {
    plant.advance_to(base::MonoTime{10'000'000 + k * 400'000});
    plant.feed_watchdog();
  }
  EXPECT_TRUE(plant.truth().output_on);
  plant.advance_to({14'099'999});
  EXPECT_TRUE(plant.truth().output_on);
  plant.advance_to(at_s(20.0));
  EXPECT_FALSE(plant.truth().output_on);
  EXPECT_EQ(plant.truth().output_changed.us, 14'100'000);
  EXPECT_EQ(plant.measure().alarms, alarm::kWatchdog);
}

TEST(Plant, CurrentRisesWithTheTimeConstantAndNeverPastTheTarget) {
  PlantConfig config;
  config.stage.rise_time_constant_s = 1e-3;
  Plant plant = golden_plant(config);
  ASSERT_EQ(plant.apply(charge_at(2.5, 4.2)), Refusal::none);
  EXPECT_DOUBLE_EQ(plant.truth().current_A, 0.0);
  plant.advance_to({1000});
  EXPECT_NEAR(plant.truth().current_A, 2.5 * (1.0 - std::exp(-1.0)), 1e-6);
  plant.advance_to({5000});
  EXPECT_NEAR(plant.truth().current_A, 2.5 * (1.0 - std::exp(-5.0)), 1e-6);
  plant.advance_to({100'000});
  EXPECT_DOUBLE_EQ(plant.truth().current_A, 2.5);
}

TEST(Plant, GainOffsetAndResolutionOfTheStage) {
  PlantConfig config;
  config.stage.current_gain = 0.994;
  config.stage.current_offset_A = 0.001;
  config.stage.current_step_A = 0.01;
  config.current.step = 0.001;
  Plant plant = golden_plant(config);
  ASSERT_EQ(plant.apply(charge_at(2.503, 4.2)), Refusal::none);
  EXPECT_NEAR(plant.truth().current_A, 0.994 * 2.50 + 0.001, 1e-12);
  plant.advance_to({1000});
  EXPECT_NEAR(plant.measure().current_A, 2.486, 1e-12);
}

TEST(Plant, TheCurrentShownMayLagTheVoltage) {
  PlantConfig config;
  config.current_delay = base::milliseconds(20);
  Plant plant = golden_plant(config);
  plant.advance_to({100'000});
  ASSERT_EQ(plant.apply(charge_at(2.5, 4.2)), Refusal::none);
  for (int t = 101'000; t <= 110'000; t += 1000) plant.advance_to({t});
  const Measurement early = plant.measure();
  EXPECT_LT(early.current_A, 0.3);
  EXPECT_NEAR(early.voltage_V, 3.65, 1e-4);
  for (int t = 111'000; t <= 130'000; t += 1000) plant.advance_to({t});
  EXPECT_NEAR(plant.measure().current_A, 2.5, 1e-9);
}

TEST(Plant, OneSeedRepeatsAndTwoDiffer) {
  auto voltages = [](std::uint64_t seed) {
    PlantConfig config;
    config.voltage.noise = 1e-3;
    config.seed = seed;
    Plant plant = golden_plant(config);
    std::vector<double> out;
    for (int k = 0; k < 2000; ++k) out.push_back(plant.measure().voltage_V);
    return out;
  };
  const auto first = voltages(7);
  EXPECT_EQ(first, voltages(7));
  EXPECT_NE(first, voltages(8));
  double sum = 0.0, square = 0.0;
  for (double v : first) sum += v - 3.6, square += (v - 3.6) * (v - 3.6);
  EXPECT_NEAR(sum / 2000.0, 0.0, 1e-4);
  EXPECT_NEAR(std::sqrt(square / 2000.0), 1e-3, 5e-5);
}

TEST(Plant, ChargeMovedIsChargeStored) {
  for (const char* name : {"linear-closed-form", "lg-m50"}) {
    Plant plant(shipped(name).make({0.5, 25.0}), PlantConfig{}, {});
    std::mt19937 random(3);
    std::uniform_real_distribution<double> draw(-5.0, 5.0);
    for (int k = 1; k <= 300; ++k) {
      const double current = draw(random);
      ASSERT_EQ(plant.apply(current > 0 ? charge_at(current, 4.1) : discharge_at(-current, 3.3)), Refusal::none);
      plant.advance_to(base::MonoTime{} + base::seconds(7 * k));
    }
    const Truth t = plant.truth();
    EXPECT_NEAR(t.charge_C, (t.cell.soc - 0.5) * shipped(name).header.capacity_C, 1e-8);
  }
}

TEST(Plant, EnergyOverAClosedLoopIsHeat) {
  Plant plant = golden_plant();
  std::int64_t t = 0;
  auto run = [&](double seconds) {
    const std::int64_t until = t + static_cast<std::int64_t>(seconds * 1e6);
    while (t < until) plant.advance_to({t += 100'000});
  };
  for (int loop = 0; loop < 3; ++loop) {
    ASSERT_EQ(plant.apply(charge_at(3.0, 4.2)), Refusal::none);
    run(400.0);
    ASSERT_EQ(plant.apply(discharge_at(3.0, 2.5)), Refusal::none);
    run(400.0);
  }
  plant.open_output();
  run(1000.0);  // the branch relaxes
  const Truth end = plant.truth();
  EXPECT_NEAR(end.cell.soc, 0.5, 1e-12);
  EXPECT_GT(end.cell.heat_J, 0.0);
  EXPECT_NEAR(end.energy_J, end.cell.heat_J, 1e-4 * end.cell.heat_J);
}

TEST(Plant, ASnapshotContinuesBitForBit) {
  PlantConfig config;
  config.voltage.noise = 1e-4;
  config.current.noise = 1e-4;
  auto make = [&] { return Plant(shipped("lg-m50").make({0.9, 25.0}), config, {}); };
  Plant first = make();
  ASSERT_EQ(first.apply(charge_at(2.5, 4.2)), Refusal::none);
  first.advance_to(at_s(1500.0));
  const PlantSnapshot snapshot = first.snapshot();
  Plant second = make();
  ASSERT_TRUE(second.restore(snapshot));
  for (int k = 1; k <= 200; ++k) {
    const base::MonoTime t{1'500'000'000 + k * 777'777};
    first.advance_to(t);
    second.advance_to(t);
    const Measurement a = first.measure(), b = second.measure();
    ASSERT_EQ(a.voltage_V, b.voltage_V);
    ASSERT_EQ(a.current_A, b.current_A);
    ASSERT_EQ(a.temperature_degC, b.temperature_degC);
  }
  EXPECT_EQ(first.truth().mode, StageMode::voltage);
  PlantSnapshot wrong = snapshot;
  wrong.version = 99;
  EXPECT_FALSE(second.restore(wrong));
  wrong = snapshot;
  wrong.cell.set_fingerprint ^= 1;
  EXPECT_FALSE(second.restore(wrong));
  wrong = snapshot;
  wrong.cell.value[0] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(second.restore(wrong));
}

TEST(Plant, TableCellDoesNotDependOnTheStepOfTheCaller) {
  auto charge = [](std::int64_t step_us) {
    Plant plant(shipped("lg-m50").make({0.2, 25.0}), PlantConfig{}, {});
    EXPECT_EQ(plant.apply(charge_at(2.5, 4.2)), Refusal::none);
    for (std::int64_t t = step_us; t <= 9'000'000'000; t += step_us) plant.advance_to({t});
    plant.advance_to({9'000'000'000});
    return plant.truth();
  };
  const Truth fine = charge(10'000), coarse = charge(10'000'000);
  EXPECT_EQ(fine.mode, StageMode::voltage);
  EXPECT_NEAR(fine.mode_since_s, coarse.mode_since_s, 1e-2);
  EXPECT_NEAR(fine.current_A, coarse.current_A, 1e-5);
  EXPECT_NEAR(fine.charge_C, coarse.charge_C, 0.05);
  EXPECT_NEAR(fine.cell.core_degC, coarse.cell.core_degC, 1e-3);
}

TEST(Plant, RandomOrdersNeverYieldANumberThatIsNone) {
  std::mt19937 random(11);
  std::uniform_real_distribution<double> draw(-1.0, 1.0);
  for (const char* name : {"lg-m50", "linear-closed-form", "source"}) {
    PlantConfig config;
    config.stage.rise_time_constant_s = 2e-3;
    Plant plant(shipped(name).make({0.5, 25.0}), config, {});
    std::int64_t t = 0;
    for (int k = 0; k < 500; ++k) {
      base::Setpoint s;
      s.control = static_cast<base::Control>(random() % 5);
      s.current_A = 40.0 * draw(random);
      s.power_W = 800.0 * draw(random);
      s.resistance_Ohm = 1e-3 + 5.0 * std::abs(draw(random));
      s.voltage_V = 20.0 * std::abs(draw(random));
      s.voltage_max_V = 20.0 * std::abs(draw(random));
      s.voltage_min_V = 5.0 * std::abs(draw(random));
      s.current_max_A = 40.0 * std::abs(draw(random));
      s.current_min_A = -40.0 * std::abs(draw(random));
      ASSERT_EQ(plant.apply(s), Refusal::none);
      plant.advance_to({t += static_cast<std::int64_t>(random() % 20'000'000)});
      const Truth now = plant.truth();
      ASSERT_TRUE(std::isfinite(now.voltage_V) && std::isfinite(now.current_A) && std::isfinite(now.cell.core_degC) &&
                  std::isfinite(now.cell.soc) && std::isfinite(now.energy_J))
          << name << " order " << k;
      ASSERT_LE(now.current_A, 40.0 * 1.02);
      ASSERT_GE(now.current_A, -40.0 * 1.02);
    }
  }
}

}  // namespace
}  // namespace cyclerd::hil
