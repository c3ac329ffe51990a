// Record values as JSON, in table units (Ah, Wh, s). Numbers that were not measured are null.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "profiles/record.hpp"

namespace cyclerd::record {

using Json = nlohmann::json;

[[nodiscard]] Json to_json(const base::Event& event);
// `program_steps`: metadata.profile.steps of test.json, for the step's type; may be null.
[[nodiscard]] Json to_json(const profiles::StepSummary& summary, const Json& program_steps);
[[nodiscard]] Json to_json(const profiles::CycleSummary& summary);

// As text, whatever bytes the strings hold.
[[nodiscard]] std::string dump(const Json& value, int indent = -1);
// null when the text is no JSON. Never throws.
[[nodiscard]] Json parse_or_null(std::string_view text);
// The member at a JSON pointer; the default when it is missing or of another type.
[[nodiscard]] std::string text_at(const Json& value, const char* pointer, std::string absent = {});
template <class T>
[[nodiscard]] T number_at(const Json& value, const char* pointer, T absent = {}) {
  const Json::json_pointer where(pointer);
  return value.contains(where) && value[where].is_number() ? value[where].get<T>() : absent;
}
// Why a step's summary says it ended, as tables and plots show it: "voltage <= 2.8 V", "skipped: its `when` is false".
[[nodiscard]] std::string end_words(const Json& step);
// The whole lines of a *.jsonl file; a last line that is still being written is left out.
[[nodiscard]] std::vector<Json> read_lines(const std::string& path);

}  // namespace cyclerd::record
