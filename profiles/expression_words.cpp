// An expression for a reader: what is known before the start as its value, the rest as written.
#include <fmt/format.h>

#include <cmath>

#include "profiles/expand_parts.hpp"

namespace cyclerd::profiles {
namespace {

struct Spelling {
  std::string_view text;
  int precedence;  // as the parser's levels
};
Spelling spelling_of(Op op) {
  switch (op) {
    case Op::logical_or: return {"or", 0};
    case Op::logical_and: return {"and", 1};
    case Op::logical_not: return {"not", 2};
    case Op::less: return {"<", 2};
    case Op::less_equal: return {"<=", 2};
    case Op::greater: return {">", 2};
    case Op::greater_equal: return {">=", 2};
    case Op::equal: return {"==", 2};
    case Op::not_equal: return {"!=", 2};
    case Op::add: return {"+", 3};
    case Op::subtract: return {"-", 3};
    case Op::multiply: return {"*", 4};
    case Op::divide: return {"/", 4};
    case Op::negate: return {"-", 5};
    case Op::abs: return {"abs", 6};
    case Op::min: return {"min", 6};
    case Op::max: return {"max", 6};
    case Op::mod: return {"mod", 6};
    default: return {"?", 6};
  }
}
constexpr int kTightest = 6;

struct Words {
  std::string text;
  int precedence = kTightest;
};

const char* live_word(Live live) {
  for (const auto& name : live_names()) {
    if (name.live == live) return name.name;
  }
  return "?";
}

const char* result_word(ResultOf quantity) {
  for (const auto& name : result_names()) {
    if (name.quantity == quantity) return name.name;
  }
  return "?";
}

// Names inside a named call are told as from outside; those of a call without a name have no other.
std::string full_name(const Binding& binding, const std::string& name) {
  return binding.prefix.find('#') == std::string::npos ? binding.prefix + name : name;
}

// Constants for a reader, or in the canonical spelling, so that two texts can be compared.
enum class Style : std::uint8_t { reader, canonical };

Words words_of(const Expression& expression, int index, const Binding& binding, Style style);

Words operation_words(const Expression& expression, const ExpressionNode& node, const Binding& binding, Style style) {
  const auto [text, precedence] = spelling_of(node.op);
  const auto child = [&](int at, bool strict) {
    const Words inner = words_of(expression, at, binding, style);
    const bool wrap = inner.precedence < precedence || (strict && inner.precedence == precedence);
    return wrap ? "(" + inner.text + ")" : inner.text;
  };
  if (precedence == kTightest) {
    const std::string first = words_of(expression, node.left, binding, style).text;
    return {node.right < 0
                ? fmt::format("{}({})", text, first)
                : fmt::format("{}({}, {})", text, first, words_of(expression, node.right, binding, style).text)};
  }
  if (node.op == Op::negate) return {"-" + child(node.left, false), precedence};
  if (node.op == Op::logical_not) return {"not " + child(node.left, false), precedence};
  return {fmt::format("{} {} {}", child(node.left, precedence == 2), text, child(node.right, true)), precedence};
}

// A number as its author spelled it.
std::string spelled(const Expression& expression, const ExpressionNode& node) {
  if (node.offset >= expression.text.size()) return value_words(node.value, node.type);
  return expression.text.substr(node.offset, node.length);
}

Words words_of(const Expression& expression, int index, const Binding& binding, Style style) {
  const ExpressionNode& node = expression.at(index);
  const bool plain = node.kind == ExpressionNode::Kind::number && !node.c_rate;
  if (plain && style == Style::reader) return {spelled(expression, node)};
  if (const auto value = constant_value(expression, index, binding)) {
    return {style == Style::reader ? value_words(*value, node.type) : canonical_constant(*value, node.type, false),
            std::signbit(*value) ? 5 : kTightest};
  }
  switch (node.kind) {
    case ExpressionNode::Kind::number: {
      const std::string rate = canonical_constant(node.value, node.type, node.c_rate);
      return {binding.measured && node.c_rate ? fmt::format("({} of measured_capacity)", rate) : rate};
    }
    case ExpressionNode::Kind::live: return {live_word(node.live)};
    case ExpressionNode::Kind::rating: return {fmt::format("cell.{}", rating_names()[node.rating].name)};
    case ExpressionNode::Kind::parameter: {
      const bool measured = binding.measured && node.c_rate && binding.parameters->known.count(node.name) != 0;
      if (!measured) {
        const bool late = binding.parameters->late.count(node.name) != 0;
        return {late ? full_name(binding, node.name) : node.name};
      }
      Binding nominal = binding;
      nominal.measured = false;
      const auto current_A = constant_value(expression, index, nominal);
      if (!current_A) return {fmt::format("({} of measured_capacity)", node.name)};
      return {
          fmt::format("({} C of measured_capacity)", round_constant(*current_A * 3600.0 / binding.nominal_capacity_C))};
    }
    case ExpressionNode::Kind::variable: return {full_name(binding, node.name)};
    case ExpressionNode::Kind::window:
      return {fmt::format("{}({}, {})", node.op == Op::rate ? "rate" : "avg", live_word(node.live),
                          words_of(expression, node.left, binding, style).text)};
    case ExpressionNode::Kind::mark:
      return {fmt::format("{}.{}", full_name(binding, node.name), result_word(node.quantity))};
    case ExpressionNode::Kind::result: {
      const std::string pick = node.pick == ResultPick::first  ? "first"
                               : node.pick == ResultPick::last ? "last"
                                                               : std::to_string(node.nth);
      return {fmt::format("{}.{}[{}]", full_name(binding, node.name), result_word(node.quantity), pick)};
    }
    case ExpressionNode::Kind::operation: break;
  }
  return operation_words(expression, node, binding, style);
}

}  // namespace

std::string value_words(double value, const Type& type) {
  if (type.boolean) return value != 0.0 ? "true" : "false";
  if (type.dimension == text::dimension::kTemperature && !type.absolute) return fmt::format("{:.6g} K", value);
  return text::format_quantity(value, type.dimension);
}

std::string resolved_text(const Expression& expression, const Binding& binding) {
  return expression.ok() ? words_of(expression, expression.root, binding, Style::reader).text : expression.text;
}

ExpandedValue expanded_value(const Expression& expression, const Binding& binding) {
  ExpandedValue value;
  if (!expression.ok()) return value;
  const ExpressionNode& top = expression.top();
  value.text = resolved_text(expression, binding);
  if (value.text.starts_with('(') && value.text.ends_with(" of measured_capacity)"))
    value.text = value.text.substr(1, value.text.size() - 2);
  if (const auto known = constant_value(expression, binding)) {
    value.value = *known;
    value.unit = base_unit_words(top.type);
  } else if (top.kind == ExpressionNode::Kind::number && top.c_rate && !binding.measured) {
    value.value = top.value;
    value.unit = "C";
  }
  // The same numbers in other units say nothing new.
  if (words_of(expression, expression.root, binding, Style::canonical).text != canonical_text(expression)) {
    value.written = expression.text;
  }
  return value;
}

std::string base_unit_words(const Type& type) {
  if (type.boolean || type.dimension == text::dimension::kNone) return "";
  const std::string one = canonical_constant(1.0, type, false);
  if (type.dimension == text::dimension::kCapacity) return "A s";
  if (type.dimension == text::dimension::kEnergy) return "J";
  return one.substr(one.find(' ') + 1);
}

}  // namespace cyclerd::profiles
