// An equivalent circuit out of measurements: OCV, pulses, discharges, drive cycles, whatever there is.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hil/cells/ecm_set.hpp"
#include "hil/identify/accuracy.hpp"
#include "hil/identify/ecm_parameters.hpp"
#include "hil/identify/measured_run.hpp"
#include "hil/identify/ocv.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::hil {

struct FitInput {
  std::string name;
  std::string title;
  std::string source = "own fit";
  std::string licence = "UNKNOWN: say under which terms the measurements may be used";
  std::optional<double> capacity_C;
  std::optional<double> start_soc;     // of every run that is no pulse
  std::optional<OcvTable> ocv_table;   // else out of `ocv`
  std::vector<MeasuredFile> ocv;       // slow runs
  std::vector<MeasuredFile> pulses;    // short runs at rest before
  std::vector<MeasuredFile> runs;      // discharges and everything else
  std::vector<MeasuredFile> held_out;  // not fitted, only reported
  int rounds = 3;
  double tolerance_V = 0.003;                   // of one row: what the model is not expected to beat
  std::function<void(const std::string&)> say;  // progress, a line each
};

struct FitResult {
  std::shared_ptr<EcmSet> set;
  OcvTable ocv;
  std::vector<Parameter> parameters;
  std::string toml;                 // the set's file
  std::vector<AccuracyLine> lines;  // of every file, from the file as written
};

// nullopt when the input does not suffice; codes I020..: hil/README.md.
[[nodiscard]] std::optional<FitResult> fit_cell(const FitInput& input, text::Diagnostics& diagnostics);

// The file of a fitted set; `remarks` become comments at its top.
[[nodiscard]] std::string write_ecm_set(const FitInput& input, const EcmSet& set,
                                        const std::vector<std::string>& remarks);

}  // namespace cyclerd::hil
