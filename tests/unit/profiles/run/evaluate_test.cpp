#include "profiles/evaluate.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/program_builder.hpp"

namespace cyclerd::profiles {
namespace {

using namespace cyclerd::test;

struct EvaluateTest : ::testing::Test {
  double value(const Expr& e) {
    ProgramBuilder b;
    b.program().initial_variables = {7.0};
    b.program().result_slots = 2;
    b.rest("r").until(e);
    auto program = b.build();
    state.variables[0] = 7.0;
    state.results[0] = base::kAbsent;
    state.results[1] = 11.0;
    return evaluate(*program, program->conditions[0].when, state, sample);
  }
  ExecutorState state;
  base::Sample sample;
};

TEST_F(EvaluateTest, arithmetic) {
  EXPECT_EQ(value(binary(Op::add, num(2), num(3))), 5.0);
  EXPECT_EQ(value(binary(Op::subtract, num(2), num(3))), -1.0);
  EXPECT_EQ(value(binary(Op::multiply, num(2), num(3))), 6.0);
  EXPECT_EQ(value(binary(Op::divide, num(3), num(2))), 1.5);
  EXPECT_EQ(value(binary(Op::mod, num(7), num(3))), 1.0);
  EXPECT_EQ(value(binary(Op::min, num(7), num(3))), 3.0);
  EXPECT_EQ(value(binary(Op::max, num(7), num(3))), 7.0);
  EXPECT_EQ(value(unary(Op::negate, num(7))), -7.0);
  EXPECT_EQ(value(unary(Op::abs, num(-7))), 7.0);
  EXPECT_EQ(value(variable(0)), 7.0);
  EXPECT_EQ(value(result(1)), 11.0);
}

TEST_F(EvaluateTest, comparisons_below_at_above) {
  for (double left : {1.0, 2.0, 3.0}) {
    EXPECT_EQ(value(binary(Op::less, num(left), num(2))), left < 2 ? 1.0 : 0.0);
    EXPECT_EQ(value(binary(Op::less_equal, num(left), num(2))), left <= 2 ? 1.0 : 0.0);
    EXPECT_EQ(value(binary(Op::greater, num(left), num(2))), left > 2 ? 1.0 : 0.0);
    EXPECT_EQ(value(binary(Op::greater_equal, num(left), num(2))), left >= 2 ? 1.0 : 0.0);
    EXPECT_EQ(value(binary(Op::equal, num(left), num(2))), left == 2 ? 1.0 : 0.0);
    EXPECT_EQ(value(binary(Op::not_equal, num(left), num(2))), left != 2 ? 1.0 : 0.0);
  }
}

TEST_F(EvaluateTest, every_comparison_with_nothing_measured_is_false) {
  for (Op op : {Op::less, Op::less_equal, Op::greater, Op::greater_equal, Op::equal, Op::not_equal}) {
    EXPECT_EQ(value(binary(op, live(Live::voltage), num(2))), 0.0);
    EXPECT_EQ(value(binary(op, num(2), result(0))), 0.0);
  }
  EXPECT_TRUE(std::isnan(value(binary(Op::min, live(Live::voltage), num(2)))));
  EXPECT_TRUE(std::isnan(value(binary(Op::max, num(2), live(Live::voltage)))));
  EXPECT_EQ(value(binary(Op::logical_or, live(Live::voltage), num(1))), 1.0);
  EXPECT_EQ(value(binary(Op::logical_and, live(Live::voltage), num(1))), 0.0);
}

TEST_F(EvaluateTest, live_quantities) {
  sample.voltage_V = 3.7;
  sample.current_A = -2.0;
  sample.temperature_degC = 24.0;
  sample.chamber_degC = 25.0;
  state.last_input_us = 70'000'000;
  state.step_start_us = 10'000'000;
  state.step_paused_us = 20'000'000;
  state.cycle_count = 3;
  state.initial_soc = 0.5;
  state.fold.test.discharge_C.add(1800.0);
  state.fold.step.charge_C.add(1.0);
  state.fold.step.discharge_C.add(2.0);
  state.fold.cycle.discharge_J.add(5.0);
  EXPECT_EQ(value(live(Live::voltage)), 3.7);
  EXPECT_EQ(value(live(Live::power)), -7.4);
  EXPECT_EQ(value(live(Live::temperature)), 24.0);
  EXPECT_EQ(value(live(Live::chamber_temperature)), 25.0);
  EXPECT_EQ(value(live(Live::time)), 40.0);
  EXPECT_EQ(value(live(Live::test_time)), 70.0);
  EXPECT_EQ(value(live(Live::cycle)), 3.0);
  EXPECT_EQ(value(live(Live::step_capacity)), 3.0);
  EXPECT_EQ(value(live(Live::discharge_energy)), 5.0);
  EXPECT_DOUBLE_EQ(value(live(Live::soc)), 0.4);
  EXPECT_EQ(value(live(Live::nominal_capacity)), 18000.0);
}

TEST_F(EvaluateTest, whole_microseconds_meet_their_decimal_bound) {
  state.last_input_us = 300'000;
  EXPECT_EQ(value(at_least(Live::time, 0.3)), 1.0);
  state.last_input_us = 299'999;
  EXPECT_EQ(value(at_least(Live::time, 0.3)), 0.0);
}

TEST_F(EvaluateTest, both_sides_of_a_comparison_are_told) {
  ProgramBuilder b;
  b.rest("r").until(current_below(0.25));
  auto program = b.build();
  sample.current_A = -0.2;
  const Comparison c = sides(*program, program->conditions[0].when, state, sample);
  EXPECT_EQ(c.measured, 0.2);
  EXPECT_EQ(c.bound, 0.25);
  EXPECT_TRUE(uses_terminals(*program, program->conditions[0].when));
  EXPECT_FALSE(uses_temperatures(*program, program->conditions[0].when));
}

TEST(Malformed, finds_what_would_lead_the_executor_astray) {
  auto broken = [](auto&& harm) {
    ProgramBuilder b;
    b.rest("r").for_seconds(1);
    Program p = *b.build();
    harm(p);
    return malformed(p);
  };
  EXPECT_EQ(broken([](Program&) {}), nullptr);
  EXPECT_STREQ(broken([](Program& p) { p.steps.pop_back(); }), "the last step is not `end`");
  EXPECT_STREQ(broken([](Program& p) { p.conditions[0].when.count = 99; }), "an expression leaves the code");
  EXPECT_STREQ(broken([](Program& p) { p.conditions[0].when.count = 2; }), "an expression leaves more than one value");
  EXPECT_STREQ(broken([](Program& p) { p.conditions[0].when.first = 2, p.conditions[0].when.count = 1; }),
               "an expression takes more values than it has");
  EXPECT_STREQ(broken([](Program& p) { p.steps[0].condition_count = 17; }), "a step has too many conditions");
  EXPECT_STREQ(broken([](Program& p) { p.steps[0].parent = 0; }), "a step's parent is no block around it");
  EXPECT_STREQ(broken([](Program& p) { p.steps[0].record = 5; }), "a step's record rule does not exist");
  EXPECT_STREQ(broken([](Program& p) { p.conditions[0].then = Then::go_to, p.conditions[0].target = 9; }),
               "a goto leads nowhere");
}

TEST(Malformed, stack_of_just_the_most_is_good_one_more_is_not) {
  auto deep = [](int depth) {
    Expr e = num(0);
    Expr all = e;
    for (int i = 1; i < depth; ++i) all.insert(all.end(), e.begin(), e.end());
    for (int i = 1; i < depth; ++i) all.push_back({Op::add, 0, 0, 0, 0.0});
    ProgramBuilder b;
    b.rest("r").for_seconds(1);
    Program p = *b.build();
    p.conditions[0].when = {static_cast<std::uint32_t>(p.code.size()), static_cast<std::uint32_t>(all.size())};
    p.code.insert(p.code.end(), all.begin(), all.end());
    return malformed(p);
  };
  EXPECT_EQ(deep(kMaxStack), nullptr);
  EXPECT_STREQ(deep(kMaxStack + 1), "an expression needs too deep a stack");
}

}  // namespace
}  // namespace cyclerd::profiles
