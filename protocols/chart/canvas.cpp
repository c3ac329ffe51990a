#include "protocols/chart/canvas.hpp"

#include <cmath>

namespace cyclerd::chart {

Canvas::Canvas(cairo_t* c) : c_(c) {
  cairo_set_line_join(c_, CAIRO_LINE_JOIN_ROUND);
}

void Canvas::source(Color color) {
  cairo_set_source_rgb(c_, color.r, color.g, color.b);
}

void Canvas::fill(const Box& b, Color color) {
  source(color);
  cairo_rectangle(c_, b.x, b.y, b.w, b.h);
  cairo_fill(c_);
}

void Canvas::line(double x1, double y1, double x2, double y2, Color color, double width) {
  source(color);
  cairo_set_line_width(c_, width);
  cairo_move_to(c_, x1, y1);
  cairo_line_to(c_, x2, y2);
  cairo_stroke(c_);
}

void Canvas::font(double size, bool bold) {
  cairo_select_font_face(c_, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                         bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(c_, size);
}

double Canvas::width(const std::string& text) {
  cairo_text_extents_t e;
  cairo_text_extents(c_, text.c_str(), &e);
  return e.x_advance;
}

void Canvas::text(double x, double y, const std::string& text, Color color, double align) {
  source(color);
  cairo_move_to(c_, x - align * width(text), y);
  cairo_show_text(c_, text.c_str());
}

void Canvas::upright(double x, double y, const std::string& words, Color color) {
  cairo_save(c_);
  cairo_translate(c_, x, y);
  cairo_rotate(c_, -M_PI / 2);
  text(0, 0, words, color, 0.5);
  cairo_restore(c_);
}

std::string Canvas::fitted(const std::string& text, double room) {
  if (width(text) <= room) return text;
  std::string cut = text;
  while (!cut.empty()) {
    do {
      cut.pop_back();
    } while (!cut.empty() && (static_cast<unsigned char>(cut.back()) & 0xC0U) == 0x80U);
    if (!cut.empty() && (static_cast<unsigned char>(cut.back()) & 0xC0U) == 0xC0U) cut.pop_back();
    if (width(cut + "\u2026") <= room) break;
  }
  return cut.size() < 3 ? std::string() : cut + "\u2026";
}

void Canvas::badge(double x, double y, double radius, const std::string& number, Color color) {
  source(color);
  cairo_arc(c_, x, y, radius, 0, 2 * M_PI);
  cairo_fill(c_);
  font(radius * (number.size() > 1 ? 1.05 : 1.25), true);
  text(x, y + radius * 0.42, number, rgb(0xFFFFFF), 0.5);
}

void Canvas::curve(const std::vector<Point>& points, const Axis& x, const Axis& y, const Box& box, Color color,
                   double line_width) {
  cairo_save(c_);
  cairo_rectangle(c_, box.x, box.y, box.w, box.h);
  cairo_clip(c_);
  source(color);
  cairo_set_line_width(c_, line_width);
  bool pen_down = false;
  for (const Point& p : points) {
    if (std::isnan(p.y)) {
      pen_down = false;
      continue;
    }
    const double px = box.x + x.place(p.x) * box.w;
    const double py = box.y + (1.0 - y.place(p.y)) * box.h;
    if (pen_down) {
      cairo_line_to(c_, px, py);
    } else {
      cairo_move_to(c_, px, py);
    }
    pen_down = true;
  }
  cairo_stroke(c_);
  cairo_restore(c_);
}

}  // namespace cyclerd::chart
