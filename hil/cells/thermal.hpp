// Heat in a cell: core and surface, each one temperature; exact for constant heat and ambient.
#pragma once

namespace cyclerd::hil {

struct ThermalSet {
  double core_J_per_K = 0.0;
  double surface_J_per_K = 0.0;
  double core_to_surface_W_per_K = 0.0;
  double surface_to_ambient_W_per_K = 0.0;
};

struct Temperatures {
  double core_degC = 25.0;
  double surface_degC = 25.0;
};

// e^(A dt) of the two-node system.
struct ThermalFactors {
  double core_core = 1.0, core_surface = 0.0, surface_core = 0.0, surface_surface = 1.0;
};

[[nodiscard]] ThermalFactors thermal_factors(const ThermalSet& set, double dt_s) noexcept;
// State after the step that `factors` were made for, with the core heated by heat_W all the while.
[[nodiscard]] Temperatures thermal_step(const ThermalSet& set, const ThermalFactors& factors, Temperatures now,
                                        double heat_W, double ambient_degC) noexcept;

}  // namespace cyclerd::hil
