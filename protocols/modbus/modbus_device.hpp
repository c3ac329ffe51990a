// The driver of every instrument that speaks Modbus: a Device made from its description and its connection.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "protocols/base/clock.hpp"
#include "protocols/device/description.hpp"
#include "protocols/device/device.hpp"
#include "protocols/device/item_link.hpp"
#include "protocols/device/site.hpp"
#include "protocols/modbus/rtu_client.hpp"
#include "protocols/modbus/tcp_line.hpp"

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

// One unit of a connection that others may share: all of them are used by the wire's one thread.
[[nodiscard]] std::unique_ptr<device::Device> make_modbus_device(std::shared_ptr<const device::Description> description,
                                                                 std::shared_ptr<TcpLine> line, std::uint8_t unit,
                                                                 const device::SiteParameters& site,
                                                                 base::Clock& clock);

// One slave of a serial line that others may share: all of them are used by the line's one thread.
struct ModbusRtuEndpoint {
  std::uint8_t unit = 1;
  std::optional<base::Duration> response_timeout;  // default: the description's
};
[[nodiscard]] std::unique_ptr<device::Device> make_modbus_rtu_device(
    std::shared_ptr<const device::Description> description, std::shared_ptr<RtuLine> line,
    const ModbusRtuEndpoint& endpoint, const device::SiteParameters& site, base::Clock& clock);

// The link of such a device alone, for looking at an instrument.
[[nodiscard]] std::unique_ptr<device::ItemLink> make_modbus_link(std::shared_ptr<const device::Description> description,
                                                                 std::shared_ptr<TcpLine> line, std::uint8_t unit,
                                                                 const device::SiteParameters& site,
                                                                 base::Clock& clock);
[[nodiscard]] std::unique_ptr<device::ItemLink> make_modbus_rtu_link(
    std::shared_ptr<const device::Description> description, std::shared_ptr<RtuLine> line,
    const ModbusRtuEndpoint& endpoint, const device::SiteParameters& site, base::Clock& clock);

// Two reads whose replies cannot be mistaken for each other: the canary first, then a block of another length. One
// only where the description has no two such.
[[nodiscard]] std::vector<Probe> probes_of(const device::Description& description);

}  // namespace cyclerd::modbus
