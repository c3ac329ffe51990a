// The flat program as data: `cyclerctl expand --json`.
#pragma once

#include "daemon/control/station_api.hpp"
#include "profiles/expand.hpp"

namespace cyclerd::app {

// Fields: daemon/ctl/README.md, "expand".
[[nodiscard]] control::Json describe_expansion(const profiles::Expansion& expansion);

}  // namespace cyclerd::app
