#include "profiles/amend.hpp"

#include <cmath>

#include "profiles/evaluate.hpp"
#include "profiles/executor.hpp"

namespace cyclerd::profiles {

bool can_amend(const ExecutorState& state) noexcept RT_NONBLOCKING {
  const auto run = static_cast<RunState>(state.run_state);
  return state.started != 0 && state.step_entered != 0 && (run == RunState::running || run == RunState::paused);
}

bool fits(const Amendment& amendment, const ExecutorState& state) noexcept RT_NONBLOCKING {
  return can_amend(state) && state.program_print == amendment.from_print && state.step_index == amendment.step_index &&
         state.step_count == amendment.step_count;
}

void amend(const Amendment& amendment, const Program& to, const base::Sample& last,
           ExecutorState& state) noexcept RT_NONBLOCKING {
  const auto variables = state.variables;
  const auto marks = state.marks;
  const auto results = state.results;
  const auto counts = state.result_counts;
  state.variables.fill(0.0);
  state.marks.fill({});
  state.results.fill(base::kAbsent);
  state.result_counts.fill(0);
  for (std::size_t i = 0; i < to.initial_variables.size() && i < kMaxVariables; ++i) {
    const std::uint16_t from = amendment.variable_from[i];
    state.variables[i] = from != Amendment::kNone ? variables[from] : to.initial_variables[i];
  }
  for (std::size_t i = 0; i < to.mark_count && i < kMaxMarks; ++i) {
    if (amendment.mark_from[i] != Amendment::kNone) state.marks[i] = marks[amendment.mark_from[i]];
  }
  for (std::size_t i = 0; i < to.result_slots && i < kMaxResults; ++i) {
    const Amendment::Result& result = amendment.results[i];
    if (result.value_from != Amendment::kNone) state.results[i] = results[result.value_from];
    state.result_counts[i] = result.count_from != Amendment::kNone ? counts[result.count_from] : result.count;
  }
  state.program_print = amendment.to_print;
  for (std::uint32_t depth = 0; depth < state.depth; ++depth) {
    if ((amendment.recount >> depth & 1U) == 0) continue;
    OpenBlock& block = state.blocks[depth];
    const ExpressionRef count = to.steps[block.begin].count;
    block.count = evaluate(to, count, state, last);
    // A count that is not a number would mean no end; on entry it would have skipped the block.
    if (count.present() && !std::isfinite(block.count)) block.count = 0.0;
  }
}

}  // namespace cyclerd::profiles
