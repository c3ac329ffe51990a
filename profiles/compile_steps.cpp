// From the tree of steps to the flat program.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "profiles/codes.hpp"
#include "profiles/compile_parts.hpp"
#include "profiles/executor_state.hpp"
#include "profiles/parse_parts.hpp"
#include "protocols/base/check.hpp"

namespace cyclerd::profiles {
namespace {

constexpr std::size_t kMaxCode = 1'000'000;  // instructions of a program

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
    case StepKind::ramp: return "RAMP";
    case StepKind::pulse: return "PULSE";
    case StepKind::impedance: return "DCIR";
    case StepKind::follow: return "FOLLOW";
    case StepKind::chamber: return "CHAMBER";
    case StepKind::repeat_begin: return step.word == "call" ? "CALL" : "LOOP";
    case StepKind::repeat_end: return "LOOP_END";
    case StepKind::advance_cycle: return "CYCLE";
    case StepKind::operator_pause: return "OPERATOR";
    case StepKind::end: return "END";
    default: return "STEP";
  }
}

class Flattener {
 public:
  explicit Flattener(Compiler& compiler) : compiler_(compiler), program_(*compiler.program) {}

  void run() {
    program_.strings = {""};
    program_.records.push_back(record_rule(compiler_, compiler_.profile.record, default_rule()));
    use(compiler_.binding);
    const Binding top = compiler_.binding;
    block(compiler_.profile.steps, kNoStep, 0);
    use(top);
    Step end;
    end.kind = StepKind::end;
    end.type = compiler_.intern("END");
    end.name = compiler_.intern("end");
    end.parent = kNoStep;
    push(end, nullptr);
    resolve_gotos();
    place_results(compiler_);
    for (std::size_t i = 0; i < program_.steps.size(); ++i) ENSURE(compiler_.origins[i].binding != nullptr, "no names");
    use(top);
  }

 private:
  // Names and C-rates mean this from now on.
  void use(const Binding& binding) {
    compiler_.bindings.push_back(binding);
    compiler_.binding = binding;
  }

  std::uint32_t push(const Step& step, const StepSyntax* syntax, const Expression* value = nullptr) {
    program_.steps.push_back(step);
    compiler_.syntax.push_back(syntax);
    compiler_.origins.push_back({syntax, &compiler_.bindings.back(), value, calls_.empty() ? nullptr : calls_.back()});
    compiler_.condition_dead.emplace_back(step.condition_count, char{0});
    return static_cast<std::uint32_t>(program_.steps.size()) - 1;
  }

  static RecordRule default_rule() {
    RecordRule rule;
    rule.every = base::seconds(1);
    return rule;
  }

  ExpressionRef code(const Expression& expression) { return compile_expression(compiler_, expression); }

  void conditions(const std::vector<ConditionSyntax>& list, Step& step, bool of_block) {
    step.first_condition = static_cast<std::uint32_t>(program_.conditions.size());
    for (const ConditionSyntax& syntax : list) {
      Condition condition;
      condition.when = of_block ? code(syntax.when) : emit(syntax.when, compiler_.binding, program_.code);
      if (of_block) see_closed_cycle(condition.when);
      if (!condition.when.present()) condition.when = always_false(program_);  // so that numbers of conditions agree
      condition.then = of_block && syntax.then == Then::break_block ? Then::next : syntax.then;
      condition.dwell = duration_of(constant_or(compiler_, syntax.dwell, 0.0, "a dwell"));
      condition.text = compiler_.intern(syntax.when.text);
      condition.reason = compiler_.intern(syntax.reason);
      const bool outside = step.parent == kNoStep || compiler_.syntax[step.parent]->word != "repeat";
      if (syntax.then == Then::break_block && !of_block && outside) {
        compiler_.diagnostics.error(code::kBreak, syntax.target_where, "break stands outside of any repeat",
                                    "write end to finish the test, or next");
      }
      program_.conditions.push_back(condition);
    }
    step.condition_count = static_cast<std::uint32_t>(list.size());
    if (!list.empty()) windows(list.front().when.where, step);
  }

  void windows(const text::Span& where, Step& step) {
    const auto list = compiler_.references.take_windows();
    step.first_window = static_cast<std::uint32_t>(program_.windows.size());
    step.window_count = static_cast<std::uint32_t>(list.size());
    if (list.size() > kMaxWindows) {
      compiler_.diagnostics.error(
          code::kTooManyNames, where,
          fmt::format("the step looks back over {} windows; {} are possible", list.size(), kMaxWindows),
          "use the same quantity and time in several conditions");
    }
    const double scan_s = compiler_.launch != nullptr ? compiler_.launch->scan.seconds() : 0.0;
    for (const auto& [quantity, length_s] : list) {
      if (!(length_s >= 2.0 * scan_s && length_s > 0.0 && length_s <= 86'400.0) &&
          (compiler_.launch != nullptr || std::isfinite(length_s))) {
        compiler_.diagnostics.error(code::kMagnitude, where,
                                    "rate() and avg() look back over a constant time from two scan periods to 24 h",
                                    "60 s is usual: rate(voltage, 60 s)");
      }
      program_.windows.push_back({quantity, duration_of(std::isfinite(length_s) ? length_s : 1.0)});
    }
  }

  // The `until` of a repeat looks at the cycle that the pass ended with.
  void see_closed_cycle(ExpressionRef e) {
    for (std::uint32_t i = e.first; i < e.first + e.count; ++i) {
      Instruction& c = program_.code[i];
      const auto live = static_cast<Live>(c.arg);
      if (c.op != Op::load || live < Live::charge_capacity || live > Live::discharge_energy) continue;
      c.arg = static_cast<std::uint8_t>(c.arg + static_cast<int>(Live::pass_charge_capacity) -
                                        static_cast<int>(Live::charge_capacity));
    }
  }

  void register_name(const StepSyntax& syntax, std::uint32_t index) {
    if (syntax.name.empty()) return;
    const auto [known, added] = compiler_.step_names.emplace(compiler_.binding.prefix + syntax.name, index);
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
    step.name = compiler_.intern(shown_prefix_ + (syntax.name.empty() ? syntax.word : syntax.name));
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
    step.soak_for = duration_of(constant_or(compiler_, syntax.soak_for, 0.0, "a soak"));
    step.scale = code(syntax.scale);
    step.message = compiler_.intern(syntax.message);
    compile_shape(compiler_, syntax, step);
    step.software_cv = follows_level(syntax) && compiler_.launch != nullptr && compiler_.launch->cycler.native_cv == 0;
    const bool full_rate = syntax.kind == StepKind::pulse || syntax.kind == StepKind::impedance;
    if (syntax.record.given || full_rate) {
      RecordRule base = program_.records[0];
      if (full_rate) base.every = base::microseconds(1);  // every scan
      program_.records.push_back(record_rule(compiler_, syntax.record, base));
      step.record = static_cast<std::uint32_t>(program_.records.size()) - 1;
    }
    if (syntax.kind == StepKind::follow) {
      const std::uint32_t waveform = compile_waveform(compiler_, syntax);
      step.waveform = waveform == kNoStep ? 0 : waveform;
    }
    conditions(syntax.until, step, syntax.kind == StepKind::repeat_begin);
    return step;
  }

  void block(const std::vector<StepSyntax>& steps, std::uint32_t parent, std::uint32_t depth) {
    for (const StepSyntax& syntax : steps) {
      if (full(syntax)) return;
      const Binding outside = compiler_.binding;
      if (syntax.capacity != CapacityBase::inherit) {
        Binding inside = outside;
        inside.measured = syntax.capacity == CapacityBase::measured;
        use(inside);
      }
      if (syntax.kind == StepKind::set) {
        assignments(syntax, parent);
      } else if (syntax.kind == StepKind::repeat_begin) {
        nested(syntax, parent, depth);
      } else {
        register_name(syntax, push(make(syntax, parent), &syntax));
      }
      if (syntax.capacity != CapacityBase::inherit) use(outside);
    }
  }

  // Calls can multiply steps, and what is computed in them, without end; said once.
  bool full(const StepSyntax& syntax) {
    const bool many = program_.steps.size() >= 2 * kMaxSteps;
    if (!many && program_.code.size() < kMaxCode) return false;
    const text::Span& where = calls_.empty() ? syntax.where : *calls_.front();
    if (!full_ && many) {
      compiler_.diagnostics.error(
          code::kTooManySteps, where,
          fmt::format("with its calls written out the profile has more than {} steps", 2 * kMaxSteps), "use repeat");
    } else if (!full_) {
      compiler_.diagnostics.error(
          code::kExpressionSize, where,
          fmt::format("with its calls written out the expressions of the profile have more than {} parts", kMaxCode),
          "use repeat, or shorter conditions in the procedures");
    }
    full_ = true;
    return true;
  }

  void nested(const StepSyntax& syntax, std::uint32_t parent, std::uint32_t depth) {
    if (depth >= kMaxNesting) {
      compiler_.diagnostics.error(code::kNesting, syntax.where,
                                  fmt::format("repeats and calls nest deeper than {}", kMaxNesting),
                                  "flatten the loops");
      return;
    }
    Step begin = make(syntax, parent);
    if (syntax.word == "call") begin.count = constant(1.0);
    const std::uint32_t index = push(begin, &syntax);
    register_name(syntax, index);
    if (syntax.word == "call") {
      call(syntax, index, depth);
    } else if (syntax.word == "repeat") {
      block(syntax.steps, index, depth + 1);
    }
    Step end;
    end.kind = StepKind::repeat_end;
    end.parent = parent;
    end.peer = index;
    end.line = syntax.where.line;
    end.name = program_.steps[index].name;
    end.type = compiler_.intern(syntax.word == "call" ? "CALL_END" : "LOOP_END");
    const std::uint32_t last = push(end, nullptr);
    program_.steps[index].peer = last;
  }

  // The steps of a procedure in place of the call: a block that is passed once.
  void call(const StepSyntax& syntax, std::uint32_t index, std::uint32_t depth) {
    const ProcedureSyntax* procedure = find_procedure(compiler_, syntax);
    if (procedure == nullptr) return;
    if (std::find(open_.begin(), open_.end(), procedure) != open_.end()) {
      std::string circle;
      for (const ProcedureSyntax* p : open_) circle += p->name + " -> ";
      compiler_.diagnostics.error(
          code::kRecursion, syntax.procedure_where,
          fmt::format("the procedures call each other in a circle: {}{}", circle, procedure->name),
          "use repeat to do something again");
      return;
    }
    const Binding outside = compiler_.binding;
    const std::string outside_shown = shown_prefix_;
    // Without a name of its own the call has a number: its steps cannot be named from outside.
    const std::string own = syntax.name.empty() ? fmt::format("#{}", ++unnamed_calls_) : syntax.name;
    std::vector<LateArgument> late;
    Binding inside = bind_call(compiler_, outside, syntax, *procedure, outside.prefix + own + ".", late);
    for (const LateArgument& argument : late)
      push(setting(argument.variable, *argument.value, index), nullptr, argument.value);
    shown_prefix_ += (syntax.name.empty() ? procedure->name : syntax.name) + ".";
    use(inside);
    open_.push_back(procedure);
    calls_.push_back(&syntax.where);
    block(procedure->steps, index, depth + 1);
    calls_.pop_back();
    open_.pop_back();
    shown_prefix_ = outside_shown;
    use(outside);
  }

  ExpressionRef constant(double value) {
    program_.code.push_back({Op::constant, 0, 0, 0, value});
    return {static_cast<std::uint32_t>(program_.code.size()) - 1, 1};
  }

  Step setting(std::uint32_t variable, const Expression& value, std::uint32_t parent) {
    Step step;
    step.kind = StepKind::set;
    step.parent = parent;
    step.line = value.where.line;
    step.name = step.type = compiler_.intern("SET");
    step.variable = variable;
    step.value = code(value);
    return step;
  }

  // One `set` is one flat step for each of its names; none of them may depend on another.
  void assignments(const StepSyntax& syntax, std::uint32_t parent) {
    const StepSyntax* said = &syntax;
    const auto place = [&](Step step, const Expression* value) {
      step.when = code(syntax.when);
      step.line = syntax.where.line;
      if (!syntax.name.empty()) step.name = compiler_.intern(shown_prefix_ + syntax.name);
      const std::uint32_t index = push(step, said, value);
      if (said != nullptr) register_name(syntax, index);
      said = nullptr;
    };
    check_independent(compiler_, syntax);
    for (const AssignmentSyntax& assignment : syntax.assignments) {
      const bool measured = assignment.name == "measured_capacity";
      const std::uint32_t variable =
          measured ? 0 : compiler_.references.variable(compiler_.binding.prefix + assignment.name);
      Step step = setting(variable, assignment.value, parent);
      if (!step.value.present()) step.value = always_false(program_);
      if (measured) step.set_target = SetTarget::measured_capacity;
      place(step, &assignment.value);
    }
    if (syntax.mark.empty()) return;
    Step step;
    step.kind = StepKind::set;
    step.parent = parent;
    step.name = compiler_.intern(shown_prefix_ + syntax.mark);
    step.type = compiler_.intern("MARK");
    step.set_target = SetTarget::mark;
    step.variable = compiler_.references.mark(compiler_.binding.prefix + syntax.mark);
    place(step, nullptr);
  }

  bool encloses(std::uint32_t block, std::uint32_t step) const {
    for (std::uint32_t at = program_.steps[step].parent;; at = program_.steps[at].parent) {
      if (at == block) return true;
      if (at == kNoStep) return false;
    }
  }

  void resolve_goto(std::uint32_t index, const ConditionSyntax& syntax, Condition& condition) {
    const std::string& prefix = compiler_.binding.prefix;
    const auto found = compiler_.step_names.find(prefix + syntax.target);
    if (found == compiler_.step_names.end()) {
      std::vector<std::string> known;
      for (const auto& [name, unused] : compiler_.step_names) {
        if (name.rfind(prefix, 0) == 0) known.push_back(name.substr(prefix.size()));
      }
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
      compiler_.enter(index);
      for (std::size_t i = 0; i < syntax->until.size(); ++i) {
        if (syntax->until[i].then != Then::go_to) continue;
        resolve_goto(index, syntax->until[i], program_.conditions[program_.steps[index].first_condition + i]);
      }
    }
  }

  Compiler& compiler_;
  Program& program_;
  std::string shown_prefix_;                  // of names inside a call, in the record
  std::vector<const ProcedureSyntax*> open_;  // the procedures that are being written out
  std::vector<const text::Span*> calls_;      // and where they were called
  std::uint32_t unnamed_calls_ = 0;
  bool full_ = false;
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
