// Parameters of one kind of cell with insertion electrodes, as the single-particle models take them. Filled by the
// readers (own TOML, BPX); immutable once made.
//
// Functions come as curves on equally spaced knots (found without a search; see sampled()), fine enough that a straight
// line between two knots is as good as the function: 4001 knots over 0..1 for a potential with a knee. Everything is
// at reference_K; temperature enters by e^(E/R (1/T_ref - 1/T)).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "hil/cells/table.hpp"
#include "hil/cells/thermal.hpp"

namespace cyclerd::hil {

class CellModel;

inline constexpr double kFaraday_C_per_mol = 96485.33212;
inline constexpr double kGas_J_per_mol_K = 8.31446261815324;

// Loss of active material; the lithium inside is lost with it.
struct ActiveLoss {
  double per_s = 0.0;                // share of the present material and second, at the reference temperature
  double per_full_throughput = 0.0;  // share per charge equal to the electrode's own capacity (c_max) through it
  double activation_J_per_mol = 0.0;
};

struct ElectrodeSet {
  double thickness_m = 0.0;
  double surface_per_m = 0.0;  // particle surface per volume of electrode (a); 3 active_fraction / radius for spheres
  double radius_m = 0.0;
  double c_max_mol_per_m3 = 0.0;
  double porosity = 0.0;              // electrolyte's share of the volume
  double transport_efficiency = 0.0;  // of the electrolyte in the pores: porosity^bruggeman
  double conductivity_S_per_m = 0.0;  // of the solid, effective; 0: no solid resistance is counted
  double conductivity_activation_J_per_mol = 0.0;
  Curve ocp_V;                 // over stoichiometry, falling; beyond its ends a steep straight line, flagged
  Curve entropic_V_per_K;      // dU/dT over stoichiometry
  Curve diffusivity_m2_per_s;  // over stoichiometry; the SPM takes it at the mean stoichiometry
  double diffusivity_activation_J_per_mol = 0.0;
  Curve exchange_A_per_m2;                     // over surface stoichiometry, at electrolyte.initial_mol_per_m3
  double exchange_electrolyte_exponent = 0.5;  // times (c_e / initial)^exponent
  double exchange_activation_J_per_mol = 0.0;
  double stoichiometry_empty = 0.0;  // at soc 0
  double stoichiometry_full = 0.0;   // at soc 1
  ActiveLoss loss;
  // Of spheres: the share of the electrode's volume that stores lithium.
  [[nodiscard]] double active_fraction() const noexcept { return surface_per_m * radius_m / 3.0; }
};

// A lithium-metal negative electrode: U = 0, never empty.
struct LithiumFoil {
  double exchange_A_per_m2 = 0.0;  // at electrolyte.initial_mol_per_m3
  double exchange_electrolyte_exponent = 0.3;
  double exchange_activation_J_per_mol = 0.0;
  double thickness_m = 0.0;  // of the metal: 0: no solid resistance is counted
  double conductivity_S_per_m = 0.0;
};

struct SeparatorSet {
  double thickness_m = 0.0;
  double porosity = 0.0;
  double transport_efficiency = 0.0;
};

struct ElectrolyteSet {
  double initial_mol_per_m3 = 1000.0;
  // False: a single-ion conductor (solid electrolyte): no salt gradient, only its resistance.
  bool salt_gradient = true;
  Curve diffusivity_m2_per_s;  // all four over salt concentration, mol/m3
  Curve conductivity_S_per_m;
  Curve transference;          // t+
  Curve thermodynamic_factor;  // chi = 1 + dln f/dln c
  double diffusivity_activation_J_per_mol = 0.0;
  double conductivity_activation_J_per_mol = 0.0;
};

// Growth of the interphase on the negative particles. After O'Kane et al.,
// Phys. Chem. Chem. Phys. 24 (2022) 7909.
enum class SeiLaw : std::uint8_t { kReaction, kSolventDiffusion, kEcReaction, kInterstitial, kElectronMigration };

struct SeiSet {
  SeiLaw law = SeiLaw::kSolventDiffusion;
  double initial_thickness_m = 5e-9;  // > 0
  double molar_volume_m3_per_mol = 9.585e-5;
  double lithium_per_sei = 2.0;  // mol of lithium in a mol of interphase
  double resistivity_Ohm_m = 2e5;
  double potential_V = 0.4;           // U_SEI (reaction, electron migration); 0 in the EC law
  double transfer_coefficient = 0.5;  // alpha
  double activation_J_per_mol = 0.0;
  double exchange_A_per_m2 = 1.5e-7;              // reaction
  double solvent_diffusivity_m2_per_s = 2.5e-22;  // solvent diffusion
  double solvent_mol_per_m3 = 2636.0;
  double ec_diffusivity_m2_per_s = 2e-18;  // EC
  double ec_mol_per_m3 = 4541.0;
  double ec_rate_m_per_s = 1e-12;
  double interstitial_diffusivity_m2_per_s = 1e-20;  // interstitial
  double interstitial_mol_per_m3 = 15.0;
  double electron_conductivity_S_per_m = 8.95e-14;  // electron migration
};

// Lithium plated on the negative particles, part of which dies (O'Kane et al. 2022).
struct PlatingSet {
  double rate_m_per_s = 1e-9;      // k_pl
  double transfer_plating = 0.65;  // alpha_p; stripping has 1 - alpha_p
  double dead_rate_per_s = 1e-6;   // gamma_0; 0: wholly reversible. Times initial / present SEI thickness
  double activation_J_per_mol = 0.0;
};

// Empirical gap between charge and discharge (phase change materials), as the equivalent circuit has it.
struct HysteresisSet {
  Curve half_gap_V;   // over soc
  double rate = 0.0;  // gamma of Plett's one-state model, per full charge
};

struct ElectrochemicalSet {
  std::string name;
  double area_m2 = 0.0;  // of electrode pairs, all layers together
  double contact_resistance_Ohm = 0.0;
  double reference_K = 298.15;
  // Temperature that the potentials were measured at (dU/dT counts from here).
  double potential_reference_K = 298.15;
  ElectrodeSet negative;  // without meaning when there is a foil
  SeparatorSet separator;
  ElectrodeSet positive;
  ElectrolyteSet electrolyte;
  std::optional<LithiumFoil> foil;
  std::optional<ThermalSet> thermal;  // none: the cell has the ambient's temperature
  std::optional<SeiSet> sei;          // ageing: SPMe only
  std::optional<PlatingSet> plating;  // SPMe only
  std::optional<HysteresisSet> hysteresis;
  std::uint64_t fingerprint = 0;  // of the set's text

  // Charge to fill an electrode from stoichiometry 0 to 1, A s.
  [[nodiscard]] double electrode_capacity_C(const ElectrodeSet& electrode) const noexcept {
    return kFaraday_C_per_mol * electrode.active_fraction() * electrode.thickness_m * area_m2 *
           electrode.c_max_mol_per_m3;
  }
  // Between soc 0 and 1, as the positive electrode counts it.
  [[nodiscard]] double capacity_C() const noexcept {
    return electrode_capacity_C(positive) * (positive.stoichiometry_empty - positive.stoichiometry_full);
  }
};

// function over [low, high] on `knots` equally spaced knots.
[[nodiscard]] Curve sampled(const std::function<double(double)>& function, double low, double high, std::size_t knots);
// One value everywhere.
[[nodiscard]] Curve constant_curve(double value);

struct StoichiometryWindow {
  double negative_empty = 0.0;
  double positive_empty = 0.0;
  double negative_full = 0.0;
  double positive_full = 0.0;
};

// Open-circuit voltage of electrodes at these stoichiometries, at potential_reference_K.
[[nodiscard]] double open_circuit_V(const ElectrochemicalSet& set, double negative, double positive) noexcept;

// The stoichiometries of soc 0 (open-circuit voltage min_V) and soc 1 (max_V) on the line of constant cyclable lithium
// through a known pair (say, the initial concentrations over c_max). Nothing when no such pair lies inside 0..1; where
// an electrode runs full or empty first, the voltage is not reached and that is nothing as well.
[[nodiscard]] std::optional<StoichiometryWindow> stoichiometry_window(const ElectrochemicalSet& set, double negative,
                                                                      double positive, double min_V, double max_V);
// Puts a window into the set's electrodes.
void set_window(ElectrochemicalSet& set, const StoichiometryWindow& window) noexcept;

// What the model needs to be finite, in words for a finding; nothing when the set is sound. The readers check single
// fields with their places; this is the last net and the contract of SpmCell and SpmeCell.
[[nodiscard]] std::optional<std::string> defect_of(const ElectrochemicalSet& set);

// Single particle per electrode, modal diffusion at the mean diffusivity, no electrolyte, no ageing (spm_cell.cpp).
[[nodiscard]] std::shared_ptr<const CellModel> make_spm_model(ElectrochemicalSet set);
// With electrolyte, diffusivity over concentration, SEI, plating, loss of material (spme_cell.cpp).
[[nodiscard]] std::shared_ptr<const CellModel> make_spme_model(ElectrochemicalSet set);

}  // namespace cyclerd::hil
