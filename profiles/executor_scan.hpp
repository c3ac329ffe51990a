// Inside of the executor: what its parts hand to each other in one scan. Not for others.
#pragma once

#include <string_view>

#include "profiles/evaluate.hpp"
#include "profiles/executor.hpp"

namespace cyclerd::profiles::detail {

struct Scan {
  const Program& program;
  ExecutorState& state;
  const Input& input;
  Output& output;
  bool valid = false;   // the sample may be believed
  bool judge = true;    // conditions may end the step in this scan
  bool resend = false;  // the set-point goes out even when it is the last one again
};

[[nodiscard]] inline RunState run_state(const ExecutorState& state) noexcept RT_NONBLOCKING {
  return static_cast<RunState>(state.run_state);
}
[[nodiscard]] inline const Step& current_step(const Scan& scan) noexcept RT_NONBLOCKING {
  return scan.program.steps[scan.state.step_index];
}
// Time into the step, pauses excluded.
[[nodiscard]] std::int64_t step_time_us(const ExecutorState& state) noexcept RT_NONBLOCKING;

void say(Scan& scan, base::EventKind kind, std::string_view subject, std::string_view text, double value = 0.0,
         double bound = 0.0) noexcept RT_NONBLOCKING;

// executor_wish.cpp: what the devices are asked for.
// Works out the set-points of a step that is being entered; nullptr, or what is wrong.
[[nodiscard]] const char* plan_step(Scan& scan, const Step& step) noexcept RT_NONBLOCKING;
// The wish of this scan; marks it for sending when it differs from the last.
void update_wish(Scan& scan) noexcept RT_NONBLOCKING;
// The step's own end: waveform played, ramp done, soak reached.
[[nodiscard]] bool own_end(Scan& scan, const Step& step) noexcept RT_NONBLOCKING;
[[nodiscard]] bool in_software_cv(const Scan& scan) noexcept RT_NONBLOCKING;
// This scan's row stands at an edge of a pulse.
[[nodiscard]] bool at_edge(Scan& scan) noexcept RT_NONBLOCKING;
// What is said of a step that ended by itself.
[[nodiscard]] base::FixedText<78> own_end_words(const Scan& scan, const Step& step) noexcept RT_NONBLOCKING;

// executor_tracking.cpp: how well a `follow` is followed.
// Holds the sample against the wish it was measured under. `since_us`: the interval that it closes; 0 where none is
// counted.
void track(Scan& scan, std::int64_t since_us) noexcept RT_NONBLOCKING;
// Appends to the words of the end what fits of the tracking, and says all of it in a note.
void report_tracking(Scan& scan, const Step& step, StepSummary& summary) noexcept RT_NONBLOCKING;

// executor_walk.cpp: the way through the program.
// Passes instructions until a step that lasts is entered, the test is over, or the scan's budget is used up.
void walk(Scan& scan) noexcept RT_NONBLOCKING;
void end_step(Scan& scan, EndReason reason, std::string_view text, Comparison fired = {}) noexcept RT_NONBLOCKING;
void pause(Scan& scan, std::string_view text) noexcept RT_NONBLOCKING;
void finish(Scan& scan, RunState state, EndReason reason, std::string_view text) noexcept RT_NONBLOCKING;
// Judges the conditions and the own end of the step that runs, and follows the one that fires.
void judge_step(Scan& scan) noexcept RT_NONBLOCKING;

}  // namespace cyclerd::profiles::detail
