#include "daemon/ctl/test_results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <system_error>

#include "daemon/app/test_list.hpp"
#include "daemon/ctl/commands.hpp"
#include "daemon/ctl/status_view.hpp"
#include "daemon/record/record_json.hpp"
#include "daemon/record/storage.hpp"
#include "daemon/record/summary.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::ctl {

namespace fs = std::filesystem;
using control::Failure;

namespace {

constexpr std::size_t kShown = 40;  // steps, and cycles, of a long test

std::string id_text(const Json& test) {
  const Json& id = member(test, "test");
  return id.is_string() ? id.get<std::string>() : id.dump();
}

}  // namespace

Outcome<std::string> find_test(const std::string& word, const Json& tests) {
  std::error_code error;
  if (fs::is_directory(word, error)) return word;
  std::vector<std::string> known;
  for (const Json& test : tests) {
    if (word == "last" || word == id_text(test) || word == text_member(test, "channel")) {
      const std::string folder = member(test, "folder").is_string() ? test["folder"].get<std::string>() : std::string{};
      if (!folder.empty()) return folder;
    }
    known.push_back(id_text(test));
  }
  if (known.empty()) return std::unexpected(Trouble(Failure::usage, "this station has recorded no test yet"));
  const std::string near = text::nearest(word, known);
  return std::unexpected(Trouble(
      Failure::usage, fmt::format("no test \"{}\": neither a folder, an id nor a channel{}. See: cyclerctl tests", word,
                                  near.empty() ? "" : fmt::format("; did you mean {}?", near))));
}

Outcome<std::string> find_test(const Options& options, Io& io) {
  std::error_code error;
  if (fs::is_directory(options.test, error)) return options.test;
  if (!options.state_dir.empty()) return find_test(options.test, app::list_tests(options.state_dir));
  auto client = connect(options, io);
  if (!client) return std::unexpected(client.error());
  const auto tests = client->call("tests");
  if (!tests) return std::unexpected(tests.error());
  return find_test(options.test, *tests);
}

Outcome<TestResults> read_results(const std::string& folder) {
  TestResults results;
  results.folder = folder;
  const auto about = record::read_text(folder + "/test.json");
  if (!about) {
    const bool permission = about.error().code == base::ErrorCode::permission;
    return std::unexpected(Trouble(permission ? Failure::permission : Failure::usage,
                                   fmt::format("{} is not the folder of a test: {}", folder, about.error().text())));
  }
  results.about = record::parse_or_null(*about);
  if (!results.about.is_object()) {
    return std::unexpected(Trouble(Failure::failed, fmt::format("{}/test.json is damaged: not JSON", folder)));
  }
  results.steps = record::read_lines(folder + "/steps.jsonl");
  results.cycles = record::read_lines(folder + "/cycles.jsonl");
  return results;
}

std::string results_text(const TestResults& results, bool all) {
  const std::size_t most = all ? std::numeric_limits<std::size_t>::max() : kShown;
  const std::string text = record::summary_text(results.folder, {.max_steps = most, .max_cycles = most});
  std::string clean;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    clean += printable(std::string_view(text).substr(start, end - start)) + "\n";
    start = end + 1;
  }
  if (!all && std::max(results.steps.size(), results.cycles.size()) > kShown) clean += "(--full shows every line)\n";
  return clean;
}

std::string results_plain(const TestResults& results) {
  std::string text;
  for (const Json& cycle : results.cycles) {
    std::string line;
    for (const char* name : {"cycle_count", "charging_capacity_Ah", "discharging_capacity_Ah", "coulombic_efficiency",
                             "charging_energy_Wh", "discharging_energy_Wh", "energy_efficiency", "duration_s"}) {
      const Json& value = member(cycle, name);
      line += (line.empty() ? "" : "\t") + (value.is_number() ? value.dump() : std::string("-"));
    }
    text += line + "\n";
  }
  return text;
}

Json results_json(const TestResults& results) {
  return {{"folder", results.folder}, {"test", results.about}, {"cycles", results.cycles}, {"steps", results.steps}};
}

}  // namespace cyclerd::ctl
