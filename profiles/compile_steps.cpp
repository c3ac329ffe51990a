// From the tree of steps to the flat program.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "profiles/codes.hpp"
#include "profiles/compile_parts.hpp"

namespace cyclerd::profiles {
namespace {

constexpr double kSecondsPerHour = 3600.0;

const char* type_word(const StepSyntax& step) {
  const bool charge = step.sign > 0;
  switch (step.kind) {
    case StepKind::rest: return "REST";
    case StepKind::current:
      if (step.voltage.given) return charge ? "CCCV_CHG" : "CCCV_DCH";
      return charge ? "CC_CHG" : "CC_DCH";
    case StepKind::power:
      if (step.voltage.given) return charge ? "CPCV_CHG" : "CPCV_DCH";
      return charge ? "CP_CHG" : "CP_DCH";
    case StepKind::resistance: return step.voltage.given ? "CRCV_DCH" : "CR_DCH";
    case StepKind::voltage: return "CV";
    case StepKind::follow: return "FOLLOW";
    case StepKind::chamber: return "CHAMBER";
    case StepKind::repeat_begin: return "LOOP";
    case StepKind::repeat_end: return "LOOP_END";
    case StepKind::advance_cycle: return "CYCLE";
    case StepKind::operator_pause: return "OPERATOR";
    case StepKind::end: return "END";
    default: return "STEP";
  }
}

base::Duration duration_of(double seconds) {
  return {static_cast<std::int64_t>(std::llround(seconds * 1e6))};
}

class Flattener {
 public:
  explicit Flattener(Compiler& compiler) : compiler_(compiler), program_(*compiler.program) {}

  void run() {
    program_.strings = {""};
    program_.records.push_back(record_rule(compiler_.profile.record, default_rule()));
    block(compiler_.profile.steps, kNoStep);
    Step end;
    end.kind = StepKind::end;
    end.type = compiler_.intern("END");
    end.name = compiler_.intern("end");
    end.parent = kNoStep;
    push(end, nullptr);
    resolve_gotos();
  }

 private:
  std::uint32_t push(const Step& step, const StepSyntax* syntax) {
    program_.steps.push_back(step);
    compiler_.syntax.push_back(syntax);
    compiler_.condition_dead.emplace_back(step.condition_count, char{0});
    return static_cast<std::uint32_t>(program_.steps.size()) - 1;
  }

  static RecordRule default_rule() {
    RecordRule rule;
    rule.every = base::seconds(1);
    return rule;
  }

  double constant_or(const Expression& expression, double otherwise, const char* what) {
    if (!expression.ok()) return otherwise;
    const double value = compiler_.value(expression).value_or(otherwise);
    if (value < 0.0 || !std::isfinite(value)) {
      compiler_.diagnostics.error(code::kMagnitude, expression.where, fmt::format("{} cannot be negative", what));
      return otherwise;
    }
    return value;
  }

  RecordRule record_rule(const RecordSyntax& syntax, RecordRule rule) {
    rule.every = duration_of(constant_or(syntax.every, rule.every.seconds(), "every"));
    rule.voltage_V = constant_or(syntax.voltage, rule.voltage_V, "a voltage change");
    double current_A = constant_or(syntax.current, rule.current_A, "a current change");
    if (syntax.current.ok() && syntax.current.top().type == type::kNumber) {
      current_A *= compiler_.binding.nominal_capacity_C / kSecondsPerHour;  // a share of the 1C current
    }
    rule.current_A = std::isnan(current_A) ? 0.0 : current_A;
    rule.temperature_K = constant_or(syntax.temperature, rule.temperature_K, "a temperature change");
    rule.pretrigger = duration_of(constant_or(syntax.pretrigger, rule.pretrigger.seconds(), "pretrigger"));
    if (rule.pretrigger > base::seconds(60)) {
      compiler_.diagnostics.error(code::kMagnitude, syntax.pretrigger.where, "pretrigger is above 60 s",
                                  "rows from before a fault are kept in memory; 2 s is usual");
      rule.pretrigger = base::seconds(60);
    }
    return rule;
  }

  ExpressionRef code(const Expression& expression) { return emit(expression, compiler_.binding, program_.code); }

  void conditions(const std::vector<ConditionSyntax>& list, Step& step, bool of_block) {
    step.first_condition = static_cast<std::uint32_t>(program_.conditions.size());
    for (const ConditionSyntax& syntax : list) {
      Condition condition;
      condition.when = code(syntax.when);
      if (!condition.when.present()) condition.when = always_false();
      condition.then = of_block && syntax.then == Then::break_block ? Then::next : syntax.then;
      condition.dwell = duration_of(constant_or(syntax.dwell, 0.0, "a dwell"));
      condition.text = compiler_.intern(syntax.when.text);
      condition.reason = compiler_.intern(syntax.reason);
      if (syntax.then == Then::break_block && !of_block && step.parent == kNoStep) {
        compiler_.diagnostics.error(code::kBreak, syntax.target_where, "break stands outside of any repeat",
                                    "write end to finish the test, or next");
      }
      program_.conditions.push_back(condition);
    }
    step.condition_count = static_cast<std::uint32_t>(list.size());
  }

  // A condition with findings still has its place, so that numbers of conditions agree.
  ExpressionRef always_false() {
    Instruction zero;
    program_.code.push_back(zero);
    return {static_cast<std::uint32_t>(program_.code.size()) - 1, 1};
  }

  void register_name(const StepSyntax& syntax, std::uint32_t index) {
    if (syntax.name.empty()) return;
    const auto [known, added] = names_.emplace(syntax.name, index);
    if (added) return;
    auto& finding = compiler_.diagnostics.error(code::kDuplicateName, syntax.name_where,
                                                fmt::format("there are two steps named '{}'", syntax.name),
                                                "names are for goto and for the record; give each step its own");
    finding.related = compiler_.syntax[known->second]->name_where;
    finding.related_label = "the first one";
  }

  Step make(const StepSyntax& syntax, std::uint32_t parent) {
    Step step;
    step.kind = syntax.kind;
    step.sign = static_cast<std::int8_t>(syntax.sign);
    step.parent = parent;
    step.line = syntax.where.line;
    step.name = compiler_.intern(syntax.name.empty() ? syntax.word : syntax.name);
    step.type = compiler_.intern(type_word(syntax));
    step.when = code(syntax.when);
    step.current = code(syntax.current);
    step.voltage = code(syntax.voltage);
    step.power = code(syntax.power);
    step.resistance = code(syntax.resistance);
    step.count = code(syntax.count);
    step.chamber = code(syntax.temperature);
    step.chamber_ramp = code(syntax.chamber_ramp);
    step.soak_within = code(syntax.soak_within);
    step.soak_for = duration_of(constant_or(syntax.soak_for, 0.0, "a soak"));
    step.scale = code(syntax.scale);
    step.message = compiler_.intern(syntax.message);
    const bool follows_level = syntax.kind == StepKind::current || syntax.kind == StepKind::power;
    step.software_cv =
        follows_level && syntax.voltage.given && compiler_.launch != nullptr && compiler_.launch->cycler.native_cv == 0;
    if (syntax.record.given) {
      program_.records.push_back(record_rule(syntax.record, program_.records[0]));
      step.record = static_cast<std::uint32_t>(program_.records.size()) - 1;
    }
    if (syntax.kind == StepKind::follow) {
      const std::uint32_t waveform = compile_waveform(compiler_, syntax);
      step.waveform = waveform == kNoStep ? 0 : waveform;
    }
    conditions(syntax.until, step, syntax.kind == StepKind::repeat_begin);
    return step;
  }

  void block(const std::vector<StepSyntax>& steps, std::uint32_t parent) {
    for (const StepSyntax& syntax : steps) {
      const std::uint32_t index = push(make(syntax, parent), &syntax);
      register_name(syntax, index);
      if (syntax.kind != StepKind::repeat_begin || syntax.word != "repeat") continue;
      block(syntax.steps, index);
      Step end;
      end.kind = StepKind::repeat_end;
      end.parent = parent;
      end.peer = index;
      end.line = syntax.where.line;
      end.name = program_.steps[index].name;
      end.type = compiler_.intern("LOOP_END");
      const std::uint32_t last = push(end, nullptr);
      program_.steps[index].peer = last;
    }
  }

  bool encloses(std::uint32_t block, std::uint32_t step) const {
    for (std::uint32_t at = program_.steps[step].parent;; at = program_.steps[at].parent) {
      if (at == block) return true;
      if (at == kNoStep) return false;
    }
  }

  void resolve_goto(std::uint32_t index, const ConditionSyntax& syntax, Condition& condition) {
    const auto found = names_.find(syntax.target);
    if (found == names_.end()) {
      std::vector<std::string> known;
      for (const auto& [name, unused] : names_) known.push_back(name);
      const std::string near = text::nearest(syntax.target, known);
      compiler_.diagnostics.error(
          code::kGoto, syntax.target_where, fmt::format("there is no step named '{}'", syntax.target),
          near.empty() ? "give the step a name = \"...\"" : fmt::format("did you mean {}?", near));
      condition.then = Then::next;
      return;
    }
    condition.target = found->second;
    // The conditions of a block act where the block stands, not inside it.
    if (encloses(program_.steps[condition.target].parent, index)) return;
    auto& finding =
        compiler_.diagnostics.error(code::kGotoIntoLoop, syntax.target_where,
                                    fmt::format("'{}' stands inside a repeat; goto cannot jump into it", syntax.target),
                                    "jump to the repeat itself, or move the step out");
    finding.related = compiler_.syntax[condition.target]->name_where;
    finding.related_label = "the step";
    condition.then = Then::next;
  }

  void resolve_gotos() {
    for (std::uint32_t index = 0; index < program_.steps.size(); ++index) {
      const StepSyntax* syntax = compiler_.syntax[index];
      if (syntax == nullptr) continue;
      for (std::size_t i = 0; i < syntax->until.size(); ++i) {
        if (syntax->until[i].then != Then::go_to) continue;
        resolve_goto(index, syntax->until[i], program_.conditions[program_.steps[index].first_condition + i]);
      }
    }
  }

  Compiler& compiler_;
  Program& program_;
  std::map<std::string, std::uint32_t> names_;
};

}  // namespace

std::uint32_t Compiler::intern(const std::string& text) {
  if (text.empty()) return 0;
  const auto [known, added] = strings.emplace(text, static_cast<std::uint32_t>(program->strings.size()));
  if (added) program->strings.push_back(text);
  return known->second;
}

std::string step_label(const StepSyntax& step) {
  return step.name.empty() ? fmt::format("the {} of line {}", step.word.empty() ? "step" : step.word, step.where.line)
                           : fmt::format("step '{}'", step.name);
}

void compile_steps(Compiler& compiler) {
  Flattener(compiler).run();
}

}  // namespace cyclerd::profiles
