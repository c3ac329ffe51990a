// cyclerd: the daemon, and the fresh process that opens every output when the daemon has died.
#include <cstdio>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "daemon/app/daemon.hpp"
#include "daemon/app/log.hpp"
#include "daemon/app/make_safe.hpp"
#include "daemon/app/resources.hpp"
#include "daemon/app/station_file.hpp"

namespace {

using namespace cyclerd;
namespace exit_code = app::exit_code;

struct Arguments {
  std::string station;
  app::LoadOptions load;
  app::DaemonOptions daemon;
  double patience_s = 2.0;
  bool make_safe = false;
  bool check = false;
  bool version = false;
};

int make_safe(const Arguments& arguments) {
  text::Diagnostics diagnostics;
  const app::StationConfig station = app::load_station(arguments.station, arguments.load, diagnostics);
  // A station file that was broken in the meantime must not keep the outputs closed that it still names.
  if (diagnostics.has_errors()) app::log(app::LogLevel::error, diagnostics.render());
  const auto patience = base::microseconds(static_cast<std::int64_t>(arguments.patience_s * 1e6));
  const app::SafeReport report = app::open_every_output(station, patience);
  for (const auto& line : report.lines) {
    app::log(line.safe ? app::LogLevel::info : app::LogLevel::error,
             fmt::format("make-safe {}: {}", line.device, line.words));
  }
  if (station.devices.empty()) return exit_code::kInvalid;
  return report.all_safe() ? exit_code::kOk : exit_code::kDevice;
}

int check(const Arguments& arguments) {
  text::Diagnostics diagnostics;
  const app::StationConfig station = app::load_station(arguments.station, arguments.load, diagnostics);
  if (!diagnostics.all().empty()) fmt::print(stderr, "{}", diagnostics.render());
  if (diagnostics.has_errors()) return exit_code::kInvalid;
  fmt::print("{}: station {}, {} channel(s), {} device(s) on {} wire(s): no errors\n", arguments.station, station.name,
             station.channels.size(), station.devices.size(), station.wires.size());
  return exit_code::kOk;
}

int run(const Arguments& arguments) {
  text::Diagnostics diagnostics;
  app::StationConfig station = app::load_station(arguments.station, arguments.load, diagnostics);
  if (!diagnostics.all().empty()) {
    app::log(diagnostics.has_errors() ? app::LogLevel::error : app::LogLevel::warning, diagnostics.render());
  }
  if (diagnostics.has_errors()) return exit_code::kInvalid;
  return app::run_daemon(std::move(station), arguments.daemon);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App cli{"Battery cycler control daemon: owns the wires, runs the tests, guards the cells, records."};
  cli.add_option("station", arguments.station, "Station file (TOML)");
  cli.add_option("--state-dir", arguments.load.state_dir, "Where the record lives (overrides the station file)");
  cli.add_option("--socket", arguments.daemon.socket, "Path of the control socket (default $CYCLERD_SOCKET)");
  cli.add_option("--socket-group", arguments.daemon.socket_group, "Group that owns the control socket");
  cli.add_option("--descriptions", arguments.load.descriptions, "Further folders with device descriptions");
  auto* make_safe_flag = cli.add_flag("--make-safe", arguments.make_safe,
                                      "Open every output named by the station file, and exit (0: all off, 8: not all)");
  cli.add_option("--patience", arguments.patience_s, "Seconds to go on trying with --make-safe")
      ->check(CLI::Range(0.0, 60.0));
  auto* check_flag = cli.add_flag("--check", arguments.check, "Check the station file, and exit (0: good, 3: errors)");
  make_safe_flag->excludes(check_flag);
  cli.add_flag("--version", arguments.version, "Print the version, and exit");
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? exit_code::kOk : exit_code::kUsage;
  }
  if (arguments.version) {
    fmt::print("{} (build {})\n", app::version(), app::build_id());
    return exit_code::kOk;
  }
  if (arguments.station.empty()) {
    fmt::print(stderr, "cyclerd: name a station file: cyclerd STATION [--state-dir DIR] [--socket PATH]; see --help\n");
    return exit_code::kUsage;
  }
  if (arguments.make_safe) return make_safe(arguments);
  if (arguments.check) return check(arguments);
  return run(arguments);
}
