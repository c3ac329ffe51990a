// How a TransportCell comes to its next state.
#pragma once

#include <algorithm>
#include <cmath>

#include "hil/cells/transport_cell.hpp"

namespace cyclerd::hil {

template <class Transport>
void TransportCell<Transport>::place(Full& f, double soc, double degC) noexcept {
  InsertionState& c = f.s.common;
  StoichiometryWindow w{p_->negative.empty, p_->positive.empty, p_->negative.full, p_->positive.full};
  if (c.ageing.sei_m > 0.0 || c.ageing.negative_share < 1.0 || c.ageing.positive_share < 1.0) w = window_of(f);
  const double x = w.negative_empty + soc * (w.negative_full - w.negative_empty);
  const double y = w.positive_empty + soc * (w.positive_full - w.positive_empty);
  const double x_held = std::clamp(x, 0.0, 1.0), y_held = std::clamp(y, 0.0, 1.0);
  if (x_held != x || y_held != y) f.flags |= cell_flag::kModelLimit;
  transport_.rest(f.s.transport, x_held, y_held);
  c.temperature = {degC, degC, degC};
  hold_temperatures(f);
  c.heat_W = c.heat_due_J = c.last_A = c.drift_V_per_s = 0.0;
  c.since_jump_s = 1e6;
}

template <class Transport>
void TransportCell<Transport>::refresh(Full& f) noexcept {
  InsertionState& c = f.s.common;
  const double warm_degC = std::min(c.temperature.core_degC, kChemistryMax_degC);
  if (warm_degC != c.temperature.core_degC) f.flags |= cell_flag::kModelLimit;
  if (f.now.warmth.core_degC != warm_degC) f.now.warmth = warmth_at(*p_, warm_degC);
  transport_.look(f.s.transport, f.now.warmth, f.now);
  f.negative_mean = transport_.negative_mean(f.s.transport);
  f.positive_mean = transport_.positive_mean(f.s.transport);
  f.ocv_V = open_circuit_V(p_->positive, f.positive_mean, f.now.warmth.above_reference_K) -
            open_circuit_V(p_->negative, f.negative_mean, f.now.warmth.above_reference_K);
  f.entropic_V_per_K =
      p_->positive.entropic_V_per_K.at(f.positive_mean) - p_->negative.entropic_V_per_K.at(f.negative_mean);
  if (p_->set.hysteresis) {
    const double soc = (p_->positive.empty - f.positive_mean) / (p_->positive.empty - p_->positive.full);
    f.gap_V = p_->half_gap_V.at(soc) * c.hysteresis;
  }
  if (f.now.salt.depleted) f.flags |= cell_flag::kModelLimit;
  f.answer = answer_at(*p_, c.ageing, f.now, f.gap_V, c.last_A, f.flags);
}

template <class Transport>
void TransportCell<Transport>::run(Full& f, double start_A, double end_A, double dt_s) noexcept {
  InsertionState& c = f.s.common;
  if (std::abs(start_A - c.last_A) > kJump * p_->one_C_A) c.since_jump_s = 0.0;
  if (start_A != c.last_A) {
    c.last_A = start_A;
    std::uint32_t ignored = 0;
    f.answer = answer_at(*p_, c.ageing, f.now, f.gap_V, start_A, ignored);
  }
  const double start_V = f.answer.voltage_V;
  const double before_J = c.heat_J;
  const double coarse_s = dt_s / kSubsteps;
  double left_s = dt_s;
  double from_A = start_A;
  while (left_s > 0.0) {
    double h_s = transport_.substep_s(dt_s, c.since_jump_s);
    if (h_s < coarse_s) {
      h_s = coarse_s;
      if (coarse_s > Transport::kCoarse_s && start_A != 0.0) f.flags |= cell_flag::kModelLimit;
    }
    if (h_s > left_s * (1.0 - 1e-9)) h_s = left_s;
    left_s -= h_s;
    const double to_A = left_s > 0.0 ? end_A + (start_A - end_A) * (left_s / dt_s) : end_A;
    substep(f, from_A, to_A, h_s);
    from_A = to_A;
  }
  if (std::abs(end_A - start_A) > kJump * p_->one_C_A) c.since_jump_s = dt_s;
  c.heat_W = (c.heat_J - before_J) / dt_s;
  c.drift_V_per_s = (f.answer.voltage_V - start_V - f.answer.resistance_Ohm * (end_A - start_A)) / dt_s;
}

// The heat of a sub-step is only known with its end, whose voltage depends on the temperature. So it warms by the
// power at its start, and what that was wrong is made good in the next one: no heat is lost.
template <class Transport>
void TransportCell<Transport>::substep(Full& f, double from_A, double to_A, double h_s) noexcept {
  InsertionState& c = f.s.common;
  const double mean_A = 0.5 * (from_A + to_A);
  const double start_W = heat_W(f, f.answer.voltage_V, from_A);
  Fluxes g;
  g.positive_start = positive_flux(*p_, c.ageing, from_A);
  g.positive_end = positive_flux(*p_, c.ageing, to_A);
  if (p_->side.none()) {
    g.negative_start = negative_flux(*p_, c.ageing, from_A);
    g.negative_end = negative_flux(*p_, c.ageing, to_A);
  } else {
    g.negative_start = g.negative_end = react(*p_, c.ageing, f.now, mean_A, h_s);
  }
  if (!transport_.advance(f.s.transport, g, mean_A, f.now.warmth, h_s)) f.flags |= cell_flag::kModelLimit;
  if (p_->ages) {
    lose_material(*p_, c.ageing, f.now.warmth.kelvin, transport_.negative_mean(f.s.transport),
                  transport_.positive_mean(f.s.transport), mean_A, h_s);
  }
  c.hysteresis = hysteresis_after(*p_, c.hysteresis, from_A, to_A, h_s);
  warm(f, start_W + c.heat_due_J / h_s, h_s);
  c.last_A = to_A;
  c.since_jump_s = std::min(c.since_jump_s + h_s, 1e6);
  refresh(f);
  const double made_J = 0.5 * (start_W + heat_W(f, f.answer.voltage_V, to_A)) * h_s;
  c.heat_J += made_J;
  c.heat_due_J = made_J - start_W * h_s;
}

template <class Transport>
void TransportCell<Transport>::warm(Full& f, double heat_W, double h_s) noexcept {
  InsertionState& c = f.s.common;
  if (thermal_) {
    if (h_s != factors_s_) {
      factors_s_ = h_s;
      factors_ = thermal_factors(*thermal_, h_s);
    }
    c.temperature = thermal_step(*thermal_, factors_, c.temperature, heat_W + extra_heat_W_, ambient_degC_);
  } else {
    c.temperature = {ambient_degC_, ambient_degC_, ambient_degC_};
  }
  hold_temperatures(f);
}

template <class Transport>
void TransportCell<Transport>::hold_temperatures(Full& f) noexcept {
  Temperatures& now = f.s.common.temperature;
  for (double* t : {&now.core_degC, &now.surface_degC, &now.fixture_degC}) {
    if (*t >= kTemperatureMin_degC && *t <= kTemperatureMax_degC) continue;
    *t = *t > kTemperatureMax_degC ? kTemperatureMax_degC : kTemperatureMin_degC;
    f.flags |= cell_flag::kTemperatureLimit;
  }
}

}  // namespace cyclerd::hil
