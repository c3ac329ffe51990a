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

void plan_hold(Scan& scan, const Step& step, Values& values) noexcept RT_NONBLOCKING {
  StepPlan& plan = scan.state.plan;
  const Envelope& envelope = scan.program.envelope;
  set_voltage(plan.setpoint, values(step.voltage), envelope);
  if (step.current.present()) {
    const double limit_A = std::fabs(values(step.current));
    plan.setpoint.current_max_A = std::min(limit_A, envelope.current_max_A);
    plan.setpoint.current_min_A = std::max(-limit_A, envelope.current_min_A);
  }
  if (step.software_cv == 0) return;
  plan.software_cv_V = plan.setpoint.voltage_V;
  plan.software_cv_A = 0.0;
  plan.software_cv_min_A = plan.setpoint.current_min_A;
  plan.software_cv_max_A = plan.setpoint.current_max_A;
  plan.setpoint = clamps(envelope, base::Control::current);
}

void plan_ramp(Scan& scan, const Step& step, Values& values) noexcept RT_NONBLOCKING {
  StepPlan& plan = scan.state.plan;
  plan.ramp_from = directed(step, values(step.ramp_from));
  plan.ramp_to = directed(step, values(step.ramp_to));
  plan.ramp_over_s = step.ramp_over.present()
                         ? values(step.ramp_over)
                         : std::fabs(plan.ramp_to - plan.ramp_from) / std::fabs(values(step.ramp_rate));
  if (!std::isfinite(plan.ramp_over_s)) values.good = false;
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
  set_current(plan.setpoint, plan.software_cv_A, scan.program.envelope);
}

bool has_software_cv(const Step& step) noexcept RT_NONBLOCKING {
  return step.software_cv != 0 &&
         (step.kind == StepKind::voltage || (step.kind == StepKind::current && step.voltage.present()));
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
    set_quantity(plan.setpoint, waveform.quantity, plan.scale * waveform_value(waveform, at_us), scan.program.envelope);
  } else if (step.kind == StepKind::ramp) {
    const double part =
        plan.ramp_over_s > 0 ? std::min(1.0, static_cast<double>(into_step_us) / 1e6 / plan.ramp_over_s) : 1.0;
    set_quantity(plan.setpoint, step.ramp_quantity, plan.ramp_from + part * (plan.ramp_to - plan.ramp_from),
                 scan.program.envelope);
  } else if (has_software_cv(step)) {
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
    case StepKind::power:
      set_power(plan.setpoint, directed(step, values(step.power)), envelope);
      if (step.voltage.present()) set_voltage_end(plan.setpoint, step, values(step.voltage), envelope);
      break;
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
    case StepKind::pulse:
    case StepKind::impedance: return "this kind of step cannot be run yet";
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
    case StepKind::ramp: return static_cast<double>(step_time_us(state)) / 1e6 >= state.plan.ramp_over_s;
    case StepKind::chamber: return soaked(scan, step);
    default: return false;
  }
}

bool in_software_cv(const Scan& scan) noexcept RT_NONBLOCKING {
  const ExecutorState& state = scan.state;
  if (state.step_entered == 0 || !has_software_cv(current_step(scan))) return false;
  const StepPlan& plan = state.plan;
  return plan.software_cv_A > plan.software_cv_min_A && plan.software_cv_A < plan.software_cv_max_A;
}

}  // namespace cyclerd::profiles::detail
