// The lithium-sulfur chemistry as a cell, with two-node heat.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "hil/cells/cell.hpp"
#include "hil/cells/lithium_sulfur.hpp"
#include "hil/cells/thermal.hpp"

namespace cyclerd::hil {

struct LithiumSulfurSet {
  SulfurChemistry chemistry{SulfurParameters{}};
  SulfurMasses full_g{};  // where soc 1 starts
  double full_C = 0.0;    // charge of it; the unit of the state of charge
  std::optional<ThermalSet> thermal;
  std::uint64_t fingerprint = 0;
};

// The chemistry keeps its own constant temperature; core and surface only warm up.
class LithiumSulfurCell final : public Cell {
 public:
  LithiumSulfurCell(std::shared_ptr<const LithiumSulfurSet> set, const CellStart& start);

  [[nodiscard]] Affine terminal(double near_A) const noexcept override;
  [[nodiscard]] Affine terminal_after(double start_A, double near_A, double dt_s) noexcept override;
  double propose(double start_A, double end_A, double dt_s) noexcept override;
  void commit() noexcept override { state_ = proposed_; }
  void set_ambient(double ambient_degC) noexcept override;
  void set_extra_heat(double heat_W) noexcept override;
  [[nodiscard]] CellReadout readout() const noexcept override;
  void clear_flags() noexcept override { state_.flags = 0; }
  void reset(const CellStart& start) noexcept override;
  // Values: masses of S8, S4, S2, S, precipitate (g), length of the inner step, core, surface, mean and total heat,
  // ambient, extra heat, cooling factor.
  [[nodiscard]] CellSnapshot snapshot() const override;
  [[nodiscard]] bool restore(const CellSnapshot& snapshot) noexcept override;

 private:
  struct State {
    SulfurMasses mass_g{};
    double try_s = 1e-3;
    Temperatures temperature;
    double heat_W = 0.0;
    double heat_J = 0.0;
    std::uint32_t flags = 0;
  };

  void warm(double dt_s) noexcept;

  std::shared_ptr<const LithiumSulfurSet> set_;
  double ambient_degC_ = 25.0;
  double extra_heat_W_ = 0.0;
  double cooling_factor_ = 1.0;
  State state_;
  State proposed_;
};

}  // namespace cyclerd::hil
