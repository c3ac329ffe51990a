// [reactions], [sulfur], [full], [decomposition] and [thermal] of a set with model = "lithium-sulfur".
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "hil/cells/cell_model.hpp"
#include "hil/cells/lithium_sulfur_cell.hpp"
#include "hil/cells/read_table.hpp"

namespace cyclerd::hil {
namespace {

namespace dim = text::dimension;

void take(std::optional<double> value, double& into) {
  if (value) into = *value;
}

void read_reactions(text::TableReader& root, SulfurParameters& p) {
  const text::TomlNode* node = root.required_table("reactions");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[reactions]", root.diagnostics());
  take(read_bounded(reader, "high_potential", dim::kVoltage, 0.5, 5.0, true), p.high_V);
  take(read_bounded(reader, "low_potential", dim::kVoltage, 0.5, 5.0, true), p.low_V);
  take(read_number(reader, "high_exchange_A_per_m2", {1e-6, 1e6, "A/m2"}, true), p.high_A_per_m2);
  take(read_number(reader, "low_exchange_A_per_m2", {1e-6, 1e6, "A/m2"}, true), p.low_A_per_m2);
  take(read_number(reader, "area_m2", {1e-6, 1e6, "m2"}, true), p.area_m2);
  double degC = p.temperature_K - 273.15;
  take(read_bounded(reader, "temperature", dim::kTemperature, -40.0, 100.0, true), degC);
  p.temperature_K = degC + 273.15;
  reader.finish();
}

void read_sulfur(text::TableReader& root, SulfurParameters& p) {
  const text::TomlNode* node = root.required_table("sulfur");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[sulfur]", root.diagnostics());
  take(read_number(reader, "electrolyte_L", {1e-9, 1e6, "L"}, true), p.volume_L);
  take(read_number(reader, "precipitate_g_per_L", {1.0, 1e5, "g/L"}, true), p.density_g_per_L);
  take(read_number(reader, "precipitation_per_s", {1e-9, 1e9, "1/s"}, true), p.precipitation_per_s);
  take(read_number(reader, "saturation_g", {1e-12, 1e6, "g"}, true), p.saturation_g);
  take(read_number(reader, "shuttle_per_s", {0.0, 1.0, "1/s"}, true), p.shuttle_per_s);
  p.shuttle_discharge_per_s = p.shuttle_per_s;
  take(read_number(reader, "shuttle_discharge_per_s", {0.0, 1.0, "1/s"}, false), p.shuttle_discharge_per_s);
  reader.finish();
}

void read_decomposition(text::TableReader& root, SulfurParameters& p) {
  const text::TomlNode* node = root.optional_table("decomposition");
  if (node != nullptr) {
    text::TableReader reader(*node, "[decomposition]", root.diagnostics());
    take(read_bounded(reader, "low", dim::kVoltage, 0.0, 5.0, true), p.decomposition_low_V);
    take(read_bounded(reader, "high", dim::kVoltage, 0.0, 6.0, true), p.decomposition_high_V);
    reader.finish();
  }
  // Nearer, and it would take part in normal use; much further, and numbers run out.
  const double margin_V = 0.3;
  if (p.decomposition_low_V > p.low_V - margin_V || p.decomposition_high_V < p.high_V + margin_V ||
      p.decomposition_high_V - p.decomposition_low_V > 3.0) {
    root.diagnostics().error(
        "C041", node != nullptr ? node->key : root.where(),
        fmt::format("the electrolyte decomposes at {:g} and {:g} V", p.decomposition_low_V, p.decomposition_high_V),
        "[decomposition] must lie at least 0.3 V outside both potentials and span no more than 3 V");
  }
}

void read_full(text::TableReader& root, const SetHeader& header, LithiumSulfurSet& set) {
  const text::TomlNode* node = root.required_table("full");
  if (node == nullptr) return;
  text::TableReader reader(*node, "[full]", root.diagnostics());
  const Bounds bounds{1e-12, 1e6, "g"};
  bool all = true;
  constexpr std::string_view kKeys[] = {"S8_g", "S4_g", "S2_g", "S_g", "precipitate_g"};
  for (std::size_t k = 0; k < set.full_g.size(); ++k) {
    const auto mass_g = read_number(reader, kKeys[k], bounds, true);
    all = all && mass_g.has_value();
    set.full_g[k] = mass_g.value_or(1.0);
  }
  reader.finish();
  set.full_C = set.chemistry.charge_C(set.full_g);
  if (all && std::abs(set.full_C / header.capacity_C - 1.0) > 0.02) {
    root.diagnostics().error("C040", node->key,
                             fmt::format("the sulfur of [full] holds {:.4g} Ah, `capacity` says {:.4g} Ah",
                                         set.full_C / 3600.0, header.capacity_C / 3600.0),
                             "they must agree within 2 %");
  }
}

std::optional<ThermalSet> read_thermal(text::TableReader& root) {
  const text::TomlNode* node = root.optional_table("thermal");
  if (node == nullptr) return std::nullopt;
  text::TableReader reader(*node, "[thermal]", root.diagnostics());
  const Bounds capacity{1e-6, 1e7, "J/K"}, conductance{1e-9, 1e6, "W/K"};
  const auto core = read_number(reader, "core_J_per_K", capacity, true);
  const auto surface = read_number(reader, "surface_J_per_K", capacity, true);
  const auto inner = read_number(reader, "core_to_surface_W_per_K", conductance, true);
  const auto outer = read_number(reader, "surface_to_ambient_W_per_K", conductance, true);
  reader.finish();
  if (!core || !surface || !inner || !outer) return std::nullopt;
  return ThermalSet{*core, *surface, *inner, *outer};
}

class LithiumSulfurModel final : public CellModel {
 public:
  explicit LithiumSulfurModel(std::shared_ptr<const LithiumSulfurSet> set) : set_(std::move(set)) {}
  [[nodiscard]] std::unique_ptr<Cell> make(const CellStart& start) const override {
    return std::make_unique<LithiumSulfurCell>(set_, start);
  }
  [[nodiscard]] std::string_view name() const noexcept override { return "lithium-sulfur"; }

 private:
  std::shared_ptr<const LithiumSulfurSet> set_;
};

}  // namespace

std::shared_ptr<const CellModel> read_lithium_sulfur_model(text::TableReader& root, const SetHeader& header) {
  SulfurParameters p;
  read_reactions(root, p);
  read_sulfur(root, p);
  read_decomposition(root, p);
  auto set = std::make_shared<LithiumSulfurSet>();
  set->chemistry = SulfurChemistry(p);
  set->fingerprint = header.fingerprint;
  read_full(root, header, *set);
  set->thermal = read_thermal(root);
  return std::make_shared<LithiumSulfurModel>(std::move(set));
}

}  // namespace cyclerd::hil
