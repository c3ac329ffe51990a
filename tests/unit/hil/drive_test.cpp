#include "hil/cells/drive.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/allocation_count.hpp"
#include "tests/unit/hil/golden.hpp"

namespace cyclerd::hil {
namespace {

using test::shipped;

std::unique_ptr<Cell> golden_cell() {
  return shipped("linear-closed-form").make({0.5, 25.0});
}

// A cell whose overvoltage is an asinh of the current, without memory: what reaction kinetics look like.
class KineticCell final : public Cell {
 public:
  double emf_V = 3.7, ohm = 0.01, kinetic_V = 0.05, exchange_A = 0.2, soc = 0.5, capacity_C = 18000.0;
  mutable int proposals = 0;

  [[nodiscard]] double voltage_V(double i) const { return emf_V + ohm * i + kinetic_V * std::asinh(i / exchange_A); }
  [[nodiscard]] Affine terminal(double near_A) const noexcept override {
    const double slope = ohm + kinetic_V / std::sqrt(exchange_A * exchange_A + near_A * near_A);
    return {voltage_V(near_A) - slope * near_A, slope};
  }
  [[nodiscard]] Affine terminal_after(double, double near_A, double) noexcept override { return terminal(near_A); }
  double propose(double start_A, double end_A, double dt_s) noexcept override {
    ++proposals;
    next_soc_ = soc + 0.5 * (start_A + end_A) * dt_s / capacity_C;
    return voltage_V(end_A);
  }
  void commit() noexcept override { soc = next_soc_; }
  void set_ambient(double) noexcept override {}
  void set_extra_heat(double) noexcept override {}
  [[nodiscard]] CellReadout readout() const noexcept override {
    CellReadout r;
    r.soc = soc;
    r.capacity_C = capacity_C;
    return r;
  }
  void clear_flags() noexcept override {}
  void reset(const CellStart& start) noexcept override { soc = start.soc; }
  [[nodiscard]] CellSnapshot snapshot() const override { return {1, 1, 1, 0, {soc}}; }
  [[nodiscard]] bool restore(const CellSnapshot& s) noexcept override {
    soc = s.value[0];
    return true;
  }

 private:
  double next_soc_ = 0.5;
};

TEST(Drive, ConstantCurrentReachesTheVoltageWhenTheClosedFormSays) {
  auto cell = golden_cell();
  const Limit full{Watched::voltage_V, false, 4.2};
  const Event event = next_event(*cell, Drive::current(2.5), {&full, 1}, 1e5);
  EXPECT_EQ(event.crossed, 1U);
  EXPECT_FALSE(event.at_start);
  EXPECT_NEAR(event.time_s, test::kCvStart_s, 1e-7);
  EXPECT_NEAR(event.point.voltage_V, 4.2, 1e-10);
  EXPECT_DOUBLE_EQ(cell->readout().soc, 0.5) << "asking must not move the cell";
}

TEST(Drive, ConstantVoltageFollowsTheClosedFormToItsCutOffs) {
  auto cell = golden_cell();
  Stepper stepper(*cell);
  const Limit full{Watched::voltage_V, false, 4.2};
  (void)run_to_event(stepper, *cell, Drive::current(2.5), {&full, 1}, 1e5);
  const double start_C = stepper.charge_C();
  EXPECT_NEAR(start_C, 2.5 * test::kCvStart_s, 1e-7);
  double after_s = 0.0;
  for (const auto& golden : test::kGoldenCutoffs) {
    const Limit cut{Watched::current_A, true, golden.current_A};
    const Event event = run_to_event(stepper, *cell, Drive::voltage(4.2), {&cut, 1}, 1e5);
    after_s += event.time_s;
    EXPECT_EQ(event.crossed, 1U);
    EXPECT_EQ(event.outcome, DriveOutcome::held);
    EXPECT_NEAR(after_s, golden.after_s, 2e-6) << golden.current_A;
    EXPECT_NEAR((stepper.charge_C() - start_C) / 3600.0, golden.charge_Ah, 1e-9) << golden.current_A;
    EXPECT_NEAR(test::golden_current_A(after_s), golden.current_A, 1e-9) << golden.current_A;
  }
}

TEST(Drive, EveryCallersStepMeetsTheClosedFormCurrent) {
  for (double dt_s : {0.001, 0.01, 0.1, 1.0, 7.654321, 600.0}) {
    auto cell = golden_cell();
    Stepper stepper(*cell);
    const Limit full{Watched::voltage_V, false, 4.2};
    (void)run_to_event(stepper, *cell, Drive::current(2.5), {&full, 1}, 1e5);
    (void)stepper.begin(Drive::voltage(4.2));
    double t = 0.0;
    double worst_A = 0.0;
    int proposals = 0;
    while (t < 600.0 - 1e-9) {
      double left = std::min(dt_s, 600.0 - t);
      t += left;
      while (left > 1e-12) {
        const double h = std::min(left, stepper.longest_s(DriveKind::voltage));
        (void)stepper.propose(Drive::voltage(4.2), h);
        stepper.take();
        ++proposals;
        left -= h;
      }
      worst_A = std::max(worst_A, std::abs(stepper.current_A() - test::golden_current_A(t)));
    }
    EXPECT_LT(worst_A, 2.5e-9) << "caller's step " << dt_s << " s, " << proposals << " steps";
    EXPECT_LT(proposals, dt_s > 500.0 ? 2500 : 1000000);
  }
}

TEST(Drive, HoldsEachKindAtThisInstantOnANonlinearCell) {
  KineticCell cell;
  for (double value : {3.2, 3.6, 3.7, 3.9, 4.4}) {
    const DrivePoint p = point_now(cell, Drive::voltage(value), 0.0);
    EXPECT_EQ(p.outcome, DriveOutcome::held);
    EXPECT_NEAR(cell.voltage_V(p.current_A), value, 1e-9);
  }
  for (double value : {-40.0, -5.0, -0.01, 0.0, 0.01, 5.0, 80.0}) {
    const DrivePoint p = point_now(cell, Drive::power(value), 0.0);
    EXPECT_EQ(p.outcome, DriveOutcome::held) << value;
    EXPECT_NEAR(p.voltage_V * p.current_A, value, 1e-8) << value;
  }
  for (double value : {0.05, 1.0, 100.0}) {
    const DrivePoint p = point_now(cell, Drive::resistance(value), 0.0);
    EXPECT_NEAR(p.voltage_V, -value * p.current_A, 1e-8);
    EXPECT_LT(p.current_A, 0.0);
  }
}

TEST(Drive, AStepOnANonlinearCellIsBounded) {
  KineticCell cell;
  Stepper stepper(cell);
  for (const Drive& drive :
       {Drive::voltage(4.1), Drive::voltage(3.3), Drive::power(-20.0), Drive::power(15.0), Drive::resistance(0.8)}) {
    (void)stepper.begin(Drive::open());
    cell.proposals = 0;
    const DrivePoint p = stepper.propose(drive, 1.0);  // from no current at all, the worst start
    EXPECT_EQ(p.outcome, DriveOutcome::held);
    EXPECT_LE(cell.proposals, 16);
    const double held = drive.kind == DriveKind::voltage ? p.voltage_V
                        : drive.kind == DriveKind::power ? p.voltage_V * p.current_A
                                                         : -p.voltage_V / p.current_A;
    EXPECT_NEAR(held, drive.value, 1e-9);
  }
}

TEST(Drive, MorePowerThanTheCellCanGiveIsReportedAndTheMostIsGiven) {
  auto cell = golden_cell();  // 3.6 V, 20 mOhm: 162 W at most, at 90 A
  DrivePoint p = point_now(*cell, Drive::power(-161.9), 0.0);
  EXPECT_EQ(p.outcome, DriveOutcome::held);
  EXPECT_NEAR(p.voltage_V * p.current_A, -161.9, 1e-8);
  p = point_now(*cell, Drive::power(-162.1), 0.0);
  EXPECT_EQ(p.outcome, DriveOutcome::power_not_available);
  EXPECT_NEAR(p.current_A, -90.0, 1e-9);
  EXPECT_NEAR(p.voltage_V, 1.8, 1e-9);
  p = step(*cell, Drive::power(-500.0), 1.0);
  EXPECT_EQ(p.outcome, DriveOutcome::power_not_available);
  EXPECT_LT(p.current_A, -60.0);
  KineticCell kinetic;
  const DrivePoint most = point_now(kinetic, Drive::power(-5000.0), 0.0);
  EXPECT_EQ(most.outcome, DriveOutcome::power_not_available);
  EXPECT_TRUE(std::isfinite(most.current_A) && most.current_A < 0.0);
}

TEST(Drive, ValuesThatAreNoNumbersGiveNoCurrentAndSaySo) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  auto cell = golden_cell();
  for (const Drive& drive : {Drive::current(nan), Drive::voltage(inf), Drive::power(nan), Drive::resistance(0.0),
                             Drive::resistance(-1.0), Drive{DriveKind::voltage, 4.0, nan}}) {
    const DrivePoint p = step(*cell, drive, 1.0);
    EXPECT_EQ(p.outcome, DriveOutcome::bad_input);
    EXPECT_EQ(p.current_A, 0.0);
  }
  EXPECT_EQ(step(*cell, Drive::current(1.0), nan).outcome, DriveOutcome::bad_input);
  EXPECT_EQ(step(*cell, Drive::current(1.0), -1.0).outcome, DriveOutcome::bad_input);
  EXPECT_EQ(step(*cell, Drive::voltage(1e9), 1.0).outcome, DriveOutcome::current_limited);
  EXPECT_TRUE(std::isfinite(cell->readout().soc));
}

TEST(Drive, AStepOfNothingAndAStepOfADayAreSteps) {
  auto cell = golden_cell();
  EXPECT_NEAR(step(*cell, Drive::voltage(3.65), 0.0).current_A, 2.5, 1e-9);
  EXPECT_DOUBLE_EQ(cell->readout().soc, 0.5);
  Moved moved;
  const DrivePoint p = step(*cell, Drive::voltage(3.9), 86400.0, &moved);
  EXPECT_NEAR(p.current_A, 0.0, 1e-9);
  EXPECT_NEAR(cell->readout().soc, 0.75, 1e-9);
  EXPECT_NEAR(moved.charge_C, 0.25 * 18000.0, 1e-5);
  EXPECT_NEAR(moved.energy_J, 3.9 * 0.25 * 18000.0, 1e-4);
}

TEST(Drive, ALimitThatHoldsAtTheStartFiresAtOnceAndNothingMoves) {
  auto cell = golden_cell();
  Stepper stepper(*cell);
  const std::vector<Limit> limits = {{Watched::voltage_V, false, 3.65},
                                     {Watched::voltage_V, false, 3.6500001},
                                     {Watched::soc, true, 0.5},
                                     {Watched::soc, true, 0.4999999}};
  const Event event = run_to_event(stepper, *cell, Drive::current(2.5), limits, 100.0);
  EXPECT_TRUE(event.at_start);
  EXPECT_EQ(event.time_s, 0.0);
  EXPECT_EQ(event.crossed, 0b0101U);  // exactly at a limit counts, a little before it does not
  EXPECT_DOUBLE_EQ(cell->readout().soc, 0.5);
}

TEST(Drive, LimitsReachedAtTheSameMomentAreBothListed) {
  auto cell = golden_cell();
  // 2.5 A for 3150 s: 4.2 V, 7875 C and soc 0.9375 in one moment; the fourth is 10 us away
  const std::vector<Limit> limits = {{Watched::charge_C, false, 7875.0},
                                     {Watched::voltage_V, false, 4.2},
                                     {Watched::soc, false, 0.9375},
                                     {Watched::charge_C, false, 7875.000025}};
  const Event event = next_event(*cell, Drive::current(2.5), limits, 1e4);
  EXPECT_NEAR(event.time_s, 3150.0, 1e-6);
  EXPECT_EQ(event.crossed, 0b0111U);
}

TEST(Drive, SocAndTemperatureLimitsAreFoundInsideAStep) {
  auto cell = golden_cell();
  const Limit soc{Watched::soc, true, 0.4 - 1e-7};
  const Event event = next_event(*cell, Drive::current(-2.5), {&soc, 1}, 1e5);
  EXPECT_NEAR(event.time_s, (0.1 + 1e-7) * 18000.0 / 2.5, 1e-6);
  auto warm = shipped("lg-m50").make({0.9, 25.0});
  const Limit hot{Watched::surface_degC, false, 30.0};
  const Event heat = next_event(*warm, Drive::current(-7.5), {&hot, 1}, 3000.0);
  ASSERT_EQ(heat.crossed, 1U);
  (void)step(*warm, Drive::current(-7.5), heat.time_s);
  EXPECT_NEAR(warm->readout().surface_degC, 30.0, 1e-4);
}

TEST(Drive, TheHorizonEndsWhatNoLimitEnds) {
  auto cell = golden_cell();
  const Limit never{Watched::current_A, true, std::numeric_limits<double>::quiet_NaN()};
  const Event event = next_event(*cell, Drive::open(), {&never, 1}, 12.345);
  EXPECT_EQ(event.crossed, 0U);
  EXPECT_NEAR(event.time_s, 12.345, 1e-9);
}

TEST(Drive, SteppingAllocatesNothing) {
  auto cell = shipped("lg-m50").make({0.5, 25.0});
  Stepper stepper(*cell);
  const Limit full{Watched::voltage_V, false, 4.1};
  const auto before = cyclerd::test::allocations();
  (void)run_to_event(stepper, *cell, Drive::current(5.0), {&full, 1}, 500.0);
  (void)step(*cell, Drive::power(-10.0), 10.0);
  (void)step(*cell, Drive::voltage(3.8), 10.0);
  EXPECT_EQ(cyclerd::test::allocations(), before);
}

}  // namespace
}  // namespace cyclerd::hil
