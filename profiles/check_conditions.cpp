// Which conditions can fire: every live quantity has a range in a step of a given kind, and an expression over ranges
// is always true, never true, or open.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "profiles/codes.hpp"
#include "profiles/compile_parts.hpp"

namespace cyclerd::profiles {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Range {
  double low = -kInfinity;
  double high = kInfinity;
};
// Of a condition: {0,0} never, {1,1} always, {0,1} open.
constexpr Range kNever{0.0, 0.0};
constexpr Range kAlways{1.0, 1.0};
constexpr Range kOpen{0.0, 1.0};

Range sane(double low, double high) {
  return std::isnan(low) || std::isnan(high) ? Range{} : Range{low, high};
}

Range product(const Range& a, const Range& b) {
  const std::array<double, 4> corners = {a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high};
  for (double corner : corners) {
    if (std::isnan(corner)) return {};
  }
  return {*std::min_element(corners.begin(), corners.end()), *std::max_element(corners.begin(), corners.end())};
}

Range less(const Range& a, const Range& b, bool or_equal) {
  if (or_equal ? a.high <= b.low : a.high < b.low) return kAlways;
  if (or_equal ? a.low > b.high : a.low >= b.high) return kNever;
  return kOpen;
}

class Ranges {
 public:
  Ranges(const Compiler& compiler, const StepSyntax& step, const Expression& expression)
      : compiler_(compiler), step_(step), expression_(expression) {}

  [[nodiscard]] Range of_root() const { return of(expression_.root); }

 private:
  [[nodiscard]] Range of(int index) const {
    const auto constant = constant_value(expression_, index, compiler_.binding);
    if (constant) return {*constant, *constant};
    const ExpressionNode& node = expression_.at(index);
    if (node.kind == ExpressionNode::Kind::live) return live(node.live);
    if (node.kind == ExpressionNode::Kind::window && node.op == Op::mean) return live(node.live);
    if (node.kind != ExpressionNode::Kind::operation) return {};
    const Range a = of(node.left);
    const Range b = node.right < 0 ? a : of(node.right);
    switch (node.op) {
      case Op::negate: return {-a.high, -a.low};
      case Op::abs:
        if (a.low >= 0.0) return a;
        if (a.high <= 0.0) return {-a.high, -a.low};
        return {0.0, std::max(-a.low, a.high)};
      case Op::add: return sane(a.low + b.low, a.high + b.high);
      case Op::subtract: return sane(a.low - b.high, a.high - b.low);
      case Op::multiply: return product(a, b);
      case Op::divide: return b.low > 0.0 || b.high < 0.0 ? product(a, {1.0 / b.high, 1.0 / b.low}) : Range{};
      case Op::min: return {std::min(a.low, b.low), std::min(a.high, b.high)};
      case Op::max: return {std::max(a.low, b.low), std::max(a.high, b.high)};
      case Op::mod: return b.low > 0.0 ? Range{0.0, b.high} : Range{};
      case Op::less: return less(a, b, false);
      case Op::less_equal: return less(a, b, true);
      case Op::greater: return less(b, a, false);
      case Op::greater_equal: return less(b, a, true);
      case Op::equal: return a.high < b.low || b.high < a.low ? kNever : kOpen;
      case Op::not_equal: return a.high < b.low || b.high < a.low ? kAlways : kOpen;
      case Op::logical_and: return {std::min(a.low, b.low), std::min(a.high, b.high)};
      case Op::logical_or: return {std::max(a.low, b.low), std::max(a.high, b.high)};
      case Op::logical_not: return {1.0 - a.high, 1.0 - a.low};
      default: return {};
    }
  }

  [[nodiscard]] Range live(Live quantity) const {
    switch (quantity) {
      case Live::voltage: return voltage();
      case Live::current: return current();
      case Live::power:
        if (step_.kind == StepKind::rest || step_.kind == StepKind::chamber) return {0.0, 0.0};
        return step_.sign > 0 ? Range{0.0, kInfinity} : step_.sign < 0 ? Range{-kInfinity, 0.0} : Range{};
      case Live::cycle: return {1.0, kInfinity};
      case Live::time:
      case Live::test_time:
      case Live::charge_capacity:
      case Live::discharge_capacity:
      case Live::charge_energy:
      case Live::discharge_energy: return {0.0, kInfinity};
      case Live::step_capacity:
      case Live::step_energy:
        if (step_.kind == StepKind::rest || step_.kind == StepKind::chamber) return {0.0, 0.0};
        return {0.0, kInfinity};
      case Live::nominal_capacity:
        return std::isnan(compiler_.binding.nominal_capacity_C)
                   ? Range{0.0, kInfinity}
                   : Range{compiler_.binding.nominal_capacity_C, compiler_.binding.nominal_capacity_C};
      default: return {};
    }
  }

  [[nodiscard]] Range voltage() const {
    Range range{0.0, kInfinity};
    if (compiler_.launch != nullptr && step_.sign > 0) range.high = compiler_.program->envelope.voltage_max_V;
    if (compiler_.launch != nullptr && step_.sign < 0) range.low = compiler_.program->envelope.voltage_min_V;
    const auto level = compiler_.value(step_.voltage);
    if (level && step_.sign > 0) range.high = std::min(range.high, *level);
    if (level && step_.sign < 0) range.low = std::max(range.low, *level);
    return range;
  }

  [[nodiscard]] Range current() const {
    if (step_.kind == StepKind::rest || step_.kind == StepKind::chamber) return {0.0, 0.0};
    const double most = compiler_.value(step_.current).value_or(kInfinity);
    if (step_.kind == StepKind::voltage) return {-most, most};
    if (step_.sign > 0) return {0.0, most};
    if (step_.sign < 0) return {-most, 0.0};
    return {};
  }

  const Compiler& compiler_;
  const StepSyntax& step_;
  const Expression& expression_;
};

// "quantity OP constant", the shape of most conditions; also with the sides swapped, and abs(quantity).
struct Atom {
  Live live = Live::voltage;
  bool magnitude = false;
  bool upwards = false;  // fires when the quantity is high
  double bound = 0.0;
};

std::optional<Atom> atom_at(const Compiler& compiler, const Expression& expression, int index) {
  const ExpressionNode& node = expression.at(index);
  if (node.kind != ExpressionNode::Kind::operation) return std::nullopt;
  const bool greater = node.op == Op::greater || node.op == Op::greater_equal;
  if (!greater && node.op != Op::less && node.op != Op::less_equal) return std::nullopt;
  const auto right = constant_value(expression, node.right, compiler.binding);
  const auto left = constant_value(expression, node.left, compiler.binding);
  if (bool(right) == bool(left)) return std::nullopt;
  const ExpressionNode* quantity = &expression.at(right ? node.left : node.right);
  Atom atom;
  atom.bound = right ? *right : *left;
  atom.upwards = right ? greater : !greater;
  if (quantity->kind == ExpressionNode::Kind::operation && quantity->op == Op::abs) {
    atom.magnitude = true;
    quantity = &expression.at(quantity->left);
  }
  if (quantity->kind != ExpressionNode::Kind::live) return std::nullopt;
  atom.live = quantity->live;
  return atom;
}

// `time >= something` that only a launch can tell: without one it is believed.
bool unknown_time_bound(const Compiler& compiler, const Expression& when, int index) {
  const ExpressionNode& node = when.at(index);
  if (compiler.launch != nullptr || node.kind != ExpressionNode::Kind::operation || node.right < 0) return false;
  const auto of_time = [&](int side) {
    const ExpressionNode& quantity = when.at(side);
    return quantity.kind == ExpressionNode::Kind::live &&
           (quantity.live == Live::time || quantity.live == Live::test_time);
  };
  return ((node.op == Op::greater || node.op == Op::greater_equal) && of_time(node.left)) ||
         ((node.op == Op::less || node.op == Op::less_equal) && of_time(node.right));
}

double time_bound_of(const Compiler& compiler, const Expression& when, int index) {
  const ExpressionNode& node = when.at(index);
  if (node.kind == ExpressionNode::Kind::operation && (node.op == Op::logical_or || node.op == Op::logical_and)) {
    const double left = time_bound_of(compiler, when, node.left);
    const double right = time_bound_of(compiler, when, node.right);
    return node.op == Op::logical_or ? std::min(left, right) : std::max(left, right);
  }
  const auto atom = atom_at(compiler, when, index);
  if (!atom && unknown_time_bound(compiler, when, index)) return 0.0;
  const bool of_time = atom && atom->upwards && (atom->live == Live::time || atom->live == Live::test_time);
  return of_time ? std::max(0.0, atom->bound) : kInfinity;
}

class ConditionCheck {
 public:
  ConditionCheck(Compiler& compiler, std::size_t index)
      : compiler_(compiler), step_(*compiler.syntax[index]), dead_(compiler.condition_dead[index]) {}

  void run() {
    for (std::size_t i = 0; i < step_.until.size(); ++i) judge(i);
    shadowed();
    if (!step_.broken) ends();
  }

 private:
  void judge(std::size_t i) {
    const ConditionSyntax& condition = step_.until[i];
    if (!condition.when.ok()) return;
    const Range range = step_.kind == StepKind::repeat_begin ? constant_only(condition.when)
                                                             : Ranges(compiler_, step_, condition.when).of_root();
    if (range.high == 0.0) {
      dead_[i] = 1;
      never(condition);
    } else if (range.low == 1.0) {
      always(condition);
    } else {
      at_level(condition);
    }
  }

  Range constant_only(const Expression& when) const {
    const auto value = compiler_.value(when);
    return value ? Range{*value, *value} : kOpen;
  }

  void never(const ConditionSyntax& condition) {
    std::string help = "remove it, or correct the bound";
    const auto atom = atom_at(compiler_, condition.when, condition.when.root);
    if (atom && atom->live == Live::current && !atom->magnitude && step_.sign < 0) {
      help = "current is negative while discharging; write abs(current)";
    } else if (atom && atom->live == Live::voltage && step_.voltage.given) {
      help = fmt::format("the step holds the voltage at {}", step_.voltage.text);
    } else if (atom && atom->live == Live::voltage && compiler_.launch != nullptr) {
      const Envelope& e = compiler_.program->envelope;
      help = fmt::format(
          "the output is clamped at {}",
          text::format_quantity(step_.sign > 0 ? e.voltage_max_V : e.voltage_min_V, text::dimension::kVoltage));
    }
    // A guard that fails the test if the impossible happens is good practice, not a mistake.
    if (condition.then == Then::fail) return;
    compiler_.diagnostics.error(code::kNeverFires, condition.when.where,
                                fmt::format("'{}' can never become true in {}", condition.when.text, step_label(step_)),
                                help);
  }

  void always(const ConditionSyntax& condition) {
    ends_at_once_ = true;
    const auto atom = atom_at(compiler_, condition.when, condition.when.root);
    const bool signed_current = atom && atom->live == Live::current && !atom->magnitude && step_.sign < 0;
    auto& finding = compiler_.diagnostics.error(
        code::kAlwaysTrue, condition.when.where,
        fmt::format("'{}' is always true in {}: it would end at its first sample", condition.when.text,
                    step_label(step_)),
        signed_current ? "current is negative while discharging; write abs(current)" : "correct the bound");
    finding.label = "always true";
  }

  // A limit exactly at the level that the step regulates: noise decides.
  void at_level(const ConditionSyntax& condition) {
    const auto atom = atom_at(compiler_, condition.when, condition.when.root);
    const auto level = compiler_.value(step_.voltage);
    if (!atom || atom->live != Live::voltage || !level || atom->bound != *level || step_.sign == 0) return;
    if (atom->upwards != (step_.sign > 0)) return;
    compiler_.diagnostics.warning(
        code::kAtControlLevel, condition.when.where,
        fmt::format("{} regulates to exactly this voltage; noise decides when '{}' fires", step_label(step_),
                    condition.when.text),
        "end the step by its current, or leave voltage out of it for a constant current up to the limit");
  }

  // Of two limits on one quantity in one direction, the farther one never gets its turn.
  void shadowed() {
    for (std::size_t i = 0; i < step_.until.size(); ++i) {
      const auto later = plain_atom(i);
      if (!later) continue;
      for (std::size_t k = 0; k < step_.until.size(); ++k) {
        const auto other = plain_atom(k);
        if (k == i || !other || other->live != later->live || other->magnitude != later->magnitude ||
            other->upwards != later->upwards) {
          continue;
        }
        const bool farther = later->upwards ? later->bound > other->bound : later->bound < other->bound;
        if (!farther && !(later->bound == other->bound && i > k)) continue;
        compiler_.diagnostics.warning(code::kShadowed, step_.until[i].when.where,
                                      fmt::format("'{}' never gets its turn: '{}' ends the step first",
                                                  step_.until[i].when.text, step_.until[k].when.text),
                                      "remove one of them");
        break;
      }
    }
  }

  std::optional<Atom> plain_atom(std::size_t i) const {
    const ConditionSyntax& condition = step_.until[i];
    if (!condition.when.ok() || condition.dwell.given || dead_[i] != 0) return std::nullopt;
    return atom_at(compiler_, condition.when, condition.when.root);
  }

  void ends() {
    if (ends_by_itself(step_.kind) || step_.kind == StepKind::repeat_begin) {
      if (step_.kind == StepKind::chamber && step_.soak_for.given && !has_time_guard()) {
        compiler_.diagnostics.warning(
            code::kNoTimeGuard, step_.where,
            fmt::format("{} has no time guard: a chamber that never settles holds the test for ever",
                        step_label(step_)),
            "add until = { when = \"time >= 3 h\", then = \"fail\", reason = \"no soak\" }");
      }
      return;
    }
    const bool any = std::any_of(step_.until.begin(), step_.until.end(), [](const auto& c) { return c.when.given; });
    if (!any) {
      compiler_.diagnostics.error(code::kNoEnd, step_.where, fmt::format("{} has no end", step_label(step_)),
                                  "add until = \"time >= 1 h\" or another limit");
      return;
    }
    const bool all_dead = std::all_of(dead_.begin(), dead_.end(), [](char dead) { return dead != 0; });
    if (!all_dead && !ends_at_once_ && !has_time_guard()) time_guard();
  }

  [[nodiscard]] bool has_time_guard() const {
    return std::any_of(step_.until.begin(), step_.until.end(), [&](const ConditionSyntax& c) {
      return !c.when.ok() || std::isfinite(time_bound_s(compiler_, c.when));
    });
  }

  void time_guard() {
    std::string worst = "for ever";
    const double most_C = compiler_.program->safety.capacity.max;
    const auto current = compiler_.value(step_.current);
    if (current && *current > 0.0 && most_C > 0.0) {
      worst = fmt::format("until [safety] capacity trips, after {} at the full current; for ever if the current falls",
                          text::format_quantity(most_C / *current, text::dimension::kTime, 3));
    }
    compiler_.diagnostics.warning(
        code::kNoTimeGuard, step_.where,
        fmt::format("{} has no time guard; if its limits are missed it runs {}", step_label(step_), worst),
        "add { when = \"time >= 4 h\", then = \"fail\" } to until");
  }

  Compiler& compiler_;
  const StepSyntax& step_;
  std::vector<char>& dead_;
  bool ends_at_once_ = false;
};

}  // namespace

double time_bound_s(const Compiler& compiler, const Expression& when) {
  return when.ok() ? time_bound_of(compiler, when, when.root) : kInfinity;
}

void check_conditions(Compiler& compiler) {
  for (std::size_t i = 0; i < compiler.syntax.size(); ++i) {
    if (compiler.syntax[i] == nullptr) continue;
    compiler.enter(i);
    ConditionCheck(compiler, i).run();
  }
}

}  // namespace cyclerd::profiles
