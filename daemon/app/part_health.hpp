// The parts of a composite have no place of their own in the port: their health is published by what drives them.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "daemon/app/station_config.hpp"
#include "daemon/io/lanes.hpp"
#include "protocols/base/published.hpp"
#include "protocols/device/composite_device.hpp"

namespace cyclerd::app {

// Called on the port's thread only.
class PartHealth final : public device::PartWatcher {
 public:
  // `health[i]`: where the health of part i goes; null where there is none. `heartbeat`: of the port.
  PartHealth(const std::array<base::Published<io::DeviceHealth>*, device::kPartCount>& health,
             std::atomic<std::uint64_t>& heartbeat)
      : health_(health), heartbeat_(heartbeat) {}
  void part_seen(device::Part part, const device::Device& device, const base::Status& status,
                 const base::Reading* reading) noexcept override;

 private:
  std::array<base::Published<io::DeviceHealth>*, device::kPartCount> health_;
  std::atomic<std::uint64_t>& heartbeat_;
  std::array<io::DeviceHealth, device::kPartCount> now_{};
};

}  // namespace cyclerd::app
