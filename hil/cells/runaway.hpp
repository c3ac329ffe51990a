// Thermal runaway: decomposition of the SEI, of the anode and of the cathode in a warm core (Hatchard, MacNeil, Basu,
// Dahn, J. Electrochem. Soc. 148 (2001) A755; Kim, Pesaran, Spotnitz, J. Power Sources 170 (2007) 476).
#pragma once

namespace cyclerd::hil {

struct RunawaySet {
  struct Reaction {
    double frequency_per_s = 0.0;
    double activation_K = 0.0;  // E / k_B
    double heat_J = 0.0;        // of all that can react
  };
  // dx/dt = -A x e^(-E/kT); the anode's slows down with the film it grows, e^(-z/z0), dz = -dx; the cathode's is
  // autocatalytic, da/dt = A a (1 - a) e^(-E/kT).
  Reaction sei, anode, cathode;
  double sei_start = 0.15, anode_start = 0.75, film_start = 0.033, film_scale = 0.033, cathode_start = 0.04;
  // The core, for what happens inside one step: its surroundings stand still meanwhile.
  double core_J_per_K = 85.0;
  double core_to_surface_W_per_K = 0.0;
  // Self-heating at which the cell is lost: it vents, its voltage collapses.
  double collapse_K_per_s = 1.0;
  double collapsed_Ohm = 1.0;
};

// What is left to react.
struct RunawayState {
  double sei = 0.15, anode = 0.75, film = 0.033, cathode = 0.04;
  bool collapsed = false;
};

[[nodiscard]] RunawayState fresh(const RunawaySet& set) noexcept;
[[nodiscard]] double heating_W(const RunawaySet& set, const RunawayState& state, double core_degC) noexcept;
// Through dt_s from a core at core_degC beside a surface at surface_degC; returns the heat set free, J. Inner steps of
// a few kelvin, their number bounded; what is left after the last is set free at once.
double react(const RunawaySet& set, RunawayState& state, double core_degC, double surface_degC, double dt_s) noexcept;

}  // namespace cyclerd::hil
