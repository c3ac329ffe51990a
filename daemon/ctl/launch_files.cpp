#include "daemon/ctl/launch_files.hpp"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <system_error>
#include <vector>

#include "daemon/app/resources.hpp"
#include "profiles/waveform.hpp"
#include "protocols/text/diagnostics.hpp"
#include "protocols/text/quantity.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::ctl {

namespace fs = std::filesystem;
using control::Failure;

namespace {

constexpr std::size_t kMaxBytes = 512 * 1024;  // two of them fit into one request

std::vector<std::string> names_in(const std::string& library) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(library, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".toml") names.push_back(it->path().stem().string());
  }
  return names;
}

Trouble not_found(const std::string& what, const std::string& word, const std::string& library) {
  std::string text = fmt::format("no {} \"{}\": neither a file nor the name of a shipped one", what, word);
  const std::string near = text::nearest(fs::path(word).stem().string(), names_in(library));
  if (!near.empty()) text += fmt::format("; did you mean \"{}\"?", near);
  return {Failure::usage, text};
}

}  // namespace

Outcome<LaunchFile> find_launch_file(const std::string& what, const std::string& word, const std::string& library) {
  std::error_code error;
  fs::path path = word;
  if (!fs::exists(path, error)) {
    const bool plain = word.find('/') == std::string::npos;
    path = fs::path(library) / (word.ends_with(".toml") ? word : word + ".toml");
    if (!plain || !fs::exists(path, error)) return std::unexpected(not_found(what, word, library));
  }
  if (fs::is_directory(path, error)) {
    return std::unexpected(Trouble(Failure::usage, fmt::format("{} is a folder: name the {}'s file", word, what)));
  }
  auto source = text::read_source(path.string(), kMaxBytes);
  if (!source) {
    const bool permission = source.error().code == base::ErrorCode::permission;
    return std::unexpected(Trouble(permission ? Failure::permission : Failure::usage, source.error().text()));
  }
  return LaunchFile{path.string(), (*source)->text, fs::absolute(path, error).parent_path().string()};
}

Outcome<LaunchFile> find_profile(const Options& options, Io& io) {
  if (options.profile != "-") return find_launch_file("profile", options.profile, app::find_resources().profiles);
  LaunchFile file;
  file.name = options.stdin_name.empty() ? "stdin" : options.stdin_name;
  std::array<char, 65536> buffer{};
  for (std::size_t n = buffer.size(); n == buffer.size();) {
    n = std::fread(buffer.data(), 1, buffer.size(), io.in);
    file.text.append(buffer.data(), n);
    if (file.text.size() > kMaxBytes) {
      return std::unexpected(
          Trouble(Failure::usage, fmt::format("stdin holds more than the {} bytes of a profile", kMaxBytes)));
    }
  }
  std::error_code error;
  file.folder = fs::absolute(file.name, error).parent_path().string();
  return file;
}

namespace {

// The texts of the waveforms that lie beside the profile. Those that do not are the daemon's shipped ones, or its
// finding.
Json waveforms_of(const LaunchFile& profile) {
  Json waveforms = Json::object();
  const auto source = std::make_shared<const text::Source>(text::Source{profile.name, profile.text});
  for (const std::string& name : profiles::waveform_files(source)) {
    const auto file = text::read_source(profile.folder + "/" + name, profiles::kMaxWaveformBytes);
    if (file) waveforms[name] = (*file)->text;
  }
  return waveforms;
}

}  // namespace

Outcome<Json> launch_params(const Options& options, Io& io) {
  std::string wrong;
  const auto parameters = parameters_of(options.set, wrong);
  if (!wrong.empty()) return std::unexpected(Trouble(Failure::usage, wrong));
  const auto resources = app::find_resources();
  const auto profile = find_profile(options, io);
  if (!profile) return std::unexpected(profile.error());
  Json params{{"profile", profile->text},
              {"profile_name", profile->name},
              {"waveforms", waveforms_of(*profile)},
              {"parameters", parameters}};
  if (!options.cell.empty()) {
    const auto cell = find_launch_file("cell", options.cell, resources.cells);
    if (!cell) return std::unexpected(cell.error());
    params["cell"] = cell->text;
    params["cell_name"] = cell->name;
  }
  for (const auto& [name, value] : {std::pair<const char*, const std::string&>{"channel", options.channel},
                                    {"soc", options.soc},
                                    {"sample_name", options.sample},
                                    {"operator", options.operator_name},
                                    {"institution", options.institution},
                                    {"note", options.note}}) {
    if (!value.empty()) params[name] = value;
  }
  return params;
}

Outcome<base::Duration> scan_period(const std::string& text, base::Duration fallback) {
  if (text.empty()) return fallback;
  // On a command line "1s" is easier to type than "\"1 s\"".
  std::string spaced = text;
  for (std::size_t i = 1; i < spaced.size(); ++i) {
    const auto before = static_cast<unsigned char>(spaced[i - 1]);
    if (std::isdigit(before) != 0 && std::isalpha(static_cast<unsigned char>(spaced[i])) != 0) {
      spaced.insert(i, " ");
      break;
    }
  }
  text::QuantityError error;
  const auto value = text::parse_quantity(spaced, error);
  // In whole microseconds, so that the bounds themselves are allowed whatever unit they are written in.
  const double wanted_us = value && value->dimension == text::dimension::kTime ? std::round(value->value * 1e6) : 0.0;
  if (!(wanted_us >= 100.0 && wanted_us <= 3.6e9)) {
    return std::unexpected(
        Trouble(Failure::usage, fmt::format("--scan \"{}\": a time from 100 us to 1 h, for example 100ms", text)));
  }
  return base::microseconds(static_cast<std::int64_t>(wanted_us));
}

}  // namespace cyclerd::ctl
