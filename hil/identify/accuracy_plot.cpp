#include <fmt/format.h>

#include <cmath>

#include "hil/identify/accuracy.hpp"
#include "protocols/chart/chart.hpp"

namespace cyclerd::hil {

base::Status write_accuracy_plot(const MeasuredRun& run, const CellSet& set, const RunResult& result,
                                 const std::string& path) {
  using chart::Ink;
  std::vector<double> error_mV(run.size());
  for (std::size_t i = 0; i < run.size(); ++i) {
    const bool counts = run.counts[i] && !(i == 0 && result.start.loaded);
    error_mV[i] = counts ? 1e3 * (result.voltage_V[i] - run.voltage_V[i]) : std::nan("");
  }
  const RunStatistics& s = result.statistics;
  chart::Chart chart;
  chart.title = fmt::format("{}: {}", run.name, set.name);
  chart.subtitle = fmt::format(
      "{} ({}) at {:.4g} \u00B0C  \u00B7  RMSE {:.1f} mV, between 5 and 95 % of the charge {:.1f} mV, "
      "at most {:+.0f} mV",
      set.title, set.model->name(), run.ambient_degC, s.rmse_mV, s.middle_rmse_mV, s.max_mV);
  if (std::isfinite(s.end_time_s)) chart.subtitle += fmt::format("  \u00B7  end {:+.0f} s", s.end_time_s);
  chart.time_s = run.time_s;
  chart.panels = {{"Voltage / V",
                   {{run.voltage_V, "measured", Ink::grey, "measured voltage / V"},
                    {result.voltage_V, "model", Ink::blue, "model voltage / V"}},
                   0.36,
                   0.02},
                  {"Error / mV", {{error_mV, "", Ink::purple, "model less measured / mV"}}, 0.24, 2.0},
                  {"Current / A", {{run.current_A, "", Ink::vermilion, "current / A"}}, 0.2, 0.02}};
  if (!run.temperature_degC.empty()) {
    chart.panels.push_back({"Surface / \u00B0C",
                            {{run.temperature_degC, "measured", Ink::grey, "measured temperature / degC"},
                             {result.temperature_degC, "model", Ink::green, "model temperature / degC"}},
                            0.2,
                            2.0});
  }
  return path.ends_with(".png") ? chart::write_png(chart, path) : chart::write_svg(chart, path);
}

}  // namespace cyclerd::hil
