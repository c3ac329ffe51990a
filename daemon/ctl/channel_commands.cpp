// start, pause, resume, skip, stop, ack: what changes the station.
#include <fmt/format.h>

#include "daemon/ctl/commands.hpp"
#include "daemon/ctl/launch_files.hpp"
#include "daemon/ctl/status_view.hpp"

namespace cyclerd::ctl {

using control::Failure;

namespace {

// Stops are all sent before the first answer is awaited: one slow channel holds up no other.
int stop_all(const Options& options, Client& client, Io& io) {
  const auto status = client.call("status");
  if (!status) return report(status.error(), options, io);
  std::vector<std::pair<std::string, Outcome<std::int64_t>>> asked;
  for (const Json& channel : member(*status, "channels")) {
    const std::string name = text_member(channel, "name");
    asked.emplace_back(name, client.send("stop", {{"channel", name}, {"reason", options.reason}}));
  }
  int worst = 0;
  Json results = Json::object();
  for (const auto& [name, id] : asked) {
    const auto answer = id ? client.wait(*id) : Outcome<Json>(std::unexpected(id.error()));
    if (answer) {
      results[name] = *answer;
      if (!options.json) print(io.out, fmt::format("{} stopped\n", name));
    } else {
      worst =
          report({static_cast<Failure>(answer.error().exit_code), name + ": " + answer.error().message}, options, io);
    }
  }
  if (options.json) print_json(io.out, results);
  return worst;
}

const char* past_of(const std::string& command) {
  if (command == "pause") return "paused";
  if (command == "resume") return "resumed";
  if (command == "skip") return "went on to the next step";
  return command == "stop" ? "stopped" : "acknowledged";
}

std::string question_of(const Options& options) {
  if (options.command == "ack") {
    return fmt::format("This clears the latched trip of {}: its outputs may be switched on again. Is the cause gone?",
                       options.channel);
  }
  return fmt::format("This ends the running step of {} before its own end.", options.channel);
}

}  // namespace

int change_command(const Options& options, Io& io) {
  if ((options.command == "ack" || options.command == "skip") &&
      !confirm(question_of(options), options.channel, options, io)) {
    return static_cast<int>(Failure::usage);
  }
  auto client = connect(options, io);
  if (!client) return report(client.error(), options, io);
  if (options.all) return stop_all(options, *client, io);
  const auto answer = client->call(options.command, {{"channel", options.channel}, {"reason", options.reason}});
  if (!answer) return report(explain_channel(answer.error(), *client, options.channel), options, io);
  if (options.json) {
    print_json(io.out, *answer);
  } else {
    print(io.out, fmt::format("{} {}\n", options.channel, past_of(options.command)));
  }
  return 0;
}

int start_command(const Options& options, Io& io) {
  if (options.cell.empty()) {
    return report(
        {Failure::usage, "which cell? --cell FILE, or --cell NAME of a shipped one: its ratings bound the test"},
        options, io);
  }
  const auto params = launch_params(options, io);
  if (!params) return report(params.error(), options, io);
  auto client = connect(options, io);
  if (!client) return report(client.error(), options, io);
  const auto answer = client->call("start", *params);
  if (!answer) return report(explain_channel(answer.error(), *client, options.channel), options, io);
  if (options.json && !options.wait) {
    print_json(io.out, *answer);
    return 0;
  }
  const Json& test = member(*answer, "test");
  if (!options.json) {
    const Json& warnings = member(*answer, "warnings");
    if (warnings.is_number() && warnings != 0) print(io.err, (*answer)["text"].get<std::string>() + "\n");
    print(io.out, test.dump() + "\n");
    if (!options.wait) {
      print(io.err, fmt::format("Test {} runs on {}. See it: cyclerctl watch {}\n", test.dump(), options.channel,
                                options.channel));
    }
  }
  return options.wait ? follow_channel(*client, options.channel, test, options, io) : 0;
}

}  // namespace cyclerd::ctl
