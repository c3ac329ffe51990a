// Formulas of other software in our words, with the units that their bare numbers mean.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cyclerd::exchange {

// A quantity in our words and the unit in which the other software counts it; "" for plain numbers.
struct UnitText {
  std::string text;
  std::string unit;
};
// What a name of the other software means; nullopt: not known.
using NameMeaning = std::function<std::optional<UnitText>(std::string_view)>;

// + - * / and parentheses over numbers and names. A number beside a quantity gets its unit: "Q - 2.5" with Q in Ah is
// "step_capacity - 2.5 Ah". nullopt: a part is not understood, or units do not fit.
[[nodiscard]] std::optional<UnitText> unit_expression(std::string_view text, const NameMeaning& meaning);

// The same where the result must have `unit`; a bare number gets it.
[[nodiscard]] std::optional<std::string> expression_in(std::string_view text, std::string_view unit,
                                                       const NameMeaning& meaning);

}  // namespace cyclerd::exchange
