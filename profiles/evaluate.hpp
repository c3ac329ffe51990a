// Expressions at run time: a stack machine over live quantities. Pure, no allocation, about 10 ns for `voltage >= 4.2
// V`.
#pragma once

#include "profiles/executor_state.hpp"
#include "profiles/program.hpp"
#include "protocols/base/rt.hpp"
#include "protocols/base/sample.hpp"

namespace cyclerd::profiles {

// The value in SI. Arithmetic with a quantity that is not measured gives NaN; every comparison with NaN, `!=` included,
// is false; NaN counts as false for `and`, `or`, `not`. The program must be well formed (see malformed()).
[[nodiscard]] double evaluate(const Program& program, ExpressionRef expression, const ExecutorState& state,
                              const base::Sample& sample) noexcept RT_NONBLOCKING;

[[nodiscard]] double live_value(Live quantity, const Program& program, const ExecutorState& state,
                                const base::Sample& sample) noexcept RT_NONBLOCKING;

[[nodiscard]] inline bool is_true(double value) noexcept RT_NONBLOCKING {
  return value < 0.0 || value > 0.0;
}

// What a person wants to see of a condition that fired: both sides of its outermost comparison. Without one, the first
// live quantity in it as `measured`.
struct Comparison {
  double measured = 0.0;
  double bound = 0.0;
};
[[nodiscard]] Comparison sides(const Program& program, ExpressionRef expression, const ExecutorState& state,
                               const base::Sample& sample) noexcept RT_NONBLOCKING;

// Whether the value depends on what is measured at the terminals (voltage, current, power) in this very sample.
[[nodiscard]] bool uses_terminals(const Program& program, ExpressionRef expression) noexcept RT_NONBLOCKING;
// The same for the temperatures.
[[nodiscard]] bool uses_temperatures(const Program& program, ExpressionRef expression) noexcept RT_NONBLOCKING;

// nullptr for a program that the executor can run without looking over its shoulder; otherwise what is wrong with it: a
// bug in whatever made it. Checks every index, the stack use of every expression, block nesting and the closing `end`.
[[nodiscard]] const char* malformed(const Program& program) noexcept RT_NONBLOCKING;

}  // namespace cyclerd::profiles
