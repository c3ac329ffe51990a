// The trivial cell: a constant source behind a resistor. For tests of protocols, where every number is known by hand.
#pragma once

#include <cstdint>
#include <memory>

#include "hil/cells/cell.hpp"

namespace cyclerd::hil {

struct SourceSet {
  double emf_V = 0.0;
  double resistance_Ohm = 0.0;
  double capacity_C = 0.0;  // only counted
  std::uint64_t fingerprint = 0;
};

class SourceCell final : public Cell {
 public:
  SourceCell(std::shared_ptr<const SourceSet> set, const CellStart& start);

  [[nodiscard]] Affine terminal(double /*near_A*/) const noexcept override {
    return {set_->emf_V, set_->resistance_Ohm};
  }
  [[nodiscard]] Affine terminal_after(double start_A, double near_A, double dt_s) noexcept override;
  double propose(double start_A, double end_A, double dt_s) noexcept override;
  void commit() noexcept override { state_ = proposed_; }
  void set_ambient(double ambient_degC) noexcept override;
  void set_extra_heat(double /*heat_W*/) noexcept override {}
  [[nodiscard]] CellReadout readout() const noexcept override;
  void clear_flags() noexcept override { state_.flags = 0; }
  void reset(const CellStart& start) noexcept override;
  [[nodiscard]] CellSnapshot snapshot() const override;
  [[nodiscard]] bool restore(const CellSnapshot& snapshot) noexcept override;

 private:
  struct State {
    double soc = 0.5;
    double heat_W = 0.0;
    double heat_J = 0.0;
    std::uint32_t flags = 0;
  };
  std::shared_ptr<const SourceSet> set_;
  double ambient_degC_ = 25.0;
  State state_;
  State proposed_;
};

}  // namespace cyclerd::hil
