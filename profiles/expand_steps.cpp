// The steps of an expansion: what each does, how it ends, what follows.
#include <fmt/format.h>

#include <algorithm>

#include "profiles/expand_parts.hpp"

namespace cyclerd::profiles {
namespace {

std::string with(const ExpandedValue& value, const char* before) {
  return value.given() ? before + value.text : std::string();
}

class Expander {
 public:
  explicit Expander(Compiler& compiler) : compiler_(compiler), program_(*compiler.program) {
    for (const auto& [name, number] : compiler.references.variables()) variables_[number] = name;
    for (const auto& [name, number] : compiler.references.marks()) marks_[number] = name;
  }

  std::vector<ExpandedStep> run() {
    std::vector<ExpandedStep> steps;
    steps.reserve(program_.steps.size());
    for (std::uint32_t i = 0; i < program_.steps.size(); ++i) steps.push_back(step(i));
    return steps;
  }

 private:
  [[nodiscard]] ExpandedValue value(const Expression& e) const { return expanded_value(e, compiler_.binding); }

  // Adds what the step says under `key`, and gives its words.
  ExpandedValue put(ExpandedStep& out, const char* key, const Expression& e) const {
    const ExpandedValue v = value(e);
    if (v.given()) out.values.emplace_back(key, v);
    return v;
  }

  static const char* then_word(Then then) {
    switch (then) {
      case Then::next: return "next";
      case Then::go_to: return "goto";
      case Then::end: return "end";
      case Then::pause: return "pause";
      case Then::fail: return "fail";
      case Then::break_block: return "break";
    }
    return "next";
  }

  std::vector<ExpandedCondition> conditions(std::uint32_t index, const StepSyntax& syntax) const {
    const Step& flat = program_.steps[index];
    const bool block = flat.kind == StepKind::repeat_begin;
    std::vector<ExpandedCondition> list;
    for (std::uint32_t k = 0; k < flat.condition_count; ++k) {
      const ConditionSyntax& written = syntax.until[k];
      const Condition& condition = program_.conditions[flat.first_condition + k];
      ExpandedCondition out;
      out.when = value(written.when);
      out.dwell = value(written.dwell);
      out.then = then_word(condition.then);
      out.reason = written.reason;
      out.never = compiler_.condition_dead[index][k] != 0;
      switch (condition.then) {
        case Then::next:
        case Then::pause: out.target = block ? flat.peer + 1 : index + 1; break;
        case Then::go_to: out.target = condition.target; break;
        case Then::break_block:
          if (flat.parent != kNoStep) out.target = program_.steps[flat.parent].peer + 1;
          break;
        case Then::end:
        case Then::fail: break;
      }
      list.push_back(std::move(out));
    }
    return list;
  }

  ExpandedStep step(std::uint32_t index) {
    compiler_.enter(index);
    const Step& flat = program_.steps[index];
    const StepSyntax* syntax = compiler_.syntax[index];
    ExpandedStep out;
    out.index = index;
    for (std::uint32_t at = flat.parent; at != kNoStep; at = program_.steps[at].parent) ++out.depth;
    out.line = flat.line;
    out.name = program_.text(flat.name);
    out.type = program_.text(flat.type);
    out.peer = flat.peer;
    if (flat.kind != StepKind::end) out.next = index + 1;
    if (flat.kind == StepKind::end) {
      out.does = "the test is completed";
    } else if (flat.kind == StepKind::repeat_end) {
      end_of_block(flat, out);
    } else if (flat.kind == StepKind::set) {
      set(index, out);
    } else if (syntax != nullptr) {
      describe(*syntax, out);
      out.until = conditions(index, *syntax);
    }
    if (syntax != nullptr) finish(*syntax, out);
    return out;
  }

  void end_of_block(const Step& flat, ExpandedStep& out) const {
    const Step& begin = program_.steps[flat.peer];
    out.name = program_.text(begin.name);
    out.does = out.type == "CALL_END" ? "end of the call"
               : begin.count.present()
                   ? fmt::format("end of a pass: again from {} until the last is over", flat.peer + 1)
                   : fmt::format("end of a pass: again from {}", flat.peer + 1);
  }

  // A name as it is called from outside; inside a call without a name it has no other than its own.
  static std::string shown(const std::map<std::uint32_t, std::string>& names, std::uint32_t number) {
    const auto found = names.find(number);
    if (found == names.end()) return "?";
    const std::string& name = found->second;
    return name.find('#') == std::string::npos ? name : name.substr(name.rfind('.') + 1);
  }

  void set(std::uint32_t index, ExpandedStep& out) const {
    const Step& flat = program_.steps[index];
    out.then = "at once";
    if (flat.set_target == SetTarget::mark) {
      out.does = fmt::format("mark this moment as {}", shown(marks_, flat.variable));
      return;
    }
    const std::string name =
        flat.set_target == SetTarget::measured_capacity ? "measured_capacity" : shown(variables_, flat.variable);
    if (compiler_.origins[index].value == nullptr) return;
    out.does = fmt::format("{} = {}", name, put(out, name.c_str(), *compiler_.origins[index].value).text);
  }

  // What every step may have beside its control.
  void finish(const StepSyntax& syntax, ExpandedStep& out) const {
    out.when = value(syntax.when);
    if (syntax.kind != StepKind::chamber && syntax.temperature.given) {
      out.does += fmt::format("; the chamber is sent to {}", put(out, "temperature", syntax.temperature).text);
    }
    const bool passes_time =
        syntax.kind != StepKind::set && syntax.kind != StepKind::advance_cycle && syntax.kind != StepKind::repeat_begin;
    if (!passes_time) return;
    const bool full_rate = syntax.kind == StepKind::pulse || syntax.kind == StepKind::impedance;
    out.own_record = syntax.record.given || full_rate;
    Binding nominal = compiler_.binding;
    nominal.measured = false;
    out.record = record_values(compiler_, syntax.record.given ? &syntax.record : nullptr, full_rate, nominal);
  }

  void describe(const StepSyntax& s, ExpandedStep& out) const {
    switch (s.kind) {
      case StepKind::rest: out.does = "output open"; break;
      case StepKind::current:
      case StepKind::power:
      case StepKind::resistance: constant_control(s, out); break;
      case StepKind::voltage: {
        const auto voltage = put(out, "voltage", s.voltage);
        out.does = fmt::format("hold {}{}", voltage.text, with(put(out, "current", s.current), ", with at most "));
        break;
      }
      case StepKind::ramp: ramp(s, out); break;
      case StepKind::pulse: pulse(s, out); break;
      case StepKind::follow: follow(s, out); break;
      case StepKind::impedance: impedance(s, out); break;
      case StepKind::chamber: chamber(s, out); break;
      case StepKind::repeat_begin: block(s, out); break;
      case StepKind::advance_cycle:
        out.does = "the next cycle begins";
        out.then = "at once";
        break;
      case StepKind::operator_pause:
        out.does = "output open, waits for the operator";
        if (!s.message.empty()) out.does += fmt::format(": \"{}\"", s.message);
        out.then = "when the operator resumes";
        break;
      default: out.does = s.word; break;
    }
  }

  void constant_control(const StepSyntax& s, ExpandedStep& out) const {
    const char* word = s.sign > 0 ? "charge" : "discharge";
    const auto current = put(out, "current", s.current);
    const auto power = put(out, "power", s.power);
    const auto resistance = put(out, "resistance", s.resistance);
    out.does =
        fmt::format("{}{}{}{}", word, with(current, " with "), with(power, " with "), with(resistance, " through "));
    const auto voltage = put(out, "voltage", s.voltage);
    if (!voltage.given()) return;
    out.does += fmt::format(" {} {}, then hold it", s.sign > 0 ? "up to" : "down to", voltage.text);
    if (program_.steps[out.index].software_cv != 0) out.does += " by software, once a scan";
  }

  void ramp(const StepSyntax& s, ExpandedStep& out) const {
    const auto from = put(out, "from", s.ramp_from);
    const auto to = put(out, "to", s.ramp_to);
    const auto rate = put(out, "rate", s.ramp_rate);
    const auto over = put(out, "over", s.ramp_over);
    out.does = fmt::format("ramp from {} to {}{}{}{}", from.text, to.text, with(rate, " at "), with(over, " in "),
                           with(put(out, "current", s.current), ", with at most "));
    out.then = "when the end of the ramp is reached";
  }

  void pulse(const StepSyntax& s, ExpandedStep& out) const {
    std::string parts;
    for (std::size_t k = 0; k < s.pulses.size(); ++k) {
      const PulseSyntax& p = s.pulses[k];
      const auto level = put(out, fmt::format("pulses[{}].{}", k, p.power.given ? "power" : "current").c_str(),
                             p.power.given ? p.power : p.current);
      const auto time = put(out, fmt::format("pulses[{}].time", k).c_str(), p.time);
      parts += fmt::format("{}{} for {}", k == 0 ? "" : ", ", level.text, time.text);
    }
    const auto count = put(out, "count", s.count);
    out.does = fmt::format("pulses{}: {}", count.given() ? fmt::format(", {} times", count.text) : "", parts);
    out.then = "after the last pulse";
  }

  void follow(const StepSyntax& s, ExpandedStep& out) const {
    out.waveform = s.waveform;
    const auto scale = put(out, "scale", s.scale);
    const auto speed = put(out, "speed", s.speed);
    const auto repeat = put(out, "repeat", s.count);
    out.does =
        fmt::format("follow {}{}{}{}, {}{}", s.waveform, with(scale, ", times "),
                    speed.given() ? fmt::format(", {} times as fast", speed.text) : "",
                    repeat.given() ? fmt::format(", {} passes", repeat.text) : "",
                    s.resample == Resample::linear ? "lines between the points" : "each point is held until the next",
                    s.clamp_to_envelope ? ", cut to what the cell and the cycler allow" : "");
    out.then = repeat.given() ? "after the last pass" : "at the end of the waveform";
  }

  void impedance(const StepSyntax& s, ExpandedStep& out) const {
    const auto current = put(out, "current", s.current);
    const auto time = put(out, "time", s.pulse_time);
    out.does = fmt::format("resistance by a pulse of {} for {}, {}", current.text, time.text,
                           s.method == ResistanceMethod::end ? "from its last voltage"
                                                             : "the voltage drawn back to its start over sqrt(time)");
    out.then = "at the end of the pulse";
  }

  void chamber(const StepSyntax& s, ExpandedStep& out) const {
    const auto temperature = put(out, "temperature", s.temperature);
    out.does =
        fmt::format("output open, chamber to {}{}", temperature.text, with(put(out, "ramp", s.chamber_ramp), " at "));
    if (!s.soak_for.given) {
      if (s.until.empty()) out.then = "at its first sample";
      return;
    }
    const auto within = put(out, "soak.within", s.soak_within);
    const auto time = put(out, "soak.for", s.soak_for);
    out.then = fmt::format("when the temperature has stayed within {} of it for {}", within.text, time.text);
  }

  void block(const StepSyntax& s, ExpandedStep& out) const {
    const std::string inside = fmt::format("{} to {}", out.index + 1, out.peer);
    if (s.word == "call") {
      call(s, out);
      return;
    }
    const auto count = put(out, "count", s.count);
    out.does = count.given() ? fmt::format("{} passes of {}", count.text, inside) : fmt::format("passes of {}", inside);
    if (count.given()) out.then = "after the last pass";
    out.next = out.peer + 1;
  }

  // Arguments, and the parameters that keep their defaults.
  void call(const StepSyntax& s, ExpandedStep& out) const {
    out.does = fmt::format("call of {}", s.procedure);
    const auto own = compiler_.profile.procedures.find(s.procedure);
    const auto shipped = compiler_.library.find(s.procedure);
    const ProcedureSyntax* procedure = own != compiler_.profile.procedures.end() ? &own->second
                                       : shipped != compiler_.library.end()      ? &shipped->second
                                                                                 : nullptr;
    const char* lead = ": ";
    const auto say = [&](const std::string& name, const Expression& value) {
      out.does += fmt::format("{}{} = {}", lead, name, put(out, name.c_str(), value).text);
      lead = ", ";
    };
    for (const AssignmentSyntax& a : s.assignments) say(a.name, a.value);
    if (procedure == nullptr) return;
    for (const auto& [name, parameter] : procedure->names.parameters) {
      const bool given = std::any_of(s.assignments.begin(), s.assignments.end(),
                                     [&name = name](const AssignmentSyntax& a) { return a.name == name; });
      if (!given) say(name, parameter.value);
    }
  }

  Compiler& compiler_;
  const Program& program_;
  std::map<std::uint32_t, std::string> variables_, marks_;
};

}  // namespace

ExpandedValues record_values(const Compiler& compiler, const RecordSyntax* own, bool full_rate,
                             const Binding& binding) {
  const RecordSyntax& base = compiler.profile.record;
  ExpandedValues rules;
  const auto rule = [&](const char* key, Expression RecordSyntax::*member) {
    const bool inherits = own == nullptr || !(own->*member).given;
    ExpandedValue value;
    if (!inherits) {
      value = expanded_value(own->*member, binding);
    } else if (full_rate && member == &RecordSyntax::every) {
      value = {"scan", "", base::kAbsent, ""};
    } else {
      value = expanded_value(base.*member, compiler.bindings.front());
    }
    if (!value.given() && member == &RecordSyntax::every) value = {"1 s", "", 1.0, "s"};
    if (value.value == 0.0 || !value.given()) return;  // switched off
    if (value.unit.empty() && member == &RecordSyntax::current && !std::isnan(value.value)) {
      const double one_C_A = binding.nominal_capacity_C / 3600.0;
      value.written = fmt::format("{:.6g} %", value.value * 100.0);
      if (std::isnan(one_C_A)) {
        value = {fmt::format("{} of 1 C", value.written), "", value.value, "C"};
      } else {
        value = {text::format_quantity(value.value * one_C_A, text::dimension::kCurrent), value.written,
                 value.value * one_C_A, "A"};
      }
    }
    rules.emplace_back(key, std::move(value));
  };
  rule("every", &RecordSyntax::every);
  rule("voltage", &RecordSyntax::voltage);
  rule("current", &RecordSyntax::current);
  rule("power", &RecordSyntax::power);
  rule("temperature", &RecordSyntax::temperature);
  rule("capacity", &RecordSyntax::capacity);
  rule("energy", &RecordSyntax::energy);
  rule("pretrigger", &RecordSyntax::pretrigger);
  return rules;
}

std::vector<ExpandedStep> expand_steps(Compiler& compiler) {
  return Expander(compiler).run();
}

}  // namespace cyclerd::profiles
