#include "daemon/app/part_health.hpp"

#include <algorithm>
#include <cstddef>

namespace cyclerd::app {

void PartHealth::part_seen(device::Part part, const device::Device& device, const base::Status& status,
                           const base::Reading* reading) noexcept {
  heartbeat_.fetch_add(1, std::memory_order_acq_rel);
  const auto i = static_cast<std::size_t>(part);
  if (health_[i] == nullptr) return;
  io::DeviceHealth& h = now_[i];
  bool whole = false;  // what changes seldom has changed
  if (!status) {
    ++h.errors;
    h.error = status.error().detail.view();
    if (h.link == io::LinkState::open) h.link = io::LinkState::suspect;
    whole = true;
  } else if (reading != nullptr) {
    ++h.polls;
    h.link = io::LinkState::open;
    h.reading = *reading;
    h.output_on = reading->output_on;
    h.last_reading = reading->received;
    h.round_trip_us = (reading->received - reading->sent).us;
    h.round_trip_max_us = std::max(h.round_trip_max_us, h.round_trip_us);
  } else {
    h.link = io::LinkState::open;
    h.capability = device.capability();
    h.identity = device.identity();
    h.has_watchdog = h.capability.watchdog != device::WatchdogKind::none ? 1 : 0;
    h.error = {};
    whole = true;
  }
  health_[i]->store_head(h, whole ? sizeof h : offsetof(io::DeviceHealth, capability));
}

}  // namespace cyclerd::app
