// A measurement of a cell: rows of time, current, voltage and perhaps temperature, out of any lab's CSV.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "protocols/text/diagnostics.hpp"

namespace cyclerd::hil {

// Rows in order of time. Two rows of the same time are a step of the current: the first before it, the second after.
struct MeasuredRun {
  std::string name;  // file without folder and ending; of a pulse with its temperature, soc and cell
  std::vector<double> time_s;
  std::vector<double> current_A;  // charge positive
  std::vector<double> voltage_V;
  std::vector<double> temperature_degC;  // of the cell's surface; empty: not measured
  std::vector<double> chamber_degC;      // of the air; empty: not measured
  // Rows whose voltage does not belong to their current (logged across a step): driven through, not counted.
  std::vector<bool> counts;
  double ambient_degC = 25.0;
  std::string ambient_from;  // where that came from
  std::string sign_from;     // where the sign of the current came from
  std::size_t skipped = 0;   // rows left out
  // Of a pulse only.
  double pulse_degC = std::numeric_limits<double>::quiet_NaN();
  double pulse_soc = std::numeric_limits<double>::quiet_NaN();
  std::string pulse_cell;

  [[nodiscard]] std::size_t size() const noexcept { return time_s.size(); }
  [[nodiscard]] double largest_current_A() const noexcept;
  [[nodiscard]] double duration_s() const noexcept { return time_s.empty() ? 0.0 : time_s.back() - time_s.front(); }
  // Charge moved since the first row, at every row, A s; steps of the current as in `path`.
  [[nodiscard]] std::vector<double> charge_C() const;
};

enum class CurrentSign : std::uint8_t { automatic, charge_positive, discharge_positive };

struct RunOptions {
  std::optional<double> ambient_degC;
  CurrentSign sign = CurrentSign::automatic;
};

struct MeasuredFile {
  std::string name;
  bool pulses = false;  // a collection: every run is one pulse
  std::vector<MeasuredRun> runs;
};

// nullopt when there are errors. Notes say what was found out, warnings what was left out. Codes I001..: hil/README.md.
[[nodiscard]] std::optional<MeasuredFile> read_measured(const text::SourcePtr& source, const RunOptions& options,
                                                        text::Diagnostics& diagnostics);

// How the current ran between row `i - 1` and row `i`: straight from start_A to end_A after holding before_A for the
// first `held_s`. A cycler logs a row when a step begins and then at the step's own pace, so a jump of the current is
// put one pace before the first row that shows it.
struct CurrentPath {
  double before_A = 0.0;
  double held_s = 0.0;
  double start_A = 0.0;
  double end_A = 0.0;
  double straight_s = 0.0;
};
[[nodiscard]] CurrentPath path(const MeasuredRun& run, std::size_t i, double largest_A) noexcept;

// The run with fewer rows: those that straight lines between the kept ones miss by less than the tolerance are dropped.
// Every jump of the current stays. Gaps grow to at most `most_s`.
[[nodiscard]] MeasuredRun thinned(const MeasuredRun& run, double tolerance_V, double most_s);

}  // namespace cyclerd::hil
