#include "hil/plant/stage.hpp"

#include <algorithm>
#include <cmath>

namespace cyclerd::hil {
namespace {

// Below these a bound counts as kept: far under what any instrument shows, far above rounding.
constexpr double kVoltageTolerance_V = 1e-11;
constexpr double kCurrentTolerance_A = 1e-9;
constexpr double kPowerTolerance_W = 1e-8;
// Ratings with two percent of head-room, as real units accept.
constexpr double kHeadroom = 1.0201;

void keep_worst(Excess& worst, double amount, StageMode next) {
  if (amount > worst.amount) worst = {amount, next};
}

}  // namespace

base::Regulation regulation_of(StageMode mode) noexcept {
  switch (mode) {
    case StageMode::off: return base::Regulation::off;
    case StageMode::voltage: return base::Regulation::voltage;
    case StageMode::current_high:
    case StageMode::current_low: return base::Regulation::current;
    case StageMode::power_high:
    case StageMode::power_low: return base::Regulation::power;
    case StageMode::resistance: return base::Regulation::resistance;
  }
  return base::Regulation::unknown;
}

const char* to_string(StageMode mode) noexcept {
  switch (mode) {
    case StageMode::off: return "off";
    case StageMode::voltage: return "voltage";
    case StageMode::current_high: return "current_high";
    case StageMode::current_low: return "current_low";
    case StageMode::power_high: return "power_high";
    case StageMode::power_low: return "power_low";
    case StageMode::resistance: return "resistance";
  }
  return "?";
}

const char* to_string(Refusal refusal) noexcept {
  switch (refusal) {
    case Refusal::none: return "accepted";
    case Refusal::not_a_number: return "a set-point is no finite number";
    case Refusal::out_of_range: return "a set-point lies outside the ratings of the stage";
  }
  return "?";
}

Refusal check_request(const StageRequest& r, const StageConfig& c) noexcept {
  for (double x : {r.voltage_V, r.current_max_A, r.current_min_A, r.power_max_W, r.power_min_W, r.resistance_Ohm}) {
    if (!std::isfinite(x)) return Refusal::not_a_number;
  }
  const bool good = r.voltage_V >= 0.0 && r.voltage_V <= c.voltage_max_V * kHeadroom && r.current_max_A >= 0.0 &&
                    r.current_max_A <= c.current_max_A * kHeadroom && r.current_min_A <= 0.0 &&
                    r.current_min_A >= c.current_min_A * kHeadroom && r.power_max_W >= 0.0 &&
                    r.power_max_W <= c.power_max_W * kHeadroom && r.power_min_W <= 0.0 &&
                    r.power_min_W >= c.power_min_W * kHeadroom && r.resistance_Ohm >= 0.0;
  return good ? Refusal::none : Refusal::out_of_range;
}

Refusal request_of(const base::Setpoint& s, const StageConfig& c, StageRequest& request) noexcept {
  StageRequest r;
  r.power_max_W = c.power_max_W;
  r.power_min_W = c.power_min_W;
  switch (s.control) {
    case base::Control::rest: request = r; return Refusal::none;
    case base::Control::current:
      (s.current_A < 0.0 ? r.current_min_A : r.current_max_A) = s.current_A;
      r.voltage_V = s.current_A < 0.0 ? s.voltage_min_V : s.voltage_max_V;
      break;
    case base::Control::voltage:
      r.voltage_V = s.voltage_V;
      r.current_max_A = s.current_max_A;
      r.current_min_A = s.current_min_A;
      break;
    case base::Control::power:
      (s.power_W < 0.0 ? r.power_min_W : r.power_max_W) = s.power_W;
      r.voltage_V = s.power_W < 0.0 ? s.voltage_min_V : s.voltage_max_V;
      (s.power_W < 0.0 ? r.current_min_A : r.current_max_A) = s.power_W < 0.0 ? s.current_min_A : s.current_max_A;
      break;
    case base::Control::resistance:
      r.resistance_Ohm = s.resistance_Ohm;
      r.voltage_V = s.voltage_min_V;
      r.current_min_A = s.current_min_A;
      if (!(s.resistance_Ohm > 0.0))
        return std::isnan(s.resistance_Ohm) ? Refusal::not_a_number : Refusal::out_of_range;
      break;
  }
  r.output_on = true;
  Refusal refusal = check_request(r, c);
  if (refusal == Refusal::none) request = r;
  return refusal;
}

SetErrors set_errors_of(const StageConfig& c) noexcept {
  return {{c.voltage_gain, c.voltage_offset_V, 0.0, c.voltage_step_V},
          {c.current_gain, c.current_offset_A, 0.0, c.current_step_A}};
}

StageRequest as_executed(const StageRequest& request, const StageConfig& c, const SetErrors& e) noexcept {
  StageRequest r = request;
  r.voltage_V = e.voltage.gain * quantised(request.voltage_V, e.voltage.step) + e.voltage.offset;
  const double high = quantised(request.current_max_A, e.current.step);
  const double low = quantised(request.current_min_A, e.current.step);
  // A limit of nothing stays nothing: the stage blocks that direction.
  r.current_max_A = high > 0.0 ? std::max(0.0, e.current.gain * high + e.current.offset) : 0.0;
  r.current_min_A = low < 0.0 ? std::min(0.0, e.current.gain * low + e.current.offset) : 0.0;
  r.power_max_W = std::min(quantised(request.power_max_W, c.power_step_W), c.power_max_W);
  r.power_min_W = std::max(quantised(request.power_min_W, c.power_step_W), c.power_min_W);
  return r;
}

Operating operate(const StageRequest& r, const Affine& terminal) noexcept {
  if (!r.output_on) return {StageMode::off, 0.0};
  const double emf = terminal.emf_V;
  const double ohm = terminal.resistance_Ohm;
  const double wanted = (r.voltage_V - emf) / ohm;
  if (wanted >= 0.0) {
    Operating high{StageMode::current_high, r.current_max_A};
    // P = (emf + R I) I, the root of the smaller current. With a positive emf there always is one.
    const double root = std::sqrt(std::max(0.0, emf * emf + 4.0 * ohm * r.power_max_W));
    const double by_power_A = emf + root > 0.0 ? 2.0 * r.power_max_W / (emf + root) : high.current_A;
    if (by_power_A < high.current_A) high = {StageMode::power_high, by_power_A};
    return wanted <= high.current_A ? Operating{StageMode::voltage, wanted} : high;
  }
  Operating low{StageMode::current_low, r.current_min_A};
  // No root: more power than the cell can give, so the current clamp or the voltage holds.
  const double discriminant = emf * emf + 4.0 * ohm * r.power_min_W;
  if (discriminant >= 0.0 && emf > 0.0) {
    const double by_power_A = 2.0 * r.power_min_W / (emf + std::sqrt(discriminant));
    if (by_power_A > low.current_A) low = {StageMode::power_low, by_power_A};
  }
  if (r.resistance_Ohm > 0.0) {
    const double by_resistor = std::min(0.0, -emf / (r.resistance_Ohm + ohm));
    if (by_resistor > low.current_A) low = {StageMode::resistance, by_resistor};
  }
  return wanted >= low.current_A ? Operating{StageMode::voltage, wanted} : low;
}

Excess excess_of(const StageRequest& r, StageMode held, double current_A, double voltage_V) noexcept {
  Excess worst;
  const double power_W = voltage_V * current_A;
  const bool high = held == StageMode::current_high || held == StageMode::power_high;
  const bool low = held == StageMode::current_low || held == StageMode::power_low || held == StageMode::resistance;
  if (high) keep_worst(worst, voltage_V - r.voltage_V - kVoltageTolerance_V, StageMode::voltage);
  if (low) keep_worst(worst, r.voltage_V - voltage_V - kVoltageTolerance_V, StageMode::voltage);
  if (!low) {
    if (held != StageMode::current_high)
      keep_worst(worst, current_A - r.current_max_A - kCurrentTolerance_A, StageMode::current_high);
    if (held != StageMode::power_high)
      keep_worst(worst, power_W - r.power_max_W - kPowerTolerance_W, StageMode::power_high);
  }
  if (!high) {
    if (held != StageMode::current_low)
      keep_worst(worst, r.current_min_A - current_A - kCurrentTolerance_A, StageMode::current_low);
    if (held != StageMode::power_low)
      keep_worst(worst, r.power_min_W - power_W - kPowerTolerance_W, StageMode::power_low);
    if (held != StageMode::resistance && r.resistance_Ohm > 0.0)
      keep_worst(worst, -voltage_V / r.resistance_Ohm - current_A - kCurrentTolerance_A, StageMode::resistance);
  }
  return worst;
}

}  // namespace cyclerd::hil
