// Cell sets against measured runs: one line for each pair, or one for each temperature of a collection of pulses.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "hil/cells/cell_set.hpp"
#include "hil/identify/evaluate.hpp"
#include "hil/identify/measured_run.hpp"
#include "protocols/base/result.hpp"

namespace cyclerd::hil {

enum class Sample : std::uint8_t { unknown, fitted, held_out };

struct AccuracyLine {
  std::string run;
  std::string set;
  std::string model;
  Sample sample = Sample::unknown;
  double ambient_degC = 25.0;
  double start_soc = std::numeric_limits<double>::quiet_NaN();  // NaN: several
  double start_miss_mV = 0.0;
  std::size_t pulses = 0;  // 0: one run
  std::uint32_t flags = 0;
  RunStatistics statistics;
};

struct AccuracyOptions {
  EvaluateOptions evaluate;
  Sample sample = Sample::unknown;
  // Called with every single run that is not a pulse.
  std::function<void(const MeasuredRun&, const CellSet&, const RunResult&)> look;
};

void add_accuracy(const MeasuredFile& file, const CellSet& set, const AccuracyOptions& options,
                  std::vector<AccuracyLine>& lines);

[[nodiscard]] std::string accuracy_table(const std::vector<AccuracyLine>& lines);
// An array of objects with the fields of the lines; null where something does not apply.
[[nodiscard]] std::string accuracy_json(const std::vector<AccuracyLine>& lines);

// Voltage of both, error, current and temperature over time; SVG, or PNG when the path ends so.
[[nodiscard]] base::Status write_accuracy_plot(const MeasuredRun& run, const CellSet& set, const RunResult& result,
                                               const std::string& path);

}  // namespace cyclerd::hil
