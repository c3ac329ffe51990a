// What the single-particle models share: everything of a cell but the transport of lithium and salt, which `Transport`
// computes. Doubles make up the whole state, so a snapshot is its bytes.
#pragma once

#include <memory>
#include <string_view>

#include "hil/cells/cell.hpp"
#include "hil/cells/cell_model.hpp"
#include "hil/cells/electrochemical_set.hpp"
#include "hil/cells/electrode.hpp"
#include "hil/cells/electrolyte_cells.hpp"
#include "hil/cells/side_reactions.hpp"

namespace cyclerd::hil {

// Where lithium and salt are; for tests of conservation and for whoever wants to look inside.
struct Inventory {
  double negative_C = 0.0;  // 0 with a foil
  double positive_C = 0.0;
  Ageing ageing;
  double salt_mol = 0.0;
  double negative_stoichiometry = 0.0;  // means
  double positive_stoichiometry = 0.0;
  double lowest_salt_mol_per_m3 = 0.0;

  // Changes by nothing but the lithium that crosses a foil.
  [[nodiscard]] double lithium_C() const noexcept {
    return negative_C + positive_C + ageing.sei_C + ageing.plated_C + ageing.dead_C + ageing.lost_C;
  }
};

class ElectrochemicalCell : public Cell {
 public:
  [[nodiscard]] virtual Inventory inventory() const noexcept = 0;
};

// Parameters with all that follows from them, shared by the cells of a kind.
struct InsertionParameters {
  explicit InsertionParameters(ElectrochemicalSet given);

  ElectrochemicalSet set;
  Electrode negative, positive;
  SideReactions side;
  UniformCurve half_gap_V;
  double capacity_C = 0.0;  // as new
  double empty_V = 0.0, full_V = 0.0;
  double one_C_A = 0.0;
  bool ages = false;
};

// Everything that depends on the temperature alone.
struct Warmth {
  double core_degC = -1e9;
  double kelvin = 298.15;
  double diffusivity_negative = 1.0, diffusivity_positive = 1.0;
  double exchange_negative = 1.0, exchange_positive = 1.0;
  double salt_diffusivity = 1.0, conductivity = 1.0;
  double electronic_Ohm = 0.0;  // solids and contacts
  double two_RT_F_V = 0.0;
  double above_reference_K = 0.0;
  double sei = 1.0, plating = 1.0;
};
[[nodiscard]] Warmth warmth_at(const InsertionParameters& p, double core_degC) noexcept;

// Of the state at one instant: enough for the voltage at any current.
struct Instant {
  Warmth warmth;
  Surface negative, positive;
  SaltView salt;
};

// The part of the state that is not transport. Doubles only.
struct InsertionState {
  Temperatures temperature;
  double heat_W = 0.0;
  double heat_J = 0.0;
  double heat_due_J = 0.0;  // made, but not yet warming: see TransportCell::substep
  double hysteresis = 0.0;
  double last_A = 0.0;         // at the end of the last step
  double since_jump_s = 1e6;   // of the current
  double drift_V_per_s = 0.0;  // of the voltage in the last step, at constant current
  Ageing ageing;
};

// Of the terminal voltage at one current.
struct TerminalAnswer {
  double voltage_V = 0.0;
  double resistance_Ohm = 0.0;
  // Of the terminal voltage over the surface stoichiometries, V.
  double per_negative_V = 0.0, per_positive_V = 0.0;
};
// `gap_V`: what hysteresis adds.
[[nodiscard]] TerminalAnswer answer_at(const InsertionParameters& p, const Ageing& ageing, const Instant& now,
                                       double gap_V, double current_A, std::uint32_t& flags) noexcept;
// Inward flux into the negative particles at a current.
[[nodiscard]] double negative_flux(const InsertionParameters& p, const Ageing& ageing, double current_A) noexcept;
[[nodiscard]] double positive_flux(const InsertionParameters& p, const Ageing& ageing, double current_A) noexcept;
// Interphase and plating in a sub-step with a mean current. Returns the mean flux that is left for the particles.
[[nodiscard]] double react(const InsertionParameters& p, Ageing& ageing, const Instant& now, double mean_A,
                           double dt_s) noexcept;
// After the particles have taken their flux: material that is lost takes its lithium along.
void lose_material(const InsertionParameters& p, Ageing& ageing, double kelvin, double negative_mean,
                   double positive_mean, double mean_A, double dt_s) noexcept;

// Stoichiometries of an empty and a full cell with the lithium and material that are left.
[[nodiscard]] StoichiometryWindow present_window(const InsertionParameters& p, const Ageing& ageing,
                                                 double negative_mean, double positive_mean) noexcept;
// Plett's one-state hysteresis after charge_C went in.
[[nodiscard]] double hysteresis_after(const InsertionParameters& p, double hysteresis, double start_A, double end_A,
                                      double dt_s) noexcept;

}  // namespace cyclerd::hil
