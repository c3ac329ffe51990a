// Equivalent circuit: OCV, one-state hysteresis, series resistance, up to four RC branches, two-node heat.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "hil/cells/cell.hpp"
#include "hil/cells/ecm_set.hpp"

namespace cyclerd::hil {

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
