#include "hil/cells/electrode.hpp"

#include <algorithm>
#include <cmath>

#include "hil/cells/cell.hpp"

namespace cyclerd::hil {
namespace {

// Beyond the table a potential runs on at least this steeply, and at most so.
constexpr double kEndSlopeMin_V = 5.0, kEndSlopeMax_V = 50.0;
// A particle that is full or empty has no exchange current left, and no finite voltage; this share of its largest is
// kept.
constexpr double kExchangeFloor = 1e-4;

double end_slope(const UniformCurve& ocp, double x) {
  return -std::clamp(std::abs(ocp.point(x).slope), kEndSlopeMin_V, kEndSlopeMax_V);
}

Electrode particles(const ElectrochemicalSet& set, const ElectrodeSet& e, double sign) {
  Electrode out;
  out.sign = sign;
  out.surface_m2 = e.surface_per_m * e.thickness_m * set.area_m2;
  out.density_per_A = sign / out.surface_m2;
  out.flux_per_density = -1.0 / (kFaraday_C_per_mol * e.c_max_mol_per_m3);
  out.capacity_C = set.electrode_capacity_C(e);
  out.radius_m = e.radius_m;
  out.ocp_V = UniformCurve(e.ocp_V);
  out.entropic_V_per_K = UniformCurve(e.entropic_V_per_K);
  out.diffusivity_m2_per_s = UniformCurve(e.diffusivity_m2_per_s);
  out.exchange_A_per_m2 = UniformCurve(e.exchange_A_per_m2);
  out.ocp_slope_below_V = end_slope(out.ocp_V, out.ocp_V.low());
  out.ocp_slope_above_V = end_slope(out.ocp_V, out.ocp_V.high());
  out.exchange_floor_A_per_m2 = kExchangeFloor * *std::ranges::max_element(e.exchange_A_per_m2.values());
  out.exchange_electrolyte_exponent = e.exchange_electrolyte_exponent;
  out.diffusivity_activation_K = e.diffusivity_activation_J_per_mol / kGas_J_per_mol_K;
  out.exchange_activation_K = e.exchange_activation_J_per_mol / kGas_J_per_mol_K;
  out.conductivity_activation_K = e.conductivity_activation_J_per_mol / kGas_J_per_mol_K;
  if (e.conductivity_S_per_m > 0.0) out.solid_Ohm = e.thickness_m / (3.0 * e.conductivity_S_per_m * set.area_m2);
  out.empty = e.stoichiometry_empty;
  out.full = e.stoichiometry_full;
  out.loss = e.loss;
  return out;
}

}  // namespace

Electrode positive_electrode(const ElectrochemicalSet& set) {
  return particles(set, set.positive, 1.0);
}

Electrode negative_electrode(const ElectrochemicalSet& set) {
  if (!set.foil) return particles(set, set.negative, -1.0);
  Electrode out;
  out.foil = true;
  out.sign = -1.0;
  out.surface_m2 = set.area_m2;
  out.density_per_A = -1.0 / set.area_m2;
  out.exchange_A_per_m2 = UniformCurve(constant_curve(set.foil->exchange_A_per_m2));
  out.diffusivity_m2_per_s = UniformCurve(constant_curve(1.0));
  out.exchange_floor_A_per_m2 = kExchangeFloor * set.foil->exchange_A_per_m2;
  out.exchange_electrolyte_exponent = set.foil->exchange_electrolyte_exponent;
  out.exchange_activation_K = set.foil->exchange_activation_J_per_mol / kGas_J_per_mol_K;
  if (set.foil->conductivity_S_per_m > 0.0)
    out.solid_Ohm = set.foil->thickness_m / (set.foil->conductivity_S_per_m * set.area_m2);
  out.empty = out.full = 0.5;
  return out;
}

namespace {

UniformCurve::Point ocp_point(const Electrode& e, double stoichiometry) noexcept {
  UniformCurve::Point p = e.ocp_V.point(stoichiometry);
  if (p.side < 0) {
    p.slope = e.ocp_slope_below_V;
    p.y += p.slope * (stoichiometry - e.ocp_V.low());
  } else if (p.side > 0) {
    p.slope = e.ocp_slope_above_V;
    p.y += p.slope * (stoichiometry - e.ocp_V.high());
  }
  return p;
}

}  // namespace

double open_circuit_V(const Electrode& e, double stoichiometry, double above_reference_K) noexcept {
  const double x = std::clamp(stoichiometry, kStoichiometryMin, kStoichiometryMax);
  return ocp_point(e, x).y + above_reference_K * e.entropic_V_per_K.at(x);
}

ElectrodePotential potential(const Electrode& e, const Surface& surface, const Kinetics& kinetics,
                             double density_A_per_m2, std::uint32_t& flags) noexcept {
  double per_density = surface.per_flux_s_per_m * e.flux_per_density;
  double x = surface.at_rest + per_density * density_A_per_m2;
  if (x < kStoichiometryMin || x > kStoichiometryMax) {
    x = std::clamp(x, kStoichiometryMin, kStoichiometryMax);
    per_density = 0.0;
  }
  const UniformCurve::Point ocp = ocp_point(e, x);
  if (ocp.side != 0 || (!e.foil && (x < 0.0 || x > 1.0))) {
    const bool starved = x < 0.5;  // of lithium: the negative one when the cell is empty, the positive when overfull
    flags |= cell_flag::kModelLimit | (starved == (e.sign < 0.0) ? cell_flag::kSocBelow : cell_flag::kSocAbove);
  }
  ElectrodePotential out;
  out.stoichiometry = x;
  out.potential_V = ocp.y;
  double slope = ocp.slope;
  if (kinetics.above_reference_K != 0.0) {
    const UniformCurve::Point entropic = e.entropic_V_per_K.point(x);
    out.potential_V += kinetics.above_reference_K * entropic.y;
    if (entropic.side == 0) slope += kinetics.above_reference_K * entropic.slope;
  }
  UniformCurve::Point exchange = e.exchange_A_per_m2.point(x);
  if (exchange.side != 0) exchange.slope = 0.0;
  if (exchange.y < e.exchange_floor_A_per_m2) exchange = {e.exchange_floor_A_per_m2, 0.0, 0};
  const double j0 = kinetics.exchange_scale * exchange.y;
  const double z = density_A_per_m2 / (2.0 * j0);
  const double root = std::sqrt(1.0 + z * z);
  // asinh z without cancellation
  out.potential_V += kinetics.two_RT_F_V * std::copysign(std::log1p(std::abs(z) + z * z / (1.0 + root)), z);
  out.per_stoichiometry_V = slope - kinetics.two_RT_F_V * z / root * exchange.slope / exchange.y;
  out.slope_Ohm_m2 = std::max(out.per_stoichiometry_V * per_density + kinetics.two_RT_F_V * 0.5 / (j0 * root), 1e-12);
  return out;
}

double arrhenius(double activation_K, double inverse_reference_minus_inverse) noexcept {
  return activation_K == 0.0 ? 1.0 : std::exp(activation_K * inverse_reference_minus_inverse);
}

}  // namespace cyclerd::hil
