// A profile that is being written: what importers fill in, and its spelling as TOML.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace cyclerd::exchange {

// A TOML basic string with everything escaped that must be.
[[nodiscard]] std::string quoted(std::string_view text);

// The shortest spelling that reads back as the same number ("0.05", "1e-06"), with its unit: "0.05 C".
[[nodiscard]] std::string quantity(double value, std::string_view unit);

// One inline table, `{ current = "1 C", voltage = "4.2 V" }`, filled key by key.
class InlineTable {
 public:
  InlineTable& text(std::string_view key, std::string_view value);  // quoted
  InlineTable& raw(std::string_view key, std::string_view value);   // as it stands
  [[nodiscard]] std::string str() const { return body_.empty() ? "{}" : "{ " + body_ + " }"; }

 private:
  std::string body_;
};

// A condition of an `until`: text, or a table when it says more than "next".
struct ConditionText {
  std::string when;   // expression
  std::string then;   // "goto rest_2"; empty: next
  std::string dwell;  // "2 s"
  std::string reason;
};

// One step. `keys`: what else it says, as written ({"temperature", "\"25 degC\""}).
struct StepText {
  std::string comment;  // lines before it; without #
  std::string name;
  std::string control;               // "charge"
  std::string arguments;             // its inline table
  std::vector<ConditionText> until;  // of a repeat: inside of its table
  std::vector<std::pair<std::string, std::string>> keys;
  std::vector<StepText> steps;  // of a repeat
};

struct ProfileText {
  std::string comment;
  std::string name;  // made valid by valid_profile_name
  std::string title;
  std::vector<std::pair<std::string, std::string>> parameters, cell, safety, record;  // key, value as written
  std::vector<StepText> steps;
};

// Whatever stands in a foreign file, as a profile's or a step's name.
[[nodiscard]] std::string valid_profile_name(std::string_view wanted);
[[nodiscard]] std::string valid_step_name(std::string_view wanted);

[[nodiscard]] std::string to_toml(const ProfileText& profile);

}  // namespace cyclerd::exchange
