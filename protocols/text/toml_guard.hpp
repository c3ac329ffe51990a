// Looks at a TOML text before the TOML library does, and refuses what could crash it.
#pragma once

#include "protocols/text/diagnostics.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::text {

// True when the text may be given to the library: within the size, depth and key limits, valid UTF-8, no control
// characters, ASCII outside strings and comments, table headers that begin with a key. Findings T001..T005, the first
// of each line. Linear in time, constant stack.
[[nodiscard]] bool guard_toml(const SourcePtr& source, Diagnostics& diagnostics, const TomlLimits& limits);

// The text without a byte order mark.
[[nodiscard]] std::string_view without_bom(std::string_view text) noexcept;

}  // namespace cyclerd::text
