// The real cell that a test runs on: its ratings. A file in TOML, profiles/cells/*.toml, or the lab's own.
#pragma once

#include <optional>
#include <string>

#include "protocols/text/diagnostics.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::profiles {

// Ratings that no profile may leave. SI units; charge current positive.
struct CellSpec {
  std::string name;  // of this very cell, given at launch; the file's name otherwise
  std::string model;
  std::string chemistry;            // "nmc-graphite", "lfp-graphite", ...
  double nominal_capacity_C = 0.0;  // A s
  double voltage_max_V = 0.0;
  double voltage_min_V = 0.0;
  double charge_current_max_A = 0.0;     // >= 0
  double discharge_current_max_A = 0.0;  // >= 0
  double charge_temperature_min_degC = 0.0;
  double charge_temperature_max_degC = 45.0;
  double discharge_temperature_min_degC = -20.0;
  double discharge_temperature_max_degC = 60.0;
  int eucar_expected = 4;
  text::Span voltage_max_where, voltage_min_where, charge_current_where, discharge_current_where, temperature_where;
};

[[nodiscard]] std::optional<CellSpec> load_cell(const text::SourcePtr& source, text::Diagnostics& diagnostics);

}  // namespace cyclerd::profiles
