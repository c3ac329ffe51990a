// A cell as if so many (a real number) of it were in parallel: a 3 mAh coin as a 40 Ah cell on a big cycler.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hil/cells/cell.hpp"
#include "hil/cells/cell_set.hpp"

namespace cyclerd::hil {

class ScaledCell final : public Cell {
 public:
  ScaledCell(std::unique_ptr<Cell> cell, double count);

  [[nodiscard]] Affine terminal(double near_A) const noexcept override;
  [[nodiscard]] Affine terminal_after(double start_A, double near_A, double dt_s) noexcept override;
  double propose(double start_A, double end_A, double dt_s) noexcept override;
  void commit() noexcept override { cell_->commit(); }
  void set_ambient(double ambient_degC) noexcept override { cell_->set_ambient(ambient_degC); }
  void set_extra_heat(double heat_W) noexcept override { cell_->set_extra_heat(heat_W / count_); }
  [[nodiscard]] CellReadout readout() const noexcept override;
  [[nodiscard]] std::uint32_t flags() const noexcept override { return cell_->flags(); }
  void clear_flags() noexcept override { cell_->clear_flags(); }
  void reset(const CellStart& start) noexcept override { cell_->reset(start); }
  [[nodiscard]] CellSnapshot snapshot() const override;
  [[nodiscard]] bool restore(const CellSnapshot& snapshot) noexcept override;

 private:
  std::unique_ptr<Cell> cell_;
  double count_;
};

// The set with this capacity; heat capacity and cooling grow along.
[[nodiscard]] CellSet scaled_to(CellSet set, double capacity_C);

// "lg-m50@40 Ah" or "lg-m50@40Ah": the set's name and the capacity it is asked for (A s; none without an @). A capacity
// that is none comes back as NaN.
struct ScaledName {
  std::string set;
  std::optional<double> capacity_C;
};
[[nodiscard]] ScaledName split_scaled_name(std::string_view word);

}  // namespace cyclerd::hil
