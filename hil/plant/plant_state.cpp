// What a plant shows, tells and remembers.
#include <algorithm>
#include <cmath>

#include "hil/plant/plant.hpp"

namespace cyclerd::hil {

double Plant::delayed_current_A() const noexcept {
  const double wanted_s = elapsed_s_ - config_.current_delay.seconds();
  // Newest first; the first that is old enough, and the straight line to the one after it.
  Past younger{elapsed_s_, current_A_};
  for (std::size_t back = 1; back <= past_.size(); ++back) {
    const Past& p = past_[(past_next_ + past_.size() - back) % past_.size()];
    if (p.elapsed_s <= wanted_s) {
      const double span_s = younger.elapsed_s - p.elapsed_s;
      if (span_s <= 0.0) return p.current_A;
      return p.current_A + (younger.current_A - p.current_A) * (wanted_s - p.elapsed_s) / span_s;
    }
    younger = p;
  }
  return younger.current_A;
}

void Plant::set_soc(double soc) noexcept {
  cell_->reset({soc, cell_->readout().core_degC});
  start_request();
}

Measurement Plant::measure() noexcept {
  Measurement m;
  m.time = time_;
  const double current_A = config_.current_delay.us > 0 ? delayed_current_A() : current_A_;
  m.voltage_V = metered(voltage_V_, config_.voltage, noise_);
  m.current_A = metered(current_A, config_.current, noise_);
  m.temperature_degC = metered(cell_->readout().surface_degC, config_.temperature, noise_);
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
  t.voltage_V = voltage_V_;
  t.current_A = current_A_;
  t.charge_C = charge_C_;
  t.energy_J = energy_J_;
  t.mode_since_s = mode_since_s_;
  t.output_changed = output_changed_;
  t.lie_shown = faults_.shown;
  t.cell = cell_->readout();
  return t;
}

PlantSnapshot Plant::snapshot() const {
  PlantSnapshot s;
  s.version = PlantSnapshot::kVersion;
  s.alarms = alarms_;
  s.cell = cell_->snapshot();
  s.request = request_;
  s.mode = mode_;
  s.settled = settled_;
  s.time = time_;
  s.start = start_;
  s.output_changed = output_changed_;
  s.current_A = current_A_;
  s.mode_since_s = mode_since_s_;
  s.charge_C = charge_C_;
  s.energy_J = energy_J_;
  s.protection = protection_;
  s.watchdog = watchdog_;
  s.fed = fed_;
  s.noise_state = noise_.state();
  return s;
}

bool Plant::restore(const PlantSnapshot& s) noexcept {
  if (s.version != PlantSnapshot::kVersion || check_request(s.request, config_.stage) != Refusal::none) return false;
  for (double x : {s.current_A, s.mode_since_s, s.charge_C, s.energy_J}) {
    if (!std::isfinite(x)) return false;
  }
  if (!cell_->restore(s.cell)) return false;
  alarms_ = s.alarms;
  request_ = s.request;
  executed_ = as_executed(request_, config_.stage);
  mode_ = s.mode;
  settled_ = s.settled;
  time_ = s.time;
  start_ = s.start;
  output_changed_ = s.output_changed;
  elapsed_s_ = (time_ - start_).seconds();
  current_A_ = s.current_A;
  mode_since_s_ = s.mode_since_s;
  charge_C_ = s.charge_C;
  energy_J_ = s.energy_J;
  protection_ = s.protection;
  watchdog_ = s.watchdog;
  fed_ = s.fed;
  noise_.set_state(s.noise_state);
  voltage_V_ = cell_->terminal(current_A_).voltage_V(current_A_);
  switches_here_ = 0;
  past_.fill({});
  return true;
}

}  // namespace cyclerd::hil
