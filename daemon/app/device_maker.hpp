// From a device of the station file to its driver; and what its description promises before anything is opened.
#pragma once

#include <memory>

#include "daemon/app/station_config.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"
#include "protocols/device/device.hpp"

namespace cyclerd::app {

// Connects nothing yet. `clock` must outlive the device.
[[nodiscard]] base::Result<std::unique_ptr<device::Device>> make_modbus_device(const StationConfig& station,
                                                                               std::uint32_t device,
                                                                               base::Clock& clock);

// What the description knows; numbers that only the instrument can tell are kAbsent.
[[nodiscard]] device::Capability promised_capability(const DeviceConfig& device);
// The same with those numbers as large as any: for checking a profile before the instrument has been opened.
[[nodiscard]] device::Capability assumed_capability(const DeviceConfig& device);
[[nodiscard]] bool measures_cell_temperature(const DeviceConfig& device);
// Requests on the wire for one poll.
[[nodiscard]] int transactions_per_poll(const DeviceConfig& device);

}  // namespace cyclerd::app
