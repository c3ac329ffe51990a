// What the negative particles do besides storing lithium: an interphase grows, lithium is plated and stripped, plated
// lithium dies; and both electrodes lose material.
#pragma once

#include <cstdint>
#include <optional>

#include "hil/cells/electrochemical_set.hpp"
#include "hil/cells/electrode.hpp"

namespace cyclerd::hil {

// Lithium in A s, as everything here that is conserved. Doubles only: it is part of snapshots as it lies in memory.
struct Ageing {
  double sei_m = 0.0;
  double sei_C = 0.0;     // lithium bound since the cell was new
  double plated_C = 0.0;  // can be stripped
  double dead_C = 0.0;
  double lost_C = 0.0;          // inside lost material of both electrodes
  double negative_share = 1.0;  // of the active material of a new cell
  double positive_share = 1.0;
};

class SideReactions {
 public:
  SideReactions(const ElectrochemicalSet& set, const Electrode& negative);

  struct Conditions {
    double F_RT_per_V = 38.9;
    double sei_scale = 1.0;  // by temperature
    double plating_scale = 1.0;
    double electrolyte_mol_per_m3 = 1000.0;
  };
  struct Split {
    ElectrodePotential electrode;    // slope over the whole density; film included
    double inserted_A_per_m2 = 0.0;  // the part of the density that is storage (outward)
    double surface_V = 0.0;          // without the film: what drives the reactions
  };

  [[nodiscard]] bool none() const noexcept { return !sei_ && !plating_; }
  [[nodiscard]] Ageing fresh() const noexcept;
  [[nodiscard]] double sei_activation_K() const noexcept;
  [[nodiscard]] double plating_activation_K() const noexcept;
  // How an outward current density divides at this instant.
  [[nodiscard]] Split split(const Electrode& negative, const Surface& surface, const Kinetics& kinetics,
                            const Ageing& ageing, const Conditions& conditions, double density_A_per_m2,
                            std::uint32_t& flags) const noexcept;
  // A step with the reactions' driving potential held. Returns their mean outward density, A/m2.
  [[nodiscard]] double advance(Ageing& ageing, const Conditions& conditions, double surface_V,
                               double dt_s) const noexcept;
  [[nodiscard]] double film_Ohm_m2(const Ageing& ageing) const noexcept {
    return sei_ ? sei_->resistivity_Ohm_m * ageing.sei_m : 0.0;
  }

 private:
  struct Rate {
    double density = 0.0;
    double slope = 0.0;
  };
  // dL/dt = speed / (flat + per_thickness L), m/s: all laws of growth.
  struct Growth {
    double speed = 0.0;
    double flat = 1.0;
    double per_m = 0.0;
  };
  [[nodiscard]] Growth growth(const Conditions& conditions, double surface_V) const noexcept;
  [[nodiscard]] Rate sei_rate(const Ageing& ageing, const Conditions& conditions, double surface_V) const noexcept;
  [[nodiscard]] Rate plating_rate(const Ageing& ageing, const Conditions& conditions, double surface_V) const noexcept;
  [[nodiscard]] double density_per_speed() const noexcept;  // A/m2 per m/s of growth (< 0)

  std::optional<SeiSet> sei_;
  std::optional<PlatingSet> plating_;
  double surface_m2_ = 1.0;
  double plated_mol_per_m3_per_C_ = 0.0;  // plated lithium per volume of electrode
  double surface_per_m_ = 0.0;
};

}  // namespace cyclerd::hil
