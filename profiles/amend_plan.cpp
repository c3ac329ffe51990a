#include "profiles/amend_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "profiles/codes.hpp"
#include "profiles/executor.hpp"
#include "profiles/step_text.hpp"
#include "profiles/syntax.hpp"
#include "protocols/text/quantity.hpp"

namespace cyclerd::profiles {
namespace {

std::uint64_t print_of(const Program& program) {
  const auto state = std::make_unique<ExecutorState>();
  start(program, *state);
  return state->program_print;
}

bool same_number(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

class Planner {
 public:
  Planner(const Program& from, const ExecutorState& state, const Program& to, text::SourcePtr source,
          text::Diagnostics& diagnostics)
      : from_(from), state_(state), to_(to), source_(std::move(source)), diagnostics_(diagnostics) {}

  std::optional<Amendment> run() {
    limits();
    if (reached()) {
      names();
      results();
    }
    if (diagnostics_.has_errors()) return std::nullopt;
    plan_.from_print = state_.program_print;
    plan_.to_print = print_of(to_);
    plan_.step_index = state_.step_index;
    plan_.step_count = state_.step_count;
    return plan_;
  }

 private:
  // In the new profile's text. Steps of a shipped procedure stand in another file: their call is shown.
  [[nodiscard]] text::Span place(std::uint32_t index) const {
    std::uint32_t shown = index;
    for (std::uint32_t at = to_.steps[index].parent; at != kNoStep; at = to_.steps[at].parent) {
      if (to_.text(to_.steps[at].type) == "CALL") shown = at;
    }
    return {source_, std::max(1U, to_.steps[shown].line), 1, 1};
  }

  void limit(const char* name, text::Dimension dimension, double before, double after) {
    if (same_number(before, after)) return;
    const auto words = [&](double value) {
      return std::isnan(value) ? std::string("none") : text::format_quantity(value, dimension);
    };
    diagnostics_.error(
        code::kAmendLimits, {source_, 0, 0, 0},
        fmt::format("the test runs with {} = {}, the new profile has {}", name, words(before), words(after)),
        "limits stay as they were proved at the start: write [safety] and [cell] as in the running "
        "profile, or stop the test and start another");
  }
  void bound(const std::string& name, text::Dimension dimension, const SafetyBound& before, const SafetyBound& after) {
    limit((name + " min").c_str(), dimension, before.min, after.min);
    limit((name + " max").c_str(), dimension, before.max, after.max);
    limit((name + " for").c_str(), text::dimension::kTime, before.dwell.seconds(), after.dwell.seconds());
  }
  void limits() {
    const SafetyLimits& a = from_.safety;
    const SafetyLimits& b = to_.safety;
    bound("[safety] voltage", text::dimension::kVoltage, a.voltage, b.voltage);
    bound("[safety] current", text::dimension::kCurrent, a.current, b.current);
    bound("[safety] power", text::dimension::kPower, a.power, b.power);
    bound("[safety] temperature", text::dimension::kTemperature, a.temperature, b.temperature);
    bound("[safety] chamber", text::dimension::kTemperature, a.chamber, b.chamber);
    bound("[safety] capacity", text::dimension::kCapacity, a.capacity, b.capacity);
    limit("[safety] sensor_loss", text::dimension::kTime, a.sensor_loss.seconds(), b.sensor_loss.seconds());
    const Envelope& e = from_.envelope;
    const Envelope& f = to_.envelope;
    limit("the voltage clamp (max)", text::dimension::kVoltage, e.voltage_max_V, f.voltage_max_V);
    limit("the voltage clamp (min)", text::dimension::kVoltage, e.voltage_min_V, f.voltage_min_V);
    limit("the current clamp (max)", text::dimension::kCurrent, e.current_max_A, f.current_max_A);
    limit("the current clamp (min)", text::dimension::kCurrent, e.current_min_A, f.current_min_A);
    limit("the power clamp (max)", text::dimension::kPower, e.power_max_W, f.power_max_W);
    limit("the power clamp (min)", text::dimension::kPower, e.power_min_W, f.power_min_W);
    limit("the nominal capacity", text::dimension::kCapacity, from_.nominal_capacity_C, to_.nominal_capacity_C);
    limit("the state of charge at the start", text::dimension::kNone, from_.initial_soc, to_.initial_soc);
    limit("the scan period", text::dimension::kTime, from_.scan.seconds(), to_.scan.seconds());
  }

  // Which open block begins here, counted from outside; -1: none.
  [[nodiscard]] int open_block(std::uint32_t index) const {
    for (std::uint32_t depth = 0; depth < state_.depth; ++depth) {
      if (state_.blocks[depth].begin == index) return static_cast<int>(depth);
    }
    return -1;
  }

  // Of the block that is open, what is looked at anew when a pass is over.
  static void drop(std::vector<StepPart>& parts, std::initializer_list<const char*> keys) {
    std::erase_if(parts, [&](const StepPart& part) {
      return std::any_of(keys.begin(), keys.end(), [&](const char* key) { return part.key == key; });
    });
  }

  [[nodiscard]] static std::string count_of(const Program& program, std::uint32_t index) {
    return expression_text(program, program.steps[index].count);
  }

  // The part of the test that has been reached is the same in both programs.
  bool reached() {
    const std::uint32_t running = state_.step_index;
    for (std::uint32_t i = 0; i <= running; ++i) {
      if (i >= to_.steps.size()) {
        tell_reached(i, kNoStep, {});
        return false;
      }
      std::vector<StepPart> before = step_parts(from_, i);
      std::vector<StepPart> after = step_parts(to_, i);
      const int block = open_block(i);
      if (block >= 0) {
        if (count_of(from_, i) != count_of(to_, i)) plan_.recount |= std::uint64_t{1} << block;
        drop(before, {"count", "until"});
        drop(after, {"count", "until"});
      }
      const bool same_place = from_.steps[i].parent == to_.steps[i].parent && from_.steps[i].kind == to_.steps[i].kind;
      if (!same_place || !part_differences(before, after).empty()) {
        tell_reached(i, i, part_differences(before, after));
        return false;
      }
    }
    return true;
  }

  void tell_reached(std::uint32_t before, std::uint32_t after, const std::vector<std::string>& what) {
    const bool running = before == state_.step_index;
    const std::string state = running ? "is running" : "has been reached already";
    if (after == kNoStep || !same_name(before, after)) {
      diagnostics_.error(code::kAmendReached, after == kNoStep ? text::Span{source_, 0, 0, 0} : place(after),
                         fmt::format("{} {}, but the new profile has {} in its place", step_words(from_, before), state,
                                     after == kNoStep ? "nothing" : step_words(to_, after)),
                         "leave the steps up to the running one as they are; new steps go behind it");
      return;
    }
    auto& finding = diagnostics_.error(
        code::kAmendReached, place(after),
        fmt::format("{} {}: it stays as it is ({})", step_words(from_, before), state,
                    what.empty() ? "it stands in another block" : fmt::format("{}", fmt::join(what, "; "))),
        running ? "amend what comes behind it; `cyclerctl skip` ends the running step"
                : "in a repeat that runs, let it end after this pass (a smaller count) and write the new steps behind");
    finding.label = running ? "running" : "reached";
  }

  [[nodiscard]] bool same_name(std::uint32_t before, std::uint32_t after) const {
    return from_.text(from_.steps[before].name) == to_.text(to_.steps[after].name);
  }

  static std::uint16_t find(const std::vector<std::string>& names, const std::vector<std::string>& wanted_in,
                            std::size_t wanted, std::size_t count) {
    if (wanted_in.empty() || names.empty()) {
      return wanted < count ? static_cast<std::uint16_t>(wanted) : Amendment::kNone;  // without names: by number
    }
    const auto found = std::find(names.begin(), names.end(), wanted_in[wanted]);
    return found == names.end() ? Amendment::kNone : static_cast<std::uint16_t>(found - names.begin());
  }

  void names() {
    for (std::size_t i = 0; i < to_.initial_variables.size(); ++i)
      plan_.variable_from[i] = find(from_.variable_names, to_.variable_names, i, from_.initial_variables.size());
    for (std::size_t i = 0; i < to_.mark_count; ++i)
      plan_.mark_from[i] = find(from_.mark_names, to_.mark_names, i, from_.mark_count);
  }

  // The step or block of the new program whose end fills the slot.
  [[nodiscard]] std::uint32_t owner(const Program& program, std::uint32_t slot) const {
    for (std::uint32_t i = 0; i < program.steps.size(); ++i) {
      const Step& step = program.steps[i];
      for (std::uint32_t k = step.first_store; k < step.first_store + step.store_count; ++k) {
        if (program.stores[k].slot == slot) return i;
      }
    }
    return kNoStep;
  }

  // Whether the old program may have completed this step of its own before now.
  [[nodiscard]] bool may_have_ended(std::uint32_t index) const {
    if (index == kNoStep) return false;
    if (index < state_.step_index && open_block(index) < 0) return true;
    for (std::uint32_t depth = 0; depth < state_.depth; ++depth) {
      const OpenBlock& block = state_.blocks[depth];
      if (block.pass > 1 && index > block.begin && index < from_.steps[block.begin].peer) return true;
    }
    for (std::uint32_t i = index; i < from_.steps.size(); ++i) {
      const Step& step = from_.steps[i];
      for (std::uint32_t k = step.first_condition; k < step.first_condition + step.condition_count; ++k) {
        const Condition& c = from_.conditions[k];
        if (c.then == Then::go_to && c.target <= state_.step_index && i >= state_.step_index) return true;
      }
    }
    return false;
  }

  [[nodiscard]] bool may_have_ended_by_name(const std::string& name) const {
    for (std::uint32_t i = state_.step_index + 1; i < from_.steps.size(); ++i) {
      if (from_.text(from_.steps[i].name) == name && may_have_ended(i)) return true;
    }
    return false;
  }

  void results() {
    for (std::uint32_t slot = 0; slot < to_.result_slots; ++slot) plan_.results[slot] = result(slot);
  }

  Amendment::Result result(std::uint32_t slot) {
    if (to_.result_names.empty() || (from_.result_names.empty() && from_.result_slots > 0)) {  // without names
      const bool there = slot < from_.result_slots;
      const auto same = static_cast<std::uint16_t>(slot);
      return there ? Amendment::Result{same, same, 0} : Amendment::Result{};
    }
    const KeptResult& wanted = to_.result_names[slot];
    std::uint16_t counted = Amendment::kNone;
    for (std::uint16_t i = 0; i < from_.result_names.size(); ++i) {
      const KeptResult& kept = from_.result_names[i];
      if (kept.step != wanted.step) continue;
      if (kept.quantity == wanted.quantity && kept.pick == wanted.pick && kept.nth == wanted.nth) return {i, i, 0};
      if (state_.result_counts[i] < kCompletionsUnknown) counted = i;
    }
    if (counted != Amendment::kNone) return derived(slot, wanted, counted);
    const std::uint32_t step = owner(to_, slot);
    const bool reached = step <= state_.step_index;
    if (!(reached ? may_have_ended(step) : may_have_ended_by_name(wanted.step))) return {};
    if (step == state_.step_index && wanted.pick == ResultPick::last)
      return {Amendment::kNone, Amendment::kNone, kCompletionsUnknown};  // its end gives it a value
    unknown(slot);
    return {};
  }

  // From another result of the same step, whose completions are known.
  Amendment::Result derived(std::uint32_t slot, const KeptResult& wanted, std::uint16_t counted) {
    const std::uint32_t count = state_.result_counts[counted];
    const std::uint32_t which = wanted.pick == ResultPick::last    ? count
                                : wanted.pick == ResultPick::first ? 1
                                                                   : wanted.nth;
    if (count == 0 || which > count) return {Amendment::kNone, counted, 0};
    for (std::uint16_t i = 0; i < from_.result_names.size(); ++i) {
      const KeptResult& kept = from_.result_names[i];
      if (kept.step != wanted.step || kept.quantity != wanted.quantity || state_.result_counts[i] != count) continue;
      const std::uint32_t holds = kept.pick == ResultPick::last ? count : kept.pick == ResultPick::first ? 1 : kept.nth;
      if (holds == which) return {i, counted, 0};
    }
    if (owner(to_, slot) == state_.step_index && wanted.pick == ResultPick::last) return {Amendment::kNone, counted, 0};
    unknown(slot);
    return {};
  }

  void unknown(std::uint32_t slot) {
    const auto reads = [&](ExpressionRef e) {
      for (std::uint32_t i = e.first; i < e.first + e.count; ++i) {
        if (to_.code[i].op == Op::result && to_.code[i].index == slot) return true;
      }
      return false;
    };
    std::uint32_t reader = 0;
    for (std::uint32_t i = 0; i < to_.steps.size() && reader == 0; ++i) {
      const Step& s = to_.steps[i];
      bool found = false;
      for (const ExpressionRef e :
           {s.when, s.current, s.voltage, s.power, s.resistance, s.count, s.chamber, s.chamber_ramp, s.soak_within,
            s.scale, s.ramp_from, s.ramp_to, s.ramp_rate, s.ramp_over, s.value})
        found = found || reads(e);
      for (std::uint32_t k = s.first_condition; k < s.first_condition + s.condition_count; ++k)
        found = found || reads(to_.conditions[k].when);
      for (std::uint32_t k = s.first_pulse; k < s.first_pulse + s.pulse_count; ++k)
        found = found || reads(to_.pulses[k].value);
      if (found) reader = i;
    }
    const std::string& step = to_.result_names[slot].step;
    diagnostics_.error(code::kAmendResult, place(reader),
                       fmt::format("{} is not known: '{}' has passed, and the running profile did not keep it",
                                   result_text(to_, slot), step),
                       fmt::format("amend while '{}' runs, or run the step again behind the running one under a name "
                                   "of its own",
                                   step));
  }

  const Program& from_;
  const ExecutorState& state_;
  const Program& to_;
  text::SourcePtr source_;
  text::Diagnostics& diagnostics_;
  Amendment plan_{};
};

}  // namespace

std::optional<Amendment> plan_amendment(const Program& from, const ExecutorState& state, const Program& to,
                                        const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  return Planner(from, state, to, source, diagnostics).run();
}

bool amend_state(const Program& from, ExecutorState& state, const Program& to, const base::Sample& last,
                 const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  if (!can_amend(state)) {
    diagnostics.error(code::kAmendPlace, {source, 0, 0, 0}, "the test is between two steps, or over",
                      "try again in a moment");
    return false;
  }
  const auto plan = plan_amendment(from, state, to, source, diagnostics);
  if (!plan) return false;
  amend(*plan, to, last, state);
  return true;
}

std::map<std::string, std::string> amended_parameters(const std::map<std::string, std::string>& of_the_test,
                                                      const std::map<std::string, std::string>& typed,
                                                      const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  std::map<std::string, std::string> all = typed;
  text::Diagnostics ignored;  // the compiler says it all again
  const auto profile = parse_profile(source, ignored);
  for (const auto& [name, value] : of_the_test) {
    if (!profile || profile->names.parameters.contains(name)) {
      all.emplace(name, value);
    } else if (!typed.contains(name)) {
      diagnostics.warning(
          code::kAmendParameter, {source, 0, 0, 0},
          fmt::format("the test was started with {} = {}, which the new profile does not have", name, value),
          "nothing, if its steps need it no more");
    }
  }
  return all;
}

}  // namespace cyclerd::profiles
