#include "daemon/app/wiring.hpp"

#include <algorithm>
#include <utility>

#include "daemon/app/composite.hpp"
#include "daemon/app/launch.hpp"

namespace cyclerd::app {
namespace {

constexpr std::size_t kReadings = 1024;           // per wire; the cycle drains them every scan
constexpr std::size_t kRecordBytesPerScan = 512;  // an input, a row and a command with their headers

// A composite's parts are made like any device, and watched for those who ask about them.
base::Result<std::unique_ptr<device::Device>> make_whole(Station& station, std::uint32_t index, io::Lanes& lanes,
                                                         const DeviceMaker& make_device, base::Clock& clock) {
  const DeviceConfig& config = station.config.devices[index];
  const CompositeConfig& composite = *config.composite;
  device::CompositeParts parts;
  std::array<base::Published<io::DeviceHealth>*, device::kPartCount> health{};
  for (std::size_t i = 0; i < device::kPartCount; ++i) {
    if (composite.parts[i] < 0) continue;
    const auto part = static_cast<std::uint32_t>(composite.parts[i]);
    TRY_ASSIGN(parts.devices[i], make_device(station.config, part));
    health[i] = station.health[part].get();
  }
  station.part_health.push_back(std::make_unique<PartHealth>(health, lanes.heartbeat));
  device::CompositeOptions options;
  options.dead_time = composite.dead_time;
  options.voltage = composite.voltage;
  options.current = composite.current;
  options.disagreement_alarms = composite.disagreement_trips;
  options.latch = &station.safety[static_cast<std::size_t>(config.channel)]->latch;
  return device::make_composite_device(std::move(parts), options, clock, station.part_health.back().get());
}

base::Status add_wires(Station& station, const DeviceMaker& make_device, base::Clock& clock) {
  const StationConfig& config = station.config;
  const auto port_of = port_of_wires(config);
  for (std::uint32_t wire = 0; wire < config.wires.size(); ++wire) {
    auto lanes = std::make_unique<io::Lanes>(kReadings, station.cycle_wakeup);
    std::vector<io::DeviceSlot> slots;
    for (std::uint32_t i = 0; i < config.devices.size(); ++i) {
      const DeviceConfig& device = config.devices[i];
      if (port_of[device.wire] != wire || device.channel < 0 || device.is_part) continue;
      const auto channel_index = static_cast<std::uint32_t>(device.channel);
      const ChannelConfig& channel = config.channels[channel_index];
      io::DeviceSlot slot;
      TRY_ASSIGN(slot.device,
                 device.composite ? make_whole(station, i, *lanes, make_device, clock) : make_device(config, i));
      slot.index = i;
      slot.channel = channel_index;
      slot.name = device.name;
      slot.scan = device.scan;
      if (i == channel.cycler) slot.protections = protections_of(channel.limits);
      slot.safety = station.safety[channel_index].get();
      slot.limits = idle_limits(channel.limits, channel.scan);
      add_plausibility(slot.limits, channel.plausibility);
      slot.health = station.health[i].get();
      auto& wakeups = slot.safety->ports;
      if (std::find(wakeups.begin(), wakeups.end(), &lanes->to_port) == wakeups.end())
        wakeups.push_back(&lanes->to_port);
      slots.push_back(std::move(slot));
    }
    if (slots.empty()) continue;
    auto port = std::make_unique<io::Port>(config.wires[wire].name, std::move(slots), clock, *lanes);
    station.wires.push_back({config.wires[wire].name, std::move(lanes), std::move(port)});
  }
  return {};
}

io::Lanes* lanes_of(Station& station, std::int32_t device) {
  if (device < 0) return nullptr;
  const std::uint32_t on = station.config.devices[static_cast<std::size_t>(device)].wire;
  const std::string& name = station.config.wires[port_of_wires(station.config)[on]].name;
  for (Wire& wire : station.wires) {
    if (wire.name == name) return wire.lanes.get();
  }
  return nullptr;
}

void add_cycle(Station& station, base::Clock& clock, bool journal) {
  std::vector<cycle::ChannelConfig> channels;
  for (std::uint32_t i = 0; i < station.config.channels.size(); ++i) {
    const ChannelConfig& from = station.config.channels[i];
    cycle::ChannelConfig to;
    to.index = i;
    to.name = from.name;
    to.cycler = from.cycler;
    to.chamber = from.chamber;
    to.sensor = from.sensor;
    to.cycler_lanes = lanes_of(station, static_cast<std::int32_t>(from.cycler));
    to.chamber_lanes = lanes_of(station, from.chamber);
    to.sensor_lanes = lanes_of(station, from.sensor);
    to.latch = &station.safety[i]->latch;
    to.scan = from.scan;
    to.chamber_loss_trips = from.chamber_loss_trips;
    channels.push_back(std::move(to));
  }
  std::vector<io::Lanes*> lanes;
  for (Wire& wire : station.wires) lanes.push_back(wire.lanes.get());
  station.cycle =
      std::make_unique<cycle::Cycle>(std::move(channels), std::move(lanes), station.records, clock, journal);
}

}  // namespace

device::Protections protections_of(const profiles::SafetyLimits& limits) noexcept {
  return {.voltage_max_V = limits.voltage.max,
          .voltage_min_V = limits.voltage.min,
          .current_max_A = limits.current.max,
          .current_min_A = limits.current.min};
}

std::size_t record_ring_bytes(const StationConfig& config) noexcept {
  std::size_t bytes = 0;
  for (const ChannelConfig& channel : config.channels) {
    bytes += static_cast<std::size_t>(base::seconds(30).us / std::max<std::int64_t>(channel.scan.us, 1000)) *
             kRecordBytesPerScan;
  }
  return std::clamp<std::size_t>(bytes, 16U << 20, 256U << 20);
}

base::Result<std::unique_ptr<Station>> wire_station(StationConfig config, const DeviceMaker& make_device,
                                                    record::RecorderConfig record, base::Clock& clock,
                                                    std::size_t ring_bytes) {
  if (ring_bytes == 0) ring_bytes = record_ring_bytes(config);
  auto station = std::make_unique<Station>(std::move(config), ring_bytes);
  for (std::size_t i = 0; i < station->config.devices.size(); ++i) {
    station->health.push_back(std::make_unique<base::Published<io::DeviceHealth>>());
  }
  for (std::size_t i = 0; i < station->config.channels.size(); ++i) {
    station->safety.push_back(std::make_unique<io::ChannelSafety>());
  }
  TRY(add_wires(*station, make_device, clock));
  add_cycle(*station, clock, record.durable);
  TRY_ASSIGN(station->recorder, record::Recorder::open(std::move(record), station->records, clock));
  return station;
}

}  // namespace cyclerd::app
