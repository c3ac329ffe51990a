// Equivalent circuit: OCV, one-state hysteresis, series resistance, up to four RC branches, two-node heat.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "hil/cells/cell.hpp"
#include "hil/cells/table.hpp"
#include "hil/cells/thermal.hpp"

namespace cyclerd::hil {

inline constexpr std::size_t kMaxRc = 4;

struct RcBranch {
  double tau_s = 1.0;
  ResistanceMap resistance;
};

// Parameters of one kind of cell. Immutable once made; shared by all cells of the kind.
struct EcmSet {
  double capacity_C = 0.0;         // A s
  double charge_efficiency = 1.0;  // coulombic, of charge current
  double reference_degC = 25.0;    // of the OCV table
  Curve ocv_V;                     // over state of charge; extrapolated by its end slopes
  Curve entropic_V_per_K;          // dU/dT over state of charge
  Curve hysteresis_V;              // half of the gap between charge and discharge OCV
  double hysteresis_rate = 0.0;    // gamma of Plett's one-state model
  ResistanceMap series;
  std::vector<RcBranch> branches;
  std::optional<ThermalSet> thermal;  // none: the cell has the ambient's temperature
  std::uint64_t fingerprint = 0;      // of the set's text
};

class EcmCell final : public Cell {
 public:
  EcmCell(std::shared_ptr<const EcmSet> set, const CellStart& start);

  [[nodiscard]] Affine terminal(double /*near_A*/) const noexcept override { return now_; }
  [[nodiscard]] Affine terminal_after(double start_A, double near_A, double dt_s) noexcept override;
  double propose(double start_A, double end_A, double dt_s) noexcept override;
  void commit() noexcept override;
  void set_ambient(double ambient_degC) noexcept override;
  void set_extra_heat(double heat_W) noexcept override;
  [[nodiscard]] CellReadout readout() const noexcept override;
  void clear_flags() noexcept override { state_.flags = 0; }
  void reset(const CellStart& start) noexcept override;
  [[nodiscard]] CellSnapshot snapshot() const override;
  [[nodiscard]] bool restore(const CellSnapshot& snapshot) noexcept override;

 private:
  struct State {
    double soc = 0.5;
    std::array<double, kMaxRc> rc_V{};
    double hysteresis = 0.0;
    Temperatures temperature;
    double heat_W = 0.0;
    double heat_J = 0.0;
    std::uint32_t flags = 0;
  };
  // Everything that depends on the length of a step only.
  struct Factors {
    double dt_s = -1.0;
    std::array<double, kMaxRc> decay{};         // e^(-dt/tau)
    std::array<double, kMaxRc> weight_start{};  // of R I at the start of the step
    std::array<double, kMaxRc> weight_end{};    // of R I at its end
    ThermalFactors thermal;
  };

  [[nodiscard]] const Factors& factors(double dt_s) noexcept;
  [[nodiscard]] Affine terminal_of(State& state) const noexcept;
  [[nodiscard]] double charge_C(double start_A, double end_A, double dt_s) const noexcept;
  [[nodiscard]] double hysteresis_after(double h, double start_A, double end_A, double dt_s) const noexcept;
  void advance(State& next, double start_A, double end_A, const Factors& f) const noexcept;
  void hold_in_bounds(State& next) const noexcept;

  std::shared_ptr<const EcmSet> set_;
  double ambient_degC_ = 25.0;
  double extra_heat_W_ = 0.0;
  State state_;
  State proposed_;
  Affine now_;           // of state_
  Affine proposed_now_;  // of proposed_
  // Steps come in few lengths; a look into this cache costs a fifth of the exponentials.
  std::array<Factors, 4> cache_;
  std::size_t next_in_cache_ = 0;
};

}  // namespace cyclerd::hil
