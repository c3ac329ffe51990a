// Each part of the equivalent circuit against its closed form.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <numbers>
#include <vector>

#include "hil/cells/ecm_cell.hpp"
#include "hil/cells/relaxation.hpp"

namespace cyclerd::hil {
namespace {

constexpr double kCapacity_C = 18000.0;
constexpr double kThermal_V = 8.314462618 * 298.15 / 96485.33212;  // RT/F at 25 degC

std::shared_ptr<EcmSet> bare_set() {
  auto set = std::make_shared<EcmSet>();
  set->capacity_C = kCapacity_C;
  set->ocv_V = Curve(Axis({0.0, 1.0}), {3.0, 4.2});
  set->series_Ohm = 0.02;
  return set;
}

// Of the surface before the mean in units of tau/15 r, t/tau after the filling began: the series with all modes.
double sphere_series(double x) {
  double sum = 1.0;  // of all weights
  for (int k = 1; k <= 4000; ++k) {
    const double middle = (k + 0.5) * std::numbers::pi;
    double lambda = middle - 1.0 / middle;
    for (int i = 0; i < 20; ++i)
      lambda -= (std::sin(lambda) - lambda * std::cos(lambda)) / (lambda * std::sin(lambda));  // Newton
    sum -= 10.0 / (lambda * lambda) * std::exp(-lambda * lambda * x);
  }
  return sum;
}

TEST(Sphere, FollowsTheSeriesOfAllModes) {
  auto error = [](double x) {
    const SphereRelaxation r = sphere_relaxation(x);
    return std::abs((r.start_sum + r.end_sum) / sphere_series(x) - 1.0);
  };
  for (double x : {1e-4, 2e-4, 5e-4}) EXPECT_LT(error(x), 0.035) << x;
  for (double x : {1e-3, 2e-3, 5e-3, 0.01, 0.02}) EXPECT_LT(error(x), 0.0075) << x;
  for (double x : {0.05, 0.2, 1.0}) EXPECT_LT(error(x), 1e-5) << x;
}

TEST(Sphere, ItsSteadyStateIsAFifteenthOfTau) {
  const SphereRelaxation r = sphere_relaxation(1e4);
  EXPECT_NEAR(r.start_sum + r.end_sum, 1.0, 1e-12);
}

TEST(Sphere, StepsOfAnyLengthOfOneRampAgree) {
  auto set = bare_set();
  set->diffusion = Diffusion{900.0};
  EcmCell one(set, {}), many(set, {});
  step(one, -4.0, 6.0, 640.0);
  for (int k = 0; k < 640; ++k) step(many, -4.0 + k / 64.0, -4.0 + (k + 1) / 64.0, 1.0);
  EXPECT_NEAR(one.terminal(0.0).emf_V, many.terminal(0.0).emf_V, 1e-12);
  // the end that was foretold is the end: the OCV is straight
  EcmCell cell(set, {});
  step(cell, 2.0, 2.0, 50.0);
  const Affine foretold = cell.terminal_after(2.0, 0.0, 7.0);
  for (double end : {-5.0, 0.0, 5.0}) EXPECT_NEAR(cell.propose(2.0, end, 7.0), foretold.voltage_V(end), 1e-12);
}

TEST(Diffusion, TheOcvIsReadAtTheSurface) {
  auto set = bare_set();
  set->diffusion = Diffusion{900.0};
  EcmCell cell(set, {0.2, 25.0});
  const double current = 2.0;
  for (int k = 0; k < 3600; ++k) step(cell, current, current, 1.0);
  const double ahead = 900.0 / 15.0 * current / kCapacity_C;
  EXPECT_NEAR(cell.readout().soc, 0.6, 1e-12);
  EXPECT_NEAR(cell.terminal(current).emf_V, 3.0 + 1.2 * (0.6 + ahead), 1e-12);
  EXPECT_NEAR(cell.readout().ocv_V, 3.0 + 1.2 * 0.6, 1e-12);
  EXPECT_NEAR(cell.readout().heat_W, current * (current * 0.02 + 1.2 * ahead), 1e-9);
  for (int k = 0; k < 100; ++k) step(cell, 0.0, 0.0, 100.0);
  EXPECT_NEAR(cell.terminal(0.0).emf_V, 3.0 + 1.2 * 0.6, 1e-9);
}

TEST(Diffusion, TheColdCostsCapacityAndRestGivesItBack) {
  auto set = bare_set();
  set->diffusion = Diffusion{StateMap(Axis({0.0}), Axis({25.0}), {900.0}, 5000.0)};
  double ended[2];
  for (int warm = 0; warm < 2; ++warm) {
    const double temperature = warm == 0 ? 0.0 : 25.0;
    EcmCell cell(set, {1.0, temperature});
    while (cell.propose(-5.0, -5.0, 1.0) > 2.95) cell.commit();
    ended[warm] = cell.readout().soc;
    const double slower = std::exp(5000.0 * (1.0 / (temperature + 273.15) - 1.0 / 298.15));
    // V = 3.0 + 1.2 (z - tau/15 I/Q) - R I
    EXPECT_NEAR(ended[warm], (2.95 + 0.1 - 3.0) / 1.2 + 900.0 * slower / 15.0 * 5.0 / kCapacity_C, 5e-4);
    const double before = cell.terminal(0.0).emf_V;
    for (int k = 0; k < 400; ++k) step(cell, 0.0, 0.0, 60.0);
    EXPECT_GT(cell.terminal(0.0).emf_V, before + 0.01);
    EXPECT_NEAR(cell.terminal(0.0).emf_V, 3.0 + 1.2 * ended[warm], 1e-3);
  }
  EXPECT_GT(ended[0], ended[1] + 0.05);
}

TEST(Diffusion, ATimeConstantThatMovesIsAFunctionOfTheStateAlone) {
  for (double tau : {1.0, 333.3, 1e5}) {
    const double held = TimeBucket(tau).tau_s();
    EXPECT_NEAR(held / tau, 1.0, 1.0 / 2000.0);
    EXPECT_TRUE(TimeBucket(held) == TimeBucket(tau));
  }
}

TEST(Kinetics, OvervoltageIsTheInverseHyperbolicSine) {
  auto set = bare_set();
  set->kinetics = ChargeTransfer{StateMap(Axis({0.0}), Axis({25.0}), {2.0}, 4000.0), 1.0, 0.5, 0.0};
  EcmCell cell(set, {0.5, 25.0});
  EXPECT_NEAR(cell.terminal(-7.0).voltage_V(-7.0), 3.6 - 0.14 + 2.0 * kThermal_V * std::asinh(-7.0 / 2.0), 1e-12);
  EXPECT_NEAR(cell.terminal(7.0).voltage_V(7.0), 3.6 + 0.14 + 2.0 * kThermal_V * std::asinh(7.0 / 1.0), 1e-12);
  // half the exchange current in a cold that makes the reaction half as fast
  const double cold_K = 1.0 / (1.0 / 298.15 + std::log(2.0) / 4000.0);
  EcmCell cold(set, {0.5, cold_K - 273.15});
  EXPECT_NEAR(cold.terminal(-3.0).voltage_V(-3.0), 3.6 - 0.06 + 2.0 * kThermal_V * cold_K / 298.15 * std::asinh(-3.0),
              1e-12);
}

TEST(Kinetics, TerminalIsTheTangent) {
  auto set = bare_set();
  set->kinetics = ChargeTransfer{0.7, 1.3, 1.0, 0.0};
  set->series_factor = {Curve(Axis({0.0, 10.0}), {1.0, 0.6}), 1.2};
  set->instantaneous_V = 0.001;
  EcmCell cell(set, {0.5, 25.0});
  for (double near : {-20.0, -3.0, -0.1, 0.1, 2.5, 20.0}) {
    const double h = 1e-5;
    const double slope =
        (cell.terminal(near + h).voltage_V(near + h) - cell.terminal(near - h).voltage_V(near - h)) / (2.0 * h);
    EXPECT_NEAR(cell.terminal(near).resistance_Ohm, slope, 1e-7) << near;
    EXPECT_NEAR(cell.propose(near, near, 0.0), cell.terminal(near).voltage_V(near), 1e-15);
  }
}

TEST(Kinetics, TheDoubleLayerDelaysIt) {
  auto set = bare_set();
  set->kinetics = ChargeTransfer{2.0, 1.0, 1.0, 0.5};
  EcmCell cell(set, {0.5, 25.0});
  EXPECT_NEAR(cell.terminal(4.0).voltage_V(4.0), 3.6 + 0.08, 1e-12);  // nothing yet
  const double flows = 4.0 * -std::expm1(-0.3 / 0.5);
  const double rise = 1.2 * 4.0 * 0.3 / kCapacity_C;
  const Affine foretold = cell.terminal_after(4.0, 4.0, 0.3);
  const double v = cell.propose(4.0, 4.0, 0.3);
  EXPECT_NEAR(v, 3.6 + rise + 0.08 + 2.0 * kThermal_V * std::asinh(flows / 2.0), 1e-12);
  EXPECT_NEAR(foretold.voltage_V(4.0), v, 1e-12);
}

TEST(Kinetics, TheResistanceFallsWithCurrentMostInTheCold) {
  auto set = bare_set();
  set->kinetics = ChargeTransfer{StateMap(Axis({0.0}), Axis({25.0}), {2.0}, 6000.0), 1.0, 1.0, 0.0};
  auto drop = [&](double temperature, double current) {
    EcmCell cell(set, {0.5, temperature});
    return (3.6 - cell.terminal(-current).voltage_V(-current)) / current;
  };
  EXPECT_GT(drop(0.0, 1.0) / drop(0.0, 10.0), 1.5 * drop(45.0, 1.0) / drop(45.0, 10.0));
}

TEST(CurrentFactor, ScalesResistanceAndBranchByCurrentAndDirection) {
  auto set = bare_set();
  set->series_factor = {Curve(Axis({2.0, 10.0}), {1.0, 0.6}), 1.5};
  set->branches = {{30.0, 0.01, {Curve(Axis({0.0, 10.0}), {1.0, 0.5}), 1.0}}};
  EcmCell cell(set, {0.5, 25.0});
  EXPECT_NEAR(cell.terminal(-6.0).voltage_V(-6.0), 3.6 - 0.02 * 0.8 * 6.0, 1e-12);
  EXPECT_NEAR(cell.terminal(6.0).voltage_V(6.0), 3.6 + 1.5 * 0.02 * 0.8 * 6.0, 1e-12);
  EXPECT_NEAR(cell.terminal(-100.0).voltage_V(-100.0), 3.6 - 0.02 * 0.6 * 100.0, 1e-12);
  EXPECT_NEAR(cell.terminal(-1.0).voltage_V(-1.0), 3.6 - 0.02, 1e-12);
  step(cell, -6.0, -6.0, 3000.0);
  EXPECT_NEAR(cell.terminal(0.0).emf_V, 3.6 - 1.2 * 6.0 * 3000.0 / kCapacity_C - 0.01 * 0.7 * 6.0, 1e-12);
}

TEST(Branch, ItsTimeFollowsTemperatureAndSoc) {
  auto set = bare_set();
  set->branches = {{StateMap(Axis({0.0, 1.0}), Axis({25.0}), {20.0, 40.0}, 3000.0), 0.01, {}}};
  EcmCell cell(set, {0.5, 5.0});
  cell.propose(1.0, 1.0, 10.0);
  const double tau = 30.0 * std::exp(3000.0 * (1.0 / 278.15 - 1.0 / 298.15));
  const double branch = cell.propose(1.0, 1.0, 10.0) - 3.6 - 1.2 * 10.0 / kCapacity_C - 0.02;
  EXPECT_NEAR(branch, 0.01 * -std::expm1(-10.0 / tau), 0.01 / 2000.0);  // the time is held to a 2000th
}

TEST(Hysteresis, TheInstantaneousPartStaysAtRest) {
  auto set = bare_set();
  set->instantaneous_V = 0.004;
  set->hysteresis_V = StateMap(Axis({0.0}), Axis({0.0, 20.0}), {0.04, 0.02});
  set->hysteresis_rate = 1e5;
  EcmCell cell(set, {0.5, 10.0});
  EXPECT_NEAR(cell.terminal(0.0).emf_V, 3.6, 1e-12);
  step(cell, -5.0, -5.0, 36.0);
  step(cell, 0.0, 0.0, 36.0);
  EXPECT_NEAR(cell.terminal(0.0).voltage_V(0.0), 3.0 + 1.2 * 0.49 - 0.03 - 0.004, 1e-12);
  EXPECT_NEAR(cell.terminal(1.0).voltage_V(1.0), 3.0 + 1.2 * 0.49 - 0.03 + 0.004 + 0.02, 1e-12);
}

TEST(Ocv, RowsOverTemperatureReplaceTheEntropicSlope) {
  auto set = bare_set();
  set->ocv_V = StateMap(Axis({0.0, 1.0}), Axis({0.0, 20.0}), {3.1, 4.1, 3.0, 4.2});
  set->entropic_V_per_K = Curve(Axis({0.0}), {1e-3});
  EXPECT_NEAR(EcmCell(set, {0.25, 5.0}).terminal(0.0).emf_V, 0.75 * 3.35 + 0.25 * 3.3, 1e-12);
  EcmCell above(set, {1.1, 20.0});
  EXPECT_NEAR(above.terminal(0.0).emf_V, 4.32, 1e-12);
  EXPECT_EQ(above.readout().flags, cell_flag::kSocAbove);
  EcmCell hot(set, {0.5, 50.0});
  EXPECT_NEAR(hot.terminal(0.0).emf_V, 3.6, 1e-12);
  EXPECT_EQ(hot.readout().flags, cell_flag::kTableClamped);
}

TEST(Capacity, AndEfficiencyFollowTheTemperature) {
  auto set = bare_set();
  set->capacity_factor = Curve(Axis({0.0, 25.0}), {0.8, 1.0});
  set->charge_efficiency = Curve(Axis({0.0, 25.0}), {0.9, 1.0});
  EcmCell cold(set, {0.5, 0.0});
  step(cold, 5.0, 5.0, 360.0);
  EXPECT_NEAR(cold.readout().soc, 0.5 + 0.9 * 1800.0 / (0.8 * kCapacity_C), 1e-12);
  step(cold, -5.0, -5.0, 360.0);
  EXPECT_NEAR(cold.readout().soc, 0.5 - 0.1 * 1800.0 / (0.8 * kCapacity_C), 1e-12);
  EXPECT_NEAR(cold.readout().capacity_C, 0.8 * kCapacity_C, 1e-9);
}

TEST(SelfDischarge, DoublesWithTemperatureAndEmptiesNoFurther) {
  auto set = bare_set();
  set->self_discharge = {1e-3, 10.0, 25.0};
  for (double temperature : {25.0, 35.0, 45.0}) {
    EcmCell cell(set, {0.9, temperature});
    for (int day = 0; day < 30; ++day) step(cell, 0.0, 0.0, 86400.0);
    const double lost = 1e-3 * std::exp2((temperature - 25.0) / 10.0) * 30.0 * 86400.0 / kCapacity_C;
    EXPECT_NEAR(cell.readout().soc, 0.9 - lost, 1e-12) << temperature;
  }
  EcmCell empty(set, {0.01, 45.0});
  for (int day = 0; day < 300; ++day) step(empty, 0.0, 0.0, 86400.0);
  EXPECT_EQ(empty.readout().soc, 0.0);
  // a trickle that is as large keeps it full
  EcmCell kept(set, {0.9, 25.0});
  for (int day = 0; day < 30; ++day) step(kept, 1e-3, 1e-3, 86400.0);
  EXPECT_NEAR(kept.readout().soc, 0.9, 1e-12);
}

constexpr ThermalSet kClamped{80.0, 18.0, 0.53, 0.05, 400.0, 0.9, 0.3};

TEST(Fixture, StepsAreThoseOfFineOnes) {
  const ThermalModes modes = thermal_modes(kClamped);
  Temperatures exact{60.0, 40.0, 20.0};
  exact = thermal_step(modes, thermal_factors(modes, 700.0), exact, 3.0, 10.0);
  double core = 60.0, surface = 40.0, fixture = 20.0;  // classical Runge-Kutta of the three balances
  auto slope = [](double c, double s, double f, double* d) {
    d[0] = (3.0 - 0.53 * (c - s)) / 80.0;
    d[1] = (0.53 * (c - s) - 0.05 * (s - 10.0) - 0.9 * (s - f)) / 18.0;
    d[2] = (0.9 * (s - f) - 0.3 * (f - 10.0)) / 400.0;
  };
  const double h = 0.1;
  for (int k = 0; k < 7000; ++k) {
    double a[3], b[3], c[3], d[3];
    slope(core, surface, fixture, a);
    slope(core + h / 2 * a[0], surface + h / 2 * a[1], fixture + h / 2 * a[2], b);
    slope(core + h / 2 * b[0], surface + h / 2 * b[1], fixture + h / 2 * b[2], c);
    slope(core + h * c[0], surface + h * c[1], fixture + h * c[2], d);
    core += h / 6 * (a[0] + 2 * b[0] + 2 * c[0] + d[0]);
    surface += h / 6 * (a[1] + 2 * b[1] + 2 * c[1] + d[1]);
    fixture += h / 6 * (a[2] + 2 * b[2] + 2 * c[2] + d[2]);
  }
  EXPECT_NEAR(exact.core_degC, core, 1e-8);
  EXPECT_NEAR(exact.surface_degC, surface, 1e-8);
  EXPECT_NEAR(exact.fixture_degC, fixture, 1e-8);
}

TEST(Fixture, AtRestAllHeatGoesToTheAmbient) {
  auto set = bare_set();
  set->thermal = kClamped;
  EcmCell cell(set, {0.5, 25.0});
  cell.set_extra_heat(2.0);
  for (int k = 0; k < 2000; ++k) step(cell, 0.0, 0.0, 100.0);
  EXPECT_NEAR(cell.readout().heat_to_ambient_W, 2.0, 1e-9);
  EXPECT_NEAR(cell.readout().surface_degC, 25.0 + 2.0 / (0.05 + 0.9 * 0.3 / 1.2), 1e-9);
  EXPECT_NEAR(cell.readout().core_degC - cell.readout().surface_degC, 2.0 / 0.53, 1e-9);
}

TEST(Cooling, IsTheRigs) {
  auto set = bare_set();
  set->thermal = ThermalSet{80.0, 18.0, 0.53, 0.178};
  EcmCell fan(set, {0.5, 25.0, 0.0, 3.0});
  fan.set_extra_heat(2.0);
  for (int k = 0; k < 2000; ++k) step(fan, 0.0, 0.0, 100.0);
  EXPECT_NEAR(fan.readout().surface_degC, 25.0 + 2.0 / (3.0 * 0.178), 1e-9);
  EcmCell other(set, {0.5, 25.0});
  ASSERT_TRUE(other.restore(fan.snapshot()));
  step(fan, 1.0, 1.0, 50.0);
  step(other, 1.0, 1.0, 50.0);
  EXPECT_EQ(fan.snapshot(), other.snapshot());
  for (double bad : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(), 1e9}) {
    EcmCell cell(set, {0.5, 25.0, 0.0, bad});
    EXPECT_NE(cell.readout().flags & cell_flag::kBadInput, 0U);
    EXPECT_TRUE(std::isfinite(cell.propose(1.0, 1.0, 1.0)));
  }
}

}  // namespace
}  // namespace cyclerd::hil
