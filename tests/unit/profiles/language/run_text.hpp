// A profile's text, compiled and run on the bench cell; and the promises that every run must keep.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "profiles/evaluate.hpp"
#include "profiles/replay.hpp"
#include "tests/unit/profiles/language/bench.hpp"
#include "tests/unit/profiles/run/bench.hpp"

namespace cyclerd::profiles::test {

inline std::shared_ptr<const Program> program_of(const std::string& body, const Launch& launch = roomy_launch()) {
  Compiled compiled = compile_body(body, launch);
  EXPECT_TRUE(compiled.program) << compiled.diagnostics.render();
  if (compiled.program != nullptr) {
    EXPECT_EQ(malformed(*compiled.program), nullptr);
  }
  return std::shared_ptr<const Program>(std::move(compiled.program));
}

inline double seconds_of(std::int64_t us) {
  return static_cast<double>(us) / 1e6;
}

// The recorded inputs lead to the same orders again, also by way of a checkpoint in the middle; and the canonical form
// compiles to the same program.
inline void expect_reproducible(const cyclerd::test::Bench& bench, const Launch& launch = roomy_launch()) {
  const Replayed again = replay(*bench.program, bench.inputs);
  std::vector<base::Setpoint> sent;
  for (const auto& command : again.commands) {
    if (command.kind != base::Command::Kind::chamber) sent.push_back(command.setpoint);
  }
  EXPECT_TRUE(sent == bench.setpoints);
  EXPECT_EQ(std::memcmp(&again.state, &bench.state, sizeof bench.state), 0);
  const std::size_t half = bench.inputs.size() / 2;
  const Replayed first = replay(*bench.program, std::span(bench.inputs).first(half));
  ExecutorState state;
  ASSERT_TRUE(restore(*bench.program, snapshot(first.state), state));
  const auto output = std::make_unique<Output>();
  for (std::size_t i = half; i < bench.inputs.size(); ++i) step(*bench.program, state, bench.inputs[i], *output);
  EXPECT_EQ(std::memcmp(&state, &bench.state, sizeof state), 0);
  text::Diagnostics diagnostics;
  Launch alone = launch;
  alone.procedure_library.clear();
  const auto same = compile_profile(source_of(bench.program->canonical), alone, diagnostics);
  ASSERT_TRUE(same) << diagnostics.render() << bench.program->canonical;
  EXPECT_EQ(same->compiled_sha256, bench.program->compiled_sha256) << bench.program->canonical;
  EXPECT_EQ(same->canonical, bench.program->canonical);
}

}  // namespace cyclerd::profiles::test
