#include "hil/identify/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

namespace cyclerd::hil {
namespace {

constexpr double kRest = 0.01;  // of the largest current: less is a rest
constexpr double kSettling_s = 60.0;
constexpr double kLongRest_s = 600.0;
constexpr double kSocMin = -0.02, kSocMax = 1.03;
constexpr double kConstant = 0.03;       // a stretch of constant current stays within this share of it
constexpr double kMainShare = 0.6;       // of the run's charge, for the stretch whose end is timed
constexpr double kExtrapolation = 0.25;  // of the stretch's duration: how long the model may go on to reach the end

void drive(Cell& cell, double start_A, double end_A, double dt_s, double longest_s) {
  if (!(dt_s > 0.0)) return;
  const double parts = std::max(1.0, std::ceil(dt_s / longest_s - 1e-9));
  double from_A = start_A;
  for (double k = 1.0; k <= parts; k += 1.0) {
    const double to_A = k == parts ? end_A : start_A + (end_A - start_A) * k / parts;
    step(cell, from_A, to_A, dt_s / parts);
    from_A = to_A;
  }
}

void drive(Cell& cell, const CurrentPath& p, double longest_s) {
  drive(cell, p.before_A, p.before_A, p.held_s, longest_s);
  drive(cell, p.start_A, p.end_A, p.straight_s, longest_s);
}

struct Stretch {
  std::size_t first = 0, last = 0;
  double mean_A = 0.0;
};

// The stretch of constant current that passes through most charge; none unless it is most of the run's.
std::optional<Stretch> main_stretch(const MeasuredRun& run, const std::vector<double>& charge_C) {
  const auto [low, high] = std::ranges::minmax(charge_C);
  Stretch best;
  double best_C = 0.0;
  std::size_t first = 1;
  while (first < run.size()) {
    const double reference = run.current_A[first];
    std::size_t last = first;
    while (last + 1 < run.size() && std::abs(run.current_A[last + 1] - reference) <= kConstant * std::abs(reference)) {
      ++last;
    }
    const double moved = charge_C[last] - charge_C[first];
    if (std::abs(moved) > std::abs(best_C)) {
      best_C = moved;
      best = {first, last, moved / (run.time_s[last] - run.time_s[first])};
    }
    first = last + 1;
  }
  if (best_C == 0.0 || std::abs(best_C) < kMainShare * (high - low)) return std::nullopt;
  while (best.last > best.first + 1 && !run.counts[best.last]) --best.last;
  return best;
}

// Time at which the model passes the measured end voltage of the stretch, in the measurement's time.
double end_time(const MeasuredRun& run, const Stretch& s, RunResult& result, Cell& at_end) {
  const double target = run.voltage_V[s.last];
  const double side = s.mean_A > 0.0 ? 1.0 : -1.0;
  const auto beyond = [&](double v) { return side * (v - target) >= 0.0; };
  // From the end backwards: the model of a dynamic start may dip below the target and come back.
  std::size_t i = s.last;
  while (i > s.first && beyond(result.voltage_V[i])) --i;
  if (i < s.last) {
    const double v0 = result.voltage_V[i];
    const double v1 = result.voltage_V[i + 1];
    return run.time_s[i] + (run.time_s[i + 1] - run.time_s[i]) * std::clamp((target - v0) / (v1 - v0), 0.0, 1.0);
  }
  if (beyond(result.voltage_V[s.last])) return run.time_s[s.last];
  const double duration_s = run.time_s[s.last] - run.time_s[s.first];
  const double dt = std::min(duration_s / 2000.0, 10.0);
  double t = run.time_s[s.last];
  double v0 = result.voltage_V[s.last];
  while (t < run.time_s[s.last] + kExtrapolation * duration_s) {
    step(at_end, s.mean_A, s.mean_A, dt);
    const double v1 = at_end.terminal(s.mean_A).voltage_V(s.mean_A);
    if (beyond(v1)) return t + dt * (target - v0) / (v1 - v0);
    v0 = v1;
    t += dt;
  }
  result.statistics.end_not_reached = true;
  return t;
}

// Half of the time to either neighbour: rows that were thinned out weigh as if they were there.
std::vector<double> weights_s(const MeasuredRun& run) {
  std::vector<double> w(run.size(), 0.0);
  for (std::size_t i = 1; i < run.size(); ++i) {
    const double half = 0.5 * (run.time_s[i] - run.time_s[i - 1]);
    w[i - 1] += half;
    w[i] += half;
  }
  for (std::size_t i = 0; i < run.size(); ++i) {
    if (!run.counts[i]) w[i] = 0.0;
  }
  return w;
}

double root_mean(double sum, double weight) {
  return weight > 0.0 ? std::sqrt(sum / weight) : 0.0;
}

void voltage_statistics(const MeasuredRun& run, const std::vector<double>& charge_C, RunResult& result) {
  RunStatistics& s = result.statistics;
  std::vector<double> w = weights_s(run);
  if (result.start.loaded) w[0] = 0.0;
  const auto [low, high] = std::ranges::minmax(charge_C);
  double sum = 0.0, weight = 0.0, middle = 0.0, middle_weight = 0.0, signed_sum = 0.0;
  for (std::size_t i = 0; i < run.size(); ++i) {
    if (!run.counts[i] || (i == 0 && result.start.loaded)) continue;
    const double error = 1e3 * (result.voltage_V[i] - run.voltage_V[i]);
    sum += w[i] * error * error;
    signed_sum += w[i] * error;
    weight += w[i];
    const double place = high > low ? (charge_C[i] - low) / (high - low) : 0.5;
    if (place >= 0.05 && place <= 0.95) {
      middle += w[i] * error * error;
      middle_weight += w[i];
    }
    if (std::abs(error) > std::abs(s.max_mV)) {
      s.max_mV = error;
      s.max_at_s = run.time_s[i];
    }
  }
  s.rmse_mV = root_mean(sum, weight);
  s.middle_rmse_mV = root_mean(middle, middle_weight);
  s.mean_mV = weight > 0.0 ? signed_sum / weight : 0.0;
}

void temperature_statistics(const MeasuredRun& run, std::size_t last, RunResult& result) {
  if (run.temperature_degC.empty()) return;
  const std::vector<double> w = weights_s(run);
  double sum = 0.0, weight = 0.0;
  for (std::size_t i = 0; i < run.size(); ++i) {
    const double error = result.temperature_degC[i] - run.temperature_degC[i];
    if (!std::isfinite(error)) continue;
    sum += w[i] * error * error;
    weight += w[i];
    if (i <= last) result.statistics.temperature_end_K = error;
  }
  if (weight > 0.0) result.statistics.temperature_rmse_K = std::sqrt(sum / weight);
}

double first_moving_A(const MeasuredRun& run, double largest_A) {
  for (const double i : run.current_A) {
    if (std::abs(i) > kRest * largest_A) return i;
  }
  return 0.0;
}

struct LaterRest {
  std::size_t row = 0;     // its last
  double direction = 0.0;  // of the current before: 1 charge, -1 discharge
};

std::optional<LaterRest> later_rest(const MeasuredRun& run, double largest_A) {
  double since_s = run.time_s.front();
  double direction = 0.0;
  for (std::size_t i = 0; i < run.size(); ++i) {
    if (std::abs(run.current_A[i]) > kRest * largest_A) {
      since_s = run.time_s[i];
      direction = run.current_A[i] > 0.0 ? 1.0 : -1.0;
    } else if (run.time_s[i] - since_s >= kLongRest_s &&
               (i + 1 == run.size() || std::abs(run.current_A[i + 1]) > kRest * largest_A)) {
      return LaterRest{i, direction};
    }
  }
  return std::nullopt;
}

// The state of charge whose voltage under the condition `voltage_of(soc)` is `target_V`; voltage rises with soc.
template <class VoltageOf>
std::pair<double, double> solve_soc(VoltageOf&& voltage_of, double target_V) {
  double low = kSocMin, high = kSocMax;
  for (int k = 0; k < 40; ++k) {
    const double middle = 0.5 * (low + high);
    (voltage_of(middle) < target_V ? low : high) = middle;
  }
  const double soc = 0.5 * (low + high);
  return {soc, target_V - voltage_of(soc)};
}

}  // namespace

RunStart start_of(const CellModel& model, const MeasuredRun& run, const EvaluateOptions& options) {
  RunStart out;
  const double largest_A = run.largest_current_A();
  out.start.temperature_degC = run.ambient_degC;
  if (!run.temperature_degC.empty() && std::isfinite(run.temperature_degC.front())) {
    out.start.temperature_degC = run.temperature_degC.front();
  }
  // A run starts from where the opposite direction brought it; a pulse below full from a discharge.
  const double first_A = first_moving_A(run, largest_A);
  out.start.hysteresis = first_A < 0.0 ? 1.0 : first_A > 0.0 ? -1.0 : 0.0;
  if (run.pulse_soc < 0.95) out.start.hysteresis = -1.0;
  if (options.start_soc) {
    out.start.soc = *options.start_soc;
    out.from = "as told";
    return out;
  }
  std::size_t rest = 0;  // last row of the rest at the start
  while (rest + 1 < run.size() && std::abs(run.current_A[rest + 1]) <= kRest * largest_A) ++rest;
  while (rest > 0 && !run.counts[rest]) --rest;
  const auto made = [&](double soc) { return model.make({soc, out.start.temperature_degC, out.start.hysteresis}); };
  const auto under = [&](double current_A) {
    return [&made, current_A](double soc) { return made(soc)->terminal(current_A).voltage_V(current_A); };
  };
  if (std::abs(run.current_A[0]) > kRest * largest_A) {
    if (const auto later = later_rest(run, largest_A)) {
      const double direction = later->direction;
      const auto resting = [&](double soc) {
        return model.make({soc, out.start.temperature_degC, direction})->terminal(0.0).emf_V;
      };
      const auto [soc, miss_V] = solve_soc(resting, run.voltage_V[later->row]);
      const double capacity_C = made(soc)->readout().capacity_C;
      out.start.soc = std::clamp(soc - run.charge_C()[later->row] / capacity_C, kSocMin, kSocMax);
      out.miss_V = miss_V;
      out.from = "from the first long rest and the charge until then";
      return out;
    }
    // The record begins somewhere in a load. What polarises within a minute is let do so before voltages are compared.
    std::size_t settled = 0;
    while (settled + 1 < run.size() && run.time_s[settled + 1] - run.time_s[0] <= kSettling_s &&
           std::abs(run.current_A[settled + 1] - run.current_A[0]) <= kConstant * std::abs(run.current_A[0])) {
      ++settled;
    }
    const auto after_settling = [&](double soc) {
      const auto cell = made(soc);
      cell->set_ambient(out.start.temperature_degC);
      for (std::size_t i = 1; i <= settled; ++i) drive(*cell, path(run, i, largest_A), options.longest_step_s);
      return cell->terminal(run.current_A[settled]).voltage_V(run.current_A[settled]);
    };
    std::tie(out.start.soc, out.miss_V) = solve_soc(after_settling, run.voltage_V[settled]);
    out.from = "from the voltage under load, after a minute";
    return out;
  }
  std::tie(out.start.soc, out.miss_V) = solve_soc(under(0.0), run.voltage_V[rest]);
  out.from = "from the rest voltage";
  if (rest != 0 || run.size() < 2 || run.time_s[1] - run.time_s[0] > 5.0) return out;
  const double load_A = run.current_A[1];
  const double expected_V = under(load_A)(out.start.soc) - under(0.0)(out.start.soc);
  if (std::abs(expected_V) < 0.005 || (run.voltage_V[1] - run.voltage_V[0]) / expected_V > 0.5) return out;
  std::tie(out.start.soc, out.miss_V) = solve_soc(under(load_A), run.voltage_V[1]);
  out.loaded = true;
  out.from = "from the second voltage, under load: the first row says rest but shows the load";
  return out;
}

namespace {

// `at_row`: called after every row.
template <class AtRow>
std::unique_ptr<Cell> drive_through(const CellModel& model, const MeasuredRun& run, const RunStart& start,
                                    double longest_step_s, AtRow&& at_row) {
  const double largest_A = run.largest_current_A();
  std::unique_ptr<Cell> cell = model.make(start.start);
  cell->set_ambient(run.ambient_degC);
  for (std::size_t i = 0; i < run.size(); ++i) {
    if (!run.chamber_degC.empty()) cell->set_ambient(run.chamber_degC[i]);
    if (i > 0) drive(*cell, path(run, i, largest_A), longest_step_s);
    at_row(i, *cell);
  }
  return cell;
}

}  // namespace

std::uint32_t simulate(const CellModel& model, const MeasuredRun& run, const RunStart& start, double longest_step_s,
                       std::vector<double>& voltage_V, std::vector<double>& temperature_degC) {
  voltage_V.resize(run.size());
  temperature_degC.resize(run.size());
  const bool temperature = !run.temperature_degC.empty();
  const auto cell = drive_through(model, run, start, longest_step_s, [&](std::size_t i, const Cell& now) {
    voltage_V[i] = now.terminal(run.current_A[i]).voltage_V(run.current_A[i]);
    if (temperature) temperature_degC[i] = now.readout().surface_degC;
  });
  return cell->readout().flags;
}

RunResult evaluate(const CellModel& model, const MeasuredRun& run, const EvaluateOptions& options) {
  RunResult out;
  if (run.size() < 2) return out;
  out.start = start_of(model, run, options);
  const std::vector<double> charge_C = run.charge_C();
  const std::optional<Stretch> stretch = main_stretch(run, charge_C);
  out.voltage_V.resize(run.size());
  out.temperature_degC.resize(run.size());
  CellSnapshot at_stretch_end;
  const auto cell = drive_through(model, run, out.start, options.longest_step_s, [&](std::size_t i, const Cell& now) {
    out.voltage_V[i] = now.terminal(run.current_A[i]).voltage_V(run.current_A[i]);
    if (!run.temperature_degC.empty()) out.temperature_degC[i] = now.readout().surface_degC;
    if (stretch && i == stretch->last) at_stretch_end = now.snapshot();
  });
  out.flags = cell->readout().flags;
  out.statistics.duration_s = run.duration_s();
  voltage_statistics(run, charge_C, out);
  temperature_statistics(run, stretch ? stretch->last : run.size() - 1, out);
  if (stretch && cell->restore(at_stretch_end)) {
    out.statistics.stretch_s = run.time_s[stretch->last] - run.time_s[stretch->first - 1];
    out.statistics.end_time_s = end_time(run, *stretch, out, *cell) - run.time_s[stretch->last];
  }
  return out;
}

}  // namespace cyclerd::hil
