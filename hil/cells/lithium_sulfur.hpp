// Lithium-sulfur chemistry without space: five sulfur species, two electrochemical reactions, shuttle, precipitation.
// Marinescu, Zhang, Offer, Phys. Chem. Chem. Phys. 18 (2016) 584. Discharge current is positive in this file.
#pragma once

#include <array>
#include <cstddef>

namespace cyclerd::hil {

// Dissolved S8, S4(2-), S2(2-), S(2-) and precipitated sulfide, g of sulfur.
inline constexpr std::size_t kS8 = 0, kS4 = 1, kS2 = 2, kS = 3, kPrecipitate = 4;
using SulfurMasses = std::array<double, 5>;

struct SulfurParameters {
  double high_V = 2.35, low_V = 2.195;              // standard potentials of S8/S4 and S4/S2,S
  double high_A_per_m2 = 10.0, low_A_per_m2 = 5.0;  // exchange current densities
  double area_m2 = 0.96;
  double volume_L = 0.0114;  // of electrolyte
  double density_g_per_L = 2000.0;
  double precipitation_per_s = 100.0;
  double saturation_g = 1e-4;
  double shuttle_per_s = 2e-4;            // charging and at rest
  double shuttle_discharge_per_s = 2e-4;  // discharging
  double temperature_K = 298.0;
  // Not in the paper: between these voltages nothing else happens; at either one decomposition of the electrolyte takes
  // 1 A, so that a current which the sulfur cannot carry any more still has a voltage.
  double decomposition_low_V = 1.5, decomposition_high_V = 3.1;
};

// What follows from masses and current at one instant.
struct SulfurInstant {
  double voltage_V = 0.0;
  double resistance_Ohm = 0.0;  // -dV/dI
  double high_V = 0.0, low_V = 0.0;
  double high_A = 0.0, low_A = 0.0;
  double decomposition_A = 0.0;
  double high_S = 0.0, low_S = 0.0, all_S = 0.0;  // -d(partial current)/d(V), for the Jacobian
};

class SulfurChemistry {
 public:
  explicit SulfurChemistry(const SulfurParameters& parameters);

  [[nodiscard]] SulfurInstant at(const SulfurMasses& mass_g, double current_A) const noexcept;
  // All of it lost to the solution: dissipation of both reactions, the shuttle's, precipitation's and decomposition's.
  [[nodiscard]] double heat_W(const SulfurMasses& mass_g, double current_A) const noexcept;
  [[nodiscard]] double shuttle_A(const SulfurMasses& mass_g, double current_A) const noexcept;
  // Charge that a discharge can still take out, A s.
  [[nodiscard]] double charge_C(const SulfurMasses& mass_g) const noexcept;
  // At rest with this charge: both reactions in equilibrium, no more than `seed_g` precipitated unless saturated.
  // Total sulfur and what ties sulfide to S2 are those of `like`. Charge beyond what the sulfur can hold is held there.
  [[nodiscard]] SulfurMasses rested(double charge_C, const SulfurMasses& like, double seed_g) const noexcept;

  struct Advance {
    double heat_J = 0.0;
    double decomposed_C = 0.0;  // magnitude
    bool whole = true;          // false: given up before the end of the step
  };
  // Moves `mass_g` through dt_s with a current that runs straight from start to end. `try_s`: the length of the inner
  // step to begin with; becomes the one to go on with. Bounded work, no allocation.
  Advance advance(SulfurMasses& mass_g, double& try_s, double start_A, double end_A, double dt_s) const noexcept;

  using Matrix = std::array<std::array<double, 5>, 5>;
  [[nodiscard]] const SulfurParameters& parameters() const noexcept { return p_; }

 private:
  struct Stage {
    SulfurMasses mass_g{};
    SulfurMasses rate{};
    double current_A = 0.0;
  };
  [[nodiscard]] Matrix matrix(const SulfurMasses& mass_g, const SulfurInstant& instant, double shuttle_per_s,
                              double gamma_h_s) const noexcept;
  [[nodiscard]] bool solve_stage(Stage& stage, const SulfurMasses& known, double gamma_h_s) const noexcept;
  // Nothing when a stage has no solution; else the estimated error over its tolerance.
  [[nodiscard]] bool inner_step(SulfurMasses& mass_g, double start_A, double end_A, double h_s, double& error,
                                double& heat_J, double& decomposed_C) const noexcept;
  [[nodiscard]] double precipitation_g_per_s(const SulfurMasses& mass_g) const noexcept;
  [[nodiscard]] double shuttle_per_s(double current_A) const noexcept;

  SulfurParameters p_;
  double thermal_V_;    // RT/4F
  double b_per_V_;      // 4F/2RT
  double high_bias_V_;  // E_H0 with its concentration factor
  double low_bias_V_;
  double high_0_A_, low_0_A_, decomposition_0_A_;  // 2 i0 a
  double decomposition_V_;
  double precipitation_;  // 1/(g s)
};

}  // namespace cyclerd::hil
