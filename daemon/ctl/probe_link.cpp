#include "daemon/ctl/probe_link.hpp"

#include <fmt/format.h>

#include "daemon/ctl/description_view.hpp"
#include "protocols/modbus/register_link.hpp"
#include "protocols/text/quantity.hpp"

namespace cyclerd::ctl {

using control::Failure;
using device::Description;
using device::Dialect;

namespace {

using Link = Outcome<std::unique_ptr<device::ItemLink>>;

Link no_link(std::string why) {
  return std::unexpected(Trouble(Failure::usage, std::move(why)));
}

int port_of(const Description& d, const WireOptions& wire) {
  if (wire.port != 0) return wire.port;
  return d.dialect == Dialect::modbus ? 502 : 5025;
}

template <class Register>
std::unique_ptr<device::ItemLink> link_over(const std::shared_ptr<const Description>& d,
                                            const device::SiteParameters& site, const modbus::TcpEndpoint& endpoint,
                                            base::Clock& clock) {
  if constexpr (std::is_constructible_v<Register, decltype(d), decltype(site), decltype(endpoint), base::Clock&>) {
    return std::make_unique<Register>(d, site, endpoint, clock);
  } else {
    return std::make_unique<Register>(d, site, std::make_unique<modbus::TcpClient>(endpoint, clock));
  }
}

Link modbus_link(const std::shared_ptr<const Description>& d, const device::SiteParameters& site,
                 const WireOptions& wire, base::Clock& clock) {
  if (wire.host.empty()) return no_link("Modbus over this wire is not built in; --host HOST is");
  modbus::TcpEndpoint endpoint;
  endpoint.host = wire.host;
  endpoint.port = static_cast<std::uint16_t>(port_of(*d, wire));
  endpoint.unit = static_cast<std::uint8_t>(wire.unit);
  endpoint.response_timeout = d->response_timeout;
  endpoint.min_gap = d->min_gap;
  return link_over<modbus::RegisterLink>(d, site, endpoint, clock);
}

}  // namespace

Outcome<std::unique_ptr<device::ItemLink>> make_probe_link(const std::shared_ptr<const Description>& description,
                                                           const device::SiteParameters& site, const WireOptions& wire,
                                                           base::Clock& clock) {
  const int wires = (wire.host.empty() ? 0 : 1) + (wire.serial.empty() ? 0 : 1) + (wire.can.empty() ? 0 : 1) +
                    (wire.slcan.empty() ? 0 : 1);
  const bool frames = !wire.can.empty() || !wire.slcan.empty();
  const bool can = description->dialect == Dialect::can;
  if (wires != 1 || frames != can) {
    return no_link(fmt::format("{} speaks {}: name one wire, {}", description->id, dialect_word(description->dialect),
                               can ? "--can NAME or --slcan DEVICE" : "--host HOST or --serial DEVICE"));
  }
  if (description->dialect == Dialect::modbus) return modbus_link(description, site, wire, clock);
  return no_link(fmt::format("the dialect {} is not built in", dialect_word(description->dialect)));
}

Outcome<device::SiteParameters> probe_site(const Description& description, const std::vector<std::string>& set) {
  std::string wrong;
  const auto parameters = parameters_of(set, wrong);
  if (!wrong.empty()) return std::unexpected(Trouble(Failure::usage, wrong));
  std::string text;
  for (const auto& [name, value] : parameters) {
    const bool bare =
        value == "true" || value == "false" || value.find_first_not_of("0123456789.-+") == std::string::npos;
    text += bare ? fmt::format("{} = {}\n", name, value) : fmt::format("{} = \"{}\"\n", name, value);
  }
  const auto source = std::make_shared<const text::Source>(text::Source{"--set", text});
  text::Diagnostics findings;
  const auto table = text::parse_toml(source, findings);
  device::SiteParameters site = device::default_site(description);
  if (table) site = device::bind_site(description, &*table, findings);
  if (!findings.has_errors()) return site;
  return std::unexpected(Trouble(Failure::usage, findings.render(false)));
}

std::string wire_text(const Description& description, const WireOptions& wire) {
  if (!wire.host.empty()) return fmt::format("{}:{}", wire.host, port_of(description, wire));
  if (!wire.serial.empty()) return wire.serial;
  return wire.can.empty() ? wire.slcan : wire.can;
}

}  // namespace cyclerd::ctl
