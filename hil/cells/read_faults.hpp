// [faults] and [runaway], which any cell set may carry.
#pragma once

#include <memory>
#include <optional>

#include "hil/cells/cell_faults.hpp"
#include "hil/cells/cell_model.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::hil {

[[nodiscard]] std::optional<CellFaults> read_faults(text::TableReader& root);
[[nodiscard]] std::optional<RunawaySet> read_runaway(text::TableReader& root);
// The model itself when the set has neither table.
[[nodiscard]] std::shared_ptr<const CellModel> with_faults(text::TableReader& root,
                                                           std::shared_ptr<const CellModel> model);

}  // namespace cyclerd::hil
