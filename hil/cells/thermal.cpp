#include "hil/cells/thermal.hpp"

#include <cmath>

namespace cyclerd::hil {

ThermalFactors thermal_factors(const ThermalSet& set, double dt_s) noexcept {
  const double a = -set.core_to_surface_W_per_K / set.core_J_per_K;
  const double b = -a;
  const double c = set.core_to_surface_W_per_K / set.surface_J_per_K;
  const double d = -(set.core_to_surface_W_per_K + set.surface_to_ambient_W_per_K) / set.surface_J_per_K;
  // Eigenvalues are real, negative and distinct because b c > 0.
  const double half_trace = 0.5 * (a + d);
  const double root = std::sqrt(0.25 * (a - d) * (a - d) + b * c);
  const double fast = half_trace - root;
  const double slow = half_trace + root;
  const double e_fast = std::exp(fast * dt_s);
  // (e^slow - e^fast) / (slow - fast) without cancellation
  const double mix = e_fast * std::expm1((slow - fast) * dt_s) / (slow - fast);
  return {e_fast + (a - fast) * mix, b * mix, c * mix, e_fast + (d - fast) * mix};
}

Temperatures thermal_step(const ThermalSet& set, const ThermalFactors& factors, Temperatures now, double heat_W,
                          double ambient_degC) noexcept {
  const double surface_rest = ambient_degC + heat_W / set.surface_to_ambient_W_per_K;
  const double core_rest = surface_rest + heat_W / set.core_to_surface_W_per_K;
  const double core = now.core_degC - core_rest;
  const double surface = now.surface_degC - surface_rest;
  return {core_rest + factors.core_core * core + factors.core_surface * surface,
          surface_rest + factors.surface_core * core + factors.surface_surface * surface};
}

}  // namespace cyclerd::hil
