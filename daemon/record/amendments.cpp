#include "daemon/record/amendments.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace cyclerd::record {
namespace {

Json steps_of(const Json& holder, const char* pointer) {
  const Json::json_pointer where(pointer);
  return holder.is_object() && holder.contains(where) && holder[where].is_array() ? holder[where] : Json();
}

std::vector<std::string> types_of(const Json& steps) {
  std::vector<std::string> types;
  if (!steps.is_array()) return types;
  for (const Json& step : steps) types.push_back(text_at(step, "/type"));
  return types;
}

}  // namespace

std::string profile_file(std::size_t number) {
  return number < 2 ? "profile.toml" : fmt::format("profile-{}.toml", number);
}

Json amendment_entry(const profiles::RecordHeader& header, const profiles::TestAmendment& head, std::string_view about,
                     std::size_t number) {
  Json entry = parse_or_null(about);
  if (!entry.is_object()) entry = about.empty() ? Json::object() : Json{{"metadata_text", about}};
  entry["sequence"] = header.sequence;
  entry["scan"] = head.last_input_sequence;
  entry["test_time_s"] = static_cast<double>(head.test_time_us) / 1e6;
  entry["unix_time_us"] = head.wall.us;
  entry["mono_us"] = head.time.us;
  entry["step_count"] = head.step_count;
  entry["step_id"] = head.step_index;
  entry["cycle_count"] = head.cycle_count;
  entry["file"] = profile_file(number);
  return entry;
}

std::vector<Json> amendments_of(const Json& about) {
  std::vector<Json> entries;
  if (!about.is_object() || !about.contains("amendments") || !about["amendments"].is_array()) return entries;
  for (const Json& entry : about["amendments"]) {
    if (entry.is_object()) entries.push_back(entry);
  }
  return entries;
}

Json steps_at_sequence(const Json& about, std::uint64_t sequence) {
  Json steps = steps_of(about, "/metadata/profile/steps");
  for (const Json& entry : amendments_of(about)) {
    if (number_at<std::uint64_t>(entry, "/sequence") < sequence) steps = steps_of(entry, "/profile/steps");
  }
  return steps;
}

Json newest_steps(const Json& about) {
  return steps_at_sequence(about, std::numeric_limits<std::uint64_t>::max());
}

StepTypes::StepTypes(const Json& about) {
  profiles_.push_back({-std::numeric_limits<double>::infinity(), types_of(steps_of(about, "/metadata/profile/steps"))});
  for (const Json& entry : amendments_of(about)) {
    profiles_.push_back({number_at<double>(entry, "/test_time_s"), types_of(steps_of(entry, "/profile/steps"))});
  }
}

std::string_view StepTypes::at(double test_time_s, std::uint32_t step_index) {
  while (current_ + 1 < profiles_.size() && test_time_s > profiles_[current_ + 1].after_s) ++current_;
  if (current_ >= profiles_.size()) return {};
  const auto& types = profiles_[current_].types;
  return step_index < types.size() ? std::string_view(types[step_index]) : std::string_view();
}

std::string amendment_words(const Json& entry) {
  const auto whole = static_cast<std::int64_t>(std::llround(number_at<double>(entry, "/test_time_s")));
  std::string text =
      fmt::format("amended {}:{:02}:{:02} into the test (scan {}, step {}", whole / 3600, whole / 60 % 60, whole % 60,
                  number_at<std::uint64_t>(entry, "/scan"), number_at<std::uint32_t>(entry, "/step_count"));
  const Json steps = steps_of(entry, "/profile/steps");
  const auto index = number_at<std::uint32_t>(entry, "/step_id");
  if (index < steps.size()) text += fmt::format(" '{}'", text_at(steps[index], "/name"));
  text += ")";
  if (const std::string by = text_at(entry, "/by"); !by.empty()) text += " by " + by;
  if (const std::string reason = text_at(entry, "/reason"); !reason.empty()) text += ": " + reason;
  text += fmt::format("; profile {} {}, {}", text_at(entry, "/profile/name"),
                      text_at(entry, "/profile/canonical_sha256").substr(0, 8), text_at(entry, "/file"));
  return text;
}

}  // namespace cyclerd::record
