// Equations: a Thevenin circuit with exact exponential steps; hysteresis after Plett, J. Power Sources 134 (2004) 252;
// diffusion as the modes of a sphere; charge transfer after Butler and Volmer with equal coefficients. A current that
// runs in a straight line through a step is integrated exactly as well.
#include "hil/cells/ecm_cell.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "protocols/base/check.hpp"

namespace cyclerd::hil {
namespace {

constexpr double kKelvin = 273.15;
constexpr double kGasOverFaraday = 8.314462618 / 96485.33212;  // V/K
// Bounds inside which numbers mean something; reaching one is flagged.
constexpr double kSocMin = -1.0, kSocMax = 2.0;
constexpr double kTemperatureMin_degC = -80.0, kTemperatureMax_degC = 1500.0;
constexpr double kRcMax_V = 1e3;
constexpr double kCurrentMax_A = 1e6;
constexpr double kStepMax_s = 1e7;
constexpr double kHeatMax_W = 1e9;
constexpr double kAheadMax = 5.0;
constexpr double kCoolingMax = 1e4;

bool usable(double x, double bound) {
  return std::isfinite(x) && std::abs(x) <= bound;
}

// In pairs: the processor waits for each addition of a long row.
double sum_of(const std::array<double, kSphereModes>& x) {
  static_assert(kSphereModes == 9);
  return (((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]))) + x[8];
}

// To 2e-14; the library's takes twice as long.
double inverse_sinh(double x) {
  const double y = std::abs(x);
  const double y2 = y * y;
  if (y < 0.02) return x * (1.0 - y2 * (1.0 / 6.0 - y2 * (3.0 / 40.0 - y2 * (15.0 / 336.0))));
  return std::copysign(std::log(y + std::sqrt(y2 + 1.0)), x);
}

double sign_of(double x) {
  return x > 0.0 ? 1.0 : (x < 0.0 ? -1.0 : 0.0);
}

}  // namespace

double CurrentFactor::drive_A(double current_A) const noexcept {
  const double side = current_A > 0.0 ? charge : 1.0;
  return side * over_A.clamped(std::abs(current_A)) * current_A;
}

double CurrentFactor::slope(double current_A) const noexcept {
  const double size = std::abs(current_A);
  const double side = current_A > 0.0 ? charge : 1.0;
  const Axis::Place place = over_A.axis().locate(size, false);
  const double inside = place.outside() ? 0.0 : over_A.slope(place);
  return side * (over_A.at(place) + inside * size);
}

EcmCell::EcmCell(std::shared_ptr<const EcmSet> set, const CellStart& start) : set_(std::move(set)), tables_(*set_) {
  ENSURE(set_->branches.size() <= kMaxRc && set_->capacity_C > 0.0, "a cell set that the loader must refuse");
  plain_ = set_->series_factor.none() && set_->instantaneous_V == 0.0 && (!set_->kinetics || set_->kinetics->tau_s > 0);
  hysteretic_ = !set_->hysteresis_V.zero();
  set_cooling(1.0);
  if (usable(start.temperature_degC, kTemperatureMax_degC)) ambient_degC_ = start.temperature_degC;
  derive(*now_);  // of a start that makes no sense, the default stands
  reset(start);
}

void EcmCell::set_cooling(double factor) noexcept {
  cooling_factor_ = factor;
  thermal_ = set_->thermal;
  if (!thermal_) return;
  thermal_->surface_to_ambient_W_per_K *= factor;
  thermal_->fixture_to_ambient_W_per_K *= factor;
  if (thermal_->has_fixture()) modes_ = thermal_modes(*thermal_);
  for (Factors& f : cache_) f.dt_s = -1.0;
}

void EcmCell::reset(const CellStart& start) noexcept {
  const bool good = usable(start.soc, kSocMax) && usable(start.temperature_degC, kTemperatureMax_degC) &&
                    usable(start.cooling_factor, kCoolingMax) && start.cooling_factor >= 1.0 / kCoolingMax;
  if (!good) {
    now_->flags |= cell_flag::kBadInput;
    return;
  }
  if (start.cooling_factor != cooling_factor_) set_cooling(start.cooling_factor);
  State fresh;
  fresh.soc = start.soc;
  fresh.hysteresis = std::isfinite(start.hysteresis) ? start.hysteresis : 0.0;
  fresh.temperature = {start.temperature_degC, start.temperature_degC, start.temperature_degC};
  fresh.heat_J = now_->heat_J;
  fresh.capacity_factor = now_->capacity_factor;
  fresh.resistance_factor = now_->resistance_factor;
  hold_in_bounds(fresh);
  *now_ = fresh;
  derive(*now_);
  pending_ = false;
}

void EcmCell::set_ambient(double ambient_degC) noexcept {
  if (usable(ambient_degC, kTemperatureMax_degC)) {
    ambient_degC_ = ambient_degC;
  } else {
    now_->flags |= cell_flag::kBadInput;
  }
}

void EcmCell::set_extra_heat(double heat_W) noexcept {
  if (usable(heat_W, kHeatMax_W)) {
    extra_heat_W_ = heat_W;
  } else {
    now_->flags |= cell_flag::kBadInput;
  }
}

const EcmCell::Factors& EcmCell::factors(double dt_s) noexcept {
  for (const Factors& f : cache_) {
    if (f.dt_s == dt_s) return f;
  }
  Factors& f = cache_[next_in_cache_];
  next_in_cache_ = (next_in_cache_ + 1) % cache_.size();
  f.dt_s = dt_s;
  const EcmSet& set = *set_;
  for (std::size_t j = 0; j < set.branches.size(); ++j) {
    if (tables_.tau[j].map == nullptr) f.rc[j] = relaxation(dt_s / set.branches[j].tau_s.values()[0]);
  }
  if (set.kinetics && set.kinetics->tau_s > 0.0) f.faradaic = relaxation(dt_s / set.kinetics->tau_s);
  if (set.diffusion && set.diffusion->tau_s.constant())
    f.sphere = sphere_relaxation(dt_s / set.diffusion->tau_s.values()[0]);
  if (thermal_) f.thermal = thermal_->has_fixture() ? thermal_factors(modes_, dt_s) : thermal_factors(*thermal_, dt_s);
  return f;
}

namespace {

// The entry of a length and a time constant; `make` fills a new one.
template <class Moving, class Make>
const auto& entry_of(Moving& moving, double dt_s, TimeBucket bucket, Make make) {
  for (const auto& e : moving.entry) {
    if (e.dt_s == dt_s && e.bucket == bucket) return e.relaxation;
  }
  auto& e = moving.entry[moving.next];
  moving.next = (moving.next + 1) % moving.entry.size();
  e.dt_s = dt_s;
  e.bucket = bucket;
  e.relaxation = make(dt_s / bucket.tau_s());
  return e.relaxation;
}

}  // namespace

Relaxation EcmCell::branch_relaxation(std::size_t j, const EcmTables::Places& column, const Factors& f) noexcept {
  if (tables_.tau[j].map == nullptr) return f.rc[j];
  const double tau = EcmTables::value(tables_.tau[j], column, now_->derived.warmth);
  return entry_of(moving_rc_[j], f.dt_s, TimeBucket(tau), relaxation);
}

const SphereRelaxation& EcmCell::sphere(double tau_s, const Factors& f) noexcept {
  if (set_->diffusion->tau_s.constant()) return f.sphere;
  return entry_of(moving_sphere_, f.dt_s, TimeBucket(tau_s), sphere_relaxation);
}

void EcmCell::derive(State& state) noexcept {
  const EcmSet& set = *set_;
  Derived& d = state.derived;
  const double temperature_degC = state.temperature.core_degC;
  tables_.warm(temperature_degC, d.warmth);
  double series_Ohm = 0.0;
  if (set.diffusion) {
    tables_.locate(tables_.bulk, state.soc, d.column);
    series_Ohm = EcmTables::value(tables_.series, d.column, d.warmth);
    if (EcmTables::outside(tables_.series, d.column, d.warmth)) state.flags |= cell_flag::kTableClamped;
    tables_.locate(tables_.surface, state.soc + state.ahead_soc, d.column);
  } else {
    tables_.locate(tables_.both, state.soc, d.column);
    series_Ohm = EcmTables::value(tables_.series, d.column, d.warmth);
    if (EcmTables::outside(tables_.series, d.column, d.warmth)) state.flags |= cell_flag::kTableClamped;
  }
  const Axis::Place place = d.column[tables_.ocv.column];
  if (place.outside()) state.flags |= place.fraction < 0.0 ? cell_flag::kSocBelow : cell_flag::kSocAbove;
  if (d.warmth.row[tables_.ocv.row].outside()) state.flags |= cell_flag::kTableClamped;
  double emf = EcmTables::extended(tables_.ocv, d.column, d.warmth);
  const double entropic = set.entropic_V_per_K.at(EcmTables::held(d.column[tables_.entropy_column]));
  if (tables_.ocv.map->temperature_degC().size() == 1) emf += (temperature_degC - set.reference_degC) * entropic;
  d.ocv_V = emf;
  if (hysteretic_) emf += EcmTables::value(tables_.hysteresis, d.column, d.warmth) * state.hysteresis;
  for (std::size_t j = 0; j < set.branches.size(); ++j) emf += state.rc_V[j];
  d.series_Ohm = series_Ohm * state.resistance_factor;
  d.capacity_C = set.capacity_C * set.capacity_factor.clamped(temperature_degC) * state.capacity_factor;
  d.efficiency = set.charge_efficiency.clamped(temperature_degC);
  if (set.kinetics) {
    d.kinetic_V = set.kinetics->voltage_factor * 2.0 * kGasOverFaraday * (temperature_degC + kKelvin);
    const double y = set.kinetics->exchange_A.at(EcmTables::held(d.column[tables_.exchange.column]),
                                                 d.warmth.row[tables_.exchange.row]);
    d.exchange_A =
        (tables_.exchange.factor == 0 ? y : y / d.warmth.factor[tables_.exchange.factor]) / state.resistance_factor;
    if (EcmTables::outside(tables_.exchange, d.column, d.warmth)) state.flags |= cell_flag::kTableClamped;
    // At faradaic_A: with an instantaneous reaction that is the last current, and the next step mostly begins with it.
    d.faradaic_V = kinetics_V(d, state.faradaic_A);
    if (set.kinetics->tau_s > 0.0) emf += d.faradaic_V;
  }
  d.emf_V = emf;
}

double EcmCell::kinetics_V(const Derived& d, double current_A) const noexcept {
  const double exchange = current_A > 0.0 ? d.exchange_A * set_->kinetics->charge_factor : d.exchange_A;
  return d.kinetic_V * inverse_sinh(current_A / exchange);
}

double EcmCell::kinetics_Ohm(const Derived& d, double current_A) const noexcept {
  const double exchange = current_A > 0.0 ? d.exchange_A * set_->kinetics->charge_factor : d.exchange_A;
  return d.kinetic_V / std::sqrt(current_A * current_A + exchange * exchange);
}

Affine EcmCell::terminal(double near_A) const noexcept {
  if (plain_) return {now_->derived.emf_V, now_->derived.series_Ohm};
  return terminal_of(*now_, usable(near_A, kCurrentMax_A) ? near_A : 0.0);
}

Affine EcmCell::terminal_of(const State& state, double near_A) const noexcept {
  const Derived& d = state.derived;
  Affine out;
  out.resistance_Ohm = d.series_Ohm * set_->series_factor.slope(near_A);
  if (set_->kinetics && set_->kinetics->tau_s == 0.0) out.resistance_Ohm += kinetics_Ohm(d, near_A);
  out.emf_V = voltage_of(state, near_A) - out.resistance_Ohm * near_A;
  return out;
}

double EcmCell::voltage_of(const State& state, double current_A) const noexcept {
  const Derived& d = state.derived;
  if (plain_) return d.emf_V + d.series_Ohm * current_A;
  double volts = d.emf_V + d.series_Ohm * set_->series_factor.drive_A(current_A);
  if (set_->kinetics && set_->kinetics->tau_s == 0.0)
    volts += current_A == state.faradaic_A ? d.faradaic_V : kinetics_V(d, current_A);
  return volts + set_->instantaneous_V * (current_A != 0.0 ? sign_of(current_A) : state.last_sign);
}

double EcmCell::charge_C(double eta, double start_A, double end_A, double dt_s) const noexcept {
  if (eta == 1.0 || (start_A <= 0.0 && end_A <= 0.0)) return 0.5 * (start_A + end_A) * dt_s;
  if (start_A >= 0.0 && end_A >= 0.0) return eta * 0.5 * (start_A + end_A) * dt_s;
  const double crossing_s = dt_s * start_A / (start_A - end_A);
  const double before = 0.5 * start_A * crossing_s;
  const double after = 0.5 * end_A * (dt_s - crossing_s);
  return (before > 0.0 ? eta : 1.0) * before + (after > 0.0 ? eta : 1.0) * after;
}

double EcmCell::hysteresis_after(double h, double start_A, double end_A, double dt_s) noexcept {
  if (set_->hysteresis_rate == 0.0) return h;
  const Derived& d = now_->derived;
  // Of charge moved only, so exact for any current that keeps its sign; one that crosses zero is taken in two parts.
  auto move = [&](double from, double charge) {
    const double x = -set_->hysteresis_rate * std::abs(charge) / d.capacity_C;
    if (x != keep_x_) {  // the same again while current and step stay
      keep_x_ = x;
      keep_ = std::exp(x);
    }
    const double keep = keep_;
    return charge >= 0.0 ? 1.0 - (1.0 - from) * keep : -1.0 + (1.0 + from) * keep;
  };
  if (start_A * end_A >= 0.0) return move(h, charge_C(d.efficiency, start_A, end_A, dt_s));
  const double crossing_s = dt_s * start_A / (start_A - end_A);
  return move(move(h, charge_C(d.efficiency, start_A, 0.0, crossing_s)),
              charge_C(d.efficiency, 0.0, end_A, dt_s - crossing_s));
}

double EcmCell::rate_per_s(double current_A) const noexcept {
  const Derived& d = now_->derived;
  return (current_A > 0.0 ? d.efficiency : 1.0) * current_A / d.capacity_C;
}

double EcmCell::self_discharge_C(double soc, double dt_s) const noexcept {
  const SelfDischarge& s = set_->self_discharge;
  if (s.current_A == 0.0 || soc <= 0.0) return 0.0;
  const double leak_A = s.current_A * std::exp2((now_->temperature.core_degC - s.reference_degC) / s.doubling_K);
  return std::min(leak_A * dt_s, soc * now_->derived.capacity_C);  // empties a cell, and no more
}

double EcmCell::series_heat_W(const Drive& drive) const noexcept {
  const double ohm = now_->derived.series_Ohm;
  const CurrentFactor& factor = set_->series_factor;
  const double start = drive.start_A, end = drive.end_A;
  if (factor.none()) return ohm * ((start * start + start * end + end * end) / 3.0);
  const double mean = drive.mean_A;  // Simpson: exact where the factor is constant
  return ohm * (start * factor.drive_A(start) + 4.0 * mean * factor.drive_A(mean) + end * factor.drive_A(end)) / 6.0;
}

// Branches, charge transfer and diffusion.
void EcmCell::relax(State& next, const Drive& drive, const EcmTables::Places& column, const Factors& f) noexcept {
  const EcmSet& set = *set_;
  const EcmTables::Warmth& warmth = now_->derived.warmth;
  for (std::size_t j = 0; j < set.branches.size(); ++j) {
    const TableRef& ref = tables_.resistance[j];
    if (EcmTables::outside(ref, column, warmth)) next.flags |= cell_flag::kTableClamped;
    const double ohm = EcmTables::value(ref, column, warmth) * now_->resistance_factor;
    const CurrentFactor& factor = set.branches[j].factor;
    const bool none = factor.none();
    const double start = none ? drive.start_A : factor.drive_A(drive.start_A);
    const double end = none ? drive.end_A : factor.drive_A(drive.end_A);
    const Relaxation r = branch_relaxation(j, column, f);
    next.rc_V[j] = r.decay * now_->rc_V[j] + ohm * (r.start * start + r.end * end);
  }
  if (set.kinetics) {
    next.faradaic_A = set.kinetics->tau_s == 0.0 ? drive.end_A
                                                 : f.faradaic.decay * now_->faradaic_A +
                                                       f.faradaic.start * drive.start_A + f.faradaic.end * drive.end_A;
  }
  if (!set.diffusion) return;
  if (EcmTables::outside(tables_.diffusion_tau, column, warmth)) next.flags |= cell_flag::kTableClamped;
  const double tau_s = EcmTables::value(tables_.diffusion_tau, column, warmth);
  const SphereRelaxation& r = sphere(tau_s, f);
  const double start = tau_s / 15.0 * rate_per_s(drive.start_A), end = tau_s / 15.0 * rate_per_s(drive.end_A);
  for (std::size_t k = 0; k < kSphereModes; ++k)
    next.ahead[k] = r.decay[k] * now_->ahead[k] + r.start[k] * start + r.end[k] * end;
  next.ahead_soc = sum_of(next.ahead);
}

void EcmCell::advance(State& next, double start_A, double end_A, const Factors& f) noexcept {
  const EcmSet& set = *set_;
  const State& s = *now_;
  const Derived& d = s.derived;
  Drive& drive = last_;
  drive = {start_A, end_A, 0.5 * (start_A + end_A), f.dt_s, 0.0};
  const double charge_soc = charge_C(d.efficiency, start_A, end_A, f.dt_s) / d.capacity_C;
  drive.middle_soc = s.soc + 0.5 * charge_soc;
  EcmTables::Places& column = column_;
  tables_.locate(tables_.middle, drive.middle_soc, column);
  relax(next, drive, column, f);

  double overvoltage = 0.0;  // without the ohmic part, mean of the step
  for (std::size_t j = 0; j < set.branches.size(); ++j) overvoltage += 0.5 * (s.rc_V[j] + next.rc_V[j]);
  if (set.diffusion) {
    const double mean_V = EcmTables::extended(tables_.ocv, column, d.warmth);
    tables_.locate(tables_.between, drive.middle_soc + 0.5 * (s.ahead_soc + next.ahead_soc), column);
    overvoltage += EcmTables::extended(tables_.ocv, column, d.warmth) - mean_V;
  }
  next.hysteresis = hysteresis_after(s.hysteresis, start_A, end_A, f.dt_s);
  if (hysteretic_)
    overvoltage += EcmTables::value(tables_.hysteresis, column, d.warmth) * 0.5 * (s.hysteresis + next.hysteresis);
  if (set.kinetics) {
    const double faradaic = set.kinetics->tau_s > 0.0 ? 0.5 * (s.faradaic_A + next.faradaic_A) : drive.mean_A;
    overvoltage += faradaic == s.faradaic_A ? d.faradaic_V : kinetics_V(d, faradaic);
  }
  if (set.instantaneous_V != 0.0) overvoltage += set.instantaneous_V * sign_of(drive.mean_A);
  next.soc = s.soc + charge_soc;
  if (set.self_discharge.current_A != 0.0) next.soc -= self_discharge_C(next.soc, f.dt_s) / d.capacity_C;

  // At the mean state of charge, as the stored energy is: at the surface a loop would make heat of nothing.
  const double slope_V_per_K = set.entropic_V_per_K.clamped(drive.middle_soc);
  next.heat_W = drive.mean_A * overvoltage + series_heat_W(drive) +
                drive.mean_A * (s.temperature.core_degC + kKelvin) * slope_V_per_K;
  next.heat_J = s.heat_J + next.heat_W * f.dt_s;
  if (!thermal_) {
    next.temperature = {ambient_degC_, ambient_degC_, ambient_degC_};
  } else if (thermal_->has_fixture()) {
    next.temperature = thermal_step(modes_, f.thermal, s.temperature, next.heat_W + extra_heat_W_, ambient_degC_);
  } else {
    next.temperature = thermal_step(*thermal_, f.thermal, s.temperature, next.heat_W + extra_heat_W_, ambient_degC_);
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
  hold(next.ahead_soc, -kAheadMax, kAheadMax, cell_flag::kModelLimit);
  hold(next.hysteresis, -1.0, 1.0, cell_flag::kModelLimit);
  for (double* t : {&next.temperature.core_degC, &next.temperature.surface_degC, &next.temperature.fixture_degC})
    hold(*t, kTemperatureMin_degC, kTemperatureMax_degC, cell_flag::kTemperatureLimit);
}

double EcmCell::propose(double start_A, double end_A, double dt_s) noexcept {
  State& next = *proposed_;
  pending_ = true;
  const bool good =
      usable(start_A, kCurrentMax_A) && usable(end_A, kCurrentMax_A) && usable(dt_s, kStepMax_s) && dt_s >= 0.0;
  if (!good || dt_s == 0.0) {
    next = *now_;
    last_ = {};
    if (!good) next.flags |= cell_flag::kBadInput;
    if (good && end_A != 0.0) next.last_sign = sign_of(end_A);
    return good ? voltage_of(next, end_A) : voltage_of(next, 0.0);
  }
  next.flags = now_->flags;
  next.last_sign = end_A != 0.0 ? sign_of(end_A) : (start_A != 0.0 ? sign_of(start_A) : now_->last_sign);
  next.capacity_factor = now_->capacity_factor;
  next.resistance_factor = now_->resistance_factor;
  if (set_->ageing) {
    next.capacity_factor = aged_capacity_factor(ageing_, *set_->ageing);
    next.resistance_factor = aged_resistance_factor(ageing_, *set_->ageing);
  }
  advance(next, start_A, end_A, factors(dt_s));
  hold_in_bounds(next);
  derive(next);
  proposed_V_ = voltage_of(next, end_A);
  return proposed_V_;
}

void EcmCell::commit() noexcept {
  if (!pending_) return;
  pending_ = false;
  std::swap(now_, proposed_);
  if (!set_->ageing) return;
  age(ageing_, *set_->ageing, set_->capacity_C,
      {last_.dt_s, last_.mean_A, proposed_V_, now_->soc, now_->temperature.core_degC + kKelvin});
}

Affine EcmCell::terminal_after(double start_A, double near_A, double dt_s) noexcept {
  if (!usable(start_A, kCurrentMax_A) || !usable(dt_s, kStepMax_s) || dt_s <= 0.0) return terminal(near_A);
  if (!usable(near_A, kCurrentMax_A)) near_A = start_A;
  const EcmSet& set = *set_;
  const State& s = *now_;
  const Derived& d = s.derived;
  const Factors& f = factors(dt_s);
  const double slope_V = std::max(0.0, set.ocv_V.slope(d.column[tables_.ocv.column], d.warmth.row[tables_.ocv.row]));
  const double slope_V_per_A = slope_V * 0.5 * dt_s / d.capacity_C;
  Affine end{d.emf_V, d.series_Ohm};
  if (!plain_) end = terminal_of(s, near_A);
  end.emf_V += slope_V_per_A * start_A;
  end.resistance_Ohm += slope_V_per_A;
  EcmTables::Places& column = column_;
  tables_.locate(tables_.middle, s.soc, column);
  for (std::size_t j = 0; j < set.branches.size(); ++j) {
    const double ohm = EcmTables::value(tables_.resistance[j], column, d.warmth) * s.resistance_factor;
    const Relaxation r = branch_relaxation(j, column, f);
    const CurrentFactor& factor = set.branches[j].factor;
    if (factor.none()) {
      end.emf_V += (r.decay - 1.0) * s.rc_V[j] + ohm * r.start * start_A;
      end.resistance_Ohm += ohm * r.end;
      continue;
    }
    const double slope = ohm * r.end * factor.slope(near_A);
    end.emf_V +=
        (r.decay - 1.0) * s.rc_V[j] + ohm * (r.start * factor.drive_A(start_A) + r.end * factor.drive_A(near_A));
    end.emf_V -= slope * near_A;
    end.resistance_Ohm += slope;
  }
  if (set.kinetics && set.kinetics->tau_s > 0.0) {
    const double before = f.faradaic.decay * s.faradaic_A + f.faradaic.start * start_A;
    const double faradaic = before + f.faradaic.end * near_A;
    const double slope = f.faradaic.end * kinetics_Ohm(d, faradaic);
    end.emf_V += kinetics_V(d, faradaic) - d.faradaic_V - slope * near_A;
    end.resistance_Ohm += slope;
  }
  if (set.diffusion) {
    const double tau_s = EcmTables::value(tables_.diffusion_tau, column, d.warmth);
    const SphereRelaxation& r = sphere(tau_s, f);
    double ahead = r.start_sum * tau_s / 15.0 * rate_per_s(start_A);
    for (std::size_t k = 0; k < kSphereModes; ++k) ahead += (r.decay[k] - 1.0) * s.ahead[k];
    end.emf_V += slope_V * ahead;
    end.resistance_Ohm += slope_V * r.end_sum * tau_s / 15.0 / d.capacity_C;
  }
  return end;
}

CellReadout EcmCell::readout() const noexcept {
  const State& s = *now_;
  CellReadout out;
  out.soc = s.soc;
  const Axis::Place bulk = set_->ocv_V.soc().locate(s.soc, true);
  out.ocv_V = set_->ocv_V.at(bulk, s.derived.warmth.row[tables_.ocv.row]);
  if (set_->ocv_V.temperature_degC().size() == 1)
    out.ocv_V += (s.temperature.core_degC - set_->reference_degC) * set_->entropic_V_per_K.clamped(s.soc);
  out.hysteresis = s.hysteresis;
  out.core_degC = s.temperature.core_degC;
  out.surface_degC = s.temperature.surface_degC;
  out.heat_W = s.heat_W;
  out.heat_J = s.heat_J;
  if (thermal_) out.heat_to_ambient_W = heat_to_ambient_W(*thermal_, s.temperature, ambient_degC_);
  out.capacity_C = s.derived.capacity_C;
  out.resistance_growth = s.resistance_factor - 1.0;
  out.flags = s.flags;
  return out;
}

}  // namespace cyclerd::hil
