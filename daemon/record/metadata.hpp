// What the record says about a test besides its rows. The JSON text behind a TestBegin; README.md, "test.json", lists
// the members that export, plot and summary look for.
#pragma once

#include <nlohmann/json.hpp>

#include "profiles/program.hpp"

namespace cyclerd::record {

// The member "profile": name, title, text, hashes, steps with their types, limits, envelope, worst cases. The station
// and the simulator both put it into their metadata.
[[nodiscard]] nlohmann::json program_metadata(const profiles::Program& program);

}  // namespace cyclerd::record
