// One electrode as the single-particle models use it: what follows from its parameters, and its potential against the
// electrolyte at a given current. Fluxes are in stoichiometry: g = inward molar flux / c_max, m/s.
#pragma once

#include <cstdint>

#include "hil/cells/electrochemical_set.hpp"
#include "hil/cells/uniform_curve.hpp"

namespace cyclerd::hil {

// Stoichiometries are held inside this range, far beyond what a particle can have: past 0 and 1 the potential runs on
// straight, so that the voltage goes on falling, and lithium stays conserved.
inline constexpr double kStoichiometryMin = -0.5;
inline constexpr double kStoichiometryMax = 1.5;

struct Electrode {
  bool foil = false;
  double sign = 1.0;              // current density out of the particle per charge current: positive +1, negative -1
  double density_per_A = 0.0;     // outward current density, A/m2 of particle surface per A of charge current
  double flux_per_density = 0.0;  // inward flux g per outward current density, m/s per A/m2 (< 0)
  double capacity_C = 0.0;        // from stoichiometry 0 to 1
  double radius_m = 1.0;
  double surface_m2 = 0.0;  // of all particles
  UniformCurve ocp_V, entropic_V_per_K, diffusivity_m2_per_s, exchange_A_per_m2;
  double ocp_slope_below_V = 0.0, ocp_slope_above_V = 0.0;  // per stoichiometry, beyond the table (< 0)
  double exchange_floor_A_per_m2 = 0.0;
  double exchange_electrolyte_exponent = 0.5;
  double diffusivity_activation_K = 0.0, exchange_activation_K = 0.0, conductivity_activation_K = 0.0;
  double solid_Ohm = 0.0;  // at the reference temperature
  double empty = 0.0, full = 0.0;
  ActiveLoss loss;
};

[[nodiscard]] Electrode negative_electrode(const ElectrochemicalSet& set);
[[nodiscard]] Electrode positive_electrode(const ElectrochemicalSet& set);

// Surface stoichiometry as it answers to a flux at this instant.
struct Surface {
  double at_rest = 0.5;
  double per_flux_s_per_m = 0.0;
};

// What the temperature and the electrolyte make of an electrode's reaction.
struct Kinetics {
  double two_RT_F_V = 0.0514;
  double exchange_scale = 1.0;
  double above_reference_K = 0.0;  // temperature against that of the potentials
};

struct ElectrodePotential {
  double potential_V = 0.0;
  double slope_Ohm_m2 = 0.0;         // over the outward current density at this instant, > 0
  double per_stoichiometry_V = 0.0;  // over the surface stoichiometry at the same current
  double stoichiometry = 0.0;
};

// Open-circuit potential at a stoichiometry.
[[nodiscard]] double open_circuit_V(const Electrode& electrode, double stoichiometry,
                                    double above_reference_K) noexcept;
// Solid minus electrolyte at the particle's surface with an outward current density through it. Stoichiometries outside
// the tables are flagged.
[[nodiscard]] ElectrodePotential potential(const Electrode& electrode, const Surface& surface, const Kinetics& kinetics,
                                           double density_A_per_m2, std::uint32_t& flags) noexcept;

// e^(E/R (1/T_ref - 1/T)), 1 without an activation.
[[nodiscard]] double arrhenius(double activation_K, double inverse_reference_minus_inverse) noexcept;

}  // namespace cyclerd::hil
