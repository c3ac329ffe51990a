// amend: another profile for the test that runs.
#include <fmt/format.h>

#include "daemon/ctl/commands.hpp"
#include "daemon/ctl/launch_files.hpp"
#include "daemon/ctl/status_view.hpp"

namespace cyclerd::ctl {

using control::Failure;

namespace {

std::string bound_words(const Json& program) {
  const Json& worst = member(program, "worst_case_duration_s");
  return worst.is_number() ? "at most " + duration_text(worst.get<double>()) : "duration not bounded";
}

std::string headline(const Json& answer, const std::string& channel) {
  if (member(answer, "unchanged") == true)
    return fmt::format("{}: the profile does what the running one does; nothing to amend\n", channel);
  const Json& time_s = member(answer, "test_time_s");
  return fmt::format("{} {} while {} runs, {} into the test\n", channel,
                     member(answer, "dry_run") == true ? "would be amended" : "amended", text_member(answer, "step"),
                     duration_text(time_s.is_number() ? time_s.get<double>() : 0.0));
}

std::string described(const Json& answer, const Options& options) {
  std::string text;
  const char* indent = options.plain ? "" : "  ";
  if (!options.plain) text = headline(answer, options.channel);
  for (const Json& line : member(answer, "changes")) {
    if (line.is_string()) text += fmt::format("{}{}\n", indent, printable(line.get<std::string>()));
  }
  if (!options.plain) {
    text += fmt::format("  the whole test: {}; before: {}\n", bound_words(member(answer, "after")),
                        bound_words(member(answer, "before")));
  }
  return text;
}

}  // namespace

int amend_command(const Options& options, Io& io) {
  auto params = launch_params(options, io);
  if (!params) return report(params.error(), options, io);
  if (!options.reason.empty()) (*params)["reason"] = options.reason;
  (*params)["dry_run"] = options.dry_run;
  auto client = connect(options, io);
  if (!client) return report(client.error(), options, io);
  const auto answer = client->call("amend", *params);
  if (!answer) return report(explain_channel(answer.error(), *client, options.channel), options, io);
  if (options.json) {
    print_json(io.out, *answer);
    return 0;
  }
  const Json& warnings = member(*answer, "warnings");
  if (warnings.is_number() && warnings != 0) print(io.err, (*answer)["text"].get<std::string>() + "\n");
  print(io.out, described(*answer, options));
  return 0;
}

}  // namespace cyclerd::ctl
