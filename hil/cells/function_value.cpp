#include "hil/cells/function_value.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <utility>

namespace cyclerd::hil {
namespace {

std::string allowed(const Bounds& b) {
  return fmt::format("{:g} to {:g}{}{}", b.min, b.max, b.unit.empty() ? "" : " ", b.unit);
}

bool inside(const Bounds& b, double y) {
  return y >= b.min && y <= b.max;
}

std::optional<Curve> from_number(const text::TomlNode& node, const FunctionRules& rules, std::string_view what,
                                 text::Diagnostics& diagnostics) {
  const double y = node.number();
  if (inside(rules.bounds, y)) return Curve(Axis({0.0}), {y});
  diagnostics.error("C004", node.value, fmt::format("{} is {:g}, allowed is {}", what, y, allowed(rules.bounds)));
  return std::nullopt;
}

std::optional<Curve> from_text(const text::TomlNode& node, const FunctionRules& rules, std::string_view what,
                               text::Diagnostics& diagnostics) {
  auto function = Expression::compile(node.string, what, node.value, diagnostics);
  if (!function) return std::nullopt;
  Sampling sampling = rules.sampling;
  if (rules.cut) {
    const double y = function->at(rules.good_at);
    if (!inside(rules.bounds, y)) {
      diagnostics.error(
          "C004", node.value,
          fmt::format("{} is {:g} at x = {:g}, allowed is {}", what, y, rules.good_at, allowed(rules.bounds)),
          "is x in the right unit?");
      return std::nullopt;
    }
    sampling.lowest = rules.bounds.min;
    sampling.highest = rules.bounds.max;
  }
  std::optional<double> bad_x;
  auto curve = sample(
      [&](double x) {
        const double y = function->at(x);
        if (!rules.cut && !bad_x && std::isfinite(y) && !inside(rules.bounds, y)) bad_x = x;
        return y;
      },
      sampling, what, node.value, diagnostics);
  if (!curve || !bad_x) return curve;
  diagnostics.error(
      "C004", node.value,
      fmt::format("{} is {:g} at x = {:.6g}, allowed is {}", what, function->at(*bad_x), *bad_x, allowed(rules.bounds)),
      "is x in the right unit?");
  return std::nullopt;
}

std::optional<Curve> from_table(const text::TomlNode& node, const FunctionRules& rules, std::string_view what,
                                text::Diagnostics& diagnostics) {
  text::TableReader reader(node, std::string(what), diagnostics);
  auto axis = read_axis(reader, "x", rules.axis);
  auto values = read_numbers(reader, rules.value_key, rules.bounds);
  reader.finish();
  if (!axis || !values) return std::nullopt;
  if (axis->size() != values->size()) {
    diagnostics.error(
        "C005", node.value,
        fmt::format("`x` of {} has {} values, `{}` has {}", what, axis->size(), rules.value_key, values->size()),
        "give one value for each x");
    return std::nullopt;
  }
  return Curve(std::move(*axis), std::move(*values));
}

}  // namespace

std::optional<Curve> read_function(const text::TomlNode& node, const FunctionRules& rules, std::string_view what,
                                   text::Diagnostics& diagnostics) {
  if (node.is_number()) return from_number(node, rules, what, diagnostics);
  if (node.is_string()) return from_text(node, rules, what, diagnostics);
  if (node.is_table()) return from_table(node, rules, what, diagnostics);
  diagnostics.error("C023", node.value, fmt::format("{} is neither a number, nor a function, nor a table", what),
                    fmt::format("write 1e-14, or \"2 - 0.8*x\", or {{x = [...], {} = [...]}}", rules.value_key));
  return std::nullopt;
}

}  // namespace cyclerd::hil
