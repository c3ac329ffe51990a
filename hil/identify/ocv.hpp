// Open-circuit voltage over state of charge: from a table, or out of slow runs and rests.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hil/identify/evaluate.hpp"
#include "hil/identify/measured_run.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::hil {

// One row for each temperature; one temperature: of the whole set.
struct OcvTable {
  std::vector<double> soc;
  std::vector<double> temperature_degC;
  std::vector<std::vector<double>> voltage_V;   // mean of charge and discharge
  std::vector<std::vector<double>> half_gap_V;  // empty: no hysteresis known
  std::string from;
  bool sparse = false;  // out of a few rests
};

// A CSV whose header names `soc` and a voltage (ocv_V, ocv_mean_V, voltage_V; ocv_25 and so on: one for each
// temperature), perhaps half_gap_V or M (M_25) or gap_V, hysteresis_V (the whole gap), and no time.
[[nodiscard]] bool looks_like_ocv_table(std::string_view text);
[[nodiscard]] std::optional<OcvTable> read_ocv_table(const text::SourcePtr& source, text::Diagnostics& diagnostics);

// The most charge a run passes through between its fullest and its emptiest, A s.
[[nodiscard]] double charge_range_C(const MeasuredRun& run);

// What a cell holds at no current. A discharge faster than C/8 ends before the cell is empty: with a second rate the
// charge is carried on to no current in a straight line, by at most a tenth.
[[nodiscard]] double capacity_from(const std::vector<MeasuredRun>& slow, const std::vector<MeasuredRun>& others);

// First guess: at rows of at most C/8, at ends of long rests, or, when there are neither, at all rows. The fullest
// moment of each run is taken for soc 1.
[[nodiscard]] OcvTable ocv_from_runs(const std::vector<MeasuredRun>& runs, double capacity_C);
// Moves the table by what the model misses on the runs it was made of; the largest change, V.
double refine_ocv(OcvTable& table, const std::vector<MeasuredRun>& runs, const std::vector<RunResult>& results,
                  double capacity_C);

// Rising by at least 10 uV from knot to knot.
void make_rising(std::vector<double>& voltage_V);

}  // namespace cyclerd::hil
