// What the driver does for chambers alone: their limits, and ramps for controllers that have none.
#include <algorithm>
#include <cmath>

#include "protocols/device/scripted_device_class.hpp"

namespace cyclerd::device {

using base::ErrorCode;
using base::FixedText;
using base::kAbsent;
using base::Status;

Status ScriptedDevice::inside_limits(const base::ChamberSetpoint& s) const {
  const double min = capability_.temperature_min_degC;
  const double max = capability_.temperature_max_degC;
  if (s.temperature_degC >= min && s.temperature_degC <= max && s.ramp_K_per_min >= 0.0) return {};
  FixedText<200> detail{"a set-point of "};
  detail.append(s.temperature_degC).append(" degC with ").append(s.ramp_K_per_min).append(" K/min is refused: ");
  detail.append("this chamber takes ").append(min).append(" to ").append(max);
  detail.append(" degC; change the profile, or the limits set at the chamber");
  return base::failure(ErrorCode::invalid, link_->name(), detail.view());
}

// A ramp begins where the air is; a new one of a chamber that runs goes on from the set-point in force.
Status ScriptedDevice::begin_ramp(const base::ChamberSetpoint& s, double& first_degC) {
  double from_degC = last_output_on_ != 0 ? commanded_degC_ : kAbsent;
  if (std::isnan(from_degC)) {
    TRY(resynchronise());
    base::Reading reading;
    TRY(link_->scan(reading.sent, reading.received));
    fill(reading);
    from_degC = reading.chamber_degC;
  }
  if (std::isnan(from_degC))
    return base::failure(ErrorCode::mismatch, link_->name(), "no ramp without a measured air temperature");
  first_degC = std::clamp(from_degC, capability_.temperature_min_degC, capability_.temperature_max_degC);
  ramp_.begin(first_degC, s.temperature_degC, s.ramp_K_per_min * facts(Field::ramp_K_per_min).factor, clock_.now());
  return {};
}

// The next step of a ramp that the host makes; never for a chamber that was stopped or taken over by somebody.
Status ScriptedDevice::follow_ramp(const base::Reading& reading) {
  if (!ramp_.active()) return {};
  if (!open_ || reading.output_on == 0 || reading.remote == 0) {
    ramp_.stop();
    return {};
  }
  const auto next_degC = ramp_.due(clock_.now());
  if (!next_degC) return {};
  FieldValues fields = no_fields();
  set(fields, Field::temperature_degC, *next_degC);
  const Status done = apply_sequence(SequenceId::condition, fields);
  if (done)
    commanded_degC_ = *next_degC;
  else
    ramp_.stop();
  return done;
}

Status ScriptedDevice::apply(const base::ChamberSetpoint& s) {
  const double was_at_degC = ramp_.active() ? ramp_.at(clock_.now()) : commanded_degC_;
  ramp_.stop();
  FieldValues fields = no_fields();
  if (s.run == 0) return apply_sequence(SequenceId::off, fields);
  if (!open_ || !d_->has(SequenceId::condition)) return apply_sequence(SequenceId::condition, fields);  // says so
  TRY(inside_limits(s));
  double first_degC = s.temperature_degC;
  commanded_degC_ = was_at_degC;
  if (!ramps_itself_ && s.ramp_K_per_min > 0.0) TRY(begin_ramp(s, first_degC));
  set(fields, Field::temperature_degC, first_degC);
  set(fields, Field::ramp_K_per_min, s.ramp_K_per_min);
  const Status done = apply_sequence(SequenceId::condition, fields);
  if (done)
    commanded_degC_ = first_degC;
  else
    ramp_.stop();
  return done;
}

}  // namespace cyclerd::device
