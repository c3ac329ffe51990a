// Runs a program against the bench cell, and remembers everything.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "profiles/executor.hpp"
#include "tests/support/bench_cell.hpp"
#include "tests/support/program_builder.hpp"

namespace cyclerd::test {

struct Bench {
  explicit Bench(std::shared_ptr<const Program> p)
      : program(std::move(p)), output(std::make_unique<profiles::Output>()) {
    profiles::start(*program, state);
  }

  // One scan with the cell's own sample.
  const profiles::Output& scan(profiles::Request request = profiles::Request::none, std::uint32_t flags = 0) {
    base::Sample sample = cell.sample(now);
    sample.flags = flags;
    sample.chamber_degC = chamber_degC;
    return feed(sample, request);
  }
  const profiles::Output& feed(const base::Sample& sample, profiles::Request request = profiles::Request::none) {
    profiles::Input input;
    input.sample = sample;
    input.request = request;
    inputs.push_back(input);
    profiles::step(*program, state, input, *output);
    if (output->has_setpoint) {
      setpoints.push_back(output->setpoint);
      cell.apply(output->setpoint);
    }
    if (output->has_chamber) chambers.push_back(output->chamber);
    for (const auto& s : output->steps.view()) steps.push_back(s);
    for (const auto& c : output->cycles.view()) cycles.push_back(c);
    for (const auto& e : output->events.view()) events.push_back(e);
    cell.advance(static_cast<double>(program->scan.us) / 1e6);
    now = now + program->scan;
    return *output;
  }
  // Scans until the test is over or `limit` scans are done.
  void run(int limit = 1'000'000) {
    for (int i = 0; i < limit && !is_over(output->state); ++i) scan();
  }
  [[nodiscard]] std::vector<std::string> step_names() const {
    std::vector<std::string> names;
    for (const auto& s : steps) names.emplace_back(s.name.view());
    return names;
  }
  [[nodiscard]] const profiles::StepSummary& summary(const std::string& name) const {
    for (const auto& s : steps) {
      if (s.name == name) return s;
    }
    ENSURE(false, "no such step was run");
    return steps.front();
  }
  [[nodiscard]] double seconds() const { return static_cast<double>(state.last_input_us) / 1e6; }

  std::shared_ptr<const Program> program;
  profiles::ExecutorState state;
  std::unique_ptr<profiles::Output> output;
  BenchCell cell;
  double chamber_degC = base::kAbsent;
  base::MonoTime now{5'000'000};
  std::vector<profiles::Input> inputs;
  std::vector<base::Setpoint> setpoints;
  std::vector<base::ChamberSetpoint> chambers;
  std::vector<profiles::StepSummary> steps;
  std::vector<profiles::CycleSummary> cycles;
  std::vector<base::Event> events;
};

}  // namespace cyclerd::test
