#include "protocols/chart/scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace cyclerd::chart {

std::vector<double> Axis::ticks() const {
  std::vector<double> out;
  const double slack = step * 1e-9;
  for (double n = std::ceil((low - slack) / step); n * step <= high + slack; n += 1.0) out.push_back(n * step);
  return out;
}

std::string Axis::label(double value) const {
  if (std::fabs(value) >= 1e7) return fmt::format("{:.3g}", value);
  std::string text = fmt::format("{:.{}f}", value, digits);
  if (text.find_first_not_of("-0.") == std::string::npos && text.front() == '-') text.erase(0, 1);
  return text;
}

namespace {

double round_step(double raw) {
  const double decade = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double k : {1.0, 2.0, 2.5, 5.0}) {
    if (raw <= k * decade * (1 + 1e-9)) return k * decade;
  }
  return 10.0 * decade;
}

int digits_for(double step) {
  for (int digits = 0; digits < 9; ++digits) {
    const double scaled = step * std::pow(10.0, digits);
    if (std::fabs(scaled - std::round(scaled)) < 1e-6 * scaled) return digits;
  }
  return 9;
}

}  // namespace

Axis value_axis(std::span<const std::span<const double>> curves, int wanted, double smallest_span) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const auto values : curves) {
    for (const double v : values) {
      if (!std::isfinite(v)) continue;
      low = std::min(low, v);
      high = std::max(high, v);
    }
  }
  if (low > high) low = high = 0.0;
  if (high - low < smallest_span) {
    const double middle = (low + high) / 2;
    low = middle - smallest_span / 2;
    high = middle + smallest_span / 2;
  }
  const double air = 0.06 * (high - low);
  Axis axis;
  axis.low = low - air;
  axis.high = high + air;
  axis.step = round_step((high - low) / wanted);
  axis.digits = digits_for(axis.step);
  return axis;
}

TimeAxis time_axis(double first_s, double last_s, int wanted) {
  struct Unit {
    const char* name;
    double seconds;
    double up_to_s;
  };
  constexpr std::array kUnits = {Unit{"s", 1, 300}, Unit{"min", 60, 3 * 3600}, Unit{"h", 3600, 100 * 3600},
                                 Unit{"d", 86400, std::numeric_limits<double>::infinity()}};
  if (!(last_s > first_s)) last_s = first_s + 1.0;
  TimeAxis out;
  for (const Unit& u : kUnits) {
    if (last_s - first_s > u.up_to_s) continue;
    out.unit = u.name;
    out.unit_s = u.seconds;
    break;
  }
  out.axis.low = first_s / out.unit_s;
  out.axis.high = last_s / out.unit_s;
  const double raw = (out.axis.high - out.axis.low) / wanted;
  out.axis.step = round_step(raw);
  if (out.unit_s < 86400 && out.unit_s > 1 && raw > 1) {
    for (const double nice : {2.0, 3.0, 5.0, 6.0, 10.0, 12.0, 15.0, 20.0, 30.0}) {
      if (out.unit_s < 3600 && (nice == 3.0 || nice == 6.0 || nice == 12.0)) continue;
      if (out.unit_s >= 3600 && (nice == 5.0 || nice == 10.0 || nice == 15.0 || nice == 20.0)) continue;
      if (raw > nice) continue;
      out.axis.step = nice;
      break;
    }
  }
  out.axis.digits = digits_for(out.axis.step);
  return out;
}

std::vector<Point> thin_out(std::span<const double> x, std::span<const double> y, double low, double high,
                            std::size_t bins) {
  std::vector<Point> out;
  const std::size_t n = std::min(x.size(), y.size());
  const double per_unit = high > low ? static_cast<double>(bins) / (high - low) : 0.0;
  const auto bin_of = [&](double t) {
    return static_cast<std::int64_t>(std::clamp((t - low) * per_unit, 0.0, static_cast<double>(bins)));
  };
  std::size_t i = 0;
  while (i < n) {
    if (!std::isfinite(y[i])) {
      if (!out.empty() && !std::isnan(out.back().y)) out.push_back({x[i], std::numeric_limits<double>::quiet_NaN()});
      ++i;
      continue;
    }
    const std::size_t first = i;
    std::size_t lowest = i;
    std::size_t highest = i;
    const std::int64_t bin = bin_of(x[i]);
    while (i < n && std::isfinite(y[i]) && bin_of(x[i]) == bin) {
      if (y[i] < y[lowest]) lowest = i;
      if (y[i] > y[highest]) highest = i;
      ++i;
    }
    std::array<std::size_t, 4> picked = {first, lowest, highest, i - 1};
    std::sort(picked.begin(), picked.end());
    const auto end = std::unique(picked.begin(), picked.end());
    for (auto p = picked.begin(); p != end; ++p) out.push_back({x[*p], y[*p]});
  }
  return out;
}

}  // namespace cyclerd::chart
