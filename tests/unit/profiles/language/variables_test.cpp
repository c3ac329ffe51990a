// `set`: variables, marks, the measured capacity.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/profiles/language/run_text.hpp"

namespace cyclerd::profiles::test {
namespace {

using cyclerd::test::Bench;

TEST(Variables, CountAndSteer) {
  const auto program = program_of(R"(
[[step]]
set = { n = 0, level = "3.7 V" }
[[step]]
name = "loop"
repeat = { count = 100, until = "n >= 3" }
  [[step.steps]]
  set = { n = "n + 1" }
  [[step.steps]]
  name = "rest"
  rest = {}
  until = "time >= n * 1 s"
[[step]]
hold = { voltage = "level" }
until = "time >= 1 s"
)");
  Bench bench(program);
  bench.run();
  EXPECT_THAT(bench.step_names(), testing::ElementsAre("rest", "rest", "rest", "hold"));
  EXPECT_EQ(bench.steps[2].duration_us, 3'000'000);
  EXPECT_EQ(bench.setpoints.back().control, base::Control::rest);
  EXPECT_DOUBLE_EQ(bench.setpoints[bench.setpoints.size() - 2].voltage_V, 3.7);
  expect_reproducible(bench);
}

TEST(Variables, MayBeUsedInTextBeforeTheyAreSetThere) {
  // The loop runs back: what stands above is read after what stands below.
  const auto program = program_of(R"(
[[step]]
name = "start"
rest = {}
until = { when = "time >= 1 s", then = "goto init" }
[[step]]
name = "work"
rest = {}
until = { when = "time >= wait", then = "end" }
[[step]]
name = "init"
set = { wait = "2 s" }
[[step]]
name = "jump"
rest = {}
until = { when = "time >= 1 s", then = "goto work" }
)");
  Bench bench(program);
  bench.run();
  EXPECT_THAT(bench.step_names(), testing::ElementsAre("start", "jump", "work"));
  EXPECT_EQ(bench.summary("work").duration_us, 2'000'000);
}

TEST(Variables, UnsetOnOneWayIsFound) {
  const Compiled c = compile_body(R"(
[[step]]
name = "choose"
when = "soc > 50 %"
set = { level = "3.7 V" }
[[step]]
hold = { voltage = "level" }
until = "time >= 1 s"
)");
  ASSERT_NE(c.find("P049"), nullptr) << c.diagnostics.render();
  EXPECT_NE(c.find("P049")->message.find("variable 'level' may not exist yet"), std::string::npos);
  EXPECT_EQ(marked(*c.find("P049")), "level");
}

TEST(Marks, CountFromTheirMoment) {
  const auto program = program_of(R"(
[[step]]
discharge = { current = "1 C" }
until = "time >= 10 s"
[[step]]
set = { mark = "bol" }
[[step]]
name = "a"
discharge = { current = "1 C" }
until = "time >= 20 s"
[[step]]
advance_cycle = {}
[[step]]
name = "b"
discharge = { current = "1 C" }
until = ["bol.discharge_capacity >= 150 As", "bol.duration >= 1 h"]
[[step]]
name = "c"
charge = { current = "1 C" }
until = ["bol.charge_capacity >= bol.discharge_capacity", { when = "bol.duration >= 2 min", then = "fail" }]
)");
  Bench bench(program);
  bench.run();
  EXPECT_EQ(bench.state.run_state, static_cast<std::uint32_t>(RunState::finished));
  EXPECT_NEAR(bench.summary("b").throughput.discharge_C, 150.0 - bench.summary("a").throughput.discharge_C, 0.6);
  // From discharge to charge the interval of the change carries a little of each.
  EXPECT_NEAR(bench.summary("c").throughput.charge_C, 150.0, 1.0);
  EXPECT_THAT(bench.events, testing::Contains(testing::Truly([](const base::Event& e) {
                return e.subject.view() == "bol" && e.text.view() == "marked";
              })));
  expect_reproducible(bench);
}

TEST(Marks, AreRefusedWithoutAMoment) {
  const Compiled c = compile_body(
      "[[step]]\nrest = {}\nuntil = [\"bol.duration > 1 s\", \"time > 1 min\"]\n[[step]]\nset = { mark = \"bol\" }\n");
  ASSERT_NE(c.find("P049"), nullptr) << c.diagnostics.render();
  const Compiled d =
      compile_body("[[step]]\nset = { mark = \"bol\" }\n[[step]]\nrest = {}\nuntil = \"bol.end_voltage > 1 V\"\n");
  EXPECT_NE(d.find("P022"), nullptr) << d.diagnostics.render();
}

TEST(MeasuredCapacity, RebasesTheCRate) {
  const auto program = program_of(R"(
[parameters]
rate = { default = "0.5 C", min = "0.1 C", max = "1 C" }
[[step]]
name = "check"
discharge = { current = "1 C" }
until = "time >= 100 s"
[[step]]
set = { measured_capacity = "20 * check.discharge_capacity" }
[[step]]
name = "nominal"
charge = { current = "rate" }
until = "time >= 1 s"
[[step]]
capacity = "measured"
repeat = { count = 1 }
  [[step.steps]]
  name = "measured"
  charge = { current = "rate" }
  until = ["time >= 1 s", "abs(current) > 1 C"]
  [[step.steps]]
  name = "inner"
  capacity = "nominal"
  charge = { current = "C/5" }
  until = "time >= 1 s"
[[step]]
name = "after"
charge = { current = "rate" }
until = "time >= measured_capacity / 10000 A"
)");
  Bench bench(program);
  bench.run();
  const double measured_C = 20.0 * bench.summary("check").throughput.discharge_C;
  EXPECT_NEAR(measured_C, 10'000.0, 20.0);
  EXPECT_DOUBLE_EQ(bench.state.measured_capacity_C, measured_C);
  std::vector<double> currents;
  for (const auto& s : bench.setpoints) currents.push_back(s.current_A);
  EXPECT_THAT(currents,
              testing::ElementsAre(-5.0, 2.5, testing::DoubleNear(0.5 * measured_C / 3600.0, 1e-12), 1.0, 2.5, 0.0));
  expect_reproducible(bench);
}

TEST(MeasuredCapacity, MustHaveBeenMeasured) {
  const Compiled c =
      compile_body("[[step]]\ncapacity = \"measured\"\ncharge = { current = \"1 C\" }\nuntil = \"time >= 1 s\"\n");
  ASSERT_NE(c.find("P049"), nullptr) << c.diagnostics.render();
  EXPECT_EQ(marked(*c.find("P049")), "1 C");
  const auto program = program_of(R"(
[[step]]
name = "check"
rest = {}
until = "time >= 1 s"
[[step]]
set = { measured_capacity = "check.discharge_capacity" }
[[step]]
rest = {}
until = "time >= 1 s"
)");
  Bench bench(program);
  bench.run();
  EXPECT_EQ(bench.state.run_state, static_cast<std::uint32_t>(RunState::failed)) << "no capacity was measured";
}

// A pass that ends with advance_cycle: the repeat looks at the cycle that it closed.
TEST(CycleCounters, OfARepeatsUntilAreThoseOfTheCycleThatThePassEnded) {
  const auto program = program_of(R"(
[[step]]
name = "loop"
repeat = { count = 10, until = "discharge_capacity > 100 As" }
  [[step.steps]]
  name = "d"
  discharge = { current = "1 C" }
  until = "time >= cycle * 10 s"
  [[step.steps]]
  advance_cycle = {}
)");
  Bench bench(program);
  bench.run();
  EXPECT_EQ(bench.steps.size(), 3u) << "50, 100 - and 150 A s in the third";
  EXPECT_EQ(bench.cycles.size(), 3u);
  expect_reproducible(bench);
}

}  // namespace
}  // namespace cyclerd::profiles::test
