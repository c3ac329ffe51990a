// Panels of curves over one time axis, with shaded bands. SVG and PNG come from one drawing code; a small one in
// braille is for the terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "protocols/base/result.hpp"

namespace cyclerd::chart {

// Okabe and Ito's palette: tells apart for every eye.
enum class Ink : std::uint8_t { blue, vermilion, green, purple, black, grey };

// `values`: one per time, NaN where there is none; must outlive the drawing.
struct Curve {
  std::span<const double> values;
  std::string label;  // in the legend, which is there when a panel has several curves
  Ink ink = Ink::blue;
  std::string terminal_title;  // what the terminal calls it
};

// The terminal shows the last curve only.
struct Panel {
  std::string title;
  std::vector<Curve> curves;
  double share = 1.0;          // of the height; they are scaled to add up to 1
  double smallest_span = 0.0;  // of the axis, so that the noise of a constant does not fill the panel
};

enum class Shade : std::uint8_t { charge, discharge, rest, other };

// A stretch of time with a colour, a name and how it ended.
struct Band {
  double start_s = 0.0;
  double end_s = 0.0;
  std::string name;
  std::string note;
  Shade shade = Shade::other;
};

struct Chart {
  std::string title;
  std::string subtitle;
  std::string time_label = "Test time";
  std::span<const double> time_s;  // never falling; must outlive the drawing
  std::vector<Panel> panels;
  std::vector<Band> bands;
};

struct ChartSize {
  double width = 1200.0;  // SVG points; PNG pixels before `scale`
  double height = 900.0;
  double scale = 2.0;  // PNG only
};

base::Status write_svg(const Chart& chart, const std::string& path, const ChartSize& size = {});
base::Status write_png(const Chart& chart, const std::string& path, const ChartSize& size = {});
// `columns` wide; panels of `panel_lines` each, those without a curve left out.
[[nodiscard]] std::string terminal_chart(const Chart& chart, std::size_t columns = 100, std::size_t panel_lines = 7);

}  // namespace cyclerd::chart
