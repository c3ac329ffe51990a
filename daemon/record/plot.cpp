#include "daemon/record/plot.hpp"

#include <algorithm>
#include <cmath>

namespace cyclerd::record {
namespace {

chart::Shade shade_of(const PlotStep& step) {
  const auto has = [&](const char* word) { return step.type.find(word) != std::string::npos; };
  if (has("DCH") || has("DIS")) return chart::Shade::discharge;
  if (has("CHG") || has("CHARGE")) return chart::Shade::charge;
  if (has("REST") || has("OCV")) return chart::Shade::rest;
  return chart::Shade::other;
}

bool any(const std::vector<double>& values) {
  return std::any_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

// Looks into `data`, which must outlive it.
chart::Chart chart_of(const PlotData& data) {
  using chart::Ink;
  chart::Chart out;
  out.title = data.title;
  out.subtitle = data.subtitle;
  out.time_s = data.time_s;
  chart::Panel temperature{"Temperature / \u00B0C", {}, 0.28, 2.0};
  if (any(data.chamber_degC)) {
    temperature.curves.push_back({data.chamber_degC, "chamber", Ink::grey, "chamber temperature / degC"});
  }
  if (any(data.temperature_degC)) {
    temperature.curves.push_back({data.temperature_degC, "cell", Ink::green, "cell temperature / degC"});
  }
  out.panels = {{"Voltage / V", {{data.voltage_V, "", Ink::blue, "voltage / V"}}, 0.37, 0.02},
                {"Current / A", {{data.current_A, "", Ink::vermilion, "current / A"}}, 0.35, 0.02},
                std::move(temperature)};
  for (const PlotStep& step : data.steps) {
    out.bands.push_back({step.start_s, step.end_s, step.name,
                         step.ended_by.empty() ? "running" : "end: " + step.ended_by, shade_of(step)});
  }
  return out;
}

}  // namespace

base::Status write_svg(const PlotData& data, const std::string& path, const chart::ChartSize& size) {
  return chart::write_svg(chart_of(data), path, size);
}

base::Status write_png(const PlotData& data, const std::string& path, const chart::ChartSize& size) {
  return chart::write_png(chart_of(data), path, size);
}

std::string terminal_plot(const PlotData& data, std::size_t columns, std::size_t panel_lines) {
  return chart::terminal_chart(chart_of(data), columns, panel_lines);
}

}  // namespace cyclerd::record
