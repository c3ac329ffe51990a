// `voltage` and `resistance` of a set with model = "source".
#include <utility>

#include "hil/cells/cell_model.hpp"
#include "hil/cells/read_table.hpp"
#include "hil/cells/source_cell.hpp"

namespace cyclerd::hil {
namespace {

class SourceModel final : public CellModel {
 public:
  explicit SourceModel(std::shared_ptr<const SourceSet> set) : set_(std::move(set)) {}
  [[nodiscard]] std::unique_ptr<Cell> make(const CellStart& start) const override {
    return std::make_unique<SourceCell>(set_, start);
  }
  [[nodiscard]] std::string_view name() const noexcept override { return "source"; }

 private:
  std::shared_ptr<const SourceSet> set_;
};

}  // namespace

std::shared_ptr<const CellModel> read_source_model(text::TableReader& root, const SetHeader& header) {
  auto set = std::make_shared<SourceSet>();
  set->capacity_C = header.capacity_C;
  set->fingerprint = header.fingerprint;
  set->emf_V = read_bounded(root, "voltage", text::dimension::kVoltage, -10.0, 1000.0, true).value_or(0.0);
  set->resistance_Ohm = read_bounded(root, "resistance", text::dimension::kResistance, 1e-9, 1e6, true).value_or(1.0);
  return std::make_shared<SourceModel>(std::move(set));
}

}  // namespace cyclerd::hil
