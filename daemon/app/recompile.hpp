// A recorded test's program once more, from what the record says of its launch: for replay and recovery.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/app/launch.hpp"

namespace cyclerd::app {

// The abilities a profile was compiled for, to the last bit, and back. nullopt when a field is missing or of the wrong
// type.
[[nodiscard]] control::Json ability_json(const ChannelAbility& ability);
[[nodiscard]] std::optional<ChannelAbility> ability_from_json(const control::Json& json);

// Compiles the profile text of a test's metadata again, for the same cell, abilities and parameters, and holds its
// compiled hash against the recorded one. nullptr when they differ or something is missing: all findings are in
// `diagnostics` (R001 metadata, R002 hash).
[[nodiscard]] std::shared_ptr<const profiles::Program> program_from_metadata(const std::string& metadata_json,
                                                                             text::Diagnostics& diagnostics);

// A test's metadata as an amendment left them: the text for program_from_metadata(). `amendment_json`: of the journal's
// frame. Empty when either is no JSON object.
[[nodiscard]] std::string amended_metadata(const std::string& metadata_json, const std::string& amendment_json);

}  // namespace cyclerd::app
