#include "daemon/app/launch.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "protocols/text/quantity.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::app {
namespace {

using control::Json;

std::string read_parameters(const Json& params, std::map<std::string, std::string>& out) {
  const auto found = params.find("parameters");
  if (found == params.end() || found->is_null()) return {};
  if (!found->is_object()) return "parameters is an object of name: \"value\"";
  for (const auto& [name, value] : found->items()) {
    if (value.is_string()) {
      out[name] = value.get<std::string>();
    } else if (value.is_number() || value.is_boolean()) {
      out[name] = value.dump();
    } else {
      return fmt::format("parameter {} is neither a text nor a number", name);
    }
  }
  return {};
}

std::string read_waveforms(const Json& params, std::map<std::string, std::string>& out) {
  const auto found = params.find("waveforms");
  if (found == params.end() || found->is_null()) return {};
  if (!found->is_object()) return "waveforms is an object of file name: \"text of the file\"";
  for (const auto& [name, value] : found->items()) {
    if (!value.is_string()) return fmt::format("waveform {} is not a text", name);
    out[name] = value.get<std::string>();
  }
  return {};
}

std::string read_soc(const Json& params, double& soc) {
  const auto found = params.find("soc");
  if (found == params.end() || found->is_null()) return {};
  if (found->is_number()) {
    soc = found->get<double>();
  } else if (found->is_string()) {
    text::QuantityError error;
    const auto value = text::parse_quantity(found->get<std::string>(), error);
    if (!value || value->dimension != text::dimension::kNone) return "soc is a ratio, for example 0.5 or \"50 %\"";
    soc = value->value;
  } else {
    return "soc is a number from 0 to 1";
  }
  if (!(soc >= 0.0 && soc <= 1.0)) return fmt::format("soc = {} is outside 0 to 1", soc);
  return {};
}

}  // namespace

std::string procedure_folder(const std::string& waveforms) {
  return (std::filesystem::path(waveforms).parent_path() / "procedures").string();
}

std::string read_launch_request(const Json& params, LaunchRequest& request, bool cell_required) {
  if (!params.is_object()) return "parameters are missing";
  const std::pair<const char*, std::string*> texts[] = {
      {"profile_name", &request.profile_name},
      {"profile", &request.profile},
      {"cell_name", &request.cell_name},
      {"cell", &request.cell},
      {"channel", &request.channel},
      {"sample_name", &request.sample_name},
      {"operator", &request.operator_name},
      {"institution", &request.institution},
      {"note", &request.note},
  };
  for (const auto& [key, field] : texts) {
    const auto found = params.find(key);
    if (found == params.end() || found->is_null()) continue;
    if (!found->is_string()) return fmt::format("{} is a text", key);
    *field = found->get<std::string>();
  }
  if (request.profile.empty()) return "profile (the text of the profile) is missing";
  if (request.profile_name.empty()) request.profile_name = "profile.toml";
  if (cell_required && request.cell.empty() && request.cell_name.empty())
    return "cell (the text of the cell's file) or cell_name is missing";
  if (auto wrong = read_parameters(params, request.parameters); !wrong.empty()) return wrong;
  if (auto wrong = read_waveforms(params, request.waveforms); !wrong.empty()) return wrong;
  return read_soc(params, request.soc);
}

bool prepare_launch(const LaunchRequest& request, const ChannelAbility& ability, const std::string& cells,
                    const std::string& waveforms, bool simulated, PreparedLaunch& prepared) {
  text::SourcePtr cell_source;
  if (!request.cell.empty()) {
    const std::string name = request.cell_name.empty() ? "cell.toml" : request.cell_name;
    cell_source = std::make_shared<const text::Source>(text::Source{name, request.cell});
  } else {
    // A name, never a path: the daemon reads no file that the caller could not have read.
    const bool plain =
        request.cell_name.find('/') == std::string::npos && request.cell_name.find("..") == std::string::npos;
    auto read = plain ? text::read_source(fmt::format("{}/{}.toml", cells, request.cell_name))
                      : base::Result<text::SourcePtr>(
                            base::failure(base::ErrorCode::invalid, request.cell_name, "a cell's name holds no '/'"));
    if (!read) {
      prepared.diagnostics.error("S040", {}, fmt::format("no shipped cell is called \"{}\"", request.cell_name),
                                 "name one of profiles/cells, or give the cell's file");
      return false;
    }
    cell_source = *read;
  }
  prepared.cell_text = cell_source->text;
  const auto cell = profiles::load_cell(cell_source, prepared.diagnostics);
  if (!cell) return false;
  profiles::Launch& launch = prepared.launch;
  launch.cell = *cell;
  if (!request.sample_name.empty()) launch.cell.name = request.sample_name;
  launch.cycler = ability.cycler;
  launch.chamber = ability.chamber;
  launch.has_chamber = ability.has_chamber;
  launch.has_cell_temperature = ability.has_cell_temperature;
  launch.scan = ability.scan;
  launch.station = ability.limits;
  launch.initial_soc = request.soc;
  launch.free_bytes = request.free_bytes;
  launch.simulated = simulated;
  launch.parameters = request.parameters;
  launch.waveforms = request.waveforms;
  launch.waveform_library = waveforms;
  launch.procedure_library = procedure_folder(waveforms);
  prepared.profile = std::make_shared<const text::Source>(text::Source{request.profile_name, request.profile});
  return true;
}

Compiled compile_launch(const LaunchRequest& request, const ChannelAbility& ability, const std::string& cells,
                        const std::string& waveforms, bool simulated) {
  Compiled compiled;
  compiled.ability = ability;
  PreparedLaunch prepared;
  const bool ready = prepare_launch(request, ability, cells, waveforms, simulated, prepared);
  compiled.cell_text = std::move(prepared.cell_text);
  compiled.diagnostics = std::move(prepared.diagnostics);
  if (!ready) return compiled;
  compiled.cell = prepared.launch.cell;
  compiled.program = profiles::compile_profile(prepared.profile, prepared.launch, compiled.diagnostics);
  if (compiled.diagnostics.has_errors()) compiled.program = nullptr;
  return compiled;
}

safety::LimitTable idle_limits(const profiles::SafetyLimits& station, base::Duration scan) {
  safety::LimitTable table;
  safety::merge(table, station);
  table.stale_after = std::max(base::milliseconds(500), scan * 3);
  table.sensor_loss = station.sensor_loss;
  return table;
}

void add_plausibility(safety::LimitTable& table, const Plausibility& plausibility) noexcept {
  table.current_tolerance_A = plausibility.current_A;
  table.current_tolerance_dwell = plausibility.current_for;
  table.frozen_count = plausibility.frozen_readings;
}

safety::LimitTable test_limits(const profiles::SafetyLimits& station, const profiles::CellSpec& cell,
                               const profiles::Program& program) {
  safety::LimitTable table = idle_limits(station, program.scan);
  safety::merge(table, profiles::trip_limits(cell));
  safety::merge(table, program.safety);
  table.sensor_loss = std::min(station.sensor_loss, program.safety.sensor_loss);
  return table;
}

double disk_estimate_bytes(const profiles::Program& program) {
  profiles::Estimate worst;
  worst.duration = program.worst_case_duration;
  worst.rows = program.worst_case_rows;
  return profiles::record_bytes(worst, program.scan);
}

Json describe_program(const profiles::Program& program) {
  const bool bounded = program.worst_case_duration.us > 0;
  const profiles::Estimate& expected = program.expected;
  const auto positive = [](double value) { return value > 0.0 ? Json(value) : Json(nullptr); };
  Json steps = Json::array();  // as in the program: a row's step_index is the place in this list
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    const profiles::Step& step = program.steps[i];
    steps.push_back(
        {{"index", i}, {"name", program.text(step.name)}, {"type", program.text(step.type)}, {"line", step.line}});
  }
  return {{"name", program.name},
          {"title", program.title},
          {"steps", std::move(steps)},
          {"worst_case_duration_s", bounded ? Json(program.worst_case_duration.seconds()) : Json(nullptr)},
          {"rows", bounded && !std::isnan(program.worst_case_rows) ? Json(program.worst_case_rows) : Json(nullptr)},
          {"disk_bytes", bounded ? Json(disk_estimate_bytes(program)) : Json(nullptr)},
          {"worst_case_charge_Ah", positive(program.worst_case_charge_C / 3600.0)},
          {"worst_case_energy_Wh", positive(program.worst_case_energy_J / 3600.0)},
          {"expected_duration_s", positive(expected.duration.seconds())},
          {"expected_rows", positive(expected.rows)},
          {"expected_disk_bytes", positive(profiles::record_bytes(expected, program.scan))},
          {"expected_charge_Ah", positive(expected.charge_C / 3600.0)},
          {"expected_energy_Wh", positive(expected.energy_J / 3600.0)},
          {"sha256", program.source_sha256},
          {"canonical_sha256", program.canonical_sha256},
          {"compiled_sha256", program.compiled_sha256}};
}

Json describe_findings(const text::Diagnostics& diagnostics) {
  return {{"diagnostics", Json::parse(diagnostics.json(), nullptr, false)},
          {"text", diagnostics.render()},
          {"errors", diagnostics.error_count()},
          {"warnings", diagnostics.warning_count()}};
}

}  // namespace cyclerd::app
