// From a typed tree to a constant, to canonical text, to bytecode.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "profiles/cell_spec.hpp"
#include "profiles/expression.hpp"

namespace cyclerd::profiles {
namespace {

constexpr double kSecondsPerHour = 3600.0;

double apply(Op op, double a, double b) {
  switch (op) {
    case Op::negate: return -a;
    case Op::abs: return std::fabs(a);
    case Op::logical_not: return a == 0.0 ? 1.0 : 0.0;
    case Op::add: return a + b;
    case Op::subtract: return a - b;
    case Op::multiply: return a * b;
    case Op::divide: return a / b;
    case Op::less: return a < b ? 1.0 : 0.0;
    case Op::less_equal: return a <= b ? 1.0 : 0.0;
    case Op::greater: return a > b ? 1.0 : 0.0;
    case Op::greater_equal: return a >= b ? 1.0 : 0.0;
    case Op::equal: return a == b ? 1.0 : 0.0;
    case Op::not_equal: return a != b ? 1.0 : 0.0;
    case Op::logical_and: return a != 0.0 && b != 0.0 ? 1.0 : 0.0;
    case Op::logical_or: return a != 0.0 || b != 0.0 ? 1.0 : 0.0;
    case Op::min: return std::min(a, b);
    case Op::max: return std::max(a, b);
    case Op::mod: return a - b * std::floor(a / b);
    default: return base::kAbsent;
  }
}

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

int precedence_of(const ExpressionNode& node) {
  return node.kind == ExpressionNode::Kind::operation ? spelling_of(node.op).precedence : 6;
}

const char* live_text(Live live) {
  for (const LiveName& name : live_names()) {
    if (name.live == live) return name.name;
  }
  return "?";
}

const char* result_text(ResultOf quantity) {
  for (const ResultName& name : result_names()) {
    if (name.quantity == quantity) return name.name;
  }
  return "?";
}

std::string print(const Expression& expression, int index) {
  const ExpressionNode& node = expression.at(index);
  switch (node.kind) {
    case ExpressionNode::Kind::number: return canonical_constant(node.value, node.type, node.c_rate);
    case ExpressionNode::Kind::live: return live_text(node.live);
    case ExpressionNode::Kind::rating: return fmt::format("cell.{}", rating_names()[node.rating].name);
    case ExpressionNode::Kind::parameter:
    case ExpressionNode::Kind::variable: return node.name;
    case ExpressionNode::Kind::window:
      return fmt::format("{}({}, {})", node.op == Op::rate ? "rate" : "avg", live_text(node.live),
                         print(expression, node.left));
    case ExpressionNode::Kind::mark: return fmt::format("{}.{}", node.name, result_text(node.quantity));
    case ExpressionNode::Kind::result:
      return fmt::format("{}.{}[{}]", node.name, result_text(node.quantity),
                         node.pick == ResultPick::first  ? "first"
                         : node.pick == ResultPick::last ? "last"
                                                         : std::to_string(node.nth));
    case ExpressionNode::Kind::operation: break;
  }
  const auto [text, precedence] = spelling_of(node.op);
  const auto wrapped = [&](int child, bool strict) {
    const int inner = precedence_of(expression.at(child));
    const std::string body = print(expression, child);
    return inner < precedence || (strict && inner == precedence) ? "(" + body + ")" : body;
  };
  if (precedence == 6) {
    return node.right < 0
               ? fmt::format("{}({})", text, print(expression, node.left))
               : fmt::format("{}({}, {})", text, print(expression, node.left), print(expression, node.right));
  }
  if (node.op == Op::negate) return "-" + wrapped(node.left, false);
  if (node.op == Op::logical_not) return "not " + wrapped(node.left, false);
  // Comparisons do not chain, so an equal level needs parentheses on both sides there.
  return fmt::format("{} {} {}", wrapped(node.left, precedence == 2), text, wrapped(node.right, true));
}

// A C-rate whose base is known only in the test: times measured capacity / 1 h.
void emit_measured_rate(double multiples, std::vector<Instruction>& code) {
  code.push_back({Op::load, static_cast<std::uint8_t>(Live::measured_capacity), 0, 0, 0.0});
  code.push_back({Op::constant, 0, 0, 0, multiples / kSecondsPerHour});
  code.push_back({Op::multiply, 0, 0, 0, 0.0});
}

bool of_measured(const ExpressionNode& node, const Binding& binding) {
  return binding.measured && node.c_rate;
}

// True when the node is one that the executor's state holds: emitted.
bool emit_reference(const ExpressionNode& node, const Binding& binding, std::vector<Instruction>& code) {
  Instruction instruction;
  References& references = *binding.references;
  if (node.kind == ExpressionNode::Kind::variable) {
    instruction.op = Op::variable;
    instruction.arg = static_cast<std::uint8_t>(references.variable(binding.prefix + node.name));
  } else if (node.kind == ExpressionNode::Kind::mark) {
    instruction.op = Op::mark;
    instruction.arg = static_cast<std::uint8_t>(node.quantity);
    instruction.index = references.mark(binding.prefix + node.name);
  } else if (node.kind == ExpressionNode::Kind::result) {
    instruction.op = Op::result;
    instruction.index = references.result({binding.prefix + node.name, node.quantity, node.pick, node.nth});
  } else if (node.kind == ExpressionNode::Kind::parameter) {
    const auto found = binding.parameters->late.find(node.name);
    if (found == binding.parameters->late.end()) return false;
    instruction.op = Op::variable;
    instruction.arg = static_cast<std::uint8_t>(found->second);
  } else {
    return false;
  }
  code.push_back(instruction);
  return true;
}

using Known = std::vector<std::optional<double>>;

std::optional<double> leaf_value(const ExpressionNode& node, const Binding& binding) {
  if (of_measured(node, binding)) return std::nullopt;
  switch (node.kind) {
    case ExpressionNode::Kind::variable:
    case ExpressionNode::Kind::result:
    case ExpressionNode::Kind::window:
    case ExpressionNode::Kind::mark: return std::nullopt;
    case ExpressionNode::Kind::number: {
      if (!node.c_rate) return node.value;
      if (std::isnan(binding.nominal_capacity_C)) return std::nullopt;
      return node.value * binding.nominal_capacity_C / kSecondsPerHour;
    }
    case ExpressionNode::Kind::rating: {
      const double rating = binding.cell == nullptr ? base::kAbsent : binding.cell->*rating_names()[node.rating].value;
      return std::isnan(rating) ? std::nullopt : std::optional<double>(rating);
    }
    case ExpressionNode::Kind::parameter: {
      const auto found = binding.parameters->known.find(node.name);
      if (found == binding.parameters->known.end() || std::isnan(found->second)) return std::nullopt;
      return found->second;
    }
    case ExpressionNode::Kind::live:
      if (node.live != Live::nominal_capacity || std::isnan(binding.nominal_capacity_C)) return std::nullopt;
      return binding.nominal_capacity_C;
    case ExpressionNode::Kind::operation: break;
  }
  return std::nullopt;
}

std::optional<double> folded(const ExpressionNode& node, const std::optional<double>& left,
                             const std::optional<double>& right) {
  if (!left || !right) return std::nullopt;
  const double value = apply(node.op, *left, *right);
  return std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
}

void emit_node(const Expression& expression, int index, const Binding& binding, const Known& known,
               std::vector<Instruction>& code) {
  const ExpressionNode& node = expression.at(index);
  Instruction instruction;
  if (emit_reference(node, binding, code)) return;
  if (node.kind == ExpressionNode::Kind::window) {
    instruction.op = node.op;
    instruction.index =
        binding.references->window(node.live, constant_value(expression, node.left, binding).value_or(base::kAbsent));
    code.push_back(instruction);
    return;
  }
  if (of_measured(node, binding)) {
    Binding nominal = binding;
    nominal.measured = false;
    const double current_A = constant_value(expression, index, nominal).value_or(0.0);
    emit_measured_rate(current_A * kSecondsPerHour / binding.nominal_capacity_C, code);
    return;
  }
  const auto constant = known[static_cast<std::size_t>(index)];
  if (constant || node.kind == ExpressionNode::Kind::number || node.kind == ExpressionNode::Kind::parameter ||
      node.kind == ExpressionNode::Kind::rating) {
    instruction.op = Op::constant;
    instruction.value = constant.value_or(0.0);
    if (instruction.value == 0.0) instruction.value = 0.0;  // -0 and 0 are one number
    code.push_back(instruction);
    return;
  }
  if (node.kind == ExpressionNode::Kind::live) {
    instruction.op = Op::load;
    instruction.arg = static_cast<std::uint8_t>(node.live);
    code.push_back(instruction);
    return;
  }
  emit_node(expression, node.left, binding, known, code);
  if (node.right >= 0) emit_node(expression, node.right, binding, known, code);
  instruction.op = node.op;
  code.push_back(instruction);
}

int need(const Expression& expression, int index) {
  const ExpressionNode& node = expression.at(index);
  if (node.kind != ExpressionNode::Kind::operation) return node.c_rate ? 2 : 1;
  const int left = need(expression, node.left);
  return node.right < 0 ? left : std::max(left, 1 + need(expression, node.right));
}

}  // namespace

std::vector<std::optional<double>> constant_values(const Expression& expression, const Binding& binding) {
  Known known(expression.nodes.size());
  for (std::size_t i = 0; i < known.size(); ++i) {
    const ExpressionNode& node = expression.nodes[i];
    if (node.kind != ExpressionNode::Kind::operation || of_measured(node, binding)) {
      known[i] = leaf_value(node, binding);
      continue;
    }
    // A node stands behind its operands.
    const auto& left = known[static_cast<std::size_t>(node.left)];
    known[i] = folded(node, left, node.right < 0 ? left : known[static_cast<std::size_t>(node.right)]);
  }
  return known;
}

std::optional<double> constant_value(const Expression& expression, int index, const Binding& binding) {
  const ExpressionNode& node = expression.at(index);
  if (node.kind != ExpressionNode::Kind::operation || of_measured(node, binding)) return leaf_value(node, binding);
  const auto left = constant_value(expression, node.left, binding);
  if (!left) return std::nullopt;
  return folded(node, left, node.right < 0 ? left : constant_value(expression, node.right, binding));
}

std::optional<double> constant_value(const Expression& expression, const Binding& binding) {
  if (!expression.ok()) return std::nullopt;
  return constant_value(expression, expression.root, binding);
}

bool is_constant(const Expression& expression) {
  return std::none_of(expression.nodes.begin(), expression.nodes.end(), [](const ExpressionNode& node) {
    return (node.kind == ExpressionNode::Kind::live && node.live != Live::nominal_capacity) ||
           node.kind == ExpressionNode::Kind::variable || node.kind == ExpressionNode::Kind::result ||
           node.kind == ExpressionNode::Kind::mark || node.kind == ExpressionNode::Kind::window;
  });
}

bool mentions(const Expression& expression, Live live) noexcept {
  return std::any_of(expression.nodes.begin(), expression.nodes.end(), [live](const ExpressionNode& node) {
    return (node.kind == ExpressionNode::Kind::live || node.kind == ExpressionNode::Kind::window) && node.live == live;
  });
}

bool looks_back(const Expression& expression) noexcept {
  return std::any_of(expression.nodes.begin(), expression.nodes.end(),
                     [](const ExpressionNode& node) { return node.kind == ExpressionNode::Kind::window; });
}

std::uint32_t References::window(Live quantity, double length_s) {
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    if (windows_[i].quantity == quantity && windows_[i].length_s == length_s) return static_cast<std::uint32_t>(i);
  }
  windows_.push_back({quantity, length_s});
  return static_cast<std::uint32_t>(windows_.size()) - 1;
}

std::string canonical_constant(double value, const Type& type, bool c_rate) {
  struct Form {
    text::Dimension dimension;
    const char* unit;
    double factor;
  };
  static const Form kForms[] = {
      {text::dimension::kVoltage, "V", 1.0},
      {text::dimension::kCurrent, "A", 1.0},
      {text::dimension::kPower, "W", 1.0},
      {text::dimension::kResistance, "Ohm", 1.0},
      {text::dimension::kTime, "s", 1.0},
      {text::dimension::kCapacity, "Ah", 3600.0},
      {text::dimension::kEnergy, "Wh", 3600.0},
      {text::dimension::kVoltageRate, "V/s", 1.0},
      {text::dimension::kCurrentRate, "A/s", 1.0},
      {text::dimension::kPowerRate, "W/s", 1.0},
      {text::dimension::kTemperatureRate, "K/s", 1.0},
  };
  if (c_rate) return fmt::format("{} C", round_constant(value));
  if (type.dimension == text::dimension::kNone) return fmt::format("{}", round_constant(value));
  if (type.dimension == text::dimension::kTemperature) {
    return fmt::format("{} {}", round_constant(value), type.absolute ? "degC" : "K");
  }
  for (const Form& form : kForms) {
    if (form.dimension == type.dimension) return fmt::format("{} {}", round_constant(value / form.factor), form.unit);
  }
  return fmt::format("{} {}", round_constant(value), text::example_unit(type.dimension));
}

std::string canonical_text(const Expression& expression) {
  return expression.ok() ? print(expression, expression.root) : expression.text;
}

ExpressionRef emit(const Expression& expression, const Binding& binding, std::vector<Instruction>& code) {
  if (!expression.ok()) return {};
  ExpressionRef ref;
  ref.first = static_cast<std::uint32_t>(code.size());
  emit_node(expression, expression.root, binding, constant_values(expression, binding), code);
  ref.count = static_cast<std::uint32_t>(code.size()) - ref.first;
  return ref;
}

int stack_need(const Expression& expression) {
  return expression.ok() ? need(expression, expression.root) : 0;
}

}  // namespace cyclerd::profiles
