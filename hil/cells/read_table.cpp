#include "hil/cells/read_table.hpp"

#include <fmt/format.h>

#include <utility>

namespace cyclerd::hil {
namespace {

std::string between(const Bounds& b) {
  return b.unit.empty() ? fmt::format("{:g} to {:g}", b.min, b.max)
                        : fmt::format("{:g} to {:g} {}", b.min, b.max, b.unit);
}

bool append_number(text::TableReader& reader, std::string_view key, const text::TomlNode& item, const Bounds& bounds,
                   std::vector<double>& out) {
  if (!item.is_number()) {
    reader.diagnostics().error("C003", item.value, fmt::format("`{}` holds something that is no number", key),
                               "write plain numbers, the unit is in the key");
    return false;
  }
  const double x = item.number();
  if (!(x >= bounds.min && x <= bounds.max)) {
    reader.diagnostics().error("C004", item.value,
                               fmt::format("`{}` holds {:g}, allowed is {}", key, x, between(bounds)));
    return false;
  }
  out.push_back(x);
  return true;
}

std::optional<std::vector<double>> numbers_of(text::TableReader& reader, std::string_view key,
                                              const text::TomlNode& node, const Bounds& bounds) {
  std::vector<double> out;
  bool good = true;
  for (const text::TomlNode& item : node.items) good = append_number(reader, key, item, bounds, out) && good;
  if (node.items.empty()) {
    reader.diagnostics().error("C003", node.value, fmt::format("`{}` is empty", key), "give at least one number");
    return std::nullopt;
  }
  if (!good) return std::nullopt;
  return out;
}

const text::TomlNode* required_array(text::TableReader& reader, std::string_view key) {
  const text::TomlNode* node = reader.required(key);
  if (node == nullptr) return nullptr;
  if (!node->is_array()) {
    reader.diagnostics().error("C003", node->value,
                               fmt::format("`{}` of {} must be a list of numbers", key, reader.what()),
                               fmt::format("{} = [0.1, 0.5, 0.9]", key));
    return nullptr;
  }
  return node;
}

// Rows of a resistance map: one row, or one for each temperature.
std::optional<std::vector<double>> read_rows(text::TableReader& reader, std::size_t rows, std::size_t columns,
                                             bool nested) {
  const Bounds bounds{1e-9, 1e6, "Ohm"};
  const text::TomlNode* node = required_array(reader, "resistance_Ohm");
  if (node == nullptr) return std::nullopt;
  std::vector<double> all;
  std::size_t seen = 0;
  auto take = [&](const text::TomlNode& row) {
    auto values = numbers_of(reader, "resistance_Ohm", row, bounds);
    if (!values) return false;
    if (values->size() != columns) {
      reader.diagnostics().error(
          "C005", row.value,
          fmt::format("a row of `resistance_Ohm` has {} values, `soc` has {}", values->size(), columns));
      return false;
    }
    all.insert(all.end(), values->begin(), values->end());
    ++seen;
    return true;
  };
  if (!nested) {
    if (!take(*node)) return std::nullopt;
    return all;
  }
  for (const text::TomlNode& row : node->items) {
    if (!row.is_array()) {
      reader.diagnostics().error("C003", row.value, "with `temperature_degC`, `resistance_Ohm` must be a list of rows",
                                 "resistance_Ohm = [[...], [...]], one row for each temperature");
      return std::nullopt;
    }
    if (!take(row)) return std::nullopt;
  }
  if (seen != rows) {
    reader.diagnostics().error("C005", node->value,
                               fmt::format("`resistance_Ohm` has {} rows, `temperature_degC` has {}", seen, rows));
    return std::nullopt;
  }
  return all;
}

}  // namespace

std::optional<std::vector<double>> read_numbers(text::TableReader& reader, std::string_view key, const Bounds& bounds) {
  const text::TomlNode* node = required_array(reader, key);
  if (node == nullptr) return std::nullopt;
  return numbers_of(reader, key, *node, bounds);
}

std::optional<Axis> read_axis(text::TableReader& reader, std::string_view key, const Bounds& bounds) {
  auto values = read_numbers(reader, key, bounds);
  if (!values) return std::nullopt;
  for (std::size_t i = 0; i + 1 < values->size(); ++i) {
    if ((*values)[i + 1] > (*values)[i]) continue;
    reader.diagnostics().error(
        "C006", reader.node().find(key)->items[i + 1].value,
        fmt::format("`{}` must increase, but {:g} follows {:g}", key, (*values)[i + 1], (*values)[i]));
    return std::nullopt;
  }
  return Axis(std::move(*values));
}

std::optional<Curve> read_curve(text::TableReader& reader, std::string_view value_key, const Bounds& bounds) {
  auto axis = read_axis(reader, "soc", {-0.5, 1.5, ""});
  auto values = read_numbers(reader, value_key, bounds);
  if (!axis || !values) return std::nullopt;
  if (axis->size() != values->size()) {
    reader.diagnostics().error(
        "C005", reader.where(),
        fmt::format("`soc` of {} has {} values, `{}` has {}", reader.what(), axis->size(), value_key, values->size()),
        "give one value for each state of charge");
    return std::nullopt;
  }
  return Curve(std::move(*axis), std::move(*values));
}

std::optional<ResistanceMap> read_resistance(text::TableReader& reader) {
  ResistanceMap map;
  auto activation = read_number(reader, "activation_K", {0.0, 20000.0, "K"}, false);
  auto reference = read_bounded(reader, "reference_temperature", text::dimension::kTemperature, -50.0, 100.0, false);
  map.activation_K = activation.value_or(0.0);
  map.reference_K = reference.value_or(25.0) + 273.15;
  if (reader.node().find("resistance") != nullptr) {
    auto constant = read_bounded(reader, "resistance", text::dimension::kResistance, 1e-9, 1e6, true);
    if (!constant) return std::nullopt;
    map.soc = Axis({0.0});
    map.temperature_degC = Axis({25.0});
    map.value_Ohm = {*constant};
    return map;
  }
  auto soc = read_axis(reader, "soc", {-0.5, 1.5, ""});
  const bool nested = reader.node().find("temperature_degC") != nullptr;
  auto temperature = nested ? read_axis(reader, "temperature_degC", {-80.0, 200.0, "degC"}) : Axis({25.0});
  if (!soc || !temperature) {
    (void)reader.optional("resistance_Ohm");
    return std::nullopt;
  }
  auto rows = read_rows(reader, temperature->size(), soc->size(), nested);
  if (!rows) return std::nullopt;
  map.soc = std::move(*soc);
  map.temperature_degC = std::move(*temperature);
  map.value_Ohm = std::move(*rows);
  return map;
}

std::optional<double> read_number(text::TableReader& reader, std::string_view key, const Bounds& bounds,
                                  bool required) {
  const text::TomlNode* node = required ? reader.required(key) : reader.optional(key);
  if (node == nullptr) return std::nullopt;
  std::vector<double> one;
  if (!append_number(reader, key, *node, bounds, one)) return std::nullopt;
  return one[0];
}

std::optional<double> read_bounded(text::TableReader& reader, std::string_view key, text::Dimension dimension,
                                   double min, double max, bool required) {
  auto value = required ? reader.required_quantity(key, dimension) : reader.optional_quantity(key, dimension);
  if (!value) return std::nullopt;
  if (*value >= min && *value <= max) return value;
  reader.diagnostics().error(
      "C004", reader.node().find(key)->value,
      fmt::format("`{}` is {}, allowed is {} to {}", key, text::format_quantity(*value, dimension),
                  text::format_quantity(min, dimension), text::format_quantity(max, dimension)));
  return std::nullopt;
}

}  // namespace cyclerd::hil
