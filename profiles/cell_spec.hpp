// The real cell that a test runs on: its ratings. A file in TOML, profiles/cells/*.toml, or the lab's own.
#pragma once

#include <optional>
#include <string>

#include "profiles/program.hpp"
#include "protocols/base/sample.hpp"
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
  // Where the output opens: outside the ratings by the room that overshoot and measurement noise need. Absent: the
  // ratings widened by kTripVoltageMargin_V and kTripCurrentMargin.
  double voltage_trip_max_V = base::kAbsent;
  double voltage_trip_min_V = base::kAbsent;
  double charge_current_trip_A = base::kAbsent;     // >= 0
  double discharge_current_trip_A = base::kAbsent;  // >= 0
  text::Span voltage_max_where, voltage_min_where, charge_current_where, discharge_current_where, temperature_where;
};

inline constexpr double kTripVoltageMargin_V = 0.050;
inline constexpr double kTripCurrentMargin = 0.05;  // of the rating

// The limits at which the output opens for the cell's sake: the trip values, and the outer temperatures.
[[nodiscard]] SafetyLimits trip_limits(const CellSpec& cell) noexcept;

// Reads a cell file (keys: profiles/README.md). nullopt when there are errors.
[[nodiscard]] std::optional<CellSpec> load_cell(const text::SourcePtr& source, text::Diagnostics& diagnostics);

}  // namespace cyclerd::profiles
