#include "daemon/ctl/probe_link.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "daemon/app/device_maker.hpp"
#include "daemon/ctl/description_view.hpp"
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

app::WireConfig wire_of(const Description& d, const WireOptions& options) {
  using app::Transport;
  const bool modbus = d.dialect == Dialect::modbus;
  app::WireConfig wire;
  wire.name = "probe";
  wire.host = options.host;
  wire.port = static_cast<std::uint16_t>(port_of(d, options));
  wire.line = options.serial.empty() ? options.slcan : options.serial;
  wire.interface = options.can;
  wire.bitrate = static_cast<std::uint32_t>(options.bitrate);
  wire.transport = !options.can.empty()     ? Transport::can
                   : !options.slcan.empty() ? Transport::slcan
                   : !options.host.empty()  ? (modbus ? Transport::modbus_tcp : Transport::tcp)
                                            : (modbus ? Transport::modbus_rtu : Transport::serial);
  return wire;
}

// What the command line does not say, the description does.
Outcome<transport::SerialSettings> settings_of(const Description& d, const WireOptions& options) {
  transport::SerialSettings settings = app::serial_settings(d);
  if (options.baud != 0) settings.baud = static_cast<std::uint32_t>(options.baud);
  if (options.stop_bits != 0) settings.stop_bits = static_cast<std::uint8_t>(options.stop_bits);
  if (options.data_bits != 0) settings.data_bits = static_cast<std::uint8_t>(options.data_bits);
  if (options.parity.empty()) return settings;
  static constexpr std::array<std::pair<std::string_view, transport::Parity>, 3> kWords{
      {{"none", transport::Parity::none}, {"even", transport::Parity::even}, {"odd", transport::Parity::odd}}};
  for (const auto& [word, parity] : kWords) {
    if (options.parity != word) continue;
    settings.parity = parity;
    return settings;
  }
  return std::unexpected(Trouble(Failure::usage, fmt::format("--parity {}: use none, even or odd", options.parity)));
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
  app::WireConfig config = wire_of(*description, wire);
  const auto settings = settings_of(*description, wire);
  if (!settings) return std::unexpected(settings.error());
  config.settings = *settings;
  config.settings_given = config.transport == app::Transport::modbus_rtu || config.transport == app::Transport::serial;
  app::DeviceConfig device;
  device.name = description->id;
  device.kind = description;
  device.site = site;
  device.unit = wire.unit;
  auto link = app::DeviceFactory(clock).make_link(config, device);
  if (!link) return no_link(link.error().text());
  return std::move(*link);
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
