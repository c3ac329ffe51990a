// The rooms of the profile parser.
#pragma once

#include <string_view>

#include "profiles/expression.hpp"
#include "profiles/syntax.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::profiles {

struct ParseContext {
  text::Diagnostics& diagnostics;
  Scope scope;
  std::size_t steps = 0;  // read so far
  bool too_many = false;
};
inline constexpr std::size_t kMaxSteps = 10'000;

// The expression under `key`, typed as wanted; !given when the key is absent.
[[nodiscard]] Expression read_expression(text::TableReader& reader, std::string_view key, const Type& want,
                                         ParseContext& context);
// The same, and it must not depend on anything that is measured.
[[nodiscard]] Expression read_constant(text::TableReader& reader, std::string_view key, const Type& want,
                                       ParseContext& context);

void parse_parameters(const text::TomlNode& table, Names& names, text::Diagnostics& diagnostics);
// Finds every variable and mark that the steps set, and the types of the variables. parse_procedures.cpp
void declare_names(const text::TomlNode& steps, Names& names, text::Diagnostics& diagnostics);
void parse_procedures(const text::TomlNode& table, ProfileSyntax& profile, std::size_t& steps,
                      text::Diagnostics& diagnostics);
void parse_set(const text::TomlNode& node, StepSyntax& step, ParseContext& context);
void parse_ramp(const text::TomlNode& node, StepSyntax& step, ParseContext& context);  // parse_shapes.cpp
void parse_pulse(const text::TomlNode& node, StepSyntax& step, ParseContext& context);
void parse_impedance(const text::TomlNode& node, StepSyntax& step, ParseContext& context);
void parse_call(const text::TomlNode& node, StepSyntax& step, ParseContext& context);
void parse_cell_table(const text::TomlNode& table, ProfileSyntax& profile, ParseContext& context);
void parse_safety(const text::TomlNode& table, SafetySyntax& safety, ParseContext& context);
[[nodiscard]] RecordSyntax parse_record(const text::TomlNode& table, std::string what, ParseContext& context);
void parse_steps(const text::TomlNode& array, std::vector<StepSyntax>& steps, int depth, ParseContext& context);
[[nodiscard]] std::vector<ConditionSyntax> parse_until(const text::TomlNode& node, ParseContext& context);

// The keys that say what a step does, and what may follow a condition.
[[nodiscard]] std::vector<std::string_view> control_words();
[[nodiscard]] std::vector<std::string_view> outcome_words();

// A name that expressions and goto can use: letters, digits, _; not a digit first; no reserved word.
[[nodiscard]] bool valid_identifier(std::string_view name) noexcept;
[[nodiscard]] bool reserved_word(std::string_view name);

}  // namespace cyclerd::profiles
