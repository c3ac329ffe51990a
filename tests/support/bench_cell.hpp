// The simplest cell and cycler that can close a loop with the executor: a linear open-circuit voltage behind a
// resistor, and an ideal instrument with native CC-CV. For tests of the executor's logic; the virtual lab is in hil/.
#pragma once

#include <algorithm>
#include <cmath>

#include "profiles/executor.hpp"

namespace cyclerd::test {

struct BenchCell {
  double capacity_C = 18000.0;
  double soc = 0.5;
  double resistance_Ohm = 0.02;
  double empty_V = 3.0;
  double full_V = 4.2;
  double temperature_degC = 25.0;
  base::Setpoint setpoint{};
  double current_A = 0.0;
  base::Regulation regulation = base::Regulation::off;

  [[nodiscard]] double open_circuit_V() const { return empty_V + (full_V - empty_V) * soc; }
  [[nodiscard]] double voltage_V() const { return open_circuit_V() + resistance_Ohm * current_A; }

  // What flows now for the set-point in force.
  void settle() {
    const double ocv_V = open_circuit_V();
    auto to_reach = [&](double v) { return (v - ocv_V) / resistance_Ohm; };
    switch (setpoint.control) {
      case base::Control::rest: current_A = 0.0, regulation = base::Regulation::off; return;
      case base::Control::current: current_A = setpoint.current_A, regulation = base::Regulation::current; break;
      case base::Control::voltage:
        current_A = std::clamp(to_reach(setpoint.voltage_V), setpoint.current_min_A, setpoint.current_max_A);
        regulation = base::Regulation::voltage;
        return;
      case base::Control::power:
        current_A = (-ocv_V + std::sqrt(ocv_V * ocv_V + 4 * resistance_Ohm * setpoint.power_W)) / (2 * resistance_Ohm);
        regulation = base::Regulation::power;
        break;
      case base::Control::resistance:
        current_A = -ocv_V / (setpoint.resistance_Ohm + resistance_Ohm), regulation = base::Regulation::resistance;
        break;
    }
    const double highest_A = std::max(0.0, to_reach(setpoint.voltage_max_V));
    const double lowest_A = std::min(0.0, to_reach(setpoint.voltage_min_V));
    if (current_A > highest_A) current_A = highest_A, regulation = base::Regulation::voltage;
    if (current_A < lowest_A) current_A = lowest_A, regulation = base::Regulation::voltage;
  }
  void advance(double seconds) {
    soc += current_A * seconds / capacity_C;
    settle();
  }
  void apply(const base::Setpoint& s) {
    setpoint = s;
    settle();
  }
  [[nodiscard]] base::Sample sample(base::MonoTime t) const {
    base::Sample s;
    s.time = t;
    s.wall = {1'700'000'000'000'000 + t.us};
    s.voltage_V = voltage_V();
    s.current_A = current_A;
    s.temperature_degC = temperature_degC;
    s.regulation = regulation;
    s.output_on = setpoint.control != base::Control::rest;
    return s;
  }
};

}  // namespace cyclerd::test
