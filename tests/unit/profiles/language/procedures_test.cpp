// [procedure.*] and `call`: arguments, names of its own, limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/profiles/language/run_text.hpp"

namespace cyclerd::profiles::test {
namespace {

using cyclerd::test::Bench;

const std::string kCheck = R"(
[procedure.check]
title = "Discharge and back"
[procedure.check.parameters]
rate = { default = "0.5 C", min = "0.1 C", max = "1 C" }
seconds = { default = "10 s" }
[[procedure.check.step]]
name = "discharge"
discharge = { current = "rate" }
until = "time >= seconds"
[[procedure.check.step]]
name = "charge"
charge = { current = "rate" }
until = ["step_capacity >= discharge.discharge_capacity", { when = "time >= 1 h", then = "goto discharge" }]
)";

TEST(Procedures, StepsStandInPlaceOfTheCall) {
  const auto program = program_of(kCheck + R"(
[[step]]
name = "first"
call = { procedure = "check", rate = "1 C" }
[[step]]
call = { procedure = "check" }
[[step]]
name = "end"
rest = {}
until = ["time >= first.duration", "time >= 2 * first.discharge.duration + 1 min"]
)");
  Bench bench(program);
  bench.run();
  EXPECT_THAT(bench.step_names(),
              testing::ElementsAre("first.discharge", "first.charge", "check.discharge", "check.charge", "end"));
  EXPECT_EQ(bench.setpoints[0].current_A, -5.0);
  EXPECT_EQ(bench.setpoints[2].current_A, -2.5);
  EXPECT_EQ(bench.summary("first.discharge").duration_us, 10'000'000);
  EXPECT_NEAR(seconds_of(bench.summary("end").duration_us), 20.0, 0.5);
  EXPECT_EQ(program->text(program->steps[0].type), "CALL");
  expect_reproducible(bench);
}

TEST(Procedures, ArgumentKnownOnlyInTheTestIsTakenWhenTheCallIsReached) {
  const auto program = program_of(kCheck + R"(
[[step]]
name = "before"
rest = {}
until = "time >= 5 s"
[[step]]
name = "c"
call = { procedure = "check", seconds = "before.duration * cycle" }
)");
  Bench bench(program);
  bench.run();
  EXPECT_EQ(bench.summary("c.discharge").duration_us, 5'000'000);
  expect_reproducible(bench);
}

TEST(Procedures, AreSkippedRepeatedAndRebasedLikeBlocks) {
  const auto program = program_of(kCheck + R"(
[[step]]
set = { measured_capacity = "10000 As" }
[[step]]
repeat = { count = 4 }
  [[step.steps]]
  name = "c"
  capacity = "measured"
  when = "mod(cycle, 2) == 0"
  call = { procedure = "check", rate = "0.9 C", seconds = "1 s" }
  [[step.steps]]
  name = "rest"
  rest = {}
  until = "time >= 1 s"
  [[step.steps]]
  advance_cycle = {}
)");
  Bench bench(program);
  bench.run();
  int skipped = 0;
  int run = 0;
  for (const auto& s : bench.steps) {
    if (s.name.view() == "c") skipped += s.reason == EndReason::skipped ? 1 : 0;
    if (s.name.view() == "c.discharge") ++run;
  }
  EXPECT_EQ(skipped, 2);
  EXPECT_EQ(run, 2);
  EXPECT_THAT(bench.setpoints, testing::Contains(testing::Truly([](const base::Setpoint& s) {
                return std::abs(s.current_A + 0.9 * 10'000.0 / 3600.0) < 1e-12;
              })));
  expect_reproducible(bench);
}

TEST(Procedures, MayCallOthersAndHaveVariablesOfTheirOwn) {
  const auto program = program_of(R"(
[procedure.outer]
[[procedure.outer.step]]
set = { n = 2 }
[[procedure.outer.step]]
name = "in"
call = { procedure = "inner" }
[[procedure.outer.step]]
name = "o"
rest = {}
until = "time >= n * 1 s"
[procedure.inner]
[[procedure.inner.step]]
set = { n = 5, mark = "m" }
[[procedure.inner.step]]
name = "i"
rest = {}
until = "m.duration >= n * 1 s"
[[step]]
set = { n = 1 }
[[step]]
name = "x"
call = { procedure = "outer" }
[[step]]
name = "r"
rest = {}
until = ["time >= n * 1 s", "time >= x.in.i.duration + 1 min"]
)");
  Bench bench(program);
  bench.run();
  EXPECT_THAT(bench.step_names(), testing::ElementsAre("x.in.i", "x.o", "r"));
  EXPECT_EQ(bench.summary("x.in.i").duration_us, 5'000'000);
  EXPECT_EQ(bench.summary("x.o").duration_us, 2'000'000);
  EXPECT_EQ(bench.summary("r").duration_us, 1'000'000);
  expect_reproducible(bench);
}

struct Wrong {
  std::string body, code, under;
};
class WrongCall : public testing::TestWithParam<Wrong> {};

TEST_P(WrongCall, IsFound) {
  const Compiled c = compile_body(GetParam().body);
  EXPECT_FALSE(c.program);
  const auto* found = c.find(GetParam().code);
  ASSERT_NE(found, nullptr) << c.diagnostics.render();
  EXPECT_EQ(marked(*found), GetParam().under) << c.diagnostics.render();
}

const std::string kBody = "[[procedure.p.step]]\nrest = {}\nuntil = \"time >= 1 s\"\n";
INSTANTIATE_TEST_SUITE_P(
    All, WrongCall,
    testing::Values(
        Wrong{kCheck + "[[step]]\ncall = { procedure = \"chek\" }\n", "P038", "chek"},
        Wrong{kCheck + "[[step]]\ncall = { procedure = \"check\", rat = \"1 C\" }\n", "P038", "rat"},
        Wrong{kCheck + "[[step]]\ncall = { procedure = \"check\", rate = \"1 V\" }\n", "P024", "1 V"},
        Wrong{kCheck + "[[step]]\ncall = { procedure = \"check\", rate = \"1.1 C\" }\n", "P070", "1.1 C"},
        Wrong{kCheck + "[[step]]\ncall = { procedure = \"check\", rate = \"0.09 C\" }\n", "P070", "0.09 C"},
        Wrong{kCheck + "[[step]]\ncall = { rate = \"1 C\" }\n", "T010", "call"},
        Wrong{"[procedure.p]\n[[procedure.p.step]]\ncall = { procedure = \"q\" }\n[procedure.q]\n[[procedure.q.step]]\n"
              "call = { procedure = \"p\" }\n[[step]]\ncall = { procedure = \"p\" }\n",
              "P039", "p"},
        Wrong{"[procedure.p]\n[[procedure.p.step]]\nrest = {}\nuntil = { when = \"time >= 1 s\", then = \"break\" }\n"
              "[[step]]\nrepeat = { count = 2 }\n[[step.steps]]\ncall = { procedure = \"p\" }\n",
              "P037", "break"},
        Wrong{
            "[procedure.p]\n[[procedure.p.step]]\nrest = {}\nuntil = { when = \"time >= 1 s\", then = \"goto out\" }\n"
            "[[step]]\nname = \"out\"\ncall = { procedure = \"p\" }\n",
            "P035", "out"},
        Wrong{"[procedure.p]\n" + kBody +
                  "[[step]]\nrest = {}\nuntil = { when = \"time >= 1 s\", then = \"goto c.x\" }\n"
                  "[[step]]\nname = \"c\"\ncall = { procedure = \"p\" }\n",
              "P035", "c.x"},
        Wrong{"[parameters]\nlevel = { default = \"4 V\" }\n[procedure.p]\n[[procedure.p.step]]\nhold = { voltage = "
              "\"level\" }\nuntil = \"time >= 1 s\"\n[[step]]\ncall = { procedure = \"p\" }\n",
              "P022", "level"},
        Wrong{"[procedure.p]\nstep = []\n[[step]]\ncall = { procedure = \"p\" }\n", "P012", "p"},
        Wrong{"[procedure.p]\n" + kBody + "[[step]]\ncall = { procedure = \"p\" }\nuntil = \"time >= 1 s\"\n", "P032",
              "until"}));

TEST(Procedures, OneMistakeInAProcedureIsOneFinding) {
  const Compiled c = compile_body(R"(
[procedure.p]
[[procedure.p.step]]
charge = { current = "9 C" }
until = "time >= 1 s"
[[step]]
call = { procedure = "p" }
[[step]]
call = { procedure = "p" }
)");
  EXPECT_THAT(c.codes(), testing::ElementsAre("P050")) << c.diagnostics.render();
}

TEST(Procedures, WrittenOutTheyAreBounded) {
  // Each calls the one before it ten times: 10^5 steps.
  std::string body = "[procedure.p0]\n[[procedure.p0.step]]\nrest = {}\nuntil = \"time >= 1 s\"\n";
  for (int i = 1; i <= 5; ++i) {
    const std::string name = "p" + std::to_string(i);
    body += "[procedure." + name + "]\n";
    for (int k = 0; k < 10; ++k) {
      body += "[[procedure." + name + ".step]]\ncall = { procedure = \"p" + std::to_string(i - 1) + "\" }\n";
    }
  }
  const Compiled c = compile_body(body + "[[step]]\ncall = { procedure = \"p5\" }\n");
  EXPECT_THAT(c.codes(), testing::ElementsAre("P013")) << c.diagnostics.render();
}

}  // namespace
}  // namespace cyclerd::profiles::test
