// Strokes, words and badges on a cairo surface.
#pragma once

#include <cairo.h>

#include <string>
#include <vector>

#include "protocols/chart/chart.hpp"
#include "protocols/chart/scale.hpp"

namespace cyclerd::chart {

struct Color {
  double r, g, b;
};
constexpr Color rgb(unsigned hex) {
  return {((hex >> 16) & 0xFF) / 255.0, ((hex >> 8) & 0xFF) / 255.0, (hex & 0xFF) / 255.0};
}

struct Box {
  double x, y, w, h;
};

class Canvas {
 public:
  explicit Canvas(cairo_t* c);

  void fill(const Box& b, Color color);
  void line(double x1, double y1, double x2, double y2, Color color, double width);
  void font(double size, bool bold = false);
  double width(const std::string& text);
  // `align`: 0 left, 0.5 middle, 1 right.
  void text(double x, double y, const std::string& text, Color color, double align = 0.0);
  void upright(double x, double y, const std::string& words, Color color);
  // Cut to fit with an ellipsis; empty when not even a few letters fit.
  std::string fitted(const std::string& text, double room);
  void badge(double x, double y, double radius, const std::string& number, Color color);
  void curve(const std::vector<Point>& points, const Axis& x, const Axis& y, const Box& box, Color color,
             double line_width);

 private:
  void source(Color color);
  cairo_t* c_;
};

}  // namespace cyclerd::chart
