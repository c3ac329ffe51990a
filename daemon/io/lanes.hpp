// The rings between one port and the rest: the only way in and out of a port's thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "daemon/safety/limits.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/base/command.hpp"
#include "protocols/base/event.hpp"
#include "protocols/base/published.hpp"
#include "protocols/base/ring.hpp"
#include "protocols/base/sample.hpp"
#include "protocols/device/device.hpp"

namespace cyclerd::io {

// Limits for one channel, from the cycle to the ports of that channel: sent at test start and end.
struct LimitUpdate {
  std::uint32_t channel = 0;
  std::uint32_t reserved = 0;
  safety::LimitTable table;
};

// What a port tells besides readings.
struct Notice {
  enum class What : std::uint8_t {
    command_done = 0,  // set-point written and read back
    command_failed,    // refused by the gate, or by the device; the device was made safe
    tripped,           // this port saw the violation
    made_safe,         // outputs of this device are off, verified
    lost,              // device quarantined
    recovered,         // device open again, output off
  };
  What what = What::command_done;
  std::uint8_t reserved[3] = {};
  std::uint32_t device = 0;            // index in the station
  std::uint64_t command_sequence = 0;  // for command_*
  base::MonoTime time;
  base::Event event;  // ready to be recorded (channel filled in)
};

enum class LinkState : std::uint8_t { closed = 0, open, suspect, quarantined };

// Health of one device, published by its port for status and doctor. What changes with every poll comes first: the port
// publishes the rest only when it has changed.
struct DeviceHealth {
  LinkState link = LinkState::closed;
  std::uint8_t output_on = 0;
  std::uint8_t has_watchdog = 0;
  std::uint8_t reserved[5] = {};
  std::uint64_t polls = 0;
  std::uint64_t errors = 0;
  std::uint64_t reconnects = 0;
  base::MonoTime last_reading;
  std::int64_t round_trip_us = 0;      // last
  std::int64_t round_trip_max_us = 0;  // since the start
  std::uint64_t overruns = 0;          // polls that could not start in their period
  base::Reading reading;               // the newest
  device::Capability capability;
  device::Identity identity;
  base::FixedText<200> error;  // last failure in words
};

struct Lanes {
  Lanes(std::size_t readings_capacity, base::Wakeup& cycle) : readings(readings_capacity), to_cycle(cycle) {}

  base::Ring<base::Reading> readings;       // port -> cycle
  base::Ring<Notice> notices{256};          // port -> cycle
  base::Ring<base::Command> commands{256};  // cycle -> port
  base::Ring<LimitUpdate> limits{64};       // cycle -> port
  base::Wakeup to_port;                     // posted after a push to commands or limits, and by a trip elsewhere
  base::Wakeup& to_cycle;                   // posted by the port after a push
  std::atomic<std::uint64_t> heartbeat{0};  // grows with every transaction and every round
};

}  // namespace cyclerd::io
