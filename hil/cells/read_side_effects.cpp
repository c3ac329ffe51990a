#include "hil/cells/read_side_effects.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "hil/cells/electrochemical_fields.hpp"
#include "hil/cells/read_table.hpp"

namespace cyclerd::hil {
namespace {

using text::TableReader;

void read_heat(TableReader& root, ElectrochemicalSet& set) {
  const text::TomlNode* node = root.optional_table("thermal");
  if (node == nullptr) return;
  TableReader reader(*node, "[thermal]", root.diagnostics());
  const Bounds capacity{1e-6, 1e7, "J/K"};
  const Bounds conductance{1e-9, 1e6, "W/K"};
  auto core = read_number(reader, "core_J_per_K", capacity, true);
  auto surface = read_number(reader, "surface_J_per_K", capacity, true);
  auto inner = read_number(reader, "core_to_surface_W_per_K", conductance, true);
  auto outer = read_number(reader, "surface_to_ambient_W_per_K", conductance, true);
  reader.finish();
  if (!core || !surface || !inner || !outer) return;
  set.thermal.emplace();
  set.thermal->core_J_per_K = *core;
  set.thermal->surface_J_per_K = *surface;
  set.thermal->core_to_surface_W_per_K = *inner;
  set.thermal->surface_to_ambient_W_per_K = *outer;
}

void read_gap(TableReader& root, ElectrochemicalSet& set) {
  const text::TomlNode* node = root.optional_table("hysteresis");
  if (node == nullptr) return;
  TableReader reader(*node, "[hysteresis]", root.diagnostics());
  auto curve = read_curve(reader, "half_gap_V", {0.0, 10.0, "V"});
  auto rate = read_number(reader, "rate", {0.0, 1e5, ""}, true);
  reader.finish();
  if (curve && rate) set.hysteresis = HysteresisSet{std::move(*curve), *rate};
}

// One number of [sei] or [plating]: absent means the default.
template <typename Set>
struct Field {
  std::string_view key;
  double Set::*value;
  Bounds bounds;
};

constexpr std::array kSeiFields = {
    Field<SeiSet>{"initial_thickness_m", &SeiSet::initial_thickness_m, {1e-12, 1e-5, "m"}},
    Field<SeiSet>{"molar_volume_m3_per_mol", &SeiSet::molar_volume_m3_per_mol, {1e-7, 1e-2, "m3/mol"}},
    Field<SeiSet>{"lithium_per_sei", &SeiSet::lithium_per_sei, {0.1, 10.0, ""}},
    Field<SeiSet>{"resistivity_Ohm_m", &SeiSet::resistivity_Ohm_m, {0.0, 1e12, "Ohm m"}},
    Field<SeiSet>{"potential_V", &SeiSet::potential_V, {-1.0, 3.0, "V"}},
    Field<SeiSet>{"transfer_coefficient", &SeiSet::transfer_coefficient, {0.01, 0.99, ""}},
    Field<SeiSet>{"activation_J_per_mol", &SeiSet::activation_J_per_mol, field::kActivation_J_per_mol},
    Field<SeiSet>{"exchange_A_per_m2", &SeiSet::exchange_A_per_m2, {0.0, 10.0, "A/m2"}},
    Field<SeiSet>{"solvent_diffusivity_m2_per_s", &SeiSet::solvent_diffusivity_m2_per_s, {0.0, 1e-10, "m2/s"}},
    Field<SeiSet>{"solvent_mol_per_m3", &SeiSet::solvent_mol_per_m3, {0.0, 1e5, "mol/m3"}},
    Field<SeiSet>{"ec_diffusivity_m2_per_s", &SeiSet::ec_diffusivity_m2_per_s, {1e-40, 1e-10, "m2/s"}},
    Field<SeiSet>{"ec_mol_per_m3", &SeiSet::ec_mol_per_m3, {0.0, 1e5, "mol/m3"}},
    Field<SeiSet>{"ec_rate_m_per_s", &SeiSet::ec_rate_m_per_s, {0.0, 1.0, "m/s"}},
    Field<SeiSet>{
        "interstitial_diffusivity_m2_per_s", &SeiSet::interstitial_diffusivity_m2_per_s, {0.0, 1e-10, "m2/s"}},
    Field<SeiSet>{"interstitial_mol_per_m3", &SeiSet::interstitial_mol_per_m3, {0.0, 1e5, "mol/m3"}},
    Field<SeiSet>{"electron_conductivity_S_per_m", &SeiSet::electron_conductivity_S_per_m, {0.0, 1.0, "S/m"}},
};

constexpr std::array kPlatingFields = {
    Field<PlatingSet>{"rate_m_per_s", &PlatingSet::rate_m_per_s, {0.0, 1.0, "m/s"}},
    Field<PlatingSet>{"transfer_plating", &PlatingSet::transfer_plating, {0.01, 0.99, ""}},
    Field<PlatingSet>{"dead_rate_per_s", &PlatingSet::dead_rate_per_s, {0.0, 1.0, "1/s"}},
    Field<PlatingSet>{"activation_J_per_mol", &PlatingSet::activation_J_per_mol, field::kActivation_J_per_mol},
};

template <typename Set, std::size_t N>
void read_fields(TableReader& reader, const std::array<Field<Set>, N>& fields, Set& set) {
  for (const auto& f : fields) {
    if (auto y = read_number(reader, f.key, f.bounds, false)) set.*f.value = *y;
  }
}

void read_sei(TableReader& root, ElectrochemicalSet& set) {
  const text::TomlNode* node = root.optional_table("sei");
  if (node == nullptr) return;
  TableReader reader(*node, "[sei]", root.diagnostics());
  const std::vector<std::string> words{"reaction", "solvent-diffusion", "ec-reaction", "interstitial",
                                       "electron-migration"};
  SeiSet sei;
  if (const auto word = reader.required_word("law", words)) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i] == *word) sei.law = static_cast<SeiLaw>(i);
    }
  }
  read_fields(reader, kSeiFields, sei);
  reader.finish();
  set.sei = sei;
}

void read_plating(TableReader& root, ElectrochemicalSet& set) {
  const text::TomlNode* node = root.optional_table("plating");
  if (node == nullptr) return;
  TableReader reader(*node, "[plating]", root.diagnostics());
  PlatingSet plating;
  read_fields(reader, kPlatingFields, plating);
  reader.finish();
  set.plating = plating;
}

}  // namespace

void read_side_effects(TableReader& root, ElectrochemicalSet& set) {
  read_heat(root, set);
  read_gap(root, set);
  read_sei(root, set);
  read_plating(root, set);
}

}  // namespace cyclerd::hil
