// Against the golden curve (golden/lis_marinescu2016_*.csv: the same equations by Radau with 1e-9, own computation) and
// the end times found with it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <sstream>
#include <string>

#include "hil/cells/lithium_sulfur_cell.hpp"
#include "tests/support/allocation_count.hpp"
#include "tests/unit/hil/golden.hpp"

namespace cyclerd::hil {
namespace {

constexpr SulfurMasses kFull{2.6730, 0.0128, 4.3321e-6, 1.6321e-6, 2.7e-6};
constexpr SulfurMasses kPaperFull{2.6946, 0.0027, 0.0026973, 8.8307e-10, 2.7e-6};
constexpr SulfurMasses kForCharging{7.7015e-12, 4.12861e-3, 1.34928299, 1.2808e-4, 1.34646032};
constexpr const char* kSet = "lithium-sulfur-marinescu2016";

double total_g(const SulfurMasses& m) {
  return std::accumulate(m.begin(), m.end(), 0.0);
}

SulfurChemistry chemistry(double shuttle_per_s) {
  SulfurParameters p;
  p.shuttle_per_s = p.shuttle_discharge_per_s = shuttle_per_s;
  return SulfurChemistry(p);
}

// Seconds until the voltage passes `until_V` at a constant current (discharge positive), or `longest_s`.
double time_to(double shuttle_per_s, double current_A, SulfurMasses m, double until_V, double longest_s) {
  const SulfurChemistry c = chemistry(shuttle_per_s);
  const bool falling = current_A > 0.0;
  auto past = [&](const SulfurMasses& at) { return (c.at(at, current_A).voltage_V < until_V) == falling; };
  double try_s = 1e-3;
  for (double t = 0.0; t < longest_s; t += 5.0) {
    const SulfurMasses before = m;
    const double before_try_s = try_s;
    c.advance(m, try_s, current_A, current_A, 5.0);
    if (!past(m)) continue;
    double low = 0.0, high = 5.0;
    while (high - low > 1e-4) {
      SulfurMasses at = before;
      double at_try_s = before_try_s;
      const double middle = 0.5 * (low + high);
      c.advance(at, at_try_s, current_A, current_A, middle);
      (past(at) ? high : low) = middle;
    }
    return t + high;
  }
  return longest_s;
}

std::unique_ptr<Cell> cell_with(const SulfurMasses& masses) {
  auto cell = test::shipped(kSet).make({0.5, 25.0});
  CellSnapshot s = cell->snapshot();
  std::copy(masses.begin(), masses.end(), s.value.begin());
  EXPECT_TRUE(cell->restore(s));
  return cell;
}

TEST(LithiumSulfur, FollowsTheGoldenDischargeWithin2mV) {
  std::ifstream file(CYCLERD_SOURCE_DIR "/tests/unit/hil/golden/lis_marinescu2016_discharge_1p7A_ks2e-4.csv");
  std::string line;
  ASSERT_TRUE(std::getline(file, line));
  auto cell = test::shipped(kSet).make({1.0, 25.0});
  double t = 0.0, worst_mV = 0.0;
  int rows = 0;
  while (std::getline(file, line)) {
    std::stringstream row(line);
    double time_s = 0.0, voltage_V = 0.0;
    char comma = 0;
    ASSERT_TRUE(row >> time_s >> comma >> voltage_V);
    for (; t < time_s - 1e-9; t += 1.0) step(*cell, -1.7, -1.7, 1.0);
    worst_mV = std::max(worst_mV, 1e3 * std::abs(cell->terminal(-1.7).voltage_V(-1.7) - voltage_V));
    SulfurMasses expected{}, now{};
    for (double& mass : expected) ASSERT_TRUE(row >> comma >> mass);
    const CellSnapshot s = cell->snapshot();
    std::copy_n(s.value.begin(), now.size(), now.begin());
    for (std::size_t k = 0; k < now.size(); ++k) EXPECT_NEAR(now[k], expected[k], 1e-4 * expected[k] + 1e-8) << time_s;
    EXPECT_NEAR(total_g(now), 2.685809, 5e-7);
    ++rows;
  }
  EXPECT_EQ(rows, 336);
  EXPECT_LT(worst_mV, 0.01);  // asked for: 2 mV
}

TEST(LithiumSulfur, DischargesEndWhenTheReferenceSays) {
  EXPECT_NEAR(time_to(2e-4, 1.7, kFull, 2.15, 1e4), 6703.2, 0.1);
  EXPECT_NEAR(time_to(0.0, 1.7, kFull, 2.15, 1e4), 7134.0, 0.1);
  EXPECT_NEAR(time_to(0.0, 0.34, kFull, 2.15, 1e5), 35670.0, 1.0);
  EXPECT_NEAR(time_to(2e-4, 0.34, kFull, 2.15, 1e5), 29845.5, 1.0);
}

TEST(LithiumSulfur, ChargesEndLateOrNeverAgainstTheShuttle) {
  EXPECT_NEAR(time_to(2e-4, -1.7, kForCharging, 2.5, 1e5), 7935.0, 1.0);
  EXPECT_NEAR(time_to(2e-4, -1.0, kForCharging, 2.5, 1e5), 17329.0, 1.0);
  EXPECT_NEAR(time_to(2e-4, -0.9, kForCharging, 2.5, 1e5), 21755.0, 1.0);
  EXPECT_EQ(time_to(2e-4, -0.8, kForCharging, 2.5, 4e5), 4e5);
  EXPECT_EQ(time_to(2e-4, -0.5, kForCharging, 2.5, 4e5), 4e5);
}

// Not all in equilibrium: of the first and the last it is the high potential that is known.
TEST(LithiumSulfur, VoltagesOfTheThreePublishedCompositions) {
  const SulfurChemistry c = chemistry(2e-4);
  EXPECT_NEAR(c.at(kPaperFull, 0.0).high_V, 2.43028, 1e-5);
  EXPECT_NEAR(c.at(kFull, 0.0).voltage_V, 2.40676, 1e-5);
  EXPECT_NEAR(c.at(kForCharging, 0.0).high_V, 2.25418, 1e-5);
  EXPECT_NEAR(c.at(kFull, 1.7).voltage_V, 2.40605, 1e-5);
}

TEST(LithiumSulfur, TheVoltageDipsAndRisesWhileDischarging) {
  auto cell = test::shipped(kSet).make({1.0, 25.0});
  double dip_V = 10.0, dip_s = 0.0, after_V = 0.0;
  for (int t = 1; t <= 2400; ++t) {
    step(*cell, -1.7, -1.7, 1.0);
    const double v = cell->terminal(-1.7).voltage_V(-1.7);
    if (v < dip_V) dip_V = v, dip_s = t;
    after_V = v;
  }
  EXPECT_NEAR(dip_s, 2000.0, 60.0);
  EXPECT_LT(dip_V, 2.262);
  EXPECT_NEAR(after_V, 2.2894, 1e-4);
}

TEST(LithiumSulfur, VoltageIsWhereThePartialCurrentsAddUp) {
  const SulfurChemistry c = chemistry(2e-4);
  for (const SulfurMasses& m : {kFull, kPaperFull, kForCharging}) {
    for (double current_A : {-500.0, -1.7, -1e-3, 0.0, 1e-3, 1.7, 500.0}) {
      const SulfurInstant x = c.at(m, current_A);
      EXPECT_NEAR(x.high_A + x.low_A + x.decomposition_A, current_A, 1e-9 * (1.0 + std::abs(current_A)));
      const double h = 1e-5 * (1.0 + std::abs(current_A));
      const double slope = (c.at(m, current_A + h).voltage_V - c.at(m, current_A - h).voltage_V) / (2.0 * h);
      EXPECT_NEAR(-slope / x.resistance_Ohm, 1.0, 1e-5);
    }
  }
}

TEST(LithiumSulfur, StateOfChargeCountsCurrentAndShuttle) {
  const SulfurChemistry c = chemistry(2e-4);
  SulfurMasses m = kFull;
  double try_s = 1e-3, moved_C = 0.0;
  const double before_C = c.charge_C(m);
  EXPECT_NEAR(before_C / 3600.0, 3.3688, 2e-4);
  EXPECT_NEAR(c.shuttle_A(m, 0.0), 0.806, 1e-3);
  for (int k = 0; k < 20000; ++k) {
    const double current_A = 1.5 * std::sin(0.002 * k) + 0.5;
    const double shuttle_start_A = c.shuttle_A(m, current_A);
    c.advance(m, try_s, current_A, current_A, 0.25);
    moved_C += 0.25 * (current_A + 0.5 * (shuttle_start_A + c.shuttle_A(m, current_A)));
  }
  EXPECT_NEAR((before_C - c.charge_C(m)) / moved_C, 1.0, 1e-7);
}

// Free energy of the solution as ideal mixture; its equilibrium potentials are the model's.
double free_energy_J(const SulfurMasses& m, const SulfurParameters& p) {
  const double rt = 8.314462618 * p.temperature_K, four_f = 4.0 * 96485.33212, g_per_L = 32.0 * p.volume_L;
  const double a8 = four_f * p.high_V / rt + std::log(2.0 * g_per_L);
  const double a2 = -(four_f * p.low_V / rt + std::log(0.5 * g_per_L * g_per_L));
  auto part = [](double mass, double molar, double a) { return mass / molar * (std::log(mass) - 1.0 + a); };
  return rt * (part(m[kS8], 256.0, a8) + part(m[kS4], 128.0, 0.0) + part(m[kS2], 64.0, a2) + part(m[kS], 32.0, 0.0) +
               m[kPrecipitate] / 32.0 * std::log(p.saturation_g));
}

TEST(LithiumSulfur, WhatIsNotStoredIsHeat) {
  const SulfurChemistry c = chemistry(2e-4);
  SulfurMasses m = kFull;
  double try_s = 1e-3, energy_J = 0.0, heat_J = 0.0;
  const double before_J = free_energy_J(m, c.parameters());
  double start_V = c.at(m, 0.0).voltage_V, last_A = 0.0;
  for (int k = 1; k <= 40000; ++k) {
    const double current_A = 0.8 * (1.0 - std::cos(1e-3 * k)) * (k < 25000 ? 1.0 : -1.0);
    const auto done = c.advance(m, try_s, last_A, current_A, 0.25);
    const double end_V = c.at(m, current_A).voltage_V;
    EXPECT_GE(done.heat_J, 0.0);
    heat_J += done.heat_J;
    energy_J -= 0.25 * 0.5 * (last_A * start_V + current_A * end_V);
    start_V = end_V;
    last_A = current_A;
  }
  const double stored_J = free_energy_J(m, c.parameters()) - before_J;
  EXPECT_GT(heat_J, 100.0);
  EXPECT_NEAR((energy_J - stored_J) / heat_J, 1.0, 1e-4);
}

TEST(LithiumSulfur, AtRestTheShuttleEmptiesTheHighPlateau) {
  auto cell = test::shipped(kSet).make({1.0, 25.0});
  step(*cell, 0.0, 0.0, 3600.0);
  EXPECT_LT(cell->readout().soc, 0.84);
  for (int hour = 1; hour < 48; ++hour) step(*cell, 0.0, 0.0, 3600.0);
  EXPECT_LT(cell->readout().soc, 0.65);
  EXPECT_GT(cell->readout().soc, 0.5);
  EXPECT_EQ(cell->readout().flags, 0U);
}

TEST(LithiumSulfur, LongStepsEndWhereShortOnesDo) {
  for (double long_s : {30.0, 600.0, 6000.0}) {
    auto one = test::shipped(kSet).make({1.0, 25.0}), many = test::shipped(kSet).make({1.0, 25.0});
    for (double t = 0.0; t < 6000.0; t += long_s) step(*one, -1.7, -1.7, long_s);
    for (int k = 0; k < 6000; ++k) step(*many, -1.7, -1.7, 1.0);
    EXPECT_NEAR(one->terminal(0.0).emf_V, many->terminal(0.0).emf_V, 1e-6) << long_s;
    EXPECT_NEAR(one->readout().heat_J / many->readout().heat_J, 1.0, 2e-4) << long_s;
  }
}

TEST(LithiumSulfur, EmptyAndOvercharged) {
  for (double current_A : {-1.7, -34.0, 1.7, 34.0}) {
    auto cell = cell_with(kForCharging);
    for (double dt_s : {1.0, 100.0, 3600.0, 86400.0}) {
      const std::uint64_t before = cyclerd::test::allocations();
      step(*cell, current_A, current_A, dt_s);
      EXPECT_EQ(cyclerd::test::allocations(), before);
    }
    EXPECT_NE(cell->readout().flags & cell_flag::kModelLimit, 0U) << current_A;
    const double v = cell->terminal(current_A).voltage_V(current_A);
    EXPECT_NEAR(v, current_A > 0.0 ? 3.1 : 1.5, 0.1) << current_A;
    // and back: the cell works again
    cell->clear_flags();
    for (int k = 0; k < 600; ++k) step(*cell, -current_A / std::abs(current_A), -current_A / std::abs(current_A), 1.0);
    EXPECT_EQ(cell->readout().flags & cell_flag::kModelLimit, 0U) << current_A;
    EXPECT_NEAR(cell->terminal(0.0).emf_V, 2.3, 0.15) << current_A;
  }
}

TEST(LithiumSulfur, StartsInEquilibriumAtAnyStateOfCharge) {
  const SulfurChemistry c = chemistry(2e-4);
  double last_V = 0.0;
  for (double soc : {0.0, 0.001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.9999}) {
    const SulfurMasses m = c.rested(soc * c.charge_C(kFull), kFull, 2.7e-6);
    const SulfurInstant x = c.at(m, 0.0);
    EXPECT_NEAR(x.high_V, x.low_V, 1e-6) << soc;
    EXPECT_NEAR(total_g(m), total_g(kFull), 1e-12) << soc;
    EXPECT_NEAR(c.charge_C(m) / c.charge_C(kFull), soc, 1e-8) << soc;
    EXPECT_GT(x.voltage_V, last_V) << soc;
    last_V = x.voltage_V;
  }
}

TEST(LithiumSulfurSets, MistakesAreFound) {
  auto findings = [](const std::string& from, const std::string& to) {
    std::ifstream file(std::string(CYCLERD_SOURCE_DIR) + "/hil/cells/sets/" + kSet + ".toml");
    std::stringstream content;
    content << file.rdbuf();
    std::string text = content.str();
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    text::Diagnostics diagnostics;
    EXPECT_FALSE(load_cell_set(test::source_of(text), diagnostics).has_value());
    return diagnostics.render();
  };
  EXPECT_NE(findings("3.3689 Ah", "3.45 Ah").find("C040"), std::string::npos);
  EXPECT_NE(findings("S8_g = 2.6730", "S8_g = -1").find("S8_g"), std::string::npos);
  EXPECT_NE(findings("shuttle_per_s = 2e-4", "").find("shuttle_per_s"), std::string::npos);
  EXPECT_NE(findings("[full]", "[decomposition]\nlow = \"2.1 V\"\nhigh = \"3 V\"\n[full]").find("C041"),
            std::string::npos);
  EXPECT_NE(findings("2.35 V", "2.35 A").find("high_potential"), std::string::npos);
}

}  // namespace
}  // namespace cyclerd::hil
