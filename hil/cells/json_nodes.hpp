// JSON as the tree that TOML gives: every key and value with its place.
#pragma once

#include <optional>

#include "protocols/text/diagnostics.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::hil {

// Syntax errors, keys given twice and breaches of the limits (16 levels, 1e6 values) go to `diagnostics` (C030) and
// give nullopt. null is an error: no field of ours may be one. Never throws, whatever the bytes.
[[nodiscard]] std::optional<text::TomlNode> parse_json(const text::SourcePtr& source, text::Diagnostics& diagnostics);

}  // namespace cyclerd::hil
