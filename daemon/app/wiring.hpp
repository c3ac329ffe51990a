// Joins a station: lanes, latches, ports, cycle, recorder. Makes no thread; who calls what is said in README.md.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/app/part_health.hpp"
#include "daemon/app/station_config.hpp"
#include "daemon/cycle/cycle.hpp"
#include "daemon/io/port.hpp"
#include "daemon/record/recorder.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"
#include "protocols/device/device.hpp"

namespace cyclerd::app {

// Makes the driver of one device of the station. Simulations put virtual devices here.
using DeviceMaker =
    std::function<base::Result<std::unique_ptr<device::Device>>(const StationConfig&, std::uint32_t device)>;

struct Wire {
  std::string name;
  std::unique_ptr<io::Lanes> lanes;
  std::unique_ptr<io::Port> port;
};

// Everything of a running station but its threads. Members are public: wiring is what joins them, the rest uses them.
struct Station {
  explicit Station(StationConfig station_config, std::size_t record_ring_bytes)
      : config(std::move(station_config)), records(record_ring_bytes) {}

  const StationConfig config;
  base::Wakeup cycle_wakeup;
  base::FrameRing records;                                                 // cycle -> recorder
  std::vector<std::unique_ptr<base::Published<io::DeviceHealth>>> health;  // by device
  std::vector<std::unique_ptr<io::ChannelSafety>> safety;                  // by channel
  std::vector<std::unique_ptr<PartHealth>> part_health;                    // outlives the composites in `wires`
  std::vector<Wire> wires;                                                 // only those with a device on a channel
  std::unique_ptr<cycle::Cycle> cycle;
  std::unique_ptr<record::Recorder> recorder;
};

// Opens the record (recovering what an earlier process left) and builds the rest. Touches no wire yet. `ring_bytes` 0:
// record_ring_bytes().
[[nodiscard]] base::Result<std::unique_ptr<Station>> wire_station(StationConfig config, const DeviceMaker& make_device,
                                                                  record::RecorderConfig record, base::Clock& clock,
                                                                  std::size_t ring_bytes = 0);

// What a device's own protections are programmed to: the tightest of the channel's limits.
[[nodiscard]] device::Protections protections_of(const profiles::SafetyLimits& limits) noexcept;

// 30 s of records at full rate, all channels together; at least 16 MiB (a test begins with its metadata in one frame),
// at most 256 MiB.
[[nodiscard]] std::size_t record_ring_bytes(const StationConfig& config) noexcept;

}  // namespace cyclerd::app
