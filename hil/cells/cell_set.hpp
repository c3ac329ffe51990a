// Parameter sets of virtual cells: TOML files, or BPX files in JSON, checked like profiles. Shipped ones lie in
// hil/cells/sets.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hil/cells/cell.hpp"
#include "hil/cells/cell_model.hpp"
#include "protocols/base/result.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::hil {

struct CellSet {
  std::string name;
  std::string title;
  std::string source;   // where the numbers come from
  std::string licence;  // of the data
  SetHeader header;
  std::shared_ptr<const CellModel> model;

  [[nodiscard]] std::unique_ptr<Cell> make(const CellStart& start) const { return model->make(start); }
};

// nullopt when there are errors. Codes C001..: hil/README.md.
[[nodiscard]] std::optional<CellSet> load_cell_set(const text::SourcePtr& source, text::Diagnostics& diagnostics);

// Whether a file means to be a cell set (and not a lab): JSON, or TOML that names a model.
[[nodiscard]] bool looks_like_cell_set(const text::SourcePtr& source);

// Where shipped sets are looked for, first wins: $CYCLERD_CELL_SETS, beside this program
// (../share/cyclerd/cell-sets), the installed folder, the source tree.
[[nodiscard]] std::vector<std::string> cell_set_folders();
// The file of a set: `name` itself when it ends in .toml or .json, else <name>.toml or <name>.json in one of the
// folders or their folders. Empty when there is none.
[[nodiscard]] std::string find_cell_set(std::string_view name);
// Names of the sets in all folders, sorted, without repetition.
[[nodiscard]] std::vector<std::string> cell_set_names();

}  // namespace cyclerd::hil
