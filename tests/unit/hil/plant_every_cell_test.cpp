// Every shipped cell behind the output stage, in a chamber and in the room: discharge at constant power down to the
// lower voltage, rest, charge at constant current and constant voltage down to a taper, discharge through a resistor,
// rest. What is asked for is held, ends come, numbers stay numbers, and the stage needs a bounded number of trial
// steps.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "hil/cells/cell_set.hpp"
#include "hil/plant/world.hpp"
#include "tests/unit/hil/golden.hpp"

namespace cyclerd::hil {
namespace {

// Counts trial steps.
class CountingCell final : public Cell {
 public:
  CountingCell(std::unique_ptr<Cell> cell, std::int64_t& proposals) : cell_(std::move(cell)), proposals_(proposals) {}
  [[nodiscard]] Affine terminal(double near_A) const noexcept override { return cell_->terminal(near_A); }
  [[nodiscard]] Affine terminal_after(double start_A, double near_A, double dt_s) noexcept override {
    return cell_->terminal_after(start_A, near_A, dt_s);
  }
  double propose(double start_A, double end_A, double dt_s) noexcept override {
    ++proposals_;
    return cell_->propose(start_A, end_A, dt_s);
  }
  void commit() noexcept override { cell_->commit(); }
  void set_ambient(double ambient_degC) noexcept override { cell_->set_ambient(ambient_degC); }
  void set_extra_heat(double heat_W) noexcept override { cell_->set_extra_heat(heat_W); }
  [[nodiscard]] CellReadout readout() const noexcept override { return cell_->readout(); }
  void clear_flags() noexcept override { cell_->clear_flags(); }
  void reset(const CellStart& start) noexcept override { cell_->reset(start); }
  [[nodiscard]] CellSnapshot snapshot() const override { return cell_->snapshot(); }
  [[nodiscard]] bool restore(const CellSnapshot& snapshot) noexcept override { return cell_->restore(snapshot); }

 private:
  std::unique_ptr<Cell> cell_;
  std::int64_t& proposals_;
};

struct Window {
  double low_V, high_V;
};
// Of sets that say none.
Window window_of(const CellSet& set) {
  const bool told = std::isfinite(set.header.voltage_min_V) && std::isfinite(set.header.voltage_max_V);
  return told ? Window{set.header.voltage_min_V, set.header.voltage_max_V} : Window{2.8, 4.2};
}

struct Exception {
  std::string_view set, what;
  double value;
  const char* reason;
};
constexpr Exception kExceptions[] = {
    {"solid-state-polymer-synthetic", "degC", 60.0, "its electrolyte conducts nothing at 25 degC"},
    {"sodium-ion-18650", "taper", 0.1, "slow diffusion: twelve hours to 1/50 of 1C"},
    {"sodium-ion-chayambuka2022", "taper", 0.1, "slow diffusion: twelve hours to 1/50 of 1C"},
    {"lithium-sulfur-marinescu2016", "taper", 0.0, "the shuttle: its charge never ends"},
    {"lg-m50-oregan2022", "rise", 0.05, "steps in its D(theta): the current rises for a minute, in steps of 0.1 s too"},
    {"lg-m50-pack-4s2p", "rise", 0.5, "a group more or less is bled: 30 mA of whatever flows"},
};
double value_or(const CellSet& set, std::string_view what, double usual) {
  for (const Exception& e : kExceptions) {
    if (e.set == set.name && e.what == what) return e.value;
  }
  return usual;
}

// Trial steps: at most six a second, what a secant needs for a model without a straight answer, and those of the first
// moments after a change. A stepper that never finds its way back from short steps needs four times as many.
constexpr double kMostProposals = 4000.0, kMostProposalsPerHour = 23'000.0;

class PlantOfEveryCell : public ::testing::TestWithParam<std::tuple<std::string, bool>> {
 protected:
  const CellSet set = test::shipped(std::get<0>(GetParam()));
  const double one_C_A = set.header.capacity_C / 3600.0;
  const Window window = window_of(set);
  std::int64_t proposals = 0;
  const double degC = value_or(set, "degC", 25.0);
  World world{{}, degC};
  double phase_begun_s = 0.0;
  std::int64_t proposals_begun = 0;

  PlantOfEveryCell() {
    PlantConfig config;
    config.stage.voltage_max_V = 2.0 * window.high_V;
    config.stage.current_max_A = 20.0 * one_C_A;
    config.stage.current_min_A = -20.0 * one_C_A;
    config.stage.power_max_W = config.stage.voltage_max_V * config.stage.current_max_A;
    config.stage.power_min_W = -config.stage.power_max_W;
    std::size_t chamber = World::kRoom;
    if (std::get<1>(GetParam())) {
      chamber = world.add_chamber({});
      base::ChamberSetpoint warm;
      warm.run = 1;
      warm.temperature_degC = degC + 5.0;
      EXPECT_TRUE(world.chamber(chamber).apply(warm));
    }
    world.add_plant(std::make_unique<CountingCell>(set.make({0.7, degC}), proposals), config, chamber);
  }
  Plant& plant() { return world.plant(0); }
  double now_s() { return (world.now() - base::MonoTime{}).seconds(); }
  // Moves by a scan and looks.
  Truth scan(base::Duration length = base::seconds(10)) {
    world.advance_to(world.now() + length);
    const Truth t = plant().truth();
    for (double x : {t.voltage_V, t.current_A, t.charge_C, t.energy_J, t.cell.soc, t.cell.core_degC,
                     t.cell.surface_degC, t.cell.heat_W, t.cell.ocv_V}) {
      EXPECT_TRUE(std::isfinite(x));
    }
    return t;
  }
  void begin(const base::Setpoint& setpoint) {
    phase_begun_s = now_s();
    proposals_begun = proposals;
    ASSERT_EQ(plant().apply(setpoint), Refusal::none);
  }
  void expect_few_proposals(const char* phase) {
    const double hours = (now_s() - phase_begun_s) / 3600.0;
    const auto count = static_cast<double>(proposals - proposals_begun);
    EXPECT_LT(count, kMostProposals + kMostProposalsPerHour * hours) << phase << ", " << hours << " h";
  }
};

TEST_P(PlantOfEveryCell, PowerRestChargeResistor) {
  if (set.model->name() == "source") GTEST_SKIP() << "an ideal source has no charge to run out of";
  base::Setpoint power;
  power.control = base::Control::power;
  power.power_W = -0.4 * one_C_A * plant().truth().voltage_V;
  power.voltage_min_V = window.low_V;
  power.current_min_A = -4.0 * one_C_A;
  begin(power);
  Truth t = scan();
  while (t.mode == StageMode::power_low && now_s() - phase_begun_s < 6.0 * 3600.0) {
    EXPECT_NEAR(t.voltage_V * t.current_A / power.power_W, 1.0, 1e-7);
    EXPECT_EQ(t.outcome, DriveOutcome::held);
    t = scan();
  }
  expect_few_proposals("power");
  EXPECT_EQ(t.mode, StageMode::voltage) << "the lower voltage takes over";
  EXPECT_NEAR(t.voltage_V, window.low_V, 1e-6);
  EXPECT_LT(t.current_A, 0.0);

  begin({});
  for (int k = 0; k < 60; ++k) EXPECT_EQ(scan().current_A, 0.0);
  EXPECT_GT(plant().truth().voltage_V, window.low_V) << "it recovers";
  expect_few_proposals("rest");

  base::Setpoint charge;
  charge.control = base::Control::current;
  charge.current_A = 0.3 * one_C_A;
  charge.voltage_max_V = window.high_V;
  begin(charge);
  t = scan();
  while (t.mode == StageMode::current_high && now_s() - phase_begun_s < 6.0 * 3600.0) {
    EXPECT_EQ(t.current_A, charge.current_A);
    t = scan();
  }
  expect_few_proposals("cc");
  ASSERT_EQ(t.mode, StageMode::voltage);
  begin(charge);
  double last_A = t.current_A;
  const double taper_A = value_or(set, "taper", 0.02) * one_C_A, rise = value_or(set, "rise", 1e-6);
  while (t.current_A > taper_A && now_s() - phase_begun_s < 6.0 * 3600.0) {
    EXPECT_NEAR(t.voltage_V, window.high_V, 1e-6);
    EXPECT_EQ(t.outcome, DriveOutcome::held);
    t = scan();
    EXPECT_LE(t.current_A, last_A * (1.0 + rise)) << "at " << now_s() << " s";
    last_A = t.current_A;
  }
  expect_few_proposals("cv");
  if (taper_A > 0.0) {
    EXPECT_LE(t.current_A, taper_A) << "it tapers off";
  }

  base::Setpoint resistor;
  resistor.control = base::Control::resistance;
  resistor.resistance_Ohm = window.high_V / (0.5 * one_C_A);
  resistor.voltage_min_V = window.low_V;
  resistor.current_min_A = -4.0 * one_C_A;
  begin(resistor);
  for (int k = 0; k < 180; ++k) {
    t = scan();
    EXPECT_EQ(t.mode, StageMode::resistance);
    EXPECT_NEAR(-t.voltage_V / t.current_A / resistor.resistance_Ohm, 1.0, 1e-7);
  }
  expect_few_proposals("resistor");
  begin({});
  for (int k = 0; k < 60; ++k) EXPECT_EQ(scan().current_A, 0.0);
  expect_few_proposals("rest again");
}

INSTANTIATE_TEST_SUITE_P(Shipped, PlantOfEveryCell,
                         ::testing::Combine(::testing::ValuesIn(cell_set_names()), ::testing::Bool()),
                         [](const auto& p) {
                           std::string name = std::get<0>(p.param) + (std::get<1>(p.param) ? "_chamber" : "_room");
                           for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
                           return name;
                         });

}  // namespace
}  // namespace cyclerd::hil
