// Equations: the usual Thevenin circuit with exact exponential steps; hysteresis after Plett, J. Power Sources 134
// (2004) 252. A current that runs in a straight line through a step is integrated exactly as well.
#include "hil/cells/ecm_cell.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "protocols/base/check.hpp"

namespace cyclerd::hil {
namespace {

constexpr std::uint32_t kModel = 0x45434D31;  // "ECM1"
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kValues = 8 + kMaxRc;
constexpr double kKelvin = 273.15;
// Bounds inside which numbers mean something; reaching one is flagged.
constexpr double kSocMin = -1.0, kSocMax = 2.0;
constexpr double kTemperatureMin_degC = -80.0, kTemperatureMax_degC = 400.0;
constexpr double kRcMax_V = 1e3;
constexpr double kCurrentMax_A = 1e6;
constexpr double kStepMax_s = 1e7;
constexpr double kHeatMax_W = 1e9;

bool usable(double x, double bound) {
  return std::isfinite(x) && std::abs(x) <= bound;
}

}  // namespace

EcmCell::EcmCell(std::shared_ptr<const EcmSet> set, const CellStart& start) : set_(std::move(set)) {
  ENSURE(set_ && set_->branches.size() <= kMaxRc && set_->capacity_C > 0.0, "a cell set that the loader must refuse");
  ambient_degC_ = start.temperature_degC;
  reset(start);
}

void EcmCell::reset(const CellStart& start) noexcept {
  if (!usable(start.soc, kSocMax) || !usable(start.temperature_degC, kTemperatureMax_degC)) {
    state_.flags |= cell_flag::kBadInput;
    return;
  }
  State fresh;
  fresh.soc = start.soc;
  fresh.hysteresis = std::isfinite(start.hysteresis) ? start.hysteresis : 0.0;
  fresh.temperature = {start.temperature_degC, start.temperature_degC, start.temperature_degC};
  fresh.heat_J = state_.heat_J;
  hold_in_bounds(fresh);
  state_ = fresh;
  now_ = terminal_of(state_);
  proposed_ = state_;
  proposed_now_ = now_;
}

void EcmCell::set_ambient(double ambient_degC) noexcept {
  if (usable(ambient_degC, kTemperatureMax_degC)) {
    ambient_degC_ = ambient_degC;
  } else {
    state_.flags |= cell_flag::kBadInput;
  }
}

void EcmCell::set_extra_heat(double heat_W) noexcept {
  if (usable(heat_W, kHeatMax_W)) {
    extra_heat_W_ = heat_W;
  } else {
    state_.flags |= cell_flag::kBadInput;
  }
}

const EcmCell::Factors& EcmCell::factors(double dt_s) noexcept {
  for (const Factors& f : cache_) {
    if (f.dt_s == dt_s) return f;
  }
  Factors& f = cache_[next_in_cache_];
  next_in_cache_ = (next_in_cache_ + 1) % cache_.size();
  f.dt_s = dt_s;
  for (std::size_t j = 0; j < set_->branches.size(); ++j) {
    const double x = dt_s / set_->branches[j].tau_s.values()[0];
    const double gone = -std::expm1(-x);
    // 1 - (1 - e^-x)/x: the share of the end current; a series where the difference would cancel.
    const double end = x < 1e-3 ? x * (0.5 - x * (1.0 / 6.0 - x / 24.0)) : 1.0 - gone / x;
    f.decay[j] = 1.0 - gone;
    f.weight_end[j] = end;
    f.weight_start[j] = gone - end;
  }
  if (set_->thermal) f.thermal = thermal_factors(*set_->thermal, dt_s);
  return f;
}

Affine EcmCell::terminal_of(State& state) const noexcept {
  const EcmSet& set = *set_;
  Axis::Place place = set.ocv_V.soc().locate(state.soc, true);
  if (place.outside) state.flags |= place.fraction < 0.0 ? cell_flag::kSocBelow : cell_flag::kSocAbove;
  const double temperature_degC = state.temperature.core_degC;
  double emf = set.ocv_V.at(place, {});
  emf += (temperature_degC - set.reference_degC) * set.entropic_V_per_K.clamped(state.soc);
  emf += set.hysteresis_V.at(set.hysteresis_V.soc().locate(state.soc, false), {}) * state.hysteresis;
  for (std::size_t j = 0; j < set.branches.size(); ++j) emf += state.rc_V[j];
  return {emf, set.series_Ohm.at(state.soc, temperature_degC, state.flags)};
}

double EcmCell::charge_C(double start_A, double end_A, double dt_s) const noexcept {
  const double eta = set_->charge_efficiency.values()[0];
  if (eta == 1.0 || (start_A <= 0.0 && end_A <= 0.0)) return 0.5 * (start_A + end_A) * dt_s;
  if (start_A >= 0.0 && end_A >= 0.0) return eta * 0.5 * (start_A + end_A) * dt_s;
  const double crossing_s = dt_s * start_A / (start_A - end_A);
  const double before = 0.5 * start_A * crossing_s;
  const double after = 0.5 * end_A * (dt_s - crossing_s);
  return (before > 0.0 ? eta : 1.0) * before + (after > 0.0 ? eta : 1.0) * after;
}

double EcmCell::hysteresis_after(double h, double start_A, double end_A, double dt_s) const noexcept {
  if (set_->hysteresis_rate == 0.0) return h;
  // Of charge moved only, so exact for any current that keeps its sign; one that crosses zero is taken in two parts.
  auto move = [&](double from, double charge) {
    const double keep = std::exp(-set_->hysteresis_rate * std::abs(charge) / set_->capacity_C);
    return charge >= 0.0 ? 1.0 - (1.0 - from) * keep : -1.0 + (1.0 + from) * keep;
  };
  if (start_A * end_A >= 0.0) return move(h, charge_C(start_A, end_A, dt_s));
  const double crossing_s = dt_s * start_A / (start_A - end_A);
  return move(move(h, charge_C(start_A, 0.0, crossing_s)), charge_C(0.0, end_A, dt_s - crossing_s));
}

void EcmCell::advance(State& next, double start_A, double end_A, const Factors& f) const noexcept {
  const EcmSet& set = *set_;
  const double charge = charge_C(start_A, end_A, f.dt_s);
  const double middle_soc = next.soc + 0.5 * charge / set.capacity_C;
  const double core_degC = next.temperature.core_degC;
  const double mean_A = 0.5 * (start_A + end_A);

  double overvoltage = 0.0;  // without the ohmic part, mean of the step
  for (std::size_t j = 0; j < set.branches.size(); ++j) {
    const double ohm = set.branches[j].resistance_Ohm.at(middle_soc, core_degC, next.flags);
    const double before = next.rc_V[j];
    next.rc_V[j] = f.decay[j] * before + ohm * (f.weight_start[j] * start_A + f.weight_end[j] * end_A);
    overvoltage += 0.5 * (before + next.rc_V[j]);
  }
  const double h_before = next.hysteresis;
  next.hysteresis = hysteresis_after(h_before, start_A, end_A, f.dt_s);
  overvoltage +=
      set.hysteresis_V.at(set.hysteresis_V.soc().locate(middle_soc, false), {}) * 0.5 * (h_before + next.hysteresis);
  next.soc += charge / set.capacity_C;

  const double mean_square = (start_A * start_A + start_A * end_A + end_A * end_A) / 3.0;
  next.heat_W = mean_A * overvoltage + now_.resistance_Ohm * mean_square +
                mean_A * (core_degC + kKelvin) * set.entropic_V_per_K.clamped(middle_soc);
  next.heat_J += next.heat_W * f.dt_s;
  if (set.thermal) {
    next.temperature =
        thermal_step(*set.thermal, f.thermal, next.temperature, next.heat_W + extra_heat_W_, ambient_degC_);
  } else {
    next.temperature = {ambient_degC_, ambient_degC_, ambient_degC_};
  }
}

void EcmCell::hold_in_bounds(State& next) const noexcept {
  auto hold = [&next](double& x, double low, double high, std::uint32_t flag) {
    if (x >= low && x <= high) return;
    x = x > high ? high : low;
    next.flags |= flag;
  };
  hold(next.soc, kSocMin, kSocMax, cell_flag::kModelLimit);
  for (double& v : next.rc_V) hold(v, -kRcMax_V, kRcMax_V, cell_flag::kModelLimit);
  hold(next.hysteresis, -1.0, 1.0, cell_flag::kModelLimit);
  hold(next.temperature.core_degC, kTemperatureMin_degC, kTemperatureMax_degC, cell_flag::kTemperatureLimit);
  hold(next.temperature.surface_degC, kTemperatureMin_degC, kTemperatureMax_degC, cell_flag::kTemperatureLimit);
}

double EcmCell::propose(double start_A, double end_A, double dt_s) noexcept {
  proposed_ = state_;
  if (!usable(start_A, kCurrentMax_A) || !usable(end_A, kCurrentMax_A) || !usable(dt_s, kStepMax_s) || dt_s < 0.0) {
    proposed_.flags |= cell_flag::kBadInput;
    proposed_now_ = now_;
    return now_.emf_V;
  }
  if (dt_s > 0.0) {
    advance(proposed_, start_A, end_A, factors(dt_s));
    hold_in_bounds(proposed_);
  }
  proposed_now_ = terminal_of(proposed_);
  return proposed_now_.voltage_V(end_A);
}

void EcmCell::commit() noexcept {
  state_ = proposed_;
  now_ = proposed_now_;
}

Affine EcmCell::terminal_after(double start_A, double /*near_A*/, double dt_s) noexcept {
  if (!usable(start_A, kCurrentMax_A) || !usable(dt_s, kStepMax_s) || dt_s <= 0.0) return now_;
  const EcmSet& set = *set_;
  const Factors& f = factors(dt_s);
  Axis::Place place = set.ocv_V.soc().locate(state_.soc, true);
  const double slope_V_per_A = set.ocv_V.slope(place, {}) * 0.5 * dt_s / set.capacity_C;
  std::uint32_t ignored = 0;
  Affine end = now_;
  end.emf_V += slope_V_per_A * start_A;
  end.resistance_Ohm += slope_V_per_A;
  for (std::size_t j = 0; j < set.branches.size(); ++j) {
    const double ohm = set.branches[j].resistance_Ohm.at(state_.soc, state_.temperature.core_degC, ignored);
    end.emf_V += (f.decay[j] - 1.0) * state_.rc_V[j] + ohm * f.weight_start[j] * start_A;
    end.resistance_Ohm += ohm * f.weight_end[j];
  }
  return end;
}

CellReadout EcmCell::readout() const noexcept {
  CellReadout out;
  out.soc = state_.soc;
  out.ocv_V = set_->ocv_V.at(set_->ocv_V.soc().locate(state_.soc, true), {}) +
              (state_.temperature.core_degC - set_->reference_degC) * set_->entropic_V_per_K.clamped(state_.soc);
  out.hysteresis = state_.hysteresis;
  out.core_degC = state_.temperature.core_degC;
  out.surface_degC = state_.temperature.surface_degC;
  out.heat_W = state_.heat_W;
  out.heat_J = state_.heat_J;
  if (set_->thermal) {
    out.heat_to_ambient_W =
        set_->thermal->surface_to_ambient_W_per_K * (state_.temperature.surface_degC - ambient_degC_);
  }
  out.capacity_C = set_->capacity_C;
  out.flags = state_.flags;
  return out;
}

CellSnapshot EcmCell::snapshot() const {
  CellSnapshot s;
  s.model = kModel;
  s.version = kVersion;
  s.set_fingerprint = set_->fingerprint;
  s.flags = state_.flags;
  s.value = {state_.soc,
             state_.hysteresis,
             state_.temperature.core_degC,
             state_.temperature.surface_degC,
             state_.heat_W,
             state_.heat_J,
             ambient_degC_,
             extra_heat_W_};
  s.value.insert(s.value.end(), state_.rc_V.begin(), state_.rc_V.end());
  return s;
}

bool EcmCell::restore(const CellSnapshot& s) noexcept {
  if (s.model != kModel || s.version != kVersion || s.set_fingerprint != set_->fingerprint) return false;
  if (s.value.size() != kValues) return false;
  for (double x : s.value) {
    if (!std::isfinite(x)) return false;
  }
  state_ = {};
  state_.soc = s.value[0];
  state_.hysteresis = s.value[1];
  state_.temperature = {s.value[2], s.value[3], s.value[3]};
  state_.heat_W = s.value[4];
  state_.heat_J = s.value[5];
  ambient_degC_ = s.value[6];
  extra_heat_W_ = s.value[7];
  for (std::size_t j = 0; j < kMaxRc; ++j) state_.rc_V[j] = s.value[8 + j];
  state_.flags = s.flags;
  now_ = terminal_of(state_);
  proposed_ = state_;
  proposed_now_ = now_;
  return true;
}

}  // namespace cyclerd::hil
