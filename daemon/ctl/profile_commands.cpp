// expand and format: a profile as its reviewer, and as the compiler, reads it.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "daemon/app/expansion_json.hpp"
#include "daemon/app/launch.hpp"
#include "daemon/app/resources.hpp"
#include "daemon/ctl/commands.hpp"
#include "daemon/ctl/launch_files.hpp"
#include "daemon/ctl/status_view.hpp"

namespace cyclerd::ctl {

namespace fs = std::filesystem;
using control::Failure;

namespace {

// Findings instead of a result: on stderr, as JSON where JSON was asked for.
int refuse(const text::Diagnostics& findings, const Options& options, Io& io) {
  if (options.json) {
    print_json(io.out, findings_json(app::describe_findings(findings)));
  } else {
    print(io.err, findings.render(io.colour));
  }
  return static_cast<int>(Failure::invalid);
}

int show_expansion(const Json& data, const std::string& text, const Options& options, Io& io) {
  if (options.json) {
    print_json(io.out, data);
  } else {
    print(io.out, text);
  }
  return 0;
}

int expand_with_daemon(Json params, const Options& options, Io& io) {
  auto client = connect(options, io);
  if (!client) return report(client.error(), options, io);
  params["expand"] = true;
  const auto answer = client->call("check", params);
  if (!answer) return report(explain_channel(answer.error(), *client, options.channel), options, io);
  const Json& text = member(*answer, "expansion_text");
  if (!text.is_string()) {
    return report({Failure::failed, "the daemon is older than this command: cyclerctl version shows both"}, options,
                  io);
  }
  return show_expansion(member(*answer, "expansion"), text.get<std::string>(), options, io);
}

// Lines of a TOML text that carry a comment.
std::size_t comment_lines(std::string_view text) {
  std::size_t count = 0;
  char quote = '\0';
  bool long_quote = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool triple = text.substr(i, 3) == std::string(3, c);
    if (quote != '\0') {
      if (c == '\\' && quote == '"') {
        ++i;
      } else if (c == quote && (!long_quote || triple)) {
        i += long_quote ? 2 : 0;
        quote = '\0';
      } else if (c == '\n' && !long_quote) {
        quote = '\0';
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
      long_quote = triple;
      i += triple ? 2 : 0;
    } else if (c == '#') {
      ++count;
      i = std::min(text.find('\n', i), text.size());
    }
  }
  return count;
}

// The whole file or nothing of it.
Outcome<bool> replace_file(const std::string& path, const std::string& text) {
  const fs::path fresh = path + ".new";
  std::error_code error;
  {
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    file << text;
    file.flush();
    if (!file) {
      fs::remove(fresh, error);
      return std::unexpected(Trouble(Failure::failed, fmt::format("cannot write {}", fresh.string())));
    }
  }
  const auto permissions = fs::status(path, error).permissions();
  if (!error) fs::permissions(fresh, permissions, error);
  fs::rename(fresh, fs::weakly_canonical(path), error);
  if (!error) return true;
  const std::string why = error.message();
  fs::remove(fresh, error);
  return std::unexpected(Trouble(Failure::failed, fmt::format("cannot replace {}: {}", path, why)));
}

struct Formatted {
  LaunchFile file;
  profiles::CanonicalForm canonical;
  std::string compiled_sha256;  // empty without a cell
};

Outcome<app::Compiled> compile_here(const Options& options, const LaunchFile& file) {
  const auto params = launch_params(options, file);
  if (!params) return std::unexpected(params.error());
  app::LaunchRequest request;
  const std::string wrong = app::read_launch_request(*params, request);
  if (!wrong.empty()) return std::unexpected(Trouble(Failure::usage, wrong));
  const auto resources = app::find_resources();
  return app::compile_launch(request, generous_ability(base::milliseconds(100)), resources.cells, resources.waveforms);
}

std::string hash_lines(const Formatted& f) {
  return fmt::format("source     {}\ncanonical  {}\ncompiled   {}\n", f.canonical.source_sha256,
                     f.canonical.canonical_sha256,
                     f.compiled_sha256.empty() ? "- (of a cell: add --cell)" : f.compiled_sha256);
}

Json format_json(const Formatted& f) {
  return {{"profile", f.file.name},
          {"canonical", f.canonical.text},
          {"is_canonical", f.file.text == f.canonical.text},
          {"comment_lines", comment_lines(f.file.text)},
          {"source_sha256", f.canonical.source_sha256},
          {"canonical_sha256", f.canonical.canonical_sha256},
          {"compiled_sha256", f.compiled_sha256.empty() ? Json(nullptr) : Json(f.compiled_sha256)}};
}

// format --write: comments do not come back, so somebody must say yes to losing them.
int write_back(const Formatted& f, const Options& options, Io& io) {
  std::error_code error;
  if (options.profile == "-" || !fs::exists(options.profile, error))
    return report({Failure::usage, "--write needs a file of yours: a shipped profile and stdin stay as they are"},
                  options, io);
  if (f.file.text == f.canonical.text) return 0;
  const std::size_t comments = comment_lines(f.file.text);
  const std::string question = fmt::format("The canonical form has no comments: {} line{} of them in {} would be lost.",
                                           comments, comments == 1 ? "" : "s", options.profile);
  if (comments > 0 && !confirm(question, "yes", options, io)) return static_cast<int>(Failure::usage);
  const auto written = replace_file(options.profile, f.canonical.text);
  if (!written) return report(written.error(), options, io);
  print(io.err, fmt::format("Wrote {}\n", options.profile));
  return 0;
}

}  // namespace

int expand_command(const Options& options, Io& io) {
  if (!options.channel.empty() && options.cell.empty())
    return report({Failure::usage, "--channel needs --cell: which cell would run there?"}, options, io);
  if (options.cell.empty() && !options.set.empty())
    return report({Failure::usage, "--set needs --cell: without a cell nothing is worked out"}, options, io);
  const auto scan = scan_period(options.scan, base::milliseconds(100));
  if (!scan) return report(scan.error(), options, io);
  const auto params = launch_params(options, io);
  if (!params) return report(params.error(), options, io);
  if (!options.channel.empty()) return expand_with_daemon(*params, options, io);
  app::LaunchRequest request;
  const std::string wrong = app::read_launch_request(*params, request, false);
  if (!wrong.empty()) return report({Failure::usage, wrong}, options, io);
  const auto resources = app::find_resources();
  app::PreparedLaunch prepared;
  std::optional<profiles::Expansion> expansion;
  if (options.cell.empty()) {
    const auto source =
        std::make_shared<const text::Source>(text::Source{request.profile_name, std::move(request.profile)});
    expansion = profiles::expand_profile(source, shipped_files(request.waveforms), prepared.diagnostics);
  } else if (app::prepare_launch(request, generous_ability(*scan), resources.cells, resources.waveforms, false,
                                 prepared)) {
    expansion = profiles::expand_profile(prepared.profile, prepared.launch, prepared.diagnostics);
  }
  if (!expansion) return refuse(prepared.diagnostics, options, io);
  return show_expansion(app::describe_expansion(*expansion), profiles::to_text(*expansion), options, io);
}

int format_command(const Options& options, Io& io) {
  if (options.check + options.hash + options.write > 1)
    return report({Failure::usage, "--check, --hash and --write: one at a time"}, options, io);
  const auto file = find_profile(options, io);
  if (!file) return report(file.error(), options, io);
  const auto source = std::make_shared<const text::Source>(text::Source{file->name, file->text});
  text::Diagnostics findings;
  auto canonical = profiles::canonical_profile(source, shipped_files({}), findings);
  if (!canonical) return refuse(findings, options, io);
  Formatted formatted{*file, std::move(*canonical), ""};
  if (!options.cell.empty()) {
    const auto compiled = compile_here(options, *file);
    if (!compiled) return report(compiled.error(), options, io);
    if (!compiled->program) return refuse(compiled->diagnostics, options, io);
    formatted.compiled_sha256 = compiled->program->compiled_sha256;
  }
  const bool same = file->text == formatted.canonical.text;
  if (options.json) print_json(io.out, format_json(formatted));
  if (options.write) return write_back(formatted, options, io);
  if (options.check) {
    if (!same && !options.json) print(io.err, fmt::format("{} is not in its canonical form\n", file->name));
    return same ? 0 : static_cast<int>(Failure::failed);
  }
  if (!options.json) print(io.out, options.hash ? hash_lines(formatted) : formatted.canonical.text);
  return 0;
}

}  // namespace cyclerd::ctl
