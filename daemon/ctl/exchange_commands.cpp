// import and export-profile: test descriptions of other programs, with an account of what was lost.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "daemon/app/launch.hpp"
#include "daemon/app/resources.hpp"
#include "daemon/ctl/commands.hpp"
#include "daemon/ctl/launch_files.hpp"
#include "daemon/ctl/status_view.hpp"
#include "profiles/exchange/detect.hpp"
#include "profiles/exchange/exchange.hpp"

namespace cyclerd::ctl {

namespace fs = std::filesystem;
using control::Failure;

namespace {

using exchange::Format;
using exchange::Translation;

std::string format_words() {
  std::string words;
  for (const exchange::FormatName& known : exchange::kFormats)
    words += (words.empty() ? "" : ", ") + std::string(known.name);
  return words;
}

std::optional<Translation> import_as(Format format, const text::SourcePtr& source,
                                     const exchange::ImportOptions& options, text::Diagnostics& findings) {
  switch (format) {
    case Format::pybamm: return exchange::import_pybamm(source, options, findings);
    case Format::unicycler: return exchange::import_unicycler(source, options, findings);
    case Format::neware: return exchange::import_neware(source, options, findings);
    case Format::maccor: return exchange::import_maccor(source, options, findings);
    case Format::arbin: return exchange::import_arbin(source, options, findings);
  }
  return std::nullopt;
}

std::size_t count(const Translation& t, exchange::Loss::Kind kind) {
  std::size_t n = 0;
  for (const exchange::Loss& loss : t.losses) n += loss.kind == kind ? 1 : 0;
  return n;
}

Json losses_json(Format format, const Translation& t) {
  Json losses = Json::array();
  for (const exchange::Loss& loss : t.losses) {
    losses.push_back({{"kind", loss.kind == exchange::Loss::Kind::dropped ? "dropped" : "approximated"},
                      {"where", loss.where},
                      {"what", loss.what},
                      {"why", loss.why}});
  }
  return {{"format", exchange::format_name(format)},
          {"translated", t.translated},
          {"approximated", count(t, exchange::Loss::Kind::approximated)},
          {"dropped", count(t, exchange::Loss::Kind::dropped)},
          {"losses", std::move(losses)}};
}

std::string losses_text(Format format, const Translation& t) {
  std::string text =
      fmt::format("{}: {} translated, {} approximated, {} dropped\n", exchange::format_name(format), t.translated,
                  count(t, exchange::Loss::Kind::approximated), count(t, exchange::Loss::Kind::dropped));
  for (const exchange::Loss& loss : t.losses) {
    text += fmt::format("  {}  {}: {}\n      {}\n",
                        loss.kind == exchange::Loss::Kind::dropped ? "dropped     " : "approximated",
                        printable(loss.where), printable(loss.what), printable(loss.why));
  }
  return text;
}

Outcome<bool> write_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.flush();
  if (file) return true;
  return std::unexpected(
      Trouble(Failure::failed, fmt::format("cannot write {}: does its folder exist?", path.string())));
}

// The result to --out or stdout, its waveforms beside it, the account to --report or stderr.
int deliver(Format format, const Translation& t, const text::Diagnostics& findings, const Options& options, Io& io) {
  const fs::path out = options.out;
  if (!out.empty()) {
    if (const auto written = write_file(out, t.text); !written) return report(written.error(), options, io);
    for (const auto& [name, text] : t.files) {
      // Importers make these names; a path in one would be their mistake, and must not become a file elsewhere.
      const auto written = write_file(out.parent_path() / fs::path(name).filename(), text);
      if (!written) return report(written.error(), options, io);
    }
  }
  Json json = losses_json(format, t);
  if (!options.report.empty()) {
    const bool as_json = options.json || options.report.ends_with(".json");
    const auto written =
        write_file(options.report,
                   as_json ? json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n" : losses_text(format, t));
    if (!written) return report(written.error(), options, io);
  }
  if (options.json) {
    json.update(findings_json(app::describe_findings(findings)));
    json["text"] = t.text;
    json["out"] = out.empty() ? Json(nullptr) : Json(out.string());
    json["files"] = t.files;
    print_json(io.out, json);
    return 0;
  }
  if (out.empty()) print(io.out, t.text);
  if (!findings.all().empty()) print(io.err, findings.render(io.colour));
  if (options.report.empty()) print(io.err, losses_text(format, t));
  if (out.empty() && !t.files.empty()) {
    print(io.err, fmt::format("The profile follows {} waveform file{}: --out FILE writes them beside it\n",
                              t.files.size(), t.files.size() == 1 ? "" : "s"));
  }
  return 0;
}

int refuse(const text::Diagnostics& findings, const Options& options, Io& io) {
  if (options.json) {
    print_json(io.out, findings_json(app::describe_findings(findings)));
  } else {
    print(io.err, findings.render(io.colour));
  }
  return static_cast<int>(Failure::invalid);
}

Outcome<text::SourcePtr> read_foreign(const Options& options, Io& io) {
  if (options.file == "-") {
    auto text = read_stdin(io, exchange::kMaxImportBytes);
    if (!text) return std::unexpected(text.error());
    return std::make_shared<const text::Source>(
        text::Source{options.stdin_name.empty() ? "stdin" : options.stdin_name, std::move(*text)});
  }
  std::error_code error;
  if (fs::is_directory(options.file, error))
    return std::unexpected(Trouble(Failure::usage, fmt::format("{} is a folder: name a file", options.file)));
  auto source = text::read_source(options.file, exchange::kMaxImportBytes);
  if (source) return *source;
  const bool permission = source.error().code == base::ErrorCode::permission;
  return std::unexpected(Trouble(permission ? Failure::permission : Failure::usage, source.error().text()));
}

}  // namespace

int import_command(const Options& options, Io& io) {
  const auto source = read_foreign(options, io);
  if (!source) return report(source.error(), options, io);
  const auto format =
      options.format.empty() ? exchange::detect_format((*source)->text) : exchange::find_format(options.format);
  if (!format) {
    return report({Failure::usage, options.format.empty()
                                       ? fmt::format("cannot tell which program wrote {}: add --format, one of {}",
                                                     (*source)->name, format_words())
                                       : fmt::format("--format \"{}\": one of {}", options.format, format_words())},
                  options, io);
  }
  exchange::ImportOptions how;
  how.name = options.name;
  text::Diagnostics findings;
  const auto translation = import_as(*format, *source, how, findings);
  if (!translation) return refuse(findings, options, io);
  return deliver(*format, *translation, findings, options, io);
}

int export_profile_command(const Options& options, Io& io) {
  const auto format = exchange::find_format(options.format);
  if (!format || (*format != Format::pybamm && *format != Format::unicycler))
    return report({Failure::usage, fmt::format("--format \"{}\": unicycler or pybamm", options.format)}, options, io);
  if (options.cell.empty())
    return report({Failure::usage, "which cell? --cell NAME or FILE: parameters and ratings become numbers"}, options,
                  io);
  const auto params = launch_params(options, io);
  if (!params) return report(params.error(), options, io);
  app::LaunchRequest request;
  const std::string wrong = app::read_launch_request(*params, request);
  if (!wrong.empty()) return report({Failure::usage, wrong}, options, io);
  const auto resources = app::find_resources();
  app::PreparedLaunch prepared;
  std::optional<Translation> translation;
  if (app::prepare_launch(request, generous_ability(base::milliseconds(100)), resources.cells, resources.waveforms,
                          false, prepared)) {
    translation = *format == Format::pybamm
                      ? exchange::export_pybamm(prepared.profile, prepared.launch, prepared.diagnostics)
                      : exchange::export_unicycler(prepared.profile, prepared.launch, prepared.diagnostics);
  }
  if (!translation) return refuse(prepared.diagnostics, options, io);
  return deliver(*format, *translation, prepared.diagnostics, options, io);
}

}  // namespace cyclerd::ctl
