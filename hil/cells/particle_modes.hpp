// Diffusion in a sphere by its own modes, exact in time for a flux that runs in a straight line, at one diffusivity.
#pragma once

#include <array>
#include <cstddef>

#include "hil/cells/electrode.hpp"

namespace cyclerd::hil {

// The slowest twenty as they are, and the endless rest in eight lumps, each of a range of them: the first hundredth of
// a second after a change of current is then right as well.
inline constexpr std::size_t kExactModes = 20, kLumps = 8, kModes = kExactModes + kLumps;

// Doubles only: part of snapshots as it lies in memory.
struct ModeState {
  double mean = 0.5;
  std::array<double, kModes> deviation{};  // each mode's share of surface minus mean
};

class ParticleModes {
 public:
  explicit ParticleModes(const Electrode& electrode);

  // The inward flux runs from start to end. Held inside the bounds of stoichiometry by taking less of it; false then.
  [[nodiscard]] bool advance(ModeState& modes, double flux_start_m_per_s, double flux_end_m_per_s,
                             double diffusivity_scale, double dt_s) noexcept;
  [[nodiscard]] Surface surface(const ModeState& modes, double diffusivity_scale) noexcept;
  // dx of the surface over the end of a flux that starts at nothing and runs straight for dt_s, s/m.
  [[nodiscard]] double response_s_per_m(const ModeState& modes, double diffusivity_scale, double dt_s) noexcept;

 private:
  // Everything that depends on the length of a step and the diffusivity only.
  struct Factors {
    double dt_s = -1.0;
    double diffusivity = -1.0;
    std::array<double, kModes> decay{};
    std::array<double, kModes> weight_start{};  // of the flux, s/m
    std::array<double, kModes> weight_end{};
  };
  [[nodiscard]] const Factors& factors(double dt_s, double diffusivity) noexcept;
  [[nodiscard]] double diffusivity(double mean, double scale) noexcept;

  double radius_m_;
  UniformCurve diffusivity_;
  std::array<Factors, 4> cache_;
  std::size_t next_in_cache_ = 0;
  double asked_m2_per_s_ = -1.0, rounded_m2_per_s_ = -1.0;
};

}  // namespace cyclerd::hil
