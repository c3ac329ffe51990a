// The files that a launch names: found, read, and put into the form that the daemon and the compiler take.
#pragma once

#include <map>
#include <string>

#include "daemon/app/launch.hpp"
#include "daemon/ctl/client.hpp"
#include "daemon/ctl/options.hpp"
#include "daemon/ctl/terminal.hpp"
#include "profiles/compile.hpp"

namespace cyclerd::ctl {

struct LaunchFile {
  std::string name;  // as messages call it
  std::string text;
  std::string folder;  // absolute
};

// `word` is a path, or the name of a file in `library` without ".toml". `what`: "profile", "cell".
[[nodiscard]] Outcome<LaunchFile> find_launch_file(const std::string& what, const std::string& word,
                                                   const std::string& library);

// The same for options.profile: "-" reads io.in, called --stdin-name, with the waveforms of that name's folder.
[[nodiscard]] Outcome<LaunchFile> find_profile(const Options& options, Io& io);

// Parameters of `check` and `start`. The cell may be absent.
[[nodiscard]] Outcome<Json> launch_params(const Options& options, Io& io);
[[nodiscard]] Outcome<Json> launch_params(const Options& options, const LaunchFile& profile);

[[nodiscard]] Outcome<std::string> read_stdin(Io& io, std::size_t max_bytes);

// What ships with this program, for profiles that are looked at without a cell.
[[nodiscard]] profiles::ProfileFiles shipped_files(std::map<std::string, std::string> waveforms);

// Without a channel: instruments that no cell outgrows, so that only the cell's ratings and the profile itself speak.
[[nodiscard]] app::ChannelAbility generous_ability(base::Duration scan);

// --scan: "100 ms", "1s"; `fallback` when it was not given.
[[nodiscard]] Outcome<base::Duration> scan_period(const std::string& text, base::Duration fallback);

}  // namespace cyclerd::ctl
