// What a person typed, parsed. The only place that knows the command-line library is options.cpp.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace cyclerd::ctl {

// device probe: how the instrument is reached.
struct WireOptions {
  std::string host;
  int port = 0;  // 0: the dialect's own
  int unit = 1;
  std::string serial;
  int baud = 0;  // 0: as the description says, else 9600
  std::string parity;
  int stop_bits = 0;  // 0: the same
  int data_bits = 0;
  std::string can;
  std::string slcan;
  int bitrate = 0;
};

// remote: the vendor's server and what is wanted of it.
struct RemoteOptions {
  std::string server;
  std::string user;
  std::string password_file;
  double timeout_s = 30.0;
  std::string schedule;
  std::string barcode;
  std::string backup_folder;
  std::int64_t last = 0;  // 0: all
  std::int64_t from = 0;
  std::int64_t count = 0;
};

struct Options {
  std::string command;  // "start", "watch", "device check", ...
  // Every command
  std::string socket;
  bool json = false;
  bool plain = false;
  bool no_color = false;
  bool yes = false;
  // Arguments; which of them a command has is in options.cpp
  std::string profile;
  std::vector<std::string> profiles;  // of check: one or more
  std::string stdin_name;             // how messages call the profile that "-" reads
  std::string file;                   // import: the foreign file
  std::string format;                 // import, export-profile: of the foreign file
  std::string name;                   // import: of the profile
  std::string report;                 // import, export-profile: where the losses are told
  std::string channel;
  std::string test;
  std::string topic;
  std::string cell;
  std::vector<std::string> set;  // "name=value"
  std::string scan;
  std::string soc;
  std::string sample;
  std::string operator_name;
  std::string institution;
  std::string note;
  std::string reason;
  std::string cell_model;
  std::string ambient;
  std::string seed;
  std::string instruments;
  bool no_chamber = false;
  bool dry_run = false;
  std::string state_dir;
  std::string out;
  std::string plot;  // --plot of a simulation: a file, or empty
  std::string svg;
  std::string png;
  bool terminal = false;
  bool wait = false;
  bool until_done = false;
  bool all = false;
  bool full = false;
  bool check = false;  // format: only look
  bool hash = false;
  bool write = false;
  double interval_s = 0.0;  // 0: the command's own
  // Instruments
  std::vector<std::string> descriptions;         // files or names of description files
  std::vector<std::string> description_folders;  // searched before the shipped ones
  bool known = false;
  bool unverified = false;
  bool watch = false;
  std::string dialect;
  std::string kind;
  WireOptions wire;
  RemoteOptions remote;
};

// Nothing to run: print and leave.
struct Leave {
  int exit_code = 0;
  std::string out;
  std::string err;
};

// `environment_socket`: CYCLERD_SOCKET, may be empty.
[[nodiscard]] std::variant<Options, Leave> parse_options(const std::vector<std::string>& arguments,
                                                         const std::string& environment_socket);

// name=value pairs of --set; a Leave-like message when one has no '='.
[[nodiscard]] std::map<std::string, std::string> parameters_of(const std::vector<std::string>& set, std::string& wrong);

// For shells: generated from the same tables as the parser.
[[nodiscard]] std::string bash_completion();

// `help exit-codes`.
[[nodiscard]] std::string exit_codes_text();

inline constexpr const char* kDefaultSocket = "/run/cyclerd/control.sock";

}  // namespace cyclerd::ctl
