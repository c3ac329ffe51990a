// Leads, contacts, sense wires and temperature probes.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "hil/plant/fault_words.hpp"
#include "hil/plant/plant.hpp"
#include "tests/unit/hil/golden.hpp"

namespace cyclerd::hil {
namespace {

using test::charge_at;
using test::discharge_at;
using test::shipped;

Plant plant_of(const PlantConfig& config, double soc = 0.5) {
  return Plant(shipped("linear-closed-form").make({soc, 25.0}), config, {});
}
PlantConfig wired(bool four_wire) {
  PlantConfig c;
  c.leads = {four_wire, 0.0172, 0.001, 0.0, 0.0};  // 2 x 2 m of 4 mm2, and its contacts
  return c;
}

TEST(Leads, TwoWiresReadTheLeadsFourDoNot) {
  Plant two = plant_of(wired(false)), four = plant_of(wired(true));
  for (Plant* plant : {&two, &four}) {
    ASSERT_EQ(plant->apply(discharge_at(10.0, 2.5)), Refusal::none);
    plant->advance_to({1'000'000});
  }
  EXPECT_NEAR(two.measure().voltage_V, two.truth().voltage_V - 10.0 * 0.0182, 1e-12);
  EXPECT_NEAR(four.measure().voltage_V, four.truth().voltage_V, 1e-12);
  EXPECT_NEAR(four.truth().terminal_V, four.truth().voltage_V - 0.182, 1e-12);
}

TEST(Leads, TwoWiresReachConstantVoltageEarlierAndHoldTheWrongPlace) {
  Plant two = plant_of(wired(false));
  ASSERT_EQ(two.apply(charge_at(2.5, 4.2)), Refusal::none);
  two.advance_to({3'100'000'000});
  const Truth t = two.truth();
  EXPECT_EQ(t.mode, StageMode::voltage);
  EXPECT_NEAR(t.sensed_V, 4.2, 1e-10);
  EXPECT_NEAR(t.voltage_V, 4.2 - 0.0182 * t.current_A, 1e-10);
  // 3.6 + 1.2 * 2.5 t / 18000 + 2.5 A (20 + 10 + 18.2 mOhm) = 4.2 V
  EXPECT_NEAR(t.mode_since_s, (0.6 - 2.5 * 0.0482) * 18000.0 / 3.0, 1e-6);
}

TEST(Leads, PowerAndResistorAreHeldWhereTheCyclerSees) {
  Plant two = plant_of(wired(false));
  base::Setpoint s;
  s.control = base::Control::power;
  s.power_W = -20.0;
  s.voltage_min_V = 2.5;
  s.current_min_A = -20.0;
  ASSERT_EQ(two.apply(s), Refusal::none);
  two.advance_to({60'000'000});
  EXPECT_NEAR(two.measure().power_W, -20.0, 1e-8);
  s.control = base::Control::resistance;
  s.resistance_Ohm = 1.5;
  ASSERT_EQ(two.apply(s), Refusal::none);
  two.advance_to({120'000'000});
  EXPECT_NEAR(two.measure().voltage_V / -two.measure().current_A, 1.5, 1e-9);
}

TEST(Leads, AContactThatCorrodesShowsWithTwoWiresAJointWithFour) {
  PlantConfig config = wired(false);
  config.leads.contact_Ohm_per_h = 0.002;
  Plant two = plant_of(config);
  ASSERT_EQ(two.apply(charge_at(1.0, 4.2)), Refusal::none);
  two.advance_to({3'600'000'000});
  EXPECT_NEAR(two.truth().contact_Ohm, 0.003, 1e-9);
  EXPECT_NEAR(two.measure().voltage_V - two.truth().voltage_V, 0.0202, 1e-8);
  Plant four = plant_of(wired(true));
  ASSERT_EQ(four.apply(charge_at(1.0, 4.2)), Refusal::none);
  EXPECT_TRUE(four.set_contact(0.05));
  EXPECT_NEAR(four.measure().voltage_V, four.truth().voltage_V, 1e-12);
  EXPECT_TRUE(four.set_joint(0.05));
  EXPECT_NEAR(four.measure().voltage_V, four.truth().voltage_V + 0.05, 1e-12);
  EXPECT_FALSE(four.set_joint(-1.0));
  EXPECT_FALSE(four.set_contact(std::numeric_limits<double>::quiet_NaN()));
}

TEST(SenseFault, ABiasedInputMovesReadingAndConstantVoltage) {
  for (auto [fault, bias_V] : {std::pair{SenseFault::bias_plus, 0.3}, std::pair{SenseFault::bias_minus, -0.1}}) {
    Plant plant = plant_of(wired(true));
    ASSERT_TRUE(plant.set_sense_fault(fault));
    EXPECT_NEAR(plant.measure().voltage_V, 3.6 + bias_V, 1e-12);
    ASSERT_EQ(plant.apply(charge_at(2.5, 4.2)), Refusal::none);
    plant.advance_to({4'200'000'000});
    EXPECT_EQ(plant.truth().mode, StageMode::voltage);
    EXPECT_NEAR(plant.truth().voltage_V, 4.2 - bias_V, 1e-10);
    ASSERT_TRUE(plant.set_sense_fault(SenseFault::none));
    EXPECT_NEAR(plant.measure().voltage_V, plant.truth().voltage_V, 1e-12);
  }
}

TEST(SenseFault, AnInputThatFallsBackReadsTheTerminals) {
  Plant plant = plant_of(wired(true));
  ASSERT_EQ(plant.apply(charge_at(10.0, 4.2)), Refusal::none);
  const double before_V = plant.measure().voltage_V;
  ASSERT_TRUE(plant.set_sense_fault(SenseFault::terminal));
  EXPECT_NEAR(plant.measure().voltage_V - before_V, 0.182, 1e-9);
}

TEST(SenseFault, AFloatingInputDecaysAndTheStageRunsAway) {
  PlantConfig config = wired(true);
  config.stage.ovp_margin = 0.05;
  Plant plant = plant_of(config, 0.9);
  ASSERT_EQ(plant.apply(charge_at(5.0, 4.2)), Refusal::none);
  plant.advance_to({1'200'000'000});  // in constant voltage
  ASSERT_EQ(plant.truth().mode, StageMode::voltage);
  ASSERT_LT(plant.truth().current_A, 4.0);
  ASSERT_TRUE(plant.set_sense_fault(SenseFault::floating));
  plant.advance_to({1'202'000'000});
  EXPECT_NEAR(plant.measure().voltage_V, 4.2 * std::exp(-1.0), 0.02);
  EXPECT_NEAR(plant.truth().current_A, 5.0, 1e-9) << "against the current limit";
  EXPECT_GT(plant.truth().voltage_V, 4.2);
  plant.advance_to({9'000'000'000});
  EXPECT_FALSE(plant.truth().output_on);
  EXPECT_EQ(plant.measure().alarms, alarm::kOverVoltage) << "at its own terminals";
  EXPECT_LT(plant.truth().voltage_V, 4.41);
}

TEST(SenseFault, SwappedWiresReadNegativeAndDischargeNothing) {
  Plant plant = plant_of(wired(true));
  ASSERT_TRUE(plant.set_sense_fault(SenseFault::swapped));
  EXPECT_NEAR(plant.measure().voltage_V, -3.6, 1e-12);
  ASSERT_EQ(plant.apply(discharge_at(2.5, 2.5)), Refusal::none);
  plant.advance_to({10'000'000});
  EXPECT_EQ(plant.truth().current_A, 0.0);
  ASSERT_EQ(plant.apply(charge_at(2.5, 4.2)), Refusal::none);
  plant.advance_to({7'000'000'000});
  EXPECT_DOUBLE_EQ(plant.truth().current_A, 2.5) << "never sees its voltage";
  EXPECT_GT(plant.truth().voltage_V, 4.2);
  EXPECT_LT(plant.measure().voltage_V, -4.2);
}

TEST(SenseFault, TwoWiresHaveNone) {
  Plant plant = plant_of(wired(false));
  EXPECT_FALSE(plant.set_sense_fault(SenseFault::floating));
  EXPECT_TRUE(plant.set_sense_fault(SenseFault::none));
  EXPECT_EQ(words_of_table(kSenseFaultWords).size(), 6U);
}

TEST(Probe, LagsBehindARampByRateTimesTimeConstant) {
  Probe probe({ProbeKind::thermocouple, 10.0, 0.5, 25.0}, 20.0);
  double surface = 20.0;
  for (int s = 0; s < 200; ++s) probe.follow(surface += 0.1, 1.0);
  EXPECT_NEAR(probe.shown_degC(), surface - 0.1 * 10.0 + 0.5, 1e-6);
  Probe fine({ProbeKind::thermocouple, 10.0, 0.5, 25.0}, 20.0);
  surface = 20.0;
  for (int s = 0; s < 2000; ++s) fine.follow(surface += 0.01, 0.1);
  EXPECT_NEAR(probe.shown_degC(), fine.shown_degC(), 1e-9) << "whatever the step";
}

TEST(Probe, BrokenOnesShowTheirEnds) {
  Probe couple({ProbeKind::thermocouple, 0.0, 0.0, 23.0}, 40.0), ntc({ProbeKind::ntc, 0.0, 0.0, 23.0}, 40.0);
  struct Row {
    ProbeFault fault;
    double couple_degC, ntc_degC;
  };
  for (const Row& row : {Row{ProbeFault::none, 40.0, 40.0}, Row{ProbeFault::open, 1372.0, -40.0},
                         Row{ProbeFault::open_low, -200.0, -40.0}, Row{ProbeFault::short_circuit, 23.0, 150.0},
                         Row{ProbeFault::reversed, 6.0, 40.0}}) {
    couple.fault = ntc.fault = row.fault;
    EXPECT_DOUBLE_EQ(couple.shown_degC(), row.couple_degC);
    EXPECT_DOUBLE_EQ(ntc.shown_degC(), row.ntc_degC);
  }
  ntc.fault = ProbeFault::none;
  ntc.follow(200.0, 1.0);
  EXPECT_DOUBLE_EQ(ntc.shown_degC(), 150.0) << "an NTC ends there";
}

TEST(Probe, OnAPlantItLagsTheSurface) {
  PlantConfig config;
  config.probe.lag_s = 20.0;
  Plant plant(shipped("lg-m50").make({0.9, 25.0}), config, {});
  ASSERT_EQ(plant.apply(discharge_at(10.0, 2.5)), Refusal::none);
  plant.advance_to({300'000'000});
  const double lag_K = plant.truth().cell.surface_degC - plant.measure().temperature_degC;
  EXPECT_GT(lag_K, 0.1);
  plant.probe().fault = ProbeFault::open;
  EXPECT_NEAR(plant.measure().temperature_degC, 1372.0, 1e-9);
}

}  // namespace
}  // namespace cyclerd::hil
