// Reads axes, curves and resistance maps out of a parameter set, reporting everything that is wrong with them.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "hil/cells/table.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::hil {

// Inside which a value must lie, for the message and the check.
struct Bounds {
  double min = 0.0;
  double max = 0.0;
  std::string_view unit;
};

// A list of numbers under `key`; nullopt after reporting.
[[nodiscard]] std::optional<std::vector<double>> read_numbers(text::TableReader& reader, std::string_view key,
                                                              const Bounds& bounds);
// The same, strictly increasing.
[[nodiscard]] std::optional<Axis> read_axis(text::TableReader& reader, std::string_view key, const Bounds& bounds);
// `soc` and `value_key` of one table.
[[nodiscard]] std::optional<Curve> read_curve(text::TableReader& reader, std::string_view value_key,
                                              const Bounds& bounds, std::string_view axis_key = "soc",
                                              const Bounds& axis_bounds = {-0.5, 1.5, ""});
// `soc` and `value_key`, with `temperature_degC` a row for each; no constant, no activation.
[[nodiscard]] std::optional<StateMap> read_rows(text::TableReader& reader, std::string_view value_key,
                                                const Bounds& bounds);
// How a map is written: `constant_key` = "20 mOhm", or soc and `table_key` (one row, or temperature_degC and a row for
// each temperature).
struct MapKeys {
  std::string_view constant_key;
  text::Dimension dimension;
  std::string_view table_key;
  Bounds bounds;
  std::string_view activation_key;  // and reference_temperature: the whole is scaled after Arrhenius
};
[[nodiscard]] std::optional<StateMap> read_map(text::TableReader& reader, const MapKeys& keys);
// resistance, resistance_Ohm, activation_K.
[[nodiscard]] std::optional<StateMap> read_resistance(text::TableReader& reader);
// A plain number inside bounds.
[[nodiscard]] std::optional<double> read_number(text::TableReader& reader, std::string_view key, const Bounds& bounds,
                                                bool required);
// A quantity inside bounds (given in `unit` for the message; compared in SI times `to_unit`).
[[nodiscard]] std::optional<double> read_bounded(text::TableReader& reader, std::string_view key,
                                                 text::Dimension dimension, double min, double max, bool required);

}  // namespace cyclerd::hil
