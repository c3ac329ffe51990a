// Another program in the place of one that runs: what becomes of the executor's state. The plan is worked out outside
// of the real-time path (amend_plan.hpp) and carried out between two scans.
#pragma once

#include <array>
#include <cstdint>

#include "profiles/executor_state.hpp"
#include "profiles/program.hpp"
#include "protocols/base/rt.hpp"
#include "protocols/base/sample.hpp"

namespace cyclerd::profiles {

// A slot whose step had been completed before anybody counted: what it counts from. `[first]` and `[3]` never match.
inline constexpr std::uint32_t kCompletionsUnknown = 1U << 30;

// What the new program makes of a state of the old one. It is of one place in the test, and holds until the step that
// runs there ends.
struct Amendment {
  static constexpr std::uint16_t kNone = 0xFFFF;
  struct Result {
    std::uint16_t value_from = kNone;  // slot of the old program; kNone: there is no value yet
    std::uint16_t count_from = kNone;  // slot whose completions are counted on
    std::uint32_t count = 0;           // without one: 0 or kCompletionsUnknown
  };

  std::uint64_t from_print = 0;  // ExecutorState::program_print, before and after
  std::uint64_t to_print = 0;
  std::uint32_t step_index = 0;
  std::uint32_t step_count = 0;
  std::uint64_t recount = 0;  // bit n: the n-th open block, outermost first, has another `count`
  std::array<std::uint16_t, kMaxVariables> variable_from{};  // by number in the new program
  std::array<std::uint16_t, kMaxMarks> mark_from{};
  std::array<Result, kMaxResults> results{};
};

// Whether the test is at a place where a program can be exchanged: inside of a step that lasts.
[[nodiscard]] bool can_amend(const ExecutorState& state) noexcept RT_NONBLOCKING;
// Whether the plan was made for this very step of the test.
[[nodiscard]] bool fits(const Amendment& amendment, const ExecutorState& state) noexcept RT_NONBLOCKING;

// Carries it out; `state` must fit. `last`: the newest sample, for a `count` that is worked out again.
void amend(const Amendment& amendment, const Program& to, const base::Sample& last,
           ExecutorState& state) noexcept RT_NONBLOCKING;

}  // namespace cyclerd::profiles
