#include "daemon/app/recompile.hpp"

#include <fmt/format.h>

#include <cmath>

#include "daemon/app/resources.hpp"
#include "daemon/app/status_json.hpp"

namespace cyclerd::app {
namespace {

using control::Json;

Json capability_json(const device::Capability& c) {
  return {{"kind", static_cast<int>(c.kind)},
          {"native_cv", c.native_cv},
          {"can_charge", c.can_charge},
          {"can_discharge", c.can_discharge},
          {"can_power", c.can_power},
          {"voltage_min_V", number(c.voltage_min_V)},
          {"voltage_max_V", number(c.voltage_max_V)},
          {"current_max_A", number(c.current_max_A)},
          {"current_min_A", number(c.current_min_A)},
          {"power_max_W", number(c.power_max_W)},
          {"power_min_W", number(c.power_min_W)},
          {"voltage_step_V", number(c.voltage_step_V)},
          {"current_step_A", number(c.current_step_A)},
          {"temperature_min_degC", number(c.temperature_min_degC)},
          {"temperature_max_degC", number(c.temperature_max_degC)},
          {"min_scan_us", c.min_scan.us}};
}

double real(const Json& value) {
  return value.is_null() ? base::kAbsent : value.get<double>();
}

device::Capability capability_of(const Json& json) {
  device::Capability c;
  c.kind = static_cast<device::DeviceKind>(json.at("kind").get<int>());
  c.native_cv = json.at("native_cv").get<std::uint8_t>();
  c.can_charge = json.at("can_charge").get<std::uint8_t>();
  c.can_discharge = json.at("can_discharge").get<std::uint8_t>();
  c.can_power = json.at("can_power").get<std::uint8_t>();
  c.voltage_min_V = real(json.at("voltage_min_V"));
  c.voltage_max_V = real(json.at("voltage_max_V"));
  c.current_max_A = real(json.at("current_max_A"));
  c.current_min_A = real(json.at("current_min_A"));
  c.power_max_W = real(json.at("power_max_W"));
  c.power_min_W = real(json.at("power_min_W"));
  c.voltage_step_V = real(json.at("voltage_step_V"));
  c.current_step_A = real(json.at("current_step_A"));
  c.temperature_min_degC = real(json.at("temperature_min_degC"));
  c.temperature_max_degC = real(json.at("temperature_max_degC"));
  c.min_scan = base::Duration{json.at("min_scan_us").get<std::int64_t>()};
  return c;
}

base::Duration duration_of(const Json& seconds) {
  return {std::llround(seconds.get<double>() * 1e6)};
}

profiles::SafetyBound bound_of(const Json& json) {
  return {real(json.at("min")), real(json.at("max")), duration_of(json.at("for_s"))};
}

profiles::SafetyLimits limits_of(const Json& json) {
  profiles::SafetyLimits limits;
  limits.voltage = bound_of(json.at("voltage_V"));
  limits.current = bound_of(json.at("current_A"));
  limits.power = bound_of(json.at("power_W"));
  limits.temperature = bound_of(json.at("temperature_degC"));
  limits.chamber = bound_of(json.at("chamber_degC"));
  limits.capacity = bound_of(json.at("capacity_C"));
  limits.sensor_loss = duration_of(json.at("sensor_loss_s"));
  return limits;
}

LaunchRequest request_of(const Json& metadata) {
  LaunchRequest request;
  const Json& profile = metadata.at("profile");
  request.profile = profile.at("text").get<std::string>();
  request.profile_name = profile.at("file").get<std::string>();
  request.parameters = profile.at("parameters").get<std::map<std::string, std::string>>();
  request.waveforms = profile.at("waveforms").get<std::map<std::string, std::string>>();
  request.cell = metadata.at("cell").at("text").get<std::string>();
  request.cell_name = metadata.at("cell").at("file").get<std::string>();
  request.soc = real(metadata.at("initial_soc"));
  return request;
}

}  // namespace

Json ability_json(const ChannelAbility& ability) {
  return {{"cycler", capability_json(ability.cycler)},
          {"chamber", ability.has_chamber ? capability_json(ability.chamber) : Json(nullptr)},
          {"has_cell_temperature", ability.has_cell_temperature},
          {"scan_us", ability.scan.us},
          {"limits", limits_json(ability.limits)}};
}

std::optional<ChannelAbility> ability_from_json(const Json& json) {
  try {
    ChannelAbility ability;
    ability.cycler = capability_of(json.at("cycler"));
    ability.has_chamber = !json.at("chamber").is_null();
    if (ability.has_chamber) ability.chamber = capability_of(json.at("chamber"));
    ability.has_cell_temperature = json.at("has_cell_temperature").get<bool>();
    ability.scan = base::Duration{json.at("scan_us").get<std::int64_t>()};
    ability.limits = limits_of(json.at("limits"));
    return ability;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::shared_ptr<const profiles::Program> program_from_metadata(const std::string& metadata_json,
                                                               text::Diagnostics& diagnostics) {
  const Json metadata = Json::parse(metadata_json, nullptr, false);
  try {
    const auto ability = ability_from_json(metadata.at("ability"));
    const LaunchRequest request = request_of(metadata);
    if (ability) {
      const Resources resources = find_resources();
      Compiled compiled = compile_launch(request, *ability, resources.cells, resources.waveforms);
      const auto recorded = metadata.at("profile").at("compiled_sha256").get<std::string>();
      diagnostics.append(std::move(compiled.diagnostics));
      if (compiled.program == nullptr) return nullptr;
      if (compiled.program->compiled_sha256 == recorded) return compiled.program;
      diagnostics.error(
          "R002", {},
          fmt::format("the profile compiles to {}, the record says {}", compiled.program->compiled_sha256, recorded),
          "a shipped waveform or this program's version has changed since the test: use those of the test");
      return nullptr;
    }
  } catch (const Json::exception&) {  // a field is missing or of another type: said below
  }
  diagnostics.error("R001", {}, "the record's metadata do not hold what the profile was compiled for",
                    "the test was recorded by an older version, or its metadata are damaged");
  return nullptr;
}

std::string amended_metadata(const std::string& metadata_json, const std::string& amendment_json) {
  Json metadata = Json::parse(metadata_json, nullptr, false);
  Json amendment = Json::parse(amendment_json, nullptr, false);
  if (!metadata.is_object() || !amendment.is_object() || !amendment.contains("profile")) return {};
  metadata["profile"] = std::move(amendment["profile"]);
  return metadata.dump();
}

}  // namespace cyclerd::app
