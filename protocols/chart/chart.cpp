#include "protocols/chart/chart.hpp"

#include <cairo-svg.h>
#include <cairo.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "protocols/chart/canvas.hpp"
#include "protocols/chart/scale.hpp"

namespace cyclerd::chart {
namespace {

constexpr Color kInk = rgb(0x222222), kSoftInk = rgb(0x666666), kGrid = rgb(0xE3E3E3), kFrame = rgb(0x9A9A9A);
constexpr std::array kInks = {rgb(0x0072B2), rgb(0xD55E00), rgb(0x009E73), rgb(0xCC79A7), kInk, rgb(0x8A8A8A)};

constexpr Color color_of(Ink ink) {
  return kInks[static_cast<std::size_t>(ink)];
}

struct ShadeColors {
  const char* label;
  Color fill;
  Color badge;
};
constexpr std::array kShades = {
    ShadeColors{"charge", rgb(0xE4F0FA), rgb(0x0072B2)}, ShadeColors{"discharge", rgb(0xFCEBDD), rgb(0xD55E00)},
    ShadeColors{"rest", rgb(0xF5F5F5), rgb(0x777777)}, ShadeColors{"other", rgb(0xEFE9F6), rgb(0x7A5BA6)}};

constexpr const ShadeColors& colors_of(Shade shade) {
  return kShades[static_cast<std::size_t>(shade)];
}

constexpr std::size_t kMostKeys = 14;  // steps explained one by one below the plot; more only by colour
constexpr double kLeft = 86, kRight = 28, kTop = 104, kGap = 28, kKeyLine = 19;

class Drawing {
 public:
  Drawing(cairo_t* c, const Chart& chart, const ChartSize& size) : canvas_(c), chart_(chart), size_(size) {
    const double first = chart.time_s.empty() ? 0.0 : chart.time_s.front();
    const double last = chart.time_s.empty() ? 1.0 : chart.time_s.back();
    time_ = time_axis(std::min(first, chart.bands.empty() ? first : chart.bands.front().start_s), last, 9);
    x_.reserve(chart.time_s.size());
    for (const double t : chart.time_s) x_.push_back(t / time_.unit_s);
    keys_ = chart.bands.size() <= kMostKeys ? chart.bands.size() : 0;
    double key_lines = keys_ == 0 ? 1.0 : std::ceil(static_cast<double>(keys_) / 2);
    if (chart.bands.empty()) key_lines = 0.0;
    bottom_ = 62 + 14 + kKeyLine * key_lines;
  }

  void draw() {
    canvas_.fill({0, 0, size_.width, size_.height}, rgb(0xFFFFFF));
    canvas_.font(22, true);
    canvas_.text(kLeft, 38, chart_.title, kInk);
    canvas_.font(13.5);
    canvas_.text(kLeft, 60, canvas_.fitted(chart_.subtitle, size_.width - kLeft - kRight), kSoftInk);
    const std::vector<Panel>& panels = chart_.panels;
    double shares = 0.0;
    for (const Panel& panel : panels) shares += panel.share;
    const double room = size_.height - kTop - bottom_ - kGap * static_cast<double>(panels.size() - 1);
    double y = kTop;
    for (std::size_t i = 0; i < panels.size(); ++i) {
      const Box box{kLeft, y, size_.width - kLeft - kRight, room * panels[i].share / shares};
      draw_panel(panels[i], box, i + 1 == panels.size());
      y += box.h + kGap;
    }
    draw_step_marks();
    draw_key();
  }

 private:
  double x_of(double t_s, const Box& box) const {
    return box.x + std::clamp(time_.axis.place(t_s / time_.unit_s), 0.0, 1.0) * box.w;
  }

  void draw_panel(const Panel& panel, const Box& box, bool last) {
    for (const Band& band : chart_.bands) {
      const double from = x_of(band.start_s, box);
      canvas_.fill({from, box.y, x_of(band.end_s, box) - from, box.h}, colors_of(band.shade).fill);
    }
    std::vector<std::span<const double>> values;
    for (const Curve& curve : panel.curves) values.push_back(curve.values);
    const Axis axis = value_axis(values, box.h > 200 ? 5 : 4, panel.smallest_span);
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
    if (chart_.bands.size() <= 60) {
      for (const Band& band : chart_.bands) {
        const double x = std::round(x_of(band.start_s, box)) + 0.5;
        if (x > box.x + 2) canvas_.line(x, box.y, x, box.y + box.h, rgb(0xBDBDBD), 1);
      }
    }
    for (const Curve& curve : panel.curves) {
      const auto bins = static_cast<std::size_t>(box.w * 2);
      canvas_.curve(thin_out(x_, curve.values, time_.axis.low, time_.axis.high, bins), time_.axis, axis, box,
                    color_of(curve.ink), 1.7);
    }
    draw_frame(box);
    canvas_.font(14, true);
    canvas_.upright(26, box.y + box.h / 2, panel.title,
                    panel.curves.empty() ? kInk : color_of(panel.curves.back().ink));
    draw_legend(panel, box);
    canvas_.font(14, true);
    if (last)
      canvas_.text(box.x + box.w / 2, box.y + box.h + 44, fmt::format("{} / {}", chart_.time_label, time_.unit), kInk,
                   0.5);
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
      canvas_.line(x - 30, box.y - 12, x - 8, box.y - 12, color_of(curve.ink), 2.6);
      x -= 48;
    }
  }

  // Numbers above the plot; the words are in the key. Badges that would overlap are left out.
  void draw_step_marks() {
    const Box box{kLeft, kTop, size_.width - kLeft - kRight, 0};
    double free_from = 0;
    for (std::size_t i = 0; i < keys_; ++i) {
      const Band& band = chart_.bands[i];
      const double middle = (x_of(band.start_s, box) + x_of(band.end_s, box)) / 2;
      const double x = std::max(middle, free_from);
      if (x > box.x + box.w + 14) break;
      canvas_.badge(x, kTop - 15, 9.5, fmt::to_string(i + 1), colors_of(band.shade).badge);
      free_from = x + 21;
      const double wide = x_of(band.end_s, box) - x_of(band.start_s, box);
      canvas_.font(12.5);
      const std::string name = canvas_.fitted(band.name, wide - 34);
      if (name == band.name && x == middle && !name.empty() && x + 14 + canvas_.width(name) <= box.x + box.w + kRight) {
        canvas_.text(x + 14, kTop - 10.5, name, kInk);
        free_from = x + 24 + canvas_.width(name);
      }
    }
  }

  void draw_key() {
    if (chart_.bands.empty()) return;
    const double top = size_.height - bottom_ + 72;
    if (keys_ == 0) {
      draw_shade_key(top);
      return;
    }
    const std::size_t lines = (keys_ + 1) / 2;
    const double column = (size_.width - kLeft - kRight) / 2;
    for (std::size_t i = 0; i < keys_; ++i) {
      const Band& band = chart_.bands[i];
      const double x = kLeft + (i < lines ? 0 : column);
      const double y = top + kKeyLine * static_cast<double>(i < lines ? i : i - lines);
      canvas_.badge(x + 8, y - 4, 7.5, fmt::to_string(i + 1), colors_of(band.shade).badge);
      canvas_.font(12.5, true);
      const std::string name = canvas_.fitted(band.name, column * 0.4);
      canvas_.text(x + 22, y, name, kInk);
      const double after = x + 22 + canvas_.width(name) + 8;
      canvas_.font(12.5);
      canvas_.text(after, y, canvas_.fitted(band.note, x + column - 14 - after), kSoftInk);
    }
  }

  void draw_shade_key(double y) {
    double x = kLeft;
    canvas_.font(12.5);
    for (std::size_t s = 0; s < kShades.size(); ++s) {
      const auto used = [&](const Band& band) { return static_cast<std::size_t>(band.shade) == s; };
      if (std::none_of(chart_.bands.begin(), chart_.bands.end(), used)) continue;
      canvas_.fill({x, y - 12, 22, 15}, kGrid);
      canvas_.fill({x + 1, y - 11, 20, 13}, kShades[s].fill);
      canvas_.text(x + 30, y, kShades[s].label, kInk);
      x += 48 + canvas_.width(kShades[s].label);
    }
    canvas_.text(size_.width - kRight, y, fmt::format("{} steps", chart_.bands.size()), kSoftInk, 1.0);
  }

  Canvas canvas_;
  const Chart& chart_;
  ChartSize size_;
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

base::Status write_svg(const Chart& chart, const std::string& path, const ChartSize& size) {
  cairo_surface_t* surface = cairo_svg_surface_create(path.c_str(), size.width, size.height);
  cairo_t* c = cairo_create(surface);
  Drawing(c, chart, size).draw();
  return finish(c, surface, path, false);
}

base::Status write_png(const Chart& chart, const std::string& path, const ChartSize& size) {
  cairo_surface_t* surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(size.width * size.scale),
                                                        static_cast<int>(size.height * size.scale));
  cairo_t* c = cairo_create(surface);
  cairo_scale(c, size.scale, size.scale);
  Drawing(c, chart, size).draw();
  return finish(c, surface, path, true);
}

}  // namespace cyclerd::chart
