// The driver of every instrument that speaks Modbus TCP: a Device made from its description.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "protocols/base/clock.hpp"
#include "protocols/device/description.hpp"
#include "protocols/device/device.hpp"
#include "protocols/device/site.hpp"

namespace cyclerd::modbus {

struct ModbusTcpEndpoint {
  std::string host = "127.0.0.1";
  std::uint16_t port = 502;
  std::uint8_t unit = 1;
  std::optional<base::Duration> connect_timeout;   // default 1 s
  std::optional<base::Duration> response_timeout;  // default: the description's
};

// Does no I/O yet; open() does. `site` comes from bind_site() or default_site().
[[nodiscard]] std::unique_ptr<device::Device> make_modbus_device(std::shared_ptr<const device::Description> description,
                                                                 const ModbusTcpEndpoint& endpoint,
                                                                 const device::SiteParameters& site,
                                                                 base::Clock& clock);

}  // namespace cyclerd::modbus
