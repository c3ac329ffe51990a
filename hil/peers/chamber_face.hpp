// What every chamber twin does alike: a controller's view of one virtual chamber, in the unit of its panel.
#pragma once

#include <cstddef>

#include "hil/plant/world.hpp"

namespace cyclerd::hil {

class ChamberFace {
 public:
  ChamberFace(std::size_t chamber, bool fahrenheit) : chamber_(chamber), fahrenheit_(fahrenheit) {}

  [[nodiscard]] Chamber& chamber(World& world) const { return world.chamber(chamber_); }
  [[nodiscard]] ChamberReadout look(World& world) const { return chamber(world).readout(); }
  [[nodiscard]] double shown(double degC) const noexcept { return fahrenheit_ ? 32.0 + 1.8 * degC : degC; }
  [[nodiscard]] double degC(double shown) const noexcept { return fahrenheit_ ? (shown - 32.0) / 1.8 : shown; }

  // False, and nothing changed, when the chamber does not take it.
  bool set_target(World& world, double shown) { return follow(world, look(world).running, degC(shown)); }
  bool set_ramp(World& world, double K_per_min) {
    const double before = ramp_K_per_min_;
    ramp_K_per_min_ = K_per_min;
    const ChamberReadout now = look(world);
    if (follow(world, now.running, now.setpoint_degC)) return true;
    ramp_K_per_min_ = before;
    return false;
  }
  void run(World& world, bool on) {
    if (on) {
      (void)follow(world, true, look(world).setpoint_degC);
    } else {
      chamber(world).stop();
    }
  }
  [[nodiscard]] double ramp_K_per_min() const noexcept { return ramp_K_per_min_; }

 private:
  bool follow(World& world, bool on, double target_degC) const {
    base::ChamberSetpoint s;
    s.run = on ? 1 : 0;
    s.temperature_degC = target_degC;
    s.ramp_K_per_min = ramp_K_per_min_;
    return chamber(world).apply(s);
  }

  std::size_t chamber_;
  bool fahrenheit_;
  double ramp_K_per_min_ = 0.0;
};

}  // namespace cyclerd::hil
