// A cell with something wrong: shorted inside, open, badly connected, faded, running away. Wraps any other cell; with
// no fault it answers what the other answers, bit for bit.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "hil/cells/cell.hpp"
#include "hil/cells/runaway.hpp"

namespace cyclerd::hil {

// A resistor between the electrodes. Begins when the cell is so old or was charged so much; 0: from the start.
struct ShortCircuit {
  double resistance_Ohm = std::numeric_limits<double>::infinity();  // infinite: none
  double first_Ohm = 0.0;  // at its beginning, running to resistance_Ohm as e^(-t/growth); 0: at once
  double growth_s = 0.0;
  double onset_s = 0.0;
  double onset_charge_C = 0.0;  // charged into the cell since it was made; mean of an exponential spread by the seed
  std::uint64_t seed = 0;       // 0: exactly at onset_charge_C
};

struct CellFaults {
  ShortCircuit short_circuit;
  bool open = false;               // a blown fuse, a torn tab: 1 MOhm to 0 V, what an instrument puts there
  double contact_Ohm = 0.0;        // outside the cell, inside its sense leads
  double capacity_factor = 1.0;    // of the healthy cell
  double resistance_growth = 0.0;  // 1: twice the resistance of the instant
};

class FaultyCell final : public Cell {
 public:
  FaultyCell(std::unique_ptr<Cell> cell, const CellFaults& faults, const std::optional<RunawaySet>& runaway);

  [[nodiscard]] Affine terminal(double near_A) const noexcept override;
  [[nodiscard]] Affine terminal_after(double start_A, double near_A, double dt_s) noexcept override;
  double propose(double start_A, double end_A, double dt_s) noexcept override;
  void commit() noexcept override;
  void set_ambient(double ambient_degC) noexcept override { cell_->set_ambient(ambient_degC); }
  void set_extra_heat(double heat_W) noexcept override;
  [[nodiscard]] CellReadout readout() const noexcept override;
  [[nodiscard]] std::uint32_t flags() const noexcept override { return cell_->flags() | state_.flags; }
  void clear_flags() noexcept override;
  void reset(const CellStart& start) noexcept override;
  [[nodiscard]] CellSnapshot snapshot() const override;
  [[nodiscard]] bool restore(const CellSnapshot& snapshot) noexcept override;

  // From now on. Values that make no sense are ignored and flagged. A short without an onset begins now.
  void set_faults(const CellFaults& faults) noexcept;
  [[nodiscard]] const CellFaults& faults() const noexcept { return faults_; }
  // Sets the reactions off, as a nail would: the cell collapses and what is left reacts. Needs [runaway] parameters.
  bool start_runaway() noexcept;
  [[nodiscard]] const RunawayState& runaway() const noexcept { return state_.runaway; }
  [[nodiscard]] double short_now_S() const noexcept { return state_.short_S; }
  [[nodiscard]] Cell& inner() noexcept { return *cell_; }

 private:
  struct State {
    double age_s = 0.0;
    double charged_C = 0.0;
    double short_since_s = -1.0;  // age at its onset; < 0: not yet
    double short_S = 0.0;
    double heat_W = 0.0;  // of the faults, mean of the last step
    double heat_J = 0.0;  // more than the cell within counts
    RunawayState runaway;
    std::uint32_t flags = 0;
  };
  // The circuit around the cell during one step.
  struct Around {
    double short_S = 0.0;
    double series_Ohm = 0.0;  // grown, inside
    double contact_Ohm = 0.0;
    double share = 1.0;  // of the healthy cell that is left
  };

  [[nodiscard]] bool healthy() const noexcept;
  [[nodiscard]] Around around() const noexcept;
  [[nodiscard]] static Affine seen_from_outside(const Affine& cell, const Around& a) noexcept;
  [[nodiscard]] double stack_A(double outer_A, const Around& a) const noexcept;
  [[nodiscard]] bool disconnected(const State& state) const noexcept { return faults_.open || state.runaway.collapsed; }
  [[nodiscard]] Affine disconnected_terminal() const noexcept;
  double propose_around(double start_A, double end_A, double dt_s, const Around& a, double reaction_W) noexcept;
  void age(State& next, double start_A, double end_A, double dt_s) const noexcept;

  std::unique_ptr<Cell> cell_;
  CellFaults faults_;
  std::optional<RunawaySet> runaway_;
  double onset_C_ = 0.0;
  double extra_heat_W_ = 0.0;
  State state_;
  State proposed_;
};

}  // namespace cyclerd::hil
