#include "hil/cells/cell_faults.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "hil/cells/pack.hpp"
#include "hil/cells/source_cell.hpp"
#include "tests/support/allocation_count.hpp"
#include "tests/unit/hil/golden.hpp"

namespace cyclerd::hil {
namespace {

using test::shipped;

// Reactions of an LG M50: 14.5 g and 25.3 g in 85 J/K.
RunawaySet lg_m50_reactions() {
  constexpr double kBoltzmann = 1.380649e-23;
  RunawaySet r;
  r.sei = {2.25e15, 2.24e-19 / kBoltzmann, 257e3 * 14.5e-3};
  r.anode = {2.5e13, 2.24e-19 / kBoltzmann, 1714e3 * 14.5e-3};
  r.cathode = {2.55e14, 2.64e-19 / kBoltzmann, 790e3 * 25.3e-3};
  r.core_J_per_K = 85.0;
  return r;
}

struct Oven {
  double hottest_degC = 0.0;
  double onset_degC = 0.0;  // where self-heating passed 1 K/s; 0: never
};

// One lump in an oven, steps of `dt_s`.
Oven bake(RunawaySet set, double oven_degC, double conductance_W_per_K, double dt_s, double from_degC = 25.0,
          double longest_s = 36000.0) {
  set.core_to_surface_W_per_K = conductance_W_per_K;
  RunawayState state = fresh(set);
  Oven out;
  double core_degC = from_degC;
  const double keep = std::exp(-conductance_W_per_K / set.core_J_per_K * dt_s);
  for (double t = 0.0; t < longest_s; t += dt_s) {
    if (out.onset_degC == 0.0 && heating_W(set, state, core_degC) / set.core_J_per_K >= 1.0 && core_degC > 150.0)
      out.onset_degC = core_degC;
    const double heat_J = react(set, state, core_degC, oven_degC, dt_s);
    core_degC = oven_degC + (core_degC - oven_degC) * keep + heat_J / set.core_J_per_K;
    out.hottest_degC = std::max(out.hottest_degC, core_degC);
  }
  return out;
}

TEST(Runaway, EndsAdiabaticallyAt572DegC) {
  // All three heats in 85 J/K are 451.6 K; the known end belongs to a start at 120 degC. The last of the anode takes
  // days.
  EXPECT_NEAR(bake(lg_m50_reactions(), 120.0, 0.0, 1000.0, 120.0, 1e7).hottest_degC, 572.0, 1.0);
}

TEST(Runaway, AnOvenOf180DegCIsNotEnoughAnd190Is) {
  for (double conductance : {0.15, 0.178}) {
    SCOPED_TRACE(conductance);
    const Oven cool = bake(lg_m50_reactions(), 180.0, conductance, 0.1);
    EXPECT_LT(cool.hottest_degC, 195.0);
    EXPECT_EQ(cool.onset_degC, 0.0);
    const Oven hot = bake(lg_m50_reactions(), 190.0, conductance, 0.1);
    EXPECT_GT(hot.hottest_degC, 343.0);
    EXPECT_LT(hot.hottest_degC, 535.0);
    EXPECT_NEAR(hot.onset_degC, 245.0, 5.0);
  }
  EXPECT_GT(bake(lg_m50_reactions(), 185.0, 0.15, 0.1).hottest_degC, 343.0);
}

TEST(Runaway, LongStepsFindTheSameEnd) {
  const Oven fine = bake(lg_m50_reactions(), 190.0, 0.15, 0.05), coarse = bake(lg_m50_reactions(), 190.0, 0.15, 10.0);
  EXPECT_NEAR(fine.hottest_degC, coarse.hottest_degC, 15.0);
  EXPECT_LT(bake(lg_m50_reactions(), 180.0, 0.15, 30.0).hottest_degC, 195.0);
}

TEST(Runaway, WithoutReactantsNothingHappens) {
  RunawaySet set = lg_m50_reactions();
  RunawayState state{0.0, 0.0, 0.033, 1.0, false};
  EXPECT_EQ(react(set, state, 400.0, 400.0, 1000.0), 0.0);
  EXPECT_EQ(heating_W(set, fresh(set), 25.0), 0.0);
}

TEST(FaultyCell, RunsAwayInAHotOvenCollapsesAndSaysSo) {
  for (double oven_degC : {170.0, 200.0}) {
    SCOPED_TRACE(oven_degC);
    auto cell = shipped("lg-m50-runaway").make({0.5, 25.0});
    cell->set_ambient(oven_degC);
    double hottest_degC = 0.0;
    for (int k = 0; k < 20000; ++k) {
      step(*cell, 0.0, 0.0, 1.0);
      hottest_degC = std::max(hottest_degC, cell->readout().core_degC);
    }
    const bool lost = oven_degC > 190.0;
    EXPECT_EQ((cell->readout().flags & cell_flag::kRunaway) != 0, lost);
    EXPECT_EQ(hottest_degC > 340.0, lost) << hottest_degC;
    EXPECT_LT(hottest_degC, 600.0);
    EXPECT_EQ(cell->terminal(0.0).emf_V < 0.1, lost);
    EXPECT_NEAR(cell->readout().surface_degC, oven_degC, 10.0);
  }
}

TEST(FaultyCell, LithiumIronPhosphateRunsAway90KLater) {
  text::Diagnostics diagnostics;
  std::ifstream file(CYCLERD_SOURCE_DIR "/hil/cells/sets/lg-m50-runaway.toml");
  std::stringstream content;
  content << file.rdbuf() << "later = \"90 K\"\n";
  auto set = load_cell_set(test::source_of(content.str()), diagnostics);
  ASSERT_TRUE(set) << diagnostics.render();
  auto flags_at = [&](double oven_degC) {
    auto cell = set->make({0.5, 25.0});
    cell->set_ambient(oven_degC);
    for (int k = 0; k < 20000; ++k) step(*cell, 0.0, 0.0, 1.0);
    return cell->readout().flags & cell_flag::kRunaway;
  };
  EXPECT_EQ(flags_at(255.0), 0U);
  EXPECT_NE(flags_at(290.0), 0U);
}

TEST(FaultyCell, WithoutAFaultItIsTheCellItself) {
  auto bare = shipped("lg-m50").make({0.5, 25.0});
  FaultyCell wrapped(shipped("lg-m50").make({0.5, 25.0}), {}, lg_m50_reactions());
  for (int k = 0; k < 500; ++k) {
    const double end_A = 3.0 * std::sin(0.1 * k);
    ASSERT_EQ(bare->propose(1.0, end_A, 0.7), wrapped.propose(1.0, end_A, 0.7));
    ASSERT_EQ(bare->terminal_after(1.0, end_A, 0.7).emf_V, wrapped.terminal_after(1.0, end_A, 0.7).emf_V);
    bare->commit();
    wrapped.commit();
    ASSERT_EQ(bare->terminal(1.0).emf_V, wrapped.terminal(1.0).emf_V);
  }
  EXPECT_EQ(bare->readout().heat_J, wrapped.readout().heat_J);
}

// 3.7 V behind 50 mOhm: everything can be written down.
TEST(FaultyCell, AShortDividesTheVoltageOfASource) {
  CellFaults faults;
  faults.short_circuit.resistance_Ohm = 0.1;
  faults.contact_Ohm = 0.01;
  FaultyCell cell(shipped("source").make({0.5, 25.0}), faults, std::nullopt);
  const double divider = 0.1 / 0.15;
  for (double current_A : {-5.0, 0.0, 5.0}) {
    const double expected_V = (3.7 + 0.05 * current_A) * divider + 0.01 * current_A;
    EXPECT_NEAR(cell.terminal(current_A).voltage_V(current_A), expected_V, 1e-12);
    EXPECT_NEAR(cell.propose(current_A, current_A, 1.0), expected_V, 1e-11);
  }
  step(cell, 0.0, 0.0, 1.0);
  const double short_A = 3.7 / 0.15;
  EXPECT_NEAR(cell.readout().soc, 0.5 - short_A / 18000.0, 1e-12);
  EXPECT_NEAR(cell.readout().heat_W, 3.7 * short_A, 1e-9);
}

TEST(FaultyCell, AHardShortEmptiesAndWarmsTheCell) {
  for (double dt_s : {1.0, 10.0, 3600.0, 86400.0}) {
    CellFaults faults;
    faults.short_circuit.resistance_Ohm = 0.1;
    FaultyCell cell(shipped("lg-m50").make({0.9, 25.0}), faults, std::nullopt);
    for (double t = 0.0; t < 7200.0; t += dt_s) step(cell, 0.0, 0.0, dt_s);
    EXPECT_LT(cell.readout().soc, 0.05) << dt_s;
    EXPECT_GT(cell.readout().soc, -0.34) << dt_s;  // there its extrapolated voltage is 0
    EXPECT_LT(cell.terminal(0.0).emf_V, 2.0) << dt_s;
    EXPECT_GT(cell.readout().heat_J, 20e3) << dt_s;
  }
}

TEST(FaultyCell, AShortBeginsWhenItIsTold) {
  CellFaults faults;
  faults.short_circuit.resistance_Ohm = 1.0;
  faults.short_circuit.first_Ohm = 1000.0;
  faults.short_circuit.growth_s = 100.0;
  faults.short_circuit.onset_s = 50.0;
  FaultyCell cell(shipped("lg-m50").make({0.5, 25.0}), faults, std::nullopt);
  for (int k = 0; k < 49; ++k) step(cell, 0.0, 0.0, 1.0);
  EXPECT_EQ(cell.short_now_S(), 0.0);
  step(cell, 0.0, 0.0, 1.0);
  EXPECT_NEAR(cell.short_now_S(), 1e-3, 1e-12);
  for (int k = 0; k < 100; ++k) step(cell, 0.0, 0.0, 1.0);
  EXPECT_NEAR(1.0 / cell.short_now_S(), 1.0 + 999.0 * std::exp(-1.0), 1e-6);
  // by charge: exactly without a seed, elsewhere with one, the same for the same seed
  auto begins_C = [](std::uint64_t seed) {
    CellFaults by_charge;
    by_charge.short_circuit.resistance_Ohm = 1.0;
    by_charge.short_circuit.onset_charge_C = 100.0;
    by_charge.short_circuit.seed = seed;
    FaultyCell one(shipped("source").make({0.5, 25.0}), by_charge, std::nullopt);
    double charge_C = 0.0;
    while (one.short_now_S() == 0.0 && charge_C < 1e4) step(one, 1.0, 1.0, 1.0), charge_C += 1.0;
    return charge_C;
  };
  EXPECT_EQ(begins_C(0), 100.0);
  EXPECT_NE(begins_C(1), begins_C(2));
  EXPECT_EQ(begins_C(3), begins_C(3));
}

TEST(FaultyCell, AnOpenCellTakesNothing) {
  CellFaults faults;
  faults.open = true;
  FaultyCell cell(shipped("lg-m50").make({0.5, 25.0}), faults, std::nullopt);
  EXPECT_EQ(cell.terminal(0.0).emf_V, 0.0);
  EXPECT_GT(cell.propose(0.0, 1e-3, 1.0), 100.0);
  cell.commit();
  EXPECT_EQ(cell.readout().soc, 0.5);
  cell.set_faults({});
  EXPECT_GT(cell.terminal(0.0).emf_V, 3.5);
}

TEST(FaultyCell, FadeAndGrowthAreSeen) {
  CellFaults faults;
  faults.capacity_factor = 0.8;
  faults.resistance_growth = 0.5;
  FaultyCell cell(shipped("linear-closed-form").make({0.5, 25.0}), faults, std::nullopt);
  EXPECT_NEAR(cell.terminal(0.0).resistance_Ohm, 0.02 / 0.8 * 1.5, 1e-12);
  for (int k = 0; k < 144; ++k) step(cell, 1.0, 1.0, 10.0);  // a tenth of 80 % of 5 Ah
  EXPECT_NEAR(cell.readout().soc, 0.6, 1e-12);
  EXPECT_NEAR(cell.readout().capacity_C, 0.8 * 18000.0, 1e-9);
}

TEST(FaultyCell, GoesOnBitForBitAndAllocatesNothing) {
  CellFaults faults;
  faults.short_circuit = {0.5, 10.0, 300.0, 20.0, 0.0, 0};
  faults.contact_Ohm = 0.003;
  faults.capacity_factor = 0.93;
  faults.resistance_growth = 0.2;
  FaultyCell cell(shipped("lg-m50").make({0.5, 25.0}), faults, lg_m50_reactions());
  cell.set_ambient(90.0);
  for (int k = 0; k < 200; ++k) step(cell, 1.0, -1.0, 3.0);
  FaultyCell other(shipped("lg-m50").make({0.9, 45.0}), {}, lg_m50_reactions());
  ASSERT_TRUE(other.restore(cell.snapshot()));
  EXPECT_EQ(other.snapshot(), cell.snapshot());
  const std::uint64_t before = cyclerd::test::allocations();
  for (int k = 0; k < 200; ++k) {
    ASSERT_EQ(cell.propose(0.1 * k, 1.0, 2.0), other.propose(0.1 * k, 1.0, 2.0));
    cell.commit();
    other.commit();
  }
  EXPECT_EQ(cyclerd::test::allocations(), before);
  EXPECT_EQ(other.snapshot(), cell.snapshot());
  CellSnapshot wrong = cell.snapshot();
  wrong.value[11] = -1.0;
  EXPECT_FALSE(other.restore(wrong));
}

TEST(FaultyCell, NonsenseIsIgnoredAndFlagged) {
  FaultyCell cell(shipped("lg-m50").make({0.5, 25.0}), {}, std::nullopt);
  CellFaults nonsense;
  nonsense.contact_Ohm = std::nan("");
  cell.set_faults(nonsense);
  EXPECT_NE(cell.readout().flags & cell_flag::kBadInput, 0U);
  EXPECT_EQ(cell.faults().contact_Ohm, 0.0);
  EXPECT_FALSE(cell.start_runaway());
}

}  // namespace
}  // namespace cyclerd::hil
