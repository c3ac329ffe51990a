// Heat in a cell: core, surface and, if wanted, what it is clamped in; exact for constant heat and ambient.
#pragma once

#include <array>

namespace cyclerd::hil {

// core - surface - ambient; with a fixture also surface - fixture - ambient.
struct ThermalSet {
  double core_J_per_K = 0.0;
  double surface_J_per_K = 0.0;
  double core_to_surface_W_per_K = 0.0;
  double surface_to_ambient_W_per_K = 0.0;
  double fixture_J_per_K = 0.0;  // 0: none
  double surface_to_fixture_W_per_K = 0.0;
  double fixture_to_ambient_W_per_K = 0.0;

  [[nodiscard]] bool has_fixture() const noexcept { return fixture_J_per_K > 0.0; }
};

struct Temperatures {
  double core_degC = 25.0;
  double surface_degC = 25.0;
  double fixture_degC = 25.0;  // the surface's where there is no fixture
};

// The modes of a set with a fixture: of its symmetric form C^-1/2 K C^-1/2.
struct ThermalModes {
  std::array<double, 3> rate_per_s{};
  std::array<std::array<double, 3>, 3> vector{};  // a row for each mode
  std::array<double, 3> root_capacity{};
  std::array<double, 3> rise_K_per_W{};  // steady, of heat in the core
};

// e^(A dt).
struct ThermalFactors {
  double core_core = 1.0, core_surface = 0.0, surface_core = 0.0, surface_surface = 1.0;
  std::array<std::array<double, 3>, 3> all{};  // with a fixture: this instead
};

[[nodiscard]] ThermalModes thermal_modes(const ThermalSet& set) noexcept;
[[nodiscard]] ThermalFactors thermal_factors(const ThermalSet& set, double dt_s) noexcept;
[[nodiscard]] ThermalFactors thermal_factors(const ThermalModes& modes, double dt_s) noexcept;
// State after the step that `factors` were made for, with the core heated by heat_W all the while.
[[nodiscard]] Temperatures thermal_step(const ThermalSet& set, const ThermalFactors& factors, Temperatures now,
                                        double heat_W, double ambient_degC) noexcept;
// The same for a set with a fixture.
[[nodiscard]] Temperatures thermal_step(const ThermalModes& modes, const ThermalFactors& factors, Temperatures now,
                                        double heat_W, double ambient_degC) noexcept;
// Heat that leaves to the ambient.
[[nodiscard]] double heat_to_ambient_W(const ThermalSet& set, Temperatures now, double ambient_degC) noexcept;

}  // namespace cyclerd::hil
