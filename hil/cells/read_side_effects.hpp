// [thermal], [hysteresis], [sei] and [plating] of an electrochemical set.
#pragma once

#include "hil/cells/electrochemical_set.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::hil {

void read_side_effects(text::TableReader& root, ElectrochemicalSet& set);

}  // namespace cyclerd::hil
