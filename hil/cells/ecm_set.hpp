// Parameters of an equivalent circuit. Immutable once a cell was made of them; shared by all cells of the kind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "hil/cells/ageing.hpp"
#include "hil/cells/table.hpp"
#include "hil/cells/thermal.hpp"

namespace cyclerd::hil {

inline constexpr std::size_t kMaxRc = 4;

// What a resistance is multiplied with: a curve over |I| (clamped; one knot: none) and a factor of its own for charge.
// |I| times the factor must rise everywhere: the loader checks it.
struct CurrentFactor {
  Curve over_A{Axis({0.0}), {1.0}};
  double charge = 1.0;

  [[nodiscard]] bool none() const noexcept { return over_A.values().size() == 1 && charge == 1.0; }
  // I times the factor, which is what the resistance of the map sees.
  [[nodiscard]] double drive_A(double current_A) const noexcept;
  // d drive / d I
  [[nodiscard]] double slope(double current_A) const noexcept;
};

struct RcBranch {
  StateMap tau_s = 1.0;
  StateMap resistance_Ohm;
  CurrentFactor factor;
};

// The OCV is read at the surface of a sphere that is being filled: z_s = z + tau/15 dz/dt in the steady state.
struct Diffusion {
  StateMap tau_s = 1000.0;  // R^2/D
};

// Overvoltage of a charge transfer: factor 2RT/F asinh(I_f / I_0), I_f following the current with tau.
struct ChargeTransfer {
  StateMap exchange_A = 1.0;  // I_0; its activation raises it with temperature: e^-(activation (1/T - 1/T_ref))
  double voltage_factor = 1.0;
  double charge_factor = 1.0;  // of I_0 while charging
  double tau_s = 0.0;          // 0: instantaneous
};

// A current inside the cell: I_ref 2^((T - T_ref)/doubling_K), never below an empty cell.
struct SelfDischarge {
  double current_A = 0.0;
  double doubling_K = 10.0;
  double reference_degC = 25.0;
};

struct EcmSet {
  double capacity_C = 0.0;                       // A s, as new
  Curve capacity_factor{Axis({25.0}), {1.0}};    // over degC
  Curve charge_efficiency{Axis({25.0}), {1.0}};  // coulombic, of charge current; over degC
  double reference_degC = 25.0;                  // of the OCV table and of the entropic slope
  StateMap ocv_V;                                // extrapolated over soc by its end slopes, clamped over temperature
  Curve entropic_V_per_K;                        // dU/dT over state of charge; also heats
  StateMap hysteresis_V;                         // half of the gap between charge and discharge OCV
  double hysteresis_rate = 0.0;                  // gamma of Plett's one-state model
  double instantaneous_V = 0.0;                  // M0 of the same: kept at rest with the sign of the last current
  std::optional<Diffusion> diffusion;
  std::optional<ChargeTransfer> kinetics;
  StateMap series_Ohm;
  CurrentFactor series_factor;
  std::vector<RcBranch> branches;  // up to kMaxRc
  SelfDischarge self_discharge;
  std::optional<ThermalSet> thermal;  // none: the cell has the ambient's temperature
  std::optional<AgeingSet> ageing;
  std::uint64_t fingerprint = 0;  // of the set's text
};

}  // namespace cyclerd::hil
