#include "daemon/app/station_check.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "daemon/app/composite.hpp"
#include "daemon/app/device_maker.hpp"
#include "protocols/text/quantity.hpp"

namespace cyclerd::app {
namespace {

using device::Capability;
using device::DeviceKind;
using text::Diagnostics;

const char* word(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::cycler: return "cycler";
    case DeviceKind::chamber: return "chamber";
    case DeviceKind::sensor: return "sensor";
    case DeviceKind::relay: return "relay";
  }
  return "device";
}

const DeviceConfig* device_of(const StationConfig& station, std::int32_t index) {
  if (index < 0) return nullptr;
  const DeviceConfig& device = station.devices[static_cast<std::size_t>(index)];
  return device.kind ? &device : nullptr;
}

void check_kind(const DeviceConfig* device, const Reference& reference, DeviceKind wanted, Diagnostics& diagnostics) {
  if (device == nullptr) return;
  const DeviceKind is = promised_capability(*device).kind;
  if (is == wanted) return;
  diagnostics.error(
      "S025", reference.where,
      fmt::format("device \"{}\" ({}) is a {}, not a {}", device->name, device->description, word(is), word(wanted)),
      fmt::format("name a device whose description is of kind \"{}\"", word(wanted)));
}

struct Range {
  const char* name;
  double min;
  double max;
  text::Dimension dimension;
};

// A limit beyond what the device can reach would never fire: whoever wrote it was mistaken about one of the two.
void check_range(const profiles::SafetyBound& bound, const Range& range, const DeviceConfig& device,
                 const text::Span& where, Diagnostics& diagnostics) {
  const auto show = [&](double value) { return text::format_quantity(value, range.dimension); };
  const auto report = [&](const char* which, double value) {
    diagnostics.error("S027", where,
                      fmt::format("the {} limit {} = {} is outside the range of {}: {} to {}", range.name, which,
                                  show(value), device.name, show(range.min), show(range.max)),
                      "tighten the limit, or correct the device's site parameters");
  };
  if (!std::isnan(bound.min) && (bound.min < range.min || bound.min > range.max)) report("min", bound.min);
  if (!std::isnan(bound.max) && (bound.max < range.min || bound.max > range.max)) report("max", bound.max);
}

void check_limits(const StationConfig& station, const ChannelConfig& channel, const ChannelTable& table,
                  Diagnostics& diagnostics) {
  const text::Span where = table.limits != nullptr ? table.limits->key : channel.where;
  if (const DeviceConfig* cycler = device_of(station, static_cast<std::int32_t>(channel.cycler))) {
    const Capability can = promised_capability(*cycler);
    check_range(channel.limits.voltage, {"voltage", can.voltage_min_V, can.voltage_max_V, text::dimension::kVoltage},
                *cycler, where, diagnostics);
    check_range(channel.limits.current, {"current", can.current_min_A, can.current_max_A, text::dimension::kCurrent},
                *cycler, where, diagnostics);
    if (can.power_max_W > 0) {
      check_range(channel.limits.power, {"power", can.power_min_W, can.power_max_W, text::dimension::kPower}, *cycler,
                  where, diagnostics);
    }
  }
  if (const DeviceConfig* chamber = device_of(station, channel.chamber)) {
    const Capability can = promised_capability(*chamber);
    check_range(channel.limits.chamber,
                {"chamber", can.temperature_min_degC, can.temperature_max_degC, text::dimension::kTemperature},
                *chamber, where, diagnostics);
  }
}

bool is_set(const profiles::SafetyBound& bound) {
  return !std::isnan(bound.min) || !std::isnan(bound.max);
}

// A limit on something that nobody measures looks like protection and is none.
void check_measured(const StationConfig& station, const ChannelConfig& channel, const ChannelTable& table,
                    Diagnostics& diagnostics) {
  const text::Span where = table.limits != nullptr ? table.limits->key : channel.where;
  const DeviceConfig* sensor = device_of(station, channel.sensor);
  const DeviceConfig* cycler = device_of(station, static_cast<std::int32_t>(channel.cycler));
  if (sensor != nullptr && !measures_cell_temperature(*sensor)) {
    diagnostics.error(
        "S036", table.sensor.where,
        fmt::format("device \"{}\" ({}) does not measure the cell's temperature", sensor->name, sensor->description),
        "name a device that does, or leave `sensor` out");
  }
  if (is_set(channel.limits.temperature) && channel.sensor < 0 && cycler != nullptr &&
      !measures_cell_temperature(*cycler)) {
    diagnostics.error("S036", where,
                      fmt::format("channel {} limits the cell's temperature, but nothing measures it", channel.name),
                      "name a `sensor`, or leave the limit out");
  }
  if (is_set(channel.limits.chamber) && channel.chamber < 0) {
    diagnostics.error("S036", where, fmt::format("channel {} limits the chamber, but has none", channel.name),
                      "name a `chamber`, or leave the limit out");
  }
}

std::string where_it_hangs(const WireConfig& wire) {
  switch (wire.transport) {
    case Transport::modbus_rtu:
    case Transport::serial:
    case Transport::slcan: return wire.line;
    case Transport::can: return wire.interface;
    default: break;
  }
  std::string host = wire.host;
  std::ranges::transform(host, host.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (host == "localhost" || host == "::1") host = "127.0.0.1";
  return fmt::format("{}:{}", host, wire.port);
}

// Text and CAN instruments on one wire are told apart by site parameters with these names.
std::string physical_address(const StationConfig& station, const DeviceConfig& device) {
  const WireConfig& wire = station.wires[device.wire];
  std::string address = where_it_hangs(wire);
  if (dialect_of(wire.transport) == device::Dialect::modbus) return fmt::format("{} unit {}", address, device.unit);
  for (std::size_t i = 0; i < device.kind->parameters.size() && i < device.site.values.size(); ++i) {
    const std::string& name = device.kind->parameters[i].name;
    if (name == "channel" || name == "address" || name == "module")
      address += fmt::format(" {} {}", name, device.site.values[i]);
  }
  // Sensors with different descriptions share a bus without any address.
  return device.kind->dialect == device::Dialect::can ? fmt::format("{} {}", address, device.kind->id) : address;
}

void check_dialects(const StationConfig& station, const std::vector<DeviceTable>& tables, Diagnostics& diagnostics) {
  static constexpr std::array kSpoken{"modbus", "text", "can"};
  for (std::size_t i = 0; i < station.devices.size(); ++i) {
    const DeviceConfig& device = station.devices[i];
    if (!device.kind || device.composite) continue;
    const WireConfig& wire = station.wires[device.wire];
    if (dialect_of(wire.transport) == device.kind->dialect) continue;
    auto& finding = diagnostics.error(
        "S031", tables[i].description.where,
        fmt::format("\"{}\" speaks {}, but wire \"{}\" is {}", device.kind->id,
                    kSpoken[static_cast<std::size_t>(device.kind->dialect)], wire.name, to_string(wire.transport)),
        device.kind->dialect == device::Dialect::modbus ? "use transport = \"modbus-tcp\" or \"modbus-rtu\""
        : device.kind->dialect == device::Dialect::text ? "use transport = \"tcp\" or \"serial\""
                                                        : "use transport = \"can\" or \"slcan\"");
    finding.related = wire.where;
    finding.related_label = "the wire";
  }
}

void check_addresses(const StationConfig& station, const std::vector<DeviceTable>& tables, Diagnostics& diagnostics) {
  std::map<std::string, std::size_t> taken;
  for (std::size_t i = 0; i < station.devices.size(); ++i) {
    const DeviceConfig& device = station.devices[i];
    if (!device.kind || device.composite) continue;
    const auto [at, fresh] = taken.emplace(physical_address(station, device), i);
    if (fresh) continue;
    auto& finding = diagnostics.error("S024", tables[i].unit_where,
                                      fmt::format("devices \"{}\" and \"{}\" are the same instrument: {}",
                                                  station.devices[at->second].name, device.name, at->first),
                                      "give each its own wire or unit, or remove one");
    finding.related = station.devices[at->second].where;
    finding.related_label = "the first";
  }
}

// The wires of one composite are driven by one thread: their polls share its time.
void check_budgets(const StationConfig& station, Diagnostics& diagnostics) {
  const auto port = port_of_wires(station);
  std::vector<double> share(station.wires.size(), 0.0);  // by port
  std::vector<std::string> devices(station.wires.size());
  std::vector<bool> used(station.wires.size(), false);
  for (const DeviceConfig& device : station.devices) {
    if (device.composite || device.channel < 0 || !device.kind || device.scan.us <= 0) continue;
    used[device.wire] = true;
    const base::Duration round_trip = station.wires[device.wire].round_trip;
    const int requests = transactions_per_poll(device);
    share[port[device.wire]] +=
        static_cast<double>(requests) * static_cast<double>(round_trip.us) / static_cast<double>(device.scan.us);
    std::string& text = devices[port[device.wire]];
    text += fmt::format("{}{}: {} request{} of {} every {}", text.empty() ? "" : ", ", device.name, requests,
                        requests == 1 ? "" : "s", text::format_quantity(round_trip.seconds(), text::dimension::kTime),
                        text::format_quantity(device.scan.seconds(), text::dimension::kTime));
  }
  for (std::size_t wire = 0; wire < station.wires.size(); ++wire) {
    const WireConfig& config = station.wires[wire];
    if (!used[wire]) {
      diagnostics.warning("S029", config.where,
                          fmt::format("wire \"{}\" serves no channel; it is not opened", config.name));
    } else if (share[wire] > kBusBudget) {
      diagnostics.error(
          "S028", config.where,
          fmt::format("wire \"{}\" needs {:.0f} % of its time for polls, at most {:.0f} % are allowed ({})",
                      config.name, share[wire] * 100.0, kBusBudget * 100.0, devices[wire]),
          "poll less often, use more wires, or measure and set round_trip");
    }
  }
}

void check_scans(const StationConfig& station, const std::vector<DeviceTable>& tables, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < station.devices.size(); ++i) {
    const DeviceConfig& device = station.devices[i];
    if (!device.kind || device.composite || device.channel < 0) continue;
    const ChannelConfig& channel = station.channels[static_cast<std::size_t>(device.channel)];
    const Capability can = promised_capability(device);
    if (device.scan < can.min_scan) {
      diagnostics.warning("S037", tables[i].scan_where,
                          fmt::format("{} is polled every {}, but has new values only every {}", device.name,
                                      text::format_quantity(device.scan.seconds(), text::dimension::kTime),
                                      text::format_quantity(can.min_scan.seconds(), text::dimension::kTime)),
                          "it is polled no faster than that");
    }
    if (channel.cycler == i && device.scan > channel.scan) {
      diagnostics.error("S038", tables[i].scan_where,
                        fmt::format("cycler {} is polled every {}, slower than the scan of channel {}, {}", device.name,
                                    text::format_quantity(device.scan.seconds(), text::dimension::kTime), channel.name,
                                    text::format_quantity(channel.scan.seconds(), text::dimension::kTime)),
                        "leave the device's scan out, or lengthen the channel's");
    }
  }
}

}  // namespace

void check_channel(const StationConfig& station, const ChannelConfig& channel, const ChannelTable& table,
                   Diagnostics& diagnostics) {
  const DeviceConfig* cycler = device_of(station, static_cast<std::int32_t>(channel.cycler));
  check_kind(cycler, table.cycler, DeviceKind::cycler, diagnostics);
  check_kind(device_of(station, channel.chamber), table.chamber, DeviceKind::chamber, diagnostics);
  if (cycler != nullptr && !cycler->composite && promised_capability(*cycler).watchdog == device::WatchdogKind::none &&
      !cycler->allow_no_watchdog) {
    diagnostics.error(
        "S026", cycler->where,
        fmt::format("cycler \"{}\" ({}) has no communication watchdog: its output stays on when this computer dies",
                    cycler->name, cycler->description),
        "if independent hardware protects the cell, accept it with allow_no_watchdog = true");
  }
  check_limits(station, channel, table, diagnostics);
  check_measured(station, channel, table, diagnostics);
}

void check_station(const StationConfig& station, const std::vector<DeviceTable>& devices, Diagnostics& diagnostics) {
  if (station.channels.empty()) {
    diagnostics.error("S030", {}, "the station has no channel", "add a table [channel.NAME] with its cycler");
  }
  for (const DeviceConfig& device : station.devices) {
    if (device.channel < 0) {
      diagnostics.warning("S029", device.where,
                          fmt::format("device \"{}\" is on no channel; it is not opened", device.name));
    }
  }
  check_shared_ports(station, diagnostics);
  check_dialects(station, devices, diagnostics);
  check_addresses(station, devices, diagnostics);
  check_budgets(station, diagnostics);
  check_scans(station, devices, diagnostics);
}

}  // namespace cyclerd::app
