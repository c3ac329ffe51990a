// A flat step in words: what the executor acts on, with names instead of numbers. Two steps do the same when their
// parts are the same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "profiles/program.hpp"

namespace cyclerd::profiles {

struct StepPart {
  std::string key;   // as in a profile: "current", "until", "count"
  std::string text;  // in SI units, exact
};

// Everything but where the step stands (enclosing block, its other end) and which results are kept of it. Absent parts
// are left out. The target of a goto is told by name.
[[nodiscard]] std::vector<StepPart> step_parts(const Program& program, std::uint32_t index);

// What the two have not in common, in words: "count: 500 -> 800", "without until: time >= 7200". Empty: the same.
[[nodiscard]] std::vector<std::string> part_differences(const std::vector<StepPart>& before,
                                                        const std::vector<StepPart>& after);

// "'ageing.discharge' (CC_DCH, line 31)"
[[nodiscard]] std::string step_words(const Program& program, std::uint32_t index);

// An expression as a profile would have it, with numbers in SI units and parentheses around every operation but the
// outermost: "abs(current) <= 0.25".
[[nodiscard]] std::string expression_text(const Program& program, ExpressionRef expression);

// "check.discharge_capacity[last]"
[[nodiscard]] std::string result_text(const Program& program, std::uint32_t slot);

}  // namespace cyclerd::profiles
