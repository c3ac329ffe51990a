// The way through the program: conditions, block ends, jumps, the end.
#include <algorithm>
#include <array>
#include <cmath>

#include "profiles/executor_scan.hpp"

namespace cyclerd::profiles::detail {

namespace {

double value_of(Scan& scan, ExpressionRef e) noexcept RT_NONBLOCKING {
  return evaluate(scan.program, e, scan.state, scan.input.sample);
}

bool any_moved(const Throughput& t) noexcept RT_NONBLOCKING {
  return t.charge_C > 0 || t.discharge_C > 0;
}

double result_of(const StepSummary& summary, const StepPlan& plan, ResultOf quantity) noexcept RT_NONBLOCKING {
  const Throughput& t = summary.throughput;
  switch (quantity) {
    case ResultOf::charge_capacity: return t.charge_C;
    case ResultOf::discharge_capacity: return t.discharge_C;
    case ResultOf::charge_energy: return t.charge_J;
    case ResultOf::discharge_energy: return t.discharge_J;
    case ResultOf::capacity: return t.charge_C + t.discharge_C;
    case ResultOf::energy: return t.charge_J + t.discharge_J;
    case ResultOf::duration: return static_cast<double>(summary.duration_us) / 1e6;
    case ResultOf::cv_duration: return static_cast<double>(summary.cv_duration_us) / 1e6;
    case ResultOf::start_voltage: return summary.start_voltage_V;
    case ResultOf::end_voltage: return summary.end_voltage_V;
    case ResultOf::end_current: return summary.end_current_A;
    case ResultOf::min_temperature: return summary.min_temperature_degC;
    case ResultOf::max_temperature: return summary.max_temperature_degC;
    case ResultOf::mean_temperature: return summary.mean_temperature_degC;
    case ResultOf::resistance: return plan.resistance_Ohm;
  }
  return base::kAbsent;
}

void store_results(Scan& scan, const Step& step, const StepSummary& summary) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  for (std::uint32_t i = step.first_store; i < step.first_store + step.store_count; ++i) {
    const ResultStore& store = scan.program.stores[i];
    const std::uint32_t completion = ++state.result_counts[store.slot];
    const bool wanted = store.pick == ResultPick::last || (store.pick == ResultPick::first && completion == 1) ||
                        (store.pick == ResultPick::nth && completion == store.nth);
    if (wanted) state.results[store.slot] = result_of(summary, state.plan, store.quantity);
  }
}

void end_cycle(Scan& scan) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  CycleSummary& summary = state.cycle;
  summary.cycle_count = state.cycle_count;
  summary.duration_us = state.last_input_us - summary.start_test_time_us;
  summary.throughput = state.closed_cycle = state.fold.cycle.value();
  scan.output.cycles.push(summary);
  base::FixedText<206> text{"charge "};
  text.append(summary.throughput.charge_C / 3600.0).append(" Ah, discharge ");
  text.append(summary.throughput.discharge_C / 3600.0).append(" Ah");
  say(scan, base::EventKind::cycle_end, "cycle", text.view(), static_cast<double>(state.cycle_count));
  ++state.cycle_count;
  state.cycle = CycleSummary{};
  state.cycle.start_test_time_us = state.last_input_us;
  state.fold.begin_cycle();
}

// A new summary for the step at step_index, at this moment.
void begin_summary(Scan& scan, const Step& step) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  const base::Sample& sample = scan.input.sample;
  state.step = StepSummary{};
  state.step.step_count = ++state.step_count;
  state.step.step_index = state.step_index;
  state.step.cycle_count = state.cycle_count;
  state.step.start_test_time_us = state.last_input_us;
  state.step.name.append(scan.program.text(step.name));
  if (scan.valid) {
    state.step.start_voltage_V = state.step.end_voltage_V = sample.voltage_V;
    state.step.end_current_A = sample.current_A;
  }
}

void skip(Scan& scan, const Step& step) noexcept RT_NONBLOCKING {
  begin_summary(scan, step);
  StepSummary& summary = scan.state.step;
  summary.reason = EndReason::skipped;
  summary.reason_text.append("its `when` is false");
  scan.output.steps.push(summary);
  say(scan, base::EventKind::step_end, summary.name.view(), "skipped: its `when` is false");
}

void enter(Scan& scan, const Step& step) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  begin_summary(scan, step);
  state.fold.begin_step();
  state.step_entered = 1;
  state.step_inputs = 0;
  state.instant_steps = 0;
  state.step_start_us = state.last_input_us;
  state.step_paused_us = 0;
  state.holds_since_us.fill(kNever);
  state.soak_since_us = kNever;
  if (step.window_count > 0) state.windows.fill({});
  state.temperature_sum = 0.0;
  state.temperature_time_s = 0.0;
  say(scan, base::EventKind::step_start, scan.program.text(step.name), scan.program.text(step.type));
  if (const char* wrong = plan_step(scan, step)) {
    base::FixedText<78> text{"the step cannot run: "};
    text.append(wrong);
    finish(scan, RunState::failed, EndReason::failure, text.view());
  } else if (step.kind == StepKind::operator_pause) {
    say(scan, base::EventKind::message, scan.program.text(step.name), scan.program.text(step.message));
    pause(scan, "waiting for the operator");
  }
}

// Leaves the innermost block, all its passes done.
void leave_block(Scan& scan) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  const OpenBlock& block = state.blocks[--state.depth];
  const Step& begin = scan.program.steps[block.begin];
  if (begin.store_count > 0) {
    const Throughput total = state.fold.test.value();
    StepSummary summary;
    summary.throughput = {total.charge_C - block.start.charge_C, total.discharge_C - block.start.discharge_C,
                          total.charge_J - block.start.charge_J, total.discharge_J - block.start.discharge_J};
    summary.duration_us = state.last_input_us - block.start_us;
    store_results(scan, begin, summary);
  }
  state.step_index = begin.peer + 1;
}

void open_block(Scan& scan, std::uint32_t begin) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  OpenBlock& block = state.blocks[state.depth++];
  block.begin = begin;
  block.pass = 1;
  block.count = value_of(scan, scan.program.steps[begin].count);
  block.start_us = state.last_input_us;
  block.start = state.fold.test.value();
}

// Goes to any step: blocks that do not hold it are left (no results), blocks around it that were not open are opened.
void jump(Scan& scan, std::uint32_t target) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  std::array<std::uint32_t, kMaxNesting> around{};  // innermost first
  std::uint32_t count = 0;
  for (std::uint32_t at = scan.program.steps[target].parent; at != kNoStep; at = scan.program.steps[at].parent)
    around[count++] = at;
  std::uint32_t shared = 0;
  while (shared < state.depth && shared < count && state.blocks[shared].begin == around[count - 1 - shared]) ++shared;
  state.depth = shared;
  for (std::uint32_t i = shared; i < count; ++i) open_block(scan, around[count - 1 - i]);
  state.step_index = target;
}

// "condition: reason". Where both are too long the condition is cut, so that the author's words can be read.
base::FixedText<78> words_of(Scan& scan, const Condition& condition) noexcept RT_NONBLOCKING {
  constexpr std::size_t kRoom = 78;
  constexpr std::size_t kLeastOfCondition = 20;
  const std::string_view written = scan.program.text(condition.text);
  if (condition.reason == 0) return base::FixedText<kRoom>{written};
  const std::string_view reason = scan.program.text(condition.reason);
  const std::size_t room = kRoom - std::min(kRoom - kLeastOfCondition, reason.size() + 2);
  base::FixedText<kRoom> text;
  if (written.size() <= room) {
    text.append(written);
  } else {
    text.append(std::string_view{written.data(), room - 3}).append("...");
  }
  return text.append(": ").append(reason);
}

// Where a condition leads, once what it ended is ended. `next` has set step_index already.
void follow(Scan& scan, const Condition& condition, std::string_view words) noexcept RT_NONBLOCKING {
  switch (condition.then) {
    case Then::next: break;
    case Then::go_to: jump(scan, condition.target); break;
    case Then::break_block:
      if (scan.state.depth > 0) leave_block(scan);
      break;
    case Then::end: finish(scan, RunState::finished, EndReason::condition, words); return;
    case Then::fail: finish(scan, RunState::failed, EndReason::failure, words); return;
    case Then::pause: pause(scan, words); break;
  }
}

// A pass of the innermost block is done: its `until`, then its count, decide.
void complete_pass(Scan& scan) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  OpenBlock& block = state.blocks[state.depth - 1];
  const Step& begin = scan.program.steps[block.begin];
  for (std::uint32_t i = begin.first_condition; i < begin.first_condition + begin.condition_count; ++i) {
    const Condition& condition = scan.program.conditions[i];
    if (!is_true(value_of(scan, condition.when))) continue;
    const Comparison fired = sides(scan.program, condition.when, state, scan.input.sample);
    const auto words = words_of(scan, condition);
    say(scan, base::EventKind::step_end, scan.program.text(begin.name), words.view(), fired.measured, fired.bound);
    if (condition.then != Then::go_to) leave_block(scan);
    if (condition.then != Then::break_block) follow(scan, condition, words.view());
    return;
  }
  if (static_cast<double>(block.pass) >= block.count) {
    leave_block(scan);
  } else {
    ++block.pass;
    state.step_index = block.begin + 1;
  }
}

void enter_block(Scan& scan, const Step& step) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  if (step.count.present() && !(value_of(scan, step.count) >= 1.0)) {
    state.step_index = step.peer + 1;
    return;
  }
  open_block(scan, state.step_index);
  ++state.step_index;
}

// False when the test is over by it.
bool set(Scan& scan, const Step& step) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  switch (step.set_target) {
    case SetTarget::variable: state.variables[step.variable] = value_of(scan, step.value); return true;
    case SetTarget::mark:
      state.marks[step.variable] = {state.last_input_us, state.fold.test.value()};
      say(scan, base::EventKind::message, scan.program.text(step.name), "marked");
      return true;
    case SetTarget::measured_capacity: break;
  }
  const double capacity_C = value_of(scan, step.value);
  if (!(capacity_C > 0) || !std::isfinite(capacity_C)) {
    finish(scan, RunState::failed, EndReason::failure, "the measured capacity is not above zero");
    return false;
  }
  state.measured_capacity_C = capacity_C;
  base::FixedText<206> text;
  text.append(capacity_C / 3600.0).append(" Ah");
  say(scan, base::EventKind::message, "measured capacity", text.view(), capacity_C);
  return true;
}

// One instruction. True when it used up one of the scan's transitions.
bool pass_instruction(Scan& scan) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  const Step& step = current_step(scan);
  if (step.when.present() && !is_true(value_of(scan, step.when))) {
    const bool silent = step.kind == StepKind::advance_cycle || step.kind == StepKind::set;
    if (!silent) skip(scan, step);
    state.step_index = (step.kind == StepKind::repeat_begin ? step.peer : state.step_index) + 1;
    return !silent;
  }
  switch (step.kind) {
    case StepKind::repeat_begin: enter_block(scan, step); return false;
    case StepKind::repeat_end: complete_pass(scan); return false;
    case StepKind::advance_cycle:
      end_cycle(scan);
      ++state.step_index;
      return true;
    case StepKind::set:
      if (!set(scan, step)) return false;
      ++state.step_index;
      return false;
    case StepKind::end: finish(scan, RunState::finished, EndReason::complete, "the profile is done"); return false;
    default: enter(scan, step); return true;
  }
}

// The first condition that has held for its dwell, and the book of when each began to hold. nullptr: none.
const Condition* fired_condition(Scan& scan, const Step& step) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  const bool settling = (scan.input.sample.flags & base::flag::kSettling) != 0;
  const Condition* fired = nullptr;
  for (std::uint32_t i = 0; i < step.condition_count; ++i) {
    const Condition& condition = scan.program.conditions[step.first_condition + i];
    if (!scan.valid || settling) {
      if (uses_terminals(scan.program, condition.when)) continue;
      if (!scan.valid && uses_temperatures(scan.program, condition.when)) continue;
    }
    std::int64_t& since_us = state.holds_since_us[i];
    if (!is_true(value_of(scan, condition.when))) {
      since_us = kNever;
      continue;
    }
    if (since_us == kNever) since_us = state.last_input_us;
    if (fired == nullptr && state.last_input_us - since_us >= condition.dwell.us) fired = &condition;
  }
  return fired;
}

}  // namespace

void walk(Scan& scan) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  std::uint32_t transitions = scan.output.step_changed ? 1 : 0;
  for (std::uint32_t passed = 0; passed < kMaxInstructions && transitions < kMaxTransitions; ++passed) {
    if (++state.instant_steps > kMaxInstantSteps) {
      finish(scan, RunState::failed, EndReason::failure, "the profile runs in a circle without a step that takes time");
      return;
    }
    if (pass_instruction(scan)) ++transitions;
    if (state.step_entered != 0 || is_over(run_state(state))) return;
  }
}

void end_step(Scan& scan, EndReason reason, std::string_view text, Comparison fired) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  StepSummary& summary = state.step;
  const Step& step = current_step(scan);
  summary.reason = reason;
  summary.duration_us = step_time_us(state);
  summary.throughput = state.fold.step.value();
  if (state.temperature_time_s > 0) summary.mean_temperature_degC = state.temperature_sum / state.temperature_time_s;
  summary.reason_text.append(text);
  if (step.kind == StepKind::follow) report_tracking(scan, step, summary);
  scan.output.steps.push(summary);
  scan.output.step_changed = true;
  state.step_entered = 0;
  store_results(scan, step, summary);
  say(scan, base::EventKind::step_end, summary.name.view(), text, fired.measured, fired.bound);
}

void pause(Scan& scan, std::string_view text) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  state.run_state = static_cast<std::uint32_t>(RunState::paused);
  state.pause_start_us = state.last_input_us;
  say(scan, base::EventKind::pause, scan.program.text(current_step(scan).name), text);
}

void finish(Scan& scan, RunState over, EndReason reason, std::string_view text) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  if (state.step_entered != 0) end_step(scan, reason, text);
  if (any_moved(state.fold.cycle.value())) end_cycle(scan);
  say(scan, base::EventKind::test_end, scan.program.name, text);
  state.run_state = static_cast<std::uint32_t>(over);
}

void judge_step(Scan& scan) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  const Step& step = current_step(scan);
  if (const Condition* condition = fired_condition(scan, step)) {
    const Comparison fired = sides(scan.program, condition->when, state, scan.input.sample);
    const auto words = words_of(scan, *condition);
    end_step(scan, condition->then == Then::fail ? EndReason::failure : EndReason::condition, words.view(), fired);
    ++state.step_index;
    follow(scan, *condition, words.view());
  } else if (own_end(scan, step)) {
    const auto words = own_end_words(scan, step);
    end_step(scan, EndReason::complete, words.view());
    ++state.step_index;
  } else {
    return;
  }
  if (!is_over(run_state(state))) {
    const bool paused = run_state(state) == RunState::paused;
    walk(scan);
    // `then = pause` waits at the first moment of the step that comes next.
    if (paused && !is_over(run_state(state))) state.pause_start_us = state.last_input_us;
  }
}

}  // namespace cyclerd::profiles::detail
