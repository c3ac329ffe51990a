#include "daemon/app/status_json.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace cyclerd::app {
namespace {

using control::Json;
using profiles::RunState;

const char* text_of(RunState state) {
  switch (state) {
    case RunState::ready: return "ready";
    case RunState::running: return "running";
    case RunState::paused: return "paused";
    case RunState::finished: return "finished";
    case RunState::stopped: return "stopped";
    case RunState::failed: return "failed";
  }
  return "unknown";
}

const char* text_of(base::Control control) {
  switch (control) {
    case base::Control::rest: return "rest";
    case base::Control::current: return "current";
    case base::Control::voltage: return "voltage";
    case base::Control::power: return "power";
    case base::Control::resistance: return "resistance";
  }
  return "unknown";
}

const char* text_of(base::Regulation regulation) {
  switch (regulation) {
    case base::Regulation::unknown: return "unknown";
    case base::Regulation::off: return "off";
    case base::Regulation::current: return "current";
    case base::Regulation::voltage: return "voltage";
    case base::Regulation::power: return "power";
    case base::Regulation::resistance: return "resistance";
  }
  return "unknown";
}

const char* text_of(io::LinkState link) {
  switch (link) {
    case io::LinkState::closed: return "closed";
    case io::LinkState::open: return "open";
    case io::LinkState::suspect: return "suspect";
    case io::LinkState::quarantined: return "quarantined";
  }
  return "unknown";
}

const char* text_of(device::DeviceKind kind) {
  switch (kind) {
    case device::DeviceKind::cycler: return "cycler";
    case device::DeviceKind::chamber: return "chamber";
    case device::DeviceKind::sensor: return "sensor";
    case device::DeviceKind::relay: return "relay";
  }
  return "unknown";
}

const char* text_of(device::WatchdogKind kind) {
  switch (kind) {
    case device::WatchdogKind::none: return "none";
    case device::WatchdogKind::fixed: return "fixed";
    case device::WatchdogKind::programmable: return "programmable";
  }
  return "unknown";
}

double seconds(std::int64_t us) {
  return static_cast<double>(us) * 1e-6;
}

Json event_json(const base::Event& event) {
  if (event.kind == base::EventKind::none) return nullptr;
  return {{"unix_time_us", event.wall.us}, {"kind", base::to_string(event.kind)}, {"subject", event.subject.view()},
          {"text", event.text.view()},     {"value", number(event.value)},        {"bound", number(event.bound)}};
}

Json bound_json(const profiles::SafetyBound& bound) {
  return {{"min", number(bound.min)}, {"max", number(bound.max)}, {"for_s", bound.dwell.seconds()}};
}

Json flags_json(std::uint32_t flags) {
  constexpr std::pair<std::uint32_t, const char*> kNames[] = {
      {base::flag::kStale, "stale"},           {base::flag::kLimit, "limit"},
      {base::flag::kPretrigger, "pretrigger"}, {base::flag::kInterrupted, "interrupted"},
      {base::flag::kRepeated, "repeated"},     {base::flag::kInvalid, "invalid"},
      {base::flag::kPaused, "paused"},         {base::flag::kSoftwareCv, "software-cv"},
  };
  Json names = Json::array();
  for (const auto& [bit, name] : kNames) {
    if ((flags & bit) != 0) names.push_back(name);
  }
  return names;
}

// What an operator should not overlook, although nothing is wrong enough to trip.
Json badges_json(const Station& station, const ChannelConfig& channel, const cycle::ChannelStatus& status) {
  Json badges = Json::array();
  const auto add = [&](std::int32_t index) {
    if (index < 0) return;
    const auto device = static_cast<std::size_t>(index);
    const io::DeviceHealth health = station.health[device]->load();
    const std::string& name = station.config.devices[device].name;
    if (health.link != io::LinkState::open) badges.push_back(name + " " + text_of(health.link));
  };
  bool has_watchdog = station.health[channel.cycler]->load().has_watchdog != 0;
  if (const auto& composite = station.config.devices[channel.cycler].composite) {
    // Of the whole one guarded side is fed; both must be guarded.
    for (const device::Part side : {device::Part::source, device::Part::sink})
      has_watchdog =
          has_watchdog && station.health[static_cast<std::size_t>(composite->part(side))]->load().has_watchdog != 0;
    for (const std::int32_t part : composite->parts) add(part);
  }
  if (!has_watchdog) badges.push_back("no watchdog");
  add(static_cast<std::int32_t>(channel.cycler));
  add(channel.chamber);
  if (channel.sensor != channel.chamber) add(channel.sensor);
  if (status.missed_scans > 0) badges.push_back("missed scans");
  return badges;
}

// The program's text at a place; the published row and the running program may be a scan apart.
Json program_text(const RunningTest& running, std::uint32_t step, std::uint32_t profiles::Step::*field) {
  if (!running.program || step >= running.program->steps.size()) return nullptr;
  return running.program->text(running.program->steps[step].*field);
}

// Names of the enclosing blocks, outermost first, then the step's own.
Json path_json(const RunningTest& running, std::uint32_t step) {
  Json path = Json::array();
  if (!running.program || step >= running.program->steps.size()) return path;
  const auto& steps = running.program->steps;
  std::vector<std::uint32_t> chain{step};
  for (std::uint32_t at = steps[step].parent; at < steps.size() && chain.size() <= profiles::kMaxNesting;
       at = steps[at].parent) {
    chain.push_back(at);
  }
  for (auto at = chain.rbegin(); at != chain.rend(); ++at) path.push_back(running.program->text(steps[*at].name));
  return path;
}

void add_test(Json& json, const cycle::ChannelStatus& status, const RunningTest& running) {
  const profiles::Row& row = status.row;
  const bool known = running.program != nullptr && running.test == status.test && status.test != 0;
  json["test"] = status.test;
  json["cell"] = known ? Json(running.cell) : Json(nullptr);
  json["sample_name"] = known ? Json(running.sample_name) : Json(nullptr);
  json["operator"] = known ? Json(running.operator_name) : Json(nullptr);
  json["profile"] = known ? Json(running.program->name) : Json(nullptr);
  json["profile_sha256"] = known ? Json(running.program->canonical_sha256) : Json(nullptr);
  json["amendments"] = known ? Json(running.amendments) : Json(nullptr);
  json["progress"] = nullptr;
  json["eta_s"] = nullptr;
  json["expected_left_s"] = nullptr;
  if (status.test == 0) {
    json["step"] = nullptr;
    json["cycle"] = nullptr;
    json["time_s"] = nullptr;
    return;
  }
  json["step"] = {{"index", row.step_index},
                  {"name", known ? program_text(running, row.step_index, &profiles::Step::name) : Json(nullptr)},
                  {"type", known ? program_text(running, row.step_index, &profiles::Step::type) : Json(nullptr)},
                  {"count", row.step_count},
                  {"path", known ? path_json(running, row.step_index) : Json::array()},
                  {"time_s", seconds(row.step_time_us)}};
  json["cycle"] = row.cycle_count;
  json["time_s"] = seconds(row.test_time_us);
  json["charge_capacity_Ah"] = row.cycle.charge_C / 3600.0;
  json["discharge_capacity_Ah"] = row.cycle.discharge_C / 3600.0;
  json["step_capacity_Ah"] = (row.step.charge_C + row.step.discharge_C) / 3600.0;
  if (!known) return;
  if (!std::isnan(running.program->initial_soc) && running.program->nominal_capacity_C > 0) {
    json["soc"] =
        running.program->initial_soc + (row.test.charge_C - row.test.discharge_C) / running.program->nominal_capacity_C;
  }
  const double worst_s = running.program->worst_case_duration.seconds();
  const bool runs = status.run_state == RunState::running || status.run_state == RunState::paused;
  const double expected_s = running.program->expected.duration.seconds();
  if (expected_s > 0 && runs) json["expected_left_s"] = std::max(0.0, expected_s - seconds(row.test_time_us));
  if (worst_s > 0 && runs) {
    json["progress"] = std::clamp(seconds(row.test_time_us) / worst_s, 0.0, 1.0);
    json["eta_s"] = std::max(0.0, worst_s - seconds(row.test_time_us));
  }
}

}  // namespace

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json identity_json(const device::Identity& identity) {
  return {{"maker", identity.maker.view()},
          {"model", identity.model.view()},
          {"serial", identity.serial.view()},
          {"firmware", identity.firmware.view()}};
}

Json limits_json(const profiles::SafetyLimits& limits) {
  return {{"voltage_V", bound_json(limits.voltage)},      {"current_A", bound_json(limits.current)},
          {"power_W", bound_json(limits.power)},          {"temperature_degC", bound_json(limits.temperature)},
          {"chamber_degC", bound_json(limits.chamber)},   {"capacity_C", bound_json(limits.capacity)},
          {"sensor_loss_s", limits.sensor_loss.seconds()}};
}

Json channel_json(const Station& station, std::uint32_t channel, const RunningTest& running) {
  const ChannelConfig& config = station.config.channels[channel];
  const cycle::ChannelStatus status = station.cycle->status(channel).load();
  // Without a test there are no rows: what the instruments said last is shown instead.
  const base::Reading cycler = station.health[config.cycler]->load().reading;
  const bool from_row =
      status.test != 0 && (status.run_state == RunState::running || status.run_state == RunState::paused);
  const auto reading_of = [&](std::int32_t device) {
    return device < 0 ? base::Reading{} : station.health[static_cast<std::size_t>(device)]->load().reading;
  };
  const std::uint32_t trip = station.safety[channel]->latch.cause();
  Json json = {
      {"name", config.name},
      {"state", cycle::to_string(status.state)},
      {"run_state", text_of(status.run_state)},
      {"output_on", cycler.output_on != 0},
      {"regulation", text_of(cycler.regulation)},
      {"control", text_of(status.row.control)},
      {"setpoint", from_row ? number(status.row.setpoint) : Json(nullptr)},
      {"voltage_V", number(from_row ? status.row.voltage_V : cycler.voltage_V)},
      {"current_A", number(from_row ? status.row.current_A : cycler.current_A)},
      {"temperature_degC", number(from_row ? status.row.temperature_degC : reading_of(config.sensor).temperature_degC)},
      {"chamber_degC", number(from_row ? status.row.chamber_degC : reading_of(config.chamber).chamber_degC)},
      {"scan_us", config.scan.us},
      {"rows", status.rows_kept},
      {"scans", status.scans},
      {"missed_scans", status.missed_scans},
      {"flags", status.row.flags},
      {"flag_names", flags_json(status.row.flags)},
      {"last_event", event_json(status.last_event)},
      {"trip", nullptr},
      {"badges", badges_json(station, config, status)},
  };
  if (trip != 0) {
    json["trip"] = {{"cause", safety::to_string(static_cast<safety::Cause>(trip))},
                    {"text", safety::describe(static_cast<safety::Cause>(trip)).text}};
  }
  add_test(json, status, running);
  return json;
}

Json capability_json(const device::Capability& capability) {
  return {{"voltage_min_V", capability.voltage_min_V},
          {"voltage_max_V", capability.voltage_max_V},
          {"current_min_A", capability.current_min_A},
          {"current_max_A", capability.current_max_A},
          {"power_min_W", capability.power_min_W},
          {"power_max_W", capability.power_max_W},
          {"temperature_min_degC", capability.temperature_min_degC},
          {"temperature_max_degC", capability.temperature_max_degC},
          {"native_cv", capability.native_cv != 0},
          {"min_scan_us", capability.min_scan.us}};
}

Json device_json(const Station& station, std::uint32_t device, base::MonoTime now) {
  const DeviceConfig& config = station.config.devices[device];
  const WireConfig& wire = station.config.wires[config.wire];
  const io::DeviceHealth health = station.health[device]->load();
  const bool heard = health.last_reading.us != 0;
  Json json = {
      {"name", config.name},
      {"description", config.description},
      {"kind", text_of(health.capability.kind)},
      {"channel", config.channel < 0 ? Json(nullptr)
                                     : Json(station.config.channels[static_cast<std::size_t>(config.channel)].name)},
      {"wire", wire.name},
      {"transport", to_string(wire.transport)},
      {"address", fmt::format("{}:{} unit {}", wire.host, wire.port, config.unit)},
      {"link", text_of(health.link)},
      {"watchdog", health.has_watchdog != 0 ? text_of(health.capability.watchdog) : "none"},
      {"watchdog_timeout_s", health.capability.watchdog_timeout.seconds()},
      {"watchdog_waived", config.allow_no_watchdog},
      {"output_on", health.output_on != 0},
      {"scan_us", config.scan.us},
      {"polls", health.polls},
      {"errors", health.errors},
      {"reconnects", health.reconnects},
      {"overruns", health.overruns},
      {"round_trip_us", health.round_trip_us},
      {"round_trip_max_us", health.round_trip_max_us},
      {"last_reading_age_s", heard ? Json((now - health.last_reading).seconds()) : Json(nullptr)},
      {"voltage_V", number(health.reading.voltage_V)},
      {"current_A", number(health.reading.current_A)},
      {"temperature_degC", number(health.reading.temperature_degC)},
      {"chamber_degC", number(health.reading.chamber_degC)},
      {"error", health.error.empty() ? Json(nullptr) : Json(health.error.view())},
      {"capability", capability_json(health.capability)},
  };
  json.update(identity_json(health.identity));
  return json;
}

}  // namespace cyclerd::app
