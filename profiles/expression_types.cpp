// Which units may meet: dimension checking, and what a key wants of an expression.
#include <fmt/format.h>

#include "profiles/codes.hpp"
#include "profiles/expression_types.hpp"

namespace cyclerd::profiles {
namespace {

// The name of a dimension with its example unit: "voltage (V)".
std::string with_example(const Type& type) {
  const std::string unit = type.boolean ? "" : type.absolute ? "degC" : text::example_unit(type.dimension);
  return unit.empty() || type.dimension == text::dimension::kNone ? type_name(type)
                                                                  : fmt::format("{} ({})", type_name(type), unit);
}

std::optional<Type> mismatch(const Type& left, const Type& right, std::string_view verb, TypeError& error) {
  error.message = fmt::format("cannot {} {} and {}", verb, with_example(left), with_example(right));
  error.label = type_name(right);
  if (left.boolean || right.boolean) {
    error.help = "join conditions with and, or";
  } else if (left.dimension == right.dimension) {
    error.help = "degC is a temperature, K a difference of temperatures";
  } else if (right.dimension == text::dimension::kNone) {
    error.help = fmt::format("give the number a unit of {}, for instance {}", type_name(left),
                             text::example_unit(left.dimension));
  } else {
    error.help = fmt::format("write a {}, for instance in {}", type_name(left), text::example_unit(left.dimension));
  }
  error.at_right = true;
  return std::nullopt;
}

std::optional<Type> sum_type(Op op, const Type& left, const Type& right, TypeError& error) {
  const char* verb = op == Op::add ? "add" : op == Op::subtract ? "subtract" : "combine";
  if (left.boolean || right.boolean || left.dimension != right.dimension) return mismatch(left, right, verb, error);
  Type result = left;
  if (op == Op::add) {
    if (left.absolute && right.absolute) return mismatch(left, right, verb, error);
    result.absolute = left.absolute || right.absolute;
  } else if (op == Op::subtract) {
    if (!left.absolute && right.absolute) return mismatch(left, right, verb, error);
    result.absolute = left.absolute && !right.absolute;
  } else {
    if (left.absolute != right.absolute) return mismatch(left, right, verb, error);
  }
  return result;
}

std::optional<Type> product_type(Op op, const Type& left, const Type& right, TypeError& error) {
  if (left.boolean || right.boolean) return mismatch(left, right, op == Op::multiply ? "multiply" : "divide", error);
  if (left.absolute || right.absolute) {
    error.message = "a temperature in degC cannot be multiplied or divided: its zero is arbitrary";
    error.help = "use a difference: temperature - 25 degC";
    error.at_right = right.absolute;
    return std::nullopt;
  }
  return Type{op == Op::multiply ? left.dimension * right.dimension : left.dimension / right.dimension, false, false};
}

}  // namespace

std::string type_name(const Type& type) {
  if (type.boolean) return "condition";
  if (type.dimension == text::dimension::kNone) return "plain number";
  if (type.dimension == text::dimension::kTemperature) return type.absolute ? "temperature" : "temperature difference";
  return text::dimension_name(type.dimension);
}

std::optional<Type> unary_type(Op op, const Type& operand, TypeError& error) {
  if (op == Op::logical_not) {
    if (operand.boolean) return operand;
    error.message = fmt::format("not needs a condition, this is a {}", type_name(operand));
    error.help = "compare it with something: voltage >= 4.2 V";
    return std::nullopt;
  }
  if (operand.boolean) {
    error.message = op == Op::abs ? "abs of a condition has no meaning" : "minus of a condition has no meaning";
    error.help = "use not";
    return std::nullopt;
  }
  return operand;
}

std::optional<Type> binary_type(Op op, const Type& left, const Type& right, TypeError& error) {
  switch (op) {
    case Op::logical_and:
    case Op::logical_or: {
      if (left.boolean && right.boolean) return left;
      error.at_right = left.boolean;
      error.message = fmt::format("{} joins conditions, this is a {}", op == Op::logical_and ? "and" : "or",
                                  type_name(left.boolean ? right : left));
      error.help = "compare it with something: voltage >= 4.2 V";
      return std::nullopt;
    }
    case Op::add:
    case Op::subtract:
    case Op::min:
    case Op::max:
    case Op::mod: return sum_type(op, left, right, error);
    case Op::multiply:
    case Op::divide: return product_type(op, left, right, error);
    default: break;
  }
  if (left.boolean || right.boolean || left.dimension != right.dimension || left.absolute != right.absolute) {
    return mismatch(left, right, "compare", error);
  }
  return type::kBoolean;
}

bool expect_type(const Expression& expression, const Type& want, std::string_view what,
                 text::Diagnostics& diagnostics) {
  if (!expression.ok()) return false;
  const ExpressionNode& top = expression.top();
  if (top.type == want) return true;
  std::string help;
  const std::string unit = want.absolute ? "degC" : text::example_unit(want.dimension);
  if (want.boolean) {
    help = "compare two things: voltage >= 4.2 V";
  } else if (want == type::kNumber) {
    help = "write a number without a unit";
  } else if (want.dimension == top.type.dimension) {
    help = want.absolute ? "write degC" : "write K, a difference of temperatures";
  } else if (want.absolute && top.c_rate) {
    help = "C is the C-rate; write degC";
  } else if (top.type == type::kNumber) {
    help = fmt::format("write the unit: \"{} {}\"", expression.text, unit);
  } else {
    help = fmt::format("write it in {}", unit);
  }
  auto& finding =
      diagnostics.error(code::kQuantity, expression.where,
                        fmt::format("{} must be a {}, this is a {}", what, type_name(want), type_name(top.type)), help);
  finding.label = type_name(top.type);
  return false;
}

}  // namespace cyclerd::profiles
