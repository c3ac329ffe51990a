#include "daemon/ctl/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <sstream>

#include "daemon/ctl/remote_options.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::ctl {

namespace {

constexpr int kUsage = 2;

// Help that shows what to type before it explains.
class ExamplesFirst final : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    if (mode == CLI::AppFormatMode::Sub) return make_expanded(app);
    std::string text = app->get_description() + "\n\n";
    if (!app->get_footer().empty()) text += app->get_footer() + "\n";
    text += make_usage(app, std::move(name));
    text += make_positionals(app);
    text += make_groups(app, mode);
    text += make_subcommands(app, mode);
    return text;
  }
};

std::string examples(std::initializer_list<const char*> lines) {
  std::string text = "Examples:\n";
  for (const char* line : lines) text += fmt::format("  cyclerctl {}\n", line);
  return text;
}

class Parser {
 public:
  Parser() : app_("cyclerctl: runs battery tests on a station served by cyclerd", "cyclerctl") {
    app_.formatter(std::make_shared<ExamplesFirst>());
    app_.footer(
        examples({"check cycle-life.toml --cell lg-m50", "simulate cycle-life.toml --cell lg-m50 --set cycles=100",
                  "start cycle-life.toml --channel A1 --cell lg-m50", "watch A1",
                  "stop A1                  (needs no role, asks nothing)", "help exit-codes"}));
    app_.get_formatter()->column_width(26);
    app_.fallthrough();
    app_.require_subcommand(0, 1);
    app_.set_help_flag("-h,--help", "Show this help");
    app_.add_option("--socket", options.socket, "Where cyclerd listens (or CYCLERD_SOCKET)")->type_name("PATH");
    app_.add_flag("--json", options.json, "Result as JSON; streams as one JSON object a line");
    app_.add_flag("--plain", options.plain, "Result as tab-separated lines without header");
    app_.add_flag("--no-color", options.no_color, "No colour (also NO_COLOR, TERM=dumb)");
    add_profile_commands();
    add_channel_commands();
    add_result_commands();
    add_station_commands();
    add_device_commands();
    auto* remote = app_.add_subcommand("remote", "Whole tests on a vendor's server (Neware BTS): status, start, stop");
    remote->group("Instruments");
    remote->require_subcommand(1);
    add_remote_commands([this, remote](auto... words) { return add_below(remote, words...); }, options);
  }

  CLI::App& app() { return app_; }
  Options options;

 private:
  CLI::App* add(const char* group, const char* name, const char* what, std::initializer_list<const char*> lines) {
    CLI::App* command = app_.add_subcommand(name, what);
    command->group(group);
    command->footer(examples(lines));
    command->callback([this, name] { options.command = name; });
    return command;
  }
  static constexpr const char* kProfileHelp = "Profile: a TOML file, the name of a shipped one, or - for stdin";
  void add_launch_options(CLI::App* command, bool several = false) {
    if (several) {
      command->add_option("profile", options.profiles, kProfileHelp)->required();
    } else {
      command->add_option("profile", options.profile, kProfileHelp)->required();
    }
    command->add_option("--cell", options.cell, "The cell's ratings: a TOML file, or the name of a shipped one");
    add_set(command);
    command->add_option("--soc", options.soc, "State of charge at the start, 0 to 1 or \"50 %\"");
    add_stdin_name(command);
  }
  void add_set(CLI::App* command) {
    // One value each: what follows it may be a profile.
    command->add_option("--set", options.set, "Value of a parameter of the profile")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  void add_stdin_name(CLI::App* command) {
    command->add_option("--stdin-name", options.stdin_name, "What messages call the profile read from stdin")
        ->type_name("FILE");
  }
  void add_channel(CLI::App* command, bool required) {
    auto* option = command->add_option("channel", options.channel, "Channel of the station");
    if (required) option->required();
  }
  void add_reason(CLI::App* command) {
    command->add_option("--reason", options.reason, "Why: kept in the record")->type_name("TEXT");
  }
  void add_yes(CLI::App* command) { command->add_flag("-y,--yes", options.yes, "Do not ask for confirmation"); }
  void add_state_dir(CLI::App* command) {
    command->add_option("--state-dir", options.state_dir, "The daemon's state folder, to work without the daemon")
        ->type_name("DIR");
  }

  void add_profile_commands() {
    auto* check =
        add("Profiles", "check", "Prove a profile before it runs: every finding at once",
            {"check cycle-life.toml --cell lg-m50", "check cycle-life.toml --cell my-cell.toml --set cycles=200",
             "check cycle-life.toml --cell lg-m50 --channel A1   (against the channel's instruments)",
             "check - --stdin-name my.toml --json                (for editors)"});
    add_launch_options(check, true);
    check->add_option("--scan", options.scan, "Scan period to check for (100 ms)")->type_name("TIME");
    check->add_option("--channel", options.channel, "Ask the daemon, with the ability and limits of this channel");

    add_simulate();
    add_readers();
    add_exchange();
  }

  void add_readers() {
    auto* expand = add("Profiles", "expand", "A profile as flat text: calls written out, values worked out",
                       {"expand cycle-life --cell lg-m50 --set cycles=200",
                        "expand my.toml                  (without a cell: as written)",
                        "expand my.toml --cell lg-m50 --channel A1   (against the channel's instruments)"});
    add_launch_options(expand);
    expand->add_option("--scan", options.scan, "Scan period (100 ms)")->type_name("TIME");
    expand->add_option("--channel", options.channel, "Ask the daemon, with the ability and limits of this channel");

    auto* format = add("Profiles", "format", "The one spelling of all profiles that mean the same; loses comments",
                       {"format my.toml", "format my.toml --hash --cell lg-m50", "format my.toml --check"});
    format->add_option("profile", options.profile, kProfileHelp)->required();
    format->add_option("--cell", options.cell, "For the hash of the compiled program: the cell's ratings");
    add_set(format);
    add_stdin_name(format);
    format->add_flag("--check", options.check, "Print nothing; exit 1 when the file is spelled differently");
    format->add_flag("--hash", options.hash, "The sha256 of file, canonical form and (with --cell) compiled program");
    format->add_flag("--write", options.write, "Replace the file; its comments are lost");
    add_yes(format);
  }

  void add_exchange() {
    auto* import = add("Profiles", "import", "A test description of another program as a profile",
                       {"import procedure.xml --out procedure.toml", "import protocol.json --format unicycler",
                        "import schedule.sdu --out schedule.toml --report losses.txt"});
    import->add_option("file", options.file, "The foreign file, or - for stdin")->required();
    import->add_option("--format", options.format, "pybamm, unicycler, neware, maccor or arbin (by the file's content)")
        ->type_name("NAME");
    import->add_option("--name", options.name, "Of the profile (the file's)")->type_name("NAME");
    import->add_option("--out", options.out, "Write the profile, and its waveforms beside it")->type_name("FILE");
    import->add_option("--report", options.report, "Write what was approximated and dropped (stderr)")
        ->type_name("FILE");
    add_stdin_name(import);

    auto* exporting = add("Profiles", "export-profile", "A profile for another program, when nothing is lost",
                          {"export-profile my.toml --format pybamm --cell lg-m50",
                           "export-profile my.toml --format unicycler --cell lg-m50 --out my.json"});
    add_launch_options(exporting);
    exporting->add_option("--format", options.format, "pybamm (experiment strings) or unicycler (JSON)")
        ->type_name("NAME")
        ->required();
    exporting->add_option("--out", options.out, "Write it here (stdout)")->type_name("FILE");
    exporting->add_option("--report", options.report, "Write what was approximated and dropped (stderr)")
        ->type_name("FILE");
  }

  void add_simulate() {
    auto* simulate = add("Profiles", "simulate", "Run a profile on a virtual cell, in virtual time",
                         {"simulate cycle-life.toml --cell lg-m50 --set cycles=100",
                          "simulate rpt.toml --cell lg-m50 --soc 0.5 --out sim --png sim/plot.png",
                          "simulate capacity-check --cell-model my-cell.toml --ambient \"10 degC\" --plot"});
    add_launch_options(simulate);
    simulate->add_option(
        "--cell-model", options.cell_model,
        "Virtual cell: a shipped set (cycler-hil cells), a file, either @40Ah (the one named like the cell)");
    simulate->add_option("--ambient", options.ambient, "Temperature of cell and room at the start (25 degC)")
        ->type_name("TEMPERATURE");
    simulate->add_flag("--no-chamber", options.no_chamber, "The cell stands in the room");
    simulate
        ->add_option("--instruments", options.instruments,
                     "ideal: no noise; good: 50 uV, 0.1 mA (default); plain: 0.05 % and 1 mV")
        ->type_name("CLASS");
    simulate->add_option("--seed", options.seed, "Of the instruments' noise (1)")->type_name("NUMBER");
    simulate->add_option("--scan", options.scan, "Scan period (1 s)")->type_name("TIME");
    simulate->add_option("--out", options.out, "Keep the record and its export here")->type_name("DIR");
    auto* plot =
        simulate->add_option("--plot", options.plot, "Plot to this .svg or .png; without FILE to the terminal");
    plot->type_name("[FILE]")->expected(0, 1);
    simulate->callback([this, plot] {
      options.command = "simulate";
      options.terminal = plot->count() > 0 && options.plot.empty();
    });
    simulate->add_option("--svg", options.svg, "Plot to this file")->type_name("FILE");
    simulate->add_option("--png", options.png, "Plot to this file")->type_name("FILE");
    simulate->add_flag("--full", options.full, "List every step and cycle, however many");
  }

  void add_channel_commands() {
    auto* start = add("Channels", "start", "Start a test",
                      {"start cycle-life.toml --channel A1 --cell lg-m50",
                       "start cycle-life.toml --channel A1 --cell my-cell.toml --set cycles=200 --sample LGM50-0042",
                       "start demo.toml --channel A1 --cell lg-m50 --wait"});
    add_launch_options(start);
    start->add_option("--channel", options.channel, "Channel of the station")->required();
    start->add_option("--sample", options.sample, "Name of this very cell: label, barcode")->type_name("NAME");
    start->add_option("--operator", options.operator_name, "Who runs the test")->type_name("NAME");
    start->add_option("--institution", options.institution, "For the record's metadata")->type_name("NAME");
    start->add_option("--note", options.note, "For the record's metadata")->type_name("TEXT");
    start->add_flag("--wait", options.wait, "Stay until the test ends; exit with its outcome");

    auto* status = add("Channels", "status", "Every channel, or one", {"status", "status A1 --json", "status --plain"});
    add_channel(status, false);
    auto* watch = add("Channels", "watch", "Live view; Ctrl-C leaves, the test goes on",
                      {"watch A1", "watch A1 --until-done    (exits with the test's outcome)", "watch --json"});
    add_channel(watch, false);
    watch->add_flag("--until-done", options.until_done, "Leave when the test ends; exit with its outcome");
    watch->add_option("--interval", options.interval_s, "Seconds between updates (0.25; 1 for lines)")
        ->check(CLI::Range(0.05, 60.0));

    for (const auto& [name, what] :
         {std::pair{"pause", "Open the output, keep the test's place"}, std::pair{"resume", "Go on with a paused test"},
          std::pair{"skip", "End the running step, go on with the next"}}) {
      auto* command = add("Channels", name, what, {fmt::format("{} A1", name).c_str()});
      add_channel(command, true);
      add_reason(command);
      add_yes(command);
    }
    auto* amend = add("Channels", "amend", "Another profile for the running test, from the running step on",
                      {"amend A1 cycle-life.toml --set cycles=800 --reason \"still above 80 %\"",
                       "amend A1 my-test.toml --dry-run   (shows what would change)"});
    add_channel(amend, true);
    amend->add_option("profile", options.profile, "Profile: a TOML file, or the name of a shipped one")->required();
    amend->add_option("--set", options.set, "Value of a parameter; the others stay")->type_name("NAME=VALUE");
    add_reason(amend);
    amend->add_flag("--dry-run", options.dry_run, "Only show what would change");
    auto* stop = add("Channels", "stop", "Open the output, end the test; needs no role and never asks",
                     {"stop A1", "stop --all"});
    add_channel(stop, false);
    add_reason(stop);
    add_yes(stop);
    stop->add_flag("--all", options.all, "Every channel of the station");
    auto* ack = add("Channels", "ack", "Acknowledge a trip, once its cause is gone",
                    {"ack A1 --reason \"thermocouple was loose\""});
    add_channel(ack, true);
    add_reason(ack);
    add_yes(ack);
  }

  void add_result_commands() {
    auto* tests = add("Results", "tests", "Known tests, newest first", {"tests", "tests --plain | head -n 1"});
    add_state_dir(tests);
    const char* what = "Id of a test, its folder, a channel's name for its newest test, or \"last\"";
    auto* summary =
        add("Results", "summary", "Capacities, energies and efficiencies per cycle, steps and how they ended",
            {"summary last", "summary A1", "summary 1764000000000000 --json"});
    summary->add_option("test", options.test, what)->required();
    summary->add_flag("--full", options.full, "List every step and cycle, however many");
    add_state_dir(summary);
    auto* exporting =
        add("Results", "export", "Write the test as BDF CSV with its metadata", {"export last --out results"});
    exporting->add_option("test", options.test, what)->required();
    exporting->add_option("--out", options.out, "Folder (the current one)")->type_name("DIR");
    add_state_dir(exporting);
    auto* plot = add("Results", "plot", "Voltage, current and temperature over time",
                     {"plot last --png test.png", "plot A1 --svg test.svg", "plot last --terminal"});
    plot->add_option("test", options.test, what)->required();
    plot->add_option("--svg", options.svg, "Write an SVG file")->type_name("FILE");
    plot->add_option("--png", options.png, "Write a PNG file")->type_name("FILE");
    plot->add_flag("--terminal", options.terminal, "Draw with characters");
    add_state_dir(plot);
  }

  void add_station_commands() {
    auto* devices =
        add("Instruments", "devices", "Instruments of the station, and every known description with what is unverified",
            {"devices", "devices --known            (only the descriptions; needs no daemon)",
             "devices --unverified ea-psb-9000   (each fact that nobody has seen on hardware)"});
    devices->add_option("description", options.descriptions, kDescriptionHelp);
    devices->add_flag("--known", options.known, "Only the descriptions");
    devices->add_flag("--unverified", options.unverified, "Each unverified fact, with mark and source");
    add_description_folders(devices);
    auto* doctor = add("Station", "doctor", "What this computer and the station lack, and how to mend it", {"doctor"});
    add_state_dir(doctor);
    add("Station", "version", "Versions of this program and of the daemon", {"version"});
    auto* help = add("Station", "help", "Help on a command, or: help exit-codes", {"help start", "help exit-codes"});
    help->add_option("topic", options.topic, "A command, or exit-codes");
    auto* completion =
        add("", "completion", "Completion for bash", {"completion bash > /etc/bash_completion.d/cyclerctl"});
    completion->add_option("shell", options.topic, "bash")->required();
  }

  static constexpr const char* kDescriptionHelp = "Description: a TOML file, or the name of a known one";
  void add_description_folders(CLI::App* command) {
    command->add_option("--devices", options.description_folders, "Folder of descriptions, searched before the shipped")
        ->type_name("DIR")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  CLI::App* add_below(CLI::App* parent, const char* name, const char* what, std::initializer_list<const char*> lines) {
    CLI::App* command = parent->add_subcommand(name, what);
    command->footer(examples(lines));
    command->callback([this, parent, name] { options.command = parent->get_name() + " " + name; });
    return command;
  }

  void add_device_commands() {
    auto* device = app_.add_subcommand("device", "Description files: check, show, new, probe an instrument");
    device->group("Instruments");
    device->require_subcommand(1);
    device->footer(
        examples({"device new --dialect modbus --kind cycler my-supply > my-supply.toml", "device check my-supply.toml",
                  "device probe my-supply.toml --host 10.0.0.7 --unit 1", "device show my-supply.toml"}));
    auto* check = add_below(device, "check", "Every finding of description files at once",
                            {"device check my-supply.toml", "device check *.toml --json"});
    check->add_option("file", options.descriptions, kDescriptionHelp)->required();
    add_description_folders(check);
    auto* show = add_below(device, "show", "What a description says: items, sequences in words, provenance",
                           {"device show ea-psb-9000", "device show my-supply.toml --json"});
    show->add_option("description", options.descriptions, kDescriptionHelp)->required()->expected(1);
    add_description_folders(show);
    auto* fresh = add_below(device, "new", "A skeleton to fill in; device check tells what is left to do",
                            {"device new --dialect modbus --kind cycler my-supply > my-supply.toml",
                             "device new --dialect text --kind sensor my-meter --out my-meter.toml"});
    fresh->add_option("name", options.name, "Name of the description: a-z, 0-9 and -")->required();
    fresh->add_option("--dialect", options.dialect, "modbus, text or can")->type_name("WORD")->required();
    fresh->add_option("--kind", options.kind, "cycler, chamber or sensor")->type_name("WORD")->required();
    fresh->add_option("--out", options.out, "Write it here (stdout)")->type_name("FILE");
    add_probe(device);
  }

  void add_probe(CLI::App* device) {
    auto* probe = add_below(
        device, "probe", "Ask an instrument for all it tells; writes nothing",
        {"device probe my-supply.toml --host 10.0.0.7 --unit 1 --watch",
         "device probe riden-rd60xx --serial /dev/ttyUSB0 --baud 115200", "device probe my-module.toml --can can0"});
    probe->add_option("description", options.descriptions, kDescriptionHelp)->required()->expected(1);
    add_description_folders(probe);
    probe->add_option("--host", options.wire.host, "Address on the network")->type_name("HOST");
    probe->add_option("--port", options.wire.port, "TCP port (modbus 502, text 5025)")->check(CLI::Range(1, 65535));
    probe->add_option("--unit", options.wire.unit, "Modbus unit (1)")->check(CLI::Range(0, 255));
    probe->add_option("--serial", options.wire.serial, "Serial line")->type_name("DEVICE");
    probe->add_option("--baud", options.wire.baud, "Of the line (the description's, else 9600)")
        ->check(CLI::Range(110, 4'000'000));
    probe->add_option("--parity", options.wire.parity, "none, even or odd (the description's, else none)")
        ->type_name("WORD");
    probe->add_option("--stop-bits", options.wire.stop_bits, "1 or 2 (the description's, else 1)")
        ->check(CLI::Range(1, 2));
    probe->add_option("--data-bits", options.wire.data_bits, "7 or 8 (the description's, else 8)")
        ->check(CLI::Range(7, 8));
    probe->add_option("--can", options.wire.can, "CAN interface")->type_name("NAME");
    probe->add_option("--slcan", options.wire.slcan, "Serial CAN adapter")->type_name("DEVICE");
    probe->add_option("--bitrate", options.wire.bitrate, "Of the CAN bus")->check(CLI::Range(10'000, 1'000'000));
    probe->add_option("--set", options.set, "Value of a site parameter")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    probe->add_flag("--watch", options.watch, "Go on until Ctrl-C");
    probe->add_option("--interval", options.interval_s, "Seconds between two rounds (1)")
        ->check(CLI::Range(0.05, 3600.0));
  }

  CLI::App app_;
};

std::vector<std::string> command_names(CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

std::vector<std::string> option_names(CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

CLI::App* chosen_command(CLI::App& app) {
  CLI::App* command = nullptr;
  for (auto chosen = app.get_subcommands(); !chosen.empty(); chosen = command->get_subcommands())
    command = chosen.front();
  return command;
}

// A command of commands; remote is one.
bool is_family(const CLI::App& command) {
  return !command.get_subcommands([](const CLI::App*) { return true; }).empty();
}

// "device check"
std::string full_name(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr || parent->get_parent() == nullptr ? command.get_name()
                                                              : full_name(*parent) + " " + command.get_name();
}

std::string extras_text(CLI::App& app, const std::vector<std::string>& extras) {
  CLI::App* command = chosen_command(app);
  const std::string& word = extras.front();
  const bool option = word.starts_with("-");
  std::string text;
  std::string near;
  if (option) {
    auto names = option_names(app);
    if (command != nullptr) {
      for (auto& name : option_names(*command)) names.push_back(std::move(name));
    }
    text = fmt::format("no option \"{}\"", word);
    near = text::nearest(word.substr(0, word.find('=')), names);
  } else if (command != nullptr && !command->get_subcommands([](CLI::App*) { return true; }).empty()) {
    text = fmt::format("no command \"{} {}\"", command->get_name(), word);
    near = text::nearest(word, command_names(*command));
  } else if (command == nullptr) {
    text = fmt::format("no command \"{}\"", word);
    near = text::nearest(word, command_names(app));
  } else {
    text = fmt::format("\"{}\" is one argument too many", word);
  }
  if (!near.empty()) text += fmt::format("; did you mean \"{}\"?", near);
  return text;
}

Leave usage_error(CLI::App& app, const std::string& message) {
  const CLI::App* command = chosen_command(app);
  return {kUsage, "",
          fmt::format("cyclerctl: {}\nSee: cyclerctl {}--help\n", message,
                      command != nullptr ? full_name(*command) + " " : std::string())};
}

std::string help_of(CLI::App& command) {
  const std::string name = full_name(command);
  const auto space = name.rfind(' ');
  return command.help(space == std::string::npos ? "cyclerctl" : "cyclerctl " + name.substr(0, space));
}

Leave help_on(Parser& parser, const std::string& topic) {
  if (topic.empty()) return {0, parser.app().help(), ""};
  if (topic == "exit-codes") return {0, exit_codes_text(), ""};
  auto names = command_names(parser.app());
  for (const auto& name : names) {
    if (name == topic) return {0, parser.app().get_subcommand(name)->help("cyclerctl"), ""};
  }
  names.emplace_back("exit-codes");
  const std::string near = text::nearest(topic, names);
  return {kUsage, "",
          fmt::format("cyclerctl: no help on \"{}\"{}\n", topic,
                      near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near))};
}

}  // namespace

std::variant<Options, Leave> parse_options(const std::vector<std::string>& arguments,
                                           const std::string& environment_socket) {
  Parser parser;
  CLI::App& app = parser.app();
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    CLI::App* command = chosen_command(app);
    return Leave{0, command != nullptr ? help_of(*command) : app.help(), ""};
  } catch (const CLI::ExtrasError&) {
    auto extras = app.remaining(true);
    if (extras.empty()) return usage_error(app, "too many arguments");
    return usage_error(app, extras_text(app, extras));
  } catch (const CLI::RequiredError& e) {
    const auto extras = app.remaining(true);
    if (const CLI::App* remote_or_device = chosen_command(app);
        remote_or_device != nullptr && is_family(*remote_or_device) && !extras.empty())
      return usage_error(app, extras_text(app, extras));
    return usage_error(app, e.what());
  } catch (const CLI::ParseError& e) {
    return usage_error(app, e.what());
  }
  Options options = parser.options;
  if (options.command.empty()) return Leave{kUsage, "", app.help()};
  if (options.command == "help") return help_on(parser, options.topic);
  if (options.command == "stop" && options.channel.empty() != options.all) {
    return usage_error(app,
                       options.all ? "stop takes a channel or --all, not both" : "stop what? Name a channel, or --all");
  }
  if (options.socket.empty()) options.socket = environment_socket.empty() ? kDefaultSocket : environment_socket;
  return options;
}

std::map<std::string, std::string> parameters_of(const std::vector<std::string>& set, std::string& wrong) {
  std::map<std::string, std::string> parameters;
  for (const auto& pair : set) {
    const auto sign = pair.find('=');
    if (sign == std::string::npos || sign == 0) {
      wrong = fmt::format("--set \"{}\": write NAME=VALUE, for example --set charge_rate=\"0.5 C\"", pair);
      return {};
    }
    parameters[pair.substr(0, sign)] = pair.substr(sign + 1);
  }
  return parameters;
}

std::string bash_completion() {
  Parser parser;
  CLI::App& app = parser.app();
  std::string text =
      "# bash completion for cyclerctl\n_cyclerctl() {\n  local word=\"${COMP_WORDS[COMP_CWORD]}\" command= w\n"
      "  for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n    case \"$w\" in -*) ;; *) command=\"$w\"; break ;; "
      "esac\n  done\n"
      "  local global=\"" +
      fmt::format("{}", fmt::join(option_names(app), " ")) + "\"\n  case \"$command\" in\n";
  std::vector<std::string> visible;
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    if (!command->get_group().empty()) visible.push_back(command->get_name());
    // A command of commands offers their names, and the options of all of them.
    std::vector<std::string> below;
    for (CLI::App* inner : command->get_subcommands([](CLI::App*) { return true; })) {
      below.push_back(inner->get_name());
      for (auto& option : option_names(*inner)) below.push_back(std::move(option));
    }
    std::sort(below.begin(), below.end());
    below.erase(std::unique(below.begin(), below.end()), below.end());
    if (!below.empty()) {
      text += fmt::format("    {}) COMPREPLY=($(compgen -W \"{} $global\" -- \"$word\")) ;;\n", command->get_name(),
                          fmt::join(below, " "));
      continue;
    }
    text += fmt::format("    {}) COMPREPLY=($(compgen -W \"{} $global\" -- \"$word\")) ;;\n", command->get_name(),
                        fmt::join(option_names(*command), " "));
  }
  text +=
      fmt::format("    *) COMPREPLY=($(compgen -W \"{} $global\" -- \"$word\")) ;;\n  esac\n", fmt::join(visible, " "));
  text +=
      "  case \"$word\" in -*) ;; *) [ -n \"$command\" ] && COMPREPLY+=($(compgen -f -- \"$word\")) ;; esac\n}\n"
      "complete -o filenames -F _cyclerctl cyclerctl\n";
  return text;
}

std::string exit_codes_text() {
  return "Exit codes of cyclerctl\n"
         "    0  done; with --wait or --until-done: the test completed\n"
         "    1  failed; with --wait or --until-done: the test was stopped or failed\n"
         "    2  the command line is wrong; no such channel, file or test\n"
         "    3  the profile, the cell or the configuration is invalid\n"
         "    4  cyclerd cannot be reached\n"
         "    5  busy: the channel runs a test, or all connections are taken\n"
         "    6  not permitted: the role or the file system says no\n"
         "    7  refused for safety: latched trip, limits, disk; with --wait: the test tripped\n"
         "    8  a device failed or does not answer\n"
         "    9  no answer in time\n"
         "  130  interrupted by Ctrl-C; a running test goes on\n";
}

}  // namespace cyclerd::ctl
