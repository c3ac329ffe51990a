// The measurements that come with the program: which cell sets each belongs to, and which were fitted on it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocols/text/diagnostics.hpp"

namespace cyclerd::hil {

struct ShippedRun {
  std::string file;  // absolute
  std::string cell;  // what was measured
  std::string licence;
  std::vector<std::string> sets;    // every set that claims to be this cell
  std::vector<std::string> fitted;  // those of them whose parameters were fitted on this run
  std::optional<double> ambient_degC;
  std::optional<double> start_soc;
  std::string current_sign;  // "" automatic

  [[nodiscard]] bool in_sample(const std::string& set) const;
};

// $CYCLERD_RUNS, beside the program (../share/cyclerd/runs), the installed folder, the source tree: the first that has
// a runs.toml; empty when none has.
[[nodiscard]] std::string runs_folder();
// Reads `folder`/runs.toml. Codes I040..: hil/README.md.
[[nodiscard]] std::optional<std::vector<ShippedRun>> load_manifest(const std::string& folder,
                                                                   text::Diagnostics& diagnostics);

}  // namespace cyclerd::hil
