// Everything the executor remembers between two scans, as a plain value: copied, compared, journalled byte by byte.
#pragma once

#include <array>
#include <cstdint>

#include "profiles/fold.hpp"
#include "profiles/program.hpp"
#include "profiles/record.hpp"
#include "profiles/window.hpp"
#include "protocols/base/command.hpp"
#include "protocols/base/sample.hpp"

namespace cyclerd::profiles {

inline constexpr std::size_t kMaxVariables = 64;
inline constexpr std::size_t kMaxResults = 256;
inline constexpr std::size_t kMaxMarks = 16;
inline constexpr std::int64_t kNever = INT64_MIN;

// What a `follow` has done so far. The wish is what the waveform asked for before any clamp, in its own quantity.
struct Tracking {
  double wished = base::kAbsent;  // in force now: A, W or V; absent: nothing to be held against
  double judged_s = 0.0;          // time of the samples that were held against it
  double error_square_s = 0.0;    // their squared error over time
  double worst_error = 0.0;       // measured - wished, of the largest magnitude
  double played_s = 0.0;          // time that the balance is of
  double limited_s = 0.0;         // of it: the wish was cut, or the instrument regulated something else
  double wished_moved = 0.0;      // A s or J, charge positive
};

// What a step worked out when it was entered; which fields count depends on its kind.
struct StepPlan {
  base::Setpoint setpoint;  // steady part of the wish
  double scale = 1.0;       // follow
  double passes = 1.0;      // follow
  double ramp_from = 0.0;   // A, V or W
  double ramp_to = 0.0;
  double ramp_over_s = 0.0;
  double soak_within_K = 0.0;      // chamber
  double software_cv_V = 0.0;      // software CV: where to stay
  double software_cv_min_A = 0.0;  // software CV: range of its current, signed
  double software_cv_max_A = 0.0;
  double software_cv_A = 0.0;              // software CV: its current now
  std::array<double, kMaxPulses> pulse{};  // A or W
  std::uint32_t pulse_part = 0;            // that is in force
  std::uint32_t edge_rows = 0;             // rows around an edge that are still to be kept
  double start_current_A = base::kAbsent;  // impedance: before the pulse
  double points = 0.0;                     // impedance: sums over the pulse, x = sqrt(time), y = voltage
  double sum_x = 0.0, sum_y = 0.0, sum_xx = 0.0, sum_xy = 0.0;
  double resistance_Ohm = base::kAbsent;
  Tracking tracking;  // follow
};

// All times but test_start_us are test time: microseconds since the first input. One block that a test is inside of.
struct OpenBlock {
  std::uint32_t begin = 0;       // index of its repeat_begin
  std::uint32_t pass = 0;        // from 1
  double count = base::kAbsent;  // passes in total, worked out on entry; absent: no count
  std::int64_t start_us = 0;
  Throughput start;  // of the test, when the block was entered
};

// A moment that a `set` marked, and what had been moved by then.
struct Mark {
  std::int64_t set_us = kNever;
  Throughput start;  // of the test
};

struct ExecutorState {
  std::uint32_t version = 0;  // kStateVersion
  std::uint32_t reserved = 0;
  std::uint64_t program_print = 0;  // of the program it belongs to
  std::uint32_t started = 0;
  std::uint32_t run_state = 0;  // RunState
  std::uint32_t step_index = 0;
  std::uint32_t step_count = 0;
  std::uint32_t cycle_count = 0;
  std::uint32_t depth = 0;                      // of blocks
  std::uint32_t step_entered = 0;               // 0: between two steps
  std::uint32_t step_inputs = 0;                // samples since the step was entered
  std::uint32_t instant_steps = 0;              // passed in a row without one that lasts
  std::uint32_t temperature_seen = 0;           // the cell has a sensor of its own
  std::array<OpenBlock, kMaxNesting> blocks{};  // outermost first
  std::int64_t test_start_us = 0;               // MonoTime of the first input
  std::int64_t last_input_us = 0;
  std::int64_t step_start_us = 0;
  std::int64_t step_paused_us = 0;  // pauses inside the step
  std::int64_t pause_start_us = 0;
  std::array<std::int64_t, kMaxConditions> holds_since_us{};  // per condition; kNever when it does not hold
  std::int64_t soak_since_us = kNever;
  std::uint64_t inputs = 0;  // consumed so far
  base::Setpoint setpoint;   // last wish sent
  base::ChamberSetpoint chamber;
  StepPlan plan;
  Fold fold;         // charge and energy: test, step, cycle
  StepSummary step;  // of the step that runs, filled as it goes
  CycleSummary cycle;
  double temperature_sum = 0.0;  // degC s, for the step's mean
  double temperature_time_s = 0.0;
  double initial_soc = base::kAbsent;
  double measured_capacity_C = base::kAbsent;
  std::array<WindowState, kMaxWindows> windows{};  // of the step that runs
  Throughput closed_cycle;                         // what the last advance_cycle closed; zero in the first cycle
  std::array<Mark, kMaxMarks> marks{};
  std::array<double, kMaxVariables> variables{};
  std::array<double, kMaxResults> results{};
  std::array<std::uint32_t, kMaxResults> result_counts{};  // completions seen by the slot
};

// Equal states are equal bytes: no member may leave a hole.
static_assert(sizeof(base::Setpoint) == 8 + 8 * 8 && sizeof(base::ChamberSetpoint) == 8 + 2 * 8);
static_assert(sizeof(StepPlan) == sizeof(base::Setpoint) + 10 * 8 + kMaxPulses * 8 + 8 + 7 * 8 + sizeof(Tracking) &&
              sizeof(Tracking) == 7 * 8 && sizeof(OpenBlock) == 24 + sizeof(Throughput));
static_assert(sizeof(WindowState) == 3 * 8 + (WindowState::kParts + 1) * 3 * 8);
static_assert(sizeof(Fold) == 3 * 8 + 3 * sizeof(ThroughputSum) && sizeof(ThroughputSum) == 8 * 8);
static_assert(sizeof(StepSummary) == 16 + 3 * 8 + sizeof(Throughput) + 7 * 8 + 48 + 80);
static_assert(sizeof(CycleSummary) == 8 + 2 * 8 + sizeof(Throughput) + 2 * 8);
static_assert(sizeof(ExecutorState) == 16 + 10 * 4 + kMaxNesting * sizeof(OpenBlock) + 5 * 8 + kMaxConditions * 8 +
                                           2 * 8 + sizeof(base::Setpoint) + sizeof(base::ChamberSetpoint) +
                                           sizeof(StepPlan) + sizeof(Fold) + sizeof(StepSummary) +
                                           sizeof(CycleSummary) + 4 * 8 + sizeof(Throughput) +
                                           kMaxMarks * (8 + sizeof(Throughput)) + kMaxWindows * sizeof(WindowState) +
                                           kMaxVariables * 8 + kMaxResults * 12);

}  // namespace cyclerd::profiles
