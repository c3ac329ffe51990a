// A cell that nobody has measured, for estimates: what its ratings let one expect.
#pragma once

#include "profiles/cell_spec.hpp"
#include "protocols/base/command.hpp"
#include "protocols/base/sample.hpp"

namespace cyclerd::profiles {

// Between the rated voltages its open-circuit voltage rises over half of the way in the first tenth of the capacity and
// evenly from there, as those of layered oxides do; at 1 C it loses kOhmicDrop of the way at once and kSlowDrop more,
// with kSlow_s. No fading, no losses. The chamber takes kChamber_K_per_min, the cell follows with kWarming_s.
class StandInCell {
 public:
  StandInCell(const CellSpec& cell, double initial_soc);

  void obey(const base::Setpoint& setpoint) noexcept { setpoint_ = setpoint; }
  void obey(const base::ChamberSetpoint& setpoint) noexcept { chamber_ = setpoint; }
  // The set-point works for so long; then what the instruments show.
  void advance(double seconds) noexcept;
  [[nodiscard]] double voltage_V() const noexcept { return at_rest_V() + ohmic_Ohm_ * current_A_; }
  [[nodiscard]] double current_A() const noexcept { return current_A_; }
  [[nodiscard]] double temperature_degC() const noexcept { return temperature_degC_; }
  [[nodiscard]] double chamber_degC() const noexcept { return chamber_degC_; }
  [[nodiscard]] base::Regulation regulation() const noexcept { return regulation_; }

  static constexpr double kOhmicDrop = 0.05;
  static constexpr double kSlowDrop = 0.05;
  static constexpr double kSlow_s = 600.0;
  static constexpr double kChamber_K_per_min = 1.0;
  static constexpr double kWarming_s = 600.0;

 private:
  [[nodiscard]] double at_rest_V() const noexcept;  // open circuit and what has not settled yet
  void settle() noexcept;                           // the current that the set-point leads to now

  double capacity_C_, empty_V_, window_V_;
  double ohmic_Ohm_, slow_Ohm_;
  double soc_;
  double slow_V_ = 0.0;
  double current_A_ = 0.0;
  double temperature_degC_ = 25.0;
  double chamber_degC_ = 25.0;
  base::Setpoint setpoint_;
  base::ChamberSetpoint chamber_;
  base::Regulation regulation_ = base::Regulation::off;
};

}  // namespace cyclerd::profiles
