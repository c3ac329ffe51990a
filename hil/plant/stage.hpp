// The output stage of a virtual cycler: what it is asked for, what it can, and in which of its limits it runs.
#pragma once

#include <cstdint>

#include "hil/cells/cell.hpp"
#include "hil/plant/meter.hpp"
#include "protocols/base/command.hpp"
#include "protocols/base/sample.hpp"

namespace cyclerd::hil {

// Ratings and imperfections. Charge positive.
struct StageConfig {
  double voltage_max_V = 20.0;
  double current_max_A = 40.0;        // charge, >= 0
  double current_min_A = -40.0;       // discharge, <= 0
  double power_max_W = 800.0;         // >= 0
  double power_min_W = -800.0;        // <= 0
  double rise_time_constant_s = 0.0;  // first order; 0: the current follows at once
  double slew_A_per_s = 0.0;          // the most the current changes in a second; 0: no such limit
  // A voltage loop that takes over late: by how much the voltage goes past its set-point first (at most 20 mV), and how
  // fast it comes back.
  double voltage_overshoot_V = 0.0;
  double voltage_loop_s = 0.005;
  // What hangs on the cell while the output is off.
  double bleeder_Ohm = 0.0;      // 0: none
  double reverse_drain_A = 0.0;  // >= 0, out of the cell
  // Own protections, as shares beyond the set limits (0.05: trips at 105 %); 0: none.
  double ovp_margin = 0.0;
  double ocp_margin = 0.0;
  // What the stage makes of its set-points.
  double voltage_gain = 1.0, voltage_offset_V = 0.0, voltage_step_V = 0.0;
  double current_gain = 1.0, current_offset_A = 0.0, current_step_A = 0.0;
  double power_step_W = 0.0;
};

// One law for every control: hold voltage_V; where that would need a current beyond a limit, the limit is held.
// Charging CC-CV is {voltage_max, current in 0..I}, discharging {voltage_min, current in -I..0}: native CC-CV in both
// directions.
struct StageRequest {
  bool output_on = false;
  double voltage_V = 0.0;
  double current_max_A = 0.0;   // >= 0
  double current_min_A = 0.0;   // <= 0
  double power_max_W = 0.0;     // >= 0
  double power_min_W = 0.0;     // <= 0
  double resistance_Ohm = 0.0;  // > 0: sinks no more than this resistor would

  bool operator==(const StageRequest&) const = default;
};

// Which bound of the law is held.
enum class StageMode : std::uint8_t { off = 0, voltage, current_high, current_low, power_high, power_low, resistance };

[[nodiscard]] base::Regulation regulation_of(StageMode mode) noexcept;
[[nodiscard]] const char* to_string(StageMode mode) noexcept;

enum class Refusal : std::uint8_t { none = 0, not_a_number, out_of_range };
[[nodiscard]] const char* to_string(Refusal refusal) noexcept;

// The request that a set-point means for a stage of these ratings. Refused, and `request` untouched, when a field that
// the control uses is no finite number, has the wrong sign or lies outside the ratings.
[[nodiscard]] Refusal request_of(const base::Setpoint& setpoint, const StageConfig& config,
                                 StageRequest& request) noexcept;

// The same check for a request made by a twin.
[[nodiscard]] Refusal check_request(const StageRequest& request, const StageConfig& config) noexcept;

// What set-points become on their way to the output.
struct SetErrors {
  MeterConfig voltage, current;  // noise is not used
};
[[nodiscard]] SetErrors set_errors_of(const StageConfig& config) noexcept;
// The request as the stage carries it out: resolution, gain and offset of its set-points, its own power limits.
[[nodiscard]] StageRequest as_executed(const StageRequest& request, const StageConfig& config,
                                       const SetErrors& errors) noexcept;

struct Operating {
  StageMode mode = StageMode::off;
  double current_A = 0.0;
};
// Solves the law at one instant for a terminal V = emf + R I.
[[nodiscard]] Operating operate(const StageRequest& request, const Affine& terminal) noexcept;

// By how much the end of a step breaks a bound that is not the held one, and which bound that is. amount <= 0: none.
struct Excess {
  double amount = -1.0;
  StageMode next = StageMode::off;
};
[[nodiscard]] Excess excess_of(const StageRequest& request, StageMode held, double current_A,
                               double voltage_V) noexcept;

}  // namespace cyclerd::hil
