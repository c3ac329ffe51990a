#include <fmt/format.h>

#include "daemon/app/launch.hpp"
#include "daemon/app/resources.hpp"
#include "daemon/ctl/commands.hpp"
#include "daemon/ctl/launch_files.hpp"
#include "daemon/ctl/status_view.hpp"
#include "profiles/compile.hpp"

namespace cyclerd::ctl {

using control::Failure;

namespace {

// Without a channel: instruments that no cell outgrows, so that only the cell's ratings and the profile itself speak.
app::ChannelAbility generous_ability(base::Duration scan) {
  app::ChannelAbility ability;
  device::Capability& cycler = ability.cycler;
  cycler.kind = device::DeviceKind::cycler;
  cycler.off_means = device::OffMeans::open;
  cycler.native_cv = 1;
  cycler.can_charge = 1;
  cycler.can_discharge = 1;
  cycler.can_power = 1;
  cycler.voltage_max_V = 1000.0;
  cycler.current_max_A = 10'000.0;
  cycler.current_min_A = -10'000.0;
  cycler.power_max_W = 1e7;
  cycler.power_min_W = -1e7;
  cycler.voltage_step_V = 1e-6;
  cycler.current_step_A = 1e-6;
  ability.chamber.kind = device::DeviceKind::chamber;
  ability.chamber.temperature_min_degC = -70.0;
  ability.chamber.temperature_max_degC = 180.0;
  ability.has_chamber = true;
  ability.has_cell_temperature = true;
  ability.scan = scan;
  return ability;
}

std::string byte_text(double bytes) {
  if (bytes < 1e6) return fmt::format("{:.0f} kB", bytes / 1e3);
  return bytes < 1e9 ? fmt::format("{:.1f} MB", bytes / 1e6) : fmt::format("{:.1f} GB", bytes / 1e9);
}

std::string summary_text(const Json& program) {
  std::string text = text_member(program, "name");
  const std::string title = text_member(program, "title");
  if (!title.empty()) text += ": " + title;
  const Json& steps = member(program, "steps");
  std::size_t count = 0;
  for (const Json& step : steps)
    count += text_member(step, "name").empty() && text_member(step, "type").empty() ? 0 : 1;
  text += fmt::format("\n  {} instructions", count);
  const Json& worst = member(program, "worst_case_duration_s");
  text +=
      worst.is_number() ? fmt::format(", at most {}", duration_text(worst.get<double>())) : ", duration not bounded";
  const Json& rows = member(program, "rows");
  if (rows.is_number()) text += fmt::format(", at most {:.0f} rows", rows.get<double>());
  const Json& bytes = member(program, "disk_bytes");
  if (bytes.is_number()) text += fmt::format(", {} on disk", byte_text(bytes.get<double>()));
  return text + "\n";
}

// The verdict of a check: diagnostics, then what the program is.
int conclude(bool valid, const Json& value, const std::string& rendered, const Options& options, Io& io) {
  if (options.json) {
    Json result = value.is_object() ? value : Json::object();
    result["valid"] = valid;
    print_json(io.out, result);
  } else {
    print(io.out, rendered);
    if (!rendered.empty() && rendered.back() != '\n') print(io.out, "\n");
    if (valid && member(value, "name").is_string()) print(io.out, summary_text(value));
  }
  return valid ? 0 : static_cast<int>(Failure::invalid);
}

int check_with_daemon(const Json& params, const Options& options, Io& io) {
  auto client = connect(options, io);
  if (!client) return report(client.error(), options, io);
  const auto answer = client->call("check", params);
  if (answer)
    return conclude(true, *answer, text_member(*answer, "text").empty() ? "" : (*answer)["text"].get<std::string>(),
                    options, io);
  const Json& text = member(answer.error().details, "text");
  if (answer.error().exit_code == static_cast<int>(Failure::invalid) && text.is_string()) {
    return conclude(false, answer.error().details, text.get<std::string>(), options, io);
  }
  return report(explain_channel(answer.error(), *client, options.channel), options, io);
}

}  // namespace

int check_command(const Options& options, Io& io) {
  const auto params = launch_params(options);
  if (!params) return report(params.error(), options, io);
  if (!options.channel.empty()) {
    if (options.cell.empty())
      return report({Failure::usage, "--channel needs --cell: which cell would run there?"}, options, io);
    return check_with_daemon(*params, options, io);
  }
  const auto scan = scan_period(options.scan, base::milliseconds(100));
  if (!scan) return report(scan.error(), options, io);
  text::Diagnostics findings;
  Json program = Json::object();
  if (options.cell.empty()) {
    const auto source = std::make_shared<const text::Source>(
        text::Source{(*params)["profile_name"].get<std::string>(), (*params)["profile"].get<std::string>()});
    profiles::check_profile(source, findings);
  } else {
    app::LaunchRequest request;
    const std::string wrong = app::read_launch_request(*params, request);
    if (!wrong.empty()) return report({Failure::usage, wrong}, options, io);
    const auto resources = app::find_resources();
    auto compiled = app::compile_launch(request, generous_ability(*scan), resources.cells, resources.waveforms);
    findings = std::move(compiled.diagnostics);
    if (compiled.program) program = app::describe_program(*compiled.program);
  }
  Json value = app::describe_findings(findings);
  value.update(program);
  const int code = conclude(!findings.has_errors(), value, findings.render(io.colour), options, io);
  if (code == 0 && options.cell.empty() && !options.json) {
    print(io.err, "Checked without a cell: ratings, C-rates and durations are proved with --cell\n");
  }
  return code;
}

}  // namespace cyclerd::ctl
