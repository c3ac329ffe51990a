#include "hil/identify/measured_run.hpp"

#include <algorithm>
#include <cmath>

namespace cyclerd::hil {
namespace {

constexpr double kJump = 0.02;  // of the largest current: more between two rows is a step, not a slope

// The row that the next jump or change of direction forces to be kept, at the latest.
bool is_jump(const MeasuredRun& run, std::size_t i, double largest_A) {
  return std::abs(run.current_A[i] - run.current_A[i - 1]) > kJump * largest_A;
}

// Every row between a and b lies near the line from a to b.
bool straight(const MeasuredRun& run, std::size_t a, std::size_t b, double tolerance_V, double tolerance_A) {
  const double span = run.time_s[b] - run.time_s[a];
  for (std::size_t i = a + 1; i < b; ++i) {
    const double share = (run.time_s[i] - run.time_s[a]) / span;
    const auto off = [&](const std::vector<double>& y) { return std::abs(y[i] - y[a] - share * (y[b] - y[a])); };
    if (off(run.voltage_V) > tolerance_V || off(run.current_A) > tolerance_A) return false;
  }
  return true;
}

}  // namespace

double MeasuredRun::largest_current_A() const noexcept {
  double largest = 0.0;
  for (const double i : current_A) largest = std::max(largest, std::abs(i));
  return largest;
}

std::vector<double> MeasuredRun::charge_C() const {
  std::vector<double> out(size(), 0.0);
  const double largest_A = largest_current_A();
  for (std::size_t i = 1; i < size(); ++i) {
    const CurrentPath p = path(*this, i, largest_A);
    out[i] = out[i - 1] + p.before_A * p.held_s + 0.5 * (p.start_A + p.end_A) * p.straight_s;
  }
  return out;
}

CurrentPath path(const MeasuredRun& run, std::size_t i, double largest_A) noexcept {
  const double dt = run.time_s[i] - run.time_s[i - 1];
  const double before = run.current_A[i - 1];
  const double after = run.current_A[i];
  if (std::abs(after - before) <= kJump * largest_A) return {before, 0.0, before, after, dt};
  double pace = dt;
  if (i + 1 < run.size() && std::abs(run.current_A[i + 1] - after) <= kJump * largest_A) {
    pace = std::min(dt, run.time_s[i + 1] - run.time_s[i]);
  }
  return {before, dt - pace, after, after, pace};
}

MeasuredRun thinned(const MeasuredRun& run, double tolerance_V, double most_s) {
  MeasuredRun out = run;
  if (run.size() < 3) return out;
  const double largest_A = run.largest_current_A();
  std::vector<std::size_t> kept = {0};
  std::size_t from = 0;
  for (std::size_t i = 1; i + 1 < run.size(); ++i) {
    // Around a jump both rows stay, and the one after, which tells the pace.
    const bool near_jump = is_jump(run, i, largest_A) || is_jump(run, i + 1, largest_A) ||
                           (i > 1 && is_jump(run, i - 1, largest_A)) || !run.counts[i];
    const bool good = !near_jump && run.time_s[i + 1] - run.time_s[from] <= most_s && i + 1 - from < 400 &&
                      straight(run, from, i + 1, tolerance_V, 0.25 * kJump * largest_A);
    if (good) continue;
    kept.push_back(i);
    from = i;
  }
  kept.push_back(run.size() - 1);
  const auto pick = [&](std::vector<double>& values) {
    if (values.empty()) return;
    for (std::size_t k = 0; k < kept.size(); ++k) values[k] = values[kept[k]];
    values.resize(kept.size());
  };
  pick(out.time_s);
  pick(out.current_A);
  pick(out.voltage_V);
  pick(out.temperature_degC);
  pick(out.chamber_degC);
  for (std::size_t k = 0; k < kept.size(); ++k) out.counts[k] = run.counts[kept[k]];
  out.counts.resize(kept.size());
  return out;
}

}  // namespace cyclerd::hil
