// A compiled profile: flat, immutable, walked by the executor without a string compare, a lookup or an allocation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/estimate.hpp"
#include "profiles/instruction.hpp"
#include "protocols/base/rt.hpp"
#include "protocols/base/sample.hpp"
#include "protocols/base/time.hpp"

namespace cyclerd::profiles {

enum class Then : std::uint8_t { next = 0, go_to, end, pause, fail, break_block };

struct Condition {
  ExpressionRef when;
  Then then = Then::next;
  std::uint8_t reserved[3] = {};
  std::uint32_t target = 0;  // step index, for go_to
  base::Duration dwell;      // must hold so long without a break
  std::uint32_t text = 0;    // as written; index in Program::strings
  std::uint32_t reason = 0;  // the author's words; string 0 is empty
};

enum class StepKind : std::uint8_t {
  rest = 0,
  current,     // charge, discharge with current; CC then CV when `voltage` is present
  voltage,     // hold
  power,       // charge, discharge with power
  resistance,  // discharge with resistance
  ramp,
  pulse,
  follow,        // waveform
  chamber,       // set-point and soak, output as it was: rest
  repeat_begin,  // `peer` is its repeat_end
  repeat_end,    // `peer` is its repeat_begin
  advance_cycle,
  set,
  operator_pause,
  impedance,
  end,  // last instruction of every program
};

// What a `set` sets.
enum class SetTarget : std::uint8_t { variable = 0, mark, measured_capacity };

enum class Resample : std::uint8_t { hold = 0, linear };
enum class WaveformQuantity : std::uint8_t { current = 0, c_rate, power, voltage };

struct Waveform {
  WaveformQuantity quantity = WaveformQuantity::current;
  Resample resample = Resample::hold;
  std::vector<std::int64_t> time_us;  // from 0, increasing
  std::vector<double> value;          // A (c_rate already multiplied out), W or V; charge positive
  std::string name;
};

// One part of a pulse step.
struct PulsePart {
  ExpressionRef value;  // A or W, charge positive; worked out when the step is entered
  WaveformQuantity quantity = WaveformQuantity::current;
  base::Duration time;
};
inline constexpr std::uint32_t kMaxPulses = 32;

// How an impedance step makes one number of its pulse: from the last voltage, or from the voltage drawn back to the
// start of the pulse as a straight line over the square root of time.
enum class ResistanceMethod : std::uint8_t { end = 0, sqrt_time };

// How far back an expression of a step's `until` looks.
struct Window {
  Live quantity = Live::voltage;
  base::Duration length;
};
inline constexpr std::uint32_t kMaxWindows = 8;  // of one step

// What makes a row be kept; 0: not used. Any one that fires.
struct RecordRule {
  base::Duration every;
  double voltage_V = 0.0;
  double current_A = 0.0;
  double temperature_K = 0.0;
  double power_W = 0.0;
  double capacity_C = 0.0;  // moved, charge and discharge
  double energy_J = 0.0;
  base::Duration pretrigger;
};

// What a finished step or block leaves behind for later expressions, `<name>.discharge_capacity[last]`. A block (stores
// of its repeat_begin) has the capacities, the energies and the duration of all its passes; its other quantities stay
// NaN.
enum class ResultOf : std::uint8_t {
  charge_capacity = 0,
  discharge_capacity,
  charge_energy,
  discharge_energy,  // A s, J
  capacity,
  energy,  // charge + discharge
  duration,
  cv_duration,  // s
  start_voltage,
  end_voltage,
  end_current,
  min_temperature,
  max_temperature,
  mean_temperature,
  resistance,  // Ohm, of an impedance step
};
enum class ResultPick : std::uint8_t { first = 0, last, nth };
struct ResultStore {
  std::uint32_t slot = 0;  // below Program::result_slots
  ResultOf quantity = ResultOf::capacity;
  ResultPick pick = ResultPick::last;
  std::uint16_t reserved = 0;
  std::uint32_t nth = 0;  // which completion, from 1; for ResultPick::nth
};

// What a slot holds, by name: how an amended program finds what the old one has kept.
struct KeptResult {
  std::string step;  // in full: "check_up.discharge"
  ResultOf quantity = ResultOf::capacity;
  ResultPick pick = ResultPick::last;
  std::uint32_t nth = 0;
};

struct Step {
  StepKind kind = StepKind::rest;
  std::int8_t sign = 0;          // +1 charge, -1 discharge
  std::uint8_t software_cv = 0;  // the device cannot change to CV by itself
  SetTarget set_target = SetTarget::variable;
  std::uint32_t name = 0;    // index in Program::strings
  std::uint32_t type = 0;    // "CCCV_CHG", "REST", ...; index in Program::strings
  std::uint32_t line = 0;    // in the profile
  std::uint32_t parent = 0;  // index of the enclosing repeat_begin; kNoStep at the top
  std::uint32_t peer = 0;
  std::uint32_t first_condition = 0;  // in Program::conditions; a block's `until` belongs to its repeat_begin
  std::uint32_t condition_count = 0;  // at most kMaxConditions
  std::uint32_t record = 0;           // index in Program::records
  std::uint32_t first_window = 0;     // in Program::windows
  std::uint32_t window_count = 0;     // at most kMaxWindows
  ExpressionRef when;                 // skipped when false
  ExpressionRef current;              // A, unsigned (sign says the direction)
  ExpressionRef voltage;              // V
  ExpressionRef power;                // W, unsigned
  ExpressionRef resistance;           // Ohm
  ExpressionRef count;                // repeat, follow: passes in total
  ExpressionRef chamber;              // degC
  ExpressionRef chamber_ramp;         // K/s
  ExpressionRef soak_within;          // K, of the cell's own sensor where there is one, else the chamber's air
  base::Duration soak_for;
  std::uint32_t waveform = 0;  // index in Program::waveforms
  ExpressionRef scale;         // of the waveform
  // ramp: from and to of `ramp_quantity`, lasting `ramp_over` or at `ramp_rate` per second
  WaveformQuantity ramp_quantity = WaveformQuantity::current;
  ExpressionRef ramp_from;
  ExpressionRef ramp_to;
  ExpressionRef ramp_rate;
  ExpressionRef ramp_over;                          // impedance: the length of the pulse
  std::uint32_t first_pulse = 0;                    // in Program::pulses
  std::uint32_t pulse_count = 0;                    // at most kMaxPulses
  ResistanceMethod method = ResistanceMethod::end;  // impedance
  std::uint32_t message = 0;      // operator_pause: what the operator is told; index in Program::strings
  std::uint32_t variable = 0;     // set: which variable or mark
  ExpressionRef value;            // set: to what
  std::uint32_t first_store = 0;  // in Program::stores; filled in when the step or block ends, not when it is skipped
  std::uint32_t store_count = 0;
};
inline constexpr std::uint32_t kNoStep = 0xFFFFFFFFU;
inline constexpr std::uint32_t kMaxConditions = 16;
inline constexpr std::uint32_t kMaxNesting = 64;

// One limit of [safety]. Bounds in SI; kAbsent: not limited. `dwell` 0: at once.
struct SafetyBound {
  double min = base::kAbsent;
  double max = base::kAbsent;
  base::Duration dwell;
};
struct SafetyLimits {
  SafetyBound voltage;      // V
  SafetyBound current;      // A, signed; a profile's `max` alone limits both directions
  SafetyBound power;        // W
  SafetyBound temperature;  // degC, cell
  SafetyBound chamber;      // degC
  SafetyBound capacity;     // A s, since the step began
  base::Duration sensor_loss = base::seconds(3);
};

// The clamps that accompany every set-point: the tightest of cell, device, station and profile.
struct Envelope {
  double voltage_max_V = 0.0;
  double voltage_min_V = 0.0;
  double current_max_A = 0.0;  // >= 0
  double current_min_A = 0.0;  // <= 0
  double power_max_W = 0.0;    // >= 0
  double power_min_W = 0.0;    // <= 0
};

struct Program {
  std::string name;
  std::string title;
  std::string source_text;    // the profile as given
  std::string canonical;      // its canonical form
  std::string source_sha256;  // hex
  std::string canonical_sha256;
  std::string compiled_sha256;  // of the flat program, parameters bound

  std::vector<Step> steps;
  std::vector<Condition> conditions;
  std::vector<Instruction> code;
  std::vector<RecordRule> records;
  std::vector<Waveform> waveforms;
  std::vector<PulsePart> pulses;
  std::vector<Window> windows;
  std::vector<std::string> strings;  // [0] is empty
  std::vector<double> initial_variables;
  std::uint32_t mark_count = 0;    // at most kMaxMarks
  std::uint32_t result_slots = 0;  // at most kMaxResults
  std::vector<ResultStore> stores;
  // By number, as the profile says them. Nothing that runs looks at them; a program made by hand may have none.
  std::vector<std::string> variable_names;
  std::vector<std::string> mark_names;
  std::vector<KeptResult> result_names;

  SafetyLimits safety;
  Envelope envelope;
  double nominal_capacity_C = 0.0;  // A s
  double initial_soc = base::kAbsent;
  base::Duration scan;  // what the program was checked for

  // What the checker worked out; absent (0 or NaN) when it cannot be bounded.
  base::Duration worst_case_duration;
  double worst_case_rows = 0.0;
  double worst_case_charge_C = 0.0;  // A s moved, in and out
  double worst_case_energy_J = 0.0;
  Estimate expected;  // on a cell as its ratings let one expect; 0: not known

  [[nodiscard]] std::string_view text(std::uint32_t index) const noexcept RT_NONBLOCKING { return strings[index]; }
};

}  // namespace cyclerd::profiles
