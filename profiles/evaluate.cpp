#include "profiles/evaluate.hpp"

#include <array>
#include <cmath>

namespace cyclerd::profiles {

namespace {

// The cycle that a pass ended with: the one just closed when nothing has moved since.
Throughput pass_counters(const ExecutorState& state) noexcept RT_NONBLOCKING {
  const Throughput now = state.fold.cycle.value();
  return now.charge_C > 0 || now.discharge_C > 0 ? now : state.closed_cycle;
}

double since_mark(const ExecutorState& state, std::uint32_t index, ResultOf quantity) noexcept RT_NONBLOCKING {
  const Mark& mark = state.marks[index];
  if (mark.set_us == kNever) return base::kAbsent;
  const Throughput now = state.fold.test.value();
  const double charge_C = now.charge_C - mark.start.charge_C;
  const double discharge_C = now.discharge_C - mark.start.discharge_C;
  const double charge_J = now.charge_J - mark.start.charge_J;
  const double discharge_J = now.discharge_J - mark.start.discharge_J;
  switch (quantity) {
    case ResultOf::charge_capacity: return charge_C;
    case ResultOf::discharge_capacity: return discharge_C;
    case ResultOf::charge_energy: return charge_J;
    case ResultOf::discharge_energy: return discharge_J;
    case ResultOf::capacity: return charge_C + discharge_C;
    case ResultOf::energy: return charge_J + discharge_J;
    case ResultOf::duration: return static_cast<double>(state.last_input_us - mark.set_us) / 1e6;
    default: return base::kAbsent;
  }
}

std::int64_t window_us(const Program& program, const ExecutorState& state,
                       std::uint32_t index) noexcept RT_NONBLOCKING {
  const Step& step = program.steps[state.step_index];
  return index < step.window_count ? program.windows[step.first_window + index].length.us : 0;
}
double window_rate(const Program& program, const ExecutorState& state, std::uint32_t index) noexcept RT_NONBLOCKING {
  return state.windows[index].rate(window_us(program, state, index));
}
double window_mean(const Program& program, const ExecutorState& state, std::uint32_t index) noexcept RT_NONBLOCKING {
  return state.windows[index].mean(window_us(program, state, index));
}

double load(Live quantity, const Program& program, const ExecutorState& state,
            const base::Sample& sample) noexcept RT_NONBLOCKING {
  const Fold& fold = state.fold;
  switch (quantity) {
    case Live::voltage: return sample.voltage_V;
    case Live::current: return sample.current_A;
    case Live::power: return sample.voltage_V * sample.current_A;
    case Live::temperature: return sample.temperature_degC;
    case Live::chamber_temperature: return sample.chamber_degC;
    // Divided, not multiplied by 1e-6: a whole number of microseconds gives the nearest double to its seconds, so that
    // `time >= 0.3 s` holds at 300000 us.
    case Live::time: return static_cast<double>(state.last_input_us - state.step_start_us - state.step_paused_us) / 1e6;
    case Live::test_time: return static_cast<double>(state.last_input_us) / 1e6;
    case Live::cycle: return static_cast<double>(state.cycle_count);
    case Live::step_capacity: return fold.step.charge_C.value() + fold.step.discharge_C.value();
    case Live::step_energy: return fold.step.charge_J.value() + fold.step.discharge_J.value();
    case Live::charge_capacity: return fold.cycle.charge_C.value();
    case Live::discharge_capacity: return fold.cycle.discharge_C.value();
    case Live::charge_energy: return fold.cycle.charge_J.value();
    case Live::discharge_energy: return fold.cycle.discharge_J.value();
    case Live::soc:
      return state.initial_soc +
             (fold.test.charge_C.value() - fold.test.discharge_C.value()) / program.nominal_capacity_C;
    case Live::nominal_capacity: return program.nominal_capacity_C;
    case Live::measured_capacity: return state.measured_capacity_C;
    case Live::pass_charge_capacity: return pass_counters(state).charge_C;
    case Live::pass_discharge_capacity: return pass_counters(state).discharge_C;
    case Live::pass_charge_energy: return pass_counters(state).charge_J;
    case Live::pass_discharge_energy: return pass_counters(state).discharge_J;
  }
  return base::kAbsent;
}

double modulo(double a, double b) noexcept RT_NONBLOCKING {
  return a - b * std::floor(a / b);
}
double truth(bool b) noexcept RT_NONBLOCKING {
  return b ? 1.0 : 0.0;
}

double combine(Op op, double a, double b) noexcept RT_NONBLOCKING {
  switch (op) {
    case Op::add: return a + b;
    case Op::subtract: return a - b;
    case Op::multiply: return a * b;
    case Op::divide: return a / b;
    case Op::less: return truth(a < b);
    case Op::less_equal: return truth(a <= b);
    case Op::greater: return truth(a > b);
    case Op::greater_equal: return truth(a >= b);
    case Op::equal: return truth(a <= b && a >= b);
    case Op::not_equal: return truth(a < b || a > b);
    case Op::logical_and: return truth(is_true(a) && is_true(b));
    case Op::logical_or: return truth(is_true(a) || is_true(b));
    case Op::min: return a + b != a + b ? a + b : (a < b ? a : b);
    case Op::max: return a + b != a + b ? a + b : (a > b ? a : b);
    case Op::mod: return modulo(a, b);
    default: return base::kAbsent;
  }
}

// How many values an operation takes from the stack; every operation leaves one.
int takes(Op op) noexcept RT_NONBLOCKING {
  switch (op) {
    case Op::constant:
    case Op::load:
    case Op::variable:
    case Op::result:
    case Op::mark:
    case Op::rate:
    case Op::mean: return 0;
    case Op::negate:
    case Op::logical_not:
    case Op::abs: return 1;
    default: return 2;
  }
}

struct Stack {
  std::array<double, kMaxStack> values;
  int size;
};

void run(const Program& program, std::uint32_t first, std::uint32_t count, const ExecutorState& state,
         const base::Sample& sample, Stack& stack) noexcept RT_NONBLOCKING {
  stack.size = 0;
  for (std::uint32_t i = first; i < first + count; ++i) {
    const Instruction& instruction = program.code[i];
    auto at = [&stack](int from_top) -> double& {
      return stack.values[static_cast<std::size_t>(stack.size - from_top)];
    };
    switch (instruction.op) {
      case Op::constant: ++stack.size, at(1) = instruction.value; break;
      case Op::load: ++stack.size, at(1) = load(static_cast<Live>(instruction.arg), program, state, sample); break;
      case Op::variable: ++stack.size, at(1) = state.variables[instruction.arg]; break;
      case Op::result: ++stack.size, at(1) = state.results[instruction.index]; break;
      case Op::mark:
        ++stack.size, at(1) = since_mark(state, instruction.index, static_cast<ResultOf>(instruction.arg));
        break;
      case Op::rate: ++stack.size, at(1) = window_rate(program, state, instruction.index); break;
      case Op::mean: ++stack.size, at(1) = window_mean(program, state, instruction.index); break;
      case Op::negate: at(1) = -at(1); break;
      case Op::logical_not: at(1) = truth(!is_true(at(1))); break;
      case Op::abs: at(1) = std::fabs(at(1)); break;
      default:
        at(2) = combine(instruction.op, at(2), at(1));
        --stack.size;
        break;
    }
  }
}

bool is_comparison(Op op) noexcept RT_NONBLOCKING {
  return op >= Op::less && op <= Op::not_equal;
}

bool loads_any(const Program& program, ExpressionRef expression, Live first, Live last) noexcept RT_NONBLOCKING {
  for (std::uint32_t i = expression.first; i < expression.first + expression.count; ++i) {
    const Instruction& instruction = program.code[i];
    const auto quantity = static_cast<Live>(instruction.arg);
    if (instruction.op == Op::load && quantity >= first && quantity <= last) return true;
  }
  return false;
}

}  // namespace

double live_value(Live quantity, const Program& program, const ExecutorState& state,
                  const base::Sample& sample) noexcept RT_NONBLOCKING {
  return load(quantity, program, state, sample);
}

double evaluate(const Program& program, ExpressionRef expression, const ExecutorState& state,
                const base::Sample& sample) noexcept RT_NONBLOCKING {
  if (!expression.present()) return base::kAbsent;
  Stack stack;
  run(program, expression.first, expression.count, state, sample, stack);
  return stack.values[0];
}

Comparison sides(const Program& program, ExpressionRef expression, const ExecutorState& state,
                 const base::Sample& sample) noexcept RT_NONBLOCKING {
  if (!expression.present()) return {};
  const std::uint32_t last = expression.first + expression.count - 1;
  if (is_comparison(program.code[last].op)) {
    Stack stack;
    run(program, expression.first, expression.count - 1, state, sample, stack);
    return {stack.values[0], stack.values[1]};
  }
  for (std::uint32_t i = expression.first; i <= last; ++i) {
    const Instruction& instruction = program.code[i];
    if (instruction.op == Op::load) return {load(static_cast<Live>(instruction.arg), program, state, sample), 0.0};
  }
  return {};
}

bool uses_terminals(const Program& program, ExpressionRef expression) noexcept RT_NONBLOCKING {
  return loads_any(program, expression, Live::voltage, Live::power);
}

bool uses_temperatures(const Program& program, ExpressionRef expression) noexcept RT_NONBLOCKING {
  return loads_any(program, expression, Live::temperature, Live::chamber_temperature);
}

namespace {

const char* malformed_expression(const Program& program, ExpressionRef e) noexcept RT_NONBLOCKING {
  if (!e.present()) return nullptr;
  if (e.first > program.code.size() || e.count > program.code.size() - e.first) return "an expression leaves the code";
  int depth = 0;
  for (std::uint32_t i = e.first; i < e.first + e.count; ++i) {
    const Instruction& instruction = program.code[i];
    if (instruction.op > Op::mod) return "an unknown operation";
    depth -= takes(instruction.op);
    if (depth < 0) return "an expression takes more values than it has";
    if (++depth > kMaxStack) return "an expression needs too deep a stack";
    if (instruction.op == Op::load && instruction.arg > static_cast<std::uint8_t>(Live::pass_discharge_energy))
      return "an unknown live quantity";
    if (instruction.op == Op::variable &&
        (instruction.arg >= kMaxVariables || instruction.arg >= program.initial_variables.size()))
      return "an unknown variable";
    if (instruction.op == Op::result && instruction.index >= program.result_slots) return "an unknown result slot";
    if ((instruction.op == Op::rate || instruction.op == Op::mean) && instruction.index >= kMaxWindows)
      return "an unknown window";
    if (instruction.op == Op::mark && (instruction.index >= program.mark_count || instruction.index >= kMaxMarks))
      return "an unknown mark";
  }
  return depth == 1 ? nullptr : "an expression leaves more than one value";
}

const char* malformed_waveform(const Waveform& w) noexcept RT_NONBLOCKING {
  if (w.time_us.empty() || w.time_us.size() != w.value.size()) return "a waveform without points, or with odd columns";
  if (w.time_us.front() != 0) return "a waveform does not begin at 0";
  for (std::size_t i = 0; i < w.value.size(); ++i) {
    if (!std::isfinite(w.value[i])) return "a waveform holds a value that is no number";
    if (i > 0 && w.time_us[i] <= w.time_us[i - 1]) return "the times of a waveform do not increase";
  }
  return nullptr;
}

const char* malformed_step(const Program& program, std::uint32_t index) noexcept RT_NONBLOCKING {
  const Step& step = program.steps[index];
  const auto strings = program.strings.size();
  if (step.name >= strings || step.type >= strings || step.message >= strings) return "a step's text does not exist";
  if (step.record >= program.records.size()) return "a step's record rule does not exist";
  if (step.condition_count > kMaxConditions) return "a step has too many conditions";
  if (step.first_condition > program.conditions.size() ||
      step.condition_count > program.conditions.size() - step.first_condition)
    return "a step's conditions do not exist";
  if (step.first_store > program.stores.size() || step.store_count > program.stores.size() - step.first_store)
    return "a step's result stores do not exist";
  if (step.parent != kNoStep && (step.parent >= index || program.steps[step.parent].kind != StepKind::repeat_begin))
    return "a step's parent is no block around it";
  const bool begin = step.kind == StepKind::repeat_begin;
  if (begin || step.kind == StepKind::repeat_end) {
    if (step.peer >= program.steps.size()) return "a block has no other end";
    const Step& peer = program.steps[step.peer];
    if (peer.peer != index || peer.kind != (begin ? StepKind::repeat_end : StepKind::repeat_begin) ||
        (begin ? step.peer <= index : step.peer >= index))
      return "the two ends of a block do not fit";
  }
  if (step.kind == StepKind::follow && step.waveform >= program.waveforms.size()) return "a waveform does not exist";
  if (step.kind == StepKind::set && step.set_target == SetTarget::variable &&
      step.variable >= program.initial_variables.size())
    return "a variable does not exist";
  if (step.kind == StepKind::set && step.set_target == SetTarget::mark && step.variable >= program.mark_count)
    return "a mark does not exist";
  if (step.kind > StepKind::end) return "an unknown kind of step";
  if (step.window_count > kMaxWindows || step.first_window > program.windows.size() ||
      step.window_count > program.windows.size() - step.first_window)
    return "a step's windows do not exist";
  if (step.pulse_count > kMaxPulses || step.first_pulse > program.pulses.size() ||
      step.pulse_count > program.pulses.size() - step.first_pulse)
    return "a step's pulses do not exist";
  if (step.kind == StepKind::pulse && step.pulse_count == 0) return "a pulse step has no pulses";
  for (const ExpressionRef e :
       {step.when, step.current, step.voltage, step.power, step.resistance, step.count, step.chamber, step.chamber_ramp,
        step.soak_within, step.scale, step.ramp_from, step.ramp_to, step.ramp_rate, step.ramp_over, step.value}) {
    if (const char* what = malformed_expression(program, e)) return what;
  }
  return nullptr;
}

std::uint32_t nesting(const Program& program, std::uint32_t index) noexcept RT_NONBLOCKING {
  std::uint32_t depth = 0;
  for (std::uint32_t at = program.steps[index].parent; at != kNoStep; at = program.steps[at].parent) ++depth;
  return depth;
}

}  // namespace

const char* malformed(const Program& program) noexcept RT_NONBLOCKING {
  if (program.steps.empty() || program.steps.back().kind != StepKind::end) return "the last step is not `end`";
  if (program.strings.empty() || !program.strings[0].empty()) return "string 0 is not empty";
  if (program.records.empty()) return "there is no record rule";
  if (program.initial_variables.size() > kMaxVariables) return "too many variables";
  if (program.result_slots > kMaxResults) return "too many result slots";
  if (program.mark_count > kMaxMarks) return "too many marks";
  if (!(program.nominal_capacity_C > 0)) return "the nominal capacity is not positive";
  for (std::uint32_t i = 0; i < program.steps.size(); ++i) {
    if (const char* what = malformed_step(program, i)) return what;
    const std::uint32_t own = program.steps[i].kind == StepKind::repeat_begin ? 1 : 0;
    if (nesting(program, i) + own > kMaxNesting) return "blocks are nested too deeply";
  }
  for (const Condition& c : program.conditions) {
    if (!c.when.present()) return "a condition without an expression";
    if (const char* what = malformed_expression(program, c.when)) return what;
    if (c.text >= program.strings.size() || c.reason >= program.strings.size())
      return "a condition's text does not exist";
    if (c.then == Then::go_to && c.target >= program.steps.size()) return "a goto leads nowhere";
    if (c.dwell.us < 0) return "a dwell is negative";
  }
  for (const PulsePart& p : program.pulses) {
    if (!p.value.present() || p.time.us <= 0) return "a pulse has no value or no time";
    if (const char* what = malformed_expression(program, p.value)) return what;
  }
  for (const ResultStore& s : program.stores) {
    if (s.slot >= program.result_slots) return "a result store has no slot";
  }
  for (const Waveform& w : program.waveforms) {
    if (const char* what = malformed_waveform(w)) return what;
  }
  return nullptr;
}

}  // namespace cyclerd::profiles
