// A test as a picture: voltage, current and temperature over one time axis, the steps shaded and the reason that ended
// each. Drawn by protocols/chart.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "protocols/base/result.hpp"
#include "protocols/chart/chart.hpp"

namespace cyclerd::record {

struct PlotStep {
  double start_s = 0.0;  // test time
  double end_s = 0.0;
  std::string name;
  std::string type;      // CCCV_CHG, REST, ...
  std::string ended_by;  // empty while it runs
};

struct PlotData {
  std::string title;
  std::string subtitle;
  // One entry per row, time rising; NaN where nothing was measured.
  std::vector<double> time_s;
  std::vector<double> voltage_V;
  std::vector<double> current_A;
  std::vector<double> temperature_degC;
  std::vector<double> chamber_degC;
  std::vector<PlotStep> steps;
};

// Reads rows.arrows, steps.jsonl and test.json of a test's folder, of a running test too.
base::Result<PlotData> load_plot(const std::string& test_folder);

base::Status write_svg(const PlotData& data, const std::string& path, const chart::ChartSize& size = {});
base::Status write_png(const PlotData& data, const std::string& path, const chart::ChartSize& size = {});
// `columns` wide; three panels of `panel_lines` each.
[[nodiscard]] std::string terminal_plot(const PlotData& data, std::size_t columns = 100, std::size_t panel_lines = 7);

}  // namespace cyclerd::record
