// A cell model driven with a measured current, and how far its voltage and temperature are from the measured ones.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "hil/cells/cell_model.hpp"
#include "hil/identify/measured_run.hpp"

namespace cyclerd::hil {

struct EvaluateOptions {
  std::optional<double> start_soc;  // none: from the first rest voltage
  double longest_step_s = 10.0;     // of the model; longer gaps between rows are taken in several
};

struct RunStart {
  CellStart start;
  double miss_V = 0.0;  // measured less model voltage that no state of charge explains
  bool loaded = false;  // the first row says rest, but its voltage is that of the load after it
  std::string from;
};

// NaN: does not apply to this run.
struct RunStatistics {
  double duration_s = 0.0;
  double rmse_mV = 0.0;         // all means are over time
  double middle_rmse_mV = 0.0;  // between 5 and 95 % of the charge that the run passes through
  double mean_mV = 0.0;         // model less measured
  double max_mV = 0.0;          // with sign
  double max_at_s = 0.0;
  // Of the longest stretch of constant current, when it passes through most of the run's charge: when the model reaches
  // the voltage at which the measurement ended, less when the measurement did.
  double end_time_s = std::numeric_limits<double>::quiet_NaN();
  double stretch_s = std::numeric_limits<double>::quiet_NaN();  // its duration
  bool end_not_reached = false;                                 // end_time_s is a lower bound
  double temperature_rmse_K = std::numeric_limits<double>::quiet_NaN();
  double temperature_end_K = std::numeric_limits<double>::quiet_NaN();  // at the end of that stretch, or of the run
};

struct RunResult {
  RunStart start;
  std::vector<double> voltage_V;         // of the model, at every row
  std::vector<double> temperature_degC;  // of its surface
  std::uint32_t flags = 0;
  RunStatistics statistics;
};

[[nodiscard]] RunStart start_of(const CellModel& model, const MeasuredRun& run, const EvaluateOptions& options);
// Drives a cell from `start` through the run; voltage and surface temperature at every row. Returns its flags.
std::uint32_t simulate(const CellModel& model, const MeasuredRun& run, const RunStart& start, double longest_step_s,
                       std::vector<double>& voltage_V, std::vector<double>& temperature_degC);
[[nodiscard]] RunResult evaluate(const CellModel& model, const MeasuredRun& run, const EvaluateOptions& options = {});

}  // namespace cyclerd::hil
