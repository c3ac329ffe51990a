// The floor of a simulation: the virtual cell alone, and cell, cycler and chamber as a simulation has them, stepped by
// 1 s through 0.5 C up and 1 C down between 2.8 and 4.2 V. Prints one JSON object.
#include <fmt/core.h>
#include <sys/resource.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "hil/cells/cell_set.hpp"
#include "hil/plant/world.hpp"
#include "protocols/text/toml.hpp"

namespace {

using namespace cyclerd;

constexpr double kUpper_V = 4.2;
constexpr double kLower_V = 2.8;
constexpr base::Duration kStep = base::seconds(1);

[[noreturn]] void fail(const std::string& why) {
  fmt::print(stderr, "bench_lab: {}\n", why);
  std::exit(1);
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto s = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return s(usage.ru_utime) + s(usage.ru_stime);
}

// Charges to the upper voltage, then discharges to the lower one, and so on.
struct Direction {
  bool charging = true;
  int turns = 0;

  bool turn_at(double voltage_V) {
    if (charging ? voltage_V < kUpper_V : voltage_V > kLower_V) return false;
    charging = !charging;
    ++turns;
    return true;
  }
};

struct Measured {
  double cpu_s = 0.0;
  int turns = 0;
};

Measured run_cell(const hil::CellSet& set, std::int64_t steps) {
  const auto cell = set.make({.soc = 0.5, .temperature_degC = 25.0});
  const double rate_A = set.header.capacity_C / 3600.0;
  Direction direction;
  const double begin_s = cpu_seconds();
  for (std::int64_t i = 0; i < steps; ++i) {
    const double current_A = direction.charging ? 0.5 * rate_A : -rate_A;
    (void)direction.turn_at(cell->propose(current_A, current_A, kStep.seconds()));
    cell->commit();
  }
  return {cpu_seconds() - begin_s, direction.turns};
}

Measured run_world(const hil::CellSet& set, std::int64_t steps) {
  base::MonoTime now{};
  hil::World world(now, 25.0);
  const std::size_t place = world.add_chamber({});
  hil::PlantConfig config;
  config.stage.voltage_max_V = 10.0;
  const std::size_t plant = world.add_plant(set.make({.soc = 0.5, .temperature_degC = 25.0}), config, place);
  const double rate_A = set.header.capacity_C / 3600.0;
  Direction direction;
  const auto command = [&] {
    base::Setpoint setpoint;
    setpoint.control = base::Control::current;
    setpoint.current_A = direction.charging ? 0.5 * rate_A : -rate_A;
    setpoint.voltage_max_V = 5.0;
    setpoint.voltage_min_V = 1.0;
    if (world.plant(plant).apply(setpoint) != hil::Refusal::none) fail("the set-point was refused");
  };
  command();
  const double begin_s = cpu_seconds();
  for (std::int64_t i = 0; i < steps; ++i) {
    now = now + kStep;
    world.advance_to(now);
    if (direction.turn_at(world.plant(plant).measure().voltage_V)) command();
  }
  return {cpu_seconds() - begin_s, direction.turns};
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t steps = argc > 1 ? std::atoll(argv[1]) : 3'600'000;
  auto source = text::read_source(hil::find_cell_set("lg-m50"));
  if (!source) fail(source.error().text());
  text::Diagnostics diagnostics;
  const auto set = hil::load_cell_set(*source, diagnostics);
  if (!set) fail(diagnostics.render());
  const Measured cell = run_cell(*set, steps);
  const Measured world = run_world(*set, steps);
  if (cell.turns == 0 || world.turns == 0) fail("the cell never reached a limit; nothing was simulated");
  fmt::print("{{\"steps\": {}, \"cell_cpu_s\": {:.3f}, \"lab_cpu_s\": {:.3f}, \"turns\": [{}, {}]}}\n", steps,
             cell.cpu_s, world.cpu_s, cell.turns, world.turns);
  return 0;
}
