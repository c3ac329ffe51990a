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
// The whole lines of a *.jsonl file; a last line that is still being written is left out.
[[nodiscard]] std::vector<Json> read_lines(const std::string& path);

}  // namespace cyclerd::record
