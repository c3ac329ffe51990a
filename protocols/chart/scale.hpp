// Axes and thinning for plots: round ticks, and fewer points that still show every spike.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace cyclerd::chart {

struct Axis {
  double low = 0.0;
  double high = 1.0;
  double step = 1.0;  // between ticks
  int digits = 0;     // behind the decimal point
  [[nodiscard]] std::vector<double> ticks() const;
  [[nodiscard]] std::string label(double value) const;
  // 0 at low, 1 at high.
  [[nodiscard]] double place(double value) const { return (value - low) / (high - low); }
};

// Covers all finite values with a little air; about `wanted` ticks at 1, 2, 2.5 or 5 times a power of ten. At least
// `smallest_span` wide, so that noise of a constant does not fill the panel.
[[nodiscard]] Axis value_axis(std::span<const std::span<const double>> curves, int wanted, double smallest_span);

struct TimeAxis {
  Axis axis;  // in `unit`
  const char* unit = "s";
  double unit_s = 1.0;  // seconds per unit
};
// From first to last time exactly; ticks at 1, 2, 5, 10, 15, 30 (or 3, 6, 12) of s, min, h or d.
[[nodiscard]] TimeAxis time_axis(double first_s, double last_s, int wanted);

struct Point {
  double x = 0.0;
  double y = 0.0;  // NaN: the line breaks here
};
// At most four points for each of `bins` equal stretches of x: the first, the lowest, the highest and the last, in
// order of time, so that no extreme is lost. x must not fall.
[[nodiscard]] std::vector<Point> thin_out(std::span<const double> x, std::span<const double> y, double low, double high,
                                          std::size_t bins);

}  // namespace cyclerd::chart
