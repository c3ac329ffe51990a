// Reads [ageing] of a parameter set.
#pragma once

#include <optional>

#include "hil/cells/ageing.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::hil {

[[nodiscard]] std::optional<AgeingSet> read_ageing(text::TableReader& root);

}  // namespace cyclerd::hil
