#include "daemon/record/plot.hpp"

#include <cairo-svg.h>
#include <cairo.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "daemon/record/plot_scale.hpp"

namespace cyclerd::record {
namespace {

struct Color {
  double r, g, b;
};
constexpr Color rgb(unsigned hex) {
  return {((hex >> 16) & 0xFF) / 255.0, ((hex >> 8) & 0xFF) / 255.0, (hex & 0xFF) / 255.0};
}
// Okabe and Ito's palette: tells apart for every eye.
constexpr Color kInk = rgb(0x222222), kSoftInk = rgb(0x666666), kGrid = rgb(0xE3E3E3), kFrame = rgb(0x9A9A9A);
constexpr Color kVoltage = rgb(0x0072B2), kCurrent = rgb(0xD55E00), kCell = rgb(0x009E73), kAir = rgb(0x8A8A8A);

struct Shade {
  const char* label;
  Color fill;
  Color badge;
};
constexpr std::array kShades = {
    Shade{"charge", rgb(0xE4F0FA), rgb(0x0072B2)}, Shade{"discharge", rgb(0xFCEBDD), rgb(0xD55E00)},
    Shade{"rest", rgb(0xF5F5F5), rgb(0x777777)}, Shade{"other", rgb(0xEFE9F6), rgb(0x7A5BA6)}};

std::size_t shade_of(const PlotStep& step) {
  const auto has = [&](const char* word) { return step.type.find(word) != std::string::npos; };
  if (has("DCH") || has("DIS")) return 1;
  if (has("CHG") || has("CHARGE")) return 0;
  if (has("REST") || has("OCV")) return 2;
  return 3;
}

struct Box {
  double x, y, w, h;
};

class Canvas {
 public:
  explicit Canvas(cairo_t* c) : c_(c) { cairo_set_line_join(c_, CAIRO_LINE_JOIN_ROUND); }

  void fill(const Box& b, Color color) {
    source(color);
    cairo_rectangle(c_, b.x, b.y, b.w, b.h);
    cairo_fill(c_);
  }
  void line(double x1, double y1, double x2, double y2, Color color, double width) {
    source(color);
    cairo_set_line_width(c_, width);
    cairo_move_to(c_, x1, y1);
    cairo_line_to(c_, x2, y2);
    cairo_stroke(c_);
  }
  void font(double size, bool bold = false) {
    cairo_select_font_face(c_, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(c_, size);
  }
  double width(const std::string& text) {
    cairo_text_extents_t e;
    cairo_text_extents(c_, text.c_str(), &e);
    return e.x_advance;
  }
  // `align`: 0 left, 0.5 middle, 1 right.
  void text(double x, double y, const std::string& text, Color color, double align = 0.0) {
    source(color);
    cairo_move_to(c_, x - align * width(text), y);
    cairo_show_text(c_, text.c_str());
  }
  void upright(double x, double y, const std::string& words, Color color) {
    cairo_save(c_);
    cairo_translate(c_, x, y);
    cairo_rotate(c_, -M_PI / 2);
    text(0, 0, words, color, 0.5);
    cairo_restore(c_);
  }
  // Cut to fit with an ellipsis; empty when not even a few letters fit.
  std::string fitted(const std::string& text, double room) {
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
  void badge(double x, double y, double radius, const std::string& number, Color color) {
    source(color);
    cairo_arc(c_, x, y, radius, 0, 2 * M_PI);
    cairo_fill(c_);
    font(radius * (number.size() > 1 ? 1.05 : 1.25), true);
    text(x, y + radius * 0.42, number, rgb(0xFFFFFF), 0.5);
  }
  void curve(const std::vector<Point>& points, const Axis& x, const Axis& y, const Box& box, Color color,
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

 private:
  void source(Color color) { cairo_set_source_rgb(c_, color.r, color.g, color.b); }
  cairo_t* c_;
};

struct Curve {
  const std::vector<double>* values;
  const char* label;
  Color color;
};
struct Panel {
  const char* title;
  std::vector<Curve> curves;
  double share;          // of the height
  double smallest_span;  // of the axis
};

constexpr std::size_t kMostKeys = 14;  // steps explained one by one below the plot; more only by colour
constexpr double kLeft = 86, kRight = 28, kTop = 104, kGap = 28, kKeyLine = 19;

class Drawing {
 public:
  Drawing(cairo_t* c, const PlotData& data, const PlotSize& size) : canvas_(c), data_(data), size_(size) {
    const double first = data.time_s.empty() ? 0.0 : data.time_s.front();
    const double last = data.time_s.empty() ? 1.0 : data.time_s.back();
    time_ = time_axis(std::min(first, data.steps.empty() ? first : data.steps.front().start_s), last, 9);
    for (const double t : data.time_s) x_.push_back(t / time_.unit_s);
    keys_ = data.steps.size() <= kMostKeys ? data.steps.size() : 0;
    const double key_lines = keys_ == 0 ? 1.0 : std::ceil(static_cast<double>(keys_) / 2);
    bottom_ = 62 + 14 + kKeyLine * key_lines;
  }

  void draw() {
    canvas_.fill({0, 0, size_.width, size_.height}, rgb(0xFFFFFF));
    canvas_.font(22, true);
    canvas_.text(kLeft, 38, data_.title, kInk);
    canvas_.font(13.5);
    canvas_.text(kLeft, 60, canvas_.fitted(data_.subtitle, size_.width - kLeft - kRight), kSoftInk);
    const std::vector<Panel> panels = make_panels();
    const double room = size_.height - kTop - bottom_ - kGap * static_cast<double>(panels.size() - 1);
    double y = kTop;
    for (std::size_t i = 0; i < panels.size(); ++i) {
      const Box box{kLeft, y, size_.width - kLeft - kRight, room * panels[i].share};
      draw_panel(panels[i], box, i + 1 == panels.size());
      y += box.h + kGap;
    }
    draw_step_marks();
    draw_key();
  }

 private:
  std::vector<Panel> make_panels() const {
    std::vector<Curve> temperatures;
    const auto any = [](const std::vector<double>& v) {
      return std::any_of(v.begin(), v.end(), [](double x) { return std::isfinite(x); });
    };
    if (any(data_.chamber_degC)) temperatures.push_back({&data_.chamber_degC, "chamber", kAir});
    if (any(data_.temperature_degC)) temperatures.push_back({&data_.temperature_degC, "cell", kCell});
    return {{"Voltage / V", {{&data_.voltage_V, "", kVoltage}}, 0.37, 0.02},
            {"Current / A", {{&data_.current_A, "", kCurrent}}, 0.35, 0.02},
            {"Temperature / \u00B0C", temperatures, 0.28, 2.0}};
  }

  double x_of(double t_s, const Box& box) const {
    return box.x + std::clamp(time_.axis.place(t_s / time_.unit_s), 0.0, 1.0) * box.w;
  }

  void draw_panel(const Panel& panel, const Box& box, bool last) {
    for (const PlotStep& step : data_.steps) {
      const double from = x_of(step.start_s, box);
      canvas_.fill({from, box.y, x_of(step.end_s, box) - from, box.h}, kShades[shade_of(step)].fill);
    }
    static const std::vector<double> kNone;
    const auto values = [&](std::size_t i) -> const std::vector<double>& {
      return i < panel.curves.size() ? *panel.curves[i].values : kNone;
    };
    const Axis axis = value_axis(values(0), values(1), box.h > 200 ? 5 : 4, panel.smallest_span);
    canvas_.font(13);
    for (const double tick : axis.ticks()) {
      const double y = std::round(box.y + (1 - axis.place(tick)) * box.h) + 0.5;
      canvas_.line(box.x, y, box.x + box.w, y, tick == 0.0 ? kFrame : kGrid, 1);
      canvas_.text(box.x - 9, y + 4.5, axis.label(tick), kInk, 1.0);
    }
    for (const double tick : time_.axis.ticks()) {
      const double x = std::round(box.x + time_.axis.place(tick) * box.w) + 0.5;
      canvas_.line(x, box.y, x, box.y + box.h, kGrid, 1);
      canvas_.line(x, box.y + box.h, x, box.y + box.h + 5, kFrame, 1);
      if (last) canvas_.text(x, box.y + box.h + 21, time_.axis.label(tick), kInk, 0.5);
    }
    if (data_.steps.size() <= 60) {
      for (const PlotStep& step : data_.steps) {
        const double x = std::round(x_of(step.start_s, box)) + 0.5;
        if (x > box.x + 2) canvas_.line(x, box.y, x, box.y + box.h, rgb(0xBDBDBD), 1);
      }
    }
    for (const Curve& curve : panel.curves) {
      const auto bins = static_cast<std::size_t>(box.w * 2);
      canvas_.curve(thin_out(x_, *curve.values, time_.axis.low, time_.axis.high, bins), time_.axis, axis, box,
                    curve.color, 1.7);
    }
    draw_frame(box);
    canvas_.font(14, true);
    canvas_.upright(26, box.y + box.h / 2, panel.title, panel.curves.empty() ? kInk : panel.curves.back().color);
    draw_legend(panel, box);
    canvas_.font(14, true);
    if (last) canvas_.text(box.x + box.w / 2, box.y + box.h + 44, fmt::format("Test time / {}", time_.unit), kInk, 0.5);
  }

  void draw_frame(const Box& b) {
    canvas_.line(b.x, b.y, b.x, b.y + b.h, kFrame, 1);
    canvas_.line(b.x, b.y + b.h, b.x + b.w, b.y + b.h, kFrame, 1);
  }

  // In the gap above the panel, where it hides no curve.
  void draw_legend(const Panel& panel, const Box& box) {
    if (panel.curves.size() < 2) return;
    canvas_.font(12.5);
    double x = box.x + box.w;
    for (const Curve& curve : panel.curves) {
      x -= canvas_.width(curve.label);
      canvas_.text(x, box.y - 8, curve.label, kInk);
      canvas_.line(x - 30, box.y - 12, x - 8, box.y - 12, curve.color, 2.6);
      x -= 48;
    }
  }

  // Numbers above the plot; the words are in the key. Badges that would overlap are left out.
  void draw_step_marks() {
    const Box box{kLeft, kTop, size_.width - kLeft - kRight, 0};
    double free_from = 0;
    for (std::size_t i = 0; i < keys_; ++i) {
      const PlotStep& step = data_.steps[i];
      const double middle = (x_of(step.start_s, box) + x_of(step.end_s, box)) / 2;
      const double x = std::max(middle, free_from);
      if (x > box.x + box.w + 14) break;
      canvas_.badge(x, kTop - 15, 9.5, fmt::to_string(i + 1), kShades[shade_of(step)].badge);
      free_from = x + 21;
      const double wide = x_of(step.end_s, box) - x_of(step.start_s, box);
      canvas_.font(12.5);
      const std::string name = canvas_.fitted(step.name, wide - 34);
      if (name == step.name && x == middle && !name.empty() && x + 14 + canvas_.width(name) <= box.x + box.w + kRight) {
        canvas_.text(x + 14, kTop - 10.5, name, kInk);
        free_from = x + 24 + canvas_.width(name);
      }
    }
  }

  void draw_key() {
    const double top = size_.height - bottom_ + 72;
    if (keys_ == 0) {
      draw_shade_key(top);
      return;
    }
    const std::size_t lines = (keys_ + 1) / 2;
    const double column = (size_.width - kLeft - kRight) / 2;
    for (std::size_t i = 0; i < keys_; ++i) {
      const PlotStep& step = data_.steps[i];
      const double x = kLeft + (i < lines ? 0 : column);
      const double y = top + kKeyLine * static_cast<double>(i < lines ? i : i - lines);
      canvas_.badge(x + 8, y - 4, 7.5, fmt::to_string(i + 1), kShades[shade_of(step)].badge);
      canvas_.font(12.5, true);
      const std::string name = canvas_.fitted(step.name, column * 0.4);
      canvas_.text(x + 22, y, name, kInk);
      const double after = x + 22 + canvas_.width(name) + 8;
      canvas_.font(12.5);
      const std::string end = step.ended_by.empty() ? "running" : "end: " + step.ended_by;
      canvas_.text(after, y, canvas_.fitted(end, x + column - 14 - after), kSoftInk);
    }
  }

  void draw_shade_key(double y) {
    double x = kLeft;
    canvas_.font(12.5);
    for (std::size_t s = 0; s < kShades.size(); ++s) {
      const auto used = [&](const PlotStep& step) { return shade_of(step) == s; };
      if (std::none_of(data_.steps.begin(), data_.steps.end(), used)) continue;
      canvas_.fill({x, y - 12, 22, 15}, kGrid);
      canvas_.fill({x + 1, y - 11, 20, 13}, kShades[s].fill);
      canvas_.text(x + 30, y, kShades[s].label, kInk);
      x += 48 + canvas_.width(kShades[s].label);
    }
    canvas_.text(size_.width - kRight, y, fmt::format("{} steps", data_.steps.size()), kSoftInk, 1.0);
  }

  Canvas canvas_;
  const PlotData& data_;
  PlotSize size_;
  TimeAxis time_;
  std::vector<double> x_;  // time in the axis' unit
  std::size_t keys_ = 0;
  double bottom_ = 0;
};

base::Status finish(cairo_t* c, cairo_surface_t* surface, const std::string& path, bool png) {
  cairo_status_t status = cairo_status(c);
  cairo_destroy(c);
  if (status == CAIRO_STATUS_SUCCESS && png) status = cairo_surface_write_to_png(surface, path.c_str());
  cairo_surface_finish(surface);
  if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_status(surface);
  cairo_surface_destroy(surface);
  if (status == CAIRO_STATUS_SUCCESS) return {};
  return base::failure(
      base::ErrorCode::io, "plot",
      fmt::format("{} could not be written: {}; check the folder", path, cairo_status_to_string(status)));
}

}  // namespace

base::Status write_svg(const PlotData& data, const std::string& path, const PlotSize& size) {
  cairo_surface_t* surface = cairo_svg_surface_create(path.c_str(), size.width, size.height);
  cairo_t* c = cairo_create(surface);
  Drawing(c, data, size).draw();
  return finish(c, surface, path, false);
}

base::Status write_png(const PlotData& data, const std::string& path, const PlotSize& size) {
  cairo_surface_t* surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(size.width * size.scale),
                                                        static_cast<int>(size.height * size.scale));
  cairo_t* c = cairo_create(surface);
  cairo_scale(c, size.scale, size.scale);
  Drawing(c, data, size).draw();
  return finish(c, surface, path, true);
}

}  // namespace cyclerd::record
