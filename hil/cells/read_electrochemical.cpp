// The tables of a set with model = "spm" or "spme". [sei], [plating], [hysteresis], [thermal]: read_side_effects.cpp.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "hil/cells/cell_model.hpp"
#include "hil/cells/electrochemical_fields.hpp"
#include "hil/cells/electrochemical_set.hpp"
#include "hil/cells/read_side_effects.hpp"

namespace cyclerd::hil {
namespace {

using text::TableReader;

// Exactly one of two or more ways to say the same.
template <std::size_t N>
std::string_view one_of(TableReader& reader, const std::array<std::string_view, N>& keys, std::string_view what) {
  std::string_view found;
  std::string all;
  int count = 0;
  for (std::string_view key : keys) {
    all += fmt::format("{}`{}`", all.empty() ? "" : ", ", key);
    if (reader.optional(key) == nullptr) continue;
    ++count;
    found = key;
  }
  if (count == 1) return found;
  reader.diagnostics().error(
      "C028", reader.where(),
      fmt::format("{} {} {}", reader.what(), count == 0 ? "does not say" : "says more than once", what),
      fmt::format("give exactly one of {}", all));
  return {};
}

double number(TableReader& reader, std::string_view key, const Bounds& bounds, double otherwise, bool required = true) {
  return read_number(reader, key, bounds, required).value_or(otherwise);
}

// In micrometres in the file.
double micrometres(TableReader& reader, std::string_view key, const Bounds& bounds_m) {
  return 1e-6 * number(reader, key, {bounds_m.min * 1e6, bounds_m.max * 1e6, "um"}, 10.0);
}

Curve function(TableReader& reader, std::string_view key, const FunctionRules& rules, double otherwise,
               bool required = true) {
  const text::TomlNode* node = required ? reader.required(key) : reader.optional(key);
  if (node == nullptr) return constant_curve(otherwise);
  auto curve = read_function(*node, rules, fmt::format("`{}` of {}", key, reader.what()), reader.diagnostics());
  return curve ? std::move(*curve) : constant_curve(otherwise);
}

double transport_efficiency(TableReader& reader, double porosity) {
  const auto key =
      one_of(reader, std::array<std::string_view, 2>{"bruggeman", "transport_efficiency"}, "how its pores conduct");
  if (key == "bruggeman") return std::pow(porosity, number(reader, key, field::kBruggeman, 1.5));
  return key.empty() ? 1.0 : number(reader, key, field::kFraction, 1.0);
}

void read_exchange(TableReader& reader, ElectrodeSet& e, double salt_mol_per_m3) {
  const auto key = one_of(reader,
                          std::array<std::string_view, 4>{"exchange_A_per_m2", "exchange_factor_A_m2p5_per_mol1p5",
                                                          "rate_mol_per_m2_s", "rate_m_per_s"},
                          "how fast it reacts");
  if (key == "exchange_A_per_m2") {
    e.exchange_A_per_m2 = function(reader, key, field::kExchange, 1.0);
  } else if (key == "exchange_factor_A_m2p5_per_mol1p5") {
    const double factor = number(reader, key, {1e-14, 1.0, "A m2.5/mol1.5"}, 1e-6);
    e.exchange_A_per_m2 =
        field::exchange_curve(constant_curve(factor * std::sqrt(salt_mol_per_m3) * e.c_max_mol_per_m3));
  } else if (!key.empty()) {
    // mol/(m2 s) at the largest concentration, or m/s times that concentration.
    const bool per_concentration = key == "rate_m_per_s";
    FunctionRules rules = field::kRate;
    if (per_concentration) rules.bounds = {1e-20, 1.0, "m/s"};
    const Curve rate = function(reader, key, rules, 1e-6);
    std::vector<double> factor = rate.values();
    for (double& y : factor) y *= kFaraday_C_per_mol * (per_concentration ? e.c_max_mol_per_m3 : 1.0);
    e.exchange_A_per_m2 = field::exchange_curve(Curve(rate.axis(), std::move(factor)));
  }
  e.exchange_electrolyte_exponent = number(reader, "exchange_electrolyte_exponent", {0.0, 1.0, ""}, 0.5, false);
  e.exchange_activation_J_per_mol =
      number(reader, "exchange_activation_J_per_mol", field::kActivation_J_per_mol, 0.0, false);
}

void read_loss(TableReader& electrode, ActiveLoss& loss, const std::string& name) {
  const text::TomlNode* node = electrode.optional_table("loss");
  if (node == nullptr) return;
  TableReader reader(*node, name, electrode.diagnostics());
  loss.per_s = number(reader, "per_s", {0.0, 1e-3, "1/s"}, 0.0, false);
  loss.per_full_throughput = number(reader, "per_full_throughput", {0.0, 1.0, ""}, 0.0, false);
  loss.activation_J_per_mol = number(reader, "activation_J_per_mol", field::kActivation_J_per_mol, 0.0, false);
  reader.finish();
}

// Returns a stoichiometry that the electrode has when the other has its own.
double read_electrode(TableReader& root, std::string_view key, ElectrodeSet& e, double salt_mol_per_m3) {
  const text::TomlNode* node = root.required_table(key);
  if (node == nullptr) return 0.5;
  TableReader reader(*node, fmt::format("[{}]", key), root.diagnostics());
  e.thickness_m = micrometres(reader, "thickness_um", field::kThickness_m);
  e.radius_m = micrometres(reader, "radius_um", field::kRadius_m);
  e.porosity = number(reader, "porosity", field::kFraction, 0.3);
  const auto amount = one_of(reader, std::array<std::string_view, 2>{"active_fraction", "surface_per_m"},
                             "how much active material it has");
  if (amount == "surface_per_m") {
    e.surface_per_m = number(reader, amount, field::kSurface_per_m, 1e5);
  } else if (!amount.empty()) {
    e.surface_per_m = 3.0 * number(reader, amount, field::kFraction, 0.5) / e.radius_m;
  }
  e.c_max_mol_per_m3 = number(reader, "c_max_mol_per_m3", field::kConcentration_mol_per_m3, 30000.0);
  e.transport_efficiency = transport_efficiency(reader, e.porosity);
  e.conductivity_S_per_m = number(reader, "conductivity_S_per_m", field::kConductivity_S_per_m, 0.0, false);
  e.conductivity_activation_J_per_mol =
      number(reader, "conductivity_activation_J_per_mol", field::kActivation_J_per_mol, 0.0, false);
  e.ocp_V = field::evenly_spaced(function(reader, "ocp_V", field::kPotential, 1.0));
  e.entropic_V_per_K = function(reader, "entropic_V_per_K", field::kEntropy, 0.0, false);
  e.diffusivity_m2_per_s = function(reader, "diffusivity_m2_per_s", field::kDiffusivity, 1e-14);
  e.diffusivity_activation_J_per_mol =
      number(reader, "diffusivity_activation_J_per_mol", field::kActivation_J_per_mol, 0.0, false);
  read_exchange(reader, e, salt_mol_per_m3);
  read_loss(reader, e.loss, fmt::format("[{}.loss]", key));
  const auto known = one_of(reader, std::array<std::string_view, 2>{"initial_stoichiometry", "initial_mol_per_m3"},
                            "how much lithium it holds in the state that both electrodes are described in");
  double stoichiometry = 0.5;
  if (known == "initial_stoichiometry") stoichiometry = number(reader, known, field::kStoichiometry, 0.5);
  if (known == "initial_mol_per_m3")
    stoichiometry =
        number(reader, known, {0.0, e.c_max_mol_per_m3, "mol/m3"}, 0.5 * e.c_max_mol_per_m3) / e.c_max_mol_per_m3;
  reader.finish();
  return stoichiometry;
}

void read_foil(TableReader& root, ElectrochemicalSet& set) {
  TableReader reader(*root.required_table("lithium_foil"), "[lithium_foil]", root.diagnostics());
  LithiumFoil foil;
  foil.exchange_A_per_m2 = number(reader, "exchange_A_per_m2", {1e-6, 1e6, "A/m2"}, 1.0);
  foil.exchange_electrolyte_exponent =
      number(reader, "exchange_electrolyte_exponent", {0.0, 1.0, ""}, foil.exchange_electrolyte_exponent, false);
  foil.exchange_activation_J_per_mol =
      number(reader, "exchange_activation_J_per_mol", field::kActivation_J_per_mol, 0.0, false);
  if (reader.optional("thickness_um") != nullptr) {
    foil.thickness_m = micrometres(reader, "thickness_um", field::kThickness_m);
    foil.conductivity_S_per_m = number(reader, "conductivity_S_per_m", field::kConductivity_S_per_m, 0.0);
  }
  reader.finish();
  set.foil = foil;
}

void read_separator(TableReader& root, SeparatorSet& s) {
  const text::TomlNode* node = root.required_table("separator");
  if (node == nullptr) return;
  TableReader reader(*node, "[separator]", root.diagnostics());
  s.thickness_m = micrometres(reader, "thickness_um", field::kThickness_m);
  s.porosity = number(reader, "porosity", field::kFraction, 0.5);
  s.transport_efficiency = transport_efficiency(reader, s.porosity);
  reader.finish();
}

void read_electrolyte(TableReader& root, ElectrolyteSet& e) {
  const text::TomlNode* node = root.required_table("electrolyte");
  if (node == nullptr) return;
  TableReader reader(*node, "[electrolyte]", root.diagnostics());
  e.initial_mol_per_m3 = number(reader, "initial_mol_per_m3", field::kSalt_mol_per_m3, 1000.0);
  e.salt_gradient = reader.optional_bool("salt_gradient").value_or(true);
  auto over_salt = [&](std::string_view key, const FunctionRules& rules, double otherwise, bool required) {
    return function(reader, key, field::at_salt(rules, e.initial_mol_per_m3), otherwise, required);
  };
  e.conductivity_S_per_m = over_salt("conductivity_S_per_m", field::kSaltConductivity, 1.0, true);
  e.conductivity_activation_J_per_mol =
      number(reader, "conductivity_activation_J_per_mol", field::kActivation_J_per_mol, 0.0, false);
  e.diffusivity_m2_per_s = over_salt("diffusivity_m2_per_s", field::kSaltDiffusivity, 1e-10, e.salt_gradient);
  e.diffusivity_activation_J_per_mol =
      number(reader, "diffusivity_activation_J_per_mol", field::kActivation_J_per_mol, 0.0, false);
  e.transference = over_salt("transference", field::kTransference, 1.0, e.salt_gradient);
  e.thermodynamic_factor = over_salt("thermodynamic_factor", field::kThermodynamicFactor, 1.0, false);
  reader.finish();
}

void read_cell(TableReader& root, ElectrochemicalSet& set) {
  const text::TomlNode* node = root.required_table("cell");
  if (node == nullptr) return;
  TableReader reader(*node, "[cell]", root.diagnostics());
  set.area_m2 = number(reader, "electrode_area_m2", field::kArea_m2, 0.1);
  set.contact_resistance_Ohm =
      read_bounded(reader, "contact_resistance", text::dimension::kResistance, 0.0, 1e6, false).value_or(0.0);
  reader.finish();
}

text::Span place_of(TableReader& root, std::string_view table, std::string_view key) {
  const text::TomlNode* node = &root.node();
  for (std::string_view name : {table, key}) {
    if (name.empty()) continue;
    const text::TomlNode* next = node->find(name);
    if (next == nullptr) break;
    node = next;
  }
  return node == &root.node() ? root.where() : node->value;
}

std::optional<ElectrochemicalSet> read_set(TableReader& root, const SetHeader& header) {
  text::Diagnostics& diagnostics = root.diagnostics();
  const std::size_t before = diagnostics.error_count();
  ElectrochemicalSet set;
  set.fingerprint = header.fingerprint;
  auto temperature = [&](std::string_view key) {
    return read_bounded(root, key, text::dimension::kTemperature, -50.0, 200.0, false);
  };
  set.reference_K = temperature("reference_temperature").value_or(25.0) + 273.15;
  set.potential_reference_K =
      temperature("potential_reference_temperature").value_or(set.reference_K - 273.15) + 273.15;
  read_cell(root, set);
  read_electrolyte(root, set.electrolyte);
  field::KnownPair pair;
  if (root.optional("lithium_foil") != nullptr) {
    read_foil(root, set);
  } else {
    pair.negative = read_electrode(root, "negative", set.negative, set.electrolyte.initial_mol_per_m3);
  }
  read_separator(root, set.separator);
  pair.positive = read_electrode(root, "positive", set.positive, set.electrolyte.initial_mol_per_m3);
  read_side_effects(root, set);
  for (auto [key, value] :
       {std::pair("voltage_min", header.voltage_min_V), std::pair("voltage_max", header.voltage_max_V)}) {
    if (std::isnan(value) && root.node().find(key) == nullptr) (void)root.required(key);
  }
  if (diagnostics.error_count() != before || !(header.voltage_min_V < header.voltage_max_V)) return std::nullopt;
  field::Places places;
  places.set = root.where();
  places.negative_ocp = place_of(root, "negative", "ocp_V");
  places.positive_ocp = place_of(root, "positive", "ocp_V");
  places.voltage_min = place_of(root, {}, "voltage_min");
  places.voltage_max = place_of(root, {}, "voltage_max");
  places.capacity = place_of(root, {}, "capacity");
  places.voltage_min_key = "voltage_min";
  places.voltage_max_key = "voltage_max";
  field::complete(set, header, pair, places, diagnostics);
  if (diagnostics.error_count() != before) return std::nullopt;
  return set;
}

}  // namespace

std::shared_ptr<const CellModel> read_spm_model(text::TableReader& root, const SetHeader& header) {
  auto set = read_set(root, header);
  return set ? make_spm_model(std::move(*set)) : nullptr;
}

std::shared_ptr<const CellModel> read_spme_model(text::TableReader& root, const SetHeader& header) {
  auto set = read_set(root, header);
  return set ? make_spme_model(std::move(*set)) : nullptr;
}

}  // namespace cyclerd::hil
