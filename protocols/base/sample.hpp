// What instruments say: a Reading per device and poll, a Sample per channel and scan.
#pragma once

#include <cstdint>
#include <limits>

#include "protocols/base/time.hpp"

namespace cyclerd::base {

inline constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();  // "not measured by this device"

// Which quantity the instrument is regulating, as it reports it.
enum class Regulation : std::uint8_t { unknown = 0, off, current, voltage, power, resistance };

// Flags of a reading, sample or row. Kept in the record: values are part of the format, never renumber.
namespace flag {
inline constexpr std::uint32_t kStale = 1U << 0;        // a value is older than the scan
inline constexpr std::uint32_t kLimit = 1U << 1;        // outside a safety limit
inline constexpr std::uint32_t kPretrigger = 1U << 2;   // kept from before a fault or step change
inline constexpr std::uint32_t kInterrupted = 1U << 3;  // the cycle was touched by an outage
inline constexpr std::uint32_t kRepeated = 1U << 4;     // the instrument returned the previous sample again
inline constexpr std::uint32_t kInvalid = 1U << 5;      // no data: a NaN, a failed checksum, an unbelievable value
inline constexpr std::uint32_t kPaused = 1U << 6;
inline constexpr std::uint32_t kSoftwareCv = 1U << 7;
inline constexpr std::uint32_t kSettling = 1U << 8;  // taken before the step's set-point was known to be in force
}  // namespace flag

// One poll of one device. Values the device does not measure are kAbsent. Produced on a port thread.
struct Reading {
  std::uint32_t device = 0;  // index in the station
  std::uint32_t flags = 0;
  std::uint64_t sequence = 0;  // of this device, from 1
  MonoTime sent;               // request sent
  MonoTime received;           // reply received; the sample's moment lies between the two
  WallTime wall;               // of `received`
  double voltage_V = kAbsent;
  double current_A = kAbsent;  // charge positive
  double power_W = kAbsent;
  double temperature_degC = kAbsent;  // of the cell
  double chamber_degC = kAbsent;      // air
  double chamber_setpoint_degC = kAbsent;
  std::uint32_t status = 0;  // raw status word of the device
  Regulation regulation = Regulation::unknown;
  std::uint8_t output_on = 0;
  std::uint8_t alarm = 0;   // the device reports an alarm
  std::uint8_t remote = 1;  // the device obeys us (0: somebody took it to local control)
};

// What a channel's executor sees in one scan: the cycler's reading joined with the latest chamber and sensor values.
// The only input of the executor besides requests, and recorded in full, so that a replay is exact.
struct Sample {
  MonoTime time;  // midpoint of request and reply
  WallTime wall;
  std::int32_t uncertainty_us = 0;  // half of (received - sent)
  std::uint32_t flags = 0;
  double voltage_V = kAbsent;
  double current_A = kAbsent;
  double temperature_degC = kAbsent;
  double chamber_degC = kAbsent;
  Regulation regulation = Regulation::unknown;
  std::uint8_t output_on = 0;
  std::uint8_t reserved[6] = {};
};

}  // namespace cyclerd::base
