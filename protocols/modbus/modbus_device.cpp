#include "protocols/modbus/modbus_device.hpp"

#include <algorithm>

#include "protocols/device/scripted_device.hpp"
#include "protocols/modbus/register_link.hpp"

namespace cyclerd::modbus {

namespace {

TcpEndpoint to_client(const device::Description& d, const ModbusTcpEndpoint& e) {
  TcpEndpoint out;
  out.host = e.host;
  out.port = e.port;
  out.unit = e.unit;
  out.connect_timeout = e.connect_timeout.value_or(base::seconds(1));
  out.response_timeout = e.response_timeout.value_or(d.response_timeout);
  out.min_gap = std::max(d.min_gap, d.request_gap);  // nobody else is on this line
  return out;
}

}  // namespace

std::unique_ptr<device::Device> make_modbus_device(std::shared_ptr<const device::Description> description,
                                                   const ModbusTcpEndpoint& endpoint,
                                                   const device::SiteParameters& site, base::Clock& clock) {
  auto link = std::make_unique<RegisterLink>(description, site, to_client(*description, endpoint), clock);
  return device::make_scripted_device(std::move(description), site, std::move(link), clock);
}

}  // namespace cyclerd::modbus
