#include "hil/cells/lithium_sulfur_cell.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "protocols/base/check.hpp"

namespace cyclerd::hil {
namespace {

constexpr std::uint32_t kModel = 0x4C495331;  // "LIS1"
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kValues = 13;
constexpr double kCurrentMax_A = 1e6, kStepMax_s = 1e7, kHeatMax_W = 1e9;
constexpr double kTemperatureMin_degC = -80.0, kTemperatureMax_degC = 1500.0;
// Of the current taken by decomposition: below it is rounding.
constexpr double kDecomposing = 1e-3;

bool usable(double x, double bound) {
  return std::isfinite(x) && std::abs(x) <= bound;
}

}  // namespace

LithiumSulfurCell::LithiumSulfurCell(std::shared_ptr<const LithiumSulfurSet> set, const CellStart& start)
    : set_(std::move(set)) {
  ENSURE(set_ && set_->full_C > 0.0, "a cell set that the loader must refuse");
  state_.mass_g = set_->full_g;
  if (usable(start.temperature_degC, kTemperatureMax_degC)) ambient_degC_ = start.temperature_degC;
  reset(start);
}

void LithiumSulfurCell::reset(const CellStart& start) noexcept {
  if (!usable(start.soc, 2.0) || !usable(start.temperature_degC, kTemperatureMax_degC)) {
    state_.flags |= cell_flag::kBadInput;
    return;
  }
  State fresh;
  if (start.soc == 1.0) {
    fresh.mass_g = set_->full_g;
  } else {
    fresh.mass_g = set_->chemistry.rested(start.soc * set_->full_C, set_->full_g, set_->full_g[kPrecipitate]);
    if (start.soc < 0.0) fresh.flags |= cell_flag::kSocBelow;
    if (start.soc > 1.0) fresh.flags |= cell_flag::kSocAbove;
  }
  fresh.temperature = {start.temperature_degC, start.temperature_degC};
  fresh.heat_J = state_.heat_J;
  if (usable(start.cooling_factor, 1e3) && start.cooling_factor > 0.0) cooling_factor_ = start.cooling_factor;
  state_ = fresh;
  proposed_ = state_;
}

void LithiumSulfurCell::set_ambient(double ambient_degC) noexcept {
  if (usable(ambient_degC, kTemperatureMax_degC)) {
    ambient_degC_ = ambient_degC;
  } else {
    state_.flags |= cell_flag::kBadInput;
  }
}

void LithiumSulfurCell::set_extra_heat(double heat_W) noexcept {
  if (usable(heat_W, kHeatMax_W)) {
    extra_heat_W_ = heat_W;
  } else {
    state_.flags |= cell_flag::kBadInput;
  }
}

Affine LithiumSulfurCell::terminal(double near_A) const noexcept {
  if (!usable(near_A, kCurrentMax_A)) near_A = 0.0;
  const SulfurInstant x = set_->chemistry.at(state_.mass_g, -near_A);
  return {x.voltage_V - x.resistance_Ohm * near_A, x.resistance_Ohm};
}

// Two ends of the step, a thousandth of 1C apart. In the rise after the dip between the plateaus a longer step with
// more discharge current ends higher: there the tangent would fall, and the resistance of the instant is given.
Affine LithiumSulfurCell::terminal_after(double start_A, double near_A, double dt_s) noexcept {
  if (!usable(start_A, kCurrentMax_A) || !usable(near_A, kCurrentMax_A) || !usable(dt_s, kStepMax_s) || dt_s <= 0.0)
    return terminal(near_A);
  auto end_at = [&](double end_A) {
    SulfurMasses mass_g = state_.mass_g;
    double try_s = state_.try_s;
    set_->chemistry.advance(mass_g, try_s, -start_A, -end_A, dt_s);
    return set_->chemistry.at(mass_g, -end_A);
  };
  const double apart_A = 1e-3 * set_->full_C / 3600.0;
  const SulfurInstant here = end_at(near_A);
  const double tangent_Ohm = (end_at(near_A + apart_A).voltage_V - here.voltage_V) / apart_A;
  const double ohm = tangent_Ohm > 0.1 * here.resistance_Ohm ? tangent_Ohm : here.resistance_Ohm;
  return {here.voltage_V - ohm * near_A, ohm};
}

// The proposal's temperatures, from its mean heat.
void LithiumSulfurCell::warm(double dt_s) noexcept {
  if (set_->thermal) {
    ThermalSet thermal = *set_->thermal;
    thermal.surface_to_ambient_W_per_K *= cooling_factor_;
    proposed_.temperature = thermal_step(thermal, thermal_factors(thermal, dt_s), proposed_.temperature,
                                         proposed_.heat_W + extra_heat_W_, ambient_degC_);
  } else {
    proposed_.temperature = {ambient_degC_, ambient_degC_};
  }
  for (double* t : {&proposed_.temperature.core_degC, &proposed_.temperature.surface_degC}) {
    if (*t >= kTemperatureMin_degC && *t <= kTemperatureMax_degC) continue;
    *t = *t > kTemperatureMax_degC ? kTemperatureMax_degC : kTemperatureMin_degC;
    proposed_.flags |= cell_flag::kTemperatureLimit;
  }
}

double LithiumSulfurCell::propose(double start_A, double end_A, double dt_s) noexcept {
  proposed_ = state_;
  if (!usable(start_A, kCurrentMax_A) || !usable(end_A, kCurrentMax_A) || !usable(dt_s, kStepMax_s) || dt_s < 0.0) {
    proposed_.flags |= cell_flag::kBadInput;
    return terminal(0.0).emf_V;
  }
  if (dt_s > 0.0) {
    const auto done = set_->chemistry.advance(proposed_.mass_g, proposed_.try_s, -start_A, -end_A, dt_s);
    const double moved_C = 0.5 * (std::abs(start_A) + std::abs(end_A)) * dt_s;
    if (!done.whole || done.decomposed_C > kDecomposing * moved_C + 1e-9) proposed_.flags |= cell_flag::kModelLimit;
    proposed_.heat_W = done.heat_J / dt_s;
    proposed_.heat_J += done.heat_J;
    warm(dt_s);
  }
  return set_->chemistry.at(proposed_.mass_g, -end_A).voltage_V;
}

CellReadout LithiumSulfurCell::readout() const noexcept {
  CellReadout out;
  out.soc = set_->chemistry.charge_C(state_.mass_g) / set_->full_C;
  out.ocv_V = terminal(0.0).emf_V;
  out.core_degC = state_.temperature.core_degC;
  out.surface_degC = state_.temperature.surface_degC;
  out.heat_W = state_.heat_W;
  out.heat_J = state_.heat_J;
  if (set_->thermal) {
    out.heat_to_ambient_W =
        set_->thermal->surface_to_ambient_W_per_K * cooling_factor_ * (state_.temperature.surface_degC - ambient_degC_);
  }
  out.capacity_C = set_->full_C;
  out.flags = state_.flags;
  return out;
}

CellSnapshot LithiumSulfurCell::snapshot() const {
  CellSnapshot s;
  s.model = kModel;
  s.version = kVersion;
  s.set_fingerprint = set_->fingerprint;
  s.flags = state_.flags;
  s.value.assign(state_.mass_g.begin(), state_.mass_g.end());
  s.value.insert(s.value.end(), {state_.try_s, state_.temperature.core_degC, state_.temperature.surface_degC,
                                 state_.heat_W, state_.heat_J, ambient_degC_, extra_heat_W_, cooling_factor_});
  return s;
}

bool LithiumSulfurCell::restore(const CellSnapshot& s) noexcept {
  if (s.model != kModel || s.version != kVersion || s.set_fingerprint != set_->fingerprint) return false;
  if (s.value.size() != kValues) return false;
  for (std::size_t k = 0; k < kValues; ++k) {
    if (!std::isfinite(s.value[k]) || ((k <= 5 || k == 12) && !(s.value[k] > 0.0))) return false;
  }
  std::copy_n(s.value.begin(), state_.mass_g.size(), state_.mass_g.begin());
  state_.try_s = s.value[5];
  state_.temperature = {s.value[6], s.value[7]};
  state_.heat_W = s.value[8];
  state_.heat_J = s.value[9];
  ambient_degC_ = s.value[10];
  extra_heat_W_ = s.value[11];
  cooling_factor_ = s.value[12];
  state_.flags = s.flags;
  proposed_ = state_;
  return true;
}

}  // namespace cyclerd::hil
