#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "protocols/chart/chart.hpp"
#include "protocols/chart/scale.hpp"

namespace cyclerd::chart {
namespace {

constexpr std::size_t kGutter = 10;  // for the numbers at the left

// Dots in braille cells: 2 wide, 4 high.
class Dots {
 public:
  Dots(std::size_t columns, std::size_t lines) : columns_(columns), lines_(lines), cells_(columns * lines) {}
  [[nodiscard]] std::size_t width() const { return 2 * columns_; }
  [[nodiscard]] std::size_t height() const { return 4 * lines_; }
  void set(std::size_t x, std::size_t y) {
    static constexpr unsigned char kBit[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    if (x < width() && y < height()) cells_[y / 4 * columns_ + x / 2] |= kBit[y % 4][x % 2];
  }
  // All dots of a column between two heights, so that a spike is a line.
  void vertical(std::size_t x, std::size_t from, std::size_t to) {
    for (std::size_t y = std::min(from, to); y <= std::max(from, to); ++y) set(x, y);
  }
  [[nodiscard]] std::string line(std::size_t n) const {
    std::string out;
    for (std::size_t i = 0; i < columns_; ++i) {
      const unsigned code = 0x2800U + cells_[n * columns_ + i];
      out += static_cast<char>(0xE0U | (code >> 12));
      out += static_cast<char>(0x80U | ((code >> 6) & 0x3FU));
      out += static_cast<char>(0x80U | (code & 0x3FU));
    }
    return out;
  }

 private:
  std::size_t columns_;
  std::size_t lines_;
  std::vector<unsigned char> cells_;
};

std::string panel(const Curve& curve, std::span<const double> time, const TimeAxis& t, std::size_t columns,
                  std::size_t lines, double smallest_span) {
  const Axis axis = value_axis({&curve.values, 1}, 3, smallest_span);
  Dots dots(columns, lines);
  bool joined = false;
  std::size_t last_x = 0;
  std::size_t last_y = 0;
  const double low_s = t.axis.low * t.unit_s;
  const double high_s = t.axis.high * t.unit_s;
  for (const Point& p : thin_out(time, curve.values, low_s, high_s, dots.width() - 1)) {
    if (std::isnan(p.y)) {
      joined = false;
      continue;
    }
    const auto cell = [](double share, std::size_t n) {
      return static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(n - 1) + 0.5);
    };
    const std::size_t x = cell((p.x - low_s) / (high_s - low_s), dots.width());
    const std::size_t y = cell(1.0 - axis.place(p.y), dots.height());
    for (std::size_t between = last_x + 1; joined && between < x; ++between) dots.set(between, last_y);
    dots.vertical(x, joined ? last_y : y, y);
    last_x = x;
    last_y = y;
    joined = true;
  }
  std::string out = fmt::format("{:>{}} {}\n", "", kGutter, curve.terminal_title);
  std::vector<std::string> labels(lines);
  for (const double tick : axis.ticks()) {
    const double row = (1.0 - axis.place(tick)) * static_cast<double>(lines);
    labels[std::min(lines - 1, static_cast<std::size_t>(std::max(0.0, row)))] = axis.label(tick);
  }
  for (std::size_t i = 0; i < lines; ++i) {
    out += fmt::format("{:>{}} {}{}\n", labels[i], kGutter - 1, labels[i].empty() ? "\u2502" : "\u2524", dots.line(i));
  }
  return out;
}

std::string time_line(const TimeAxis& t, std::size_t columns) {
  std::string line(columns + 8, ' ');
  for (const double tick : t.axis.ticks()) {
    const std::string label = t.axis.label(tick);
    const auto at = static_cast<std::size_t>(t.axis.place(tick) * static_cast<double>(columns - 1));
    if (at + label.size() <= line.size()) line.replace(at, label.size(), label);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return fmt::format("{:>{}} {} {}\n", "", kGutter, line, t.unit);
}

}  // namespace

std::string terminal_chart(const Chart& chart, std::size_t columns, std::size_t panel_lines) {
  if (chart.time_s.empty()) return "no rows yet\n";
  const std::size_t width = columns > kGutter + 20 ? columns - kGutter - 1 : 20;
  const std::size_t lines = std::max<std::size_t>(panel_lines, 2);
  const TimeAxis t = time_axis(chart.time_s.front(), chart.time_s.back(), static_cast<int>(width / 12) + 1);
  std::string out = chart.title + "\n";
  for (const Panel& p : chart.panels) {
    if (!p.curves.empty()) out += panel(p.curves.back(), chart.time_s, t, width, lines, p.smallest_span);
  }
  return out + time_line(t, width);
}

}  // namespace cyclerd::chart
