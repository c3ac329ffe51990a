// What every shipped cell set must do, whatever its model (one suite; a new set joins by lying in hil/cells/sets).
// A model that cannot claim a property says so in kNotClaimed, with the reason.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "hil/cells/cell_set.hpp"
#include "tests/support/allocation_count.hpp"
#include "tests/unit/hil/golden.hpp"

namespace cyclerd::hil {
namespace {

struct NotClaimed {
  std::string_view who;  // a model's word or a set's name
  std::string_view property;
  const char* reason;
};
constexpr NotClaimed kNotClaimed[] = {
    {"source", "flag_after_a_day", "an ideal source has no limit of charge to run into"},
    {"source", "flag_of_extra_heat", "an ideal source has no temperature of its own, heat from outside does nothing"},
    {"source", "surface_follows_extra_heat", "an ideal source has no temperature of its own"},
    {"linear-closed-form", "surface_follows_extra_heat", "the set has no [thermal]: it has the ambient's temperature"},
    {"sodium-ion-chayambuka2022", "surface_follows_extra_heat", "the set has no [thermal]"},
    {"lg-m50-okane2022", "charge", "the growing interphase takes lithium"},
    {"lg-m50-okane2022", "rest", "the interphase grows at rest too"},
    {"solid-state-polymer-synthetic", "rises",
     "far below its 60 degC it heats itself within the step, and its resistance falls faster than the current grows"},
    {"lithium-sulfur", "charge", "the shuttle takes charge all the while; its balance is in lithium_sulfur_test.cpp"},
    {"lithium-sulfur", "rest", "it discharges itself for weeks; lithium_sulfur_test.cpp follows it"},
    {"lithium-sulfur", "loop",
     "the shuttle opens every loop; energy against free energy is in lithium_sulfur_test.cpp"},
};

struct Tolerance {
  std::string_view who;
  std::string_view property;
  double value;
  const char* reason;
};
constexpr Tolerance kTolerances[] = {
    {"", "halves_V", 1e-9, "a model with constant parameters is exact for a constant current, up to rounding"},
    {"ecm", "halves_V", 2e-4, "tables are read in the middle of the step, temperature at its start"},
    {"linear-closed-form", "halves_V", 1e-12, "no table: exact"},
    {"spme", "halves_V", 2e-4, "implicit Euler in particles and electrolyte: first order in the step"},
    {"sodium-ion-18650", "halves_V", 3e-3, "the same, in the measured cliffs of the potentials"},
    {"sodium-ion-chayambuka2022", "halves_V", 3e-3, "the same, in the measured cliffs of the potentials"},
    {"", "halves_soc", 1e-9, "charge is counted exactly"},
    {"a123-26650", "halves_soc", 2e-8, "its charge efficiency is that of the temperature at the step's start"},
    {"lg-m50-okane2022", "halves_soc", 1e-6, "capacity fades in the step, first order"},
    {"", "cv_V", 1e-6, "eight corrections by the tangent"},
    {"sodium-ion-18650", "cv_V", 2e-5, "the tangent jumps at the cliffs of the potentials"},
    {"sodium-ion-chayambuka2022", "cv_V", 2e-5, "the tangent jumps at the cliffs of the potentials"},
    {"pack", "halves_V", 2e-4, "of its cells, which are circuits with tables"},
    {"", "committed_V", 1e-9, "the same state, reckoned once more"},
    {"pack", "committed_V", 2e-5, "a grown resistance follows its cell's from step to step"},
    {"", "charge", 1e-9, "the state of charge is a coulomb count"},
    {"", "loop", 0.01, "of the heat; the loop is closed and isothermal up to what a twentieth of 1C leaves"},
    {"", "rest_V", 5e-6, "in the last 12 of 72 hours"},
};

std::optional<const char*> not_claimed(const CellSet& set, std::string_view property) {
  for (const NotClaimed& n : kNotClaimed) {
    if (n.property == property && (n.who == set.name || n.who == set.model->name())) return n.reason;
  }
  return std::nullopt;
}

// The set's own, else its model's, else everybody's.
double tolerance(const CellSet& set, std::string_view property) {
  for (std::string_view who : {std::string_view(set.name), set.model->name(), std::string_view()}) {
    for (const Tolerance& t : kTolerances) {
      if (t.property == property && t.who == who) return t.value;
    }
  }
  ADD_FAILURE() << "no tolerance for " << property;
  return 0.0;
}

#define CLAIM_OR_SKIP(property) \
  if (const auto reason = not_claimed(set, property)) GTEST_SKIP() << set.name << ": " << *reason

bool sound(const Affine& a) {
  return std::isfinite(a.emf_V) && std::isfinite(a.resistance_Ohm) && a.resistance_Ohm > 0.0;
}

bool finite(const CellReadout& r) {
  for (double x : {r.soc, r.ocv_V, r.hysteresis, r.core_degC, r.surface_degC, r.heat_W, r.heat_J, r.heat_to_ambient_W,
                   r.capacity_C, r.resistance_growth}) {
    if (!std::isfinite(x)) return false;
  }
  return true;
}

class EveryCell : public ::testing::TestWithParam<std::string> {
 protected:
  const CellSet set = test::shipped(GetParam());
  const double one_C_A = set.header.capacity_C / 3600.0;

  [[nodiscard]] std::unique_ptr<Cell> make(double soc = 0.5, double degC = 25.0) const { return set.make({soc, degC}); }
  static void run(Cell& cell, double current_A, double seconds, double dt_s = 1.0) {
    for (double t = 0.0; t < seconds - 0.5 * dt_s; t += dt_s) step(cell, current_A, current_A, dt_s);
  }
};

TEST_P(EveryCell, GoesOnBitForBitAfterRestore) {
  auto cell = make(0.6, 20.0);
  auto other = make(0.2, 40.0);
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> current(-0.8 * one_C_A, 0.8 * one_C_A), length(0.01, 30.0);
  double last = 0.0;
  for (int k = 0; k < 300; ++k) {
    const double next = current(random);
    step(*cell, last, next, length(random));
    last = next;
    if (k % 100 == 50) cell->set_ambient(15.0 + k * 0.1);
  }
  const CellSnapshot taken = cell->snapshot();
  ASSERT_TRUE(other->restore(taken));
  EXPECT_EQ(taken, other->snapshot());
  for (int k = 0; k < 300; ++k) {
    const double next = current(random), dt_s = length(random);
    const Affine a = cell->terminal_after(last, next, dt_s), b = other->terminal_after(last, next, dt_s);
    ASSERT_EQ(a.emf_V, b.emf_V) << k;
    ASSERT_EQ(a.resistance_Ohm, b.resistance_Ohm) << k;
    ASSERT_EQ(cell->propose(last, next, dt_s), other->propose(last, next, dt_s)) << k;
    cell->commit();
    other->commit();
    last = next;
  }
  EXPECT_EQ(cell->snapshot(), other->snapshot());
}

TEST_P(EveryCell, RefusesASnapshotThatDoesNotFit) {
  auto cell = make();
  run(*cell, 0.3 * one_C_A, 60.0);
  const CellSnapshot before = cell->snapshot();
  auto refused = [&](auto change) {
    CellSnapshot wrong = before;
    change(wrong);
    EXPECT_FALSE(cell->restore(wrong));
    EXPECT_EQ(cell->snapshot(), before);
  };
  refused([](CellSnapshot& s) { s.model ^= 1; });
  refused([](CellSnapshot& s) { s.version += 1; });
  refused([](CellSnapshot& s) { s.set_fingerprint ^= 1; });
  refused([](CellSnapshot& s) { s.value.push_back(0.0); });
  refused([](CellSnapshot& s) { s.value.pop_back(); });
  refused([](CellSnapshot& s) { s.value.clear(); });
  for (std::size_t k = 0; k < before.value.size(); ++k)
    refused([k](CellSnapshot& s) { s.value[k] = std::numeric_limits<double>::quiet_NaN(); });
}

TEST_P(EveryCell, WhatIsProposedIsNotYetSo) {
  auto cell = make();
  run(*cell, -0.2 * one_C_A, 100.0);
  const CellSnapshot before = cell->snapshot();
  const Affine terminal = cell->terminal(one_C_A);
  for (double current_A : {-one_C_A, 0.0, one_C_A, 1e9, std::nan("")}) {
    for (double dt_s : {0.0, 1e-3, 10.0, 86400.0, std::nan("")}) {
      cell->propose(0.0, current_A, dt_s);
      (void)cell->terminal_after(0.0, current_A, dt_s);
      (void)cell->terminal(current_A);
      ASSERT_EQ(cell->snapshot(), before) << current_A << " A, " << dt_s << " s";
    }
  }
  EXPECT_EQ(cell->terminal(one_C_A).emf_V, terminal.emf_V);
  EXPECT_EQ(cell->terminal(one_C_A).resistance_Ohm, terminal.resistance_Ohm);
}

TEST_P(EveryCell, BadInputIsIgnoredAndFlagged) {
  const double inf = std::numeric_limits<double>::infinity();
  auto cell = make();
  for (double bad : {std::nan(""), inf, -inf, 1e300, 1e9}) {
    SCOPED_TRACE(bad);
    EXPECT_TRUE(sound(cell->terminal(bad)));
    EXPECT_TRUE(sound(cell->terminal_after(bad, 0.0, 1.0)));
    EXPECT_TRUE(sound(cell->terminal_after(0.0, bad, 1.0)));
    EXPECT_TRUE(sound(cell->terminal_after(0.0, 0.0, bad)));
    auto flagged = [&](double start_A, double end_A, double dt_s) {
      cell->clear_flags();
      const double soc = cell->readout().soc;
      EXPECT_TRUE(std::isfinite(cell->propose(start_A, end_A, dt_s)));
      cell->commit();
      EXPECT_NE(cell->readout().flags & cell_flag::kBadInput, 0U);
      EXPECT_EQ(cell->readout().soc, soc);
    };
    flagged(bad, bad, 1.0);
    flagged(bad, 0.0, 1.0);
    flagged(0.0, bad, 1.0);
    flagged(0.0, 0.0, bad);
    cell->clear_flags();
    cell->set_ambient(bad);
    EXPECT_NE(cell->readout().flags & cell_flag::kBadInput, 0U);
    step(*cell, 0.0, 0.0, 1e-6);
    EXPECT_TRUE(finite(cell->readout()));
  }
  EXPECT_TRUE(std::isfinite(cell->propose(one_C_A, one_C_A, -1.0)));
}

TEST_P(EveryCell, AbsurdHeatFromOutsideIsIgnoredAndFlagged) {
  CLAIM_OR_SKIP("flag_of_extra_heat");
  auto cell = make();
  for (double bad : {std::nan(""), std::numeric_limits<double>::infinity(), 1e300}) {
    cell->clear_flags();
    cell->set_extra_heat(bad);
    EXPECT_NE(cell->readout().flags & cell_flag::kBadInput, 0U);
    const double core_degC = cell->readout().core_degC;
    step(*cell, 0.0, 0.0, 1.0);
    EXPECT_NEAR(cell->readout().core_degC, core_degC, 0.01);
  }
}

TEST_P(EveryCell, AStepOfNoLengthMovesNothing) {
  auto cell = make();
  run(*cell, 0.3 * one_C_A, 60.0);
  const CellReadout before = cell->readout();
  step(*cell, one_C_A, one_C_A, 0.0);
  EXPECT_EQ(cell->readout().soc, before.soc);
  EXPECT_EQ(cell->readout().heat_J, before.heat_J);
  EXPECT_EQ(cell->readout().core_degC, before.core_degC);
}

TEST_P(EveryCell, StaysFiniteWhateverFlows) {
  for (double rate : {-1000.0, -10.0, -1.0, 1.0, 10.0, 1000.0}) {
    SCOPED_TRACE(rate);
    auto cell = make();
    for (double dt_s : {1.0, 60.0, 86400.0, 86400.0}) {
      EXPECT_TRUE(std::isfinite(cell->propose(0.0, rate * one_C_A, dt_s)));
      cell->commit();
      EXPECT_TRUE(sound(cell->terminal(rate * one_C_A)));
      EXPECT_TRUE(sound(cell->terminal_after(0.0, rate * one_C_A, dt_s)));
      EXPECT_TRUE(finite(cell->readout()));
    }
    for (double x : cell->snapshot().value) EXPECT_TRUE(std::isfinite(x));
    // and it is still a cell that can be used
    EXPECT_TRUE(std::isfinite(cell->propose(0.0, 0.0, 1.0)));
  }
}

TEST_P(EveryCell, ADayAt1CIsFlagged) {
  CLAIM_OR_SKIP("flag_after_a_day");
  for (double rate : {-1.0, 1.0}) {
    auto cell = make();
    cell->clear_flags();
    step(*cell, rate * one_C_A, rate * one_C_A, 86400.0);
    EXPECT_NE(cell->readout().flags, 0U) << rate;
  }
}

TEST_P(EveryCell, ChargeTakenIsChargeMissing) {
  CLAIM_OR_SKIP("charge");
  auto cell = make(0.8);
  const double before = cell->readout().soc;
  double taken_C = 0.0, last = 0.0;
  for (int k = 0; k < 600; ++k) {
    const double next = -0.2 * one_C_A * (1.0 + std::sin(0.1 * k));
    step(*cell, last, next, 2.0);
    taken_C -= 0.5 * (last + next) * 2.0;
    last = next;
  }
  const double missing_C = (before - cell->readout().soc) * cell->readout().capacity_C;
  EXPECT_NEAR(missing_C / taken_C, 1.0, tolerance(set, "charge"));
  // Charging may lose some (coulombic efficiency), never gain.
  const double empty = cell->readout().soc;
  run(*cell, 0.2 * one_C_A, 600.0);
  const double gained = (cell->readout().soc - empty) * cell->readout().capacity_C / (0.2 * one_C_A * 600.0);
  EXPECT_LE(gained, 1.0 + tolerance(set, "charge"));
  EXPECT_GT(gained, 0.5);
}

TEST_P(EveryCell, RestsForEverWithoutDrift) {
  CLAIM_OR_SKIP("rest");
  auto cell = make();
  run(*cell, 0.2 * one_C_A, 3600.0, 10.0);
  cell->set_ambient(35.0);
  run(*cell, 0.0, 60.0 * 3600.0, 60.0);
  const double before = cell->terminal(0.0).emf_V;
  run(*cell, 0.0, 12.0 * 3600.0, 60.0);
  EXPECT_NEAR(cell->terminal(0.0).emf_V, before, tolerance(set, "rest_V"));
  EXPECT_NEAR(cell->readout().core_degC, 35.0, 1e-3);
  EXPECT_NEAR(cell->readout().surface_degC, 35.0, 1e-3);
  EXPECT_NEAR(cell->readout().heat_to_ambient_W, 0.0, 1e-3);
}

TEST_P(EveryCell, HeatFromOutsideWarmsIt) {
  CLAIM_OR_SKIP("surface_follows_extra_heat");
  auto cell = make();
  const double heat_W = 1e-3 * one_C_A * 4.0;
  cell->set_extra_heat(heat_W);
  run(*cell, 0.0, 24.0 * 3600.0, 60.0);
  EXPECT_GT(cell->readout().surface_degC, 25.0);
  EXPECT_GT(cell->readout().core_degC, cell->readout().surface_degC);
  const CellReadout now = cell->readout();
  EXPECT_NEAR(now.heat_to_ambient_W / (heat_W + now.heat_W), 1.0, 0.01);
}

TEST_P(EveryCell, VoltageRisesWithCurrent) {
  CLAIM_OR_SKIP("rises");
  for (double degC : {0.0, 25.0, 45.0}) {
    auto cell = make(0.4, degC);
    run(*cell, -0.1 * one_C_A, 60.0);
    double last_step = -1e30, last_now = -1e30;
    for (double rate = -4.0; rate <= 4.0; rate += 0.05) {
      const double current_A = rate * one_C_A;
      const double after = cell->propose(0.0, current_A, 5.0);
      const Affine now = cell->terminal(current_A);
      ASSERT_GT(after, last_step) << rate << "C at " << degC << " degC";
      ASSERT_GT(now.voltage_V(current_A), last_now) << rate << "C at " << degC << " degC";
      ASSERT_GT(now.resistance_Ohm, 0.0);
      ASSERT_GT(cell->terminal_after(0.0, current_A, 5.0).resistance_Ohm, 0.0);
      last_step = after;
      last_now = now.voltage_V(current_A);
    }
  }
}

TEST_P(EveryCell, TerminalIsTheTangentOfAStepOfNoLength) {
  auto cell = make(0.45);
  run(*cell, 0.3 * one_C_A, 200.0);
  for (double rate : {-1.03, -0.31, 0.017, 0.29, 1.01}) {
    const double current_A = rate * one_C_A, h = 1e-4 * one_C_A;
    const Affine now = cell->terminal(current_A);
    EXPECT_NEAR(now.voltage_V(current_A), cell->propose(current_A, current_A, 0.0), 1e-9) << rate;
    EXPECT_NEAR(now.voltage_V(current_A), cell->propose(current_A, current_A, 1e-6), 1e-5) << rate;
    const double above = cell->terminal(current_A + h).voltage_V(current_A + h);
    const double below = cell->terminal(current_A - h).voltage_V(current_A - h);
    EXPECT_NEAR((above - below) / (2.0 * h) / now.resistance_Ohm, 1.0, 1e-4) << rate;
  }
}

TEST_P(EveryCell, TheCommittedEndIsTheNewTerminal) {
  auto cell = make(0.45);
  for (double rate : {0.7, -0.9, 0.2}) {
    const double at_end = cell->propose(0.0, rate * one_C_A, 7.0);
    cell->commit();
    EXPECT_NEAR(cell->terminal(rate * one_C_A).voltage_V(rate * one_C_A), at_end, tolerance(set, "committed_V"));
  }
}

TEST_P(EveryCell, ConstantVoltageIsSolvedInEightCorrections) {
  for (double begun_rate : {0.5, -0.5}) {
    for (double dt_s : {1e-3, 0.1, 1.0, 30.0}) {
      auto cell = make(0.45);
      double start_A = begun_rate * one_C_A;
      run(*cell, start_A, 120.0);
      const double hold_V = cell->terminal(start_A).voltage_V(start_A);
      for (int steps = 0; steps < 20; ++steps) {
        double end_A = start_A, error_V = 0.0;
        for (int correction = 0; correction <= 8; ++correction) {
          const Affine end = cell->terminal_after(start_A, end_A, dt_s);
          error_V = cell->propose(start_A, end_A, dt_s) - hold_V;
          if (std::abs(error_V) <= 1e-6) break;
          end_A -= error_V / end.resistance_Ohm;
        }
        ASSERT_LE(std::abs(error_V), tolerance(set, "cv_V")) << begun_rate << "C, " << dt_s << " s, step " << steps;
        cell->commit();
        start_A = end_A;
      }
    }
  }
}

TEST_P(EveryCell, OneStepIsTwoHalves) {
  for (double rate : {-0.3, 0.3}) {
    auto one = make(0.55), two = make(0.55);
    const double current_A = rate * one_C_A;
    for (int k = 0; k < 30; ++k) {
      step(*one, current_A, current_A, 10.0);
      step(*two, current_A, current_A, 5.0);
      step(*two, current_A, current_A, 5.0);
    }
    EXPECT_NEAR(one->terminal(current_A).voltage_V(current_A), two->terminal(current_A).voltage_V(current_A),
                tolerance(set, "halves_V"));
    EXPECT_NEAR(one->readout().soc, two->readout().soc, tolerance(set, "halves_soc"));
    EXPECT_NEAR(one->readout().surface_degC, two->readout().surface_degC, 0.01);
  }
}

TEST_P(EveryCell, EnergyLostInALoopIsHeat) {
  CLAIM_OR_SKIP("loop");
  auto cell = make(0.5);
  const double current_A = 0.05 * one_C_A, dt_s = 20.0;
  double energy_J = 0.0;
  auto loop = [&] {
    energy_J = 0.0;
    for (double phase_A : {current_A, 0.0, -current_A, 0.0}) {
      const double hours = phase_A == 0.0 ? 10.0 : 1.0;
      for (double t = 0.0; t < hours * 3600.0; t += dt_s) {
        const double start_V = cell->terminal(phase_A).voltage_V(phase_A);
        const double end_V = cell->propose(phase_A, phase_A, dt_s);
        cell->commit();
        energy_J += 0.5 * (start_V + end_V) * phase_A * dt_s;
      }
    }
  };
  loop();  // the second one starts where it ends, hysteresis included
  loop();
  const double before_J = cell->readout().heat_J, before_V = cell->terminal(0.0).emf_V;
  loop();
  const double heat_J = cell->readout().heat_J - before_J;
  EXPECT_NEAR(cell->terminal(0.0).emf_V, before_V, 1e-4);
  EXPECT_GT(heat_J, 0.0);
  EXPECT_NEAR(energy_J / heat_J, 1.0, tolerance(set, "loop"));
}

TEST_P(EveryCell, AStepAllocatesNothing) {
  auto cell = make();
  step(*cell, one_C_A, one_C_A, 1.0);
  const std::uint64_t before = cyclerd::test::allocations();
  double sum = 0.0;
  for (int k = 0; k < 200; ++k) {
    const double current_A = (k % 7 - 3) * 0.2 * one_C_A, dt_s = 0.01 + 0.37 * k;
    sum += cell->terminal(current_A).emf_V + cell->terminal_after(0.0, current_A, dt_s).emf_V;
    sum += cell->propose(0.0, current_A, dt_s);
    cell->commit();
    sum += cell->readout().soc;
    cell->set_ambient(20.0 + 0.01 * k);
    cell->set_extra_heat(0.001 * k);
  }
  step(*cell, -300.0 * one_C_A, -300.0 * one_C_A, 86400.0);
  EXPECT_EQ(cyclerd::test::allocations(), before);
  EXPECT_TRUE(std::isfinite(sum));
}

INSTANTIATE_TEST_SUITE_P(Shipped, EveryCell, ::testing::ValuesIn(cell_set_names()), [](const auto& p) {
  std::string name = p.param;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
});

TEST(EveryCellTables, NameOnlyWhatExists) {
  std::vector<std::string> known;
  for (const std::string& name : cell_set_names()) {
    known.push_back(name);
    known.emplace_back(test::shipped(name).model->name());
  }
  auto exists = [&](std::string_view who) { return who.empty() || std::ranges::find(known, who) != known.end(); };
  for (const NotClaimed& n : kNotClaimed) EXPECT_TRUE(exists(n.who)) << n.who;
  for (const Tolerance& t : kTolerances) EXPECT_TRUE(exists(t.who)) << t.who;
}

}  // namespace
}  // namespace cyclerd::hil
