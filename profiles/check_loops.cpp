// What brings a loop to its end: something that a pass changes, and something that counts.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "profiles/codes.hpp"
#include "profiles/condition_ranges.hpp"

namespace cyclerd::profiles {
namespace {

// What a stretch of steps changes.
struct Changes {
  std::set<std::uint32_t> variables;  // that are set
  std::set<std::uint32_t> counters;   // of them, not only to constants
  std::set<std::uint32_t> marks;
  bool measured = false, cycle = false, charge = false, discharge = false, lasts = false;
};

class Loops {
 public:
  explicit Loops(Compiler& compiler) : compiler_(compiler), program_(*compiler.program) {}

  void check() {
    for (std::uint32_t i = 0; i < program_.steps.size(); ++i) {
      const StepSyntax* syntax = compiler_.syntax[i];
      if (syntax == nullptr || syntax->broken) continue;
      if (syntax->kind == StepKind::repeat_begin && syntax->word == "repeat") repeat(i);
      jumps_back(i);
    }
  }

 private:
  // The steps [first, last].
  [[nodiscard]] Changes changes(std::uint32_t first, std::uint32_t last) {
    Changes found;
    for (std::uint32_t i = first; i <= last; ++i) {
      const Step& step = program_.steps[i];
      switch (step.kind) {
        case StepKind::advance_cycle: found.cycle = true; break;
        case StepKind::set: set(i, step, found); break;
        case StepKind::repeat_begin:
        case StepKind::repeat_end:
        case StepKind::end: break;
        case StepKind::rest:
        case StepKind::chamber:
        case StepKind::operator_pause: found.lasts = true; break;
        default:
          found.lasts = true;
          found.charge = found.charge || step.sign >= 0;
          found.discharge = found.discharge || step.sign <= 0;
      }
    }
    return found;
  }

  void set(std::uint32_t index, const Step& step, Changes& found) {
    if (step.set_target == SetTarget::mark) found.marks.insert(step.variable);
    if (step.set_target == SetTarget::measured_capacity) found.measured = true;
    if (step.set_target != SetTarget::variable) return;
    found.variables.insert(step.variable);
    compiler_.enter(index);
    const Expression* value = compiler_.origins[index].value;
    if (value == nullptr || !compiler_.value(*value)) found.counters.insert(step.variable);
  }

  [[nodiscard]] std::uint32_t variable_of(const ExpressionNode& node) const {
    const auto& names = compiler_.references.variables();
    const auto found = names.find(compiler_.binding.prefix + node.name);
    return found == names.end() ? kNoStep : found->second;
  }

  // Can the node have another value after a pass?
  [[nodiscard]] bool changed(const ExpressionNode& node, const Changes& by, std::uint32_t first,
                             std::uint32_t last) const {
    switch (node.kind) {
      case ExpressionNode::Kind::variable: return by.variables.count(variable_of(node)) != 0;
      case ExpressionNode::Kind::mark: return by.lasts || !by.marks.empty();
      case ExpressionNode::Kind::window: return true;
      case ExpressionNode::Kind::result: {
        const auto found = compiler_.step_names.find(compiler_.binding.prefix + node.name);
        return found == compiler_.step_names.end() || (found->second >= first && found->second <= last);
      }
      case ExpressionNode::Kind::live: break;
      default: return false;
    }
    switch (node.live) {
      case Live::nominal_capacity: return false;
      case Live::measured_capacity: return by.measured;
      case Live::cycle: return by.cycle;
      case Live::soc: return by.charge || by.discharge;
      case Live::charge_capacity:
      case Live::charge_energy: return by.charge || by.cycle;
      case Live::discharge_capacity:
      case Live::discharge_energy: return by.discharge || by.cycle;
      default: return by.lasts;
    }
  }

  // Does it look at something that every pass drives on?
  [[nodiscard]] bool counts(const Expression& e, const Changes& by) const {
    return std::any_of(e.nodes.begin(), e.nodes.end(), [&](const ExpressionNode& node) {
      if (node.kind == ExpressionNode::Kind::variable) return by.counters.count(variable_of(node)) != 0;
      if (node.kind == ExpressionNode::Kind::mark) return node.quantity == ResultOf::duration && by.marks.empty();
      return node.kind == ExpressionNode::Kind::live &&
             (node.live == Live::test_time || (node.live == Live::cycle && by.cycle));
    });
  }

  // A condition that leads out of [first, last]; `failing` false: fail does not count.
  template <class Accept>
  [[nodiscard]] bool leads_out(std::uint32_t first, std::uint32_t last, bool failing, Accept accept) {
    for (std::uint32_t i = first; i <= last; ++i) {
      const StepSyntax* syntax = compiler_.syntax[i];
      if (syntax == nullptr) continue;
      const Step& step = program_.steps[i];
      compiler_.enter(i);
      for (std::uint32_t k = 0; k < step.condition_count; ++k) {
        const Condition& condition = program_.conditions[step.first_condition + k];
        if (compiler_.condition_dead[i][k] != 0 || !syntax->until[k].when.ok()) continue;
        const bool out = condition.then == Then::end || (failing && condition.then == Then::fail) ||
                         (condition.then == Then::go_to && (condition.target < first || condition.target > last)) ||
                         (condition.then == Then::break_block &&
                          (step.parent == kNoStep || step.parent < first || step.parent + 1 == first));
        if (out && accept(syntax->until[k].when)) return true;
      }
    }
    return false;
  }

  void repeat(std::uint32_t begin) {
    const std::uint32_t first = begin + 1;
    const std::uint32_t last = program_.steps[begin].peer;
    const StepSyntax& syntax = *compiler_.syntax[begin];
    const Changes by = changes(first, last);
    bool told = false;
    bool counted = syntax.count.given;
    for (std::size_t k = 0; k < syntax.until.size(); ++k) {
      const Expression& when = syntax.until[k].when;
      compiler_.enter(begin);
      if (!when.ok() || compiler_.condition_dead[begin][k] != 0 ||
          condition_range(compiler_, begin, when, {}).low == 1.0) {
        told = true;
        continue;
      }
      counted = counted || counts(when, by);
      const bool changes_it = std::any_of(when.nodes.begin(), when.nodes.end(),
                                          [&](const ExpressionNode& node) { return changed(node, by, first, last); });
      if (changes_it) continue;
      told = true;
      unchanged(when, syntax, first, last);
    }
    const auto counts_them = [&](const Expression& e) { return counts(e, by); };
    const auto any = [](const Expression&) { return true; };
    // Without any way out it cannot end at all: told by the flow.
    if (told || counted || leads_out(first, last, true, counts_them)) return;
    if (syntax.until.empty() && !leads_out(first, last, true, any)) return;
    compiler_.diagnostics.warning(
        code::kUnboundedLoop, syntax.where,
        fmt::format("{} has no bound: nothing counts its passes; if its limits are missed it runs for ever",
                    step_label(syntax)),
        "add count = 1000, the most that makes sense");
  }

  void unchanged(const Expression& when, const StepSyntax& syntax, std::uint32_t first, std::uint32_t last) {
    const bool endless = !syntax.count.given && syntax.until.size() == 1 &&
                         !leads_out(first, last, false, [](const Expression&) { return true; });
    const std::string message = fmt::format("no pass of {} changes '{}'{}", step_label(syntax), when.text,
                                            endless ? ": false after the first, it stays false for ever" : "");
    const char* help = "let a step inside of the repeat change what it looks at (set, advance_cycle), or remove it";
    if (endless) {
      compiler_.diagnostics.error(code::kUnchanged, when.where, message, help);
    } else {
      compiler_.diagnostics.warning(code::kUnchanged, when.where, message, help);
    }
  }

  // goto a step at or before this one.
  void jumps_back(std::uint32_t i) {
    const Step& step = program_.steps[i];
    const StepSyntax& syntax = *compiler_.syntax[i];
    for (std::uint32_t k = 0; k < step.condition_count; ++k) {
      const Condition& condition = program_.conditions[step.first_condition + k];
      if (condition.then != Then::go_to || condition.target > i || compiler_.condition_dead[i][k] != 0) continue;
      const Changes by = changes(condition.target, i);
      compiler_.enter(i);
      const bool bounded = counts(syntax.until[k].when, by) || (syntax.when.ok() && counts(syntax.when, by)) ||
                           leads_out(condition.target, i, true, [&](const Expression& e) { return counts(e, by); });
      // A loop that nothing at all leads out of is told by the flow.
      if (bounded || only_way(i, k)) continue;
      compiler_.diagnostics.warning(
          code::kUnboundedLoop, syntax.until[k].when.where,
          fmt::format("the jump back to '{}' has no bound: nothing counts the passes, the worst case is for ever",
                      program_.text(program_.steps[condition.target].name)),
          "count them: set = { n = \"n + 1\" } on the way, and `... and n < 10` here");
    }
  }

  [[nodiscard]] bool only_way(std::uint32_t i, std::uint32_t k) const {
    const Step& step = program_.steps[i];
    if (step.when.present() || ends_by_itself(step.kind)) return false;
    for (std::uint32_t other = 0; other < step.condition_count; ++other) {
      if (other != k && compiler_.condition_dead[i][other] != 1) return false;
    }
    return true;
  }

  Compiler& compiler_;
  const Program& program_;
};

}  // namespace

void check_loops(Compiler& compiler) {
  Loops(compiler).check();
}

}  // namespace cyclerd::profiles
