// A set with model = "pack": cells of another set in series and parallel.
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "hil/cells/cell_set.hpp"
#include "hil/cells/pack.hpp"
#include "hil/cells/read_faults.hpp"
#include "hil/cells/read_table.hpp"

namespace cyclerd::hil {
namespace {

namespace dim = text::dimension;

void take(std::optional<double> value, double& into) {
  if (value) into = *value;
}

void read_spread(text::TableReader& root, PackSet& set) {
  const text::TomlNode* node = root.optional_table("spread");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[spread]", root.diagnostics());
  // Three deviations must leave a cell.
  take(read_number(reader, "capacity", {0.0, 0.3, ""}, false), set.capacity_spread);
  take(read_number(reader, "resistance", {0.0, 10.0, ""}, false), set.resistance_spread);
  take(read_number(reader, "soc", {0.0, 0.3, ""}, false), set.soc_spread);
  take(read_bounded(reader, "temperature", dim::kTemperature, 0.0, 20.0, false), set.temperature_spread_K);
  set.seed = static_cast<std::uint64_t>(reader.optional_integer("seed", 0, INT64_MAX).value_or(1));
  reader.finish();
}

void read_balancing(text::TableReader& root, PackSet& set) {
  const text::TomlNode* node = root.optional_table("balancing");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[balancing]", root.diagnostics());
  take(read_bounded(reader, "resistance", dim::kResistance, 1e-3, 1e6, true), set.bleed_Ohm);
  take(read_bounded(reader, "above", dim::kVoltage, -10.0, 1000.0, true), set.bleed_above_V);
  take(read_bounded(reader, "gap", dim::kVoltage, 0.0, 10.0, false), set.bleed_gap_V);
  reader.finish();
}

std::optional<CellSet> read_member(text::TableReader& root) {
  const std::string name = root.required_string("cell");
  if (name.empty()) return std::nullopt;
  const text::Span where = root.node().find("cell")->value;
  const std::string path = find_cell_set(name);
  const auto source = text::read_source(path.empty() ? name : path);
  if (path.empty() || !source) {
    const std::string near = text::nearest(name, cell_set_names());
    root.diagnostics().error(
        "C043", where, fmt::format("there is no cell set \"{}\" to make a pack of", name),
        near.empty() ? "`cycler-hil cells` lists the sets" : fmt::format("did you mean \"{}\"?", near));
    return std::nullopt;
  }
  // Looked at before it is loaded: a pack of itself would never end.
  text::Diagnostics looking;
  const auto document = text::parse_toml(*source, looking);
  const text::TomlNode* model = document ? document->find("model") : nullptr;
  if (model != nullptr && model->is_string() && model->string == "pack") {
    root.diagnostics().error("C044", where, fmt::format("\"{}\" is a pack itself", name),
                             "a pack is made of cells; give series and parallel of them all");
    return std::nullopt;
  }
  return load_cell_set(*source, root.diagnostics());
}

class PackModel final : public CellModel {
 public:
  explicit PackModel(std::shared_ptr<const PackSet> set) : set_(std::move(set)) {}
  [[nodiscard]] std::unique_ptr<Cell> make(const CellStart& start) const override {
    return std::make_unique<PackCell>(set_, start);
  }
  [[nodiscard]] std::string_view name() const noexcept override { return "pack"; }

 private:
  std::shared_ptr<const PackSet> set_;
};

}  // namespace

std::shared_ptr<const CellModel> read_pack_model(text::TableReader& root, const SetHeader& header) {
  auto set = std::make_shared<PackSet>();
  const auto cell = read_member(root);
  set->series = static_cast<std::size_t>(root.required_integer("series", 1, 400).value_or(1));
  set->parallel = static_cast<std::size_t>(root.required_integer("parallel", 1, 200).value_or(1));
  if (set->series * set->parallel > 2000) {
    root.diagnostics().error("C045", root.where(),
                             fmt::format("{} x {} cells, at most 2000 are possible", set->series, set->parallel),
                             "scale a cell to a capacity instead of many in parallel");
  }
  take(read_bounded(root, "contact", dim::kResistance, 0.0, 1.0, false), set->contact_Ohm);
  take(read_bounded(root, "busbar", dim::kResistance, 0.0, 1.0, false), set->busbar_Ohm);
  read_spread(root, *set);
  read_balancing(root, *set);
  if (const text::TomlNode* node = root.optional_table("neighbours")) {
    text::TableReader reader(*node, "[neighbours]", root.diagnostics());
    take(read_number(reader, "conductance_W_per_K", {0.0, 1e3, "W/K"}, true), set->neighbour_W_per_K);
    take(read_number(reader, "cell_J_per_K", {1e-6, 1e7, "J/K"}, true), set->cell_J_per_K);
    reader.finish();
  }
  set->faults = read_faults(root).value_or(CellFaults{});
  set->runaway = read_runaway(root);
  if (!cell) return nullptr;
  set->cell = cell->model;
  set->cell_capacity_C = cell->header.capacity_C;
  set->fingerprint = header.fingerprint ^ (cell->header.fingerprint * 0x9e3779b97f4a7c15ULL);
  const double expected_C = set->cell_capacity_C * static_cast<double>(set->parallel);
  const text::TomlNode* capacity = root.node().find("capacity");  // none: said already
  if (capacity != nullptr && std::abs(expected_C / header.capacity_C - 1.0) > 0.1) {
    root.diagnostics().error(
        "C046", capacity->value,
        fmt::format("{} of \"{}\" in parallel are {:.4g} Ah", set->parallel, cell->name, expected_C / 3600.0),
        "`capacity` must agree within 10 %");
  }
  return std::make_shared<PackModel>(std::move(set));
}

}  // namespace cyclerd::hil
