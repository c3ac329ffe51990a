// What a driver must offer. One Device is one instrument, used by exactly one thread: its wire's port.
#pragma once

#include <cstdint>
#include <memory>

#include "protocols/base/command.hpp"
#include "protocols/base/fixed_text.hpp"
#include "protocols/base/result.hpp"
#include "protocols/base/sample.hpp"
#include "protocols/base/time.hpp"

namespace cyclerd::device {

// A relay is a part of a composite channel: it connects the cell to the instruments.
enum class DeviceKind : std::uint8_t { cycler, chamber, sensor, relay };

// What "output off" leaves at the terminals.
enum class OffMeans : std::uint8_t { unknown, open, zero_volt, zero_ampere };

enum class WatchdogKind : std::uint8_t { none, fixed, programmable };

// What an instrument can do; from its description and, where readable, from the instrument itself after open().
struct Capability {
  DeviceKind kind = DeviceKind::cycler;
  OffMeans off_means = OffMeans::unknown;
  WatchdogKind watchdog = WatchdogKind::none;
  std::uint8_t native_cv = 0;  // changes from CC to CV by itself
  std::uint8_t can_charge = 0;
  std::uint8_t can_discharge = 0;
  std::uint8_t can_power = 0;
  double voltage_min_V = 0.0;
  double voltage_max_V = 0.0;
  double current_max_A = 0.0;  // charge, >= 0
  double current_min_A = 0.0;  // discharge, <= 0
  double power_max_W = 0.0;
  double power_min_W = 0.0;
  double voltage_step_V = 0.0;  // set-point resolution
  double current_step_A = 0.0;
  double temperature_min_degC = 0.0;  // chamber
  double temperature_max_degC = 0.0;
  base::Duration min_scan;          // no point in polling faster
  base::Duration watchdog_timeout;  // as armed
};

// Who answered. The physical identity (maker, model, serial) is what a lease is taken on.
struct Identity {
  base::FixedText<48> maker;
  base::FixedText<48> model;
  base::FixedText<48> serial;
  base::FixedText<48> firmware;

  [[nodiscard]] bool same_device(const Identity& o) const noexcept {
    return maker == o.maker && model == o.model && serial == o.serial;
  }
};

// Protections to program into the instrument before its output may close; from the cell's and the station's limits.
struct Protections {
  double voltage_max_V = base::kAbsent;
  double voltage_min_V = base::kAbsent;
  double current_max_A = base::kAbsent;
  double current_min_A = base::kAbsent;
};

// All calls may block until the transaction's deadline, never longer, and allocate nothing after open(). A timeout
// leaves the device out of step: the implementation resynchronises inside the next call before it believes anything.
class Device {
 public:
  virtual ~Device() = default;

  // Connects, checks who answers, opens the output, programs and verifies what safety needs (watchdog, power-up state).
  // May allocate. Also called again after a loss; leaves the output open.
  virtual base::Status open() = 0;
  virtual void close() noexcept = 0;
  [[nodiscard]] virtual bool is_open() const noexcept = 0;

  // One poll. Fills values, raw status, regulation, flags, sent and received; the port fills device, sequence and wall.
  virtual base::Status read(base::Reading& reading) = 0;

  // Brings the instrument to the set-point by the steps its description gives, then reads back what matters. An error
  // means the instrument's state is unknown: the caller makes it safe.
  virtual base::Status apply(const base::Setpoint& setpoint) = 0;
  virtual base::Status apply(const base::ChamberSetpoint& setpoint) = 0;

  // Opens the output (a chamber: stops conditioning), with as few transactions as possible, then verifies. Works in any
  // state, resynchronising or reconnecting on its own.
  virtual base::Status make_safe() = 0;

  // Programs protections and reads them back. Devices without any answer `unsupported`.
  virtual base::Status protect(const Protections& protections) = 0;

  // Keeps the instrument's communication watchdog from firing. Called at a third of its time-out or faster.
  virtual base::Status feed_watchdog() = 0;

  // Gives the front panel back; the output is off.
  virtual base::Status release() = 0;

  [[nodiscard]] virtual const Capability& capability() const noexcept = 0;
  [[nodiscard]] virtual const Identity& identity() const noexcept = 0;
};

}  // namespace cyclerd::device
