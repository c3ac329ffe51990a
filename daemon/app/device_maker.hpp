// From a device of the station file to its driver; and what its description promises before anything is opened.
#pragma once

#include <memory>

#include "daemon/app/station_config.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"
#include "protocols/device/device.hpp"
#include "protocols/device/item_link.hpp"

namespace cyclerd::app {

// Makes the devices of one station. Instruments that share a wire share its connection where they must: a factory is
// for the devices of one set of threads, each wire's used by one of them.
class DeviceFactory {
 public:
  // `clock` must outlive the devices.
  explicit DeviceFactory(base::Clock& clock);
  ~DeviceFactory();
  DeviceFactory(const DeviceFactory&) = delete;
  DeviceFactory& operator=(const DeviceFactory&) = delete;

  // Connects nothing yet.
  [[nodiscard]] base::Result<std::unique_ptr<device::Device>> make(const StationConfig& station, std::uint32_t device);
  // Its link alone, for looking at an instrument. `device.wire` tells devices on one wire from those on others.
  [[nodiscard]] base::Result<std::unique_ptr<device::ItemLink>> make_link(const WireConfig& wire,
                                                                          const DeviceConfig& device);

 private:
  struct Lines;
  using Link = base::Result<std::unique_ptr<device::ItemLink>>;
  Link rtu_link(const WireConfig& wire, const DeviceConfig& device);
  Link text_link(const WireConfig& wire, const DeviceConfig& device);

  base::Clock& clock_;
  std::unique_ptr<Lines> lines_;
};

// What a serial line is set up to when the station file says nothing: the description's, or 9600 8N1.
[[nodiscard]] transport::SerialSettings serial_settings(const device::Description& description) noexcept;
// What the description knows; numbers that only the instrument can tell are kAbsent.
[[nodiscard]] device::Capability promised_capability(const DeviceConfig& device);
// The same with those numbers as large as any: for checking a profile before the instrument has been opened.
[[nodiscard]] device::Capability assumed_capability(const DeviceConfig& device);
[[nodiscard]] bool measures_cell_temperature(const DeviceConfig& device);
// Requests on the wire for one poll.
[[nodiscard]] int transactions_per_poll(const DeviceConfig& device);

}  // namespace cyclerd::app
