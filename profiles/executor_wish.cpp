// Set-points: from a step's expressions to the wish of this scan.
#include <algorithm>
#include <cmath>

#include "profiles/executor_scan.hpp"

namespace cyclerd::profiles::detail {

namespace {

base::Setpoint clamps(const Envelope& envelope, base::Control control) noexcept RT_NONBLOCKING {
  base::Setpoint setpoint;
  setpoint.control = control;
  setpoint.voltage_max_V = envelope.voltage_max_V;
  setpoint.voltage_min_V = envelope.voltage_min_V;
  setpoint.current_max_A = envelope.current_max_A;
  setpoint.current_min_A = envelope.current_min_A;
  return setpoint;
}

double within(double value, double low, double high) noexcept RT_NONBLOCKING {
  return value < low ? low : (value > high ? high : value);
}

void set_current(base::Setpoint& setpoint, double current_A, const Envelope& envelope) noexcept RT_NONBLOCKING {
  setpoint.control = base::Control::current;
  setpoint.current_A = within(current_A, envelope.current_min_A, envelope.current_max_A);
}
void set_voltage(base::Setpoint& setpoint, double voltage_V, const Envelope& envelope) noexcept RT_NONBLOCKING {
  setpoint.control = base::Control::voltage;
  setpoint.voltage_V = within(voltage_V, envelope.voltage_min_V, envelope.voltage_max_V);
}
void set_power(base::Setpoint& setpoint, double power_W, const Envelope& envelope) noexcept RT_NONBLOCKING {
  setpoint.control = base::Control::power;
  setpoint.power_W = within(power_W, envelope.power_min_W, envelope.power_max_W);
}

void set_quantity(base::Setpoint& setpoint, WaveformQuantity quantity, double value,
                  const Envelope& envelope) noexcept RT_NONBLOCKING {
  switch (quantity) {
    case WaveformQuantity::current:
    case WaveformQuantity::c_rate: set_current(setpoint, value, envelope); return;
    case WaveformQuantity::power: set_power(setpoint, value, envelope); return;
    case WaveformQuantity::voltage: set_voltage(setpoint, value, envelope); return;
  }
}

// Values of a step's expressions, and whether all that were asked for are numbers.
struct Values {
  Scan& scan;
  bool good = true;

  double operator()(ExpressionRef e) noexcept RT_NONBLOCKING {
    const double value = evaluate(scan.program, e, scan.state, scan.input.sample);
    if (!std::isfinite(value)) good = false;
    return value;
  }
  double or_else(ExpressionRef e, double otherwise) noexcept RT_NONBLOCKING {
    return e.present() ? (*this)(e) : otherwise;
  }
};

double directed(const Step& step, double magnitude) noexcept RT_NONBLOCKING {
  return step.sign == 0 ? magnitude : static_cast<double>(step.sign) * std::fabs(magnitude);
}

// The voltage of a charge or discharge: the end of the clamp that the current runs towards.
void set_voltage_end(base::Setpoint& setpoint, const Step& step, double voltage_V,
                     const Envelope& envelope) noexcept RT_NONBLOCKING {
  const double level_V = within(voltage_V, envelope.voltage_min_V, envelope.voltage_max_V);
  if (step.sign >= 0) {
    setpoint.voltage_max_V = level_V;
  } else {
    setpoint.voltage_min_V = level_V;
  }
}

// Without native CV a power becomes a current, scan by scan, that gives way at the level as any other.
void limit_to_power(Scan& scan) noexcept RT_NONBLOCKING {
  StepPlan& plan = scan.state.plan;
  const base::Sample& sample = scan.input.sample;
  if (scan.valid && sample.voltage_V > 0) {
    const double limit_A = plan.setpoint.power_W / sample.voltage_V;
    plan.software_cv_min_A = std::max(std::min(limit_A, 0.0), scan.program.envelope.current_min_A);
    plan.software_cv_max_A = std::min(std::max(limit_A, 0.0), scan.program.envelope.current_max_A);
  }
}

void plan_power(Scan& scan, const Step& step, Values& values) noexcept RT_NONBLOCKING {
  StepPlan& plan = scan.state.plan;
  const Envelope& envelope = scan.program.envelope;
  set_power(plan.setpoint, directed(step, values(step.power)), envelope);
  if (!step.voltage.present()) return;
  const double voltage_V = values(step.voltage);
  if (step.software_cv == 0) {
    set_voltage_end(plan.setpoint, step, voltage_V, envelope);
    return;
  }
  plan.software_cv_V = within(voltage_V, envelope.voltage_min_V, envelope.voltage_max_V);
  limit_to_power(scan);
  plan.software_cv_A = step.sign < 0 ? plan.software_cv_min_A : plan.software_cv_max_A;
}

void clamp_both_ways(Scan& scan, const Step& step, Values& values) noexcept RT_NONBLOCKING {
  if (!step.current.present()) return;
  base::Setpoint& setpoint = scan.state.plan.setpoint;
  const double limit_A = std::fabs(values(step.current));
  setpoint.current_max_A = std::min(limit_A, scan.program.envelope.current_max_A);
  setpoint.current_min_A = std::max(-limit_A, scan.program.envelope.current_min_A);
}

void plan_current(Scan& scan, const Step& step, Values& values) noexcept RT_NONBLOCKING {
  StepPlan& plan = scan.state.plan;
  const Envelope& envelope = scan.program.envelope;
  set_current(plan.setpoint, directed(step, values(step.current)), envelope);
  if (!step.voltage.present()) return;
  const double voltage_V = values(step.voltage);
  if (step.software_cv == 0) {
    set_voltage_end(plan.setpoint, step, voltage_V, envelope);
    return;
  }
  plan.software_cv_V = within(voltage_V, envelope.voltage_min_V, envelope.voltage_max_V);
  plan.software_cv_A = plan.setpoint.current_A;
  plan.software_cv_min_A = std::min(plan.setpoint.current_A, 0.0);
  plan.software_cv_max_A = std::max(plan.setpoint.current_A, 0.0);
}

// A voltage that software holds, in both directions.
void follow_by_current(Scan& scan) noexcept RT_NONBLOCKING {
  StepPlan& plan = scan.state.plan;
  plan.software_cv_A = 0.0;
  plan.software_cv_min_A = plan.setpoint.current_min_A;
  plan.software_cv_max_A = plan.setpoint.current_max_A;
  plan.setpoint = clamps(scan.program.envelope, base::Control::current);
}

void plan_hold(Scan& scan, const Step& step, Values& values) noexcept RT_NONBLOCKING {
  StepPlan& plan = scan.state.plan;
  const Envelope& envelope = scan.program.envelope;
  set_voltage(plan.setpoint, values(step.voltage), envelope);
  clamp_both_ways(scan, step, values);
  if (step.software_cv == 0) return;
  plan.software_cv_V = plan.setpoint.voltage_V;
  follow_by_current(scan);
}

void plan_ramp(Scan& scan, const Step& step, Values& values) noexcept RT_NONBLOCKING {
  StepPlan& plan = scan.state.plan;
  plan.ramp_from = directed(step, values(step.ramp_from));
  plan.ramp_to = directed(step, values(step.ramp_to));
  plan.ramp_over_s = step.ramp_over.present()
                         ? values(step.ramp_over)
                         : std::fabs(plan.ramp_to - plan.ramp_from) / std::fabs(values(step.ramp_rate));
  plan.ramp_over_s = std::round(1e6 * plan.ramp_over_s) / 1e6;  // 0.1 V / (10 mV/s) is 10 s
  if (!std::isfinite(plan.ramp_over_s) || plan.ramp_over_s < 0) values.good = false;
  clamp_both_ways(scan, step, values);
  if (step.software_cv != 0) follow_by_current(scan);
}

void plan_pulse(Scan& scan, const Step& step, Values& values) noexcept RT_NONBLOCKING {
  StepPlan& plan = scan.state.plan;
  plan.passes = values.or_else(step.count, 1.0);
  plan.pulse_part = step.pulse_count;  // none yet: the first one is an edge
  for (std::uint32_t i = 0; i < step.pulse_count; ++i)
    plan.pulse[i] = values(scan.program.pulses[step.first_pulse + i].value);
}

void plan_impedance(Scan& scan, const Step& step, Values& values) noexcept RT_NONBLOCKING {
  StepPlan& plan = scan.state.plan;
  set_current(plan.setpoint, values(step.current), scan.program.envelope);
  plan.ramp_over_s = values(step.ramp_over);
  if (scan.valid) plan.start_current_A = scan.input.sample.current_A;
}

void plan_chamber(Scan& scan, const Step& step, Values& values) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  base::ChamberSetpoint wish;
  wish.run = 1;
  wish.temperature_degC = values(step.chamber);
  wish.ramp_K_per_min = 60.0 * values.or_else(step.chamber_ramp, 0.0);
  if (!values.good || wish == state.chamber) return;
  state.chamber = wish;
  scan.output.has_chamber = true;
  scan.output.chamber = wish;
}

const Waveform& waveform_of(const Scan& scan, const Step& step) noexcept RT_NONBLOCKING {
  return scan.program.waveforms[step.waveform];
}

double waveform_value(const Waveform& waveform, std::int64_t at_us) noexcept RT_NONBLOCKING {
  const auto& times = waveform.time_us;
  std::size_t low = 0;
  std::size_t high = times.size();  // times[low] <= at_us < times[high]
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    (times[middle] <= at_us ? low : high) = middle;
  }
  if (waveform.resample == Resample::hold || low + 1 == times.size()) return waveform.value[low];
  const double part = static_cast<double>(at_us - times[low]) / static_cast<double>(times[low + 1] - times[low]);
  return waveform.value[low] + part * (waveform.value[low + 1] - waveform.value[low]);
}

// Follows the voltage with the current of a device that cannot hold a voltage by itself: every scan the current moves
// by the voltage error times one nominal-capacity hour current per volt, inside the step's range. In a cell whose
// resistance drops r volts at that current the error shrinks by the factor (1 - r) a scan: no overshoot below r = 1,
// calm with one scan of extra delay below r = 0.5. While the cell's own voltage rises by s volts a second, the level is
// exceeded by s * scan / r. No step below 0.2 mV of error, so that the set-point comes to rest.
void run_software_cv(Scan& scan) noexcept RT_NONBLOCKING {
  constexpr double kDeadband_V = 0.2e-3;
  StepPlan& plan = scan.state.plan;
  const bool measured =
      scan.valid && (scan.input.sample.flags & base::flag::kSettling) == 0 && scan.state.step_inputs > 0 && scan.judge;
  const double error_V = plan.software_cv_V - scan.input.sample.voltage_V;
  if (measured && std::fabs(error_V) >= kDeadband_V) {
    const double gain_A_per_V = scan.program.nominal_capacity_C / 3600.0;
    plan.software_cv_A =
        within(plan.software_cv_A + gain_A_per_V * error_V, plan.software_cv_min_A, plan.software_cv_max_A);
  }
  plan.software_cv_A = within(plan.software_cv_A, plan.software_cv_min_A, plan.software_cv_max_A);
  set_current(plan.setpoint, plan.software_cv_A, scan.program.envelope);
}

bool has_software_cv(const Step& step) noexcept RT_NONBLOCKING {
  if (step.software_cv == 0) return false;
  switch (step.kind) {
    case StepKind::voltage: return true;
    case StepKind::ramp: return step.ramp_quantity == WaveformQuantity::voltage;
    case StepKind::current:
    case StepKind::power: return step.voltage.present();
    default: return false;
  }
}

std::int64_t pulse_length_us(const Scan& scan, const Step& step) noexcept RT_NONBLOCKING {
  std::int64_t length_us = 0;
  for (std::uint32_t i = 0; i < step.pulse_count; ++i) length_us += scan.program.pulses[step.first_pulse + i].time.us;
  return length_us;
}

void update_pulse(Scan& scan, const Step& step) noexcept RT_NONBLOCKING {
  StepPlan& plan = scan.state.plan;
  const std::int64_t length_us = pulse_length_us(scan, step);
  std::int64_t left_us = length_us > 0 ? step_time_us(scan.state) % length_us : 0;
  std::uint32_t part = 0;
  while (part + 1 < step.pulse_count && left_us >= scan.program.pulses[step.first_pulse + part].time.us)
    left_us -= scan.program.pulses[step.first_pulse + part++].time.us;
  if (part != plan.pulse_part) plan.edge_rows = 2;  // the last row of the old part, and the first of the new
  plan.pulse_part = part;
  set_quantity(plan.setpoint, scan.program.pulses[step.first_pulse + part].quantity, plan.pulse[part],
               scan.program.envelope);
}

void update_ramp(Scan& scan, const Step& step) noexcept RT_NONBLOCKING {
  StepPlan& plan = scan.state.plan;
  const double into_step_s = static_cast<double>(step_time_us(scan.state)) / 1e6;
  const double part = plan.ramp_over_s > 0 ? std::min(1.0, into_step_s / plan.ramp_over_s) : 1.0;
  const double level = plan.ramp_from + part * (plan.ramp_to - plan.ramp_from);
  if (step.software_cv != 0) {
    plan.software_cv_V = within(level, scan.program.envelope.voltage_min_V, scan.program.envelope.voltage_max_V);
    run_software_cv(scan);
  } else {
    set_quantity(plan.setpoint, step.ramp_quantity, level, scan.program.envelope);
  }
}

void update_plan(Scan& scan) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  StepPlan& plan = state.plan;
  const Step& step = current_step(scan);
  const std::int64_t into_step_us = step_time_us(state);
  if (step.kind == StepKind::follow) {
    const Waveform& waveform = waveform_of(scan, step);
    const std::int64_t length_us = waveform.time_us.back();
    const std::int64_t at_us = length_us > 0 ? into_step_us % length_us : 0;
    plan.tracking.wished = plan.scale * waveform_value(waveform, at_us);
    set_quantity(plan.setpoint, waveform.quantity, plan.tracking.wished, scan.program.envelope);
  } else if (step.kind == StepKind::ramp) {
    update_ramp(scan, step);
  } else if (step.kind == StepKind::pulse) {
    update_pulse(scan, step);
  } else if (has_software_cv(step)) {
    if (step.kind == StepKind::power) limit_to_power(scan);
    run_software_cv(scan);
  }
}

bool soaked(Scan& scan, const Step& step) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  if (!step.soak_within.present()) return step.condition_count == 0;
  if (!scan.valid) return false;
  const base::Sample& sample = scan.input.sample;
  const double temperature_degC = state.temperature_seen != 0 ? sample.temperature_degC : sample.chamber_degC;
  if (!(std::fabs(temperature_degC - state.chamber.temperature_degC) <= state.plan.soak_within_K)) {
    state.soak_since_us = kNever;
    return false;
  }
  if (state.soak_since_us == kNever) state.soak_since_us = state.last_input_us;
  return state.last_input_us - state.soak_since_us >= step.soak_for.us;
}

// Takes the sample into the sums of an impedance step; true when its pulse is over and the resistance known.
bool measured_resistance(Scan& scan, const Step& step) noexcept RT_NONBLOCKING {
  StepPlan& plan = scan.state.plan;
  const base::Sample& sample = scan.input.sample;
  const double into_step_s = static_cast<double>(step_time_us(scan.state)) / 1e6;
  const bool settled = scan.valid && (sample.flags & base::flag::kSettling) == 0;
  if (settled) {
    const double x = std::sqrt(into_step_s);
    plan.points += 1.0;
    plan.sum_x += x;
    plan.sum_y += sample.voltage_V;
    plan.sum_xx += x * x;
    plan.sum_xy += x * sample.voltage_V;
  }
  if (into_step_s < plan.ramp_over_s || !settled) return false;
  double voltage_V = sample.voltage_V;
  if (step.method == ResistanceMethod::sqrt_time) {
    const double spread = plan.points * plan.sum_xx - plan.sum_x * plan.sum_x;
    voltage_V = (plan.sum_y * plan.sum_xx - plan.sum_x * plan.sum_xy) / spread;  // at time 0
  }
  const double resistance_Ohm =
      (voltage_V - scan.state.step.start_voltage_V) / (sample.current_A - plan.start_current_A);
  if (std::isfinite(resistance_Ohm)) plan.resistance_Ohm = resistance_Ohm;
  return true;
}

}  // namespace

const char* plan_step(Scan& scan, const Step& step) noexcept RT_NONBLOCKING {
  StepPlan& plan = scan.state.plan;
  const Envelope& envelope = scan.program.envelope;
  plan = StepPlan{};
  plan.setpoint = clamps(envelope, base::Control::rest);
  Values values{scan};
  switch (step.kind) {
    case StepKind::current: plan_current(scan, step, values); break;
    case StepKind::voltage: plan_hold(scan, step, values); break;
    case StepKind::power: plan_power(scan, step, values); break;
    case StepKind::resistance:
      plan.setpoint.control = base::Control::resistance;
      plan.setpoint.resistance_Ohm = values(step.resistance);
      if (!(plan.setpoint.resistance_Ohm > 0)) return "its resistance is not positive";
      if (step.voltage.present()) set_voltage_end(plan.setpoint, step, values(step.voltage), envelope);
      break;
    case StepKind::ramp: plan_ramp(scan, step, values); break;
    case StepKind::follow:
      plan.scale = values.or_else(step.scale, 1.0);
      plan.passes = values.or_else(step.count, 1.0);
      break;
    case StepKind::chamber: plan.soak_within_K = values.or_else(step.soak_within, 0.0); break;
    case StepKind::pulse: plan_pulse(scan, step, values); break;
    case StepKind::impedance: plan_impedance(scan, step, values); break;
    default: break;
  }
  if (step.chamber.present()) plan_chamber(scan, step, values);
  return values.good ? nullptr : "one of its set-points is not a number";
}

void update_wish(Scan& scan) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  Output& output = scan.output;
  base::Setpoint wish;
  if (run_state(state) == RunState::running && state.step_entered != 0) {
    update_plan(scan);
    wish = state.plan.setpoint;
  } else {
    wish = clamps(scan.program.envelope, base::Control::rest);
  }
  // A step that was just entered always says its wish, so that the judge learns of the new step.
  const bool entered = state.step_entered != 0 && state.step_inputs == 0;
  if (!scan.resend && !entered && wish == state.setpoint) return;
  state.setpoint = wish;
  output.has_setpoint = true;
  output.setpoint = wish;
  output.step_first_setpoint = scan.resend || entered;
  if (scan.resend && state.chamber.run != 0) {
    output.has_chamber = true;
    output.chamber = state.chamber;
  }
}

bool own_end(Scan& scan, const Step& step) noexcept RT_NONBLOCKING {
  const ExecutorState& state = scan.state;
  switch (step.kind) {
    case StepKind::follow: {
      const auto length_us = static_cast<double>(waveform_of(scan, step).time_us.back());
      return static_cast<double>(step_time_us(state)) >= state.plan.passes * length_us;
    }
    case StepKind::pulse:
      return static_cast<double>(step_time_us(state)) >=
             state.plan.passes * static_cast<double>(pulse_length_us(scan, step));
    case StepKind::impedance: return measured_resistance(scan, step);
    case StepKind::ramp: return static_cast<double>(step_time_us(state)) / 1e6 >= state.plan.ramp_over_s;
    case StepKind::chamber: return soaked(scan, step);
    default: return false;
  }
}

base::FixedText<78> own_end_words(const Scan& scan, const Step& step) noexcept RT_NONBLOCKING {
  switch (step.kind) {
    case StepKind::follow: return base::FixedText<78>{"played"};
    case StepKind::chamber: return base::FixedText<78>{"the chamber has soaked"};
    case StepKind::ramp: return base::FixedText<78>{"the ramp is done"};
    case StepKind::pulse: return base::FixedText<78>{"the pulses are done"};
    case StepKind::impedance: {
      const StepPlan& plan = scan.state.plan;
      base::FixedText<78> text;
      if (!std::isfinite(plan.resistance_Ohm))
        return base::FixedText<78>{"no resistance: paused, or the current did not change"};
      text.append(1e3 * plan.resistance_Ohm).append(" mOhm, ");
      text.append(step.method == ResistanceMethod::end ? "end of " : "sqrt over ").append(plan.ramp_over_s);
      text.append(" s at ").append(plan.setpoint.current_A).append(" A");
      return text;
    }
    default: return base::FixedText<78>{"done"};
  }
}

bool at_edge(Scan& scan) noexcept RT_NONBLOCKING {
  std::uint32_t& rows = scan.state.plan.edge_rows;
  if (rows == 0) return false;
  --rows;
  return true;
}

bool in_software_cv(const Scan& scan) noexcept RT_NONBLOCKING {
  const ExecutorState& state = scan.state;
  if (state.step_entered == 0 || !has_software_cv(current_step(scan))) return false;
  const StepPlan& plan = state.plan;
  return plan.software_cv_A > plan.software_cv_min_A && plan.software_cv_A < plan.software_cv_max_A;
}

}  // namespace cyclerd::profiles::detail
