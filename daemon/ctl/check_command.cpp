#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "daemon/app/launch.hpp"
#include "daemon/app/resources.hpp"
#include "daemon/ctl/commands.hpp"
#include "daemon/ctl/launch_files.hpp"
#include "daemon/ctl/status_view.hpp"
#include "profiles/compile.hpp"

namespace cyclerd::ctl {

using control::Failure;

namespace {

std::string byte_text(double bytes) {
  if (bytes < 1e6) return fmt::format("{:.0f} kB", bytes / 1e3);
  return bytes < 1e9 ? fmt::format("{:.1f} MB", bytes / 1e6) : fmt::format("{:.1f} GB", bytes / 1e9);
}

// What the test takes on a cell as its ratings let one expect.
std::string expected_text(const Json& program) {
  const auto number = [&](const char* key) {
    const Json& value = member(program, key);
    return value.is_number() ? value.get<double>() : 0.0;
  };
  const double duration_s = number("expected_duration_s");
  if (!(duration_s > 0.0)) return {};
  return fmt::format("\n  expected: about {}, {:.0f} rows, {} on disk, {:.3g} Ah and {:.3g} Wh moved",
                     duration_text(duration_s), number("expected_rows"), byte_text(number("expected_disk_bytes")),
                     number("expected_charge_Ah"), number("expected_energy_Wh"));
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
  const Json& most_Ah = member(program, "worst_case_charge_Ah");
  const Json& most_Wh = member(program, "worst_case_energy_Wh");
  if (most_Ah.is_number() && most_Wh.is_number())
    text += fmt::format(", {:.4g} Ah and {:.4g} Wh moved", most_Ah.get<double>(), most_Wh.get<double>());
  return text + expected_text(program) + "\n";
}

// One profile's verdict, before it is printed.
struct Verdict {
  int exit_code = 0;
  Json json;               // README.md, "check --json"
  std::string text;        // for people
  Trouble trouble{0, ""};  // nothing was checked, when its exit code is not 0
};

std::string shown_name(const Options& options) {
  return options.profile == "-" && !options.stdin_name.empty() ? options.stdin_name : options.profile;
}

// `findings` as app::describe_findings gives them; `program` null when there is none.
Verdict verdict_of(const Options& options, const Json& findings, const std::string& rendered, Json program) {
  Verdict verdict;
  const Json& errors = member(findings, "errors");
  const bool valid = errors.is_number() && errors == 0;
  verdict.exit_code = valid ? 0 : static_cast<int>(Failure::invalid);
  verdict.text = rendered;
  if (!rendered.empty() && rendered.back() != '\n') verdict.text += "\n";
  if (valid && program.is_object()) verdict.text += summary_text(program);
  verdict.json = findings_json(findings);
  verdict.json["profile"] = shown_name(options);
  verdict.json["program"] = std::move(program);
  return verdict;
}

Verdict failed(Trouble trouble, const Options& options) {
  Verdict verdict;
  verdict.exit_code = trouble.exit_code;
  verdict.json = {{"profile", shown_name(options)},
                  {"valid", false},
                  {"errors", 0},
                  {"warnings", 0},
                  {"findings", Json::array()},
                  {"program", nullptr},
                  {"error", {{"exit_code", trouble.exit_code}, {"message", trouble.message}}}};
  verdict.trouble = std::move(trouble);
  return verdict;
}

Verdict check_with_daemon(const Json& params, const Options& options, Io& io) {
  auto client = connect(options, io);
  if (!client) return failed(client.error(), options);
  const auto answer = client->call("check", params);
  if (answer) {
    Json program = *answer;
    for (const char* key : {"diagnostics", "text", "errors", "warnings"}) program.erase(key);
    const Json& text = member(*answer, "text");
    return verdict_of(options, *answer, text.is_string() ? text.get<std::string>() : "", std::move(program));
  }
  const Json& text = member(answer.error().details, "text");
  if (answer.error().exit_code == static_cast<int>(Failure::invalid) && text.is_string()) {
    return verdict_of(options, answer.error().details, text.get<std::string>(), nullptr);
  }
  return failed(explain_channel(answer.error(), *client, options.channel), options);
}

Verdict check_here(const Json& params, const Options& options, base::Duration scan, Io& io) {
  text::Diagnostics findings;
  Json program = nullptr;
  if (options.cell.empty()) {
    const auto source = std::make_shared<const text::Source>(
        text::Source{params["profile_name"].get<std::string>(), params["profile"].get<std::string>()});
    profiles::check_profile(source, findings, shipped_files({}));
  } else {
    app::LaunchRequest request;
    const std::string wrong = app::read_launch_request(params, request);
    if (!wrong.empty()) return failed({Failure::usage, wrong}, options);
    const auto resources = app::find_resources();
    auto compiled = app::compile_launch(request, generous_ability(scan), resources.cells, resources.waveforms);
    findings = std::move(compiled.diagnostics);
    if (compiled.program) program = app::describe_program(*compiled.program);
  }
  return verdict_of(options, app::describe_findings(findings), findings.render(io.colour), std::move(program));
}

Verdict check_one(const Options& options, base::Duration scan, Io& io) {
  const auto params = launch_params(options, io);
  if (!params) return failed(params.error(), options);
  return options.channel.empty() ? check_here(*params, options, scan, io) : check_with_daemon(*params, options, io);
}

// Of several profiles the JSON is one document, too.
Json together(const std::vector<Verdict>& verdicts) {
  Json all{{"valid", true}, {"errors", 0}, {"warnings", 0}, {"profiles", Json::array()}};
  for (const Verdict& verdict : verdicts) {
    all["valid"] = all["valid"].get<bool>() && verdict.json["valid"].get<bool>();
    for (const char* key : {"errors", "warnings"}) all[key] = all[key].get<int>() + verdict.json[key].get<int>();
    all["profiles"].push_back(verdict.json);
  }
  return all;
}

}  // namespace

Json findings_json(const Json& described) {
  const Json& errors = member(described, "errors");
  const Json& list = member(described, "diagnostics");
  return {{"valid", errors.is_number() && errors == 0},
          {"errors", errors},
          {"warnings", member(described, "warnings")},
          {"findings", list.is_array() ? list : Json::array()}};
}

int check_command(const Options& options, Io& io) {
  if (!options.channel.empty() && options.cell.empty())
    return report({Failure::usage, "--channel needs --cell: which cell would run there?"}, options, io);
  const auto scan = scan_period(options.scan, base::milliseconds(100));
  if (!scan) return report(scan.error(), options, io);
  int worst = 0;
  std::vector<Verdict> verdicts;
  for (const std::string& profile : options.profiles) {
    Options one = options;
    one.profile = profile;
    verdicts.push_back(check_one(one, *scan, io));
    const Verdict& verdict = verdicts.back();
    worst = std::max(worst, verdict.exit_code);
    if (verdict.trouble.exit_code != 0 && (!options.json || options.profiles.size() == 1)) {
      report(verdict.trouble, options, io);
    } else if (!options.json) {
      print(io.out, verdict.text);
    }
  }
  if (options.json && (verdicts.size() > 1 || verdicts.front().trouble.exit_code == 0)) {
    print_json(io.out, verdicts.size() > 1 ? together(verdicts) : verdicts.front().json);
  }
  if (worst == 0 && options.cell.empty() && !options.json) {
    print(io.err, "Checked without a cell: ratings, C-rates and durations are proved with --cell\n");
  }
  return worst;
}

}  // namespace cyclerd::ctl
