// Judges what one instrument says against the limits of its channel. In the thread that read the instrument, on every
// reading; no clock, no memory but its own few counters.
#pragma once

#include <array>
#include <cstdint>

#include "daemon/safety/limits.hpp"
#include "protocols/base/command.hpp"
#include "protocols/base/rt.hpp"
#include "protocols/base/sample.hpp"
#include "protocols/base/time.hpp"
#include "protocols/device/device.hpp"

namespace cyclerd::safety {

struct Verdict {
  Cause cause = Cause::none;
  double value = 0.0;  // in the unit of describe(cause)
  double bound = 0.0;
  [[nodiscard]] bool violated() const noexcept RT_NONBLOCKING { return cause != Cause::none; }
};

// A plain value; one per device. See daemon/safety/README.md for what is judged and why so.
class Judge {
 public:
  Judge() = default;
  // `period`: of the polls. `current_noise_A`: below it, a current without tolerance in the table counts as none.
  Judge(device::DeviceKind kind, base::Duration period, double current_noise_A) noexcept RT_NONBLOCKING;

  // A new table; the charge counter and all dwell times begin again.
  void set_limits(const LimitTable& limits) noexcept RT_NONBLOCKING;
  [[nodiscard]] const LimitTable& limits() const noexcept RT_NONBLOCKING { return limits_; }

  // What the instrument told of itself when it was opened.
  void retune(base::Duration period, double current_noise_A) noexcept RT_NONBLOCKING {
    period_ = period;
    current_noise_A_ = current_noise_A;
  }
  // The instrument was opened and its output is off; ages count from `now`.
  void restart(base::MonoTime now) noexcept RT_NONBLOCKING;

  // What the instrument was told and has confirmed. A changed `step_count` restarts the charge counter.
  void commanded(const base::Setpoint& setpoint, std::uint32_t step_count) noexcept RT_NONBLOCKING;
  void commanded(const base::ChamberSetpoint& setpoint) noexcept RT_NONBLOCKING;
  void commanded_off() noexcept RT_NONBLOCKING;

  // Is this data: no flag that says otherwise, and everything finite that this kind of instrument must deliver?
  [[nodiscard]] bool believable(const base::Reading& reading) const noexcept RT_NONBLOCKING;

  // The first violation found, if any. `energised`: the channel's output is on, or may be.
  [[nodiscard]] Verdict judge(const base::Reading& reading, bool energised) noexcept RT_NONBLOCKING;

  // Age of the last believable values, with or without a new reading.
  [[nodiscard]] Verdict check_age(base::MonoTime now, bool energised) const noexcept RT_NONBLOCKING;

  [[nodiscard]] double step_capacity_C() const noexcept RT_NONBLOCKING { return capacity_C_; }

 private:
  // A condition that must hold without a break; kNever while it does not.
  struct Since {
    std::int64_t us = INT64_MIN;
    bool lasted(bool holds, base::MonoTime now, base::Duration dwell) noexcept RT_NONBLOCKING {
      if (!holds) {
        us = INT64_MIN;
        return false;
      }
      if (us == INT64_MIN) us = now.us;
      return now.us - us >= dwell.us;
    }
  };
  // Values of one origin that go stale together.
  struct Age {
    base::MonoTime last;
    bool expected = false;
  };

  using Values = std::array<double, 9>;  // by Quantity; NaN: not measured, or unbelievable

  [[nodiscard]] Values values_of(const base::Reading& reading) const noexcept RT_NONBLOCKING;
  void note_ages(const Values& values, base::MonoTime at) noexcept RT_NONBLOCKING;
  void count_charge(base::MonoTime at, double current_A) noexcept RT_NONBLOCKING;
  void reset_dwells() noexcept RT_NONBLOCKING;
  [[nodiscard]] Verdict judge_limits(const Values& values, base::MonoTime at) noexcept RT_NONBLOCKING;
  [[nodiscard]] Verdict judge_state(const base::Reading& reading, double current_A) noexcept RT_NONBLOCKING;
  [[nodiscard]] Verdict judge_current(const base::Reading& reading, double current_A) noexcept RT_NONBLOCKING;
  [[nodiscard]] Verdict judge_frozen(const base::Reading& reading) noexcept RT_NONBLOCKING;
  [[nodiscard]] Verdict judge_chamber(const base::Reading& reading) noexcept RT_NONBLOCKING;

  LimitTable limits_;
  device::DeviceKind kind_ = device::DeviceKind::sensor;
  base::Duration period_;
  double current_noise_A_ = 0.0;

  base::Setpoint wish_;
  base::ChamberSetpoint chamber_wish_;
  bool chamber_agreed_ = false;  // the chamber's set-point has once been the commanded one
  std::uint32_t step_count_ = 0;

  Age electrical_, temperature_, chamber_;
  std::array<Since, LimitTable::kMax> outside_{};
  Since against_, deviates_, output_differs_, chamber_differs_;

  double capacity_C_ = 0.0;
  double last_current_A_ = base::kAbsent;
  base::MonoTime last_current_at_;

  double last_voltage_V_ = base::kAbsent;
  double last_raw_current_A_ = base::kAbsent;
  std::uint32_t same_readings_ = 0;
};

}  // namespace cyclerd::safety
