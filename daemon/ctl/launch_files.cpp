#include "daemon/ctl/launch_files.hpp"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <system_error>
#include <vector>

#include "daemon/app/resources.hpp"
#include "profiles/compile.hpp"
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

Outcome<std::string> read_stdin(Io& io, std::size_t max_bytes) {
  std::string text;
  std::array<char, 65536> buffer{};
  for (std::size_t n = buffer.size(); n == buffer.size();) {
    n = std::fread(buffer.data(), 1, buffer.size(), io.in);
    text.append(buffer.data(), n);
    if (text.size() > max_bytes) {
      return std::unexpected(
          Trouble(Failure::usage, fmt::format("stdin holds more than the {} bytes that are read at most", max_bytes)));
    }
  }
  return text;
}

Outcome<LaunchFile> find_profile(const Options& options, Io& io) {
  if (options.profile != "-") return find_launch_file("profile", options.profile, app::find_resources().profiles);
  auto text = read_stdin(io, kMaxBytes);
  if (!text) return std::unexpected(text.error());
  LaunchFile file;
  file.name = options.stdin_name.empty() ? "stdin" : options.stdin_name;
  file.text = std::move(*text);
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
  const auto profile = find_profile(options, io);
  if (!profile) return std::unexpected(profile.error());
  return launch_params(options, *profile);
}

Outcome<Json> launch_params(const Options& options, const LaunchFile& profile) {
  std::string wrong;
  const auto parameters = parameters_of(options.set, wrong);
  if (!wrong.empty()) return std::unexpected(Trouble(Failure::usage, wrong));
  Json params{{"profile", profile.text},
              {"profile_name", profile.name},
              {"waveforms", waveforms_of(profile)},
              {"parameters", parameters}};
  if (!options.cell.empty()) {
    const auto cell = find_launch_file("cell", options.cell, app::find_resources().cells);
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

profiles::ProfileFiles shipped_files(std::map<std::string, std::string> waveforms) {
  const auto resources = app::find_resources();
  return {std::move(waveforms), resources.waveforms, app::procedure_folder(resources.waveforms)};
}

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
