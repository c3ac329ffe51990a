// Looks at everything a lab should know before it trusts the station with a cell over night.
#pragma once

#include <string>
#include <vector>

#include "daemon/app/wiring.hpp"
#include "daemon/control/station_api.hpp"

namespace cyclerd::app {

// List of {check, verdict: ok | warning | bad, detail, fix}. `warnings`: what the kernel refused at the start.
[[nodiscard]] control::Json examine(const Station& station, const std::vector<std::string>& warnings);

}  // namespace cyclerd::app
