#include "protocols/modbus/modbus_device.hpp"

#include <algorithm>

#include "protocols/device/scan_plan.hpp"
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
  auto client = std::make_unique<TcpClient>(to_client(*description, endpoint), clock);
  auto link = std::make_unique<RegisterLink>(description, site, std::move(client));
  return device::make_scripted_device(std::move(description), site, std::move(link), clock);
}

std::unique_ptr<device::ItemLink> make_modbus_link(std::shared_ptr<const device::Description> description,
                                                   std::shared_ptr<TcpLine> line, std::uint8_t unit,
                                                   const device::SiteParameters& site, base::Clock& clock) {
  auto client = std::make_unique<TcpClient>(std::move(line), unit, description->response_timeout,
                                            std::max(description->min_gap, description->request_gap), clock);
  return std::make_unique<RegisterLink>(std::move(description), site, std::move(client));
}

std::unique_ptr<device::ItemLink> make_modbus_rtu_link(std::shared_ptr<const device::Description> description,
                                                       std::shared_ptr<RtuLine> line, const ModbusRtuEndpoint& endpoint,
                                                       const device::SiteParameters& site, base::Clock& clock) {
  RtuSlave slave;
  slave.unit = endpoint.unit;
  slave.response_timeout = endpoint.response_timeout.value_or(description->response_timeout);
  slave.worst_response = description->worst_response;
  slave.min_gap = description->min_gap;
  slave.request_gap = description->request_gap;
  slave.probes = probes_of(*description);
  auto client = std::make_unique<RtuClient>(std::move(line), std::move(slave), clock);
  return std::make_unique<RegisterLink>(std::move(description), site, std::move(client));
}

std::unique_ptr<device::Device> make_modbus_device(std::shared_ptr<const device::Description> description,
                                                   std::shared_ptr<TcpLine> line, std::uint8_t unit,
                                                   const device::SiteParameters& site, base::Clock& clock) {
  auto link = make_modbus_link(description, std::move(line), unit, site, clock);
  return device::make_scripted_device(std::move(description), site, std::move(link), clock);
}

std::unique_ptr<device::Device> make_modbus_rtu_device(std::shared_ptr<const device::Description> description,
                                                       std::shared_ptr<RtuLine> line, const ModbusRtuEndpoint& endpoint,
                                                       const device::SiteParameters& site, base::Clock& clock) {
  auto link = make_modbus_rtu_link(description, std::move(line), endpoint, site, clock);
  return device::make_scripted_device(std::move(description), site, std::move(link), clock);
}

std::vector<Probe> probes_of(const device::Description& description) {
  std::vector<Probe> found;
  const auto offer = [&found](Function function, std::uint16_t address, std::uint16_t count) {
    const Probe probe{function, address, count};
    if (found.empty() || (found.size() == 1 && !same_shape(found.front(), probe))) found.push_back(probe);
  };
  const auto offer_item = [&](int index) {
    if (index == device::kNone || !description.item(index).readable) return;
    const device::Item& item = description.item(index);
    offer(item.function, item.address, item.count);
  };
  offer_item(description.serial.item);
  offer_item(description.model.item);
  const device::ScanPlan plan = device::plan_scan(description);
  for (const auto& block : plan.blocks) offer(block.function, block.address, block.count);
  for (std::size_t i = 0; i < description.items.size(); ++i) offer_item(static_cast<int>(i));
  return found;
}

}  // namespace cyclerd::modbus
