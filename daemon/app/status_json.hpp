// The station as JSON, for status, devices and doctor. Field names are documented in README.md.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/app/launch.hpp"
#include "daemon/app/wiring.hpp"
#include "daemon/control/station_api.hpp"
#include "profiles/program.hpp"

namespace cyclerd::app {

// What a test was launched with: what an amendment is compiled for. The cell is there by its text.
struct LaunchedTest {
  LaunchRequest request;
  ChannelAbility ability;
};

// What the control side knows of a channel's test besides what the cycle publishes.
struct RunningTest {
  std::uint64_t test = 0;
  std::shared_ptr<const profiles::Program> program;
  std::string cell;  // name of the cell
  std::string sample_name;
  std::string operator_name;
  std::shared_ptr<const LaunchedTest> launched;
  std::uint32_t amendments = 0;
};

[[nodiscard]] control::Json channel_json(const Station& station, std::uint32_t channel, const RunningTest& running);
[[nodiscard]] control::Json device_json(const Station& station, std::uint32_t device, base::MonoTime now);
[[nodiscard]] control::Json identity_json(const device::Identity& identity);
[[nodiscard]] control::Json limits_json(const profiles::SafetyLimits& limits);
// The number, or null where it is not known.
[[nodiscard]] control::Json number(double value);

}  // namespace cyclerd::app
