// Everything the executor remembers between two scans, as a plain value: copied, compared, journalled byte by byte.
#pragma once

#include <array>
#include <cstdint>

#include "profiles/fold.hpp"
#include "profiles/program.hpp"
#include "profiles/record.hpp"
#include "protocols/base/command.hpp"
#include "protocols/base/sample.hpp"

namespace cyclerd::profiles {

inline constexpr std::size_t kMaxVariables = 64;
inline constexpr std::size_t kMaxResults = 256;

struct ExecutorState {
  std::uint32_t started = 0;
  std::uint32_t run_state = 0;  // RunState
  std::uint32_t step_index = 0;
  std::uint32_t step_count = 0;
  std::uint32_t cycle_count = 0;
  std::uint32_t depth = 0;                              // of blocks
  std::array<std::uint32_t, kMaxNesting> block{};       // repeat_begin indices, outermost first
  std::array<std::uint32_t, kMaxNesting> block_pass{};  // from 1
  std::int64_t test_start_us = 0;                       // MonoTime of the first input
  std::int64_t last_input_us = 0;
  std::int64_t step_start_us = 0;
  std::int64_t step_paused_us = 0;  // pauses inside the step
  std::int64_t pause_start_us = 0;
  std::array<std::int64_t, kMaxConditions> holds_since_us{};  // per condition of the step; kNever when it does not hold
  std::int64_t soak_since_us = 0;
  std::uint64_t inputs = 0;  // consumed so far
  base::Setpoint setpoint;   // last wish sent
  base::ChamberSetpoint chamber;
  Fold fold;         // charge and energy: test, step, cycle
  StepSummary step;  // of the step that runs, filled as it goes
  CycleSummary cycle;
  double temperature_sum = 0.0;  // K s, for the step's mean
  double temperature_time_s = 0.0;
  double software_cv_current_A = 0.0;
  double initial_soc = base::kAbsent;
  double measured_capacity_C = base::kAbsent;
  std::array<double, kMaxVariables> variables{};
  std::array<double, kMaxResults> results{};
};
inline constexpr std::int64_t kNever = INT64_MIN;

}  // namespace cyclerd::profiles
