#include "daemon/app/station_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <span>

#include <fmt/format.h>

#include "daemon/app/composite.hpp"
#include "daemon/app/resources.hpp"
#include "daemon/app/station_check.hpp"
#include "daemon/app/station_tables.hpp"
#include "daemon/record/storage.hpp"
#include "protocols/device/library.hpp"
#include "protocols/device/site.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::app {
namespace {

namespace fs = std::filesystem;
using text::TableReader;
using text::TomlNode;

// [wire.*], [device.*], [channel.*]: tables of tables.
template <class Read>
auto read_all(TableReader& top, const char* kind, text::Diagnostics& diagnostics, Read&& read) {
  std::vector<decltype(read(std::string{}, std::declval<const TomlNode&>(), diagnostics))> all;
  const TomlNode* group = top.optional_table(kind);
  if (group == nullptr) return all;
  for (const auto& [name, node] : group->members) {
    if (node.is_table()) {
      all.push_back(read(name, node, diagnostics));
    } else {
      diagnostics.error("S010", node.key, fmt::format("{} is a value, but [{}] holds tables", name, kind),
                        fmt::format("write [{}.NAME] with its keys below", kind));
    }
  }
  return all;
}

template <class T>
std::vector<std::string> names_of(const std::vector<T>& all) {
  std::vector<std::string> names;
  for (const auto& one : all) names.push_back(one.name);
  return names;
}

// Index of the table that a reference names; -1 after reporting.
template <class T>
std::int32_t resolve(const Reference& reference, const std::vector<T>& all, const char* kind, const std::string& who,
                     text::Diagnostics& diagnostics) {
  if (reference.name.empty()) return -1;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].name == reference.name) return static_cast<std::int32_t>(i);
  }
  const std::string near = text::nearest(reference.name, names_of(all));
  diagnostics.error(kind == std::string("wire") ? "S020" : "S021", reference.where,
                    fmt::format("{} names the {} \"{}\", which this file does not have", who, kind, reference.name),
                    near.empty() ? fmt::format("add a table [{}.{}]", kind, reference.name)
                                 : fmt::format("did you mean \"{}\"?", near));
  return -1;
}

std::string state_dir_of(const std::string& from_file, const std::string& folder, const LoadOptions& options) {
  if (!options.state_dir.empty()) return options.state_dir;
  if (!from_file.empty()) {
    const fs::path path(from_file);
    return path.is_absolute() ? from_file : (fs::path(folder) / path).string();
  }
  const char* systemd = std::getenv("STATE_DIRECTORY");
  return systemd != nullptr && *systemd != '\0' ? systemd : "/var/lib/cyclerd";
}

std::vector<std::string> description_folders(TableReader& top, const std::string& folder, const LoadOptions& options,
                                             text::Diagnostics& diagnostics) {
  std::vector<std::string> folders = options.descriptions;
  if (const TomlNode* extra = top.optional_array("descriptions")) {
    for (const TomlNode& item : extra->items) {
      const fs::path path = item.is_string() ? fs::path(item.string) : fs::path();
      const fs::path whole = path.is_absolute() ? path : fs::path(folder) / path;
      std::error_code error;
      if (!item.is_string() || !fs::is_directory(whole, error)) {
        diagnostics.error("S014", item.value, fmt::format("descriptions names no folder: {}", whole.string()),
                          "list folders with device descriptions; relative ones start at this file's folder");
        continue;
      }
      folders.push_back(whole.string());
    }
  }
  folders.push_back(find_resources().devices);
  return folders;
}

struct Tables {
  std::vector<DeviceTable> devices;
  std::vector<ChannelTable> channels;
};

void resolve_devices(StationConfig& station, const Tables& tables, std::vector<std::string> folders,
                     text::Diagnostics& diagnostics) {
  const device::DescriptionLibrary library(std::move(folders));
  for (const DeviceTable& table : tables.devices) {
    DeviceConfig device = table.config;
    const std::string who = fmt::format("[device.{}]", device.name);
    const std::int32_t wire = resolve(table.wire, station.wires, "wire", who, diagnostics);
    if (!table.description.name.empty()) {
      device.kind = library.find(table.description.name, table.description.where, diagnostics);
      if (device.kind) device.site = device::bind_site(*device.kind, table.site, diagnostics);
    }
    if (table.limits != nullptr) device.limits = read_limits(*table.limits, who + " limits", diagnostics);
    if (wire >= 0) {
      device.wire = static_cast<std::uint32_t>(wire);
    } else {
      device.kind = nullptr;
    }
    station.devices.push_back(std::move(device));
  }
}

// The scan of a device that names none: a cycler's is its channel's, a chamber or sensor is polled once a second.
void settle_scan(DeviceConfig& device, const ChannelConfig& channel, bool is_cycler) {
  if (device.scan_given) return;
  const base::Duration wanted = is_cycler ? channel.scan : base::seconds(1);
  device.scan = device.scan.us == 0 ? wanted : std::min(device.scan, wanted);
}

void take_device(StationConfig& station, std::size_t channel_index, std::int32_t device_index,
                 const Reference& reference, text::Diagnostics& diagnostics) {
  DeviceConfig& device = station.devices[static_cast<std::size_t>(device_index)];
  if (device.channel >= 0 && device.channel != static_cast<std::int32_t>(channel_index)) {
    const std::string& first = station.channels[static_cast<std::size_t>(device.channel)].name;
    diagnostics.error(
        "S023", reference.where,
        fmt::format("device \"{}\" is already on channel {}: a device serves one channel", device.name, first),
        "give this channel a device of its own");
    return;
  }
  device.channel = static_cast<std::int32_t>(channel_index);
}

// The cycler, or the composite that takes its place.
std::int32_t resolve_power(StationConfig& station, const ChannelConfig& channel, const ChannelTable& table,
                           const std::string& who, text::Diagnostics& diagnostics) {
  if (!table.cycler.name.empty()) return resolve(table.cycler, station.devices, "device", who, diagnostics);
  std::array<std::int32_t, device::kPartCount> parts{};
  bool any = false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i] = resolve(table.parts[i], station.devices, "device", who, diagnostics);
    any = any || parts[i] >= 0;
  }
  return any ? add_composite(station, channel, table, parts, diagnostics) : -1;
}

// The composite's parts are the channel's too: polled as fast as the whole, their limits hold for it.
void take_parts(StationConfig& station, std::size_t channel_index, std::uint32_t whole, const ChannelTable& table,
                text::Diagnostics& diagnostics) {
  const CompositeConfig composite = *station.devices[whole].composite;
  for (std::size_t i = 0; i < composite.parts.size(); ++i) {
    if (composite.parts[i] < 0) continue;
    take_device(station, channel_index, composite.parts[i], table.parts[i], diagnostics);
    DeviceConfig& part = station.devices[static_cast<std::size_t>(composite.parts[i])];
    part.is_part = true;
    part.scan = station.channels[channel_index].scan;
    tighten(station.channels[channel_index].limits, part.limits);
  }
}

void resolve_channels(StationConfig& station, const Tables& tables, text::Diagnostics& diagnostics) {
  for (const ChannelTable& table : tables.channels) {
    ChannelConfig channel = table.config;
    const std::string who = fmt::format("[channel.{}]", channel.name);
    if (table.limits != nullptr) channel.limits = read_limits(*table.limits, who + " limits", diagnostics);
    const std::int32_t cycler = resolve_power(station, channel, table, who, diagnostics);
    channel.chamber = resolve(table.chamber, station.devices, "device", who, diagnostics);
    channel.sensor = resolve(table.sensor, station.devices, "device", who, diagnostics);
    station.channels.push_back(channel);
    ChannelConfig& kept = station.channels.back();
    const std::size_t index = station.channels.size() - 1;
    const std::pair<std::int32_t, const Reference*> uses[] = {
        {cycler, &table.cycler}, {kept.chamber, &table.chamber}, {kept.sensor, &table.sensor}};
    for (const auto& [device, reference] : uses) {
      if (device < 0) continue;
      take_device(station, index, device, *reference, diagnostics);
      DeviceConfig& used = station.devices[static_cast<std::size_t>(device)];
      settle_scan(used, kept, reference == &table.cycler);
      tighten(kept.limits, used.limits);
    }
    if (cycler >= 0) {
      kept.cycler = static_cast<std::uint32_t>(cycler);
      if (station.devices[kept.cycler].composite) take_parts(station, index, kept.cycler, table, diagnostics);
      check_channel(station, kept, table, diagnostics);
    }
  }
}

void tighten_bound(profiles::SafetyBound& bound, const profiles::SafetyBound& other) noexcept {
  const bool min = !std::isnan(other.min) && !(bound.min >= other.min);
  const bool max = !std::isnan(other.max) && !(bound.max <= other.max);
  const bool was_set = !std::isnan(bound.min) || !std::isnan(bound.max);
  if (min) bound.min = other.min;
  if (max) bound.max = other.max;
  // The box has one dwell: the shorter, where both set a bound.
  if (min || max) bound.dwell = was_set ? std::min(bound.dwell, other.dwell) : other.dwell;
}

}  // namespace

void tighten(profiles::SafetyLimits& limits, const profiles::SafetyLimits& other) noexcept {
  tighten_bound(limits.voltage, other.voltage);
  tighten_bound(limits.current, other.current);
  tighten_bound(limits.power, other.power);
  tighten_bound(limits.temperature, other.temperature);
  tighten_bound(limits.chamber, other.chamber);
  tighten_bound(limits.capacity, other.capacity);
  limits.sensor_loss = std::min(limits.sensor_loss, other.sensor_loss);
}

StationConfig load_station(const text::SourcePtr& source, const LoadOptions& options, text::Diagnostics& diagnostics) {
  StationConfig station;
  station.path = source->name;
  station.text_sha256 = record::sha256_hex(std::as_bytes(std::span(source->text)));
  station.folder = fs::path(source->name).parent_path().string();
  if (station.folder.empty()) station.folder = ".";
  const auto document = text::parse_toml(source, diagnostics);
  if (!document) return station;

  TableReader top(*document, "the station file", diagnostics);
  station.name = top.required_string("name");
  if (!station.name.empty()) check_name(station.name, document->find("name")->value, diagnostics);
  station.state_dir = state_dir_of(top.optional_string("state_dir").value_or(""), station.folder, options);
  auto folders = description_folders(top, station.folder, options, diagnostics);
  if (const TomlNode* node = top.optional_table("realtime")) station.realtime = read_realtime(*node, diagnostics);
  if (const TomlNode* node = top.optional_table("record")) {
    TableReader reader(*node, "[record]", diagnostics);
    const auto commit = read_duration(reader, "commit", base::milliseconds(10), base::seconds(1), nullptr);
    if (commit) station.commit = *commit;
    reader.finish();
  }
  if (const TomlNode* node = top.optional_table("recovery")) {
    TableReader reader(*node, "[recovery]", diagnostics);
    station.recovery_policy =
        reader.optional_word("policy", {"ask", "resume", "restart-step", "next-step", "abort"}).value_or("ask");
    reader.finish();
  }
  station.wires = read_all(top, "wire", diagnostics, &read_wire);
  Tables tables{read_all(top, "device", diagnostics, &read_device),
                read_all(top, "channel", diagnostics, &read_channel)};
  top.finish();

  resolve_devices(station, tables, std::move(folders), diagnostics);
  resolve_channels(station, tables, diagnostics);
  check_station(station, tables.devices, diagnostics);
  return station;
}

StationConfig load_station(const std::string& path, const LoadOptions& options, text::Diagnostics& diagnostics) {
  const auto source = text::read_source(path);
  if (!source) {
    diagnostics.error("S001", {}, source.error().text(), "name a station file that this user may read");
    StationConfig nothing;
    nothing.path = path;
    return nothing;
  }
  return load_station(*source, options, diagnostics);
}

}  // namespace cyclerd::app
