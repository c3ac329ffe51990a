#include "hil/identify/run_clues.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

namespace cyclerd::hil {
namespace {

constexpr double kAcross_s = 1.0;   // rows further apart than this are not of one step
constexpr double kStepShare = 0.3;  // of the largest current

// What steps of the current do to the voltage within moments; the upper quartile. Infinite: no quick steps.
double resistance_of_steps(const MeasuredRun& run, double largest_A) {
  std::vector<double> found;
  for (std::size_t i = 1; i < run.size(); ++i) {
    const double step_A = run.current_A[i] - run.current_A[i - 1];
    if (std::abs(step_A) < kStepShare * largest_A || run.time_s[i] - run.time_s[i - 1] > kAcross_s) continue;
    std::size_t before = i - 1;
    std::size_t after = i;
    if (before > 0 && run.time_s[i] - run.time_s[before - 1] < kAcross_s) --before;
    if (after + 1 < run.size() && run.time_s[after + 1] - run.time_s[i] < kAcross_s) ++after;
    found.push_back((run.voltage_V[after] - run.voltage_V[before]) / step_A);
  }
  if (found.empty()) return std::numeric_limits<double>::infinity();
  std::ranges::sort(found);
  return std::max(found[found.size() * 3 / 4], 1e-9);
}

}  // namespace

CurrentSign sign_of_data(const MeasuredFile& file, std::string& from) {
  double both = 0.0, current = 0.0, voltage = 0.0, drift = 0.0;
  for (const MeasuredRun& run : file.runs) {
    double charge = 0.0;
    for (std::size_t i = 1; i < run.size(); ++i) {
      const double di = run.current_A[i] - run.current_A[i - 1];
      const double dv = run.voltage_V[i] - run.voltage_V[i - 1];
      both += di * dv;
      current += di * di;
      voltage += dv * dv;
      charge += run.current_A[i] * (run.time_s[i] - run.time_s[i - 1]);
    }
    drift += charge * (run.voltage_V.back() - run.voltage_V.front());
  }
  const double correlation = current > 0.0 && voltage > 0.0 ? both / std::sqrt(current * voltage) : 0.0;
  if (std::abs(correlation) > 0.2) {
    from = fmt::format("from the data (steps of current and voltage correlate by {:+.2f})", correlation);
    return correlation > 0.0 ? CurrentSign::charge_positive : CurrentSign::discharge_positive;
  }
  if (drift == 0.0) return CurrentSign::automatic;
  from = "from the data (voltage drifts with the charge)";
  return drift > 0.0 ? CurrentSign::charge_positive : CurrentSign::discharge_positive;
}

std::optional<double> ambient_in_name(std::string_view name) {
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (std::isdigit(static_cast<unsigned char>(name[i])) == 0) continue;
    std::size_t end = i;
    while (end < name.size() && std::isdigit(static_cast<unsigned char>(name[end])) != 0) ++end;
    double degC = 0.0;
    std::from_chars(name.data() + i, name.data() + end, degC);
    const auto letter = [&](std::size_t k) { return std::isalpha(static_cast<unsigned char>(name[k])) != 0; };
    const std::string_view after = name.substr(end);
    const bool unit = after.starts_with("degC") || after.starts_with("_degC") || after.starts_with("\u00b0C");
    const bool marked = i > 0 && (i < 2 || !letter(i - 2)) && end - i <= 2 &&
                        (name[i - 1] == 'T' || name[i - 1] == 'P' || name[i - 1] == 'N') &&
                        (after.empty() || std::isalnum(static_cast<unsigned char>(after.front())) == 0);
    if ((unit || marked) && degC <= 90.0) {
      const bool minus = i > 0 && (name[i - 1] == 'N' || name[i - 1] == '-' ||
                                   (unit && name[i - 1] == 'm' && (i < 2 || !letter(i - 2))));
      return minus ? -degC : degC;
    }
    i = end;
  }
  return std::nullopt;
}

void mark_rows_across_steps(MeasuredRun& run) {
  const double largest_A = run.largest_current_A();
  const double ohm = resistance_of_steps(run, largest_A);
  for (std::size_t i = 0; i + 1 < run.size(); ++i) {
    if (run.time_s[i] == run.time_s[i + 1]) run.counts[i] = false;
    if (i == 0 || run.time_s[i + 1] - run.time_s[i - 1] > kAcross_s) continue;
    const double step_A = run.current_A[i + 1] - run.current_A[i];
    if (std::abs(step_A) < kStepShare * largest_A) continue;
    const bool steady = std::abs(run.current_A[i] - run.current_A[i - 1]) <= 0.02 * largest_A;
    // Voltage moves by at least half of what the step of the current will make, and in its direction.
    if (steady && (run.voltage_V[i] - run.voltage_V[i - 1]) / step_A > 0.5 * ohm) run.counts[i] = false;
  }
  for (std::size_t i = 1; i < run.size(); ++i) {
    const double step_A = run.current_A[i] - run.current_A[i - 1];
    if (std::abs(step_A) < kStepShare * largest_A || run.time_s[i] - run.time_s[i - 1] > 0.5 * kAcross_s) continue;
    if (!run.counts[i - 1]) continue;  // the voltage was early, it cannot be late as well
    for (std::size_t k = i; k < run.size() && run.time_s[k] - run.time_s[i] < 0.5 * kAcross_s; ++k) {
      if ((run.voltage_V[k] - run.voltage_V[i - 1]) / step_A > 0.25 * ohm) break;
      run.counts[k] = false;
    }
  }
}

}  // namespace cyclerd::hil
