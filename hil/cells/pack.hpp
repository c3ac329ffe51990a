// Cells in series and parallel, no two alike, with passive balancing. Any cell model.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "hil/cells/cell.hpp"
#include "hil/cells/cell_faults.hpp"
#include "hil/cells/cell_model.hpp"

namespace cyclerd::hil {

struct PackSet {
  std::shared_ptr<const CellModel> cell;
  double cell_capacity_C = 0.0;
  std::size_t series = 1, parallel = 1;
  double contact_Ohm = 0.0;  // of every cell in its group
  double busbar_Ohm = 0.0;   // of the whole string
  // Standard deviations of the members, drawn once from the seed, none beyond three.
  double capacity_spread = 0.0;    // share
  double resistance_spread = 0.0;  // share, of the resistance of the instant; only upwards
  double soc_spread = 0.0;
  double temperature_spread_K = 0.0;  // of the start
  std::uint64_t seed = 1;
  // Passive balancing: a group above the voltage, and above the lowest group by more than the gap, is bled.
  double bleed_Ohm = 0.0;  // 0: none
  double bleed_above_V = 0.0;
  double bleed_gap_V = 0.0;
  // Heat from a cell's surface into its neighbours' cores, in the order of the cells; 0: none.
  double neighbour_W_per_K = 0.0;
  double cell_J_per_K = 100.0;
  CellFaults faults;  // of every member
  std::optional<RunawaySet> runaway;
  std::uint64_t fingerprint = 0;
};

struct PackExtremes {
  double voltage_min_V = 0.0, voltage_max_V = 0.0;                // of groups
  double temperature_min_degC = 0.0, temperature_max_degC = 0.0;  // surfaces
  double soc_min = 0.0, soc_max = 0.0;
  double current_min_A = 0.0, current_max_A = 0.0;  // of cells
};

class PackCell final : public Cell {
 public:
  PackCell(std::shared_ptr<const PackSet> set, const CellStart& start);

  [[nodiscard]] Affine terminal(double near_A) const noexcept override;
  [[nodiscard]] Affine terminal_after(double start_A, double near_A, double dt_s) noexcept override;
  double propose(double start_A, double end_A, double dt_s) noexcept override;
  void commit() noexcept override;
  void set_ambient(double ambient_degC) noexcept override;
  void set_extra_heat(double heat_W) noexcept override;  // shared by all members
  // Hottest core and surface; the state of charge over the mean capacity of the groups.
  [[nodiscard]] CellReadout readout() const noexcept override;
  void clear_flags() noexcept override;
  void reset(const CellStart& start) noexcept override;
  [[nodiscard]] CellSnapshot snapshot() const override;
  [[nodiscard]] bool restore(const CellSnapshot& snapshot) noexcept override;

  [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
  // Member k: group k / parallel.
  [[nodiscard]] FaultyCell& member(std::size_t index) { return *members_.at(index); }
  [[nodiscard]] double member_A(std::size_t index) const { return current_A_.at(index); }
  [[nodiscard]] bool bleeding(std::size_t group) const { return bleeding_.at(group) != 0; }
  [[nodiscard]] PackExtremes extremes() const noexcept;

 private:
  struct Solved {
    Affine outside;  // of the group
    double voltage_V = 0.0;
  };
  // Shares total_A over a group at this instant: currents into share_A.
  Solved share_now(std::size_t group, double total_A, double* share_A) const noexcept;
  double share_step(std::size_t group, double start_A, double end_A, double dt_s) noexcept;
  [[nodiscard]] double bleed_S(std::size_t group) const noexcept;
  void choose_bleeding() noexcept;
  void set_members_heat(double neighbours_dt_s) noexcept;

  std::shared_ptr<const PackSet> set_;
  std::vector<std::unique_ptr<FaultyCell>> members_;
  std::vector<double> soc_offset_, temperature_offset_K_;
  std::vector<double> current_A_, proposed_A_;           // of members, at the end of the last and of the proposed step
  std::vector<double> begun_A_, affine_V_, affine_Ohm_;  // of one group, while it is solved
  mutable std::vector<double> scratch_A_;
  std::vector<double> group_V_, proposed_group_V_;
  std::vector<unsigned char> bleeding_;
  double extra_heat_W_ = 0.0;
  double heat_W_ = 0.0, heat_J_ = 0.0;  // of contacts and bleeding
  double proposed_heat_W_ = 0.0, proposed_heat_J_ = 0.0;
  std::uint32_t flags_ = 0, proposed_flags_ = 0;
};

}  // namespace cyclerd::hil
