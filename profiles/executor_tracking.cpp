// How well a `follow` was followed: the error of what was measured, the time in which the wish could not be met, and
// the charge or energy that was asked for against what flowed.
#include <cmath>

#include "profiles/executor_scan.hpp"

namespace cyclerd::profiles::detail {

namespace {

constexpr int kDigits = 3;

struct Measure {
  const char* unit;        // of the waveform's quantity
  const char* moved_unit;  // of its integral; nullptr: it has none that is kept
  base::Regulation regulation;
};

Measure measure_of(WaveformQuantity quantity) noexcept RT_NONBLOCKING {
  switch (quantity) {
    case WaveformQuantity::power: return {" W", " Wh", base::Regulation::power};
    case WaveformQuantity::voltage: return {" V", nullptr, base::Regulation::voltage};
    case WaveformQuantity::current:
    case WaveformQuantity::c_rate: break;
  }
  return {" A", " Ah", base::Regulation::current};
}

double measured(const base::Sample& sample, WaveformQuantity quantity) noexcept RT_NONBLOCKING {
  switch (quantity) {
    case WaveformQuantity::power: return sample.voltage_V * sample.current_A;
    case WaveformQuantity::voltage: return sample.voltage_V;
    case WaveformQuantity::current:
    case WaveformQuantity::c_rate: break;
  }
  return sample.current_A;
}

double asked(const base::Setpoint& setpoint) noexcept RT_NONBLOCKING {
  switch (setpoint.control) {
    case base::Control::power: return setpoint.power_W;
    case base::Control::voltage: return setpoint.voltage_V;
    default: return setpoint.current_A;
  }
}

// Net charge or energy that flowed in the step.
double moved(const Throughput& t, WaveformQuantity quantity) noexcept RT_NONBLOCKING {
  return quantity == WaveformQuantity::power ? t.charge_J - t.discharge_J : t.charge_C - t.discharge_C;
}

using Part = base::FixedText<40>;

// A part stands whole or not at all.
void append_part(base::FixedText<78>& text, const Part& part) noexcept RT_NONBLOCKING {
  constexpr std::size_t kRoom = 78;
  if (text.view().size() + part.view().size() <= kRoom) text.append(part.view());
}

}  // namespace

void track(Scan& scan, std::int64_t since_us) noexcept RT_NONBLOCKING {
  ExecutorState& state = scan.state;
  if (state.step_entered == 0 || since_us <= 0 || run_state(state) != RunState::running) return;
  const Step& step = current_step(scan);
  Tracking& tracking = state.plan.tracking;
  if (step.kind != StepKind::follow || !std::isfinite(tracking.wished)) return;
  const base::Sample& sample = scan.input.sample;
  const WaveformQuantity quantity = scan.program.waveforms[step.waveform].quantity;
  const Measure measure = measure_of(quantity);
  const double since_s = static_cast<double>(since_us) / 1e6;
  tracking.played_s += since_s;
  tracking.wished_moved += tracking.wished * since_s;
  const bool cut = asked(state.setpoint) != tracking.wished;
  const bool settling = (sample.flags & base::flag::kSettling) != 0;
  const bool known = sample.regulation == base::Regulation::current || sample.regulation == base::Regulation::voltage ||
                     sample.regulation == base::Regulation::power;
  const bool gave_way = known && !settling && sample.regulation != measure.regulation;
  if (cut || gave_way) tracking.limited_s += since_s;
  if (settling) return;  // measured before the wish was known to be in force
  const double error = measured(sample, quantity) - tracking.wished;
  tracking.judged_s += since_s;
  tracking.error_square_s += error * error * since_s;
  if (std::fabs(error) > std::fabs(tracking.worst_error)) tracking.worst_error = error;
}

void report_tracking(Scan& scan, const Step& step, StepSummary& summary) noexcept RT_NONBLOCKING {
  const Tracking& tracking = scan.state.plan.tracking;
  if (!(tracking.judged_s > 0)) return;
  const WaveformQuantity quantity = scan.program.waveforms[step.waveform].quantity;
  const Measure measure = measure_of(quantity);
  const double rms = std::sqrt(tracking.error_square_s / tracking.judged_s);
  const double limited_percent = 100.0 * tracking.limited_s / tracking.played_s;
  base::FixedText<78>& text = summary.reason_text;
  Part part{"; rms "};
  append_part(text, part.append_plain(rms, kDigits).append(measure.unit));
  part = Part{", max "};
  append_part(text, part.append_plain(std::fabs(tracking.worst_error), kDigits).append(measure.unit));
  part = Part{", limited "};
  append_part(text, part.append_plain(limited_percent, kDigits).append(" %"));
  const double moved_hours = moved(summary.throughput, quantity) / 3600.0;
  const double wished_hours = tracking.wished_moved / 3600.0;
  if (measure.moved_unit != nullptr) {
    part = Part{", "};
    append_part(text, part.append_plain(moved_hours, kDigits)
                          .append(" of ")
                          .append_plain(wished_hours, kDigits)
                          .append(measure.moved_unit));
  }
  base::FixedText<206> note{"measured - wished: "};
  note.append(rms).append(measure.unit).append(" rms, ");
  note.append(tracking.worst_error).append(measure.unit).append(" at worst; limited for ").append(limited_percent);
  note.append(" % of ").append(tracking.played_s).append(" s");
  if (measure.moved_unit != nullptr) {
    note.append("; moved ").append(moved_hours).append(measure.moved_unit).append(" of ").append(wished_hours);
    note.append(measure.moved_unit).append(" that the waveform asked for");
  }
  say(scan, base::EventKind::note, summary.name.view(), note.view(), rms, tracking.worst_error);
}

}  // namespace cyclerd::profiles::detail
