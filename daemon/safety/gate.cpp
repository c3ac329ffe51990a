#include "daemon/safety/gate.hpp"

#include <cmath>
#include <string_view>

namespace cyclerd::safety {

namespace {

using base::Control;

using Words = base::FixedText<200>;

// Collects the first refusal; later checks change nothing.
class Checker {
 public:
  Checker(const LimitTable& limits, Decision& decision) noexcept : limits_(limits), decision_(decision) {}

  void refuse(std::string_view why) noexcept RT_NONBLOCKING {
    if (!decision_.allowed) return;
    decision_.allowed = false;
    decision_.words = Words{why};
  }

  // Within the instrument's range and the channel's limits.
  void within(std::string_view what, double value, std::string_view unit, double low, double high, Cause cause_low,
              Cause cause_high) noexcept RT_NONBLOCKING {
    not_beyond(what, value, unit, Side::upper, high, "the instrument's maximum");
    not_beyond(what, value, unit, Side::lower, low, "the instrument's minimum");
    not_beyond(what, value, unit, Side::upper, limits_.bound(cause_high), to_string(cause_high));
    not_beyond(what, value, unit, Side::lower, limits_.bound(cause_low), to_string(cause_low));
  }

 private:
  void not_beyond(std::string_view what, double value, std::string_view unit, Side side, double bound,
                  std::string_view whose) noexcept RT_NONBLOCKING {
    if (!decision_.allowed || !beyond(side, value, bound)) return;
    decision_.allowed = false;
    decision_.words.append(what).append(" ").append(value).append(" ").append(unit);
    decision_.words.append(side == Side::upper ? " is above " : " is below ").append(whose).append(" (");
    decision_.words.append(bound).append(" ").append(unit).append("): correct the profile or the limit");
  }

  const LimitTable& limits_;
  Decision& decision_;
};

bool all_finite(const base::Setpoint& s) noexcept {
  return std::isfinite(s.current_A) && std::isfinite(s.voltage_V) && std::isfinite(s.power_W) &&
         std::isfinite(s.resistance_Ohm) && std::isfinite(s.voltage_max_V) && std::isfinite(s.voltage_min_V) &&
         std::isfinite(s.current_max_A) && std::isfinite(s.current_min_A);
}

void check_clamps(const base::Setpoint& s, const device::Capability& c, Checker& check) noexcept RT_NONBLOCKING {
  if (s.current_max_A < 0.0 || s.current_min_A > 0.0) {
    check.refuse(
        "the charge clamp is negative or the discharge clamp positive: the set-point was not made by the executor");
  }
  check.within("charge clamp", s.current_max_A, "A", c.current_min_A, c.current_max_A, Cause::discharge_current_high,
               Cause::charge_current_high);
  check.within("discharge clamp", s.current_min_A, "A", c.current_min_A, c.current_max_A, Cause::discharge_current_high,
               Cause::charge_current_high);
}

// The voltage at which the instrument would go on by itself: the upper end when it may charge, the lower when
// discharge.
void check_voltage_ends(const base::Setpoint& s, const device::Capability& c, bool charges, bool discharges,
                        Checker& check) noexcept RT_NONBLOCKING {
  if (charges) {
    check.within("upper voltage", s.voltage_max_V, "V", c.voltage_min_V, c.voltage_max_V, Cause::voltage_low,
                 Cause::voltage_high);
  }
  if (discharges) {
    check.within("lower voltage", s.voltage_min_V, "V", c.voltage_min_V, c.voltage_max_V, Cause::voltage_low,
                 Cause::voltage_high);
  }
}

void check_setpoint(const base::Setpoint& s, const device::Capability& c, Checker& check) noexcept RT_NONBLOCKING {
  if (c.kind != device::DeviceKind::cycler)
    return check.refuse("an electrical set-point for an instrument that is no cycler");
  if (!all_finite(s)) return check.refuse("the set-point holds a number that is not finite");
  bool charges = false;
  bool discharges = false;
  switch (s.control) {
    case Control::rest: return;
    case Control::current:
      charges = s.current_A > 0.0;
      discharges = s.current_A < 0.0;
      check.within("current", s.current_A, "A", c.current_min_A, c.current_max_A, Cause::discharge_current_high,
                   Cause::charge_current_high);
      break;
    case Control::voltage:
      charges = s.current_max_A > 0.0;
      discharges = s.current_min_A < 0.0;
      check.within("voltage", s.voltage_V, "V", c.voltage_min_V, c.voltage_max_V, Cause::voltage_low,
                   Cause::voltage_high);
      check_clamps(s, c, check);
      break;
    case Control::power:
      charges = s.power_W > 0.0;
      discharges = s.power_W < 0.0;
      if (c.can_power == 0) check.refuse("the instrument cannot regulate power");
      check.within("power", s.power_W, "W", c.power_min_W, c.power_max_W, Cause::power_low, Cause::power_high);
      check_clamps(s, c, check);
      break;
    case Control::resistance:
      discharges = true;
      if (!(s.resistance_Ohm > 0.0)) check.refuse("the resistance is not above 0 Ohm");
      check_clamps(s, c, check);
      break;
    default: return check.refuse("an unknown kind of control");
  }
  if (charges && c.can_charge == 0) check.refuse("the instrument cannot charge");
  if (discharges && c.can_discharge == 0) check.refuse("the instrument cannot discharge");
  if (s.control != Control::voltage) check_voltage_ends(s, c, charges, discharges, check);
}

void check_chamber(const base::ChamberSetpoint& s, const device::Capability& c,
                   Checker& check) noexcept RT_NONBLOCKING {
  if (c.kind != device::DeviceKind::chamber)
    return check.refuse("a chamber set-point for an instrument that is no chamber");
  if (!std::isfinite(s.temperature_degC) || !std::isfinite(s.ramp_K_per_min)) {
    return check.refuse("the chamber set-point holds a number that is not finite");
  }
  if (s.ramp_K_per_min < 0.0)
    return check.refuse("the chamber ramp is negative; give its speed, 0 for as fast as it can");
  check.within("chamber temperature", s.temperature_degC, "degC", c.temperature_min_degC, c.temperature_max_degC,
               Cause::chamber_low, Cause::chamber_high);
}

}  // namespace

Decision admit(const base::Command& command, std::uint32_t latch_cause, const LimitTable& limits,
               const device::Capability& capability) noexcept RT_NONBLOCKING {
  Decision decision;
  Checker check(limits, decision);
  const bool chamber = command.kind == base::Command::Kind::chamber;
  if (command.kind == base::Command::Kind::make_safe) return decision;
  if (chamber ? command.chamber.run == 0 : command.setpoint.control == Control::rest) return decision;
  if (latch_cause != 0) {
    check.refuse("the channel is tripped (");
    decision.words.append(describe(static_cast<Cause>(latch_cause)).text);
    decision.words.append("): remove the cause and acknowledge");
    return decision;
  }
  if (chamber) {
    check_chamber(command.chamber, capability, check);
  } else {
    check_setpoint(command.setpoint, capability, check);
  }
  return decision;
}

}  // namespace cyclerd::safety
