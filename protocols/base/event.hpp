// What happened, in words and numbers. Events are rows of their own in the record.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocols/base/fixed_text.hpp"
#include "protocols/base/rt.hpp"
#include "protocols/base/time.hpp"

namespace cyclerd::base {

// Kept in the record: never renumber.
enum class EventKind : std::uint8_t {
  none = 0,
  test_start,
  test_end,
  step_start,
  step_end,  // text: the condition that ended it, as written in the profile
  cycle_end,
  setpoint,     // sent to the device and read back
  chamber,      // chamber set-point sent and read back
  state,        // channel state changed; text: from -> to
  trip,         // a safety limit fired; value and bound filled in
  acknowledge,  // text: who, why
  fault,        // a device or wire failed
  recovered,    // a device or wire came back
  pause,
  resume,
  gap,    // samples are missing
  clock,  // clock anchor, or the wall clock was stepped
  note,
  message,  // to the operator
  overrun,  // a scan or a ring was late; value: how many
  profile_change,
};

[[nodiscard]] std::string_view to_string(EventKind kind) noexcept RT_NONBLOCKING;

struct Event {
  MonoTime time;
  WallTime wall;
  EventKind kind = EventKind::none;
  std::uint8_t reserved[3] = {};
  std::int32_t channel = -1;  // index in the station, -1: none
  double value = 0.0;         // the measured value that caused it, if any
  double bound = 0.0;         // the limit it was held against, if any
  FixedText<46> subject;      // step, device, limit
  FixedText<206> text;
};

}  // namespace cyclerd::base
