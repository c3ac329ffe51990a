// A supply that charges and a load that discharges, presented as one signed cycler. Optionally a relay between them and
// the cell, a voltmeter at the cell and a shunt in its lead. All parts are used by one thread: one port.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "protocols/base/clock.hpp"
#include "protocols/base/latch.hpp"
#include "protocols/device/device.hpp"

namespace cyclerd::device {

enum class Part : std::uint8_t { source = 0, sink, relay, voltmeter, shunt };
inline constexpr std::size_t kPartCount = 5;
[[nodiscard]] std::string_view to_string(Part part) noexcept;

// Two measurements of the same quantity that must agree while current flows.
struct Agreement {
  double tolerance = base::kAbsent;         // V or A; absent: not compared
  base::Duration dwell = base::seconds(2);  // differences shorter than this are the step of a set-point
};

struct CompositeOptions {
  base::Duration dead_time = base::milliseconds(100);  // between one side verified off and the other switched on
  Agreement voltage;                                   // voltmeter, or the load, against the part that conducts
  Agreement current;                                   // shunt against the sum of the parts
  bool disagreement_alarms = true;     // true: the reading carries an alarm, which trips; false: only a status bit
  const base::Latch* latch = nullptr;  // of the channel: a trip during the dead time keeps the other side off
};

// Bits of Reading::status of a composite.
namespace composite_status {
inline constexpr std::uint32_t kSourceOn = 1U << 0;
inline constexpr std::uint32_t kSinkOn = 1U << 1;
inline constexpr std::uint32_t kRelayClosed = 1U << 2;  // as last commanded and read back
inline constexpr std::uint32_t kSourceAlarm = 1U << 3;
inline constexpr std::uint32_t kSinkAlarm = 1U << 4;
inline constexpr std::uint32_t kBothOn = 1U << 5;
inline constexpr std::uint32_t kVoltageDisagrees = 1U << 6;
inline constexpr std::uint32_t kCurrentDisagrees = 1U << 7;
}  // namespace composite_status

// Told on the port's thread after every attempt to open, read or make safe a part: for status pages, the check that one
// instrument is not used twice, and the heartbeat while several parts run into their deadlines.
class PartWatcher {
 public:
  virtual ~PartWatcher() = default;
  // `reading`: null when none came.
  virtual void part_seen(Part part, const Device& device, const base::Status& status,
                         const base::Reading* reading) noexcept = 0;
};

// What the whole can do, of what its two sides can: charge as the source, discharge as the sink, voltages that both
// take. Absent numbers (kAbsent) stay absent. The watchdog is the weaker of the two.
[[nodiscard]] Capability merge_capability(const Capability& source, const Capability& sink, bool has_relay) noexcept;

// source and sink are needed, the others may be null. `watcher` may be null and must outlive the device.
struct CompositeParts {
  std::array<std::unique_ptr<Device>, kPartCount> devices;
  [[nodiscard]] std::unique_ptr<Device>& operator[](Part part) noexcept {
    return devices[static_cast<std::size_t>(part)];
  }
};
[[nodiscard]] std::unique_ptr<Device> make_composite_device(CompositeParts parts, const CompositeOptions& options,
                                                            base::Clock& clock, PartWatcher* watcher = nullptr);

}  // namespace cyclerd::device
