#include "profiles/stand_in_cell.hpp"

#include <algorithm>
#include <cmath>

namespace cyclerd::profiles {
namespace {

constexpr double kSecondsPerHour = 3600.0;

// Of the way from the lowest to the highest voltage. Steep beyond both ends.
double way_of(double soc) {
  if (soc < 0.0) return 10.0 * soc;
  if (soc < 0.1) return 5.0 * soc;
  if (soc < 1.0) return 0.5 + (soc - 0.1) / 1.8;
  return 1.0 + 5.0 * (soc - 1.0);
}

}  // namespace

StandInCell::StandInCell(const CellSpec& cell, double initial_soc)
    : capacity_C_(cell.nominal_capacity_C),
      empty_V_(cell.voltage_min_V),
      window_V_(cell.voltage_max_V - cell.voltage_min_V),
      soc_(std::isnan(initial_soc) ? 0.5 : initial_soc) {
  const double one_C_A = capacity_C_ / kSecondsPerHour;
  ohmic_Ohm_ = kOhmicDrop * window_V_ / one_C_A;
  slow_Ohm_ = kSlowDrop * window_V_ / one_C_A;
}

double StandInCell::at_rest_V() const noexcept {
  return empty_V_ + window_V_ * way_of(soc_) + slow_V_;
}

void StandInCell::settle() noexcept {
  const double rest_V = at_rest_V();
  const auto to_reach = [&](double level_V) { return (level_V - rest_V) / ohmic_Ohm_; };
  switch (setpoint_.control) {
    case base::Control::rest:
      current_A_ = 0.0;
      regulation_ = base::Regulation::off;
      return;
    case base::Control::voltage:
      current_A_ = std::clamp(to_reach(setpoint_.voltage_V), setpoint_.current_min_A, setpoint_.current_max_A);
      regulation_ = base::Regulation::voltage;
      return;
    case base::Control::current:
      current_A_ = setpoint_.current_A;
      regulation_ = base::Regulation::current;
      break;
    case base::Control::power: {
      const double root = rest_V * rest_V + 4.0 * ohmic_Ohm_ * setpoint_.power_W;
      current_A_ = (std::sqrt(std::max(0.0, root)) - rest_V) / (2.0 * ohmic_Ohm_);
      regulation_ = base::Regulation::power;
      break;
    }
    case base::Control::resistance:
      current_A_ = -rest_V / (setpoint_.resistance_Ohm + ohmic_Ohm_);
      regulation_ = base::Regulation::resistance;
      break;
  }
  const double clamped = std::clamp(current_A_, std::min(0.0, to_reach(setpoint_.voltage_min_V)),
                                    std::max(0.0, to_reach(setpoint_.voltage_max_V)));
  if (clamped != current_A_) regulation_ = base::Regulation::voltage;
  current_A_ = clamped;
}

void StandInCell::advance(double seconds) noexcept {
  settle();
  soc_ = std::clamp(soc_ + current_A_ * seconds / capacity_C_, -1.0, 2.0);
  const double settled = 1.0 - std::exp(-seconds / kSlow_s);
  slow_V_ += (slow_Ohm_ * current_A_ - slow_V_) * settled;
  settle();
  if (chamber_.run != 0) {
    const double rate = chamber_.ramp_K_per_min > 0.0 ? chamber_.ramp_K_per_min : kChamber_K_per_min;
    const double reach_K = rate * seconds / 60.0;
    chamber_degC_ += std::clamp(chamber_.temperature_degC - chamber_degC_, -reach_K, reach_K);
  }
  temperature_degC_ += (chamber_degC_ - temperature_degC_) * (1.0 - std::exp(-seconds / kWarming_s));
}

}  // namespace cyclerd::profiles
