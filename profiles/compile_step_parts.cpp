// Parts of a step that stand by themselves: record rules, shapes, and what its names refer to.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "profiles/codes.hpp"
#include "profiles/compile_parts.hpp"
#include "profiles/executor_state.hpp"

namespace cyclerd::profiles {
namespace {

constexpr double kSecondsPerHour = 3600.0;

bool reads(const Expression& expression, const std::string& name) {
  return std::any_of(expression.nodes.begin(), expression.nodes.end(), [&](const ExpressionNode& node) {
    return (node.kind == ExpressionNode::Kind::variable && node.name == name) ||
           (node.kind == ExpressionNode::Kind::live && node.live == Live::measured_capacity &&
            name == "measured_capacity");
  });
}

// Every result that an expression asks for gets its slot, and the step that fills it is told.
void place_stores(Compiler& compiler) {
  Program& program = *compiler.program;
  std::map<std::uint32_t, std::vector<ResultStore>> stores;
  for (const auto& [result, slot] : compiler.references.results()) {
    const auto found = compiler.step_names.find(result.step);
    if (found == compiler.step_names.end()) continue;  // check_existence says so
    stores[found->second].push_back({slot, result.quantity, result.pick, 0, result.nth});
  }
  for (const auto& [step, list] : stores) {
    program.steps[step].first_store = static_cast<std::uint32_t>(program.stores.size());
    program.steps[step].store_count = static_cast<std::uint32_t>(list.size());
    program.stores.insert(program.stores.end(), list.begin(), list.end());
  }
}

void number_names(Compiler& compiler) {
  Program& program = *compiler.program;
  const References& names = compiler.references;
  if (names.results().size() > kMaxResults || names.variables().size() > kMaxVariables ||
      names.marks().size() > kMaxMarks) {
    compiler.diagnostics.error(
        code::kTooManyNames, compiler.profile.where,
        fmt::format("with its calls written out the profile uses {} results, {} variables and {} marks; {}, {} and {} "
                    "are possible",
                    names.results().size(), names.variables().size(), names.marks().size(), kMaxResults, kMaxVariables,
                    kMaxMarks),
        "every call has its own; set what is needed once, outside of them");
  }
  program.result_slots = static_cast<std::uint32_t>(names.results().size());
  program.mark_count = static_cast<std::uint32_t>(names.marks().size());
  program.initial_variables.assign(names.variables().size(), base::kAbsent);
  program.variable_names.resize(names.variables().size());
  for (const auto& [name, number] : names.variables()) program.variable_names[number] = name;
  program.mark_names.resize(names.marks().size());
  for (const auto& [name, number] : names.marks()) program.mark_names[number] = name;
  program.result_names.resize(names.results().size());
  for (const auto& [r, slot] : names.results()) program.result_names[slot] = {r.step, r.quantity, r.pick, r.nth};
}

}  // namespace

base::Duration duration_of(double seconds) {
  return {static_cast<std::int64_t>(std::llround(seconds * 1e6))};
}

double constant_or(Compiler& compiler, const Expression& expression, double otherwise, const char* what) {
  if (!expression.ok()) return otherwise;
  const double value = compiler.value(expression).value_or(otherwise);
  if (value < 0.0 || !std::isfinite(value)) {
    compiler.diagnostics.error(code::kMagnitude, expression.where, fmt::format("{} cannot be negative", what));
    return otherwise;
  }
  return value;
}

RecordRule record_rule(Compiler& compiler, const RecordSyntax& syntax, RecordRule rule) {
  rule.every = duration_of(constant_or(compiler, syntax.every, rule.every.seconds(), "every"));
  rule.voltage_V = constant_or(compiler, syntax.voltage, rule.voltage_V, "a voltage change");
  double current_A = constant_or(compiler, syntax.current, rule.current_A, "a current change");
  if (syntax.current.ok() && syntax.current.top().type == type::kNumber) {
    current_A *= compiler.binding.nominal_capacity_C / kSecondsPerHour;  // a share of the 1C current
  }
  rule.current_A = std::isnan(current_A) ? 0.0 : current_A;
  rule.temperature_K = constant_or(compiler, syntax.temperature, rule.temperature_K, "a temperature change");
  rule.power_W = constant_or(compiler, syntax.power, rule.power_W, "a power change");
  rule.capacity_C = constant_or(compiler, syntax.capacity, rule.capacity_C, "a capacity");
  rule.energy_J = constant_or(compiler, syntax.energy, rule.energy_J, "an energy");
  rule.pretrigger = duration_of(constant_or(compiler, syntax.pretrigger, rule.pretrigger.seconds(), "pretrigger"));
  if (rule.pretrigger > base::seconds(60)) {
    compiler.diagnostics.error(code::kMagnitude, syntax.pretrigger.where, "pretrigger is above 60 s",
                               "rows from before a fault are kept in memory; 2 s is usual");
    rule.pretrigger = base::seconds(60);
  }
  return rule;
}

// False, for a place that must hold something.
ExpressionRef always_false(Program& program) {
  program.code.push_back(Instruction{});
  return {static_cast<std::uint32_t>(program.code.size()) - 1, 1};
}

ExpressionRef compile_expression(Compiler& compiler, const Expression& expression) {
  if (expression.ok() && looks_back(expression)) {
    compiler.diagnostics.error(code::kNotYet, expression.where,
                               "rate() and avg() look back over the step that runs: only its until can use them",
                               "write it as a condition of the step");
    return always_false(*compiler.program);
  }
  return emit(expression, compiler.binding, compiler.program->code);
}

// A voltage that somebody must hold.
bool follows_level(const StepSyntax& syntax) {
  switch (syntax.kind) {
    case StepKind::voltage: return true;
    case StepKind::ramp: return syntax.ramp_from.ok() && syntax.ramp_from.top().type == type::kVoltage;
    case StepKind::current:
    case StepKind::power: return syntax.voltage.given;
    default: return false;
  }
}

void compile_shape(Compiler& compiler, const StepSyntax& syntax, Step& step) {
  Program& program = *compiler.program;
  const auto code = [&](const Expression& e) { return compile_expression(compiler, e); };
  step.ramp_from = code(syntax.ramp_from);
  step.ramp_to = code(syntax.ramp_to);
  step.ramp_rate = code(syntax.ramp_rate);
  step.ramp_over = code(syntax.kind == StepKind::impedance ? syntax.pulse_time : syntax.ramp_over);
  step.method = syntax.method;
  if (syntax.ramp_from.ok()) {
    const Type& type = syntax.ramp_from.top().type;
    step.ramp_quantity = type == type::kVoltage ? WaveformQuantity::voltage
                         : type == type::kPower ? WaveformQuantity::power
                                                : WaveformQuantity::current;
  }
  step.first_pulse = static_cast<std::uint32_t>(program.pulses.size());
  step.pulse_count = static_cast<std::uint32_t>(syntax.pulses.size());
  for (const PulseSyntax& written : syntax.pulses) {
    PulsePart part;
    part.value = code(written.power.given ? written.power : written.current);
    part.quantity = written.power.given ? WaveformQuantity::power : WaveformQuantity::current;
    part.time = duration_of(compiler.value(written.time).value_or(0.0));
    program.pulses.push_back(part);
  }
}

void check_independent(Compiler& compiler, const StepSyntax& syntax) {
  if (syntax.assignments.size() + (syntax.mark.empty() ? 0 : 1) < 2) return;
  for (const AssignmentSyntax& assignment : syntax.assignments) {
    const auto dependent = [&](const Expression& e) {
      if (!reads(e, assignment.name)) return;
      compiler.diagnostics.error(code::kCombination, e.where,
                                 fmt::format("this uses '{}', which the same set changes", assignment.name),
                                 "give each its own [[step]] with set, in the order that is meant");
    };
    dependent(syntax.when);
    for (const AssignmentSyntax& other : syntax.assignments) {
      if (&other != &assignment) dependent(other.value);
    }
  }
}

void place_results(Compiler& compiler) {
  place_stores(compiler);
  number_names(compiler);
}

}  // namespace cyclerd::profiles
