// Results of earlier steps in expressions: what they are, and the proof that they exist.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/expression.hpp"
#include "tests/unit/profiles/language/run_text.hpp"

namespace cyclerd::profiles::test {
namespace {

using cyclerd::test::Bench;

const std::string kDischarge = R"(
[[step]]
name = "check"
discharge = { current = "1 C" }
until = "time >= 60 s"
)";

TEST(Results, SetpointFromAnEarlierStep) {
  const auto program = program_of(kDischarge + R"(
[[step]]
name = "back"
charge = { current = "check.discharge_capacity[last] / 100 s" }
until = "step_capacity >= check.capacity"
[[step]]
name = "rest"
rest = {}
until = ["time >= check.duration[first] / 2", "time >= 1 h"]
)");
  Bench bench(program);
  bench.run();
  EXPECT_EQ(bench.state.run_state, static_cast<std::uint32_t>(RunState::finished));
  // 5 A for 60 s, of which the first interval is the trapezoid up from rest: 299.75 A s.
  const double moved_C = bench.summary("check").throughput.discharge_C;
  EXPECT_NEAR(moved_C, 300.0, 1.0);
  EXPECT_DOUBLE_EQ(bench.setpoints[1].current_A, moved_C / 100.0);
  EXPECT_NEAR(bench.summary("back").throughput.charge_C, moved_C, 0.5);
  EXPECT_EQ(bench.summary("rest").duration_us, 30'000'000);
  expect_reproducible(bench);
}

TEST(Results, EveryQuantityIsThatOfTheStepsSummary) {
  std::string body = kDischarge;
  for (const ResultName& name : result_names()) {
    if (name.quantity == ResultOf::resistance) continue;
    body += "[[step]]\nset = { x_" + std::string(name.name) + " = \"check." + name.name + "\" }\n";
  }
  const auto program = program_of(body);
  Bench bench(program);
  bench.run();
  const StepSummary& s = bench.summary("check");
  std::vector<double> values;
  for (const Step& step : program->steps) {
    if (step.kind == StepKind::set) values.push_back(bench.state.variables[step.variable]);
  }
  EXPECT_THAT(values,
              testing::ElementsAre(s.throughput.charge_C + s.throughput.discharge_C, s.throughput.charge_C,
                                   s.throughput.discharge_C, s.throughput.charge_J + s.throughput.discharge_J,
                                   s.throughput.charge_J, s.throughput.discharge_J, seconds_of(s.duration_us),
                                   seconds_of(s.cv_duration_us), s.start_voltage_V, s.end_voltage_V, s.end_current_A,
                                   s.min_temperature_degC, s.max_temperature_degC, s.mean_temperature_degC));
}

TEST(Results, FirstLastAndNth) {
  const auto program = program_of(R"(
[[step]]
repeat = { count = 4 }
  [[step.steps]]
  name = "pass"
  rest = {}
  until = "time >= cycle * 1 s"
  [[step.steps]]
  advance_cycle = {}
[[step]]
set = { first = "pass.duration[first]", second = "pass.duration[2]", last = "pass.duration[last]", fourth = "pass.duration[4]" }
)");
  Bench bench(program);
  bench.run();
  std::vector<double> values;
  for (const Step& step : program->steps) {
    if (step.kind == StepKind::set) values.push_back(bench.state.variables[step.variable]);
  }
  EXPECT_THAT(values, testing::ElementsAre(1.0, 4.0, 4.0, 2.0)) << "in the order of names: first, fourth, last, second";
  expect_reproducible(bench);
}

TEST(Results, OfABlockAreThoseOfAllItsPasses) {
  const auto program = program_of(R"(
[[step]]
name = "block"
repeat = { count = 3 }
  [[step.steps]]
  discharge = { current = "1 C" }
  until = "time >= 10 s"
[[step]]
name = "back"
charge = { current = "1 C" }
until = ["step_capacity >= block.discharge_capacity", "time >= block.duration"]
)");
  Bench bench(program);
  bench.run();
  EXPECT_NEAR(bench.summary("back").throughput.charge_C, 150.0, 1.0);
  expect_reproducible(bench);
}

// One finding with its code, severity, and words in its message.
void expect_finding(const std::string& body, const std::string& code, text::Severity severity,
                    const std::string& words) {
  const Compiled c = compile_body(body);
  const auto* found = c.find(code);
  ASSERT_NE(found, nullptr) << c.diagnostics.render();
  EXPECT_EQ(found->severity, severity) << c.diagnostics.render();
  EXPECT_NE(found->message.find(words), std::string::npos) << found->message;
  EXPECT_EQ(c.program == nullptr, severity == text::Severity::error) << c.diagnostics.render();
}

const std::string kSkippable = R"(
[[step]]
name = "check"
when = "soc > 50 %"
discharge = { current = "1 C" }
until = "time >= 60 s"
)";
const std::string kCharge =
    "[[step]]\ncharge = { current = \"check.discharge_capacity / 1 h\" }\nuntil = \"time > 1 s\"\n";
const std::string kWait = "[[step]]\nrest = {}\nuntil = [\"time >= check.duration\", \"time >= 1 min\"]\n";

TEST(Results, SetpointOfASkippedStepIsAnErrorThatNamesTheWay) {
  expect_finding(kSkippable + kCharge, "P049", text::Severity::error, "check (skipped)");
  expect_finding(kCharge + kSkippable, "P049", text::Severity::error, "does not exist yet");
}

TEST(Results, ConditionOnASkippedStepIsAWarning) {
  expect_finding(kSkippable + kWait, "P049", text::Severity::warning, "check (skipped)");
  expect_finding(kWait + kSkippable, "P049", text::Severity::error, "does not exist yet");
  expect_finding(kSkippable + "[[step]]\nrest = {}\nuntil = [\"not (time < check.duration)\", \"time >= 1 min\"]\n",
                 "P049", text::Severity::error, "check (skipped)");
}

TEST(Results, JumpAroundIsSeen) {
  const std::string jump = R"(
[[step]]
rest = {}
until = ["time >= 1 s", { when = "voltage > 4 V", then = "goto after" }]
)";
  expect_finding(jump + kDischarge +
                     "[[step]]\nname = \"after\"\ncharge = { current = \"check.discharge_capacity / 1 h\" }\nuntil = "
                     "\"time > 1 s\"\n",
                 "P049", text::Severity::error, "missing on the way rest");
}

TEST(Results, MadeOnBothWaysExists) {
  const auto program = program_of(kDischarge + R"(
[[step]]
rest = {}
until = ["time >= 1 s", { when = "voltage > 4 V", then = "goto after" }]
[[step]]
rest = {}
until = "time >= 1 s"
[[step]]
name = "after"
charge = { current = "check.discharge_capacity / 1 h" }
until = "time > 1 s"
)");
  EXPECT_TRUE(program);
}

TEST(Results, NthNeedsThatManyPasses) {
  const std::string loop = R"(
[[step]]
repeat = { count = 3 }
  [[step.steps]]
  name = "check"
  rest = {}
  until = "time >= 1 s"
)";
  const auto read = [](const std::string& n) {
    return "[[step]]\nset = { wait = \"check.duration[" + n + "]\" }\n[[step]]\nrest = {}\nuntil = \"time >= wait\"\n";
  };
  EXPECT_TRUE(compile_body(loop + read("3")).program) << compile_body(loop + read("3")).diagnostics.render();
  expect_finding(loop + read("4"), "P049", text::Severity::error, "fewer than 4 times");
}

TEST(Results, UnknownStepsAndQuantities) {
  expect_finding(kDischarge + "[[step]]\nrest = {}\nuntil = \"time >= chek.duration\"\n", "P022", text::Severity::error,
                 "no step or mark named 'chek'");
  expect_finding(
      "[[step]]\nname = \"check\"\nrepeat = { count = 2 }\n[[step.steps]]\nrest = {}\nuntil = \"time >= 1 s\"\n"
      "[[step]]\nhold = { voltage = \"check.end_voltage\" }\nuntil = \"time >= 1 s\"\n",
      "P024", text::Severity::error, "it has no end_voltage");
  expect_finding(kDischarge + "[[step]]\nhold = { voltage = \"check.resistance * 1 A\" }\nuntil = \"time >= 1 s\"\n",
                 "P024", text::Severity::error, "measures no resistance");
}

TEST(Results, MoreThanTheExecutorHoldsAreRefused) {
  const auto reads = [](int n) {
    std::string body =
        "[[step]]\nrepeat = { count = 1000 }\n[[step.steps]]\nname = \"s\"\nrest = {}\nuntil = \"time >= 1 s\"\n";
    body += "[[step]]\nset = { wait = \"1 s\" }\n";
    for (int i = 1; i <= n; ++i) {
      const std::string k = std::to_string(i + 1);
      body += "[[step]]\nset = { wait = \"s.duration[" + k + "]\" }\n";
    }
    return compile_body(body + "[[step]]\nrest = {}\nuntil = \"time >= wait\"\n");
  };
  EXPECT_TRUE(reads(256).program) << reads(256).diagnostics.render();
  EXPECT_NE(reads(257).find("P028"), nullptr) << reads(257).diagnostics.render();
}

}  // namespace
}  // namespace cyclerd::profiles::test
