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

// What one scan leads to. `setpoint` and `chamber` are set when the wish changed and must go to the device.
struct Output {
  bool has_setpoint = false;
  bool has_chamber = false;
  bool keep_row = false;      // the record rules ask for this scan's row
  bool step_changed = false;  // a step ended in this scan: time for a checkpoint
  RunState state = RunState::ready;
  base::Setpoint setpoint;
  base::ChamberSetpoint chamber;
  Row row;  // always filled; record_index is given by the row selector
  FixedList<base::Event, 12> events;
  FixedList<StepSummary, 8> steps;
  FixedList<CycleSummary, 4> cycles;

  void clear() noexcept RT_NONBLOCKING;
};

// Begins a test: every counter zero, the first step entered at the first input.
void start(const Program& program, ExecutorState& state) noexcept RT_NONBLOCKING;

// One scan. Samples must not go back in time. A sample with flag::kInvalid advances time but integrates nothing and
// ends nothing but time conditions. At most kMaxTransitions steps are passed in one scan; a profile that would pass
// more in one instant is caught by the checker, and here ends the test as failed.
void step(const Program& program, ExecutorState& state, const Input& input, Output& output) noexcept RT_NONBLOCKING;

inline constexpr int kMaxTransitions = 8;

// The state as bytes and back, bit-exact. restore() is false when version, size or program do not fit.
[[nodiscard]] std::span<const std::byte> snapshot(const ExecutorState& state) noexcept RT_NONBLOCKING;
[[nodiscard]] bool restore(const Program& program, std::span<const std::byte> bytes, ExecutorState& state) noexcept;
inline constexpr std::uint32_t kStateVersion = 1;

static_assert(std::is_trivially_copyable_v<ExecutorState>);

}  // namespace cyclerd::profiles
