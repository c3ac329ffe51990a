// Parameters: their defaults and bounds on the launch's cell, and what --set makes of them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "profiles/codes.hpp"
#include "profiles/compile_parts.hpp"

namespace cyclerd::profiles {
namespace {

constexpr double kSecondsPerHour = 3600.0;

// In the parameter's own unit, which is the C for a C-rate. Absent: not given, or unknown without a cell.
std::optional<double> own_unit(const Expression& expression, const Parameter& parameter, const Binding& nominal) {
  if (!expression.ok()) return std::nullopt;
  if (parameter.c_rate && expression.top().c_rate) return expression.top().value;
  const auto value = constant_value(expression, nominal);
  if (!value || !parameter.c_rate) return value;
  return *value / (nominal.nominal_capacity_C / kSecondsPerHour);
}

std::string show(double value, const Parameter& parameter) {
  return canonical_constant(value, parameter.type, parameter.c_rate);
}

// "4.2 V", or "cell.voltage_max = 4.2 V".
std::string show_bound(const Expression& bound, double value, const Parameter& parameter) {
  const std::string number = show(value, parameter);
  return bound.top().kind == ExpressionNode::Kind::number ? number : fmt::format("{} = {}", bound.text, number);
}

// `--set name=value` as a source of its own, so that findings show what was typed.
text::Span typed_place(const std::string& name, const std::string& value) {
  auto source = std::make_shared<text::Source>(text::Source{"--set", fmt::format("{}={}", name, value)});
  return {source, 1, static_cast<std::uint32_t>(name.size() + 2),
          static_cast<std::uint32_t>(std::max<std::size_t>(1, value.size()))};
}

void bind_typed(Compiler& compiler, const std::string& name, const std::string& typed, const Parameter& parameter,
                double& value) {
  const text::Span where = typed_place(name, typed);
  text::QuantityError error;
  const auto quantity = text::parse_quantity(typed, error);
  if (!quantity) {
    compiler.diagnostics.error(code::kParameterBounds, where,
                               fmt::format("'{}' is not a value: {}", typed, error.message), error.help);
    return;
  }
  if (quantity->dimension != parameter.type.dimension) {
    compiler.diagnostics.error(code::kParameterBounds, where,
                               fmt::format("parameter '{}' is a {}, '{}' is a {}", name, type_name(parameter.type),
                                           typed, type_name(Type{quantity->dimension, false, false})),
                               std::isnan(value)
                                   ? "write it in the unit of its default"
                                   : fmt::format("for instance --set {}=\"{}\"", name, show(value, parameter)));
    return;
  }
  if (quantity->c_rate == parameter.c_rate) {
    value = round_constant(quantity->value);
  } else if (!std::isnan(compiler.binding.nominal_capacity_C)) {
    const double one_C_A = compiler.binding.nominal_capacity_C / kSecondsPerHour;
    value = parameter.c_rate ? quantity->value / one_C_A : quantity->value * one_C_A;
  }
  check_bounds(compiler, compiler.binding, parameter, fmt::format("parameter '{}'", name), value, where);
}

// The definition's own contradictions, which may show on some cells only.
void check_definition(Compiler& compiler, const std::string& name, const Parameter& parameter) {
  const auto min = own_unit(parameter.min, parameter, compiler.binding);
  const auto max = own_unit(parameter.max, parameter, compiler.binding);
  if (!min || !max || *min <= *max) return;
  compiler.diagnostics.error(
      code::kParameterDefinition, parameter.max.where,
      fmt::format("max of parameter '{}', {}, is below its min, {}", name, show_bound(parameter.max, *max, parameter),
                  show_bound(parameter.min, *min, parameter)),
      "swap them");
}

}  // namespace

double default_value(const Parameter& parameter, const Binding& binding) {
  Binding nominal = binding;
  nominal.measured = false;
  return own_unit(parameter.value, parameter, nominal).value_or(base::kAbsent);
}

void check_bounds(Compiler& compiler, const Binding& binding, const Parameter& parameter, const std::string& what,
                  double value, const text::Span& where) {
  Binding nominal = binding;
  nominal.measured = false;
  const auto min = own_unit(parameter.min, parameter, nominal);
  const auto max = own_unit(parameter.max, parameter, nominal);
  // To 15 digits: 3 C in A and back is 3 C.
  const bool low = min && round_constant(value) < round_constant(*min);
  const bool high = max && round_constant(value) > round_constant(*max);
  if ((!low && !high) || (min && max && *min > *max)) return;  // such a definition is told by itself
  const Expression& bound = low ? parameter.min : parameter.max;
  auto& finding = compiler.diagnostics.error(
      code::kParameterBounds, where,
      fmt::format("{} is {}, {} {}", what, show(value, parameter), low ? "below its min" : "above its max",
                  show_bound(bound, low ? *min : *max, parameter)),
      min && max ? fmt::format("choose a value from {} to {}", show(*min, parameter), show(*max, parameter))
                 : fmt::format("choose {} {}", max ? "at most" : "at least", show(max ? *max : *min, parameter)));
  finding.related = bound.where;
  finding.related_label = "the bound is set here";
}

void bind_parameters(Compiler& compiler) {
  if (compiler.launch != nullptr) {
    compiler.binding.nominal_capacity_C = compiler.launch->cell.nominal_capacity_C;
    compiler.binding.cell = &compiler.launch->cell;
  }
  const double one_C_A = compiler.binding.nominal_capacity_C / kSecondsPerHour;
  std::vector<std::string> known;
  for (const auto& [name, parameter] : compiler.profile.names.parameters) {
    known.push_back(name);
    if (parameter.broken) continue;
    check_definition(compiler, name, parameter);
    const std::size_t errors_before = compiler.diagnostics.error_count();
    double value = default_value(parameter, compiler.binding);
    const bool typed = compiler.launch != nullptr && compiler.launch->parameters.count(name) != 0;
    if (typed) {
      bind_typed(compiler, name, compiler.launch->parameters.at(name), parameter, value);
    } else {
      check_bounds(compiler, compiler.binding, parameter, fmt::format("parameter '{}'", name), value, parameter.where);
    }
    // A value that was refused is not judged again where it is used.
    if (compiler.diagnostics.error_count() != errors_before) value = base::kAbsent;
    compiler.binding.parameters->known[name] = parameter.c_rate ? value * one_C_A : value;
  }
  for (const auto& [name, procedure] : compiler.profile.procedures) {
    for (const auto& [parameter_name, parameter] : procedure.names.parameters) {
      if (!parameter.broken) check_definition(compiler, parameter_name, parameter);
    }
  }
  if (compiler.launch == nullptr) return;
  for (const auto& [name, value] : compiler.launch->parameters) {
    if (compiler.profile.names.parameters.count(name) != 0) continue;
    text::Span where = typed_place(name, value);
    where.column = 1;
    where.length = static_cast<std::uint32_t>(std::max<std::size_t>(1, name.size()));
    const std::string near = text::nearest(name, known);
    compiler.diagnostics.error(code::kParameterUnknown, where, fmt::format("the profile has no parameter '{}'", name),
                               !near.empty()   ? fmt::format("did you mean {}?", near)
                               : known.empty() ? "the profile has no parameters at all"
                                               : fmt::format("parameters are: {}", fmt::join(known, ", ")));
  }
}

}  // namespace cyclerd::profiles
