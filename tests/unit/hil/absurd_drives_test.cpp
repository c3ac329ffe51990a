// Every shipped cell, whole and broken, driven by sequences that no rig would send: what comes out is a number, and a
// start, a current, a temperature or a length of time that makes no sense is told by a flag.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "hil/cells/cell_faults.hpp"
#include "hil/cells/cell_set.hpp"
#include "tests/unit/hil/golden.hpp"

namespace cyclerd::hil {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();

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

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : random_(seed) {}
  double between(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random_); }
  double one_of(std::initializer_list<double> list) { return list.begin()[random_() % list.size()]; }
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  double current_A(double one_C_A) {
    switch (below(6)) {
      case 0: return one_of({0.0, -0.0, 5e-324, -1e-300, kNan, kInf, -kInf, 1e6, -1e6, 1.0000001e6});
      case 1: return between(-1e3, 1e3) * one_C_A;
      case 2: return between(-1e6, 1e6);
      case 3: return between(-20.0, 20.0) * one_C_A;
      default: return between(-2.0, 2.0) * one_C_A;
    }
  }
  double seconds() {
    switch (below(6)) {
      case 0: return one_of({0.0, 5e-324, 1e-310, 1e-300, 1e-100, 1e-20, 1e-12, 1e-9, kNan, kInf, -1.0, 1e7, 1.1e7});
      case 1: return between(0.0, 1e5);
      case 2: return std::pow(10.0, between(-12.0, 6.0));
      default: return between(0.0, 10.0);
    }
  }
  CellStart start() {
    return {between(-3.0, 3.0), one_of({-1500.0, -400.0, -273.15, 25.0, 400.0, 1500.0, kNan, kInf}),
            one_of({0.0, 2.0, -1.0, kNan, kInf}), one_of({1.0, 0.0, -1.0, kNan, kInf, 1e-300, 1e300, 1e4})};
  }
  CellFaults faults() {
    CellFaults f;
    f.contact_Ohm = one_of({0.0, 0.01, 1e6});
    f.capacity_factor = one_of({1.0, 0.5, 1e-3, 10.0});
    f.resistance_growth = one_of({0.0, 1.0, 1e3});
    f.open = below(10) == 0;
    if (below(2) == 0) return f;
    f.short_circuit.resistance_Ohm = one_of({1e-6, 1e-3, 0.1, 10.0, 1e6});
    f.short_circuit.onset_s = one_of({0.0, 10.0, 1e300});
    f.short_circuit.first_Ohm = one_of({0.0, 100.0});
    f.short_circuit.growth_s = one_of({0.0, 5e-324, 100.0});
    return f;
  }

 private:
  std::mt19937_64 random_;
};

class AbsurdDrive : public ::testing::TestWithParam<std::string> {
 protected:
  const CellSet set = test::shipped(GetParam());
  const double one_C_A = set.header.capacity_C / 3600.0;

  void drive(Cell& cell, Chance& chance, int actions) const {
    CellSnapshot kept = cell.snapshot();
    double last_A = 0.0;
    for (int k = 0; k < actions; ++k) {
      SCOPED_TRACE(k);
      double end_A = 0.0;
      switch (chance.below(10)) {
        case 0:
          cell.set_ambient(
              chance.one_of({-1e300, -1500.0, -400.0, -274.0, -80.0, 0.0, 60.0, 400.0, 1501.0, kNan, kInf}));
          break;
        case 1: cell.set_extra_heat(chance.one_of({0.0, 1.0, -1.0, 1e3, -1e3, 1e9, -1e9, 1.1e9, kNan, -kInf})); break;
        case 2: cell.reset(chance.start()); break;
        case 3: ASSERT_TRUE(cell.restore(kept)); break;
        case 4:
          kept = cell.snapshot();
          for (double x : kept.value) ASSERT_TRUE(std::isfinite(x));
          break;
        default: {
          const double start_A = chance.below(3) != 0 ? last_A : chance.current_A(one_C_A);
          end_A = chance.below(3) != 0 ? start_A : chance.current_A(one_C_A);
          const double dt_s = chance.seconds();
          SCOPED_TRACE(::testing::Message() << start_A << " to " << end_A << " A in " << dt_s << " s");
          ASSERT_TRUE(sound(cell.terminal_after(start_A, end_A, dt_s)));
          ASSERT_TRUE(std::isfinite(cell.propose(start_A, end_A, dt_s)));
          cell.commit();
          if (std::isfinite(end_A)) last_A = end_A;
        }
      }
      ASSERT_TRUE(finite(cell.readout()));
      ASSERT_TRUE(sound(cell.terminal(end_A)));
    }
  }
};

TEST_P(AbsurdDrive, LeavesNumbers) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    Chance chance(seed);
    drive(*set.make({chance.between(-0.2, 1.2), chance.between(-60.0, 100.0)}), chance, 60);
    if (HasFatalFailure()) return;
  }
}

TEST_P(AbsurdDrive, LeavesNumbersOfABrokenCell) {
  RunawaySet runaway;
  runaway.sei = {1.667e15, 1.56e4, 1000.0};
  runaway.anode = {2.5e13, 1.56e4, 10000.0};
  runaway.cathode = {6.67e13, 1.64e4, 20000.0};
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    Chance chance(seed);
    FaultyCell cell(set.make({chance.between(-0.2, 1.2), chance.between(-60.0, 100.0)}), chance.faults(),
                    chance.below(2) != 0 ? std::optional(runaway) : std::nullopt);
    drive(cell, chance, 20);
    if (HasFatalFailure()) return;
  }
}

TEST_P(AbsurdDrive, AStartThatMakesNoSenseIsFlagged) {
  for (const CellStart& bad : {CellStart{kNan, 25.0}, CellStart{1e300, 25.0}, CellStart{0.5, kNan},
                               CellStart{0.5, kInf}, CellStart{0.5, -1e9}, CellStart{kNan, kNan}}) {
    SCOPED_TRACE(::testing::Message() << bad.soc << ", " << bad.temperature_degC << " degC");
    auto cell = set.make(bad);
    EXPECT_NE(cell->flags() & cell_flag::kBadInput, 0U);
    step(*cell, 0.0, 0.1 * one_C_A, 1.0);
    EXPECT_TRUE(finite(cell->readout()));
    EXPECT_TRUE(sound(cell->terminal(0.0)));
    auto other = set.make({0.5, 25.0});
    const CellSnapshot before = other->snapshot();
    other->reset(bad);
    EXPECT_NE(other->flags() & cell_flag::kBadInput, 0U);
    other->clear_flags();
    EXPECT_EQ(other->snapshot(), before);
  }
}

// Hot enough for a runaway, and no colder than there is.
TEST_P(AbsurdDrive, TemperaturesStayBetweenTheBounds) {
  for (double ambient_degC : {-400.0, -273.15, 1500.0}) {
    auto cell = set.make({0.5, 25.0});
    cell->set_ambient(ambient_degC);
    for (int k = 0; k < 20; ++k) step(*cell, 0.1 * one_C_A, 0.1 * one_C_A, 3600.0);
    EXPECT_TRUE(finite(cell->readout()));
    EXPECT_TRUE(sound(cell->terminal(0.0)));
    if (set.model->name() == "source") continue;  // has no temperature of its own
    EXPECT_GE(cell->readout().core_degC, -80.0);
    EXPECT_LE(cell->readout().core_degC, 1500.0);
    EXPECT_NE(cell->flags(), 0U) << ambient_degC;
  }
}

// The heat of reactions is nowhere thrown away below 1500 degC, and lost goes the cell, not the number.
TEST(RunawayOfAnySet, TakesAnElectrodeModelAsHotAsACircuit) {
  double hottest_degC[2] = {};
  const char* const names[2] = {"lg-m50", "lg-m50-chen2020"};
  for (int k = 0; k < 2; ++k) {
    RunawaySet runaway;
    runaway.sei = {1.667e15, 1.56e4, 1000.0};
    runaway.anode = {2.5e13, 1.56e4, 20000.0};
    runaway.cathode = {6.67e13, 1.64e4, 30000.0};
    FaultyCell cell(test::shipped(names[k]).make({1.0, 25.0}), {}, runaway);
    ASSERT_TRUE(cell.start_runaway());
    cell.set_ambient(200.0);
    for (int t = 0; t < 1800; ++t) {
      step(cell, 0.0, 0.0, 1.0);
      ASSERT_TRUE(finite(cell.readout()));
      hottest_degC[k] = std::max(hottest_degC[k], cell.readout().core_degC);
    }
    EXPECT_NE(cell.flags() & cell_flag::kRunaway, 0U);
    EXPECT_EQ(cell.flags() & cell_flag::kTemperatureLimit, 0U);
  }
  EXPECT_GT(hottest_degC[0], 500.0);
  EXPECT_GT(hottest_degC[1], 500.0);
}

// A day in one step ends as many short ones do.
TEST_P(AbsurdDrive, ALongRestEndsAtTheAmbient) {
  for (double dt_s : {3600.0, 86400.0, 1e6, 1e7}) {
    auto cell = set.make({0.5, 25.0, 0.0, 100.0});
    cell->set_ambient(40.0);
    for (double t = 0.0; t < 2.0 * 86400.0; t += dt_s) step(*cell, 0.0, 0.0, dt_s);
    EXPECT_NEAR(cell->readout().core_degC, 40.0, 0.01) << dt_s;
    EXPECT_EQ(cell->flags() & cell_flag::kTemperatureLimit, 0U) << dt_s;
  }
}

TEST_P(AbsurdDrive, AFanCoolsAsManyTimesBetter) {
  auto usual = set.make({0.5, 25.0}), fan = set.make({0.5, 25.0, 0.0, 4.0});
  for (auto* cell : {usual.get(), fan.get()}) {
    cell->set_extra_heat(1e-3 * one_C_A * 4.0);
    for (int k = 0; k < 24 * 60; ++k) step(*cell, 0.0, 0.0, 60.0);
  }
  const double rise_K = usual->readout().surface_degC - 25.0;
  if (rise_K == 0.0) GTEST_SKIP() << "the set has no [thermal]";
  EXPECT_NEAR((fan->readout().surface_degC - 25.0) / rise_K, 0.25, 0.01);
  auto other = set.make({0.5, 25.0});
  ASSERT_TRUE(other->restore(fan->snapshot()));
  EXPECT_EQ(other->readout().heat_to_ambient_W, fan->readout().heat_to_ambient_W);
}

INSTANTIATE_TEST_SUITE_P(Shipped, AbsurdDrive, ::testing::ValuesIn(cell_set_names()), [](const auto& p) {
  std::string name = p.param;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
});

}  // namespace
}  // namespace cyclerd::hil
