// A kind of cell with its parameters, and the readers that make one out of a parameter set's text.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "hil/cells/cell.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::hil {

// Immutable once made; shared by all cells of the kind.
class CellModel {
 public:
  virtual ~CellModel() = default;
  [[nodiscard]] virtual std::unique_ptr<Cell> make(const CellStart& start) const = 0;
  // The word in `model = "..."`.
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
};

// What every parameter set says, read before its model.
struct SetHeader {
  double capacity_C = 0.0;
  double voltage_min_V = 0.0;  // of normal use; NaN when the set does not say
  double voltage_max_V = 0.0;
  std::uint64_t fingerprint = 0;  // of the set's text: part of every snapshot
};

// Read the rest of a set. What they return is of use only when nothing was reported.
[[nodiscard]] std::shared_ptr<const CellModel> read_ecm_model(text::TableReader& root, const SetHeader& header);
[[nodiscard]] std::shared_ptr<const CellModel> read_pack_model(text::TableReader& root, const SetHeader& header);
[[nodiscard]] std::shared_ptr<const CellModel> read_source_model(text::TableReader& root, const SetHeader& header);
[[nodiscard]] std::shared_ptr<const CellModel> read_spm_model(text::TableReader& root, const SetHeader& header);
[[nodiscard]] std::shared_ptr<const CellModel> read_spme_model(text::TableReader& root, const SetHeader& header);
[[nodiscard]] std::shared_ptr<const CellModel> read_lithium_sulfur_model(text::TableReader& root,
                                                                         const SetHeader& header);

}  // namespace cyclerd::hil
