// The rooms of expand.
#pragma once

#include <string>

#include "profiles/compile_parts.hpp"
#include "profiles/expand.hpp"

namespace cyclerd::profiles {

// expression_words.cpp
// "2.5 A", "30 K", "true".
[[nodiscard]] std::string value_words(double value, const Type& type);
// What is known before the start as its value, the rest in canonical spelling: "abs(current) <= 0.25 A".
[[nodiscard]] std::string resolved_text(const Expression& expression, const Binding& binding);
[[nodiscard]] ExpandedValue expanded_value(const Expression& expression, const Binding& binding);
[[nodiscard]] std::string base_unit_words(const Type& type);  // SI: "A", "degC", "A s"; empty for a plain number

// expand_steps.cpp
[[nodiscard]] std::vector<ExpandedStep> expand_steps(Compiler& compiler);
[[nodiscard]] ExpandedValues record_values(const Compiler& compiler, const RecordSyntax* own, bool full_rate,
                                           const Binding& binding);

}  // namespace cyclerd::profiles
