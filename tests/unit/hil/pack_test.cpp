#include "hil/cells/pack.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "hil/cells/scaled_cell.hpp"
#include "tests/support/allocation_count.hpp"
#include "tests/unit/hil/golden.hpp"

namespace cyclerd::hil {
namespace {

using test::shipped;

std::shared_ptr<PackSet> pack_of(const std::string& cell, std::size_t series, std::size_t parallel) {
  auto set = std::make_shared<PackSet>();
  const CellSet one = shipped(cell);
  set->cell = one.model;
  set->cell_capacity_C = one.header.capacity_C;
  set->series = series;
  set->parallel = parallel;
  return set;
}

TEST(Pack, OfOneCellIsTheCell) {
  for (const char* name : {"lg-m50", "lithium-sulfur-marinescu2016"}) {
    auto cell = shipped(name).make({0.6, 20.0});
    PackCell pack(pack_of(name, 1, 1), {0.6, 20.0});
    for (int k = 0; k < 300; ++k) {
      const double end_A = 2.0 * std::cos(0.05 * k);
      ASSERT_EQ(cell->propose(0.5, end_A, 1.3), pack.propose(0.5, end_A, 1.3)) << name << k;
      ASSERT_EQ(cell->terminal_after(0.5, end_A, 1.3).emf_V, pack.terminal_after(0.5, end_A, 1.3).emf_V);
      cell->commit();
      pack.commit();
      ASSERT_EQ(cell->terminal(end_A).emf_V, pack.terminal(end_A).emf_V);
    }
    EXPECT_NEAR(cell->readout().soc, pack.readout().soc, 1e-15);
  }
}

TEST(Pack, EqualCellsShareEqually) {
  PackCell pack(pack_of("lg-m50", 3, 4), {0.5, 25.0});
  for (int k = 0; k < 200; ++k) step(pack, 8.0, 8.0, 5.0);
  for (std::size_t k = 0; k < pack.size(); ++k) EXPECT_NEAR(pack.member_A(k), 2.0, 1e-12);
  auto cell = shipped("lg-m50").make({0.5, 25.0});
  for (int k = 0; k < 200; ++k) step(*cell, 2.0, 2.0, 5.0);
  EXPECT_NEAR(pack.terminal(8.0).voltage_V(8.0), 3.0 * cell->terminal(2.0).voltage_V(2.0), 1e-9);
  EXPECT_NEAR(pack.readout().soc, cell->readout().soc, 1e-12);
  EXPECT_NEAR(pack.readout().heat_J / cell->readout().heat_J, 12.0, 1e-9);
}

// Two linear cells without RC, one half full and one at 0.6: the difference of their charges dies away with
// tau = 2 R Q / (2 U') per pair, each sees half of it.
TEST(Pack, TwoLinearCellsEqualiseAsTheClosedFormSays) {
  const char* text = R"(format = 1
name = "line"
source = "by hand"
licence = "Apache-2.0"
model = "ecm"
capacity = "1 Ah"
[ocv]
soc = [0.0, 1.0]
voltage_V = [3.0, 4.0]
[series]
resistance = "50 mOhm"
)";
  text::Diagnostics diagnostics;
  auto line = load_cell_set(test::source_of(text), diagnostics);
  ASSERT_TRUE(line) << diagnostics.render();
  auto set = std::make_shared<PackSet>();
  set->cell = line->model;
  set->cell_capacity_C = 3600.0;
  set->parallel = 2;
  set->contact_Ohm = 0.01;
  PackCell pack(set, {0.5, 25.0});
  pack.member(0).reset({0.6, 25.0});
  // At once: V = (sum E/R + I) / sum 1/R, I_k = (V - E_k)/R, R = 60 mOhm.
  const double v = pack.propose(1.0, 1.0, 0.0);
  EXPECT_NEAR(v, 3.55 + 0.5 * 0.06, 1e-12);
  pack.commit();
  EXPECT_NEAR(pack.member_A(0), 0.5 - 0.05 / 0.06, 1e-12);
  EXPECT_NEAR(pack.member_A(1), 0.5 + 0.05 / 0.06, 1e-12);
  // U' = 1 V, so the difference of soc falls with tau = R Q / U' = 216 s.
  for (int k = 0; k < 2160; ++k) step(pack, 0.0, 0.0, 0.1);
  const double apart = pack.member(0).readout().soc - pack.member(1).readout().soc;
  EXPECT_NEAR(apart, 0.1 * std::exp(-1.0), 1e-7);
  EXPECT_NEAR(pack.member_A(0) + pack.member_A(1), 0.0, 1e-12);
}

TEST(Pack, BalancingClosesASpread) {
  for (bool balanced : {true, false}) {
    auto set = pack_of("lg-m50", 4, 1);
    if (balanced) set->bleed_Ohm = 20.0;
    set->bleed_above_V = 3.5;
    set->bleed_gap_V = 0.004;
    PackCell pack(set, {0.8, 25.0});
    pack.member(2).reset({0.7, 25.0});
    EXPECT_NEAR(pack.extremes().soc_max - pack.extremes().soc_min, 0.1, 1e-12);
    for (int k = 0; k < 20 * 360; ++k) step(pack, 0.0, 0.0, 10.0);
    const PackExtremes after = pack.extremes();
    if (balanced) {
      EXPECT_LT(after.voltage_max_V - after.voltage_min_V, 0.006);
      EXPECT_LT(after.soc_max - after.soc_min, 0.012);
      EXPECT_NEAR(pack.member(2).readout().soc, 0.7, 1e-3);
    } else {
      EXPECT_NEAR(after.soc_max - after.soc_min, 0.1, 1e-3);
    }
  }
}

TEST(Pack, AFailedMemberIsCarriedByItsNeighbours) {
  PackCell pack(pack_of("lg-m50", 2, 3), {0.5, 25.0});
  CellFaults open;
  open.open = true;
  pack.member(1).set_faults(open);
  for (int k = 0; k < 60; ++k) step(pack, -6.0, -6.0, 1.0);
  EXPECT_NEAR(pack.member_A(1), 0.0, 1e-5);
  EXPECT_NEAR(pack.member_A(0), -3.0, 1e-5);
  EXPECT_NEAR(pack.member_A(3), -2.0, 1e-12);
  CellFaults shorted;
  shorted.short_circuit.resistance_Ohm = 0.2;
  pack.member(1).set_faults(shorted);
  for (int k = 0; k < 600; ++k) step(pack, 0.0, 0.0, 1.0);
  EXPECT_GT(pack.member_A(1), 0.1);  // the others feed the short
  EXPECT_LT(pack.member_A(0), -0.1);
  EXPECT_GT(pack.member(1).readout().core_degC, pack.member(4).readout().core_degC + 5.0);
}

TEST(Pack, NeighboursAreWarmedByAHotCell) {
  auto set = pack_of("lg-m50", 3, 1);
  set->neighbour_W_per_K = 0.05;
  for (double dt_s : {1.0, 60.0}) {
    PackCell pack(set, {0.5, 25.0});
    CellFaults shorted;
    shorted.short_circuit.resistance_Ohm = 5.0;
    pack.member(0).set_faults(shorted);
    for (double t = 0.0; t < 3600.0; t += dt_s) step(pack, 0.0, 0.0, dt_s);
    const double hot = pack.member(0).readout().surface_degC, next = pack.member(1).readout().surface_degC;
    const double far = pack.member(2).readout().surface_degC;
    EXPECT_GT(hot, next);
    EXPECT_GT(next, far);
    EXPECT_GT(far, 25.1);
  }
}

TEST(Pack, TheWorstSpreadStaysFinite) {
  auto set = pack_of("lg-m50", 7, 3);
  set->capacity_spread = 0.3;
  set->resistance_spread = 10.0;
  set->soc_spread = 0.3;
  set->temperature_spread_K = 20.0;
  set->bleed_Ohm = 1.0;
  set->bleed_above_V = 3.0;
  set->neighbour_W_per_K = 5.0;
  set->seed = 99;
  PackCell pack(set, {0.5, 25.0});
  const std::uint64_t before = cyclerd::test::allocations();
  for (int k = 0; k < 400; ++k) {
    const double current_A = 60.0 * std::sin(0.05 * k);
    ASSERT_TRUE(std::isfinite(pack.propose(current_A, -current_A, 20.0)));
    pack.commit();
    ASSERT_TRUE(std::isfinite(pack.terminal(current_A).resistance_Ohm));
    ASSERT_GT(pack.terminal(current_A).resistance_Ohm, 0.0);
  }
  EXPECT_EQ(cyclerd::test::allocations(), before);
  for (double x : pack.snapshot().value) ASSERT_TRUE(std::isfinite(x));
}

TEST(Pack, SeedsDifferAndRepeat) {
  auto resistance = [](std::uint64_t seed) {
    auto set = pack_of("lg-m50", 2, 2);
    set->resistance_spread = 0.1;
    set->capacity_spread = 0.02;
    set->seed = seed;
    return PackCell(set, {0.5, 25.0}).terminal(0.0).resistance_Ohm;
  };
  EXPECT_EQ(resistance(1), resistance(1));
  EXPECT_NE(resistance(1), resistance(2));
}

TEST(ScaledCell, IsSoManyInParallel) {
  const CellSet small = shipped("lg-m50");
  const CellSet large = scaled_to(small, 40.0 * 3600.0);
  EXPECT_EQ(large.header.capacity_C, 144000.0);
  const double count = 144000.0 / small.header.capacity_C;
  auto one = small.make({0.5, 25.0}), many = large.make({0.5, 25.0});
  for (int k = 0; k < 300; ++k) {
    step(*one, 2.0, 2.0, 5.0);
    step(*many, 2.0 * count, 2.0 * count, 5.0);
  }
  EXPECT_NEAR(one->terminal(2.0).voltage_V(2.0), many->terminal(2.0 * count).voltage_V(2.0 * count), 1e-9);
  EXPECT_NEAR(one->readout().soc, many->readout().soc, 1e-12);
  EXPECT_NEAR(many->readout().heat_J / one->readout().heat_J, count, 1e-6);
  EXPECT_NEAR(many->readout().surface_degC, one->readout().surface_degC, 1e-9);
  auto again = large.make({0.1, 0.0});
  ASSERT_TRUE(again->restore(many->snapshot()));
  EXPECT_EQ(again->snapshot(), many->snapshot());
  EXPECT_FALSE(again->restore(one->snapshot()));
}

TEST(ScaledCell, NamesWithACapacity) {
  EXPECT_EQ(split_scaled_name("lg-m50").set, "lg-m50");
  EXPECT_FALSE(split_scaled_name("lg-m50").capacity_C);
  for (const char* word : {"lg-m50@40Ah", "lg-m50@40 Ah", "lg-m50@40000mAh"}) {
    EXPECT_EQ(split_scaled_name(word).set, "lg-m50");
    EXPECT_NEAR(split_scaled_name(word).capacity_C.value_or(0.0), 144000.0, 1e-6) << word;
  }
  for (const char* word : {"lg-m50@", "lg-m50@40 V", "lg-m50@-1Ah", "lg-m50@0Ah", "lg-m50@x"})
    EXPECT_TRUE(std::isnan(split_scaled_name(word).capacity_C.value_or(0.0))) << word;
}

TEST(PackSets, MistakesAreFound) {
  auto findings = [](const std::string& body) {
    text::Diagnostics diagnostics;
    EXPECT_FALSE(load_cell_set(test::source_of("format = 1\nname = \"p\"\nsource = \"s\"\nlicence = \"l\"\n"
                                               "model = \"pack\"\n" +
                                               body),
                               diagnostics)
                     .has_value());
    return diagnostics.render();
  };
  const std::string good = "capacity = \"9.9 Ah\"\ncell = \"lg-m50\"\nseries = 2\nparallel = 2\n";
  EXPECT_NE(findings("capacity = \"9.9 Ah\"\ncell = \"lg-m51\"\nseries = 2\nparallel = 2\n").find("C043"),
            std::string::npos);
  EXPECT_NE(findings("capacity = \"9.9 Ah\"\ncell = \"lg-m50-runaway\"\nseries = 2\nparallel = 2\n").find("C044"),
            std::string::npos);
  EXPECT_NE(findings("capacity = \"9.9 Ah\"\ncell = \"lg-m50\"\nseries = 400\nparallel = 200\n").find("C045"),
            std::string::npos);
  EXPECT_NE(findings("capacity = \"5 Ah\"\ncell = \"lg-m50\"\nseries = 2\nparallel = 2\n").find("C046"),
            std::string::npos);
  EXPECT_NE(findings("cell = \"lg-m50\"\nseries = 2\nparallel = 2\n").find("capacity"), std::string::npos);
  EXPECT_NE(findings(good + "[faults]\nshort_after = \"10 s\"\n").find("C042"), std::string::npos);
  EXPECT_NE(findings(good + "[spread]\ncapacity = 0.5\n").find("capacity"), std::string::npos);
  EXPECT_NE(findings(good + "[runaway]\nanode_g = 1\n").find("cathode_g"), std::string::npos);
}

}  // namespace
}  // namespace cyclerd::hil
