#include "profiles/replay.hpp"

#include <algorithm>
#include <memory>

#include "profiles/row_selector.hpp"

namespace cyclerd::profiles {

base::Command setpoint_command(const Output& output, Request request) noexcept RT_NONBLOCKING {
  const bool unsafe = request == Request::trip || request == Request::device_lost;
  base::Command command;
  command.kind = unsafe ? base::Command::Kind::make_safe : base::Command::Kind::setpoint;
  command.step_count = output.step_count;
  command.setpoint = output.setpoint;
  return command;
}

base::Command chamber_command(const Output& output) noexcept RT_NONBLOCKING {
  base::Command command;
  command.kind = base::Command::Kind::chamber;
  command.step_count = output.step_count;
  command.chamber = output.chamber;
  return command;
}

bool same_order(const base::Command& a, const base::Command& b) noexcept RT_NONBLOCKING {
  if (a.kind != b.kind || a.step_count != b.step_count) return false;
  return a.kind == base::Command::Kind::chamber ? a.chamber == b.chamber : a.setpoint == b.setpoint;
}

void replay(const Program& program, ExecutorState& state, const std::function<bool(Input&)>& next,
            const std::function<void(const Input&, const Output&)>& seen) {
  const auto output = std::make_unique<Output>();
  Input input;
  while (next(input)) {
    step(program, state, input, *output);
    seen(input, *output);
  }
}

Replayed replay(const Program& program, std::span<const Input> inputs, std::span<const TakeOver> amended) {
  Replayed result;
  RowSelector rows(program);
  start(program, result.state);
  std::size_t at = 0;
  auto add = [&result](base::Command command, const Input& input) {
    command.issued = input.sample.time;
    command.sequence = result.commands.size() + 1;
    result.commands.push_back(command);
  };
  const auto run = [&](const Program& in_force, std::size_t end) {
    replay(
        in_force, result.state,
        [&](Input& input) {
          if (at == end) return false;
          input = inputs[at++];
          return true;
        },
        [&](const Input& input, const Output& output) {
          if (output.has_setpoint) add(setpoint_command(output, input.request), input);
          if (output.has_chamber) add(chamber_command(output), input);
          result.events.insert(result.events.end(), output.events.view().begin(), output.events.view().end());
          result.steps.insert(result.steps.end(), output.steps.view().begin(), output.steps.view().end());
          result.cycles.insert(result.cycles.end(), output.cycles.view().begin(), output.cycles.view().end());
          rows.select(output, false, [&result](const Row& row) { result.rows.push_back(row); });
        });
  };
  const Program* in_force = &program;
  for (const TakeOver& next : amended) {
    run(*in_force, std::min<std::size_t>(inputs.size(), next.after_inputs));
    if (at != next.after_inputs) return result;  // the recording ends before
    next.amend(at == 0 ? base::Sample{} : inputs[at - 1].sample, result.state);
    RowSelector of_new(*next.program);
    of_new.take_over(rows);
    rows.swap(of_new);
    in_force = next.program;
  }
  run(*in_force, inputs.size());
  return result;
}

}  // namespace cyclerd::profiles
