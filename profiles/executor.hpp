// The executor: a pure function of (program, state, input). No clock, no I/O, no allocation: a recorded input stream
// replays to the identical commands, and a simulation in virtual time runs the identical code.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "profiles/executor_state.hpp"
#include "profiles/program.hpp"
#include "profiles/record.hpp"
#include "protocols/base/command.hpp"
#include "protocols/base/event.hpp"
#include "protocols/base/rt.hpp"

namespace cyclerd::profiles {

// A list in place, for outputs of one scan. push() on a full list counts the loss.
template <class T, std::size_t N>
struct FixedList {
  std::array<T, N> items{};
  std::size_t count = 0;
  std::size_t lost = 0;

  void push(const T& item) noexcept RT_NONBLOCKING {
    if (count < N) {
      items[count++] = item;
    } else {
      ++lost;
    }
  }
  void clear() noexcept RT_NONBLOCKING { count = 0; }
  [[nodiscard]] std::span<const T> view() const noexcept RT_NONBLOCKING { return {items.data(), count}; }
};

enum class RunState : std::uint8_t { ready = 0, running, paused, finished, stopped, failed };

// Named steps that one scan may end or skip, and zero-time instructions (block ends, `set`, skips) that it may pass.
// What is left over goes on at the next scan, with the output at rest in between. A loop that passes kMaxInstantSteps
// without a step that lasts is caught by the checker, and here ends the test as failed.
inline constexpr std::uint32_t kMaxTransitions = 8;
inline constexpr std::uint32_t kMaxInstructions = 128;
inline constexpr std::uint32_t kMaxInstantSteps = 10'000;

// What one scan leads to. `setpoint` and `chamber` are set when the wish changed and must go to the device. Reuse one
// Output: step() touches only what it fills.
struct Output {
  bool has_setpoint = false;
  bool has_chamber = false;
  bool keep_row = false;      // first or last row of a step, or a request: to be kept whatever the record rules say
  bool step_changed = false;  // a step ended in this scan: time for a checkpoint
  bool step_first_setpoint = false;  // `setpoint` is the first of its step, or sent again after a pause
  RunState state = RunState::ready;
  std::uint32_t step_count = 0;  // the executed step that the wishes belong to
  base::Setpoint setpoint;
  base::ChamberSetpoint chamber;
  Row row;  // always filled: this sample, under the step and set-point that it was measured in; record_index stays 0
  FixedList<base::Event, 24> events;
  FixedList<StepSummary, kMaxTransitions + 2> steps;
  FixedList<CycleSummary, kMaxTransitions + 2> cycles;

  void clear() noexcept RT_NONBLOCKING;
};

// Begins a test: every counter zero, the first step entered at the first input.
void start(const Program& program, ExecutorState& state) noexcept RT_NONBLOCKING;

// One scan. Samples must not go back in time: one that does counts as invalid and as taken at the last one's time. A
// sample with flag::kInvalid, or without voltage and current, advances time but integrates nothing; conditions on
// measured values neither fire nor lose their dwell on it. With flag::kSettling the same holds for conditions on
// voltage, current and power. The rules in full: profiles/README.md, "Semantics".
void step(const Program& program, ExecutorState& state, const Input& input, Output& output) noexcept RT_NONBLOCKING;

[[nodiscard]] constexpr bool is_over(RunState s) noexcept RT_NONBLOCKING {
  return s >= RunState::finished;
}

// The state as bytes and back, bit-exact. restore() is false when version, size or program do not fit.
[[nodiscard]] std::span<const std::byte> snapshot(const ExecutorState& state) noexcept RT_NONBLOCKING;
[[nodiscard]] bool restore(const Program& program, std::span<const std::byte> bytes, ExecutorState& state) noexcept;
inline constexpr std::uint32_t kStateVersion = 3;

static_assert(std::is_trivially_copyable_v<ExecutorState>);

}  // namespace cyclerd::profiles
