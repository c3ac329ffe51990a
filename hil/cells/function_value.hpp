// A parameter that may be a number, a function written as text, or a table; as a curve.
#pragma once

#include <optional>
#include <string_view>

#include "hil/cells/expression.hpp"
#include "hil/cells/read_table.hpp"
#include "hil/cells/table.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::hil {

struct FunctionRules {
  Bounds bounds;  // of every value
  Bounds axis;    // of a table's x
  Sampling sampling;
  // True: a function's values are cut at the bounds and only have to lie inside at `good_at`.
  bool cut = false;
  double good_at = 0.0;
  std::string_view value_key = "value";
};

// nullopt after reporting: C003, C004 (a value beyond its bounds), C005, C006 (tables), C020 to C022 (functions).
[[nodiscard]] std::optional<Curve> read_function(const text::TomlNode& node, const FunctionRules& rules,
                                                 std::string_view what, text::Diagnostics& diagnostics);

}  // namespace cyclerd::hil
