// The limits of one channel in one table: station, cell and profile, the tightest of each wins.
#pragma once

#include <array>
#include <cstdint>
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
[[nodiscard]] std::string_view to_string(Cause cause) noexcept RT_NONBLOCKING;

struct Limit {
  Cause cause = Cause::none;
  double bound = 0.0;  // SI
  base::Duration dwell;
};

// Plain value: handed to the port through a ring.
struct LimitTable {
  static constexpr std::size_t kMax = 16;
  std::array<Limit, kMax> limits{};
  std::uint32_t count = 0;
  std::uint32_t reserved = 0;
  base::Duration stale_after = base::milliseconds(500);  // cycler sample age while energised
  base::Duration sensor_loss = base::seconds(3);         // chamber and temperature sensor age
  double current_tolerance_A = base::kAbsent;            // |I - I_set|; absent: not judged
  base::Duration current_tolerance_dwell = base::seconds(2);
  std::uint32_t frozen_count = 0;  // identical readings in a row; 0: not judged
  std::uint32_t reserved2 = 0;

  // Adds a limit, or tightens the one with the same cause (bound and dwell).
  void tighten(Cause cause, double bound, base::Duration dwell) noexcept RT_NONBLOCKING;
};

// Merges one layer (station, cell or profile) into the table.
void merge(LimitTable& table, const profiles::SafetyLimits& layer) noexcept;

}  // namespace cyclerd::safety
