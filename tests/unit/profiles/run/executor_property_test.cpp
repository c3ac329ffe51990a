// What must hold for every program: replay equality, snapshots at any scan, bookkeeping, no allocation.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string_view>

#include "profiles/replay.hpp"
#include "profiles/row_selector.hpp"
#include "tests/support/allocation_count.hpp"
#include "tests/unit/profiles/run/bench.hpp"

namespace cyclerd::profiles {
namespace {

using namespace cyclerd::test;

struct RandomProgram {
  std::mt19937 random;
  ProgramBuilder b;
  int steps = 0;

  explicit RandomProgram(unsigned seed) : random(seed) {
    RecordRule rule;
    rule.every = base::seconds(1);
    rule.voltage_V = 0.01;
    rule.pretrigger = base::milliseconds(500);
    b.record(rule);
    b.program().initial_variables = {1.0, 0.0};
    b.waveform({WaveformQuantity::current, Resample::linear, {0, 500'000, 1'500'000}, {1.0, -1.0, 2.0}, "w"});
  }
  int pick(int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); }
  double number(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random); }

  void ends() {
    const Then thens[] = {Then::next, Then::next, Then::next, Then::break_block, Then::pause, Then::end};
    for (int i = pick(3); i > 0; --i) {
      Until u;
      u.when = pick(2) != 0 ? at_least(Live::voltage, number(3.4, 4.1)) : at_most(Live::voltage, number(3.2, 3.8));
      if (pick(4) == 0) u.when = binary(Op::logical_or, u.when, at_least(Live::step_capacity, number(1, 20)));
      u.then = thens[pick(pick(4) == 0 ? 6 : 3)];
      u.dwell = base::milliseconds(100 * pick(8));
      b.until(u);
    }
    b.for_seconds(0.1 * (1 + pick(40)));
  }
  void one_step() {
    const std::string name = "s" + std::to_string(steps++);
    switch (pick(9)) {
      case 0: b.rest(name), ends(); break;
      case 1: b.charge(name, number(0, 12)), ends(); break;
      case 2: b.discharge(name, number(0, 12)).with(&Step::voltage, num(3.2)), ends(); break;
      case 3:
        b.charge(name, number(1, 6)).with(&Step::voltage, num(number(3.5, 4.2))), b.last().software_cv = 1, ends();
        break;
      case 4: b.step(StepKind::power, name, pick(2) ? 1 : -1).with(&Step::power, num(number(1, 30))), ends(); break;
      case 5: b.step(StepKind::follow, name).with(&Step::count, num(1 + pick(3))), ends(); break;
      case 6: b.advance_cycle(); break;
      case 7: b.set(static_cast<std::uint32_t>(pick(2)), binary(Op::add, variable(0), live(Live::cycle))); break;
      default:
        b.rest(name)
            .with(&Step::when, binary(Op::less, variable(1), num(number(0, 4))))
            .with(&Step::chamber, num(20 + pick(9)));
        b.store(ResultOf::duration, ResultPick::last, static_cast<std::uint32_t>(pick(4)));
        ends();
        break;
    }
  }
  void block(int depth) {
    for (int i = 1 + pick(4); i > 0; --i) {
      if (depth < 3 && pick(4) == 0) {
        b.repeat("b" + std::to_string(steps++), num(1 + pick(3)));
        if (pick(3) == 0) b.until(at_least(Live::cycle, 3));
        block(depth + 1);
        b.rest("tail" + std::to_string(steps++)).for_seconds(0.2);
        b.end_repeat();
      } else {
        one_step();
      }
    }
  }
  std::shared_ptr<const Program> build() {
    block(0);
    return b.build();
  }
};

// A run with operators, bad samples and jitter in it.
std::unique_ptr<Bench> random_run(unsigned seed) {
  RandomProgram maker(seed);
  auto bench = std::make_unique<Bench>(maker.build());
  bench->chamber_degC = 22.0;
  const Request requests[] = {Request::pause, Request::resume, Request::skip_step, Request::resume, Request::resume};
  for (int i = 0; i < 3000 && !is_over(bench->output->state); ++i) {
    const Request request = maker.pick(60) == 0 ? requests[maker.pick(5)] : Request::none;
    const std::uint32_t flags = maker.pick(40) == 0   ? base::flag::kInvalid
                                : maker.pick(30) == 0 ? base::flag::kSettling
                                                      : 0;
    bench->now.us += maker.pick(2000);
    bench->scan(request, flags);
  }
  if (!is_over(bench->output->state)) bench->scan(Request::stop);
  return bench;
}

std::string_view as_bytes(const std::vector<StepSummary>& steps) {
  return {reinterpret_cast<const char*>(steps.data()), steps.size() * sizeof(StepSummary)};
}

TEST(ExecutorProperty, replay_of_the_inputs_gives_the_same_bytes) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    const auto live_run = random_run(seed);
    const Replayed again = replay(*live_run->program, live_run->inputs);
    ASSERT_EQ(std::memcmp(&again.state, &live_run->state, sizeof again.state), 0) << seed;
    ASSERT_EQ(again.steps.size(), live_run->steps.size()) << seed;
    ASSERT_EQ(as_bytes(again.steps), as_bytes(live_run->steps)) << seed;
    std::size_t at = 0;
    for (const base::Command& c : again.commands) {
      if (c.kind == base::Command::Kind::chamber) continue;
      ASSERT_EQ(c.setpoint, live_run->setpoints.at(at++)) << seed;
    }
    ASSERT_EQ(at, live_run->setpoints.size()) << seed;
  }
}

TEST(ExecutorProperty, snapshot_at_any_scan_and_going_on_equals_never_having_stopped) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    const auto whole = random_run(seed);
    const Program& program = *whole->program;
    auto output = std::make_unique<Output>();
    ExecutorState state;
    start(program, state);
    for (const Input& input : whole->inputs) {
      std::vector<std::byte> bytes(snapshot(state).begin(), snapshot(state).end());
      std::memset(static_cast<void*>(&state), 0x5A, sizeof state);
      ASSERT_TRUE(restore(program, bytes, state));
      step(program, state, input, *output);
    }
    ASSERT_EQ(std::memcmp(&state, &whole->state, sizeof state), 0) << seed;
  }
}

TEST(ExecutorProperty, books_balance) {
  for (unsigned seed = 200; seed < 350; ++seed) {
    const auto run = random_run(seed);
    const Row& last = run->output->row;
    ASSERT_TRUE(is_over(run->output->state)) << seed;
    EXPECT_EQ(run->setpoints.back().control, base::Control::rest) << seed;
    EXPECT_EQ(run->output->events.lost + run->output->steps.lost + run->output->cycles.lost, 0u) << seed;
    double steps_C = 0.0, cycles_C = 0.0, between_C = 1e-9;
    for (std::size_t i = 0; i < run->steps.size(); ++i) {
      EXPECT_EQ(run->steps[i].step_count, i + 1) << seed;
      EXPECT_GE(run->steps[i].duration_us, 0);
      EXPECT_LE(run->steps[i].cv_duration_us, last.test_time_us);
      steps_C += run->steps[i].throughput.charge_C;
    }
    for (std::size_t i = 0; i < run->cycles.size(); ++i) {
      EXPECT_EQ(run->cycles[i].cycle_count, i + 1) << seed;
      cycles_C += run->cycles[i].throughput.charge_C;
    }
    EXPECT_NEAR(cycles_C, last.test.charge_C, 1e-9 * (1 + last.test.charge_C)) << seed;
    // Only a scan spent between two steps (more skips than one scan passes) belongs to none.
    EXPECT_LE(steps_C, last.test.charge_C + between_C) << seed;
    for (const base::Setpoint& s : run->setpoints) {
      EXPECT_LE(s.current_A, 10.0);
      EXPECT_GE(s.current_A, -10.0);
      EXPECT_LE(s.voltage_max_V, 4.25);
      EXPECT_GE(s.voltage_min_V, 2.4);
    }
  }
}

TEST(ExecutorProperty, restore_refuses_what_does_not_fit) {
  ProgramBuilder b;
  b.rest("r").for_seconds(1);
  const auto program = b.build();
  ExecutorState state;
  start(*program, state);
  std::vector<std::byte> bytes(snapshot(state).begin(), snapshot(state).end());
  ExecutorState read;
  EXPECT_TRUE(restore(*program, bytes, read));
  bytes.pop_back();
  EXPECT_FALSE(restore(*program, bytes, read));
  state.version = kStateVersion + 1;
  EXPECT_FALSE(restore(*program, snapshot(state), read));
  state.version = kStateVersion;
  Program other = *program;
  other.compiled_sha256 = "something else";
  EXPECT_FALSE(restore(other, snapshot(state), read));
}

TEST(ExecutorProperty, step_and_row_selection_allocate_nothing) {
  RandomProgram maker(7);
  auto program = maker.build();
  ExecutorState state;
  start(*program, state);
  auto output = std::make_unique<Output>();
  RowSelector rows(*program);
  BenchCell cell;
  std::uint64_t kept = 0;
  const std::uint64_t before = allocations();
  for (int i = 0; i < 5000; ++i) {
    Input input;
    input.sample = cell.sample({i * 100'000});
    if (i % 100 == 50) input.request = Request::resume;
    step(*program, state, input, *output);
    if (output->has_setpoint) cell.apply(output->setpoint);
    cell.advance(0.1);
    rows.select(*output, false, [&](const Row&) { ++kept; });
  }
  EXPECT_EQ(allocations() - before, 0u);
  EXPECT_GT(kept, 0u);
}

}  // namespace
}  // namespace cyclerd::profiles
