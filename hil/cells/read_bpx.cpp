#include "hil/cells/read_bpx.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hil/cells/electrochemical_fields.hpp"
#include "hil/cells/json_nodes.hpp"

namespace cyclerd::hil {
namespace {

using text::TomlNode;

constexpr double kAssumedHeatTransfer_W_per_m2_K = 10.0;  // free convection; BPX before 1.0 has no field for it
constexpr double kAssumedConductivity_W_per_m_K = 1.0;
constexpr double kSurfaceShare = 0.1;  // of the heat capacity: can, tabs, outer windings

// The fields of one section by name; what was not asked for is told in the end.
class Section {
 public:
  Section(const TomlNode* node, std::string pointer, text::Span parent, text::Diagnostics& diagnostics)
      : node_(node), pointer_(std::move(pointer)), parent_(std::move(parent)), diagnostics_(diagnostics) {}

  [[nodiscard]] bool exists() const { return node_ != nullptr; }
  [[nodiscard]] text::Span where() const { return node_ != nullptr ? node_->key : parent_; }
  [[nodiscard]] std::string name() const {
    return pointer_.empty() ? "the file" : fmt::format("\"{}\"", pointer_.substr(pointer_.rfind('/') + 1));
  }
  text::Diagnostics& diagnostics() { return diagnostics_; }

  const TomlNode* optional(std::string_view key) {
    asked_.emplace_back(key);
    return node_ == nullptr ? nullptr : node_->find(key);
  }

  // `purpose` says what the model needs it for.
  const TomlNode* required(std::string_view key, std::string_view purpose) {
    const TomlNode* found = optional(key);
    if (found != nullptr || node_ == nullptr) return found;
    std::vector<std::string> present;
    for (const auto& [name, unused] : node_->members) present.push_back(name);
    const std::string near = text::nearest(key, present);
    diagnostics_.error("C032", where(), fmt::format("{} lacks \"{}\": {}", name(), key, purpose),
                       near.empty() ? fmt::format("add it at {}/{}", pointer_, key)
                                    : fmt::format("is \"{}\" it? It must be written \"{}\"", near, key));
    return nullptr;
  }

  Section section(std::string_view key, std::string_view purpose, bool needed = true) {
    const TomlNode* found = needed ? required(key, purpose) : optional(key);
    if (found != nullptr && !found->is_table()) {
      diagnostics_.error("C031", found->value, fmt::format("\"{}\" must be an object", key),
                         "{ \"field\": value, ... }");
      found = nullptr;
    }
    return {found, fmt::format("{}/{}", pointer_, key), where(), diagnostics_};
  }

  double number(std::string_view key, const Bounds& bounds, std::string_view purpose, double otherwise) {
    return number_of(required(key, purpose), key, bounds).value_or(otherwise);
  }
  std::optional<double> optional_number(std::string_view key, const Bounds& bounds) {
    return number_of(optional(key), key, bounds);
  }
  std::string word(std::string_view key) {
    const TomlNode* found = optional(key);
    return found != nullptr && found->is_string() ? found->string : std::string();
  }

  Curve function(std::string_view key, const FunctionRules& rules, std::string_view purpose, double otherwise,
                 bool needed = true) {
    const TomlNode* found = needed ? required(key, purpose) : optional(key);
    if (found == nullptr) return constant_curve(otherwise);
    auto curve = read_function(*found, field::with_value_key(rules, "y"), fmt::format("\"{}\" of {}", key, name()),
                               diagnostics_);
    return curve ? std::move(*curve) : constant_curve(otherwise);
  }

  void ignore(std::initializer_list<std::string_view> keys) { asked_.insert(asked_.end(), keys.begin(), keys.end()); }

  void finish() {
    if (node_ == nullptr) return;
    for (const auto& [key, value] : node_->members) {
      if (std::find(asked_.begin(), asked_.end(), key) != asked_.end()) continue;
      const std::string near = text::nearest(key, asked_);
      diagnostics_.warning("C034", value.key, fmt::format("\"{}\" of {} is not used", key, name()),
                           near.empty() ? std::string("it has no counterpart in the models of this program")
                                        : fmt::format("did you mean \"{}\"?", near));
    }
  }

 private:
  std::optional<double> number_of(const TomlNode* found, std::string_view key, const Bounds& bounds) {
    if (found == nullptr) return std::nullopt;
    if (!found->is_number()) {
      diagnostics_.error("C031", found->value, fmt::format("\"{}\" of {} must be a number", key, name()),
                         fmt::format("it is read at {}/{}", pointer_, key));
      return std::nullopt;
    }
    const double y = found->number();
    if (y >= bounds.min && y <= bounds.max) return y;
    diagnostics_.error("C004", found->value,
                       fmt::format("\"{}\" of {} is {:g}, allowed is {:g} to {:g} {}", key, name(), y, bounds.min,
                                   bounds.max, bounds.unit),
                       "units are those in the name of the field");
    return std::nullopt;
  }

  const TomlNode* node_;
  std::string pointer_;
  text::Span parent_;
  text::Diagnostics& diagnostics_;
  std::vector<std::string> asked_;
};

// True: single particle without electrolyte.
bool read_header(Section& root, BpxSet& out) {
  Section header = root.section("Header", "it says which version and which model the file is written for");
  if (!header.exists()) return false;
  if (const TomlNode* version = header.required("BPX", "the version of the format")) {
    double major = -1.0;
    if (version->is_number()) major = std::floor(version->number());
    if (version->is_string()) {
      int digits = -1;
      const std::string& s = version->string;
      if (std::from_chars(s.data(), s.data() + s.size(), digits).ec == std::errc()) major = digits;
    }
    if (major < 0.0) {
      header.diagnostics().error("C031", version->value, "\"BPX\" must be a version such as \"1.0.0\" or 0.4");
    } else if (major > 1.0) {
      header.diagnostics().warning("C035", version->value,
                                   fmt::format("version {} of BPX is newer than what this program knows (1.x)", major),
                                   "it is read as 1.x");
    }
  }
  bool single_particle = false;
  if (const TomlNode* model = header.required("Model", "SPM files have no electrolyte, SPMe and DFN files have one")) {
    single_particle = model->is_string() && model->string == "SPM";
    if (!model->is_string() || (!single_particle && model->string != "SPMe" && model->string != "DFN")) {
      header.diagnostics().error("C031", model->value, "\"Model\" must be \"SPM\", \"SPMe\" or \"DFN\"",
                                 "a partial set is not enough for a cell");
    }
  }
  out.title = header.word("Title");
  out.source = header.word("References");
  if (out.source.empty()) out.source = header.word("Description");
  header.ignore({"Description"});
  header.finish();
  return single_particle;
}

struct CellHeat {
  double volume_m3 = 0.0;
  double surface_m2 = 0.0;
  double heat_capacity_J_per_K = 0.0;
  double conductivity_W_per_m_K = kAssumedConductivity_W_per_m_K;
};

CellHeat read_cell(Section& parameters, BpxSet& out, field::Places& places) {
  Section cell = parameters.section("Cell", "area, voltages and capacity");
  CellHeat heat;
  if (!cell.exists()) return heat;
  const double layers = cell.number("Number of electrode pairs connected in parallel to make a cell", {1.0, 1e5, ""},
                                    "it multiplies the electrode area", 1.0);
  out.set.area_m2 = layers * cell.number("Electrode area [m2]", field::kArea_m2, "current per area of electrode", 0.1);
  out.header.voltage_min_V = cell.number("Lower voltage cut-off [V]", {-10.0, 10.0, "V"}, "the voltage of soc 0", 2.0);
  out.header.voltage_max_V = cell.number("Upper voltage cut-off [V]", {-10.0, 10.0, "V"}, "the voltage of soc 1", 4.0);
  out.header.capacity_C =
      3600.0 * cell.number("Nominal cell capacity [A.h]", {1e-6, 1e5, "Ah"}, "C-rates count by it", 1.0);
  out.set.reference_K = cell.optional_number("Reference temperature [K]", {200.0, 500.0, "K"}).value_or(298.15);
  out.set.potential_reference_K = out.set.reference_K;
  places.set = cell.where();
  auto place = [&](std::string_view key) {
    const TomlNode* found = cell.optional(key);
    return found != nullptr ? found->value : cell.where();
  };
  places.voltage_min_key = "Lower voltage cut-off [V]";
  places.voltage_max_key = "Upper voltage cut-off [V]";
  places.voltage_min = place(places.voltage_min_key);
  places.voltage_max = place(places.voltage_max_key);
  places.capacity = place("Nominal cell capacity [A.h]");
  heat.volume_m3 = cell.optional_number("Volume [m3]", {1e-10, 10.0, "m3"}).value_or(0.0);
  heat.surface_m2 = cell.optional_number("External surface area [m2]", {1e-7, 100.0, "m2"}).value_or(0.0);
  const double density = cell.optional_number("Density [kg.m-3]", {10.0, 30000.0, "kg/m3"}).value_or(0.0);
  const double specific =
      cell.optional_number("Specific heat capacity [J.K-1.kg-1]", {10.0, 20000.0, "J/(K kg)"}).value_or(0.0);
  heat.heat_capacity_J_per_K = density * specific * heat.volume_m3;
  heat.conductivity_W_per_m_K = cell.optional_number("Thermal conductivity [W.m-1.K-1]", {1e-3, 1e4, "W/(m K)"})
                                    .value_or(kAssumedConductivity_W_per_m_K);
  cell.ignore({"Ambient temperature [K]", "Initial temperature [K]"});  // a rig says these when it makes a cell
  cell.finish();
  return heat;
}

struct Stoichiometries {
  double low = 0.0;
  double high = 1.0;
};

Stoichiometries read_electrode(Section& parameters, std::string_view key, bool porous, ElectrodeSet& e,
                               text::Span& ocp_place) {
  Section s = parameters.section(key, "half of the cell");
  Stoichiometries out;
  if (!s.exists()) return out;
  if (const TomlNode* blend = s.optional("Particle")) {
    s.diagnostics().error(
        "C033", blend->key, fmt::format("{} is a blend of several active materials", s.name()),
        "the models have one material for each electrode: give the fields of one, or fit an equivalent "
        "circuit to measurements (cycler-hil fit)");
    s.ignore({"Conductivity [S.m-1]", "Thickness [m]", "Porosity", "Transport efficiency"});
    return out;
  }
  e.thickness_m = s.number("Thickness [m]", field::kThickness_m, "volume of the electrode", 1e-4);
  e.radius_m = s.number("Particle radius [m]", field::kRadius_m, "length of diffusion", 1e-6);
  e.surface_per_m =
      s.number("Surface area per unit volume [m-1]", field::kSurface_per_m, "where lithium is exchanged", 1e5);
  e.c_max_mol_per_m3 = s.number("Maximum concentration [mol.m-3]", field::kConcentration_mol_per_m3,
                                "how much lithium fits in", 30000.0);
  out.low = s.number("Minimum stoichiometry", field::kStoichiometry, "range of use", 0.0);
  out.high = s.number("Maximum stoichiometry", field::kStoichiometry, "range of use", 1.0);
  if (!(out.low < out.high)) {
    s.diagnostics().error("C006", s.optional("Maximum stoichiometry")->value,
                          fmt::format("\"Maximum stoichiometry\" of {} must lie above the minimum", s.name()));
  }
  e.ocp_V = field::evenly_spaced(s.function("OCP [V]", field::kPotential, "the potential at rest", 1.0));
  const TomlNode* ocp = s.optional("OCP [V]");
  ocp_place = ocp != nullptr ? ocp->value : s.where();
  e.entropic_V_per_K = s.function("Entropic change coefficient [V.K-1]", field::kEntropy, "", 0.0, false);
  e.diffusivity_m2_per_s = s.function("Diffusivity [m2.s-1]", field::kDiffusivity, "diffusion in the particles", 1e-14);
  e.exchange_A_per_m2 = constant_curve(1.0);
  const double rate =
      s.number("Reaction rate constant [mol.m-2.s-1]", field::kRate_mol_per_m2_s, "speed of the reaction", 1e-6);
  e.exchange_A_per_m2 = field::exchange_curve(constant_curve(kFaraday_C_per_mol * rate));
  auto activation = [&](std::string_view name) {
    return s.optional_number(name, field::kActivation_J_per_mol).value_or(0.0);
  };
  e.diffusivity_activation_J_per_mol = activation("Diffusivity activation energy [J.mol-1]");
  e.exchange_activation_J_per_mol = activation("Reaction rate constant activation energy [J.mol-1]");
  // A single-particle model has no use for these three.
  e.porosity = e.transport_efficiency = 1e-3;
  if (porous) {
    e.porosity = s.number("Porosity", field::kFraction, "how much electrolyte is in it", 0.3);
    e.transport_efficiency =
        s.number("Transport efficiency", field::kFraction, "how well the electrolyte in it conducts", 0.3);
    e.conductivity_S_per_m =
        s.number("Conductivity [S.m-1]", field::kConductivity_S_per_m, "how well the solid conducts", 1.0);
  } else {
    s.ignore({"Porosity", "Transport efficiency", "Conductivity [S.m-1]"});
  }
  s.finish();
  return out;
}

void read_separator(Section& parameters, SeparatorSet& out) {
  Section s = parameters.section("Separator", "electrolyte between the electrodes");
  if (!s.exists()) return;
  out.thickness_m = s.number("Thickness [m]", field::kThickness_m, "how far ions travel", 2e-5);
  out.porosity = s.number("Porosity", field::kFraction, "how much electrolyte is in it", 0.5);
  out.transport_efficiency =
      s.number("Transport efficiency", field::kFraction, "how well the electrolyte in it conducts", 0.3);
  s.finish();
}

// BPX 1.0 moved the salt concentration and the cooling out of the parameters.
struct State {
  std::optional<double> salt_mol_per_m3;
  std::optional<double> heat_transfer_W_per_m2_K;
};

State read_state(Section& root) {
  State out;
  Section state = root.section("State", "", false);
  if (!state.exists()) return out;
  Section initial = state.section("Initial conditions", "", false);
  out.salt_mol_per_m3 = initial.optional_number("Initial electrolyte concentration [mol.m-3]", field::kSalt_mol_per_m3);
  initial.ignore({"Initial state-of-charge", "Initial temperature [K]"});  // a rig says these
  initial.finish();
  Section thermal = state.section("Thermal environment", "", false);
  out.heat_transfer_W_per_m2_K =
      thermal.optional_number("Heat transfer coefficient [W.m-2.K-1]", {0.01, 1e5, "W/(m2 K)"});
  thermal.ignore({"Ambient temperature [K]"});
  thermal.finish();
  state.finish();
  return out;
}

void read_electrolyte(Section& parameters, const State& state, ElectrolyteSet& e) {
  Section s = parameters.section("Electrolyte", "transport of salt and charge");
  if (!s.exists()) return;
  const std::string_view salt = "Initial concentration [mol.m-3]";
  if (state.salt_mol_per_m3) {
    e.initial_mol_per_m3 = *state.salt_mol_per_m3;
    s.ignore({salt});
  } else {
    e.initial_mol_per_m3 = s.number(salt, field::kSalt_mol_per_m3,
                                    "how much salt there is (from BPX 1.0 on in /State/Initial conditions)", 1000.0);
  }
  e.transference = constant_curve(s.number("Cation transference number", {-5.0, 1.0, ""}, "salt gradients", 0.3));
  e.thermodynamic_factor = constant_curve(1.0);
  auto over_salt = [&](std::string_view key, const FunctionRules& rules, std::string_view purpose, double otherwise) {
    return s.function(key, field::at_salt(rules, e.initial_mol_per_m3), purpose, otherwise);
  };
  e.diffusivity_m2_per_s = over_salt("Diffusivity [m2.s-1]", field::kSaltDiffusivity, "diffusion of the salt", 1e-10);
  e.conductivity_S_per_m =
      over_salt("Conductivity [S.m-1]", field::kSaltConductivity, "resistance of the electrolyte", 1.0);
  e.diffusivity_activation_J_per_mol =
      s.optional_number("Diffusivity activation energy [J.mol-1]", field::kActivation_J_per_mol).value_or(0.0);
  e.conductivity_activation_J_per_mol =
      s.optional_number("Conductivity activation energy [J.mol-1]", field::kActivation_J_per_mol).value_or(0.0);
  s.finish();
}

// A slab that is heated evenly and cooled on both sides: from its mean temperature to its surface d/(3 lambda A), half
// thickness d = V/A.
void set_heat(const CellHeat& cell, const State& state, ElectrochemicalSet& set) {
  if (cell.heat_capacity_J_per_K <= 0.0 || cell.surface_m2 <= 0.0) return;
  set.thermal.emplace();
  set.thermal->core_J_per_K = (1.0 - kSurfaceShare) * cell.heat_capacity_J_per_K;
  set.thermal->surface_J_per_K = kSurfaceShare * cell.heat_capacity_J_per_K;
  set.thermal->core_to_surface_W_per_K =
      3.0 * cell.conductivity_W_per_m_K * cell.surface_m2 * cell.surface_m2 / cell.volume_m3;
  set.thermal->surface_to_ambient_W_per_K =
      state.heat_transfer_W_per_m2_K.value_or(kAssumedHeatTransfer_W_per_m2_K) * cell.surface_m2;
}

}  // namespace

std::optional<BpxSet> read_bpx(const text::SourcePtr& source, std::uint64_t fingerprint,
                               text::Diagnostics& diagnostics) {
  const std::size_t before = diagnostics.error_count();
  const auto document = parse_json(source, diagnostics);
  if (!document) return std::nullopt;
  BpxSet out;
  out.set.fingerprint = out.header.fingerprint = fingerprint;
  Section root(&*document, "", document->value, diagnostics);
  out.electrolyte = !read_header(root, out);
  const State state = read_state(root);
  Section parameters = root.section("Parameterisation", "the numbers of the cell");
  if (!parameters.exists()) return std::nullopt;
  field::Places places;
  const CellHeat cell = read_cell(parameters, out, places);
  const auto negative =
      read_electrode(parameters, "Negative electrode", out.electrolyte, out.set.negative, places.negative_ocp);
  const auto positive =
      read_electrode(parameters, "Positive electrode", out.electrolyte, out.set.positive, places.positive_ocp);
  if (out.electrolyte) {
    read_electrolyte(parameters, state, out.set.electrolyte);
    read_separator(parameters, out.set.separator);
  } else {
    out.set.separator = {1e-5, 0.5, 0.5};  // without meaning in a single-particle model
    out.set.electrolyte.diffusivity_m2_per_s = constant_curve(1e-10);
    out.set.electrolyte.conductivity_S_per_m = out.set.electrolyte.thermodynamic_factor = constant_curve(1.0);
    parameters.ignore({"Electrolyte", "Separator"});
  }
  if (const TomlNode* own = parameters.optional("User-defined"); own != nullptr) {
    diagnostics.warning("C034", own->key, "\"User-defined\" fields are not used",
                        "they mean something only to whoever wrote them");
  }
  parameters.finish();
  root.ignore({"Validation"});  // measured curves, for comparisons
  root.finish();
  if (diagnostics.error_count() != before) return std::nullopt;
  if (!(out.header.voltage_min_V < out.header.voltage_max_V)) {
    diagnostics.error("C004", places.voltage_max, "the upper voltage cut-off must lie above the lower one");
    return std::nullopt;
  }
  set_heat(cell, state, out.set);
  field::complete(out.set, out.header, {negative.high, positive.low}, places, diagnostics);
  if (diagnostics.error_count() != before) return std::nullopt;
  return out;
}

}  // namespace cyclerd::hil
