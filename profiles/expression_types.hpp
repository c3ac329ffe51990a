// Types of operations, with what is to be said when they do not fit.
#pragma once

#include <optional>
#include <string>

#include "profiles/expression.hpp"

namespace cyclerd::profiles {

struct TypeError {
  std::string message, label, help;
  bool at_right = false;  // the right operand is the culprit
};
[[nodiscard]] std::optional<Type> unary_type(Op op, const Type& operand, TypeError& error);
[[nodiscard]] std::optional<Type> binary_type(Op op, const Type& left, const Type& right, TypeError& error);

}  // namespace cyclerd::profiles
