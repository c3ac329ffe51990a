#include "daemon/ctl/test_results.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "daemon/app/test_list.hpp"
#include "daemon/ctl/commands.hpp"
#include "daemon/ctl/status_view.hpp"
#include "daemon/record/record_json.hpp"
#include "daemon/record/storage.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::ctl {

namespace fs = std::filesystem;
using control::Failure;

namespace {

constexpr std::size_t kManySteps = 60;
constexpr std::size_t kShownSteps = 20;  // at each end

std::string id_text(const Json& test) {
  const Json& id = member(test, "test");
  return id.is_string() ? id.get<std::string>() : id.dump();
}

std::string number_text(const Json& object, const char* name, int decimals, double factor = 1.0) {
  const Json& value = member(object, name);
  return value.is_number() ? fmt::format("{:.{}f}", value.get<double>() * factor, decimals) : std::string{};
}

std::string seconds_text(const Json& object, const char* name) {
  const Json& value = member(object, name);
  return value.is_number() ? duration_text(value.get<double>()) : std::string{};
}

std::string count_text(const Json& object, const char* name) {
  const Json& value = member(object, name);
  return value.is_number() ? value.dump() : std::string{};
}

Table cycle_table(const TestResults& results) {
  Table table(
      {"CYCLE", "CHARGE/Ah", "DISCHARGE/Ah", "CE/%", "CHARGE/Wh", "DISCHARGE/Wh", "EE/%", "DURATION", "MAX/°C"});
  for (const Json& cycle : results.cycles) {
    table.add({count_text(cycle, "cycle_count"), number_text(cycle, "charging_capacity_Ah", 4),
               number_text(cycle, "discharging_capacity_Ah", 4), number_text(cycle, "coulombic_efficiency", 2, 100.0),
               number_text(cycle, "charging_energy_Wh", 3), number_text(cycle, "discharging_energy_Wh", 3),
               number_text(cycle, "energy_efficiency", 2, 100.0), seconds_text(cycle, "duration_s"),
               number_text(cycle, "max_temperature_degC", 1)});
  }
  return table;
}

Table step_table(const std::vector<Json>& steps, std::size_t first, std::size_t end) {
  Table table(
      {"#", "CYCLE", "STEP", "TYPE", "DURATION", "CHARGE/Ah", "DISCHARGE/Ah", "END/V", "END/A", "MAX/°C", "ENDED BY"});
  for (std::size_t i = first; i < end && i < steps.size(); ++i) {
    const Json& step = steps[i];
    const std::string how = text_member(step, "end");
    const std::string words = text_member(step, "end_text");
    const bool bad = how == "trip" || how == "failure" || how == "failed";
    table.add(
        {count_text(step, "step_count"), count_text(step, "cycle_count"), text_member(step, "name"),
         text_member(step, "type"), seconds_text(step, "duration_s"), number_text(step, "charging_capacity_Ah", 4),
         number_text(step, "discharging_capacity_Ah", 4), number_text(step, "end_voltage_V", 4),
         number_text(step, "end_current_A", 4), number_text(step, "max_temperature_degC", 1),
         words.empty()        ? how
         : how == "condition" ? words
                              : how + ": " + words},
        bad ? Tone::bad : Tone::plain);
  }
  return table;
}

std::string heading(const TestResults& results) {
  const Json& about = results.about;
  const Json& metadata = member(about, "metadata");
  std::string text = fmt::format("test {}", id_text(about));
  for (const auto& [label, value] :
       {std::pair<const char*, std::string>{"profile", text_member(member(metadata, "profile"), "name")},
        {"cell", text_member(member(metadata, "cell"), "name")},
        {"sample", text_member(metadata, "sample_name")},
        {"outcome", text_member(about, "state")}}) {
    if (!value.empty()) text += fmt::format("   {} {}", label, value);
  }
  const std::string reason = text_member(about, "reason");
  if (!reason.empty()) text += fmt::format(" ({})", reason);
  return text + "\n";
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

std::string results_text(const TestResults& results, bool all_steps, int width, bool colour) {
  std::string text = paint(Tone::bold, heading(results), colour);
  if (!results.cycles.empty()) text += "\n" + cycle_table(results).render(width, colour);
  const auto& steps = results.steps;
  if (steps.empty()) return text + "\nno step has ended yet\n";
  if (all_steps || steps.size() <= kManySteps)
    return text + "\n" + step_table(steps, 0, steps.size()).render(width, colour);
  return text + "\n" + step_table(steps, 0, kShownSteps).render(width, colour) +
         fmt::format("... {} more steps: --steps shows them all\n", steps.size() - 2 * kShownSteps) +
         step_table(steps, steps.size() - kShownSteps, steps.size()).render(width, colour);
}

std::string results_plain(const TestResults& results) {
  return cycle_table(results).plain();
}

Json results_json(const TestResults& results) {
  return {{"folder", results.folder}, {"test", results.about}, {"cycles", results.cycles}, {"steps", results.steps}};
}

}  // namespace cyclerd::ctl
