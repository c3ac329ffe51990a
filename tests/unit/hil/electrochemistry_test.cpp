// The single-particle models as whole cells: golden curves (golden/README.md), conservation, limits, heat.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "hil/cells/cell_model.hpp"
#include "tests/support/allocation_count.hpp"
#include "tests/unit/hil/chen2020.hpp"

namespace cyclerd::hil {
namespace {

using test::chen2020;
using test::electrochemical;
using Maker = std::shared_ptr<const CellModel> (*)(ElectrochemicalSet);

struct Golden {
  const char* file;
  Maker maker;
  double current_A;
  double end_s;    // at 2.5 V, fine mesh
  double start_V;  // the instant the current flows
};

std::ostream& operator<<(std::ostream& out, const Golden& g) {
  return out << g.file;
}

struct Row {
  double t_s, voltage_V;
};

std::vector<Row> rows_of(const std::string& file) {
  std::ifstream in(std::string(CYCLERD_SOURCE_DIR) + "/tests/unit/hil/golden/chen2020_" + file + ".csv");
  std::string header;
  std::getline(in, header);
  std::vector<Row> rows;
  Row row{};
  for (char comma = 0; in >> row.t_s >> comma >> row.voltage_V;) rows.push_back(row);
  return rows;
}

class GoldenCurve : public ::testing::TestWithParam<Golden> {};

TEST_P(GoldenCurve, IsMetWithinAMillivoltAndASecond) {
  const Golden g = GetParam();
  const std::vector<Row> rows = rows_of(g.file);
  ASSERT_GT(rows.size(), 50U);
  for (double dt_s : {1.0, 10.0}) {
    SCOPED_TRACE(dt_s);
    auto cell = electrochemical(*g.maker(chen2020()));
    double t_s = 0.0, voltage_V = cell->terminal(g.current_A).voltage_V(g.current_A), before_V = voltage_V;
    EXPECT_NEAR(voltage_V, g.start_V, 1e-3);
    double worst_V = 0.0;
    std::size_t next = 0;
    while (voltage_V >= 2.5) {
      if (next < rows.size() && std::abs(rows[next].t_s - t_s) < 1e-6)
        worst_V = std::max(worst_V, std::abs(voltage_V - rows[next++].voltage_V));
      before_V = voltage_V;
      voltage_V = cell->propose(g.current_A, g.current_A, dt_s);
      cell->commit();
      t_s += dt_s;
      ASSERT_LT(t_s, 2e4);
    }
    EXPECT_EQ(next, rows.size());
    EXPECT_LT(worst_V, 1e-3);
    EXPECT_NEAR(t_s - dt_s * (2.5 - voltage_V) / (before_V - voltage_V), g.end_s, 1.0);
    EXPECT_EQ(cell->readout().flags, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Chen2020, GoldenCurve,
                         ::testing::Values(Golden{"spm_0.2C", make_spm_model, -1.0, 18233.46, 4.141712},
                                           Golden{"spm_1C", make_spm_model, -5.0, 3566.34, 4.056568},
                                           Golden{"spm_2C", make_spm_model, -10.0, 1734.11, 4.001650},
                                           Golden{"spme_0.2C", make_spme_model, -1.0, 18226.36, 4.13766},
                                           Golden{"spme_1C", make_spme_model, -5.0, 3555.28, 4.03633},
                                           Golden{"spme_2C", make_spme_model, -10.0, 1707.78, 3.96117}));

ElectrochemicalSet warm_and_ageing() {
  ElectrochemicalSet s = chen2020();
  s.thermal = ThermalSet{60.0, 5.0, 0.5, 0.3};
  s.negative.entropic_V_per_K = sampled([](double x) { return 1e-4 * (0.3 - x); }, 0.0, 1.0, 101);
  s.sei.emplace();
  s.sei->law = SeiLaw::kEcReaction;
  s.plating.emplace();
  s.negative.loss = {1e-8, 1e-5, 30000.0};
  s.positive.loss = {2e-8, 2e-5, 0.0};
  s.hysteresis = HysteresisSet{constant_curve(0.01), 20.0};
  return s;
}

// Follows a random walk of current between charge and discharge at a warmth that moves.
template <class Each>
void wander(Cell& cell, double current_A, int steps, Each each) {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> share(-1.0, 1.0), seconds(0.05, 40.0);
  double last_A = 0.0;
  for (int k = 0; k < steps; ++k) {
    const double next_A = current_A * share(random), dt_s = seconds(random);
    if (k % 40 == 0) cell.set_ambient(20.0 + 15.0 * share(random));
    each(last_A, next_A, dt_s);
    last_A = next_A;
  }
}

TEST(Spme, NoLithiumAndNoSaltIsLostOrMade) {
  auto cell = electrochemical(*make_spme_model(warm_and_ageing()), {0.5, 25.0});
  const Inventory before = cell->inventory();
  wander(*cell, 8.0, 3000, [&](double from_A, double to_A, double dt_s) { step(*cell, from_A, to_A, dt_s); });
  const Inventory after = cell->inventory();
  EXPECT_GT(after.ageing.sei_C, 1e-3);
  EXPECT_GT(after.ageing.dead_C, 1e-9);
  EXPECT_GT(after.ageing.lost_C, 1e-3);
  EXPECT_LT(after.ageing.negative_share, 1.0);
  EXPECT_NEAR(after.lithium_C() / before.lithium_C(), 1.0, 1e-12);
  EXPECT_NEAR(after.salt_mol / before.salt_mol, 1.0, 1e-12);
}

TEST(Spme, TheCurrentMovesExactlyItsChargeBetweenTheElectrodes) {
  for (Maker maker : {make_spm_model, make_spme_model}) {
    auto cell = electrochemical(*maker(chen2020()), {0.5, 25.0});
    const Inventory before = cell->inventory();
    double charge_C = 0.0;
    wander(*cell, 6.0, 500, [&](double from_A, double to_A, double dt_s) {
      step(*cell, from_A, to_A, dt_s);
      charge_C += 0.5 * (from_A + to_A) * dt_s;
    });
    EXPECT_NEAR(cell->inventory().positive_C, before.positive_C - charge_C, 1e-8);
    EXPECT_NEAR(cell->inventory().negative_C, before.negative_C + charge_C, 1e-8);
    EXPECT_NEAR(cell->readout().soc, 0.5 + charge_C / cell->readout().capacity_C, 1e-12);
  }
}

TEST(Spme, GoesOnBitForBitAfterRestore) {
  const auto model = make_spme_model(warm_and_ageing());
  auto one = electrochemical(*model, {0.7, 25.0}), other = electrochemical(*model, {0.2, 5.0});
  wander(*one, 7.0, 200, [&](double from_A, double to_A, double dt_s) { step(*one, from_A, to_A, dt_s); });
  ASSERT_TRUE(other->restore(one->snapshot()));
  wander(*one, 7.0, 200, [&](double from_A, double to_A, double dt_s) {
    other->set_ambient(20.0);
    one->set_ambient(20.0);
    const Affine a = one->terminal_after(from_A, to_A, dt_s), b = other->terminal_after(from_A, to_A, dt_s);
    ASSERT_EQ(a.emf_V, b.emf_V);
    ASSERT_EQ(a.resistance_Ohm, b.resistance_Ohm);
    ASSERT_EQ(one->propose(from_A, to_A, dt_s), other->propose(from_A, to_A, dt_s));
    one->commit();
    other->commit();
  });
  EXPECT_EQ(one->snapshot(), other->snapshot());
}

TEST(Spme, CommittingTwiceIsCommittingOnce) {
  auto cell = electrochemical(*make_spme_model(chen2020()), {0.5, 25.0});
  step(*cell, -5.0, -5.0, 10.0);
  const CellSnapshot once = cell->snapshot();
  cell->commit();
  EXPECT_EQ(cell->snapshot(), once);
}

TEST(Spm, OneStepIsTwoHalves) {
  auto one = electrochemical(*make_spm_model(chen2020()), {0.5, 25.0});
  auto two = electrochemical(*make_spm_model(chen2020()), {0.5, 25.0});
  double worst_V = 0.0;
  wander(*one, 8.0, 300, [&](double from_A, double to_A, double dt_s) {
    one->set_ambient(25.0);
    const double middle_A = 0.5 * (from_A + to_A);
    step(*two, from_A, middle_A, 0.5 * dt_s);
    const double v = two->propose(middle_A, to_A, 0.5 * dt_s);
    two->commit();
    worst_V = std::max(worst_V, std::abs(one->propose(from_A, to_A, dt_s) - v));
    one->commit();
  });
  EXPECT_LT(worst_V, 1e-11);
}

TEST(Spme, HardlyDependsOnTheLengthOfTheSteps) {
  for (double current_A : {-5.0, 3.0}) {
    std::vector<std::unique_ptr<ElectrochemicalCell>> cells;
    const std::vector<double> lengths{0.1, 1.0, 10.0, 60.0};
    for (std::size_t k = 0; k < lengths.size(); ++k)
      cells.push_back(electrochemical(*make_spme_model(chen2020()), {0.5, 25.0}));
    for (int minute = 1; minute <= 20; ++minute) {
      for (std::size_t k = 0; k < lengths.size(); ++k) {
        for (int i = 0; i < static_cast<int>(std::lround(60.0 / lengths[k])); ++i)
          step(*cells[k], current_A, current_A, lengths[k]);
      }
      const double fine_V = cells[0]->terminal(current_A).voltage_V(current_A);
      for (std::size_t k = 1; k < lengths.size(); ++k)
        EXPECT_NEAR(cells[k]->terminal(current_A).voltage_V(current_A), fine_V, 4e-4)
            << current_A << " A, steps of " << lengths[k] << " s, minute " << minute;
    }
  }
}

TEST(Spme, AConstantVoltageIsFoundInFewCorrections) {
  for (Maker maker : {make_spm_model, make_spme_model}) {
    for (double dt_s : {1e-3, 0.1, 1.0, 30.0}) {
      auto cell = electrochemical(*maker(warm_and_ageing()), {0.45, 25.0});
      double start_A = 2.5;
      for (int k = 0; k < 120; ++k) step(*cell, start_A, start_A, 1.0);
      const double hold_V = cell->terminal(start_A).voltage_V(start_A);
      for (int k = 0; k < 20; ++k) {
        double end_A = start_A, error_V = 0.0;
        for (int correction = 0; correction <= 6; ++correction) {
          const Affine end = cell->terminal_after(start_A, end_A, dt_s);
          error_V = cell->propose(start_A, end_A, dt_s) - hold_V;
          end_A -= error_V / end.resistance_Ohm;
        }
        ASSERT_LE(std::abs(error_V), 1e-6) << dt_s << " s, step " << k;
        cell->commit();
        start_A = end_A;
      }
    }
  }
}

TEST(Spme, PredictsTheEndOfASteadyStep) {
  auto cell = electrochemical(*make_spme_model(chen2020()), {0.6, 25.0});
  for (int k = 0; k < 600; ++k) step(*cell, -5.0, -5.0, 1.0);
  for (double dt_s : {0.1, 1.0, 10.0}) {
    EXPECT_NEAR(cell->terminal_after(-5.0, -5.0, dt_s).voltage_V(-5.0), cell->propose(-5.0, -5.0, dt_s), 3e-5) << dt_s;
  }
}

TEST(Spme, GoesOnWithFallingVoltageWhenEmptyAndIsFlagged) {
  for (Maker maker : {make_spm_model, make_spme_model}) {
    auto cell = electrochemical(*maker(chen2020()), {0.05, 25.0});
    double last_V = 10.0;
    for (int k = 0; k < 1200; ++k) {
      const double v = cell->propose(-5.0, -5.0, 1.0);
      cell->commit();
      ASSERT_TRUE(std::isfinite(v));
      ASSERT_LT(v, last_V + 1e-12) << k;
      last_V = v;
    }
    EXPECT_LT(last_V, 0.0);
    const auto expected = cell_flag::kModelLimit | cell_flag::kSocBelow;
    EXPECT_EQ(cell->readout().flags & expected, expected);
    // Charged back it is the cell it was.
    for (int k = 0; k < 1200; ++k) step(*cell, 5.0, 5.0, 1.0);
    for (int k = 0; k < 600; ++k) step(*cell, 0.0, 0.0, 60.0);
    EXPECT_NEAR(cell->readout().soc, 0.05, 1e-9);
    auto untouched = electrochemical(*maker(chen2020()), {0.05, 25.0});
    EXPECT_NEAR(cell->terminal(0.0).emf_V, untouched->terminal(0.0).emf_V, 1e-4);
  }
}

TEST(Spme, ADepletedElectrolyteIsFlaggedAndConserved) {
  auto cell = electrochemical(*make_spme_model(chen2020()), {1.0, 25.0});
  const double salt_mol = cell->inventory().salt_mol;
  double last_V = 10.0;
  bool flagged = false;
  for (int k = 0; k < 300; ++k) {
    const double v = cell->propose(-35.0, -35.0, 1.0);
    cell->commit();
    ASSERT_LT(v, last_V);
    last_V = v;
    if (!flagged && (cell->readout().flags & cell_flag::kModelLimit) != 0U) {
      flagged = true;
      EXPECT_LT(cell->inventory().lowest_salt_mol_per_m3, 1.0);
    }
  }
  EXPECT_TRUE(flagged);
  EXPECT_NEAR(cell->inventory().salt_mol / salt_mol, 1.0, 1e-12);
}

TEST(Spme, AbsurdCurrentsAndDaysLeaveNumbers) {
  for (Maker maker : {make_spm_model, make_spme_model}) {
    for (double current_A : {-1e6, -500.0, -5.0, 5.0, 500.0, 1e6}) {
      auto cell = electrochemical(*maker(warm_and_ageing()), {0.5, 25.0});
      for (double dt_s : {1e-9, 1.0, 86400.0, 1e7}) {
        EXPECT_TRUE(std::isfinite(cell->propose(0.0, current_A, dt_s))) << current_A << " A " << dt_s << " s";
        cell->commit();
        const Affine now = cell->terminal(current_A), after = cell->terminal_after(current_A, current_A, dt_s);
        EXPECT_TRUE(std::isfinite(now.emf_V) && now.resistance_Ohm > 0.0);
        EXPECT_TRUE(std::isfinite(after.emf_V) && after.resistance_Ohm > 0.0);
      }
      for (double x : cell->snapshot().value) ASSERT_TRUE(std::isfinite(x)) << current_A;
      EXPECT_NE(cell->readout().flags & cell_flag::kModelLimit, 0U);
      EXPECT_TRUE(std::isfinite(cell->readout().soc) && std::isfinite(cell->readout().capacity_C));
    }
  }
}

TEST(Spme, ADayAtRestIsNoLimit) {
  auto cell = electrochemical(*make_spme_model(chen2020()), {0.5, 25.0});
  for (int k = 0; k < 600; ++k) step(*cell, -5.0, -5.0, 1.0);
  step(*cell, 0.0, 0.0, 86400.0);
  EXPECT_EQ(cell->readout().flags, 0U);
  EXPECT_NEAR(cell->terminal(0.0).emf_V, cell->readout().ocv_V, 1e-6);
}

TEST(Spme, AStepAllocatesNothing) {
  for (Maker maker : {make_spm_model, make_spme_model}) {
    auto cell = electrochemical(*maker(warm_and_ageing()), {0.5, 25.0});
    const std::uint64_t before = cyclerd::test::allocations();
    double sum = 0.0;
    for (int k = 0; k < 50; ++k) {
      sum += cell->terminal(1.0).emf_V + cell->terminal_after(0.0, 1.0, 0.1 * k).emf_V;
      sum += cell->propose(0.0, 1.0 - 0.1 * k, 0.3 * k);
      cell->commit();
      sum += cell->readout().capacity_C;
    }
    step(*cell, -1000.0, -1000.0, 86400.0);
    EXPECT_EQ(cyclerd::test::allocations(), before);
    EXPECT_TRUE(std::isfinite(sum));
  }
}

TEST(Spme, AllHeatIsInTheBodyOrHasLeftIt) {
  ElectrochemicalSet set = chen2020();
  set.thermal = ThermalSet{60.0, 5.0, 0.5, 0.3};
  set.negative.entropic_V_per_K = constant_curve(-2e-4);
  auto cell = electrochemical(*make_spme_model(set), {0.9, 25.0});
  double left_J = 0.0;
  for (int k = 0; k < 6000; ++k) {
    const double current_A = k < 5600 ? -5.0 : 0.0;
    const double before_W = cell->readout().heat_to_ambient_W;
    step(*cell, current_A, current_A, 0.5);
    left_J += 0.5 * (before_W + cell->readout().heat_to_ambient_W) * 0.5;
  }
  const CellReadout r = cell->readout();
  EXPECT_GT(r.core_degC, 25.2);
  const double stored_J = 60.0 * (r.core_degC - 25.0) + 5.0 * (r.surface_degC - 25.0);
  EXPECT_NEAR((stored_J + left_J) / r.heat_J, 1.0, 1e-4);
}

TEST(Spme, ReversibleHeatIsOfTheEntropy) {
  // The same current to and fro, so small that what is lost is little: half the difference is reversible.
  ElectrochemicalSet set = chen2020();
  set.positive.entropic_V_per_K = constant_curve(3e-4);
  auto charged = electrochemical(*make_spme_model(set), {0.5, 25.0});
  auto discharged = electrochemical(*make_spme_model(set), {0.5, 25.0});
  step(*charged, 0.05, 0.05, 600.0);
  step(*discharged, -0.05, -0.05, 600.0);
  const double reversible_J = 0.5 * (charged->readout().heat_J - discharged->readout().heat_J);
  EXPECT_NEAR(reversible_J / (0.05 * 600.0 * 298.15 * 3e-4), 1.0, 1e-3);
}

TEST(Spme, WarmthHelps) {
  double last_Ohm = 1e9;
  for (double degC : {-20.0, 0.0, 25.0, 45.0}) {
    auto cell = electrochemical(*make_spme_model(chen2020()), {0.5, degC});
    const double ohm = (cell->terminal(0.0).emf_V - cell->propose(0.0, -5.0, 10.0)) / 5.0;
    EXPECT_LT(ohm, last_Ohm);
    last_Ohm = ohm;
  }
}

TEST(Spme, HysteresisSettlesAtTheHalfGap) {
  ElectrochemicalSet set = chen2020();
  auto plain = electrochemical(*make_spme_model(set), {0.3, 25.0});
  set.hysteresis = HysteresisSet{constant_curve(0.02), 200.0};
  auto cell = electrochemical(*make_spme_model(set), {0.3, 25.0});
  for (auto* c : {cell.get(), plain.get()}) step(*c, 1.0, 1.0, 3600.0);
  EXPECT_NEAR(cell->terminal(1.0).emf_V - plain->terminal(1.0).emf_V, 0.02, 1e-9);
  for (auto* c : {cell.get(), plain.get()}) step(*c, -1.0, -1.0, 3600.0);
  EXPECT_NEAR(cell->terminal(-1.0).emf_V - plain->terminal(-1.0).emf_V, -0.02, 1e-9);
}

TEST(Spme, ATransferenceTableOfOneValueIsThatValue) {
  ElectrochemicalSet set = chen2020();
  auto constant = electrochemical(*make_spme_model(set), {0.8, 25.0});
  set.electrolyte.transference = sampled([](double) { return 0.2594; }, 1.0, 4000.0, 3);
  auto table = electrochemical(*make_spme_model(set), {0.8, 25.0});
  for (int k = 0; k < 300; ++k) {
    EXPECT_NEAR(constant->propose(-8.0, -8.0, 2.0), table->propose(-8.0, -8.0, 2.0), 5e-6) << k;
    constant->commit();
    table->commit();
  }
  EXPECT_NEAR(table->inventory().salt_mol / constant->inventory().salt_mol, 1.0, 1e-12);
}

ElectrochemicalSet solid_state() {
  ElectrochemicalSet set = chen2020();
  set.foil = LithiumFoil{.exchange_A_per_m2 = 10.0};
  set.separator = {30e-6, 1.0, 1.0};
  set.electrolyte.salt_gradient = false;
  set.electrolyte.conductivity_S_per_m = constant_curve(0.01);
  set.electrolyte.conductivity_activation_J_per_mol = 60000.0;
  set.electrolyte.transference = constant_curve(1.0);
  return set;
}

TEST(Spme, ASolidElectrolyteIsAResistanceThatFallsWithWarmth) {
  // Halving the separator changes the resistance by its share of L / (sigma A), at once and for ever.
  const double area_m2 = 0.065 * 1.58;
  for (double degC : {25.0, 60.0}) {
    ElectrochemicalSet set = solid_state();
    auto thick = electrochemical(*make_spme_model(set), {0.5, degC});
    set.separator.thickness_m = 15e-6;
    auto thin = electrochemical(*make_spme_model(set), {0.5, degC});
    const double sigma = 0.01 * std::exp(60000.0 / kGas_J_per_mol_K * (1.0 / 298.15 - 1.0 / (degC + 273.15)));
    const double expected_Ohm = 15e-6 / (sigma * area_m2);
    EXPECT_NEAR(thick->terminal(1.0).resistance_Ohm - thin->terminal(1.0).resistance_Ohm, expected_Ohm, 1e-12);
    EXPECT_NEAR(thin->propose(-1.0, -1.0, 100.0) - thick->propose(-1.0, -1.0, 100.0), expected_Ohm, 1e-9);
    EXPECT_EQ(thick->inventory().lowest_salt_mol_per_m3, 1000.0);
  }
}

TEST(Spme, AFoilKeepsTheSaltAndItsPotentialIsZero) {
  ElectrochemicalSet set = chen2020();
  set.foil = LithiumFoil{.exchange_A_per_m2 = 10.0};
  for (bool table : {false, true}) {
    if (table) set.electrolyte.transference = sampled([](double c) { return 0.3 - 2e-5 * c; }, 1.0, 4000.0, 11);
    auto cell = electrochemical(*make_spme_model(set), {0.5, 25.0});
    const Inventory before = cell->inventory();
    EXPECT_NEAR(cell->terminal(0.0).emf_V,
                set.positive.ocp_V.clamped(0.5 * (set.positive.stoichiometry_empty + set.positive.stoichiometry_full)),
                1e-12);
    for (int k = 0; k < 300; ++k) step(*cell, -3.0, -3.0, 2.0);
    EXPECT_NEAR(cell->inventory().positive_C - before.positive_C, 1800.0, 1e-8);
    EXPECT_NEAR(cell->inventory().salt_mol / before.salt_mol, 1.0, 1e-12);
    EXPECT_LT(cell->inventory().lowest_salt_mol_per_m3, 950.0);
    EXPECT_EQ(cell->readout().flags, 0U);
  }
}

TEST(StoichiometryWindow, HoldsTheVoltagesOnTheLineOfLithium) {
  const ElectrochemicalSet set = chen2020();
  const auto w = stoichiometry_window(set, test::kChenNegative, test::kChenPositive, 2.5, 4.2);
  ASSERT_TRUE(w);
  EXPECT_NEAR(open_circuit_V(set, w->negative_empty, w->positive_empty), 2.5, 1e-9);
  EXPECT_NEAR(open_circuit_V(set, w->negative_full, w->positive_full), 4.2, 1e-9);
  // The stock state lies at 4.1809 V, so full is beyond it.
  EXPECT_NEAR(open_circuit_V(set, test::kChenNegative, test::kChenPositive), 4.1809, 1e-4);
  EXPECT_GT(w->negative_full, test::kChenNegative);
  auto lithium_C = [&](double x, double y) {
    return x * set.electrode_capacity_C(set.negative) + y * set.electrode_capacity_C(set.positive);
  };
  EXPECT_NEAR(lithium_C(w->negative_full, w->positive_full), lithium_C(w->negative_empty, w->positive_empty), 1e-6);
  EXPECT_NEAR(set.electrode_capacity_C(set.negative) / 3600.0, 5.8276, 1e-4);
  EXPECT_NEAR(set.electrode_capacity_C(set.positive) / 3600.0, 8.7323, 1e-4);
  EXPECT_NEAR((test::kChenNegative - w->negative_empty) * set.electrode_capacity_C(set.negative) / 3600.0, 5.0995,
              1e-4);
  EXPECT_FALSE(stoichiometry_window(set, test::kChenNegative, test::kChenPositive, 2.5, 9.0));
}

TEST(ElectrochemicalSetCheck, NamesWhatIsWrong) {
  EXPECT_FALSE(defect_of(chen2020()));
  EXPECT_FALSE(defect_of(solid_state()));
  auto named = [](auto change, const char* word) {
    ElectrochemicalSet s = chen2020();
    change(s);
    const auto defect = defect_of(s);
    ASSERT_TRUE(defect) << word;
    EXPECT_NE(defect->find(word), std::string::npos) << *defect;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  named([&](ElectrochemicalSet& s) { s.area_m2 = nan; }, "area");
  named([&](ElectrochemicalSet& s) { s.negative.radius_m = 0.0; }, "particle radius");
  named([&](ElectrochemicalSet& s) { s.positive.porosity = 0.5; }, "more than the electrode");
  named([&](ElectrochemicalSet& s) { s.positive.ocp_V = constant_curve(nan); }, "potential");
  named([&](ElectrochemicalSet& s) { s.positive.diffusivity_m2_per_s = constant_curve(0.0); }, "diffusivity");
  named([&](ElectrochemicalSet& s) { s.positive.exchange_A_per_m2 = constant_curve(0.0); }, "exchange");
  named([&](ElectrochemicalSet& s) { std::swap(s.positive.stoichiometry_empty, s.positive.stoichiometry_full); },
        "smaller when full");
  named([&](ElectrochemicalSet& s) { s.electrolyte.conductivity_S_per_m = constant_curve(-1.0); }, "conductivity");
  named([&](ElectrochemicalSet& s) { s.separator.thickness_m = -1.0; }, "separator");
  named([&](ElectrochemicalSet& s) { s.sei.emplace().initial_thickness_m = 0.0; }, "SEI");
}

}  // namespace
}  // namespace cyclerd::hil
