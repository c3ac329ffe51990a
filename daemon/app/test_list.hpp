// The tests that a state folder holds.
#pragma once

#include <string>

#include "daemon/control/station_api.hpp"

namespace cyclerd::app {

// List, newest first, of {test, channel, profile, cell, sample_name, operator, started_unix_us, ended_unix_us, outcome,
// folder}; what a folder does not say is null. `outcome` of a test that runs is "running".
[[nodiscard]] control::Json list_tests(const std::string& state_dir);

}  // namespace cyclerd::app
