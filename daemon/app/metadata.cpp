#include "daemon/app/metadata.hpp"

#include <sys/timex.h>

#include <fstream>

#include <fmt/format.h>

#include "daemon/app/recompile.hpp"
#include "daemon/app/resources.hpp"
#include "daemon/app/status_json.hpp"

namespace cyclerd::app {
namespace {

using control::Json;

Json cell_json(const LaunchRequest& request, const Compiled& compiled) {
  const profiles::CellSpec& cell = compiled.cell;
  return {{"name", cell.name},
          {"model", cell.model},
          {"chemistry", cell.chemistry},
          {"file", request.cell_name},
          {"text", compiled.cell_text},
          {"nominal_capacity_Ah", cell.nominal_capacity_C / 3600.0},
          {"voltage_min_V", cell.voltage_min_V},
          {"voltage_max_V", cell.voltage_max_V},
          {"charge_current_max_A", cell.charge_current_max_A},
          {"discharge_current_max_A", cell.discharge_current_max_A}};
}

Json profile_json(const LaunchRequest& request, const profiles::Program& program) {
  Json json = describe_program(program);
  json["file"] = request.profile_name;
  json["text"] = program.source_text;
  json["canonical"] = program.canonical;
  json["parameters"] = request.parameters;
  json["waveforms"] = request.waveforms;  // the record stays complete without the files
  json["safety"] = limits_json(program.safety);
  return json;
}

Json devices_json(const Station& station, std::uint32_t channel) {
  const ChannelConfig& config = station.config.channels[channel];
  Json devices = Json::array();
  const auto add = [&](const char* role, std::int32_t index) {
    if (index < 0) return;
    const auto i = static_cast<std::size_t>(index);
    const DeviceConfig& device = station.config.devices[i];
    const WireConfig& wire = station.config.wires[device.wire];
    const io::DeviceHealth health = station.health[i]->load();
    Json json = {{"role", role},
                 {"name", device.name},
                 {"description", device.description},
                 {"address", fmt::format("{}:{} unit {}", wire.host, wire.port, device.unit)},
                 {"watchdog", health.has_watchdog != 0}};
    json.update(identity_json(health.identity));
    devices.push_back(std::move(json));
  };
  add("cycler", static_cast<std::int32_t>(config.cycler));
  if (const auto& composite = station.config.devices[config.cycler].composite) {
    for (std::size_t i = 0; i < composite->parts.size(); ++i) {
      const auto role = std::string{device::to_string(static_cast<device::Part>(i))};
      add(role.c_str(), composite->parts[i]);
    }
  }
  add("chamber", config.chamber);
  add("sensor", config.sensor);
  return devices;
}

}  // namespace

std::string boot_id() {
  std::string id;
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::getline(file, id);
  return id;
}

bool wall_clock_synchronized() {
  timex state{};
  return adjtimex(&state) != TIME_ERROR;
}

std::string metadata_json(const Station& station, std::uint32_t channel, std::uint64_t test,
                          const LaunchRequest& request, const Compiled& compiled, base::Clock& clock) {
  const StationConfig& config = station.config;
  const Json json = {
      {"format", 1},
      {"test", test},
      {"channel", config.channels[channel].name},
      {"station", {{"name", config.name}, {"file", config.path}, {"sha256", config.text_sha256}}},
      {"profile", profile_json(request, *compiled.program)},
      {"cell", cell_json(request, compiled)},
      {"devices", devices_json(station, channel)},
      {"limits",
       {{"station", limits_json(config.channels[channel].limits)},
        {"cell", limits_json(profiles::trip_limits(compiled.cell))}}},
      {"ability", ability_json(compiled.ability)},
      {"scan_us", config.channels[channel].scan.us},
      {"initial_soc", number(request.soc)},
      {"sample_name", request.sample_name},
      {"operator", request.operator_name},
      {"institution", request.institution},
      {"note", request.note},
      {"software", {{"name", "cyclerd"}, {"version", version()}, {"build_id", build_id()}}},
      {"clock",
       {{"boot_id", boot_id()},
        {"mono_us", clock.now().us},
        {"wall_us", clock.wall().us},
        {"synchronized", wall_clock_synchronized()}}},
  };
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string amendment_json(const LaunchRequest& request, const Compiled& compiled, const std::string& by,
                           const std::string& reason, const std::vector<std::string>& changes) {
  const Json json = {{"by", by},
                     {"reason", reason},
                     {"changes", changes},
                     {"profile", profile_json(request, *compiled.program)},
                     {"software", {{"name", "cyclerd"}, {"version", version()}, {"build_id", build_id()}}}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace cyclerd::app
