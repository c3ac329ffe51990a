// What a port remembers of one device. Internal to the port.
#pragma once

#include <cstdint>
#include <utility>

#include "daemon/io/grid.hpp"
#include "daemon/io/port.hpp"
#include "daemon/safety/judge.hpp"

namespace cyclerd::io {

struct Port::Entry {
  explicit Entry(DeviceSlot s) : slot(std::move(s)), kind(slot.device->capability().kind), judge(kind, slot.scan, 0.0) {
    judge.set_limits(slot.limits);
  }

  DeviceSlot slot;
  const device::DeviceKind kind;
  safety::Judge judge;
  DeviceHealth health;
  bool described = false;  // what the health says from `capability` on is published

  Grid polls;
  Grid feeds;
  std::uint64_t sequence = 0;  // of readings
  std::uint32_t misses = 0;    // in a row
  bool opened_before = false;
  bool told_lost = false;  // a Notice went out and no recovery since
  bool reopen = false;     // answers, but is no longer as we set it up: to be initialised again
  Backoff probe_wait{base::seconds(1), base::seconds(30)};
  base::MonoTime probe_at;

  bool unsafe = false;     // make_safe is demanded and not verified yet
  bool may_be_on = false;  // from just before a set-point is written until off is verified
  bool told_unsafe = false;
  Backoff safe_wait{base::milliseconds(50), base::seconds(1)};
  base::MonoTime safe_at;
  std::uint32_t answered_trips = 0;  // Latch::count() that this device was made safe for
  std::uint64_t safe_order = 0;      // sequence of a make_safe command in work

  bool has_command = false;
  std::uint32_t superseded = 0;
  base::Command command;

  [[nodiscard]] bool is_cycler() const noexcept { return kind == device::DeviceKind::cycler; }
  [[nodiscard]] bool has_output() const noexcept { return kind != device::DeviceKind::sensor; }
  // Is the wire to it believed to work?
  [[nodiscard]] bool linked() const noexcept {
    return health.link == LinkState::open || health.link == LinkState::suspect;
  }
  [[nodiscard]] bool energised() const noexcept { return slot.safety->energised.load(std::memory_order_acquire); }
  [[nodiscard]] bool wants_probe() const noexcept { return !linked() || (reopen && !unsafe); }
  [[nodiscard]] bool wants_feed() const noexcept {
    // An output that should be off and is not known to be: let the instrument's own watchdog open it.
    return health.has_watchdog != 0 && linked() && !unsafe;
  }
};

// A probe or a retry towards a lost device may take this share of the time of a wire that others need: 1 of 20.
inline constexpr std::int64_t kPauseFactor = 19;

}  // namespace cyclerd::io
