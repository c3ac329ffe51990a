#include "profiles/step_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "profiles/expression.hpp"

namespace cyclerd::profiles {
namespace {

// In the order of Live.
constexpr std::array kLive{"voltage",
                           "current",
                           "power",
                           "temperature",
                           "chamber_temperature",
                           "time",
                           "test_time",
                           "cycle",
                           "step_capacity",
                           "step_energy",
                           "charge_capacity",
                           "discharge_capacity",
                           "charge_energy",
                           "discharge_energy",
                           "soc",
                           "nominal_capacity",
                           "measured_capacity",
                           "charge_capacity",
                           "discharge_capacity",
                           "charge_energy",
                           "discharge_energy"};
static_assert(kLive.size() == static_cast<std::size_t>(Live::pass_discharge_energy) + 1);
// In the order of ResultOf.
constexpr std::array kResults{
    "charge_capacity", "discharge_capacity", "charge_energy",   "discharge_energy", "capacity",
    "energy",          "duration",           "cv_duration",     "start_voltage",    "end_voltage",
    "end_current",     "min_temperature",    "max_temperature", "mean_temperature", "resistance"};
static_assert(kResults.size() == static_cast<std::size_t>(ResultOf::resistance) + 1);

std::string number(double value) {
  return fmt::format("{}", value + 0.0);  // -0 is 0
}

std::string name_in(const std::vector<std::string>& names, std::uint32_t index) {
  return index < names.size() ? names[index] : fmt::format("#{}", index);
}

const char* symbol(Op op) {
  switch (op) {
    case Op::add: return "+";
    case Op::subtract: return "-";
    case Op::multiply: return "*";
    case Op::divide: return "/";
    case Op::less: return "<";
    case Op::less_equal: return "<=";
    case Op::greater: return ">";
    case Op::greater_equal: return ">=";
    case Op::equal: return "==";
    case Op::not_equal: return "!=";
    case Op::logical_and: return "and";
    case Op::logical_or: return "or";
    default: return nullptr;
  }
}

struct Term {
  std::string text;
  bool single = true;  // needs no parentheses
  [[nodiscard]] std::string inner() const { return single ? text : "(" + text + ")"; }
};

Term combined(Op op, const Term& a, const Term& b) {
  if (const char* sign = symbol(op)) return {fmt::format("{} {} {}", a.inner(), sign, b.inner()), false};
  const char* function = op == Op::min ? "min" : op == Op::max ? "max" : "mod";
  return {fmt::format("{}({}, {})", function, a.text, b.text)};
}

// What an instruction pushes that takes nothing.
Term pushed(const Program& program, const Instruction& code, const Step* step) {
  const auto window = [&](const char* function) {
    if (step == nullptr || code.index >= step->window_count) return fmt::format("{}(#{})", function, code.index);
    const Window& w = program.windows[step->first_window + code.index];
    return fmt::format("{}({}, {})", function, kLive.at(static_cast<std::size_t>(w.quantity)),
                       number(w.length.seconds()));
  };
  switch (code.op) {
    case Op::constant: return {number(code.value)};
    case Op::load: return {std::string(kLive.at(code.arg)) + (code.arg >= kLive.size() - 4 ? " of the pass" : "")};
    case Op::variable: return {name_in(program.variable_names, code.arg)};
    case Op::result: return {result_text(program, code.index)};
    case Op::mark: return {fmt::format("{}.{}", name_in(program.mark_names, code.index), kResults.at(code.arg))};
    case Op::rate: return {window("rate")};
    default: return {window("avg")};
  }
}

std::string text_of(const Program& program, ExpressionRef expression, const Step* step) {
  std::vector<Term> stack;
  const auto pop = [&stack] {
    Term top = stack.empty() ? Term{"?"} : std::move(stack.back());
    if (!stack.empty()) stack.pop_back();
    return top;
  };
  for (std::uint32_t i = expression.first; i < expression.first + expression.count; ++i) {
    const Instruction& code = program.code[i];
    if (code.op < Op::negate) {
      stack.push_back(pushed(program, code, step));
    } else if (code.op == Op::negate) {
      stack.push_back({"-" + pop().inner(), false});
    } else if (code.op == Op::logical_not) {
      stack.push_back({"not " + pop().inner(), false});
    } else if (code.op == Op::abs) {
      stack.push_back({"abs(" + pop().text + ")"});
    } else {
      const Term b = pop();
      stack.push_back(combined(code.op, pop(), b));
    }
  }
  return stack.empty() ? "" : stack.back().text;
}

std::string then_text(const Program& program, const Condition& condition) {
  switch (condition.then) {
    case Then::next: return "next";
    case Then::go_to: return fmt::format("goto {}", program.text(program.steps[condition.target].name));
    case Then::end: return "end";
    case Then::pause: return "pause";
    case Then::fail: return "fail";
    case Then::break_block: return "break";
  }
  return "next";
}

std::string condition_text(const Program& program, const Condition& condition, const Step& step) {
  std::string text = text_of(program, condition.when, &step);
  if (condition.then != Then::next) text += ", then " + then_text(program, condition);
  if (condition.dwell.us != 0) text += fmt::format(", for {} s", number(condition.dwell.seconds()));
  if (condition.reason != 0) text += fmt::format(", \"{}\"", program.text(condition.reason));
  return text;
}

std::string record_text(const RecordRule& rule) {
  std::string text;
  const auto add = [&text](const char* key, double value) {
    if (value > 0.0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", key, number(value));
  };
  add("every", rule.every.seconds());
  add("voltage", rule.voltage_V);
  add("current", rule.current_A);
  add("temperature", rule.temperature_K);
  add("power", rule.power_W);
  add("capacity", rule.capacity_C);
  add("energy", rule.energy_J);
  add("pretrigger", rule.pretrigger.seconds());
  return text;
}

const char* quantity_word(WaveformQuantity quantity) {
  switch (quantity) {
    case WaveformQuantity::current: return "current";
    case WaveformQuantity::c_rate: return "c_rate";
    case WaveformQuantity::power: return "power";
    case WaveformQuantity::voltage: return "voltage";
  }
  return "current";
}

// All points, folded to a number: FNV-1a.
std::string waveform_text(const Waveform& waveform) {
  std::uint64_t hash = 14695981039346656037ULL;
  const auto mix = [&hash](const void* data, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      hash = (hash ^ static_cast<const unsigned char*>(data)[i]) * 1099511628211ULL;
  };
  mix(waveform.time_us.data(), waveform.time_us.size() * sizeof(std::int64_t));
  mix(waveform.value.data(), waveform.value.size() * sizeof(double));
  return fmt::format("{}, {} points of {}, {}, {:016x}", waveform.name, waveform.value.size(),
                     quantity_word(waveform.quantity), waveform.resample == Resample::hold ? "hold" : "linear", hash);
}

class Parts {
 public:
  Parts(const Program& program, const Step& step) : program_(program), step_(step) {}

  void add(const char* key, std::string text) {
    if (!text.empty()) parts_.push_back({key, std::move(text)});
  }
  void value(const char* key, ExpressionRef expression) { add(key, text_of(program_, expression, &step_)); }
  std::vector<StepPart> take() { return std::move(parts_); }

 private:
  const Program& program_;
  const Step& step_;
  std::vector<StepPart> parts_;
};

void add_shape(const Program& program, const Step& step, Parts& parts) {
  if (step.kind == StepKind::ramp) parts.add("quantity", quantity_word(step.ramp_quantity));
  parts.value("from", step.ramp_from);
  parts.value("to", step.ramp_to);
  parts.value("rate", step.ramp_rate);
  parts.value("over", step.ramp_over);
  if (step.kind == StepKind::impedance) parts.add("method", step.method == ResistanceMethod::end ? "end" : "sqrt");
  for (std::uint32_t i = step.first_pulse; i < step.first_pulse + step.pulse_count; ++i) {
    const PulsePart& pulse = program.pulses[i];
    parts.add("pulse", fmt::format("{} {} for {} s", quantity_word(pulse.quantity),
                                   text_of(program, pulse.value, &step), number(pulse.time.seconds())));
  }
  if (step.kind == StepKind::follow) parts.add("waveform", waveform_text(program.waveforms[step.waveform]));
  parts.value("scale", step.scale);
  parts.value("soak within", step.soak_within);
  if (step.soak_for.us != 0) parts.add("soak for", number(step.soak_for.seconds()) + " s");
}

void add_set(const Program& program, const Step& step, Parts& parts) {
  switch (step.set_target) {
    case SetTarget::variable: parts.add("set", name_in(program.variable_names, step.variable)); break;
    case SetTarget::mark: parts.add("mark", name_in(program.mark_names, step.variable)); break;
    case SetTarget::measured_capacity: parts.add("set", "measured_capacity"); break;
  }
  parts.value("value", step.value);
}

}  // namespace

std::string expression_text(const Program& program, ExpressionRef expression) {
  return text_of(program, expression, nullptr);
}

std::string result_text(const Program& program, std::uint32_t slot) {
  if (slot >= program.result_names.size()) return fmt::format("result #{}", slot);
  const KeptResult& name = program.result_names[slot];
  const std::string pick = name.pick == ResultPick::first  ? "first"
                           : name.pick == ResultPick::last ? "last"
                                                           : fmt::to_string(name.nth);
  return fmt::format("{}.{}[{}]", name.step, kResults.at(static_cast<std::size_t>(name.quantity)), pick);
}

std::vector<std::string> part_differences(const std::vector<StepPart>& before, const std::vector<StepPart>& after) {
  std::vector<StepPart> gone;
  std::vector<StepPart> come = after;
  for (const StepPart& part : before) {
    const auto same = std::find_if(come.begin(), come.end(), [&](const StepPart& other) {
      return other.key == part.key && other.text == part.text;
    });
    if (same == come.end()) {
      gone.push_back(part);
    } else {
      come.erase(same);
    }
  }
  std::vector<std::string> out;
  for (const StepPart& part : gone) {
    const auto new_one =
        std::find_if(come.begin(), come.end(), [&](const StepPart& other) { return other.key == part.key; });
    if (new_one == come.end()) {
      out.push_back(fmt::format("without {}: {}", part.key, part.text));
    } else {
      out.push_back(fmt::format("{}: {} -> {}", part.key, part.text, new_one->text));
      come.erase(new_one);
    }
  }
  for (const StepPart& part : come) out.push_back(fmt::format("with {}: {}", part.key, part.text));
  if (out.empty() && !std::equal(before.begin(), before.end(), after.begin(), after.end(),
                                 [](const StepPart& a, const StepPart& b) { return a.text == b.text; })) {
    out.emplace_back("the order of its conditions or parts");
  }
  return out;
}

std::vector<StepPart> step_parts(const Program& program, std::uint32_t index) {
  const Step& step = program.steps[index];
  Parts parts(program, step);
  parts.add("name", std::string(program.text(step.name)));
  parts.add("type", fmt::format("{}{}{}", program.text(step.type),
                                step.sign > 0   ? " +"
                                : step.sign < 0 ? " -"
                                                : "",
                                step.software_cv != 0 ? ", software CV" : ""));
  parts.value("when", step.when);
  parts.value("current", step.current);
  parts.value("voltage", step.voltage);
  parts.value("power", step.power);
  parts.value("resistance", step.resistance);
  parts.value("count", step.count);
  parts.value("temperature", step.chamber);
  parts.value("chamber ramp", step.chamber_ramp);
  add_shape(program, step, parts);
  if (step.kind == StepKind::set) add_set(program, step, parts);
  parts.add("message", std::string(program.text(step.message)));
  for (std::uint32_t i = step.first_condition; i < step.first_condition + step.condition_count; ++i)
    parts.add("until", condition_text(program, program.conditions[i], step));
  const bool lasts = step.kind != StepKind::repeat_begin && step.kind != StepKind::repeat_end &&
                     step.kind != StepKind::set && step.kind != StepKind::advance_cycle && step.kind != StepKind::end;
  if (lasts) parts.add("record", record_text(program.records[step.record]));
  return parts.take();
}

std::string step_words(const Program& program, std::uint32_t index) {
  const Step& step = program.steps[index];
  return fmt::format("'{}' ({}, line {})", program.text(step.name), program.text(step.type), step.line);
}

}  // namespace cyclerd::profiles
