#include "daemon/app/composite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "daemon/app/device_maker.hpp"
#include "protocols/text/quantity.hpp"

namespace cyclerd::app {
namespace {

using device::Capability;
using device::DeviceKind;
using device::kNone;
using device::Part;
using text::Diagnostics;

constexpr std::array kParts{Part::source, Part::sink, Part::relay, Part::voltmeter, Part::shunt};

// Everything about one part; false when it cannot serve.
bool part_fits(const DeviceConfig& device, Part part, const text::Span& where, Diagnostics& diagnostics) {
  const Capability can = promised_capability(device);
  const auto refuse = [&](const char* code, const std::string& what, const char* help) {
    diagnostics.error(code, where, fmt::format("device \"{}\" ({}) {}", device.name, device.description, what), help);
    return false;
  };
  const auto& measure = device.kind->measure;
  switch (part) {
    case Part::source:
    case Part::sink: {
      if (can.kind != DeviceKind::cycler)
        return refuse("S052", "has no output that charges or discharges", "name a device of kind \"cycler\"");
      if (part == Part::source && can.can_charge == 0)
        return refuse("S052", "cannot charge", "a source has a sequence `charge`; did you mean sink?");
      if (part == Part::sink && can.can_discharge == 0)
        return refuse("S052", "cannot discharge", "a sink has a sequence `discharge`; did you mean source?");
      if (can.watchdog == device::WatchdogKind::none && !device.allow_no_watchdog) {
        diagnostics.error("S026", device.where,
                          fmt::format("{} \"{}\" ({}) has no communication watchdog: its output stays on when this "
                                      "computer dies",
                                      device::to_string(part), device.name, device.description),
                          "if independent hardware protects the cell, accept it with allow_no_watchdog = true");
      }
      return true;
    }
    case Part::relay:
      if (can.kind != DeviceKind::relay) return refuse("S054", "is no relay", "name a device of kind \"relay\"");
      return true;
    case Part::voltmeter:
      if (measure.voltage == kNone) return refuse("S054", "measures no voltage", "name a device that does");
      break;
    case Part::shunt:
      if (measure.current == kNone) return refuse("S054", "measures no current", "name a device that does");
      break;
  }
  if (can.kind != DeviceKind::sensor)
    return refuse("S054", "is more than a meter: it has an output of its own", "name a device of kind \"sensor\"");
  return true;
}

device::Told told(double value) {
  device::Told number;
  number.constant = value;
  return number;
}

// What the station's other rooms read of a cycler's description, made of the parts' promises.
std::shared_ptr<const device::Description> describe(const StationConfig& station, const CompositeConfig& composite,
                                                    const Capability& can, const std::string& title) {
  auto d = std::make_shared<device::Description>();
  d->id = "composite";
  d->title = title;
  d->kind = DeviceKind::cycler;
  auto& c = d->capability;
  c.off = can.off_means;
  c.native_cv = can.native_cv != 0;
  c.voltage_min = told(can.voltage_min_V);
  c.voltage_max = told(can.voltage_max_V);
  c.current_min = told(can.current_min_A);
  c.current_max = told(can.current_max_A);
  c.power_min = told(can.power_min_W);
  c.power_max = told(can.power_max_W);
  c.voltage_step = told(can.voltage_step_V);
  c.current_step = told(can.current_step_A);
  c.min_scan = can.min_scan;
  d->watchdog.kind = can.watchdog;
  d->watchdog.timeout.constant = can.watchdog_timeout.seconds();
  using device::SequenceId;
  const auto has = [&d](SequenceId id, bool is) { d->has_sequence[static_cast<std::size_t>(id)] = is; };
  has(SequenceId::charge, can.can_charge != 0);
  has(SequenceId::discharge, can.can_discharge != 0);
  has(SequenceId::power_charge, can.can_power != 0);
  has(SequenceId::power_discharge, can.can_power != 0);
  const bool thermometer = std::ranges::any_of(composite.parts, [&station](std::int32_t part) {
    return part >= 0 && measures_cell_temperature(station.devices[static_cast<std::size_t>(part)]);
  });
  d->items.resize(1);
  d->items.front().name = "cell_temperature";
  d->measure.temperature = thermometer ? 0 : kNone;
  return d;
}

void check_agreements(const ChannelTable& table, const CompositeConfig& composite, Diagnostics& diagnostics) {
  if (!std::isnan(composite.current.tolerance) && composite.part(Part::shunt) < 0) {
    diagnostics.error("S057", table.composite_where, "current_agreement needs a second measurement of the current",
                      "name a `shunt`, or leave current_agreement out");
  }
  if (composite.part(Part::relay) >= 0 && composite.part(Part::voltmeter) < 0) {
    diagnostics.error("S056", table.parts[static_cast<std::size_t>(Part::relay)].where,
                      "with the relay open nobody sees the cell: its voltage would be that of an open lead",
                      "name a `voltmeter` on the cell's side of the relay");
  }
}

}  // namespace

std::int32_t add_composite(StationConfig& station, const ChannelConfig& channel, const ChannelTable& table,
                           const std::array<std::int32_t, device::kPartCount>& parts, Diagnostics& diagnostics) {
  CompositeConfig composite = table.composite;
  composite.parts = parts;
  bool fits = composite.part(Part::source) >= 0 && composite.part(Part::sink) >= 0;
  for (const Part part : kParts) {
    const std::int32_t index = composite.part(part);
    if (index < 0) continue;
    const DeviceConfig& device = station.devices[static_cast<std::size_t>(index)];
    const text::Span& where = table.parts[static_cast<std::size_t>(part)].where;
    if (std::ranges::count(parts, index) > 1) {
      diagnostics.error("S053", where,
                        fmt::format("device \"{}\" has two places in channel {}", device.name, channel.name),
                        "each part is an instrument of its own");
      fits = false;
      continue;
    }
    fits = device.kind && part_fits(device, part, where, diagnostics) && fits;
  }
  check_agreements(table, composite, diagnostics);
  if (!fits) return -1;

  const DeviceConfig& source = station.devices[static_cast<std::size_t>(composite.part(Part::source))];
  const DeviceConfig& sink = station.devices[static_cast<std::size_t>(composite.part(Part::sink))];
  const Capability can = device::merge_capability(promised_capability(source), promised_capability(sink),
                                                  composite.part(Part::relay) >= 0);
  if (can.voltage_min_V >= can.voltage_max_V) {
    diagnostics.error(
        "S055", channel.where,
        fmt::format("{} and {} have no voltage in common: the whole would reach from {} to {}", source.name, sink.name,
                    text::format_quantity(can.voltage_min_V, text::dimension::kVoltage),
                    text::format_quantity(can.voltage_max_V, text::dimension::kVoltage)),
        "choose instruments that fit the cell");
    return -1;
  }
  DeviceConfig whole;
  whole.name = channel.name;
  whole.description = fmt::format("{} + {}", source.description, sink.description);
  whole.kind = describe(station, composite, can, fmt::format("{} and {}", source.name, sink.name));
  whole.wire = source.wire;
  whole.scan = channel.scan;
  whole.scan_given = true;
  whole.allow_no_watchdog = source.allow_no_watchdog || sink.allow_no_watchdog;
  whole.where = channel.where;
  whole.composite = composite;
  station.devices.push_back(std::move(whole));
  return static_cast<std::int32_t>(station.devices.size()) - 1;
}

std::vector<std::uint32_t> port_of_wires(const StationConfig& station) {
  std::vector<std::uint32_t> port(station.wires.size());
  std::iota(port.begin(), port.end(), 0U);
  for (const DeviceConfig& device : station.devices) {
    if (!device.composite) continue;
    for (const std::int32_t part : device.composite->parts) {
      if (part < 0) continue;
      const std::uint32_t a = port[device.wire];
      const std::uint32_t b = port[station.devices[static_cast<std::size_t>(part)].wire];
      // Both groups become one, called after its first wire.
      for (std::uint32_t& leader : port) {
        if (leader == a || leader == b) leader = std::min(a, b);
      }
    }
  }
  return port;
}

void check_shared_ports(const StationConfig& station, Diagnostics& diagnostics) {
  const auto port = port_of_wires(station);
  for (const DeviceConfig& whole : station.devices) {
    if (!whole.composite) continue;
    std::set<std::string> others;
    for (const DeviceConfig& device : station.devices) {
      if (device.channel < 0 || device.channel == whole.channel || port[device.wire] != port[whole.wire]) continue;
      others.insert(station.channels[static_cast<std::size_t>(device.channel)].name);
    }
    if (others.empty()) continue;
    diagnostics.warning("S058", whole.where,
                        fmt::format("channel {} shares its wires with {}: one thread drives them all, and each waits "
                                    "while an instrument of the other does not answer",
                                    whole.name, fmt::join(others, ", ")),
                        "give the parts of each channel wires of their own");
  }
}

}  // namespace cyclerd::app
