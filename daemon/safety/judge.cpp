#include "daemon/safety/judge.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace cyclerd::safety {

namespace {

using base::Control;
using device::DeviceKind;

constexpr std::uint32_t kNoData = base::flag::kInvalid | base::flag::kStale;
constexpr double kChamberSetpointTolerance_K = 0.5;  // coarser than the resolution of any controller known

constexpr std::size_t index(Quantity q) noexcept {
  return static_cast<std::size_t>(q);
}

double finite_or_absent(double x) noexcept {
  return std::isfinite(x) ? x : base::kAbsent;
}

bool same_bits(double a, double b) noexcept {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

// The direction in which current must flow: +1 charge, -1 discharge, 0 either.
int direction(const base::Setpoint& s) noexcept {
  const double wish = s.control == Control::current ? s.current_A : s.control == Control::power ? s.power_W : 0.0;
  if (s.control == Control::resistance) return -1;
  return wish > 0.0 ? 1 : wish < 0.0 ? -1 : 0;
}

struct Band {
  double low = 0.0;
  double high = 0.0;
};

// Where the current may be. An instrument that changed from CC to CV by itself, or that does not say what it regulates,
// draws less than the set-point rightly: then only more than it counts.
Band allowed_current(const base::Setpoint& s, base::Regulation regulation) noexcept {
  switch (s.control) {
    case Control::current:
      if (regulation == base::Regulation::current) return {s.current_A, s.current_A};
      return {std::min(s.current_A, 0.0), std::max(s.current_A, 0.0)};
    case Control::voltage:
    case Control::power: return {s.current_min_A, s.current_max_A};
    case Control::resistance: return {s.current_min_A, 0.0};
    case Control::rest: break;
  }
  return {0.0, 0.0};
}

}  // namespace

Judge::Judge(DeviceKind kind, base::Duration period, double current_noise_A) noexcept RT_NONBLOCKING
    : kind_(kind),
      period_(period),
      current_noise_A_(current_noise_A) {
  electrical_.expected = kind == DeviceKind::cycler;
  temperature_.expected = kind == DeviceKind::sensor;
  chamber_.expected = kind == DeviceKind::chamber;
}

void Judge::set_limits(const LimitTable& limits) noexcept RT_NONBLOCKING {
  limits_ = limits;
  capacity_C_ = 0.0;
  reset_dwells();
}

void Judge::reset_dwells() noexcept RT_NONBLOCKING {
  outside_ = {};
  against_ = deviates_ = output_differs_ = chamber_differs_ = {};
  same_readings_ = 0;
}

void Judge::restart(base::MonoTime now) noexcept RT_NONBLOCKING {
  commanded_off();
  reset_dwells();
  electrical_.last = temperature_.last = chamber_.last = now;
  last_current_A_ = base::kAbsent;
}

void Judge::commanded(const base::Setpoint& setpoint, std::uint32_t step_count) noexcept RT_NONBLOCKING {
  wish_ = setpoint;
  if (step_count != step_count_) {
    step_count_ = step_count;
    capacity_C_ = 0.0;
  }
}

void Judge::commanded(const base::ChamberSetpoint& setpoint) noexcept RT_NONBLOCKING {
  chamber_wish_ = setpoint;
  chamber_agreed_ = false;
  chamber_differs_ = {};
}

void Judge::commanded_off() noexcept RT_NONBLOCKING {
  wish_ = {};
  commanded(base::ChamberSetpoint{});
}

bool Judge::believable(const base::Reading& r) const noexcept RT_NONBLOCKING {
  if ((r.flags & kNoData) != 0) return false;
  switch (kind_) {
    case DeviceKind::cycler: return std::isfinite(r.voltage_V) && std::isfinite(r.current_A);
    case DeviceKind::chamber: return std::isfinite(r.chamber_degC);
    case DeviceKind::sensor: return std::isfinite(r.temperature_degC);
    case DeviceKind::relay: break;  // measures nothing, and is no device of a port on its own
  }
  return false;
}

Judge::Values Judge::values_of(const base::Reading& r) const noexcept RT_NONBLOCKING {
  Values v{};
  v.fill(base::kAbsent);
  v[index(Quantity::voltage)] = finite_or_absent(r.voltage_V);
  v[index(Quantity::current)] = finite_or_absent(r.current_A);
  v[index(Quantity::power)] = std::isfinite(r.power_W) ? r.power_W : finite_or_absent(r.voltage_V * r.current_A);
  v[index(Quantity::temperature)] = finite_or_absent(r.temperature_degC);
  v[index(Quantity::chamber)] = finite_or_absent(r.chamber_degC);
  if (kind_ == DeviceKind::cycler) v[index(Quantity::capacity)] = capacity_C_;
  return v;
}

// What an instrument has delivered once it must go on delivering: a thermocouple of the cycler that breaks goes stale.
void Judge::note_ages(const Values& v, base::MonoTime at) noexcept RT_NONBLOCKING {
  const auto note = [at](Age& age, bool present) {
    if (!present) return;
    age.last = at;
    age.expected = true;
  };
  note(electrical_, kind_ == DeviceKind::cycler && !std::isnan(v[index(Quantity::voltage)]) &&
                        !std::isnan(v[index(Quantity::current)]));
  note(temperature_, !std::isnan(v[index(Quantity::temperature)]));
  note(chamber_, !std::isnan(v[index(Quantity::chamber)]));
}

void Judge::count_charge(base::MonoTime at, double current_A) noexcept RT_NONBLOCKING {
  if (std::isnan(current_A)) return;
  if (!std::isnan(last_current_A_) && at > last_current_at_) {
    capacity_C_ += 0.5 * (std::abs(last_current_A_) + std::abs(current_A)) * (at - last_current_at_).seconds();
  }
  last_current_A_ = current_A;
  last_current_at_ = at;
}

Verdict Judge::judge(const base::Reading& r, bool energised) noexcept RT_NONBLOCKING {
  // Flagged data is no data: it neither proves a violation nor ends one; its age will tell.
  if ((r.flags & kNoData) != 0) return check_age(r.received, energised);
  if (kind_ == DeviceKind::cycler) count_charge({(r.sent.us + r.received.us) / 2}, finite_or_absent(r.current_A));
  const Values values = values_of(r);
  note_ages(values, r.received);
  if (const Verdict v = judge_limits(values, r.received); v.violated()) return v;
  if (r.alarm != 0) return {Cause::device_alarm, static_cast<double>(r.status), 0.0};
  if (kind_ == DeviceKind::cycler) {
    const double current_A = values[index(Quantity::current)];
    if (const Verdict v = judge_state(r, current_A); v.violated()) return v;
    if (const Verdict v = judge_current(r, current_A); v.violated()) return v;
    if (const Verdict v = judge_frozen(r); v.violated()) return v;
  } else if (kind_ == DeviceKind::chamber) {
    if (const Verdict v = judge_chamber(r); v.violated()) return v;
  }
  return check_age(r.received, energised);
}

Verdict Judge::judge_limits(const Values& values, base::MonoTime at) noexcept RT_NONBLOCKING {
  Verdict found;
  for (std::uint32_t i = 0; i < limits_.count; ++i) {
    const Limit& limit = limits_.limits[i];
    const CauseInfo& info = describe(limit.cause);
    const double value = values[index(info.quantity)];
    if (std::isnan(value)) continue;  // no evidence either way: a running dwell goes on
    const bool trips = outside_[i].lasted(beyond(info.side, value, limit.bound), at, limit.dwell);
    if (trips && !found.violated()) found = {limit.cause, value, limit.bound};
  }
  return found;
}

// Is the instrument ours, and its output as commanded? A current that flows through an open output is a stuck relay.
Verdict Judge::judge_state(const base::Reading& r, double current_A) noexcept RT_NONBLOCKING {
  if (r.remote == 0) return {Cause::foreign_control, 0.0, 1.0};
  const bool wants_on = wish_.control != Control::rest;
  const double tolerance_A = std::isnan(limits_.current_tolerance_A) ? current_noise_A_ : limits_.current_tolerance_A;
  const bool leaks = !wants_on && std::abs(current_A) > tolerance_A;
  const bool differs = (r.output_on != 0) != wants_on || leaks;
  if (!output_differs_.lasted(differs, r.received, limits_.output_dwell)) return {};
  if (leaks) return {Cause::output_mismatch, current_A, tolerance_A};
  return {Cause::output_mismatch, r.output_on != 0 ? 1.0 : 0.0, wants_on ? 1.0 : 0.0};
}

Verdict Judge::judge_current(const base::Reading& r, double current_A) noexcept RT_NONBLOCKING {
  if (std::isnan(current_A) || wish_.control == Control::rest) {
    if (wish_.control == Control::rest) against_ = deviates_ = {};
    return {};
  }
  const bool has_tolerance = !std::isnan(limits_.current_tolerance_A);
  const double tolerance_A = has_tolerance ? limits_.current_tolerance_A : current_noise_A_;
  const int way = direction(wish_);
  const bool against = (way > 0 && current_A < -tolerance_A) || (way < 0 && current_A > tolerance_A);
  if (against_.lasted(against, r.received, limits_.current_tolerance_dwell)) {
    return {Cause::current_sign, current_A, way > 0 ? -tolerance_A : tolerance_A};
  }
  Band band = allowed_current(wish_, r.regulation);
  // Nobody said how exact the instrument is: less than commanded may be its way, more is not.
  if (!has_tolerance) band = {std::min(band.low, 0.0), std::max(band.high, 0.0)};
  const bool above = current_A > band.high + tolerance_A;
  const bool below = current_A < band.low - tolerance_A;
  if (deviates_.lasted(above || below, r.received, limits_.current_tolerance_dwell)) {
    return {Cause::current_deviation, current_A, above ? band.high + tolerance_A : band.low - tolerance_A};
  }
  return {};
}

Verdict Judge::judge_frozen(const base::Reading& r) noexcept RT_NONBLOCKING {
  const bool same = same_bits(r.voltage_V, last_voltage_V_) && same_bits(r.current_A, last_raw_current_A_);
  last_voltage_V_ = r.voltage_V;
  last_raw_current_A_ = r.current_A;
  const bool counts = wish_.control != Control::rest && limits_.frozen_count != 0;
  same_readings_ = !counts ? 0 : same ? std::max(same_readings_, 1U) + 1 : 1;
  if (!counts || same_readings_ <= limits_.frozen_count) return {};
  return {Cause::frozen_value, static_cast<double>(same_readings_), static_cast<double>(limits_.frozen_count)};
}

// A chamber that had taken our set-point and now shows another was touched. One that has not taken it yet may be
// ramping towards it by itself.
Verdict Judge::judge_chamber(const base::Reading& r) noexcept RT_NONBLOCKING {
  if (chamber_wish_.run == 0 || !std::isfinite(r.chamber_setpoint_degC)) return {};
  const double wanted_degC = chamber_wish_.temperature_degC;
  const bool differs = std::abs(r.chamber_setpoint_degC - wanted_degC) > kChamberSetpointTolerance_K;
  if (!differs) chamber_agreed_ = true;
  if (chamber_differs_.lasted(differs && chamber_agreed_, r.received, limits_.output_dwell)) {
    return {Cause::foreign_control, r.chamber_setpoint_degC, wanted_degC};
  }
  return {};
}

Verdict Judge::check_age(base::MonoTime now, bool energised) const noexcept RT_NONBLOCKING {
  if (!energised) return {};
  const auto late = [&](const Age& age, Cause cause, base::Duration allowed) -> Verdict {
    const base::Duration bound = std::max(allowed, period_ * 3);
    if (!age.expected || now - age.last <= bound) return {};
    return {cause, (now - age.last).seconds(), bound.seconds()};
  };
  if (const Verdict v = late(electrical_, Cause::stale_cycler, limits_.stale_after); v.violated()) return v;
  if (const Verdict v = late(temperature_, Cause::stale_temperature, limits_.sensor_loss); v.violated()) return v;
  // A chamber's loss is the cycle's to weigh (pause or trip) unless a limit depends on it.
  const Verdict v = late(chamber_, Cause::stale_chamber, limits_.sensor_loss);
  if (!v.violated()) return {};
  const bool guards = !std::isnan(limits_.bound(Cause::chamber_high)) || !std::isnan(limits_.bound(Cause::chamber_low));
  return guards ? v : Verdict{};
}

}  // namespace cyclerd::safety
