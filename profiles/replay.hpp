// A recorded test run again: the same inputs lead to the same orders, rows and summaries, to the last bit.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "profiles/executor.hpp"

namespace cyclerd::profiles {

// The order that a scan's output means for the cycler: `make_safe` when the test was ended by a trip or a lost device,
// since nothing else passes the gate then. Device, sequence and issue time are the caller's.
[[nodiscard]] base::Command setpoint_command(const Output& output, Request request) noexcept RT_NONBLOCKING;
[[nodiscard]] base::Command chamber_command(const Output& output) noexcept RT_NONBLOCKING;

// Whether two commands ask for the same: kind, step and set-point. Device, sequence and issue time are not looked at.
[[nodiscard]] bool same_order(const base::Command& a, const base::Command& b) noexcept RT_NONBLOCKING;

struct Replayed {
  std::vector<base::Command> commands;  // `issued` is the time of the sample that led to it; sequence counts from 1
  std::vector<base::Event> events;
  std::vector<Row> rows;  // as the row selector keeps them
  std::vector<StepSummary> steps;
  std::vector<CycleSummary> cycles;
  ExecutorState state;
};

// Another program that takes over between two scans. `amend` makes the state its own; `last`: the sample before.
struct TakeOver {
  std::uint64_t after_inputs = 0;
  const Program* program = nullptr;
  std::function<void(const base::Sample& last, ExecutorState& state)> amend;
};

// From the start of the test, `amended` in order. Allocates; not for real-time threads.
[[nodiscard]] Replayed replay(const Program& program, std::span<const Input> inputs,
                              std::span<const TakeOver> amended = {});

// From any moment, a scan at a time, for recordings too long to hold: `next` fills in the input and returns false at
// the end; `seen` gets each scan's output.
void replay(const Program& program, ExecutorState& state, const std::function<bool(Input&)>& next,
            const std::function<void(const Input&, const Output&)>& seen);

}  // namespace cyclerd::profiles
