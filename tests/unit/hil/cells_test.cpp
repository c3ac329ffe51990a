#include <gtest/gtest.h>

#include <cctype>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include "hil/cells/cell_set.hpp"
#include "hil/cells/ecm_cell.hpp"
#include "hil/cells/source_cell.hpp"
#include "tests/unit/hil/golden.hpp"

namespace cyclerd::hil {
namespace {

using test::shipped;
using test::source_of;

const double kNan = std::numeric_limits<double>::quiet_NaN();

std::shared_ptr<EcmSet> simple_set() {
  auto set = std::make_shared<EcmSet>();
  set->capacity_C = 18000.0;
  set->ocv_V = Curve(Axis({0.0, 1.0}), {3.0, 4.2});
  set->series_Ohm = 0.02;
  set->branches = {{30.0, 0.01, {}}};
  return set;
}

TEST(Table, InterpolatesClampsAndExtrapolates) {
  Curve curve(Axis({0.0, 0.1, 0.4}), {1.0, 2.0, 5.0});
  EXPECT_DOUBLE_EQ(curve.clamped(0.05), 1.5);
  EXPECT_DOUBLE_EQ(curve.clamped(0.1), 2.0);
  EXPECT_DOUBLE_EQ(curve.clamped(0.25), 3.5);
  EXPECT_DOUBLE_EQ(curve.clamped(-1.0), 1.0);
  EXPECT_DOUBLE_EQ(curve.clamped(7.0), 5.0);
  const Axis::Place beyond = curve.axis().locate(0.5, true);
  EXPECT_TRUE(beyond.outside());
  EXPECT_DOUBLE_EQ(curve.at(beyond), 6.0);
  EXPECT_DOUBLE_EQ(curve.slope(beyond), 10.0);
  EXPECT_DOUBLE_EQ(curve.at(curve.axis().locate(-0.1, true)), 0.0);
}

TEST(Table, EqualAndUnequalKnotsAgree) {
  std::vector<double> knots, values;
  for (int i = 0; i <= 20; ++i) {
    knots.push_back(0.05 * i);
    values.push_back(std::sin(0.3 * i));
  }
  Curve even(Axis(knots), values);
  knots.insert(knots.begin() + 1, 0.01);
  values.insert(values.begin() + 1, values[0] + (values[1] - values[0]) * 0.2);
  Curve uneven(Axis(knots), values);
  for (double x = -0.1; x < 1.1; x += 0.00137) EXPECT_NEAR(even.clamped(x), uneven.clamped(x), 1e-14) << x;
}

TEST(Table, ResistanceIsBilinearClampedFlaggedAndActivated) {
  StateMap map{Axis({0.0, 1.0}), Axis({0.0, 20.0}), {4.0, 2.0, 2.0, 1.0}, 0.0, 298.15};
  std::uint32_t flags = 0;
  EXPECT_DOUBLE_EQ(map.at(0.5, 10.0, flags), 2.25);
  EXPECT_EQ(flags, 0U);
  EXPECT_DOUBLE_EQ(map.at(2.0, 30.0, flags), 1.0);
  EXPECT_EQ(flags, cell_flag::kTableClamped);
  StateMap hot{Axis({0.0}), Axis({25.0}), {1.0}, 1783.0, 298.15};
  EXPECT_NEAR(hot.at(0.5, 25.0, flags), 1.0, 1e-12);
  EXPECT_NEAR(hot.at(0.5, 0.0, flags), std::exp(1783.0 * (1 / 273.15 - 1 / 298.15)), 1e-12);
}

TEST(EcmCell, BranchFollowsAConstantCurrentExactly) {
  EcmCell cell(simple_set(), {0.5, 25.0});
  for (double dt : {1e-6, 1e-3, 0.1, 7.0, 1000.0}) {
    cell.reset({0.5, 25.0});
    const double v = cell.propose(2.0, 2.0, dt);
    const double expected = 3.6 + 1.2 * 2.0 * dt / 18000.0 + 0.04 + 0.02 * -std::expm1(-dt / 30.0);
    EXPECT_NEAR(v, expected, 1e-14 * 100) << dt;
  }
}

TEST(EcmCell, BranchFollowsARampOfCurrentExactly) {
  EcmCell cell(simple_set(), {0.5, 25.0});
  for (double dt : {1e-3, 1.0, 20.0, 300.0}) {
    cell.reset({0.5, 25.0});
    const double slope = (3.0 - 1.0) / dt, tau = 30.0, r = 0.01;
    // v' = (R (1 + slope t) - v) / tau from 0
    const double branch = r * (3.0 - slope * tau - (1.0 - slope * tau) * std::exp(-dt / tau));
    EXPECT_NEAR(cell.propose(1.0, 3.0, dt), 3.6 + 1.2 * 2.0 * dt / 18000.0 + 0.06 + branch, 1e-13) << dt;
  }
}

TEST(EcmCell, OneStepIsTwoHalves) {
  for (const char* name : {"linear-closed-form"}) {
    auto one = shipped(name).make({0.5, 25.0}), two = shipped(name).make({0.5, 25.0});
    step(*one, 3.0, 3.0, 64.0);
    for (int k = 0; k < 64; ++k) step(*two, 3.0, 3.0, 1.0);
    EXPECT_NEAR(one->terminal(0.0).emf_V, two->terminal(0.0).emf_V, 1e-12);
    EXPECT_NEAR(one->readout().soc, two->readout().soc, 1e-13);
  }
}

TEST(EcmCell, WhatIsProposedIsNotYetSo) {
  auto cell = shipped("lg-m50").make({0.5, 25.0});
  const CellReadout before = cell->readout();
  const double at_end = cell->propose(4.0, 4.0, 10.0);
  EXPECT_EQ(cell->readout().soc, before.soc);
  EXPECT_EQ(cell->readout().heat_J, before.heat_J);
  cell->commit();
  EXPECT_DOUBLE_EQ(cell->terminal(4.0).voltage_V(4.0), at_end);
}

TEST(EcmCell, TheAffineAnswerOfALinearCellIsExact) {
  EcmCell cell(simple_set(), {0.5, 25.0});
  step(cell, 1.0, 1.0, 17.0);
  const Affine end = cell.terminal_after(1.0, 1.0, 3.0);
  for (double current : {-5.0, 0.0, 4.0})
    EXPECT_NEAR(cell.propose(1.0, current, 3.0), end.voltage_V(current), 1e-14 * 10);
}

TEST(EcmCell, RestsToItsOpenCircuitVoltage) {
  auto cell = shipped("lg-m50").make({0.5, 25.0});
  for (int k = 0; k < 600; ++k) step(*cell, 5.0, 5.0, 1.0);
  for (int k = 0; k < 30000; ++k) step(*cell, 0.0, 0.0, 10.0);
  const CellReadout r = cell->readout();
  EXPECT_NEAR(cell->terminal(0.0).emf_V, r.ocv_V, 0.004);  // what is left is the hysteresis, after a charge above
  EXPECT_GT(cell->terminal(0.0).emf_V, r.ocv_V);
  EXPECT_NEAR(r.core_degC, 25.0, 1e-6);
  EXPECT_NEAR(r.surface_degC, 25.0, 1e-6);
  const double settled = cell->terminal(0.0).emf_V;
  for (int k = 0; k < 10000; ++k) step(*cell, 0.0, 0.0, 10.0);
  EXPECT_DOUBLE_EQ(cell->terminal(0.0).emf_V, settled);
}

TEST(EcmCell, HysteresisRunsToTheBranchOfTheDirection) {
  auto set = simple_set();
  set->hysteresis_V = Curve(Axis({0.0}), {0.03});
  set->hysteresis_rate = 100.0;
  EcmCell cell(set, {0.5, 25.0});
  step(cell, 5.0, 5.0, 36.0);  // 1 % of the capacity: e^-1 is left
  EXPECT_NEAR(cell.readout().hysteresis, 1.0 - std::exp(-1.0), 1e-12);
  for (int k = 0; k < 100; ++k) step(cell, -5.0, -5.0, 36.0);
  EXPECT_NEAR(cell.readout().hysteresis, -1.0, 1e-12);
  // through zero within one step: first the part that charges, then the part that discharges
  EcmCell crossing(set, {0.5, 25.0}), parts(set, {0.5, 25.0});
  step(crossing, 4.0, -2.0, 30.0);
  step(parts, 4.0, 0.0, 20.0);
  step(parts, 0.0, -2.0, 10.0);
  EXPECT_NEAR(crossing.readout().hysteresis, parts.readout().hysteresis, 1e-13);
}

TEST(EcmCell, SteadyHeatSetsTheTemperatures) {
  auto set = simple_set();
  set->capacity_C = 1e7;  // hardly moves
  set->thermal = ThermalSet{80.0, 18.0, 0.53, 0.178};
  EcmCell cell(set, {0.5, 25.0});
  cell.set_ambient(25.0);
  for (int k = 0; k < 20000; ++k) step(cell, 5.0, 5.0, 1.0);
  const double heat = 25.0 * 0.03;
  EXPECT_NEAR(cell.readout().heat_W, heat, 1e-6);
  EXPECT_NEAR(cell.readout().surface_degC, 25.0 + heat / 0.178, 1e-4);
  EXPECT_NEAR(cell.readout().core_degC, 25.0 + heat / 0.178 + heat / 0.53, 1e-4);
  EXPECT_NEAR(cell.readout().heat_to_ambient_W, heat, 1e-5);
}

TEST(EcmCell, HeatStepsAreExactForAnyLength) {
  const ThermalSet set{80.0, 18.0, 0.53, 0.178};
  Temperatures fine{30.0, 25.0}, coarse{30.0, 25.0};
  const ThermalFactors small = thermal_factors(set, 0.01);
  for (int k = 0; k < 100000; ++k) fine = thermal_step(set, small, fine, 2.0, 20.0);
  coarse = thermal_step(set, thermal_factors(set, 1000.0), coarse, 2.0, 20.0);
  EXPECT_NEAR(fine.core_degC, coarse.core_degC, 1e-8);
  EXPECT_NEAR(fine.surface_degC, coarse.surface_degC, 1e-8);
}

TEST(EcmCell, EntropyHeatsInOneDirectionAndCoolsInTheOther) {
  auto set = simple_set();
  set->entropic_V_per_K = Curve(Axis({0.0}), {2e-4});
  set->thermal = ThermalSet{80.0, 18.0, 0.53, 0.178};
  EcmCell charging(set, {0.5, 25.0}), discharging(set, {0.5, 25.0});
  step(charging, 1.0, 1.0, 1.0);
  step(discharging, -1.0, -1.0, 1.0);
  // I T dU/dT = 1 A 298.15 K 0.2 mV/K, and I^2 R in both
  EXPECT_NEAR(charging.readout().heat_W - discharging.readout().heat_W, 2.0 * 298.15 * 2e-4, 1e-9);
  // the voltage moves with temperature by the same slope
  EcmCell warm(set, {0.5, 45.0});
  EXPECT_NEAR(warm.terminal(0.0).emf_V - 3.6, 20.0 * 2e-4, 1e-12);
}

TEST(EcmCell, LimitsAreFlaggedNotSilent) {
  auto cell = shipped("lg-m50").make({0.99, 50.0});
  step(*cell, 0.0, 0.0, 1.0);
  EXPECT_EQ(cell->readout().flags, cell_flag::kTableClamped);  // diffusion is told up to 45 degC only
  for (int k = 0; k < 3600; ++k) step(*cell, 5.0, 5.0, 1.0);
  EXPECT_NE(cell->readout().flags & cell_flag::kSocAbove, 0U);
  EXPECT_GT(cell->terminal(0.0).emf_V, 4.3);  // goes on rising: an overcharge must look like one
  auto low = shipped("lg-m50").make({0.01, 25.0});
  for (int k = 0; k < 360; ++k) step(*low, -5.0, -5.0, 1.0);
  EXPECT_NE(low->readout().flags & cell_flag::kSocBelow, 0U);
  EXPECT_LT(low->terminal(0.0).emf_V, 2.5);
  low->clear_flags();
  EXPECT_EQ(low->readout().flags, 0U);
}

class AnyCell : public ::testing::TestWithParam<const char*> {};

TEST_P(AnyCell, BadInputIsIgnoredAndFlagged) {
  auto cell = shipped(GetParam()).make({0.5, 25.0});
  const double soc = cell->readout().soc;
  for (double bad : {kNan, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), 1e300}) {
    cell->clear_flags();
    EXPECT_TRUE(std::isfinite(cell->propose(bad, bad, 1.0)));
    cell->commit();
    EXPECT_TRUE(std::isfinite(cell->propose(1.0, 1.0, bad)));
    cell->commit();
    EXPECT_NE(cell->readout().flags & cell_flag::kBadInput, 0U);
    cell->set_ambient(bad);
    EXPECT_EQ(cell->readout().soc, soc);
  }
  EXPECT_TRUE(std::isfinite(cell->propose(1.0, 1.0, -1.0)));
}

TEST_P(AnyCell, VoltageRisesStrictlyWithCurrent) {
  auto cell = shipped(GetParam()).make({0.4, 15.0});
  double last = -1e9;
  for (double current = -20.0; current <= 20.0; current += 0.5) {
    const double v = cell->propose(0.0, current, 5.0);
    EXPECT_GT(v, last);
    last = v;
  }
}

TEST_P(AnyCell, SnapshotAndBackIsTheSameBytes) {
  auto cell = shipped(GetParam()).make({0.4, 15.0});
  for (int k = 0; k < 100; ++k) step(*cell, 3.0, -1.0, 3.7);
  const CellSnapshot first = cell->snapshot();
  auto other = shipped(GetParam()).make({0.9, 45.0});
  ASSERT_TRUE(other->restore(first));
  const CellSnapshot second = other->snapshot();
  EXPECT_EQ(first, second);
  EXPECT_EQ(cell->propose(1.0, 2.0, 3.0), other->propose(1.0, 2.0, 3.0));
  CellSnapshot wrong = first;
  wrong.version += 1;
  EXPECT_FALSE(other->restore(wrong));
  wrong = first;
  wrong.model ^= 1;
  EXPECT_FALSE(other->restore(wrong));
}

INSTANTIATE_TEST_SUITE_P(Shipped, AnyCell, ::testing::Values("lg-m50", "linear-closed-form", "source"),
                         [](const auto& p) {
                           std::string name = p.param;
                           for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
                           return name;
                         });

TEST(LgM50, PulseResistanceIsThatOfTheMeasuredPulses) {
  // 10 s at 25 degC, soc 0.5, 7.5 A (hil/runs/lg-m50/pulses.csv): six cells had 31.6 to 37.4 mOhm, 33.3 in the middle
  auto cell = shipped("lg-m50").make({0.5, 25.0});
  const double rest = cell->terminal(0.0).emf_V;
  double v = 0.0;
  for (int k = 0; k < 1000; ++k) v = cell->propose(-7.5, -7.5, 0.01), cell->commit();
  EXPECT_NEAR((rest - v) / 7.5, 0.0333, 0.0015);
}

TEST(LgM50, ADischargeAtHalfRateGivesNearlyTheRatedCharge) {
  auto cell = shipped("lg-m50").make({1.0, 25.0});
  double t = 0.0;
  while (cell->propose(-2.475, -2.475, 1.0) > 2.5) cell->commit(), t += 1.0;
  EXPECT_NEAR(2.475 * t / 3600.0, 4.85, 0.12);
  EXPECT_NEAR(cell->readout().surface_degC - 25.0, 4.7, 1.2);  // measured rise 4.7 K
}

TEST(CellSets, EveryShippedSetLoads) {
  const auto names = cell_set_names();
  EXPECT_GE(names.size(), 3U);
  for (const std::string& name : names) {
    EXPECT_FALSE(find_cell_set(name).empty());
    EXPECT_EQ(shipped(name).name, name);
    EXPECT_FALSE(shipped(name).licence.empty());
  }
  EXPECT_TRUE(find_cell_set("no-such-cell").empty());
  EXPECT_TRUE(find_cell_set("../lg-m50").empty());
}

TEST(CellSets, EveryMistakeIsFoundInOneRun) {
  const char* text = R"(format = 1
name = "bad"
source = "x"
licence = "y"
model = "ecm"
capacity = "5 V"
colour = "red"
[ocv]
soc = [0.0, 0.5, 0.5, 1.0]
voltage_V = [3.0, "x", 4.0, 4.2]
[series]
soc = [0.1, 0.9]
temperature_degC = [0.0, 25.0]
resistance_Ohm = [[0.05, 0.04]]
[[rc]]
tau = "-3 s"
resistance = "10 mOhm"
[[rc]]
tau = "3 s"
resistance = "0 Ohm"
[thermal]
core_J_per_K = 80.0
surface_J_per_K = 18.0
core_to_surface_W_per_K = -1.0
)";
  text::Diagnostics diagnostics;
  EXPECT_FALSE(load_cell_set(source_of(text), diagnostics).has_value());
  const std::string shown = diagnostics.render();
  for (const char* expected : {"capacity", "colour", "must increase", "no number", "1 rows", "tau", "0 Ohm",
                               "core_to_surface_W_per_K", "surface_to_ambient_W_per_K"}) {
    EXPECT_NE(shown.find(expected), std::string::npos) << expected << "\n" << shown;
  }
  EXPECT_GE(diagnostics.error_count(), 9U);
}

TEST(CellSets, AnUnknownFormatOrModelIsRefused) {
  for (const char* text :
       {"format = 2\n", "format = 1\nname = 'a'\nsource = 'b'\nlicence = 'c'\ncapacity = '1 Ah'\nmodel = 'magic'\n", "",
        "format = \n", "= 3"}) {
    text::Diagnostics diagnostics;
    EXPECT_FALSE(load_cell_set(source_of(text), diagnostics).has_value());
    EXPECT_TRUE(diagnostics.has_errors()) << text;
  }
}

}  // namespace
}  // namespace cyclerd::hil
