// Chen et al., J. Electrochem. Soc. 167 (2020) 080534: LG M50, from the equations; the stock initial concentrations
// (29866, 17038 mol/m3) are soc 1 here. Isothermal, no ageing.
#pragma once

#include <cmath>
#include <memory>

#include "hil/cells/electrochemical_set.hpp"
#include "hil/cells/insertion_cell.hpp"

namespace cyclerd::hil::test {

inline constexpr double kChenNegative = 29866.0 / 33133.0, kChenPositive = 17038.0 / 63104.0;

inline Curve nyman_diffusivity() {
  return sampled(
      [](double c) {
        const double x = 1e-3 * c;
        return 8.794e-11 * x * x - 3.972e-10 * x + 4.862e-10;
      },
      1.0, 4000.0, 4000);
}

inline Curve nyman_conductivity() {
  return sampled(
      [](double c) {
        const double x = 1e-3 * c;
        return 0.1297 * x * x * x - 2.51 * std::pow(x, 1.5) + 3.329 * x;
      },
      1.0, 4000.0, 4000);
}

// m sqrt(c_e c (c_max - c)) at c_e = 1000 mol/m3
inline Curve exchange_of(double m, double c_max) {
  return sampled([=](double x) { return m * std::sqrt(1000.0) * c_max * std::sqrt(x * (1.0 - x)); }, 0.0, 1.0, 4001);
}

inline ElectrochemicalSet chen2020() {
  ElectrochemicalSet s;
  s.name = "chen2020";
  s.area_m2 = 0.065 * 1.58;
  ElectrodeSet& n = s.negative;
  n.thickness_m = 85.2e-6;
  n.radius_m = 5.86e-6;
  n.surface_per_m = 3.0 * 0.75 / n.radius_m;
  n.c_max_mol_per_m3 = 33133.0;
  n.porosity = 0.25;
  n.transport_efficiency = std::pow(0.25, 1.5);
  n.conductivity_S_per_m = 215.0;
  n.ocp_V = sampled(
      [](double x) {
        return 1.9793 * std::exp(-39.3631 * x) + 0.2482 - 0.0909 * std::tanh(29.8538 * (x - 0.1234)) -
               0.04478 * std::tanh(14.9159 * (x - 0.2769)) - 0.0205 * std::tanh(30.4444 * (x - 0.6103));
      },
      0.0, 1.0, 4001);
  n.entropic_V_per_K = constant_curve(0.0);
  n.diffusivity_m2_per_s = constant_curve(3.3e-14);
  n.diffusivity_activation_J_per_mol = 30300.0;
  n.exchange_A_per_m2 = exchange_of(6.48e-7, n.c_max_mol_per_m3);
  n.exchange_activation_J_per_mol = 35000.0;
  n.stoichiometry_full = kChenNegative;
  ElectrodeSet& p = s.positive;
  p.thickness_m = 75.6e-6;
  p.radius_m = 5.22e-6;
  p.surface_per_m = 3.0 * 0.665 / p.radius_m;
  p.c_max_mol_per_m3 = 63104.0;
  p.porosity = 0.335;
  p.transport_efficiency = std::pow(0.335, 1.5);
  p.conductivity_S_per_m = 0.18;
  p.ocp_V = sampled(
      [](double y) {
        return -0.8090 * y + 4.4875 - 0.0428 * std::tanh(18.5138 * (y - 0.5542)) -
               17.7326 * std::tanh(15.7890 * (y - 0.3117)) + 17.5842 * std::tanh(15.9308 * (y - 0.3120));
      },
      0.0, 1.0, 4001);
  p.entropic_V_per_K = constant_curve(0.0);
  p.diffusivity_m2_per_s = constant_curve(4e-15);
  p.diffusivity_activation_J_per_mol = 25000.0;
  p.exchange_A_per_m2 = exchange_of(3.42e-6, p.c_max_mol_per_m3);
  p.exchange_activation_J_per_mol = 17800.0;
  p.stoichiometry_full = kChenPositive;
  s.separator = {12e-6, 0.47, std::pow(0.47, 1.5)};
  ElectrolyteSet& e = s.electrolyte;
  e.diffusivity_m2_per_s = nyman_diffusivity();
  e.conductivity_S_per_m = nyman_conductivity();
  e.transference = constant_curve(0.2594);
  e.thermodynamic_factor = constant_curve(1.0);
  e.diffusivity_activation_J_per_mol = e.conductivity_activation_J_per_mol = 17000.0;
  // The line of cyclable lithium through the stock state: empty at 2.5 V, and full the stock state itself.
  const auto window = stoichiometry_window(s, kChenNegative, kChenPositive, 2.5, 4.18);
  s.negative.stoichiometry_empty = window->negative_empty;
  s.positive.stoichiometry_empty = window->positive_empty;
  return s;
}

inline std::unique_ptr<ElectrochemicalCell> electrochemical(const CellModel& model, CellStart start = {1.0, 25.0}) {
  auto cell = model.make(start);
  return std::unique_ptr<ElectrochemicalCell>(dynamic_cast<ElectrochemicalCell*>(cell.release()));
}

}  // namespace cyclerd::hil::test
