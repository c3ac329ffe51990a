// Which column of a measurement's CSV is what, told from its header: name, unit and sign, in the ways of many testers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hil/identify/measured_run.hpp"

namespace cyclerd::hil {

enum class ColumnRole : std::uint8_t { time, current, voltage, temperature, ambient, soc, cell, mode, other };

struct Column {
  ColumnRole role = ColumnRole::other;
  std::string name;     // as written
  double factor = 1.0;  // to s, A, V, degC
  double offset = 0.0;  // added after the factor (kelvin)
  bool clock = false;   // h:min:s
  int preference = 0;   // of several columns of one role the lowest is taken
  CurrentSign sign = CurrentSign::automatic;
  std::string unknown_unit;  // of a role that needs one of known units
};

// Fields of a line; quotes are taken off.
[[nodiscard]] std::vector<std::string_view> split_fields(std::string_view line, char separator);
[[nodiscard]] Column column_of(std::string_view name);
// A number with decimal point or (where commas do not separate) comma; NaN for "", "NaN", "NA", "null" and "-".
// nullopt: not a number.
[[nodiscard]] std::optional<double> number_of(std::string_view field, bool decimal_comma);
// h:min:s to seconds.
[[nodiscard]] std::optional<double> clock_of(std::string_view field, bool decimal_comma);

}  // namespace cyclerd::hil
