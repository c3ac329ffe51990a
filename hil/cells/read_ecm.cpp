// [ocv], [entropy], [hysteresis], [series], [[rc]] and [thermal] of a set with model = "ecm".
#include <fmt/format.h>

#include <utility>

#include "hil/cells/cell_model.hpp"
#include "hil/cells/ecm_cell.hpp"
#include "hil/cells/read_table.hpp"

namespace cyclerd::hil {
namespace {

const Bounds kVoltageBounds{-10.0, 1000.0, "V"};

void read_hysteresis(text::TableReader& root, EcmSet& set) {
  const text::TomlNode* node = root.optional_table("hysteresis");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[hysteresis]", root.diagnostics());
  auto curve = read_curve(reader, "half_gap_V", {0.0, 10.0, "V"});
  auto rate = read_number(reader, "rate", {0.0, 1e5, ""}, true);
  reader.finish();
  if (curve && rate) {
    set.hysteresis_V = std::move(*curve);
    set.hysteresis_rate = *rate;
  }
}

void read_branches(text::TableReader& root, EcmSet& set) {
  const text::TomlNode* node = root.optional_array("rc");
  if (node == nullptr) return;
  if (node->items.size() > kMaxRc) {
    root.diagnostics().error("C007", node->value,
                             fmt::format("{} RC branches, at most {} are possible", node->items.size(), kMaxRc));
    return;
  }
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const text::TomlNode& item = node->items[i];
    if (!item.is_table()) {
      root.diagnostics().error("C003", item.value, "`rc` must be tables", "write [[rc]] above each branch");
      continue;
    }
    text::TableReader reader(item, fmt::format("[[rc]] number {}", i + 1), root.diagnostics());
    RcBranch branch;
    auto tau = read_bounded(reader, "tau", text::dimension::kTime, 1e-6, 1e6, true);
    auto resistance = read_resistance(reader);
    reader.finish();
    if (!tau || !resistance) continue;
    branch.tau_s = *tau;
    branch.resistance = std::move(*resistance);
    set.branches.push_back(std::move(branch));
  }
}

void read_thermal(text::TableReader& root, EcmSet& set) {
  const text::TomlNode* node = root.optional_table("thermal");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[thermal]", root.diagnostics());
  const Bounds capacity{1e-6, 1e7, "J/K"};
  const Bounds conductance{1e-9, 1e6, "W/K"};
  auto core = read_number(reader, "core_J_per_K", capacity, true);
  auto surface = read_number(reader, "surface_J_per_K", capacity, true);
  auto inner = read_number(reader, "core_to_surface_W_per_K", conductance, true);
  auto outer = read_number(reader, "surface_to_ambient_W_per_K", conductance, true);
  reader.finish();
  if (core && surface && inner && outer) set.thermal = ThermalSet{*core, *surface, *inner, *outer};
}

class EcmModel final : public CellModel {
 public:
  explicit EcmModel(std::shared_ptr<const EcmSet> set) : set_(std::move(set)) {}
  [[nodiscard]] std::unique_ptr<Cell> make(const CellStart& start) const override {
    return std::make_unique<EcmCell>(set_, start);
  }
  [[nodiscard]] std::string_view name() const noexcept override { return "ecm"; }

 private:
  std::shared_ptr<const EcmSet> set_;
};

}  // namespace

std::shared_ptr<const CellModel> read_ecm_model(text::TableReader& root, const SetHeader& header) {
  auto set = std::make_shared<EcmSet>();
  set->capacity_C = header.capacity_C;
  set->fingerprint = header.fingerprint;
  set->charge_efficiency = read_number(root, "charge_efficiency", {0.5, 1.0, ""}, false).value_or(1.0);
  set->reference_degC =
      read_bounded(root, "reference_temperature", text::dimension::kTemperature, -50.0, 100.0, false).value_or(25.0);
  if (const text::TomlNode* node = root.required_table("ocv")) {
    text::TableReader reader(*node, "[ocv]", root.diagnostics());
    auto curve = read_curve(reader, "voltage_V", kVoltageBounds);
    reader.finish();
    if (curve && curve->values().size() < 2) {
      root.diagnostics().error("C008", reader.where(), "[ocv] needs at least two points",
                               "for a constant voltage use model = \"source\"");
    }
    if (curve) set->ocv_V = std::move(*curve);
  }
  if (const text::TomlNode* node = root.optional_table("entropy")) {
    text::TableReader reader(*node, "[entropy]", root.diagnostics());
    auto curve = read_curve(reader, "slope_V_per_K", {-0.1, 0.1, "V/K"});
    reader.finish();
    if (curve) set->entropic_V_per_K = std::move(*curve);
  }
  read_hysteresis(root, *set);
  if (const text::TomlNode* node = root.required_table("series")) {
    text::TableReader reader(*node, "[series]", root.diagnostics());
    auto series = read_resistance(reader);
    reader.finish();
    if (series) set->series = std::move(*series);
  }
  read_branches(root, *set);
  read_thermal(root, *set);
  return std::make_shared<EcmModel>(std::move(set));
}

}  // namespace cyclerd::hil
