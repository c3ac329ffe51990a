// The same ports, cycle and recorder as the daemon's, driven by one thread in virtual time over virtual instruments.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/app/launch.hpp"
#include "daemon/app/virtual_cell.hpp"
#include "profiles/record.hpp"
#include "protocols/base/time.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::app {

struct SimulationConfig {
  LaunchRequest launch;      // as for a start; channel and folder may be empty. Without ratings the set's own are made
  std::string cell_set;      // parameter set of the virtual cell: a shipped name, or a file. Empty: like the ratings
  double initial_soc = 0.5;  // true state of charge of the virtual cell; launch.soc is what the profile is told
  double ambient_degC = 25.0;
  bool chamber = true;
  base::Duration scan = base::seconds(1);
  std::uint64_t seed = 1;  // of the instruments' noise
  Instruments instruments = Instruments::good;
  std::string out;                                           // folder for the record; created
  base::Duration max_duration = base::hours(24 * 365 * 20);  // of virtual time
};

// What the model said of itself, and when it first did.
struct ModelNote {
  std::string words;
  double test_time_s = 0.0;
};

struct SimulationResult {
  text::Diagnostics diagnostics;  // of profile, cell and parameter set; nothing ran when there are errors
  std::string error;              // why it did not come to an end, in words; empty when it did
  std::string folder;             // of the test
  profiles::TestOutcome outcome = profiles::TestOutcome::none;
  std::string reason;       // of the end, when there is one to name
  std::uint64_t steps = 0;  // executed
  std::uint64_t cycles = 0;
  std::uint64_t scans = 0;
  std::uint64_t rows = 0;
  std::string cell_set;  // name of the virtual cell
  std::vector<ModelNote> notes;
  double virtual_s = 0.0;  // test time
  double wall_s = 0.0;
};

// Operator pauses are answered at once. Not for real-time threads.
[[nodiscard]] SimulationResult simulate(const SimulationConfig& config);

}  // namespace cyclerd::app
