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

// One row over soc, or one for each temperature.
std::optional<std::vector<double>> read_values(text::TableReader& reader, std::string_view key, const Bounds& bounds,
                                               std::size_t rows, std::size_t columns, bool nested) {
  const text::TomlNode* node = required_array(reader, key);
  if (node == nullptr) return std::nullopt;
  std::vector<double> all;
  std::size_t seen = 0;
  auto take = [&](const text::TomlNode& row) {
    auto values = numbers_of(reader, key, row, bounds);
    if (!values) return false;
    if (values->size() != columns) {
      reader.diagnostics().error("C005", row.value,
                                 fmt::format("a row of `{}` has {} values, `soc` has {}", key, values->size(), columns),
                                 "give one value for each state of charge");
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
      reader.diagnostics().error("C003", row.value,
                                 fmt::format("with `temperature_degC`, `{}` must be a list of rows", key),
                                 fmt::format("{} = [[...], [...]], one row for each temperature", key));
      return std::nullopt;
    }
    if (!take(row)) return std::nullopt;
  }
  if (seen != rows) {
    reader.diagnostics().error("C005", node->value,
                               fmt::format("`{}` has {} rows, `temperature_degC` has {}", key, seen, rows));
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

std::optional<Curve> read_curve(text::TableReader& reader, std::string_view value_key, const Bounds& bounds,
                                std::string_view axis_key, const Bounds& axis_bounds) {
  auto axis = read_axis(reader, axis_key, axis_bounds);
  auto values = read_numbers(reader, value_key, bounds);
  if (!axis || !values) return std::nullopt;
  if (axis->size() != values->size()) {
    reader.diagnostics().error("C005", reader.where(),
                               fmt::format("`{}` of {} has {} values, `{}` has {}", axis_key, reader.what(),
                                           axis->size(), value_key, values->size()),
                               "give one value for each");
    return std::nullopt;
  }
  return Curve(std::move(*axis), std::move(*values));
}

std::optional<StateMap> read_rows(text::TableReader& reader, std::string_view value_key, const Bounds& bounds) {
  auto soc = read_axis(reader, "soc", {-0.5, 1.5, ""});
  const bool nested = reader.node().find("temperature_degC") != nullptr;
  auto temperature = nested ? read_axis(reader, "temperature_degC", {-80.0, 200.0, "degC"}) : Axis({25.0});
  if (!soc || !temperature) {
    // Mistakes among the values are told all the same.
    if (nested) (void)reader.optional(value_key);
    if (!nested) (void)read_numbers(reader, value_key, bounds);
    return std::nullopt;
  }
  auto values = read_values(reader, value_key, bounds, temperature->size(), soc->size(), nested);
  if (!values) return std::nullopt;
  return StateMap(std::move(*soc), std::move(*temperature), std::move(*values));
}

std::optional<StateMap> read_map(text::TableReader& reader, const MapKeys& keys) {
  const double activation_K = keys.activation_key.empty()
                                  ? 0.0
                                  : read_number(reader, keys.activation_key, {0.0, 20000.0, "K"}, false).value_or(0.0);
  const double reference_K =
      273.15 +
      read_bounded(reader, "reference_temperature", text::dimension::kTemperature, -50.0, 100.0, false).value_or(25.0);
  if (reader.node().find(keys.constant_key) != nullptr) {
    if (const text::TomlNode* both = reader.optional(keys.table_key); both != nullptr) {
      reader.diagnostics().error(
          "C050", both->key, fmt::format("{} has both `{}` and `{}`", reader.what(), keys.constant_key, keys.table_key),
          "keep one of them");
      return std::nullopt;
    }
    auto constant = read_bounded(reader, keys.constant_key, keys.dimension, keys.bounds.min, keys.bounds.max, true);
    if (!constant) return std::nullopt;
    return StateMap(Axis({0.0}), Axis({25.0}), {*constant}, activation_K, reference_K);
  }
  auto map = read_rows(reader, keys.table_key, keys.bounds);
  if (!map) return std::nullopt;
  return StateMap(map->soc(), map->temperature_degC(), map->values(), activation_K, reference_K);
}

std::optional<StateMap> read_resistance(text::TableReader& reader) {
  return read_map(reader,
                  {"resistance", text::dimension::kResistance, "resistance_Ohm", {1e-9, 1e6, "Ohm"}, "activation_K"});
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
