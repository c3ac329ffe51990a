#include "profiles/cell_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "profiles/codes.hpp"

namespace cyclerd::profiles {
namespace {

constexpr double kSecondsPerHour = 3600.0;

// A current in A, or as a C-rate of the nominal capacity.
double read_current(text::TableReader& reader, const char* key, bool required, double nominal_capacity_C,
                    text::Span& where) {
  const text::TomlNode* node = required ? reader.required(key) : reader.optional(key);
  if (node == nullptr) return base::kAbsent;
  where = node->value;
  text::QuantityError error;
  if (node->is_string()) {
    const auto quantity = text::parse_quantity(node->string, error);
    if (quantity && quantity->c_rate) return quantity->value * nominal_capacity_C / kSecondsPerHour;
  }
  return reader.optional_quantity(key, text::dimension::kCurrent).value_or(base::kAbsent);
}

void require_order(double low, double high, const text::Span& where, const char* what, text::Dimension dimension,
                   text::Diagnostics& diagnostics) {
  if (!std::isfinite(low) || !std::isfinite(high) || low < high) return;
  diagnostics.error(code::kCellFile, where,
                    fmt::format("{}: min {} is not below max {}", what, text::format_quantity(low, dimension),
                                text::format_quantity(high, dimension)),
                    "swap them");
}

void read_voltages(text::TableReader& top, CellSpec& cell, text::Diagnostics& diagnostics) {
  const text::TomlNode* node = top.required_table("voltage");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[voltage]", diagnostics);
  cell.voltage_max_V = reader.required_quantity("max", text::dimension::kVoltage).value_or(0.0);
  cell.voltage_min_V = reader.required_quantity("min", text::dimension::kVoltage).value_or(0.0);
  reader.finish();
  cell.voltage_max_where = node->find("max") != nullptr ? node->find("max")->value : node->key;
  cell.voltage_min_where = node->find("min") != nullptr ? node->find("min")->value : node->key;
  if (node->find("max") != nullptr && node->find("min") != nullptr) {
    require_order(cell.voltage_min_V, cell.voltage_max_V, cell.voltage_min_where, "voltage", text::dimension::kVoltage,
                  diagnostics);
  }
}

void read_currents(text::TableReader& top, CellSpec& cell, text::Diagnostics& diagnostics) {
  const text::TomlNode* node = top.required_table("current");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[current]", diagnostics);
  cell.charge_current_max_A = read_current(reader, "charge", true, cell.nominal_capacity_C, cell.charge_current_where);
  cell.discharge_current_max_A =
      read_current(reader, "discharge", true, cell.nominal_capacity_C, cell.discharge_current_where);
  reader.finish();
  for (const auto& [value, where] : {std::pair{cell.charge_current_max_A, cell.charge_current_where},
                                     std::pair{cell.discharge_current_max_A, cell.discharge_current_where}}) {
    if (value < 0.0) {
      diagnostics.error(code::kCellFile, where, "a current rating is a magnitude and cannot be negative",
                        "write it without the sign");
    }
  }
}

void read_range(text::TableReader& reader, const char* key, double& low, double& high, text::Diagnostics& diagnostics) {
  const text::TomlNode* node = reader.optional_table(key);
  if (node == nullptr) return;
  text::TableReader range(*node, fmt::format("[temperature] {}", key), diagnostics);
  low = range.optional_quantity("min", text::dimension::kTemperature).value_or(low);
  high = range.optional_quantity("max", text::dimension::kTemperature).value_or(high);
  range.finish();
  require_order(low, high, node->key, key, text::dimension::kTemperature, diagnostics);
}

void read_trips(text::TableReader& top, CellSpec& cell, text::Diagnostics& diagnostics) {
  const text::TomlNode* node = top.optional_table("trip");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[trip]", diagnostics);
  if (const text::TomlNode* voltage = reader.optional_table("voltage")) {
    text::TableReader inner(*voltage, "[trip] voltage", diagnostics);
    cell.voltage_trip_max_V = inner.optional_quantity("max", text::dimension::kVoltage).value_or(base::kAbsent);
    cell.voltage_trip_min_V = inner.optional_quantity("min", text::dimension::kVoltage).value_or(base::kAbsent);
    inner.finish();
    if (cell.voltage_trip_max_V < cell.voltage_max_V || cell.voltage_trip_min_V > cell.voltage_min_V) {
      diagnostics.error(code::kCellFile, voltage->key, "the trip voltages lie inside the ratings",
                        "a trip is where the output opens: beyond max and min of [voltage]");
    }
  }
  if (const text::TomlNode* current = reader.optional_table("current")) {
    text::TableReader inner(*current, "[trip] current", diagnostics);
    text::Span where;
    cell.charge_current_trip_A = read_current(inner, "charge", false, cell.nominal_capacity_C, where);
    cell.discharge_current_trip_A = read_current(inner, "discharge", false, cell.nominal_capacity_C, where);
    inner.finish();
    if (cell.charge_current_trip_A < cell.charge_current_max_A ||
        cell.discharge_current_trip_A < cell.discharge_current_max_A) {
      diagnostics.error(code::kCellFile, current->key, "the trip currents lie inside the ratings",
                        "a trip is where the output opens: beyond the currents of [current]");
    }
  }
  reader.finish();
}

}  // namespace

SafetyLimits trip_limits(const CellSpec& cell) noexcept {
  const auto given = [](double trip, double fallback) { return std::isnan(trip) ? fallback : trip; };
  SafetyLimits limits;
  limits.voltage.max = given(cell.voltage_trip_max_V, cell.voltage_max_V + kTripVoltageMargin_V);
  limits.voltage.min = given(cell.voltage_trip_min_V, cell.voltage_min_V - kTripVoltageMargin_V);
  limits.current.max = given(cell.charge_current_trip_A, cell.charge_current_max_A * (1.0 + kTripCurrentMargin));
  limits.current.min = -given(cell.discharge_current_trip_A, cell.discharge_current_max_A * (1.0 + kTripCurrentMargin));
  limits.temperature.min = std::min(cell.charge_temperature_min_degC, cell.discharge_temperature_min_degC);
  limits.temperature.max = std::max(cell.charge_temperature_max_degC, cell.discharge_temperature_max_degC);
  return limits;
}

std::optional<CellSpec> load_cell(const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  const std::size_t errors_before = diagnostics.error_count();
  const auto root = text::parse_toml(source, diagnostics);
  if (!root) return std::nullopt;
  CellSpec cell;
  text::TableReader reader(*root, "the cell file", diagnostics);
  cell.model = reader.required_string("model");
  cell.name = reader.optional_string("name").value_or(cell.model);
  cell.chemistry = reader.required_string("chemistry");
  cell.nominal_capacity_C = reader.required_quantity("nominal_capacity", text::dimension::kCapacity).value_or(0.0);
  const text::TomlNode* capacity = reader.optional("nominal_capacity");
  if (capacity != nullptr && diagnostics.error_count() == errors_before && !(cell.nominal_capacity_C > 0.0)) {
    diagnostics.error(code::kCellFile, capacity->value, "the nominal capacity must be above zero");
  }
  (void)reader.optional_string("source");
  read_voltages(reader, cell, diagnostics);
  read_currents(reader, cell, diagnostics);
  cell.temperature_where = text::Span{source, 1, 1, 1};
  if (const text::TomlNode* temperature = reader.optional_table("temperature")) {
    cell.temperature_where = temperature->key;
    text::TableReader inner(*temperature, "[temperature]", diagnostics);
    read_range(inner, "charge", cell.charge_temperature_min_degC, cell.charge_temperature_max_degC, diagnostics);
    read_range(inner, "discharge", cell.discharge_temperature_min_degC, cell.discharge_temperature_max_degC,
               diagnostics);
    inner.finish();
  }
  read_trips(reader, cell, diagnostics);
  cell.eucar_expected = static_cast<int>(reader.optional_integer("eucar_expected", 0, 7).value_or(4));
  reader.finish();
  if (diagnostics.error_count() != errors_before) return std::nullopt;
  return cell;
}

}  // namespace cyclerd::profiles
