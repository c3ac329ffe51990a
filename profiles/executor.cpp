#include "profiles/executor.hpp"

#include <cmath>
#include <cstring>

#include "profiles/executor_scan.hpp"

namespace cyclerd::profiles {

using detail::run_state;
using detail::Scan;

namespace {

// Tells programs apart, for restore(); FNV-1a.
std::uint64_t print_of(const Program& program) noexcept RT_NONBLOCKING {
  std::uint64_t hash = 14695981039346656037ULL;
  auto mix = [&hash](std::uint64_t byte) { hash = (hash ^ byte) * 1099511628211ULL; };
  for (const char c : program.compiled_sha256) mix(static_cast<unsigned char>(c));
  for (const std::size_t n : {program.steps.size(), program.code.size(), program.conditions.size()}) {
    for (int i = 0; i < 4; ++i) mix((n >> (8 * i)) & 0xFFU);
  }
  return hash;
}

double moved_C(const ThroughputSum& sum) noexcept RT_NONBLOCKING {
  return sum.charge_C.value() + sum.discharge_C.value();
}

void advance_time(Scan& scan) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  const base::Sample& sample = scan.input.sample;
  if (state.started == 0) {
    state.started = 1;
    state.test_start_us = sample.time.us;
    state.run_state = static_cast<std::uint32_t>(RunState::running);
    detail::say(scan, base::EventKind::test_start, scan.program.name, scan.program.title);
  }
  const std::int64_t now_us = sample.time.us - state.test_start_us;
  const bool backwards = now_us < state.last_input_us;
  scan.valid = !backwards && (sample.flags & base::flag::kInvalid) == 0 && std::isfinite(sample.voltage_V) &&
               std::isfinite(sample.current_A);
  ++state.inputs;
}

void widen(double value, double& lowest, double& highest) noexcept RT_NONBLOCKING {
  if (!(value >= lowest)) lowest = value;  // absent before
  if (!(value <= highest)) highest = value;
}

void observe_temperature(Scan& scan, std::int64_t since_us) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  const double temperature_degC = scan.input.sample.temperature_degC;
  if (!std::isfinite(temperature_degC)) return;
  state.temperature_seen = 1;
  widen(temperature_degC, state.cycle.min_temperature_degC, state.cycle.max_temperature_degC);
  if (state.step_entered == 0) return;
  widen(temperature_degC, state.step.min_temperature_degC, state.step.max_temperature_degC);
  const double since_s = static_cast<double>(since_us) / 1e6;
  state.temperature_sum += temperature_degC * since_s;
  state.temperature_time_s += since_s;
}

// What the step's conditions look back over: samples of this step that may be believed.
void observe_windows(Scan& scan) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  if (state.step_entered == 0 || !scan.valid || run_state(state) != RunState::running) return;
  if ((scan.input.sample.flags & base::flag::kSettling) != 0) return;
  const Step& step = detail::current_step(scan);
  for (std::uint32_t i = 0; i < step.window_count; ++i) {
    const Window& window = scan.program.windows[step.first_window + i];
    const double value = live_value(window.quantity, scan.program, state, scan.input.sample);
    if (std::isfinite(value)) state.windows[i].add(state.last_input_us, value, window.length.us);
  }
}

// Takes the sample into the accumulators; the interval that it closes belongs to the step that ran until now.
void observe(Scan& scan) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  const base::Sample& sample = scan.input.sample;
  const std::int64_t before_us = state.last_input_us;
  const std::int64_t now_us = sample.time.us - state.test_start_us;
  const std::int64_t counted_us = state.fold.last_us == INT64_MIN ? 0 : now_us - state.fold.last_us;
  if (now_us > before_us) state.last_input_us = now_us;
  if (state.step_entered != 0) ++state.step_inputs;
  if (!scan.valid) {
    state.fold.break_here();
  } else {
    const bool cv = sample.regulation == base::Regulation::voltage || detail::in_software_cv(scan);
    if (cv && state.step_entered != 0) {
      const double before_C = moved_C(state.fold.step);
      const std::int64_t last_us = state.fold.last_us;
      state.fold.add(now_us, sample.voltage_V, sample.current_A);
      if (last_us != INT64_MIN && now_us - last_us <= Fold::kMaxInterval_us)
        state.step.cv_duration_us += now_us - last_us;
      state.step.cv_charge_C += moved_C(state.fold.step) - before_C;
    } else {
      state.fold.add(now_us, sample.voltage_V, sample.current_A);
    }
    detail::track(scan, counted_us <= Fold::kMaxInterval_us ? counted_us : 0);
    state.step.end_voltage_V = sample.voltage_V;
    state.step.end_current_A = sample.current_A;
  }
  observe_temperature(scan, state.last_input_us - before_us);
  observe_windows(scan);
}

double value_of(const base::Setpoint& setpoint) noexcept RT_NONBLOCKING {
  switch (setpoint.control) {
    case base::Control::rest: return 0.0;
    case base::Control::current: return setpoint.current_A;
    case base::Control::voltage: return setpoint.voltage_V;
    case base::Control::power: return setpoint.power_W;
    case base::Control::resistance: return setpoint.resistance_Ohm;
  }
  return 0.0;
}

void fill_row(Scan& scan) noexcept RT_NONBLOCKING {
  const ExecutorState& state = scan.state;
  const base::Sample& sample = scan.input.sample;
  Row& row = scan.output.row;
  row.record_index = 0;
  row.test_time_us = state.last_input_us;
  row.unix_time_us = sample.wall.us;
  row.step_time_us = detail::step_time_us(state);
  row.uncertainty_us = sample.uncertainty_us;
  row.flags = sample.flags;
  if (!scan.valid) row.flags |= base::flag::kInvalid;
  if (run_state(state) == RunState::paused) row.flags |= base::flag::kPaused;
  if (detail::in_software_cv(scan)) row.flags |= base::flag::kSoftwareCv;
  row.step_count = state.step_count;
  row.step_index = state.step_index;
  row.cycle_count = state.cycle_count;
  row.control = state.setpoint.control;
  row.regulation = sample.regulation;
  row.voltage_V = sample.voltage_V;
  row.current_A = sample.current_A;
  row.temperature_degC = sample.temperature_degC;
  row.chamber_degC = sample.chamber_degC;
  row.setpoint = value_of(state.setpoint);
  row.test = state.fold.test.value();
  row.step = state.fold.step.value();
  row.cycle = state.fold.cycle.value();
}

void resume(Scan& scan) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  state.run_state = static_cast<std::uint32_t>(RunState::running);
  state.step_paused_us += state.last_input_us - state.pause_start_us;
  state.holds_since_us.fill(kNever);  // the output was off: nothing held without a break
  state.soak_since_us = kNever;
  state.windows.fill({});
  state.plan.start_current_A = base::kAbsent;  // a pulse that was torn measures nothing
  scan.resend = true;
  scan.judge = false;  // this sample was still measured at rest
  detail::say(scan, base::EventKind::resume, scan.program.text(detail::current_step(scan).name), "resumed");
  if (state.step_entered != 0 && detail::current_step(scan).kind == StepKind::operator_pause) {
    detail::end_step(scan, EndReason::complete, "resumed by the operator");
    ++state.step_index;
    detail::walk(scan);
  }
}

void skip_step(Scan& scan) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  if (state.step_entered == 0) return;
  detail::end_step(scan, EndReason::operator_skip, "skipped by the operator");
  ++state.step_index;
  detail::walk(scan);
  if (run_state(state) == RunState::paused) state.pause_start_us = state.last_input_us;
}

void answer_request(Scan& scan) noexcept RT_NONBLOCKING {
  const RunState now = run_state(scan.state);
  switch (scan.input.request) {
    case Request::none: return;
    case Request::pause:
      if (now == RunState::running) detail::pause(scan, "paused by request");
      return;
    case Request::resume:
      if (now == RunState::paused) resume(scan);
      return;
    case Request::stop: detail::finish(scan, RunState::stopped, EndReason::operator_stop, "stopped by request"); return;
    case Request::skip_step: skip_step(scan); return;
    case Request::trip: detail::finish(scan, RunState::failed, EndReason::trip, "a safety limit tripped"); return;
    case Request::device_lost:
      detail::finish(scan, RunState::failed, EndReason::failure, "the device was lost");
      return;
  }
}

}  // namespace

namespace detail {

std::int64_t step_time_us(const ExecutorState& state) noexcept RT_NONBLOCKING {
  if (state.step_entered == 0) return state.step.duration_us;
  const bool paused = run_state(state) == RunState::paused;
  return (paused ? state.pause_start_us : state.last_input_us) - state.step_start_us - state.step_paused_us;
}

void say(Scan& scan, base::EventKind kind, std::string_view subject, std::string_view text, double value,
         double bound) noexcept RT_NONBLOCKING {
  base::Event event;
  event.time = scan.input.sample.time;
  event.wall = scan.input.sample.wall;
  event.kind = kind;
  event.value = value;
  event.bound = bound;
  event.subject.append(subject);
  event.text.append(text);
  scan.output.events.push(event);
}

}  // namespace detail

void Output::clear() noexcept RT_NONBLOCKING {
  has_setpoint = false;
  has_chamber = false;
  keep_row = false;
  step_changed = false;
  step_first_setpoint = false;
  events.clear();
  steps.clear();
  cycles.clear();
}

void start(const Program& program, ExecutorState& state) noexcept RT_NONBLOCKING {
  state = ExecutorState{};
  state.version = kStateVersion;
  state.program_print = print_of(program);
  state.cycle_count = 1;
  state.initial_soc = program.initial_soc;
  state.holds_since_us.fill(kNever);
  state.results.fill(base::kAbsent);
  for (std::size_t i = 0; i < program.initial_variables.size() && i < kMaxVariables; ++i)
    state.variables[i] = program.initial_variables[i];
}

void step(const Program& program, ExecutorState& state, const Input& input, Output& output) noexcept RT_NONBLOCKING {
  output.clear();
  Scan scan{program, state, input, output};
  if (is_over(run_state(state))) {
    fill_row(scan);
    output.state = run_state(state);
    return;
  }
  const bool first = state.started == 0;
  advance_time(scan);
  observe(scan);
  if (first) {
    detail::walk(scan);
    scan.resend = true;  // what the device does at the start is unknown
  }
  fill_row(scan);
  answer_request(scan);
  if (run_state(state) == RunState::running) {
    if (state.step_entered == 0) {
      if (!first) detail::walk(scan);
    } else if (state.step_inputs > 0 && scan.judge) {
      detail::judge_step(scan);
    }
  }
  detail::update_wish(scan);
  output.state = run_state(state);
  output.step_count = state.step_count;
  const bool edge = detail::at_edge(scan);
  output.keep_row = first || state.step_inputs == 1 || edge || output.step_changed || input.request != Request::none ||
                    is_over(output.state);
}

std::span<const std::byte> snapshot(const ExecutorState& state) noexcept RT_NONBLOCKING {
  return std::as_bytes(std::span{&state, 1});
}

bool restore(const Program& program, std::span<const std::byte> bytes, ExecutorState& state) noexcept {
  if (bytes.size() != sizeof state) return false;
  ExecutorState read;
  std::memcpy(&read, bytes.data(), sizeof read);
  const bool fits = read.version == kStateVersion && read.program_print == print_of(program) &&
                    read.step_index < program.steps.size() && read.depth <= kMaxNesting &&
                    read.run_state <= static_cast<std::uint32_t>(RunState::failed);
  if (fits) state = read;
  return fits;
}

}  // namespace cyclerd::profiles
