// The way through a program: conditions, dwell, blocks, jumps, pauses, endings.
#include "profiles/executor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/profiles/run/bench.hpp"

namespace cyclerd::profiles {
namespace {

using namespace cyclerd::test;
using ::testing::ElementsAre;

base::Sample sample_at(double seconds, double voltage_V, double current_A = 1.0) {
  base::Sample s;
  s.time = {5'000'000 + static_cast<std::int64_t>(seconds * 1e6)};
  s.voltage_V = voltage_V;
  s.current_A = current_A;
  return s;
}

TEST(Executor, first_input_starts_the_test_and_sends_the_first_step) {
  ProgramBuilder b;
  b.charge("cc", 2.0).for_seconds(10);
  Bench bench(b.build());
  const Output& o = bench.scan();
  ASSERT_TRUE(o.has_setpoint);
  EXPECT_EQ(o.setpoint.control, base::Control::current);
  EXPECT_EQ(o.setpoint.current_A, 2.0);
  EXPECT_EQ(o.state, RunState::running);
  EXPECT_EQ(o.row.test_time_us, 0);
  EXPECT_EQ(o.row.step_count, 1u);
  EXPECT_EQ(o.row.cycle_count, 1u);
  EXPECT_TRUE(o.keep_row);
  EXPECT_EQ(bench.events[0].kind, base::EventKind::test_start);
  EXPECT_EQ(bench.events[1].kind, base::EventKind::step_start);
}

TEST(Executor, limit_just_below_at_and_just_above) {
  for (const auto& [voltage_V, ends] : {std::pair{4.1999, false}, {4.2, true}, {4.2001, true}}) {
    ProgramBuilder b;
    b.charge("cc", 2.0).until(at_least(Live::voltage, 4.2));
    Bench bench(b.build());
    bench.feed(sample_at(0, 3.7));
    bench.feed(sample_at(1, voltage_V));
    EXPECT_EQ(bench.steps.size(), ends ? 1u : 0u) << voltage_V;
  }
}

TEST(Executor, time_just_below_at_and_just_above) {
  for (const auto& [us, ends] : {std::pair{9'999'999, false}, {10'000'000, true}, {10'000'001, true}}) {
    ProgramBuilder b;
    b.rest("r").for_seconds(10);
    Bench bench(b.build());
    bench.feed(sample_at(0, 3.7));
    base::Sample s = sample_at(0, 3.7);
    s.time.us += us;
    bench.feed(s);
    EXPECT_EQ(bench.steps.size(), ends ? 1u : 0u) << us;
  }
}

TEST(Executor, sample_that_ended_a_step_does_not_judge_the_next) {
  ProgramBuilder b;
  b.charge("up", 1.0).until(at_least(Live::voltage, 4.0));
  b.rest("also above").until(at_least(Live::voltage, 3.9));
  Bench bench(b.build());
  bench.feed(sample_at(0, 3.7));
  bench.feed(sample_at(1, 4.0));
  EXPECT_THAT(bench.step_names(), ElementsAre("up"));
  bench.feed(sample_at(2, 3.95));  // the first sample of the step, and its condition holds
  EXPECT_THAT(bench.step_names(), ElementsAre("up", "also above"));
  EXPECT_EQ(bench.steps[1].duration_us, 1'000'000);
}

TEST(Executor, first_true_condition_in_the_order_written_wins) {
  ProgramBuilder b;
  b.rest("r").until(at_least(Live::voltage, 5.0)).until(at_least(Live::voltage, 4.0), Then::end);
  b.last().condition_count = 2;
  b.until(Until{at_least(Live::voltage, 3.0), Then::fail, {}, {}, "third", {}});
  b.rest("never");
  b.for_seconds(1);
  Bench bench(b.build());
  bench.feed(sample_at(0, 2.9));
  bench.feed(sample_at(1, 4.5));
  EXPECT_EQ(bench.output->state, RunState::finished);
  EXPECT_EQ(bench.steps[0].reason, EndReason::condition);
  EXPECT_EQ(bench.steps[0].reason_text.view(), "condition 1");
}

TEST(Executor, dwell_starts_when_true_resets_when_false_and_fires_at_its_length) {
  auto run = [](const std::vector<std::pair<double, double>>& samples) {
    ProgramBuilder b;
    b.rest("r").until(Until{at_least(Live::voltage, 4.0), Then::next, base::seconds(2), {}, {}, {}});
    b.rest("next").for_seconds(100);
    Bench bench(b.build());
    for (const auto& [t, v] : samples) bench.feed(sample_at(t, v));
    return bench.steps.size();
  };
  EXPECT_EQ(run({{0, 3.0}, {1, 4.0}, {2.999999, 4.0}}), 0u);
  EXPECT_EQ(run({{0, 3.0}, {1, 4.0}, {3, 4.0}}), 1u);
  EXPECT_EQ(run({{0, 3.0}, {1, 4.0}, {3.000001, 4.0}}), 1u);
  EXPECT_EQ(run({{0, 3.0}, {1, 4.0}, {2, 3.9}, {3, 4.0}, {4.9, 4.0}}), 0u);
  EXPECT_EQ(run({{0, 3.0}, {1, 4.0}, {2, 3.9}, {3, 4.0}, {5, 4.0}}), 1u);
}

TEST(Executor, step_end_event_tells_the_condition_the_value_and_the_bound) {
  ProgramBuilder b;
  b.rest("r").until(Until{at_least(Live::voltage, 4.0), Then::fail, {}, {}, "voltage >= 4 V", "too high"});
  Bench bench(b.build());
  bench.feed(sample_at(0, 3.0));
  bench.feed(sample_at(1, 4.1));
  ASSERT_EQ(bench.steps.size(), 1u);
  EXPECT_EQ(bench.steps[0].reason, EndReason::failure);
  EXPECT_EQ(bench.output->state, RunState::failed);
  const auto end = std::find_if(bench.events.begin(), bench.events.end(),
                                [](const base::Event& e) { return e.kind == base::EventKind::step_end; });
  ASSERT_NE(end, bench.events.end());
  EXPECT_EQ(end->subject.view(), "r");
  EXPECT_EQ(end->text.view(), "voltage >= 4 V: too high");
  EXPECT_EQ(end->value, 4.1);
  EXPECT_EQ(end->bound, 4.0);
}

TEST(Executor, nested_blocks_count_total_passes) {
  ProgramBuilder b;
  b.repeat("outer", num(3));
  b.rest("a").for_seconds(0.1);
  b.repeat("inner", num(2));
  b.rest("b").for_seconds(0.1);
  b.end_repeat().end_repeat();
  Bench bench(b.build());
  bench.run(1000);
  EXPECT_EQ(bench.output->state, RunState::finished);
  EXPECT_THAT(bench.step_names(), ElementsAre("a", "b", "b", "a", "b", "b", "a", "b", "b"));
  for (std::size_t i = 0; i < bench.steps.size(); ++i) EXPECT_EQ(bench.steps[i].step_count, i + 1);
}

TEST(Executor, block_of_no_passes_is_passed_by) {
  ProgramBuilder b;
  b.repeat("none", num(0));
  b.rest("a").for_seconds(0.1);
  b.end_repeat();
  b.rest("b").for_seconds(0.1);
  Bench bench(b.build());
  bench.run(1000);
  EXPECT_THAT(bench.step_names(), ElementsAre("b"));
}

TEST(Executor, until_of_a_block_is_judged_when_a_pass_completes) {
  ProgramBuilder b;
  b.repeat("block", num(100));
  b.until(at_least(Live::test_time, 0.25));
  b.rest("a").for_seconds(0.2);
  b.end_repeat();
  b.rest("b").for_seconds(0.1);
  Bench bench(b.build());
  bench.run(1000);
  EXPECT_THAT(bench.step_names(), ElementsAre("a", "a", "b"));  // true at 0.3 s, acted on at 0.4 s
}

TEST(Executor, break_leaves_the_innermost_block_only) {
  ProgramBuilder b;
  b.repeat("outer", num(2));
  b.repeat("inner", num(10));
  b.rest("a").for_seconds(0.1);
  b.rest("b").until(after_seconds(0.1, Then::break_block));
  b.end_repeat();
  b.rest("c").for_seconds(0.1);
  b.end_repeat();
  Bench bench(b.build());
  bench.run(1000);
  EXPECT_THAT(bench.step_names(), ElementsAre("a", "b", "c", "a", "b", "c"));
  EXPECT_EQ(bench.state.depth, 0u);
}

TEST(Executor, goto_leaves_and_enters_blocks) {
  ProgramBuilder b;
  b.repeat("first", num(5));
  b.rest("a").until(Until{at_least(Live::time, 0.1), Then::go_to, {}, "d", {}, {}});
  b.end_repeat();
  b.repeat("second", num(2));
  b.rest("c").for_seconds(0.1);
  b.rest("d").for_seconds(0.1);
  b.end_repeat();
  Bench bench(b.build());
  bench.run(1000);
  EXPECT_THAT(bench.step_names(), ElementsAre("a", "d", "c", "d"));
  EXPECT_EQ(bench.output->state, RunState::finished);
}

TEST(Executor, when_skips_with_a_summary_and_no_time) {
  ProgramBuilder b;
  b.repeat("cycles", num(3));
  b.rest("always").for_seconds(0.1);
  b.advance_cycle();
  b.rest("every second").for_seconds(0.1);
  b.with(&Step::when, binary(Op::equal, binary(Op::mod, live(Live::cycle), num(2)), num(0)));
  b.end_repeat();
  Bench bench(b.build());
  bench.run(1000);
  EXPECT_THAT(bench.step_names(),
              ElementsAre("always", "every second", "always", "every second", "always", "every second"));
  EXPECT_EQ(bench.steps[1].reason, EndReason::condition);  // cycle 2
  EXPECT_EQ(bench.steps[3].reason, EndReason::skipped);    // cycle 3
  EXPECT_EQ(bench.steps[3].duration_us, 0);
}

TEST(Executor, many_skipped_steps_go_on_at_the_next_scan_with_the_output_at_rest) {
  ProgramBuilder b;
  b.charge("first", 1.0).for_seconds(0.1);
  for (int i = 0; i < 30; ++i) b.rest("skipped " + std::to_string(i)).for_seconds(1).with(&Step::when, num(0));
  b.charge("last", 1.0).for_seconds(0.1);
  Bench bench(b.build());
  bench.run(1000);
  EXPECT_EQ(bench.steps.size(), 32u);
  EXPECT_EQ(bench.output->state, RunState::finished);
  EXPECT_EQ(bench.output->steps.lost + bench.output->events.lost, 0u);
  std::vector<base::Control> controls;
  for (const auto& s : bench.setpoints) controls.push_back(s.control);
  EXPECT_THAT(controls,
              ElementsAre(base::Control::current, base::Control::rest, base::Control::current, base::Control::rest));
}

TEST(Executor, circle_without_a_lasting_step_ends_as_failed) {
  ProgramBuilder b;
  b.repeat("for ever");
  b.set(0, num(1));
  b.end_repeat();
  Bench bench(b.build());
  bench.run(1000);
  EXPECT_EQ(bench.output->state, RunState::failed);
  EXPECT_THAT(std::string(bench.events.back().text.view()), ::testing::HasSubstr("circle"));
}

TEST(Executor, pause_stops_the_steps_time_and_resume_sends_again) {
  ProgramBuilder b;
  b.charge("cc", 2.0).for_seconds(1.0);
  Bench bench(b.build());
  for (int i = 0; i <= 5; ++i) bench.scan();          // 0.5 s into the step
  const Output& paused = bench.scan(Request::pause);  // at 0.6 s
  EXPECT_EQ(paused.state, RunState::paused);
  ASSERT_TRUE(paused.has_setpoint);
  EXPECT_EQ(paused.setpoint.control, base::Control::rest);
  for (int i = 0; i < 49; ++i) bench.scan();  // a long wait
  EXPECT_EQ(bench.output->row.step_time_us, 600'000);
  EXPECT_NE(bench.output->row.flags & base::flag::kPaused, 0u);
  EXPECT_TRUE(bench.steps.empty());
  const Output& resumed = bench.scan(Request::resume);  // 5 s later
  ASSERT_TRUE(resumed.has_setpoint);
  EXPECT_TRUE(resumed.step_first_setpoint);
  EXPECT_EQ(resumed.setpoint.current_A, 2.0);
  bench.run(100);
  ASSERT_EQ(bench.steps.size(), 1u);
  EXPECT_EQ(bench.steps[0].duration_us, 1'000'000);
  EXPECT_NEAR(bench.seconds(), 6.0, 1e-9);
  // 1 s of 2 A in all; each edge between 0 A and 2 A counts as a half scan of 2 A.
  EXPECT_NEAR(bench.steps[0].throughput.charge_C, 2.0 * 1.0, 2.0 * 0.1 + 1e-9);
}

TEST(Executor, pause_breaks_a_dwell) {
  ProgramBuilder b;
  b.rest("r").until(Until{at_least(Live::voltage, 3.0), Then::next, base::seconds(1), {}, {}, {}});
  Bench bench(b.build());
  for (int i = 0; i < 10; ++i) bench.scan();
  bench.scan(Request::pause);
  bench.scan(Request::resume);
  for (int i = 0; i < 10; ++i) bench.scan();
  EXPECT_TRUE(bench.steps.empty());
  bench.scan();
  EXPECT_EQ(bench.steps.size(), 1u);
}

TEST(Executor, requests_that_do_not_fit_change_nothing) {
  ProgramBuilder b;
  b.charge("cc", 2.0).for_seconds(1.0);
  Bench bench(b.build());
  bench.scan();
  EXPECT_EQ(bench.scan(Request::resume).state, RunState::running);
  bench.scan(Request::pause);
  EXPECT_FALSE(bench.scan(Request::pause).has_setpoint);
}

TEST(Executor, skip_and_stop) {
  ProgramBuilder b;
  b.charge("one", 2.0).for_seconds(100);
  b.charge("two", 1.0).for_seconds(100);
  Bench bench(b.build());
  bench.scan();
  bench.scan();
  EXPECT_EQ(bench.scan(Request::skip_step).setpoint.current_A, 1.0);
  EXPECT_EQ(bench.steps.at(0).reason, EndReason::operator_skip);
  bench.scan();
  const Output& stopped = bench.scan(Request::stop);
  EXPECT_EQ(stopped.state, RunState::stopped);
  EXPECT_EQ(stopped.setpoint.control, base::Control::rest);
  EXPECT_EQ(bench.steps.at(1).reason, EndReason::operator_stop);
  ASSERT_EQ(bench.cycles.size(), 1u);
  EXPECT_GT(bench.cycles[0].throughput.charge_C, 0.0);
  EXPECT_EQ(bench.scan().events.count, 0u);  // over is over
}

TEST(Executor, skip_while_paused_waits_at_the_start_of_the_next_step) {
  ProgramBuilder b;
  b.charge("one", 2.0).for_seconds(1);
  b.charge("two", 1.0).for_seconds(1);
  Bench bench(b.build());
  bench.scan();
  bench.scan(Request::pause);
  EXPECT_EQ(bench.scan(Request::skip_step).state, RunState::paused);
  for (int i = 0; i < 20; ++i)
    EXPECT_FALSE(bench.scan().has_setpoint && bench.output->setpoint.control != base::Control::rest);
  bench.scan(Request::resume);
  bench.run(100);
  EXPECT_EQ(bench.summary("two").duration_us, 1'000'000);
}

TEST(Executor, trip_and_lost_device_end_the_test_with_summaries) {
  for (const auto& [request, reason] :
       {std::pair{Request::trip, EndReason::trip}, {Request::device_lost, EndReason::failure}}) {
    ProgramBuilder b;
    b.charge("one", 2.0).for_seconds(100);
    Bench bench(b.build());
    for (int i = 0; i < 5; ++i) bench.scan();
    bench.scan(request);
    EXPECT_EQ(bench.output->state, RunState::failed);
    ASSERT_EQ(bench.steps.size(), 1u);
    EXPECT_EQ(bench.steps[0].reason, reason);
    EXPECT_EQ(bench.cycles.size(), 1u);
    EXPECT_EQ(bench.events.back().kind, base::EventKind::test_end);
  }
}

TEST(Executor, then_pause_ends_the_step_and_waits_before_the_next) {
  ProgramBuilder b;
  b.charge("one", 2.0).until(after_seconds(0.5, Then::pause));
  b.charge("two", 1.0).for_seconds(0.5);
  Bench bench(b.build());
  for (int i = 0; i < 6; ++i) bench.scan();
  EXPECT_EQ(bench.output->state, RunState::paused);
  EXPECT_EQ(bench.output->setpoint.control, base::Control::rest);
  EXPECT_THAT(bench.step_names(), ElementsAre("one"));
  for (int i = 0; i < 10; ++i) bench.scan();
  bench.scan(Request::resume);
  bench.run(100);
  EXPECT_EQ(bench.summary("two").duration_us, 500'000);
}

TEST(Executor, operator_step_waits_for_resume) {
  ProgramBuilder b;
  b.step(StepKind::operator_pause, "look at the cell");
  b.rest("after").for_seconds(0.1);
  Bench bench(b.build());
  for (int i = 0; i < 10; ++i) bench.scan();
  EXPECT_EQ(bench.output->state, RunState::paused);
  bench.scan(Request::resume);
  bench.run(10);
  EXPECT_THAT(bench.step_names(), ElementsAre("look at the cell", "after"));
  EXPECT_EQ(bench.steps[0].reason, EndReason::complete);
  EXPECT_EQ(bench.output->state, RunState::finished);
}

TEST(Executor, advance_cycle_emits_and_the_rest_comes_at_the_end) {
  ProgramBuilder b;
  b.repeat("cycles", num(2));
  b.charge("up", 2.0).for_seconds(10);
  b.discharge("down", 2.0).for_seconds(10);
  b.advance_cycle();
  b.end_repeat();
  b.charge("leftover", 2.0).for_seconds(5);
  Bench bench(b.build());
  bench.run(1000);
  ASSERT_EQ(bench.cycles.size(), 3u);
  EXPECT_EQ(bench.cycles[0].cycle_count, 1u);
  EXPECT_EQ(bench.cycles[2].cycle_count, 3u);
  EXPECT_NEAR(bench.cycles[1].throughput.charge_C, 20.0, 0.3);
  EXPECT_NEAR(bench.cycles[1].throughput.discharge_C, 20.0, 0.3);
  EXPECT_NEAR(bench.cycles[2].throughput.charge_C, 10.0, 0.3);
  double total_C = 0;
  for (const auto& c : bench.cycles) total_C += c.throughput.charge_C;
  EXPECT_NEAR(total_C, bench.output->row.test.charge_C, 1e-12);
}

TEST(Executor, nothing_moved_since_the_last_cycle_makes_no_cycle) {
  ProgramBuilder b;
  b.charge("up", 2.0).for_seconds(1);
  b.rest("r").for_seconds(1);
  b.advance_cycle();
  b.rest("r2").for_seconds(1);
  Bench bench(b.build());
  bench.run(1000);
  EXPECT_EQ(bench.cycles.size(), 1u);
}

TEST(Executor, variables_and_results_carry_values_to_later_steps) {
  ProgramBuilder b;
  b.program().initial_variables = {3.0};
  b.repeat("passes", num(3));
  b.store(ResultOf::charge_capacity, ResultPick::last, 3);
  b.charge("up", 2.0).until(binary(Op::greater_equal, live(Live::time), variable(0)));
  b.store(ResultOf::charge_capacity, ResultPick::first, 0);
  b.store(ResultOf::charge_capacity, ResultPick::last, 1);
  b.store(ResultOf::duration, ResultPick::nth, 2, 2);
  b.set(0, binary(Op::add, variable(0), num(1)));
  b.end_repeat();
  Bench bench(b.build());
  bench.run(1000);
  EXPECT_EQ(bench.state.results[0], bench.steps[0].throughput.charge_C);
  EXPECT_EQ(bench.state.results[1], bench.steps[2].throughput.charge_C);
  EXPECT_DOUBLE_EQ(bench.state.results[2], 4.0);
  EXPECT_NEAR(bench.state.results[3], 2.0 * (3 + 4 + 5), 0.2);
  EXPECT_EQ(bench.state.variables[0], 6.0);
}

TEST(Executor, result_that_does_not_exist_yet_fires_nothing) {
  ProgramBuilder b;
  b.rest("r").until(binary(Op::less, live(Live::voltage), result(0))).for_seconds(1);
  b.store(ResultOf::duration, ResultPick::last, 0);
  Bench bench(b.build());
  bench.run(1000);
  EXPECT_EQ(bench.steps[0].duration_us, 1'000'000);
}

TEST(Executor, invalid_sample_advances_time_integrates_nothing_and_ends_only_by_time) {
  ProgramBuilder b;
  b.charge("cc", 2.0).until(unary(Op::logical_not, at_least(Live::voltage, 3.0))).for_seconds(2.0);
  Bench bench(b.build());
  for (int i = 0; i < 5; ++i) bench.scan();
  const double before_C = bench.output->row.test.charge_C;
  for (int i = 0; i < 10; ++i) {
    base::Sample s;
    s.time = bench.now;
    bench.feed(s);  // nothing measured
    EXPECT_NE(bench.output->row.flags & base::flag::kInvalid, 0u);
  }
  EXPECT_TRUE(bench.steps.empty());
  EXPECT_EQ(bench.output->row.test.charge_C, before_C);
  bench.scan();
  EXPECT_EQ(bench.output->row.test.charge_C, before_C);  // the gap itself
  bench.scan();
  EXPECT_NEAR(bench.output->row.test.charge_C, before_C + 0.2, 1e-9);
  for (int i = 0; i < 10; ++i) bench.scan(Request::none, base::flag::kInvalid);
  EXPECT_EQ(bench.steps.size(), 1u);  // two seconds are over
}

TEST(Executor, invalid_sample_neither_breaks_nor_completes_a_dwell) {
  ProgramBuilder b;
  b.rest("r").until(Until{at_least(Live::voltage, 3.0), Then::next, base::seconds(1), {}, {}, {}});
  Bench bench(b.build());
  for (int i = 0; i <= 5; ++i) bench.scan();  // holds since 0.1 s
  for (int i = 0; i < 10; ++i) bench.scan(Request::none, base::flag::kInvalid);
  EXPECT_TRUE(bench.steps.empty());
  bench.scan();
  EXPECT_EQ(bench.steps.size(), 1u);
}

TEST(Executor, settling_samples_do_not_judge_what_is_measured_at_the_terminals) {
  ProgramBuilder b;
  b.charge("cccv", 2.0).with(&Step::voltage, num(4.2)).until(current_below(0.1)).for_seconds(3);
  Bench bench(b.build());
  base::Sample s = sample_at(0, 3.6, 0.0);
  bench.feed(s);
  for (int i = 1; i <= 3; ++i) {  // the current has not come up yet
    s = sample_at(0.1 * i, 3.6, 0.0);
    s.flags = base::flag::kSettling;
    bench.feed(s);
  }
  EXPECT_TRUE(bench.steps.empty());
  bench.feed(sample_at(0.5, 3.6, 0.0));
  EXPECT_EQ(bench.steps.size(), 1u);
}

TEST(Executor, sample_from_the_past_counts_as_invalid) {
  ProgramBuilder b;
  b.charge("cc", 2.0).for_seconds(100);
  Bench bench(b.build());
  bench.feed(sample_at(0, 3.6, 2.0));
  bench.feed(sample_at(2, 3.6, 2.0));
  bench.feed(sample_at(1, 3.6, 2.0));
  EXPECT_EQ(bench.output->row.test_time_us, 2'000'000);
  EXPECT_NE(bench.output->row.flags & base::flag::kInvalid, 0u);
  EXPECT_DOUBLE_EQ(bench.output->row.test.charge_C, 4.0);
}

TEST(Executor, row_of_a_steps_last_sample_belongs_to_that_step) {
  ProgramBuilder b;
  b.charge("one", 2.0).for_seconds(0.2);
  b.discharge("two", 1.0).for_seconds(0.2);
  Bench bench(b.build());
  std::vector<Row> rows;
  for (int i = 0; i < 5; ++i) {
    rows.push_back(bench.scan().row);
    EXPECT_EQ(bench.output->keep_row, true) << i;
  }
  EXPECT_EQ(rows[2].step_count, 1u);
  EXPECT_EQ(rows[2].step_time_us, 200'000);
  EXPECT_EQ(rows[2].setpoint, 2.0);
  EXPECT_EQ(rows[2].control, base::Control::current);
  EXPECT_EQ(rows[3].step_count, 2u);
  EXPECT_EQ(rows[3].step_time_us, 100'000);
  EXPECT_EQ(rows[3].setpoint, -1.0);
  EXPECT_EQ(bench.steps[0].throughput.charge_C, rows[2].step.charge_C);
}

TEST(Executor, soc_is_counted_from_the_initial_one) {
  ProgramBuilder b;
  b.program().initial_soc = 0.2;
  b.charge("up", 5.0).until(at_least(Live::soc, 0.3));
  b.program().scan = base::seconds(1);
  Bench bench(b.build());
  bench.run(2000);
  EXPECT_NEAR(bench.steps[0].throughput.charge_C, 1800.0, 5.0);
}

}  // namespace
}  // namespace cyclerd::profiles
