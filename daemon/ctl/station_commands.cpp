// status, devices, tests, version, doctor: what only reads.
#include <fmt/format.h>

#include <algorithm>

#include "daemon/app/resources.hpp"
#include "daemon/app/test_list.hpp"
#include "daemon/ctl/commands.hpp"
#include "daemon/ctl/description_files.hpp"
#include "daemon/ctl/local_checks.hpp"
#include "daemon/ctl/status_view.hpp"

namespace cyclerd::ctl {

using control::Failure;

namespace {

int show(const Table& table, const Json& json, const Options& options, Io& io) {
  if (options.json) {
    print_json(io.out, json);
  } else {
    print(io.out, options.plain ? table.plain() : table.render(io.width, io.colour));
  }
  return 0;
}

std::string count_text(const Json& object, const char* name) {
  const Json& value = member(object, name);
  return value.is_number() ? value.dump() : std::string{};
}

Tone link_tone(const std::string& link) {
  if (link == "open") return Tone::plain;
  return link == "suspect" ? Tone::warning : Tone::bad;
}

std::int64_t integer_member(const Json& object, const char* name) {
  const Json& value = member(object, name);
  return value.is_number() ? value.get<std::int64_t>() : 0;
}

}  // namespace

int status_command(const Options& options, Io& io) {
  auto client = connect(options, io);
  if (!client) return report(client.error(), options, io);
  Json params = Json::object();
  if (!options.channel.empty()) params["channel"] = options.channel;
  const auto status = client->call("status", params);
  if (!status) return report(explain_channel(status.error(), *client, options.channel), options, io);
  if (!options.channel.empty() && !options.json && !options.plain) {
    const Json& channel = member(*status, "channels").at(0);
    print(io.out, channel_page(channel, text_member(*status, "station"), std::max(40, io.width), io.colour));
    return 0;
  }
  return show(status_table(*status), *status, options, io);
}

int devices_command(const Options& options, Io& io) {
  if (options.known || options.unverified || !options.descriptions.empty()) return known_devices(options, io);
  auto client = connect(options, io);
  if (!client) {
    // What is known is shown all the same; the exit code says that the station's part is missing.
    if (!options.json && !options.plain) known_devices(options, io);
    return report(client.error(), options, io);
  }
  const auto devices = client->call("devices");
  if (!devices) return report(devices.error(), options, io);
  Table table({"DEVICE", "CHANNEL", "KIND", "LINK", "ADDRESS", "INSTRUMENT", "SERIAL", "WATCHDOG", "POLLS", "ERRORS",
               "ROUND TRIP", "LAST ERROR"});
  for (const Json& device : *devices) {
    const std::string link = text_member(device, "link");
    std::string guard = text_member(device, "watchdog");
    if (guard != "none" && !guard.empty()) guard = quantity(device, "watchdog_timeout_s", 1, "s");
    std::string instrument = text_member(device, "maker");
    const std::string model = text_member(device, "model");
    if (!model.empty()) instrument += (instrument.empty() ? "" : " ") + model;
    const Json& round_trip = member(device, "round_trip_us");
    table.add({text_member(device, "name"), text_member(device, "channel"), text_member(device, "kind"), link,
               text_member(device, "address"), instrument, text_member(device, "serial"), guard,
               count_text(device, "polls"), count_text(device, "errors"),
               round_trip.is_number() ? fmt::format("{:.2f} ms", round_trip.get<double>() / 1000.0) : "",
               text_member(device, "error")},
              link_tone(link));
  }
  int broken = 0;
  const Json known = options.plain ? Json::array() : known_descriptions_json(options, io, broken);
  show(table, {{"devices", *devices}, {"descriptions", known}}, options, io);
  if (!options.json && !options.plain)
    print(io.out, "\n" + known_descriptions_table(known).render(io.width, io.colour));
  return 0;
}

int tests_command(const Options& options, Io& io) {
  Json tests;
  if (!options.state_dir.empty()) {
    tests = app::list_tests(options.state_dir);
  } else {
    auto client = connect(options, io);
    if (!client) return report(client.error(), options, io);
    auto answer = client->call("tests");
    if (!answer) return report(answer.error(), options, io);
    tests = std::move(*answer);
  }
  Table table({"TEST", "CHANNEL", "STARTED", "ENDED", "OUTCOME", "PROFILE", "CELL", "SAMPLE", "OPERATOR"});
  for (const Json& test : tests) {
    const Json& id = member(test, "test");
    const std::string outcome = text_member(test, "outcome");
    const bool good = outcome == "completed" || outcome == "running" || outcome.empty();
    table.add({id.is_string() ? id.get<std::string>() : id.dump(), text_member(test, "channel"),
               wall_text(integer_member(test, "started_unix_us")), wall_text(integer_member(test, "ended_unix_us")),
               outcome, text_member(test, "profile"), text_member(test, "cell"), text_member(test, "sample_name"),
               text_member(test, "operator")},
              good ? Tone::plain : Tone::warning);
  }
  return show(table, {{"tests", tests}}, options, io);
}

int version_command(const Options& options, Io& io) {
  Json versions{{"cyclerctl", app::version()}, {"build", app::build_id()}, {"daemon", nullptr}};
  auto client = connect(options, io);
  if (client) {
    if (auto info = client->call("server.info")) versions["daemon"] = std::move(*info);
  }
  const Json& daemon = versions["daemon"];
  Table table({"PROGRAM", "VERSION", "BUILD"});
  table.add({"cyclerctl", text_member(versions, "cyclerctl"), text_member(versions, "build")});
  table.add(
      {"cyclerd", daemon.is_null() ? "not reached" : text_member(daemon, "version"), text_member(daemon, "build")});
  return show(table, versions, options, io);
}

int doctor_command(const Options& options, Io& io) {
  Json findings = Json::array();
  std::string state_dir = options.state_dir;
  bool station_answered = false;
  auto client = connect(options, io);
  if (client) {
    const auto info = client->call("server.info");
    if (info && state_dir.empty()) state_dir = text_member(*info, "state_dir");
    if (auto station = client->call("doctor")) {
      station_answered = true;
      for (Json& finding : *station) findings.push_back(std::move(finding));
    } else {
      findings.push_back(finding_json({"station", Verdict::warning, station.error().message, ""}));
    }
  } else {
    findings.push_back(finding_json({"cyclerd", Verdict::bad, client.error().message,
                                     "systemctl start cyclerd; then read: journalctl -u cyclerd -n 50"}));
  }
  // The daemon knows its own permissions, kernel and clock; what this user may is of interest only without it.
  for (const Finding& finding : judge_machine(look_at_machine(state_dir))) {
    if (!station_answered || finding.check == "disk sync") findings.push_back(finding_json(finding));
  }

  Table table({"", "CHECK", "FINDING"});
  int bad = 0;
  std::string fixes;
  for (const Json& finding : findings) {
    const std::string verdict = text_member(finding, "verdict");
    const Tone tone = verdict == "bad" ? Tone::bad : verdict == "warning" ? Tone::warning : Tone::plain;
    table.add({verdict, text_member(finding, "check"), text_member(finding, "detail")}, tone);
    if (verdict == "bad") ++bad;
    const std::string fix = text_member(finding, "fix");
    if (verdict != "ok" && !fix.empty()) fixes += fmt::format("  {}: {}\n", text_member(finding, "check"), fix);
  }
  show(table, {{"findings", findings}}, options, io);
  if (!options.json && !options.plain && !fixes.empty()) print(io.out, "\nTo mend:\n" + fixes);
  return bad > 0 ? static_cast<int>(Failure::failed) : 0;
}

}  // namespace cyclerd::ctl
