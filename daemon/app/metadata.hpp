// What a test's record says about itself, so that it can be understood without the daemon.
#pragma once

#include <string>

#include "daemon/app/launch.hpp"
#include "daemon/app/wiring.hpp"
#include "daemon/control/station_api.hpp"

namespace cyclerd::app {

// Fields are documented in README.md, "Metadata".
[[nodiscard]] std::string metadata_json(const Station& station, std::uint32_t channel, std::uint64_t test,
                                        const LaunchRequest& request, const Compiled& compiled, base::Clock& clock);

// /proc/sys/kernel/random/boot_id, or empty.
[[nodiscard]] std::string boot_id();
// Is the wall clock disciplined by NTP or PTP, as the kernel says?
[[nodiscard]] bool wall_clock_synchronized();

// What the record says of an amendment: {by, reason, changes, profile}, the profile as in a test's metadata.
[[nodiscard]] std::string amendment_json(const LaunchRequest& request, const Compiled& compiled, const std::string& by,
                                         const std::string& reason, const std::vector<std::string>& changes);

}  // namespace cyclerd::app
