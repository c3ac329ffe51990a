// Reads a station file. Every mistake at once, each with place, bound and hint; codes S001 to S049, see
// daemon/README.md.
#pragma once

#include <string>
#include <vector>

#include "daemon/app/station_config.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::app {

struct LoadOptions {
  std::string state_dir;  // overrides the file's; empty: the file's, else $STATE_DIRECTORY, else the default
  std::vector<std::string> descriptions;  // folders searched before the file's own and the shipped one
};

// What could be understood, even when there are errors: `--make-safe` opens whatever it can still name. A device whose
// description or wire is wrong has no `kind`. Whoever energises anything refuses a station with errors.
[[nodiscard]] StationConfig load_station(const std::string& path, const LoadOptions& options,
                                         text::Diagnostics& diagnostics);
[[nodiscard]] StationConfig load_station(const text::SourcePtr& source, const LoadOptions& options,
                                         text::Diagnostics& diagnostics);

// The tighter of two boxes, bound by bound.
void tighten(profiles::SafetyLimits& limits, const profiles::SafetyLimits& other) noexcept;

}  // namespace cyclerd::app
