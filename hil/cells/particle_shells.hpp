// Diffusion in a sphere by finite volumes, implicit in time, diffusivity over stoichiometry. Stateless: the state is
// an array of shell means.
#pragma once

#include <array>
#include <cstddef>

#include "hil/cells/electrode.hpp"

namespace cyclerd::hil {

inline constexpr std::size_t kShells = 20;
using ShellState = std::array<double, kShells>;  // mean stoichiometry of each shell, centre first

class ParticleShells {
 public:
  explicit ParticleShells(const Electrode& electrode);

  // One implicit step with the inward flux held. Held inside the bounds of stoichiometry by taking less of the flux;
  // false then. Stored stoichiometry rises by exactly 3 flux dt / radius times the share of the flux that was taken.
  [[nodiscard]] bool advance(ShellState& shells, double flux_m_per_s, double diffusivity_scale,
                             double dt_s) const noexcept;
  [[nodiscard]] Surface surface(const ShellState& shells, double diffusivity_scale) const noexcept;
  [[nodiscard]] static double mean(const ShellState& shells) noexcept;
  // dx of the surface over the flux held through a step of dt_s, s/m.
  [[nodiscard]] double response_s_per_m(const ShellState& shells, double diffusivity_scale, double dt_s) const noexcept;

 private:
  void solve(ShellState& shells, double flux, double dt_over_R2, double dt_over_R) const noexcept;
  [[nodiscard]] static bool in_bounds(const ShellState& shells) noexcept;

  double radius_m_;
  UniformCurve diffusivity_;
};

}  // namespace cyclerd::hil
