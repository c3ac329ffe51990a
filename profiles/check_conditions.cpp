// Which conditions can fire: every live quantity has a range in a step of a given kind, and an expression over ranges
// is always true, never true, or open.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "profiles/codes.hpp"
#include "profiles/condition_ranges.hpp"

namespace cyclerd::profiles {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

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

// What is found of one condition, told when all of its step are known.
struct Finding {
  std::size_t condition;
  const char* code;
  std::string message, help;
  bool error;
};

// What the sets give a variable, where all of them are constants.
void collect_variable_values(Compiler& compiler) {
  const Program& program = *compiler.program;
  std::vector<Range>& values = compiler.variable_values;
  constexpr double kLow = std::numeric_limits<double>::infinity();
  values.assign(compiler.references.variables().size(), Range{kLow, -kLow});
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    const Step& step = program.steps[i];
    if (step.kind != StepKind::set || step.set_target != SetTarget::variable || step.variable >= values.size())
      continue;
    compiler.enter(i);
    const Expression* value = compiler.origins[i].value;
    const auto constant = value != nullptr ? compiler.value(*value) : std::nullopt;
    Range& range = values[step.variable];
    range = constant ? Range{std::min(range.low, *constant), std::max(range.high, *constant)} : Range{};
    if (!constant) range = {-kLow, kLow};
  }
  for (Range& range : values) {
    if (range.low > range.high) range = {};  // never set: told elsewhere
  }
}

class ConditionCheck {
 public:
  ConditionCheck(Compiler& compiler, std::size_t index)
      : compiler_(compiler), index_(index), step_(*compiler.syntax[index]), dead_(compiler.condition_dead[index]) {}

  void run() {
    // With a wrong set-point what follows from it is no news.
    if (compiler_.setpoint_wrong[index_] == 0) {
      for (std::size_t i = 0; i < step_.until.size(); ++i) judge(i);
      tell();
      shadowed();
    }
    if (!step_.broken) ends();
  }

 private:
  void judge(std::size_t i) {
    const ConditionSyntax& condition = step_.until[i];
    if (!condition.when.ok()) return;
    const auto range = [&](const Reach& reach) { return condition_range(compiler_, index_, condition.when, reach); };
    const Range own = range({});
    Reach reach;
    reach.box = true;
    const bool inside_box = range(reach).high > 0.0;
    reach.latest_s = latest_s(i);
    if (own.low == 1.0) {
      always(condition);
    } else if (own.high == 0.0) {
      dead_[i] = 1;
      never(i);
    } else if (!inside_box) {
      dead_[i] = 1;
      beyond_box(i);
    } else if (std::isfinite(reach.latest_s) && range(reach).high == 0.0) {
      too_late(i, reach.latest_s);
    } else {
      at_level(condition);
    }
  }

  // When the step has ended for certain, if not by condition `except`.
  [[nodiscard]] double latest_s(std::size_t except) const {
    const bool of_time = plain_time(except);
    const double scan_s = compiler_.program->scan.seconds();
    double latest = own_length_s(*compiler_.program, index_) + 2 * scan_s;
    for (std::size_t k = 0; k < step_.until.size(); ++k) {
      if (k == except || !plain_time(k) || of_time) continue;  // two times: shadowed() names both
      const double dwell_s = compiler_.value(step_.until[k].dwell).value_or(0.0);
      latest = std::min(latest, time_bound_s(compiler_, step_.until[k].when) + dwell_s + 2 * scan_s);
    }
    return latest;
  }
  [[nodiscard]] bool plain_time(std::size_t k) const {
    const Expression& when = step_.until[k].when;
    const auto atom = when.ok() ? atom_at(compiler_, when, when.root) : std::nullopt;
    return atom && atom->live == Live::time && atom->upwards;
  }

  void find(std::size_t i, const char* finding_code, bool error, std::string message, std::string help) {
    // A guard that fails the test if the impossible happens is good practice, not a mistake.
    if (step_.until[i].then == Then::fail) return;
    found_.push_back({i, finding_code, std::move(message), std::move(help), error});
  }

  void never(std::size_t i) {
    const ConditionSyntax& condition = step_.until[i];
    std::string help = "remove it, or correct the bound";
    const auto atom = atom_at(compiler_, condition.when, condition.when.root);
    if (atom && atom->live == Live::current && !atom->magnitude && step_.sign < 0) {
      help = "current is negative while discharging; write abs(current)";
    } else if (atom && atom->live == Live::soc) {
      help = "soc is a share: write 80 %";
    } else if (atom && atom->live == Live::voltage && step_.voltage.given && step_.sign != 0) {
      help = fmt::format("the step holds the voltage at {}", step_.voltage.text);
    } else if (atom && atom->live == Live::voltage && compiler_.launch != nullptr && step_.sign != 0) {
      const Envelope& e = compiler_.program->envelope;
      help = fmt::format(
          "the output is clamped at {}",
          text::format_quantity(step_.sign > 0 ? e.voltage_max_V : e.voltage_min_V, text::dimension::kVoltage));
    }
    find(i, code::kNeverFires, true,
         fmt::format("'{}' can never become true in {}", condition.when.text, step_label(step_)), help);
  }

  void beyond_box(std::size_t i) {
    const ConditionSyntax& condition = step_.until[i];
    const auto atom = atom_at(compiler_, condition.when, condition.when.root);
    std::string limit = "a limit of [safety], the cell or the station";
    if (atom) {
      limit += fmt::format(", {},",
                           text::format_quantity(box_bound(compiler_, *atom),
                                                 condition.when.top().right < 0
                                                     ? text::dimension::kNone
                                                     : condition.when.at(condition.when.top().right).type.dimension));
    }
    find(i, code::kBeyondBox, false,
         fmt::format("'{}' cannot become true in {}: {} opens the output first", condition.when.text, step_label(step_),
                     limit),
         "put it inside of the box, or leave it to [safety]");
  }

  void too_late(std::size_t i, double latest) {
    const ConditionSyntax& condition = step_.until[i];
    const double most_A = most_current_A(compiler_, index_);
    std::string help = "give the step more time, or remove it";
    if (std::isfinite(most_A) && most_A > 0.0 && !mentions(condition.when, Live::time)) {
      help = fmt::format("at {} that time moves at most {}; give the step more time, or correct the bound",
                         text::format_quantity(most_A, text::dimension::kCurrent, 3),
                         text::format_quantity(most_A * latest, text::dimension::kCapacity, 3));
    }
    find(i, code::kShadowed, false,
         fmt::format("'{}' never gets its turn: {} ends after {} at the latest", condition.when.text, step_label(step_),
                     text::format_quantity(latest, text::dimension::kTime, 4)),
         help);
  }

  // What leaves a step nothing but failure is an error, and no reason to call the steps behind it unreachable.
  void tell() {
    bool passable = ends_by_itself(step_.kind) || step_.count.given || ends_at_once_;
    for (std::size_t i = 0; i < step_.until.size(); ++i) {
      const bool found = std::any_of(found_.begin(), found_.end(), [i](const Finding& f) { return f.condition == i; });
      passable = passable || (step_.until[i].then != Then::fail && dead_[i] == 0 && !found);
    }
    for (const Finding& f : found_) {
      const bool error = f.error || !passable;
      if (error && dead_[f.condition] != 0) dead_[f.condition] = 2;
      const text::Span& where = step_.until[f.condition].when.where;
      if (error) {
        compiler_.diagnostics.error(f.code, where, f.message, f.help);
      } else {
        compiler_.diagnostics.warning(f.code, where, f.message, f.help);
      }
    }
  }

  void always(const ConditionSyntax& condition) {
    ends_at_once_ = true;
    const auto atom = atom_at(compiler_, condition.when, condition.when.root);
    const bool signed_current = atom && atom->live == Live::current && !atom->magnitude && step_.sign < 0;
    auto& finding = compiler_.diagnostics.error(
        code::kAlwaysTrue, condition.when.where,
        fmt::format("'{}' is always true in {}: it would end {}", condition.when.text, step_label(step_),
                    step_.kind == StepKind::repeat_begin ? "after its first pass" : "at its first sample"),
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
  std::size_t index_;
  const StepSyntax& step_;
  std::vector<char>& dead_;
  std::vector<Finding> found_;
  bool ends_at_once_ = false;
};

}  // namespace

double time_bound_s(const Compiler& compiler, const Expression& when) {
  return when.ok() ? time_bound_of(compiler, when, when.root) : kInfinity;
}

void check_conditions(Compiler& compiler) {
  collect_variable_values(compiler);
  for (std::size_t i = 0; i < compiler.syntax.size(); ++i) {
    if (compiler.syntax[i] == nullptr) continue;
    compiler.enter(i);
    ConditionCheck(compiler, i).run();
  }
}

}  // namespace cyclerd::profiles
