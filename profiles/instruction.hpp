// What expressions are compiled to: instructions of a small stack machine.
#pragma once

#include <cstdint>

#include "protocols/base/rt.hpp"

namespace cyclerd::profiles {

// Live quantities an expression may load. SI: V, A, W, degC, s, A s, J; counts and ratios are plain numbers.
enum class Live : std::uint8_t {
  voltage,
  current,
  power,
  temperature,
  chamber_temperature,
  time,  // of the step, pauses excluded
  test_time,
  cycle,
  step_capacity,  // charge + discharge moved in the step
  step_energy,
  charge_capacity,
  discharge_capacity,
  charge_energy,
  discharge_energy,  // of the cycle
  soc,               // see profiles/README.md
  nominal_capacity,
  measured_capacity,
  // The counters of the cycle as the `until` of a repeat sees them: while nothing has moved since the last
  // advance_cycle, still those of the cycle that it closed.
  pass_charge_capacity,
  pass_discharge_capacity,
  pass_charge_energy,
  pass_discharge_energy,
};

// Stack machine for expressions. Booleans are 0 and 1. Parameters are constants by the time a Program exists.
enum class Op : std::uint8_t {
  constant,  // push value
  load,      // push Live(arg)
  variable,  // push state variable `arg`
  result,    // push result slot `index` (of a named earlier step); NaN while it does not exist
  mark,      // push what ResultOf(arg) has grown by since mark `index` was set; NaN before
  rate,      // push the slope of window `index` of the step, per second; NaN until it is full
  mean,      // push its mean
  negate,
  add,
  subtract,
  multiply,
  divide,
  less,
  less_equal,
  greater,
  greater_equal,
  equal,
  not_equal,
  logical_and,
  logical_or,
  logical_not,
  abs,
  min,
  max,
  mod,
};
struct Instruction {
  Op op = Op::constant;
  std::uint8_t arg = 0;
  std::uint16_t reserved = 0;
  std::uint32_t index = 0;
  double value = 0.0;
};
inline constexpr int kMaxStack = 32;

// A run of instructions in Program::code. count 0: absent.
struct ExpressionRef {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  [[nodiscard]] bool present() const noexcept RT_NONBLOCKING { return count != 0; }
};

}  // namespace cyclerd::profiles
