// What the daemon asks of instruments.
#pragma once

#include <cstdint>
#include <limits>

#include "protocols/base/time.hpp"

namespace cyclerd::base {

enum class Control : std::uint8_t { rest = 0, current, voltage, power, resistance };

// The complete electrical wish for one power port. Signed: charge positive. Every field is always meaningful, so that a
// set-point never depends on what was written before it.
//   rest     output off
//   current  regulate current_A; the terminal voltage never leaves [voltage_min_V, voltage_max_V]: charging, the upper
//   end
//            is the CV level of a native CC-CV device; discharging, the lower end
//   voltage  regulate voltage_V; current clamped to [current_min_A, current_max_A]
//   power    regulate power_W inside the same voltage and current clamps
//   resistance  draw current as a resistor of resistance_Ohm (discharge)
struct Setpoint {
  Control control = Control::rest;
  std::uint8_t reserved[7] = {};
  double current_A = 0.0;
  double voltage_V = 0.0;
  double power_W = 0.0;
  double resistance_Ohm = 0.0;
  double voltage_max_V = 0.0;
  double voltage_min_V = 0.0;
  double current_max_A = 0.0;  // charge clamp, >= 0
  double current_min_A = 0.0;  // discharge clamp, <= 0

  bool operator==(const Setpoint&) const = default;
};

struct ChamberSetpoint {
  std::uint8_t run = 0;  // 0: stop conditioning
  std::uint8_t reserved[7] = {};
  double temperature_degC = 25.0;
  double ramp_K_per_min = 0.0;  // 0: as fast as the chamber can

  bool operator==(const ChamberSetpoint&) const = default;
};

// One order to one device, from the cycle to the device's port.
struct Command {
  enum class Kind : std::uint8_t { setpoint = 0, chamber, make_safe };
  Kind kind = Kind::setpoint;
  std::uint8_t reserved[3] = {};
  std::uint32_t device = 0;      // index in the station
  std::uint32_t step_count = 0;  // executed step that asks; a change restarts the judge's per-step counters
  std::uint32_t reserved2 = 0;
  std::uint64_t sequence = 0;  // of this device, from 1; echoed in the notice that reports it done
  MonoTime issued;
  Setpoint setpoint;
  ChamberSetpoint chamber;
};

}  // namespace cyclerd::base
