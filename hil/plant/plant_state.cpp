// What a plant shows, tells and remembers; the faults of its rig.
#include <algorithm>
#include <cmath>

#include "hil/plant/plant.hpp"

namespace cyclerd::hil {

void Plant::remember() noexcept {
  if (past_.empty()) return;
  past_[past_next_] = {stepper_.elapsed_s(), stepper_.current_A(),
                       sensed_V(stepper_.current_A(), stepper_.voltage_V())};
  past_next_ = (past_next_ + 1) % past_.size();
}

Plant::Past Plant::past_at(double elapsed_s) const noexcept {
  // Newest first; the first that is old enough, and the straight line to the one after it.
  Past younger{stepper_.elapsed_s(), stepper_.current_A(), sensed_V(stepper_.current_A(), stepper_.voltage_V())};
  for (std::size_t back = 1; back <= past_.size(); ++back) {
    const Past& p = past_[(past_next_ + past_.size() - back) % past_.size()];
    if (p.elapsed_s <= elapsed_s) {
      const double span_s = younger.elapsed_s - p.elapsed_s;
      if (span_s <= 0.0) return p;
      const double part = (elapsed_s - p.elapsed_s) / span_s;
      return {elapsed_s, p.current_A + part * (younger.current_A - p.current_A),
              p.sensed_V + part * (younger.sensed_V - p.sensed_V)};
    }
    younger = p;
  }
  return younger;
}

Measurement Plant::measure() noexcept {
  const std::int64_t period_us = config_.sampling.us;
  const std::int64_t sample = period_us > 0 ? time_.us / period_us : 0;
  if (period_us <= 0 || sample != sampled_) {
    sampled_ = sample;
    last_.time = period_us > 0 ? std::max(start_, base::MonoTime{sample * period_us}) : time_;
    const double then_s = (last_.time - start_).seconds();
    Past seen{then_s, stepper_.current_A(), sensed_V(stepper_.current_A(), stepper_.voltage_V())};
    if (!past_.empty()) {
      seen = past_at(then_s);
      seen.current_A = past_at(then_s - config_.current_delay.seconds()).current_A;
    }
    if (!probe_.lags()) probe_.follow(cell_->readout().surface_degC, 0.0);
    last_.voltage_V = metered(seen.sensed_V, voltage_meter_, noise_);
    last_.current_A = metered(seen.current_A, current_meter_, noise_);
    last_.temperature_degC = metered(probe_.shown_degC(), config_.temperature, noise_);
  }
  Measurement m = last_;
  if (!request_.output_on) m.current_A = 0.0;
  if (faults_.voltage_V) m.voltage_V = *faults_.voltage_V;
  if (faults_.current_A) m.current_A = *faults_.current_A;
  if (faults_.temperature_degC) m.temperature_degC = *faults_.temperature_degC;
  const bool lies = faults_.voltage_V || faults_.current_A || faults_.temperature_degC;
  if (lies && faults_.shown.us == 0) faults_.shown = time_;
  m.power_W = m.voltage_V * m.current_A;
  m.regulation = regulation_of(mode_);
  m.output_on = request_.output_on;
  m.alarms = alarms_;
  return m;
}

Truth Plant::truth() const noexcept {
  Truth t;
  t.time = time_;
  t.output_on = request_.output_on;
  t.mode = mode_;
  t.outcome = outcome_;
  t.voltage_V = stepper_.voltage_V();
  t.terminal_V = terminal_V();
  t.sensed_V = sensed_V(stepper_.current_A(), stepper_.voltage_V());
  t.current_A = stepper_.current_A();
  t.charge_C = stepper_.charge_C();
  t.energy_J = stepper_.energy_J();
  t.mode_since_s = mode_since_s_;
  t.contact_Ohm = contact_Ohm_;
  t.voltage_range = voltage_range_;
  t.current_range = current_range_;
  t.output_changed = output_changed_;
  t.lie_shown = faults_.shown;
  t.cell = cell_->readout();
  return t;
}

// ---- faults

void Plant::set_soc(double soc) noexcept {
  cell_->reset({soc, cell_->readout().core_degC});
  start_request();
}

bool Plant::set_sense_fault(SenseFault fault) noexcept {
  if (!config_.leads.four_wire && fault != SenseFault::none) return false;
  floating_V_ = sensed_V(stepper_.current_A(), stepper_.voltage_V());
  sense_ = fault;
  view_ = view_of(config_.leads, contact_Ohm_, sense_);
  if (gap_s_ <= 0.0) begin_request();
  return true;
}

bool Plant::set_contact(double ohm) noexcept {
  if (!std::isfinite(ohm) || ohm < 0.0) return false;
  contact_Ohm_ = ohm;
  view_ = view_of(config_.leads, contact_Ohm_, sense_);
  if (gap_s_ <= 0.0) begin_request();
  return true;
}

bool Plant::set_joint(double ohm) noexcept {
  if (!std::isfinite(ohm) || ohm < 0.0) return false;
  config_.leads.joint_Ohm = ohm;
  return set_contact(contact_Ohm_);
}

bool Plant::set_instrument_temperature(double degC) noexcept {
  if (!std::isfinite(degC)) return false;
  config_.instrument_degC = degC;
  apply_errors();
  if (gap_s_ <= 0.0) begin_request();
  return true;
}

// ---- snapshots

PlantSnapshot Plant::snapshot() const {
  PlantSnapshot s;
  s.version = PlantSnapshot::kVersion;
  s.alarms = alarms_;
  s.cell = cell_->snapshot();
  s.stepper = stepper_.state();
  s.request = request_;
  s.mode = mode_;
  s.sense = sense_;
  s.probe = probe_.fault;
  s.settled = settled_;
  s.time = time_;
  s.start = start_;
  s.output_changed = output_changed_;
  s.mode_since_s = mode_since_s_;
  s.overshoot_V = overshoot_V_;
  s.gap_s = gap_s_;
  s.contact_Ohm = contact_Ohm_;
  s.joint_Ohm = config_.leads.joint_Ohm;
  s.floating_V = floating_V_;
  s.probe_lagged_degC = probe_.lagged_degC();
  s.probe_last_degC = probe_.last_degC();
  s.instrument_degC = config_.instrument_degC;
  s.voltage_range = voltage_range_;
  s.current_range = current_range_;
  s.protection = protection_;
  s.watchdog = watchdog_;
  s.fed = fed_;
  s.noise_state = noise_.state();
  s.sampled = sampled_;
  s.last = last_;
  return s;
}

bool Plant::restore(const PlantSnapshot& s) noexcept {
  if (s.version != PlantSnapshot::kVersion || check_request(s.request, config_.stage) != Refusal::none) return false;
  for (double x : {s.mode_since_s, s.overshoot_V, s.gap_s, s.contact_Ohm, s.joint_Ohm, s.floating_V,
                   s.probe_lagged_degC, s.probe_last_degC, s.instrument_degC}) {
    if (!std::isfinite(x)) return false;
  }
  if (s.voltage_range >= voltage_ranges_.count() || s.current_range >= current_ranges_.count()) return false;
  const Stepper::State before = stepper_.state();
  if (!stepper_.restore(s.stepper)) return false;
  if (!cell_->restore(s.cell)) {
    (void)stepper_.restore(before);
    return false;
  }
  alarms_ = s.alarms;
  request_ = s.request;
  mode_ = s.mode;
  sense_ = s.sense;
  probe_.fault = s.probe;
  settled_ = s.settled;
  time_ = s.time;
  start_ = s.start;
  output_changed_ = s.output_changed;
  mode_since_s_ = s.mode_since_s;
  overshoot_V_ = s.overshoot_V;
  gap_s_ = s.gap_s;
  contact_Ohm_ = s.contact_Ohm;
  config_.leads.joint_Ohm = s.joint_Ohm;
  config_.instrument_degC = s.instrument_degC;
  floating_V_ = s.floating_V;
  view_ = view_of(config_.leads, contact_Ohm_, sense_);
  probe_.restore(s.probe_lagged_degC, s.probe_last_degC);
  voltage_range_ = s.voltage_range;
  current_range_ = s.current_range;
  apply_errors();
  protection_ = s.protection;
  watchdog_ = s.watchdog;
  fed_ = s.fed;
  noise_.set_state(s.noise_state);
  sampled_ = s.sampled;
  last_ = s.last;
  switches_here_ = 0;
  std::fill(past_.begin(), past_.end(), Past{});
  return true;
}

}  // namespace cyclerd::hil
