// cycler-hil: the virtual lab.
#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include "hil/app/accuracy_command.hpp"
#include "hil/app/control_hook.hpp"
#include "hil/app/fit_command.hpp"
#include "hil/app/live_lab.hpp"
#include "hil/cells/cell_set.hpp"
#include "hil/lab/lab.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::hil {
namespace {

constexpr int kFailed = 1, kBadFile = 2;

// The file appears whole and only when every port is open: whoever waits for it may connect at once.
bool write_ports(const std::string& path, const nlohmann::json& ports) {
  const std::string draft = path + ".new";
  {
    std::ofstream file(draft);
    file << ports.dump() << '\n';
    if (!file.flush()) return false;
  }
  std::error_code error;
  std::filesystem::rename(draft, path, error);
  return !error;
}

int run_lab(const std::string& path, const std::string& ports_file, bool realtime) {
  auto source = text::read_source(path);
  if (!source) {
    fmt::print(stderr, "cycler-hil: {}\n", source.error().text());
    return kBadFile;
  }
  text::Diagnostics diagnostics;
  auto lab = load_lab(*source, diagnostics);
  if (!diagnostics.all().empty()) fmt::print(stderr, "{}", diagnostics.render(isatty(STDERR_FILENO) != 0));
  if (!lab) return kBadFile;

  // Threads inherit the mask: only this thread takes the signals.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  base::SystemClock clock;
  LiveLab live(std::move(*lab), clock);
  if (auto status = live.start(); !status) {
    fmt::print(stderr, "cycler-hil: {}\n", status.error().text());
    return kFailed;
  }
  if (realtime) {
    for (const std::string& notice : live.ask_for_real_time()) fmt::print(stderr, "cycler-hil: {}\n", notice);
  }
  std::unique_ptr<ControlHook> hook;
  if (live.lab().control_port) {
    auto started = ControlHook::start(live, *live.lab().control_port);
    if (!started) {
      fmt::print(stderr, "cycler-hil: {}\n", started.error().text());
      return kFailed;
    }
    hook = std::move(*started);
  }
  nlohmann::json ports = live.ports();
  for (const auto& [name, tty] : live.ttys()) ports[name] = tty;
  if (hook) ports["control"] = hook->port();
  if (!ports_file.empty() && !write_ports(ports_file, ports)) {
    fmt::print(stderr, "cycler-hil: cannot write {}; is the folder there and writable?\n", ports_file);
    return kFailed;
  }
  fmt::print("ready: lab {} on 127.0.0.1 {}\n", live.lab().name, ports.dump());
  std::fflush(stdout);

  int signal = 0;
  sigwait(&signals, &signal);
  hook.reset();
  live.stop();
  fmt::print("stopped after {} beats, {} overruns, worst beat {} us; {:.0f} times faster than real time\n",
             live.beats(), live.overruns(), live.worst_beat().us, live.real_time_factor());
  return 0;
}

int list_cells() {
  int result = 0;
  for (const std::string& name : cell_set_names()) {
    auto source = text::read_source(find_cell_set(name));
    text::Diagnostics diagnostics;
    auto set = source ? load_cell_set(*source, diagnostics) : std::nullopt;
    if (!set) {
      fmt::print(stderr, "{}", diagnostics.render());
      result = kBadFile;
      continue;
    }
    fmt::print("{:<30} {:<14} {:>8.4g} Ah  {}\n", set->name, set->model->name(), set->header.capacity_C / 3600.0,
               set->title);
  }
  return result;
}

// A lab file or a cell set, by its content; of a good cell set, what it is.
int check_file(const std::string& path) {
  auto source = text::read_source(path);
  if (!source) {
    fmt::print(stderr, "cycler-hil: {}\n", source.error().text());
    return kBadFile;
  }
  text::Diagnostics diagnostics;
  bool good = false;
  if (looks_like_cell_set(*source)) {
    const auto set = load_cell_set(*source, diagnostics);
    good = set.has_value();
    if (set) {
      const CellReadout empty = set->make({.soc = 0.0})->readout(), full = set->make({.soc = 1.0})->readout();
      fmt::print("{}: model {}, {:.4g} Ah, open circuit {:.4g} to {:.4g} V\n", set->name, set->model->name(),
                 full.capacity_C / 3600.0, empty.ocv_V, full.ocv_V);
    }
  } else {
    good = load_lab(*source, diagnostics).has_value();
  }
  fmt::print(stderr, "{}", diagnostics.all().empty() ? "" : diagnostics.render(isatty(STDERR_FILENO) != 0));
  return good ? 0 : kBadFile;
}

void add_options(CLI::App& app, AccuracyCommand& command) {
  app.add_option("FILE", command.files, "measured runs (CSV); none: all that come with the program");
  app.add_option("--cell", command.sets, "cell sets, names or files")->allow_extra_args(false);
  app.add_option("--ambient", command.ambient_degC, "degC, instead of what the file says")
      ->check(CLI::Range(-80.0, 200.0));
  app.add_option("--soc", command.soc, "at the start, instead of from the rest voltage")->check(CLI::Range(-0.1, 1.1));
  app.add_option("--current-sign", command.sign, "charge-positive or discharge-positive, instead of found out")
      ->check(CLI::IsMember({"charge-positive", "discharge-positive"}));
  app.add_flag("--json", command.json, "as JSON");
  app.add_option("--plots", command.plots, "folder for a picture of each run");
  app.add_flag("--png", command.png, "pictures as PNG instead of SVG");
}

void add_options(CLI::App& app, FitCommand& command) {
  app.add_option("--ocv", command.ocv, "slow runs, or a table of soc and open-circuit voltage (CSV)")->required();
  app.add_option("--pulses", command.pulses, "pulses from rest (CSV)");
  app.add_option("--discharge", command.discharges, "discharges (CSV)");
  app.add_option("--run", command.runs, "drive cycles and any other runs (CSV)");
  app.add_option("--held-out", command.held_out, "runs that are not fitted, only compared at the end (CSV)");
  app.add_option("--capacity", command.capacity, "as in \"5 Ah\"; else the charge of the OCV run");
  app.add_option("--name", command.name, "of the set; else that of the file");
  app.add_option("--title", command.title, "what the cell is");
  app.add_option("--source", command.source, "where the measurements come from");
  app.add_option("--licence", command.licence, "of the measurements");
  app.add_option("--out", command.out, "the set's file to write (TOML)")->required();
  app.add_option("--ambient", command.ambient_degC, "degC, of all files, instead of what they say")
      ->check(CLI::Range(-80.0, 200.0));
  app.add_option("--soc", command.soc, "at the start of runs, instead of from the rest voltage")
      ->check(CLI::Range(-0.1, 1.1));
  app.add_option("--current-sign", command.sign, "charge-positive or discharge-positive, instead of found out")
      ->check(CLI::IsMember({"charge-positive", "discharge-positive"}));
  app.add_option("--rounds", command.rounds, "of parameters and open-circuit voltage in turn")
      ->check(CLI::Range(1, 20));
  app.add_flag("--quiet", command.quiet, "no progress");
}

int run(int argc, char** argv) {
  CLI::App app("The virtual lab: virtual cells behind instruments that speak their real protocols, on loopback.");
  app.require_subcommand(1);
  std::string file, ports_file;
  auto* lab = app.add_subcommand("lab", "bring up every instrument of a lab file, until SIGTERM");
  lab->add_option("FILE", file, "lab file (TOML)")->required();
  lab->add_option("--ports-file", ports_file, "write the ports as JSON, once all are open");
  bool realtime = false;
  lab->add_flag("--realtime", realtime, "SCHED_FIFO and locked memory where permitted");
  auto* check = app.add_subcommand("check", "say what is wrong with a lab file or a cell set (TOML, BPX)");
  check->add_option("FILE", file, "lab file (TOML) or cell set (TOML, or BPX in JSON)")->required();
  auto* cells = app.add_subcommand("cells", "list the parameter sets of virtual cells");
  AccuracyCommand accuracy;
  auto* measured = app.add_subcommand("accuracy", "models against measured runs: voltage, end time, temperature");
  add_options(*measured, accuracy);
  FitCommand fit;
  auto* fitted = app.add_subcommand("fit", "make a cell set out of measured runs");
  add_options(*fitted, fit);
  CLI11_PARSE(app, argc, argv);
  if (*fitted) return run_fit(fit);
  if (*measured) return run_accuracy(accuracy);
  if (*lab) return run_lab(file, ports_file, realtime);
  if (*check) return check_file(file);
  if (*cells) return list_cells();
  return kFailed;
}

}  // namespace
}  // namespace cyclerd::hil

int main(int argc, char** argv) {
  return cyclerd::hil::run(argc, argv);
}
