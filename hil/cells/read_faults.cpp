#include "hil/cells/read_faults.hpp"

#include <cstdint>
#include <utility>

#include "hil/cells/read_table.hpp"

namespace cyclerd::hil {
namespace {

namespace dim = text::dimension;

// Of the Boltzmann constant in K: 2.24e-19 J and 2.64e-19 J.
constexpr double kBoltzmann = 1.380649e-23;
constexpr double kSlowReactions_K = 2.24e-19 / kBoltzmann, kCathode_K = 2.64e-19 / kBoltzmann;
// Where the reactions of an NMC cell take over in an oven, for `later`.
constexpr double kOnset_K = 458.0;

void take(std::optional<double> value, double& into) {
  if (value) into = *value;
}

class FaultyModel final : public CellModel {
 public:
  FaultyModel(std::shared_ptr<const CellModel> model, const CellFaults& faults, std::optional<RunawaySet> runaway)
      : model_(std::move(model)), faults_(faults), runaway_(runaway) {}
  [[nodiscard]] std::unique_ptr<Cell> make(const CellStart& start) const override {
    return std::make_unique<FaultyCell>(model_->make(start), faults_, runaway_);
  }
  [[nodiscard]] std::string_view name() const noexcept override { return model_->name(); }

 private:
  std::shared_ptr<const CellModel> model_;
  CellFaults faults_;
  std::optional<RunawaySet> runaway_;
};

}  // namespace

std::optional<CellFaults> read_faults(text::TableReader& root) {
  const text::TomlNode* node = root.optional_table("faults");
  if (node == nullptr) return std::nullopt;
  text::TableReader reader(*node, "[faults]", root.diagnostics());
  CellFaults f;
  ShortCircuit& s = f.short_circuit;
  const auto short_Ohm = read_bounded(reader, "short", dim::kResistance, 1e-6, 1e9, false);
  take(short_Ohm, s.resistance_Ohm);
  take(read_bounded(reader, "short_first", dim::kResistance, 1e-6, 1e9, false), s.first_Ohm);
  take(read_bounded(reader, "short_growth", dim::kTime, 1e-3, 1e9, false), s.growth_s);
  take(read_bounded(reader, "short_after", dim::kTime, 0.0, 1e10, false), s.onset_s);
  take(read_bounded(reader, "short_after_charge", dim::kCapacity, 0.0, 1e9, false), s.onset_charge_C);
  s.seed = static_cast<std::uint64_t>(reader.optional_integer("seed", 0, INT64_MAX).value_or(0));
  f.open = reader.optional_bool("open").value_or(false);
  take(read_bounded(reader, "contact", dim::kResistance, 0.0, 1e6, false), f.contact_Ohm);
  take(read_number(reader, "capacity_factor", {1e-3, 10.0, ""}, false), f.capacity_factor);
  take(read_number(reader, "resistance_growth", {0.0, 1e3, ""}, false), f.resistance_growth);
  reader.finish();
  if (!short_Ohm && (s.first_Ohm > 0.0 || s.onset_s > 0.0 || s.onset_charge_C > 0.0)) {
    root.diagnostics().error("C042", node->key, "[faults] says when a short begins, not which",
                             "add its resistance: short = \"100 mOhm\"");
  }
  return f;
}

std::optional<RunawaySet> read_runaway(text::TableReader& root) {
  const text::TomlNode* node = root.optional_table("runaway");
  if (node == nullptr) return std::nullopt;
  text::TableReader reader(*node, "[runaway]", root.diagnostics());
  RunawaySet r;
  const Bounds mass{0.0, 1e6, "g"}, heat{0.0, 1e8, "J/kg"}, frequency{0.0, 1e30, "1/s"}, share{0.0, 1.0, ""};
  const double anode_kg = 1e-3 * read_number(reader, "anode_g", mass, true).value_or(0.0);
  const double cathode_kg = 1e-3 * read_number(reader, "cathode_g", mass, true).value_or(0.0);
  take(read_number(reader, "core_J_per_K", {1e-6, 1e7, "J/K"}, true), r.core_J_per_K);
  take(read_number(reader, "core_to_surface_W_per_K", {0.0, 1e6, "W/K"}, true), r.core_to_surface_W_per_K);
  const double later_K = read_bounded(reader, "later", dim::kTemperature, -100.0, 300.0, false).value_or(0.0);
  const double factor = 1.0 + later_K / kOnset_K;
  // Hatchard 2001, Kim 2007, Cai 2019 in the values of PyBaMM's thermal-runaway branch.
  r.sei = {read_number(reader, "sei_per_s", frequency, false).value_or(2.25e15), kSlowReactions_K * factor,
           anode_kg * read_number(reader, "sei_J_per_kg", heat, false).value_or(257e3)};
  r.anode = {read_number(reader, "anode_per_s", frequency, false).value_or(2.5e13), kSlowReactions_K * factor,
             anode_kg * read_number(reader, "anode_J_per_kg", heat, false).value_or(1714e3)};
  r.cathode = {read_number(reader, "cathode_per_s", frequency, false).value_or(2.55e14), kCathode_K * factor,
               cathode_kg * read_number(reader, "cathode_J_per_kg", heat, false).value_or(790e3)};
  take(read_number(reader, "sei_start", share, false), r.sei_start);
  take(read_number(reader, "anode_start", share, false), r.anode_start);
  take(read_number(reader, "film_start", share, false), r.film_start);
  take(read_number(reader, "cathode_start", {1e-6, 1.0, ""}, false), r.cathode_start);
  take(read_number(reader, "collapse_K_per_s", {1e-6, 1e6, "K/s"}, false), r.collapse_K_per_s);
  take(read_bounded(reader, "collapsed_resistance", dim::kResistance, 1e-6, 1e9, false), r.collapsed_Ohm);
  reader.finish();
  return r;
}

std::shared_ptr<const CellModel> with_faults(text::TableReader& root, std::shared_ptr<const CellModel> model) {
  if (model == nullptr || model->name() == "pack") return model;  // a pack gives them to its members
  const auto faults = read_faults(root);
  const auto runaway = read_runaway(root);
  if (!faults && !runaway) return model;
  return std::make_shared<FaultyModel>(std::move(model), faults.value_or(CellFaults{}), runaway);
}

}  // namespace cyclerd::hil
