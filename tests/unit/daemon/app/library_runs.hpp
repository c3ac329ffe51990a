// The runs by which the shipped profiles are held: a table, each run's golden text, and how the two are compared.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/app/simulation.hpp"
#include "protocols/base/result.hpp"

namespace cyclerd::app {

// One row of library_runs.toml; its head says what the keys mean.
struct LibraryRun {
  std::string name;
  std::string profile;
  std::string cell;
  std::string cell_model;
  std::string add;
  std::map<std::string, std::string> set;
  double soc = 0.5;
  double ambient_degC = 25.0;
  double scan_s = 1.0;
};

// Throws std::runtime_error with the findings when the table cannot be read: a test that lacks its table has no result.
[[nodiscard]] std::vector<LibraryRun> read_library_runs(const std::string& path);

// What was read of the record of a run.
struct RunStep {
  std::string name;
  std::string type;
  std::string end;  // "condition: ..."; a condition's text stands in quotes
  double duration_s = 0.0;
};
struct RunCycle {
  double charge_Ah = 0.0;
  double discharge_Ah = 0.0;
};
struct RunRecord {
  std::string outcome;
  std::string reason;
  double test_s = 0.0;
  std::vector<std::string> notes;  // of the virtual cell
  std::vector<RunStep> steps;
  std::vector<RunCycle> cycles;
};

[[nodiscard]] SimulationResult run_library_profile(const LibraryRun& run, const std::string& folder);
[[nodiscard]] RunRecord read_run(const SimulationResult& result);

// The golden text: the outcome, steps with what ended them (equal passes in a row folded to one with its number), and
// the charge of each cycle.
[[nodiscard]] std::string golden_text(const LibraryRun& run, const RunRecord& record);

// Words on what differs, line by line; empty when nothing does. Numbers outside of quotes may differ by what their unit
// allows (README.md of library_runs); everything else is compared as it stands.
[[nodiscard]] std::string golden_difference(const std::string& golden, const std::string& found);

}  // namespace cyclerd::app
