// The limits of one channel in one table: station, cell and profile, the tightest of each wins.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "profiles/program.hpp"
#include "protocols/base/rt.hpp"
#include "protocols/base/sample.hpp"
#include "protocols/base/time.hpp"

namespace cyclerd::safety {

// Ids of the limits and causes. Kept in the record: never renumber. 0 is "none" (see base::Latch).
enum class Cause : std::uint32_t {
  none = 0,
  voltage_high,
  voltage_low,
  charge_current_high,
  discharge_current_high,
  power_high,
  power_low,
  temperature_high,
  temperature_low,
  chamber_high,
  chamber_low,
  capacity_high,
  stale_cycler,  // no believable sample of the cycler for too long
  stale_chamber,
  stale_temperature,
  current_sign,       // the current flows against the command
  current_deviation,  // |I - I_set| too large for too long
  frozen_value,       // the instrument repeats itself to the last bit while energised
  device_alarm,       // the instrument reports an alarm
  foreign_control,    // panel touched: set-point or remote state differs from what was written
  output_mismatch,    // output on while commanded off, or the other way round
  device_lost,        // wire or device quarantined
  command_failed,     // a set-point could not be written and read back
  operator_stop,      // emergency stop by a person
  supervisor,         // a thread is late
  self_check,         // not yet passed since the start
};
inline constexpr std::uint32_t kCauseCount = static_cast<std::uint32_t>(Cause::self_check) + 1;

// The quantity a cause is judged on. Voltages in V, currents in A (signed, charge positive), powers in W (signed),
// temperatures in degC, capacity in A s moved since the step began (both directions add up), ages in s.
enum class Quantity : std::uint8_t { none = 0, voltage, current, power, temperature, chamber, capacity, age, count };
enum class Side : std::uint8_t { none = 0, upper, lower };

// What a cause is called and measured in. Causes with a side may stand in a LimitTable as a Limit.
struct CauseInfo {
  Cause cause = Cause::none;
  Quantity quantity = Quantity::none;
  Side side = Side::none;
  std::string_view name;  // as in the record and in the enum
  std::string_view unit;  // of value and bound; empty: none
  std::string_view text;  // for people
};
// Every cause in the order of its number; unknown numbers give that of `none`.
[[nodiscard]] std::span<const CauseInfo> causes() noexcept RT_NONBLOCKING;
[[nodiscard]] const CauseInfo& describe(Cause cause) noexcept RT_NONBLOCKING;
[[nodiscard]] std::string_view to_string(Cause cause) noexcept RT_NONBLOCKING;

// One bound. "At the limit" is inside: a value equal to its bound is allowed, everywhere in this module; only beyond it
// begins the violation. A violation that has lasted for `dwell` or longer trips; dwell 0 trips on the first sample.
struct Limit {
  Cause cause = Cause::none;
  double bound = 0.0;  // SI; current and power signed, so the bound of discharge_current_high is negative
  base::Duration dwell;
};

// Is `value` beyond the bound? NaN is not: missing data is judged by its age.
[[nodiscard]] constexpr bool beyond(Side side, double value, double bound) noexcept RT_NONBLOCKING {
  return (side == Side::upper && value > bound) || (side == Side::lower && value < bound);
}

// Plain value: handed to the port through a ring.
struct LimitTable {
  // Rows per cause: one for each layer, because a tight bound with a long dwell does not replace a wider one that acts
  // at once. 11 causes have a side.
  static constexpr std::uint32_t kRowsPerCause = 3;
  static constexpr std::size_t kMax = 11 * kRowsPerCause;
  std::array<Limit, kMax> limits{};
  std::uint32_t count = 0;
  std::uint32_t reserved = 0;
  base::Duration stale_after = base::milliseconds(500);  // cycler sample age while energised; never below 3 periods
  base::Duration sensor_loss = base::seconds(3);         // chamber and temperature sensor age; never below 3 periods
  double current_tolerance_A = base::kAbsent;            // |I - I_set|; absent: not judged
  base::Duration current_tolerance_dwell = base::seconds(2);  // also of a current against the command
  base::Duration output_dwell = base::milliseconds(500);      // output state differs from the command
  std::uint32_t frozen_count = 0;                             // identical readings in a row allowed; 0: not judged
  std::uint32_t reserved2 = 0;

  // Adds a limit. Rows of the same cause that are nowhere stricter than another (bound no tighter and dwell no shorter)
  // are dropped. An absent bound and a cause without a side change nothing.
  void tighten(Cause cause, double bound, base::Duration dwell) noexcept RT_NONBLOCKING;

  // The tightest bound of a cause whatever its dwell; kAbsent when it is not limited.
  [[nodiscard]] double bound(Cause cause) const noexcept RT_NONBLOCKING;
};

// Merges one layer (station, cell or profile) into the table. A current or power with a maximum alone is limited in
// both directions.
void merge(LimitTable& table, const profiles::SafetyLimits& layer) noexcept;

}  // namespace cyclerd::safety
