// What a step of each cell model costs, beside a plain loop over the same kind of equations, and how much faster than
// real time a world of many cells runs. Prints one JSON object.
//   bench_models steps SECONDS SET...       ns a step of 1 s, model and loop in turn, each for about SECONDS of CPU
//   bench_models world SECONDS SET CELLS STEP_US
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <sys/resource.h>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hil/cells/cell_set.hpp"
#include "hil/plant/world.hpp"
#include "protocols/text/toml.hpp"
#include "tests/bench/plain_loops.hpp"

namespace {

using namespace cyclerd;

[[noreturn]] void fail(const std::string& why) {
  fmt::print(stderr, "bench_models: {}\n", why);
  std::exit(1);
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto s = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return s(usage.ru_utime) + s(usage.ru_stime);
}

hil::CellSet load(const std::string& name) {
  const std::string path = hil::find_cell_set(name);
  auto source = text::read_source(path.empty() ? name : path);
  if (!source) fail(source.error().text());
  text::Diagnostics diagnostics;
  auto set = hil::load_cell_set(*source, diagnostics);
  if (!set) fail(diagnostics.render());
  return std::move(*set);
}

// A current that never leaves the middle of the cell: ten minutes in, ten minutes out, at a third of its hour current.
constexpr int kHalfPeriod = 600;
double pattern_A(std::int64_t step, double rate_A) {
  return (step / kHalfPeriod) % 2 == 0 ? rate_A / 3.0 : -rate_A / 3.0;
}

struct Cost {
  double cpu_s = 0.0;
  std::int64_t steps = 0;
  double checksum = 0.0;  // so that nothing is optimised away; no NaN may come out
  [[nodiscard]] double ns() const { return 1e9 * cpu_s / static_cast<double>(steps); }
};

template <class Step>
void run_for(double seconds, Cost& cost, Step&& step) {
  const double begin_s = cpu_seconds();
  double now_s = begin_s;
  while (now_s - begin_s < seconds) {
    for (int i = 0; i < kHalfPeriod; ++i) cost.checksum += step(cost.steps++);
    now_s = cpu_seconds();
  }
  cost.cpu_s += now_s - begin_s;
}

template <class Loop>
void measure(double seconds, hil::Cell& cell, double rate_A, Cost& ours, Cost& plain) {
  Loop loop(1.0);
  for (int slice = 0; slice < 5; ++slice) {
    run_for(seconds / 5.0, ours, [&](std::int64_t i) {
      const double current_A = pattern_A(i, rate_A);
      const double v = cell.propose(current_A, current_A, 1.0);
      cell.commit();
      return v;
    });
    run_for(seconds / 5.0, plain, [&](std::int64_t i) { return loop.step(pattern_A(i, rate_A)); });
  }
}

// Which loop stands beside which model; false for a model that has none.
bool measure_model(std::string_view model, double seconds, hil::Cell& cell, double rate_A, Cost& ours, Cost& plain) {
  if (model == "source") {
    measure<bench::PlainSource>(seconds, cell, rate_A, ours, plain);
  } else if (model == "ecm") {
    measure<bench::PlainEcm>(seconds, cell, rate_A, ours, plain);
  } else if (model == "spm") {
    measure<bench::PlainSpm>(seconds, cell, rate_A, ours, plain);
  } else if (model == "spme") {
    measure<bench::PlainSpme>(seconds, cell, rate_A, ours, plain);
  } else if (model == "lithium-sulfur") {
    measure<bench::PlainLithiumSulfur>(seconds, cell, rate_A, ours, plain);
  } else {
    return false;
  }
  return true;
}

void bench_steps(double seconds, const std::vector<std::string>& names) {
  std::vector<std::string> rows;
  for (const std::string& name : names) {
    const hil::CellSet set = load(name);
    const auto cell = set.make({.soc = 0.5, .temperature_degC = 25.0});
    Cost ours, plain;
    const double rate_A = set.header.capacity_C / 3600.0;
    if (!measure_model(set.model->name(), seconds, *cell, rate_A, ours, plain)) {
      fmt::print(stderr, "bench_models: no plain loop for model {}\n", set.model->name());
      continue;
    }
    if (!std::isfinite(ours.checksum) || !std::isfinite(plain.checksum)) fail(name + " gave no number");
    rows.push_back(
        fmt::format("{{\"set\": \"{}\", \"model\": \"{}\", \"ns\": {:.2f}, \"plain_ns\": {:.2f}, \"n\": {}}}", name,
                    set.model->name(), ours.ns(), plain.ns(), ours.steps));
  }
  fmt::print("[{}]\n", fmt::join(rows, ", "));
}

// Every cell on a cycler of its own, all in one room, charging and discharging in turn at a third of their hour
// current.
void bench_world(double seconds, const std::string& name, int cells, base::Duration step) {
  const hil::CellSet set = load(name);
  base::MonoTime now{};
  hil::World world(now, 25.0);
  hil::PlantConfig config;
  config.stage.voltage_max_V =
      std::max(10.0, 1.5 * (std::isnan(set.header.voltage_max_V) ? 0.0 : set.header.voltage_max_V));
  const double rate_A = set.header.capacity_C / 3600.0;
  config.stage.current_max_A = std::max(40.0, rate_A);
  config.stage.current_min_A = -config.stage.current_max_A;
  for (int i = 0; i < cells; ++i) {
    config.seed = static_cast<std::uint64_t>(i) + 1;
    world.add_plant(set.make({.soc = 0.5, .temperature_degC = 25.0}), config, hil::World::kRoom);
  }
  const auto command = [&](bool charging) {
    base::Setpoint setpoint;
    setpoint.control = base::Control::current;
    setpoint.current_A = charging ? rate_A / 3.0 : -rate_A / 3.0;
    setpoint.voltage_max_V = config.stage.voltage_max_V;
    for (int i = 0; i < cells; ++i) {
      if (world.plant(static_cast<std::size_t>(i)).apply(setpoint) != hil::Refusal::none)
        fail("a set-point was refused");
    }
  };
  command(true);
  world.advance_to(now = now + step);  // the first touch of every cell's memory
  const base::MonoTime begin = now;
  const double begin_s = cpu_seconds();
  std::int64_t steps = 0;
  double used_s = 0.0;
  bool charging = true;
  base::MonoTime turn = now + base::seconds(kHalfPeriod);
  while (used_s < seconds) {
    for (int i = 0; i < 16; ++i, ++steps) {
      world.advance_to(now = now + step);
      if (now < turn) continue;
      turn = now + base::seconds(kHalfPeriod);
      command(charging = !charging);
    }
    used_s = cpu_seconds() - begin_s;
  }
  // The floor: the models alone, as many steps of the same length.
  std::vector<std::unique_ptr<hil::Cell>> bare;
  for (int i = 0; i < cells; ++i) bare.push_back(set.make({.soc = 0.5, .temperature_degC = 25.0}));
  const double bare_begin_s = cpu_seconds();
  double bare_s = 0.0;
  std::int64_t bare_steps = 0;
  while (bare_s < seconds) {
    for (int i = 0; i < 16; ++i, ++bare_steps) {
      const double current_A =
          (bare_steps * step.us / (kHalfPeriod * 1'000'000)) % 2 == 0 ? rate_A / 3.0 : -rate_A / 3.0;
      for (auto& cell : bare) hil::step(*cell, current_A, current_A, step.seconds());
    }
    bare_s = cpu_seconds() - bare_begin_s;
  }
  if (!std::isfinite(world.plant(0).truth().voltage_V)) fail(name + " gave no number");
  fmt::print("{{\"real_time_factor\": {:.4g}, \"bare_real_time_factor\": {:.4g}, \"steps\": {}}}\n",
             (now - begin).seconds() / used_s, static_cast<double>(bare_steps) * step.seconds() / bare_s, steps);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() >= 3 && words[0] == "steps") {
    bench_steps(std::atof(words[1].c_str()), {words.begin() + 2, words.end()});
  } else if (words.size() == 5 && words[0] == "world") {
    bench_world(std::atof(words[1].c_str()), words[2], std::atoi(words[3].c_str()),
                base::microseconds(std::atoll(words[4].c_str())));
  } else {
    fail("steps SECONDS SET... | world SECONDS SET CELLS STEP_US");
  }
  return 0;
}
