#include <fmt/format.h>

#include <array>
#include <exception>
#include <functional>

#include "daemon/ctl/commands.hpp"
#include "daemon/ctl/status_view.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::ctl {

namespace {

struct Command {
  const char* name;
  int (*run)(const Options&, Io&);
};

constexpr std::array kCommands{
    Command{"check", check_command},
    Command{"simulate", simulate_command},
    Command{"export", export_command},
    Command{"expand", expand_command},
    Command{"format", format_command},
    Command{"import", import_command},
    Command{"export-profile", export_profile_command},
    Command{"plot", plot_command},
    Command{"start", start_command},
    Command{"amend", amend_command},
    Command{"status", status_command},
    Command{"watch", watch_command},
    Command{"pause", change_command},
    Command{"resume", change_command},
    Command{"skip", change_command},
    Command{"stop", change_command},
    Command{"ack", change_command},
    Command{"tests", tests_command},
    Command{"summary", summary_command},
    Command{"devices", devices_command},
    Command{"device check", device_check_command},
    Command{"device show", device_show_command},
    Command{"device new", device_new_command},
    Command{"device probe", device_probe_command},
    Command{"remote status", remote_status_command},
    Command{"remote start", remote_start_command},
    Command{"remote stop", remote_stop_command},
    Command{"remote fetch", remote_fetch_command},
    Command{"remote log", remote_log_command},
    Command{"doctor", doctor_command},
    Command{"version", version_command},
};

}  // namespace

void print(std::FILE* stream, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stream);
}

void print_json(std::FILE* stream, const Json& value) {
  print(stream, value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

int report(const Trouble& trouble, const Options& options, Io& io) {
  if (options.json) {
    Json error{{"exit_code", trouble.exit_code}, {"message", trouble.message}};
    if (!trouble.details.is_null()) error["details"] = trouble.details;
    print(io.err, Json{{"error", error}}.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    return trouble.exit_code;
  }
  // What the daemon says about a profile is already laid out for reading.
  const Json& findings = member(trouble.details, "text");
  if (findings.is_string()) print(io.err, findings.get<std::string>() + "\n");
  if (trouble.exit_code != kInterrupted) print(io.err, fmt::format("cyclerctl: {}\n", printable(trouble.message)));
  return trouble.exit_code;
}

Outcome<Client> connect(const Options& options, Io& io) {
  return Client::connect(options.socket, io.interrupted);
}

Trouble explain_channel(Trouble trouble, Client& client, const std::string& channel) {
  if (trouble.exit_code != static_cast<int>(control::Failure::usage)) return trouble;
  const auto status = client.call("status");
  if (!status) return trouble;
  std::vector<std::string> names;
  for (const Json& item : member(*status, "channels")) names.push_back(text_member(item, "name"));
  if (std::find(names.begin(), names.end(), channel) != names.end()) return trouble;
  std::string near = text::nearest(channel, names);
  // A channel's name is short: one wrong character is more than a third of "A1".
  for (const auto& name : names) {
    if (near.empty() && name.size() == channel.size() && name.size() <= 3 && (name[0] | 0x20) == (channel[0] | 0x20))
      near = name;
  }
  trouble.message =
      fmt::format("no channel \"{}\"{} This station has: {}", channel,
                  near.empty() ? "." : fmt::format("; did you mean \"{}\"?", near), fmt::join(names, ", "));
  return trouble;
}

bool confirm(const std::string& question, const std::string& word, const Options& options, Io& io) {
  if (options.yes) return true;
  if (!io.in_is_terminal) {
    print(io.err, fmt::format("cyclerctl: {} Nobody is there to confirm it: add --yes\n", question));
    return false;
  }
  print(io.err, fmt::format("{}\nType {} to confirm: ", question, word));
  std::fflush(io.err);
  std::array<char, 256> line{};
  if (std::fgets(line.data(), static_cast<int>(line.size()), io.in) == nullptr) {
    print(io.err, "\n");
    return false;
  }
  std::string typed(line.data());
  typed.erase(typed.find_last_not_of(" \t\r\n") + 1);
  if (typed == word) return true;
  print(io.err, "Not confirmed, nothing was done\n");
  return false;
}

int run(const std::vector<std::string>& arguments, const std::string& environment_socket, Io& io) {
  try {
    auto parsed = parse_options(arguments, environment_socket);
    if (const auto* leave = std::get_if<Leave>(&parsed)) {
      print(io.out, leave->out);
      print(io.err, leave->err);
      return leave->exit_code;
    }
    const auto& options = std::get<Options>(parsed);
    if (options.no_color) io.colour = false;
    if (options.command == "completion") {
      if (options.topic != "bash") {
        return report({control::Failure::usage, fmt::format("no completion for {}: bash is there", options.topic)},
                      options, io);
      }
      print(io.out, bash_completion());
      return 0;
    }
    for (const Command& command : kCommands) {
      if (options.command == command.name) return command.run(options, io);
    }
    print(io.err, fmt::format("cyclerctl: {} is not built in\n", options.command));
  } catch (const std::exception& e) {
    print(io.err, fmt::format("cyclerctl: failed inside: {}\n", e.what()));
  }
  return 1;
}

}  // namespace cyclerd::ctl
