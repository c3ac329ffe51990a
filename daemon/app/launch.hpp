// From what a person asks to start, to a test with everything it needs: read, compiled, merged with the limits,
// estimated.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "daemon/app/station_config.hpp"
#include "daemon/control/station_api.hpp"
#include "daemon/io/lanes.hpp"
#include "daemon/safety/limits.hpp"
#include "profiles/cell_spec.hpp"
#include "profiles/compile.hpp"
#include "profiles/program.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::app {

// The parameters of `check` and `start`, as in control/station_api.hpp.
struct LaunchRequest {
  std::string profile_name;
  std::string profile;
  std::string cell_name;
  std::string cell;
  std::string channel;
  std::map<std::string, std::string> parameters;
  std::map<std::string, std::string> waveforms;  // texts of files, by the name that the profile uses
  std::string sample_name;
  std::string operator_name;
  std::string institution;
  std::string note;
  double soc = base::kAbsent;
  double free_bytes = base::kAbsent;  // where the record will lie; absent: not judged
};
// Fills what `params` says. Otherwise words for the person who asked: what is missing or of the wrong type.
// `cell_required` false: the cell may be left out.
[[nodiscard]] std::string read_launch_request(const control::Json& params, LaunchRequest& request,
                                              bool cell_required = true);

// What the channel brings to a launch.
struct ChannelAbility {
  device::Capability cycler;
  device::Capability chamber;
  bool has_chamber = false;
  bool has_cell_temperature = false;
  base::Duration scan;
  profiles::SafetyLimits limits;
};

struct Compiled {
  std::shared_ptr<const profiles::Program> program;  // null when there are errors
  profiles::CellSpec cell;
  std::string cell_text;
  ChannelAbility ability;  // what it was compiled for
  text::Diagnostics diagnostics;
};
// `cells` and `waveforms`: the shipped folders. A cell given by name alone is looked up there. `simulated`: a chemistry
// that the profile was not written for is warned of, not refused.
[[nodiscard]] Compiled compile_launch(const LaunchRequest& request, const ChannelAbility& ability,
                                      const std::string& cells, const std::string& waveforms, bool simulated = false);

// What compile_launch compiles. Whatever is wrong with the cell is in `diagnostics`; false then.
struct PreparedLaunch {
  profiles::Launch launch;
  text::SourcePtr profile;
  std::string cell_text;
  text::Diagnostics diagnostics;
};
[[nodiscard]] bool prepare_launch(const LaunchRequest& request, const ChannelAbility& ability, const std::string& cells,
                                  const std::string& waveforms, bool simulated, PreparedLaunch& prepared);

// The shipped procedures lie beside the shipped waveforms.
[[nodiscard]] std::string procedure_folder(const std::string& waveforms);

// Station and channel limits alone, in force while no test runs.
[[nodiscard]] safety::LimitTable idle_limits(const profiles::SafetyLimits& station, base::Duration scan);
// What the channel asks to be judged besides limits.
void add_plausibility(safety::LimitTable& table, const Plausibility& plausibility) noexcept;
// Station, cell and profile: the tightest of each.
[[nodiscard]] safety::LimitTable test_limits(const profiles::SafetyLimits& station, const profiles::CellSpec& cell,
                                             const profiles::Program& program);

// Bytes that the test will put on disk at the most; 0 when its duration is not bounded.
[[nodiscard]] double disk_estimate_bytes(const profiles::Program& program);

// README.md, "check"; null for what is not bounded or not known.
[[nodiscard]] control::Json describe_program(const profiles::Program& program);
// {diagnostics: [...], text: rendered, errors, warnings}
[[nodiscard]] control::Json describe_findings(const text::Diagnostics& diagnostics);

}  // namespace cyclerd::app
