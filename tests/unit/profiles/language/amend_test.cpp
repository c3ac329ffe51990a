// Another profile in the place of the running one: what may differ, what is carried over, and that nothing else
// changes.
#include "profiles/amend_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "profiles/step_text.hpp"
#include "tests/unit/profiles/language/run_text.hpp"

namespace cyclerd::profiles::test {
namespace {

// A short ageing test: a first check, three cycles, a last check.
const std::string kBody = R"(
[parameters]
cycles = { default = 3, min = 1, max = 100 }
rate = { default = "C/2", min = "C/50", max = "1 C" }
[[step]]
name = "first"
discharge = { current = "C/2" }
until = "time >= 2 s"
[[step]]
set = { n = "1", mark = "bol" }
[[step]]
name = "ageing"
repeat = { count = "cycles" }
  [[step.steps]]
  name = "up"
  charge = { current = "rate" }
  until = ["time >= 3 s", { when = "voltage > 4.1 V", then = "goto wait" }]
  [[step.steps]]
  name = "wait"
  rest = {}
  until = "time >= 1 s"
  [[step.steps]]
  name = "down"
  discharge = { current = "rate" }
  until = ["step_capacity >= first.discharge_capacity[last]", "time >= 4 s"]
  [[step.steps]]
  set = { n = "n + 1" }
  [[step.steps]]
  advance_cycle = {}
[[step]]
name = "last"
discharge = { current = "C/5" }
until = ["time >= 2 s", "bol.charge_capacity > 1 Ah"]
)";

std::string edited(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

// Scans until the step runs for the n-th time.
void run_to(cyclerd::test::Bench& bench, const std::string& name, int time = 1, int limit = 10'000) {
  int seen = 0;
  std::uint32_t counted = 0;
  for (int i = 0; i < limit; ++i) {
    bench.scan();
    if (bench.state.step_entered == 0 || bench.state.step_count == counted) continue;
    counted = bench.state.step_count;
    if (bench.state.step.name.view() == name && ++seen == time) return;
  }
  FAIL() << name << " was not reached";
}

struct Case {
  const char* what;
  const char* running;
  int time;
  const char* replaced;
  const char* by;
  const char* code;  // nullptr: allowed
  const char* words;
};

class Amending : public testing::TestWithParam<Case> {};

TEST_P(Amending, IsAllowedOrRefusedWithItsReason) {
  const Case& c = GetParam();
  cyclerd::test::Bench bench(program_of(kBody));
  run_to(bench, c.running, c.time);
  const std::string text = kHead + edited(kBody, c.replaced, c.by);
  const Compiled amended = compile(text);
  ASSERT_TRUE(amended.program) << amended.diagnostics.render();
  text::Diagnostics findings;
  const auto plan = plan_amendment(*bench.program, bench.state, *amended.program, source_of(text), findings);
  if (c.code == nullptr) {
    EXPECT_TRUE(plan) << findings.render();
    return;
  }
  EXPECT_FALSE(plan);
  ASSERT_TRUE(findings.has_errors());
  EXPECT_EQ(findings.all().front().code, c.code);
  EXPECT_NE(findings.render().find(c.words), std::string::npos) << findings.render();
}

INSTANTIATE_TEST_SUITE_P(
    Table, Amending,
    testing::Values(
        Case{"nothing at all", "up", 1, "[parameters]", "[parameters]", nullptr, ""},
        Case{"more passes", "wait", 2, "default = 3", "default = 5", nullptr, ""},
        Case{"fewer passes", "wait", 3, "default = 3", "default = 1", nullptr, ""},
        Case{"an until for the repeat", "wait", 2, "count = \"cycles\"", "until = \"n > 7\", count = \"cycles\"",
             nullptr, ""},
        Case{"no count any more", "wait", 2, "count = \"cycles\"", "until = \"n > 7\"", nullptr, ""},
        Case{"a later step of the open repeat", "up", 2, "time >= 4 s", "time >= 5 s", nullptr, ""},
        Case{"a step behind the repeat", "up", 2, "C/5", "C/4", nullptr, ""},
        Case{"a new step behind the running one", "wait", 2, "  [[step.steps]]\n  name = \"down\"",
             "  [[step.steps]]\n  name = \"more\"\n  rest = {}\n  until = \"time >= 1 s\"\n  [[step.steps]]\n  name = "
             "\"down\"",
             nullptr, ""},
        Case{"a renamed later step", "wait", 2, "name = \"last\"", "name = \"final\"", nullptr, ""},
        Case{"units and comments", "down", 2, "time >= 3 s", "time >= 3000 ms", nullptr, ""},
        Case{"a later step that was not reached may go", "up", 1,
             "[[step]]\nname = \"last\"\ndischarge = { current = \"C/5\" }", "[[step]]\nrest = {}", nullptr, ""},
        Case{"the running step's end", "up", 1, "time >= 3 s", "time >= 2 s", "P100", "is running"},
        Case{"the running step's set-point", "up", 1, "C/2\", min", "C/3\", min", "P100", "current: 2.5 -> 1.66"},
        Case{"the running step's record", "up", 1, "charge = { current = \"rate\" }",
             "record = { every = \"5 s\" }\n  charge = { current = \"rate\" }", "P100", "record: every 1 -> every 5"},
        Case{"a step that has passed", "up", 1, "current = \"C/2\" }\nuntil = \"time >= 2 s\"",
             "current = \"C/2\" }\nuntil = \"time >= 1 s\"", "P100", "'first' (CC_DCH, line"},
        Case{"an earlier step of the open repeat", "down", 2, "time >= 1 s", "time >= 2 s", "P100",
             "let it end after this pass"},
        Case{"another step before the repeat", "up", 2, "[[step]]\nname = \"first\"",
             "[[step]]\nrest = {}\nuntil = \"time >= 1 s\"\n[[step]]\nname = \"first\"", "P100", "in its place"},
        Case{"a passed condition's target", "wait", 2, "goto wait", "goto down", "P100", "goto wait"},
        Case{"the order of conditions", "up", 1,
             "[\"time >= 3 s\", { when = \"voltage > 4.1 V\", then = \"goto wait\" }]",
             "[{ when = \"voltage > 4.1 V\", then = \"goto wait\" }, \"time >= 3 s\"]", "P100", "order"},
        Case{"a tighter limit", "up", 1, "[parameters]", "[safety]\nvoltage = { max = \"4.21 V\" }\n[parameters]",
             "P101", "[safety] voltage max = 4.25 V, the new profile has 4.21 V"},
        Case{"a limit of another dwell", "up", 1, "[parameters]",
             "[safety]\nsensor_loss = { after = \"2 s\" }\n[parameters]", "P101", "sensor_loss = 3 s"},
        Case{"a result that was not kept", "wait", 1, "\"bol.charge_capacity > 1 Ah\"",
             "\"step_capacity > first.charge_capacity\"", "P102", "first.charge_capacity[last] is not known"},
        Case{"a result of a later step of an earlier pass", "up", 2, "\"bol.charge_capacity > 1 Ah\"",
             "\"step_capacity > down.discharge_capacity\"", "P102", "'down' has passed"},
        Case{"the same in the first pass", "up", 1, "\"bol.charge_capacity > 1 Ah\"",
             "\"step_capacity > down.discharge_capacity\"", nullptr, ""},
        Case{"a result of the running step", "down", 2, "\"bol.charge_capacity > 1 Ah\"",
             "\"step_capacity > down.discharge_capacity\"", nullptr, ""},
        Case{"its first result", "down", 2, "\"bol.charge_capacity > 1 Ah\"",
             "\"step_capacity > down.discharge_capacity[first]\"", "P102", "down.discharge_capacity[first]"},
        Case{"a first that is the last", "wait", 2, "\"bol.charge_capacity > 1 Ah\"",
             "\"step_capacity > first.discharge_capacity[first]\"", nullptr, ""},
        Case{"a result of the open block", "wait", 2, "\"bol.charge_capacity > 1 Ah\"",
             "\"step_capacity > ageing.charge_capacity\"", nullptr, ""}),
    [](const auto& row) {
      std::string name = row.param.what;
      std::replace_if(
          name.begin(), name.end(), [](char ch) { return !std::isalnum(static_cast<unsigned char>(ch)); }, '_');
      return name;
    });

// At any scan the program is exchanged for one that does the same until the old end: nothing in the run differs but
// what was added.
TEST(Amend, AtEveryScanTheSequenceGoesOnAsItWas) {
  const auto old_program = program_of(kBody);
  std::string other = edited(kBody, "[[step]]\nname = \"last\"",
                             "[[step]]\nset = { a0 = \"n\", mark = \"a1\" }\n[[step]]\nname = \"last\"");
  other += "[[step]]\nname = \"extra\"\nrest = {}\nuntil = \"time >= a0 * 1 s\"\n";
  const auto new_program = program_of(other);
  cyclerd::test::Bench whole(old_program);
  whole.run();
  ASSERT_GT(whole.inputs.size(), 200U);
  std::size_t amended_at = 0;
  for (std::size_t at = 1; at < whole.inputs.size(); ++at) {
    ExecutorState before = replay(*old_program, std::span(whole.inputs).first(at)).state;
    if (!can_amend(before)) continue;
    if (before.step.name.view() == "last") break;  // the new set stands before it
    ++amended_at;
    cyclerd::test::Bench bench(old_program);
    for (std::size_t i = 0; i < at; ++i) bench.feed(whole.inputs[i].sample, whole.inputs[i].request);
    text::Diagnostics findings;
    ASSERT_TRUE(
        amend_state(*old_program, bench.state, *new_program, bench.inputs.back().sample, source_of(other), findings))
        << findings.render();
    bench.program = new_program;
    for (std::size_t i = at; i < whole.inputs.size(); ++i) bench.feed(whole.inputs[i].sample, whole.inputs[i].request);
    ASSERT_EQ(bench.state.step.name.view(), "extra") << at;
    ASSERT_EQ(bench.steps.size(), whole.steps.size());
    for (std::size_t i = 0; i < whole.steps.size(); ++i) {
      ASSERT_EQ(bench.steps[i].step_count, whole.steps[i].step_count);
      ASSERT_EQ(bench.steps[i].duration_us, whole.steps[i].duration_us) << bench.steps[i].name.view();
      ASSERT_EQ(bench.steps[i].throughput.discharge_C, whole.steps[i].throughput.discharge_C);
    }
    EXPECT_EQ(std::memcmp(&bench.state.fold.test, &whole.state.fold.test, sizeof whole.state.fold.test), 0);
  }
  EXPECT_GT(amended_at, 150U);
}

TEST(Amend, ThereAndBackIsTheOldState) {
  const auto old_program = program_of(kBody);
  const std::string other = edited(kBody, "[[step]]\nset = { n", "[[step]]\nset = { b = \"7\", n");
  cyclerd::test::Bench bench(old_program);
  run_to(bench, "first");
  const ExecutorState before = bench.state;
  const auto new_program = program_of(other);
  text::Diagnostics findings;
  const base::Sample last = bench.inputs.back().sample;
  ASSERT_TRUE(amend_state(*old_program, bench.state, *new_program, last, source_of(other), findings))
      << findings.render();
  EXPECT_NE(bench.state.program_print, before.program_print);
  EXPECT_FALSE(fits(Amendment{}, bench.state));
  ASSERT_TRUE(amend_state(*new_program, bench.state, *old_program, last, source_of(kBody), findings))
      << findings.render();
  EXPECT_EQ(std::memcmp(&bench.state, &before, sizeof before), 0);
}

std::vector<std::string> names_after(cyclerd::test::Bench& bench, const std::string& text) {
  const auto next = program_of(text);
  text::Diagnostics findings;
  EXPECT_TRUE(
      amend_state(*bench.program, bench.state, *next, bench.inputs.back().sample, source_of(kHead + text), findings))
      << findings.render();
  bench.program = next;
  bench.run();
  return bench.step_names();
}

std::ptrdiff_t passes(const std::vector<std::string>& names) {
  return std::count(names.begin(), names.end(), "up");
}

TEST(Amend, AnotherCountIsTheNumberOfPassesInTotal) {
  for (const auto& [count, expected] : {std::pair{"5", 5}, {"3", 3}, {"2", 2}, {"1", 2}}) {
    cyclerd::test::Bench bench(program_of(kBody));
    run_to(bench, "wait", 2);
    const auto names = names_after(bench, edited(kBody, "default = 3", std::string("default = ") + count));
    EXPECT_EQ(passes(names), expected) << count;
    EXPECT_EQ(names.back(), "last");
  }
}

TEST(Amend, AnotherUntilOfTheRepeatDecidesWhenThePassIsOver) {
  cyclerd::test::Bench bench(program_of(kBody));
  run_to(bench, "wait", 2);
  EXPECT_EQ(passes(names_after(bench, edited(kBody, "count = \"cycles\"", "until = \"n > 5\""))), 5);
}

TEST(Amend, VariablesMarksAndResultsAreFoundByName) {
  cyclerd::test::Bench bench(program_of(kBody));
  run_to(bench, "wait", 2);
  ASSERT_EQ(bench.state.variables[0], 2.0);  // n
  const double kept_C = bench.state.results[0];
  const Mark mark = bench.state.marks[0];
  std::string other = edited(kBody, "[[step]]\nname = \"last\"",
                             "[[step]]\nset = { early = \"n\", mark = \"also\" }\n[[step]]\nname = \"last\"");
  other =
      edited(other, "[\"step_capacity >= first.discharge_capacity[last]\", \"time >= 4 s\"]",
             "[\"step_capacity >= wait.capacity\", \"step_capacity >= first.discharge_capacity\", \"time >= 4 s\"]");
  // `wait` runs for the second time: its earlier result is not kept, but its end gives one before it is read.
  const auto next = program_of(other);
  text::Diagnostics findings;
  ASSERT_TRUE(amend_state(*bench.program, bench.state, *next, bench.inputs.back().sample, source_of(other), findings))
      << findings.render();
  for (std::size_t i = 0; i < next->variable_names.size(); ++i) {
    if (next->variable_names[i] == "n") {
      EXPECT_EQ(bench.state.variables[i], 2.0);
    } else {
      EXPECT_TRUE(std::isnan(bench.state.variables[i]));
    }
  }
  for (std::size_t i = 0; i < next->mark_names.size(); ++i) {
    EXPECT_EQ(bench.state.marks[i].set_us, next->mark_names[i] == "bol" ? mark.set_us : kNever);
  }
  for (std::uint32_t i = 0; i < next->result_slots; ++i) {
    if (next->result_names[i].step == "first") {
      EXPECT_EQ(bench.state.results[i], kept_C);
      EXPECT_EQ(bench.state.result_counts[i], 1U);
    } else {
      EXPECT_TRUE(std::isnan(bench.state.results[i]));
      EXPECT_EQ(bench.state.result_counts[i], kCompletionsUnknown);
    }
  }
}

TEST(Amend, AReplayAcrossTwoAmendmentsIsTheRun) {
  std::vector<std::shared_ptr<const Program>> programs{program_of(kBody)};
  const std::string second = edited(kBody, "default = 3", "default = 4");
  const std::string third = edited(second, "C/5", "C/4");
  std::vector<std::uint64_t> moments;
  cyclerd::test::Bench bench(programs[0]);
  for (const std::string& text : {second, third}) {
    run_to(bench, "down");
    programs.push_back(program_of(text));
    text::Diagnostics findings;
    ASSERT_TRUE(amend_state(*bench.program, bench.state, *programs.back(), bench.inputs.back().sample, source_of(text),
                            findings));
    bench.program = programs.back();
    moments.push_back(bench.inputs.size());
  }
  bench.run();
  std::vector<TakeOver> amended;
  for (std::size_t i = 0; i < moments.size(); ++i) {
    amended.push_back({moments[i], programs[i + 1].get(), [&, i](const base::Sample& last, ExecutorState& state) {
                         text::Diagnostics findings;
                         EXPECT_TRUE(
                             amend_state(*programs[i], state, *programs[i + 1], last, source_of("x"), findings));
                       }});
  }
  const Replayed again = replay(*programs[0], bench.inputs, amended);
  EXPECT_EQ(std::memcmp(&again.state, &bench.state, sizeof bench.state), 0);
  std::vector<base::Setpoint> sent;
  for (const auto& command : again.commands) sent.push_back(command.setpoint);
  EXPECT_TRUE(sent == bench.setpoints);
  EXPECT_EQ(passes(bench.step_names()), 4);
  for (std::size_t i = 1; i < again.rows.size(); ++i) {
    EXPECT_EQ(again.rows[i].record_index, again.rows[i - 1].record_index + 1);
    EXPECT_GT(again.rows[i].test_time_us, again.rows[i - 1].test_time_us);
  }
  ExecutorState restored;
  EXPECT_TRUE(restore(*programs[2], snapshot(bench.state), restored));
  EXPECT_FALSE(restore(*programs[0], snapshot(bench.state), restored));
}

TEST(Amend, StepsInsideOfACallAreReachedOneByOne) {
  const std::string procedure = R"(
[procedure.dip]
[[procedure.dip.step]]
name = "down"
discharge = { current = "C/2" }
until = "time >= 2 s"
[[procedure.dip.step]]
name = "back"
charge = { current = "C/2" }
until = "time >= 2 s"
[[step]]
name = "one"
call = { procedure = "dip" }
)";
  cyclerd::test::Bench bench(program_of(procedure));
  run_to(bench, "one.down");
  const auto plan = [&](const std::string& text) {
    const auto next = program_of(text);
    text::Diagnostics findings;
    (void)plan_amendment(*bench.program, bench.state, *next, source_of(kHead + text), findings);
    return findings;
  };
  EXPECT_FALSE(plan(edited(procedure, "charge = { current = \"C/2\" }\nuntil = \"time >= 2 s\"\n[[step]]",
                           "charge = { current = \"C/4\" }\nuntil = \"time >= 2 s\"\n[[step]]"))
                   .has_errors());
  const auto refused = plan(edited(procedure, "time >= 2 s", "time >= 3 s"));
  ASSERT_TRUE(refused.has_errors());
  EXPECT_EQ(marked(refused.all().front()).substr(0, 1), "c");  // the call's own line
}

TEST(Amend, APausedTestAndOneBetweenTwoSteps) {
  cyclerd::test::Bench bench(program_of(kBody));
  EXPECT_FALSE(can_amend(bench.state)) << "nothing has begun";
  run_to(bench, "wait", 2);
  bench.scan(Request::pause);
  EXPECT_TRUE(can_amend(bench.state));
  const auto next = program_of(edited(kBody, "default = 3", "default = 2"));
  text::Diagnostics findings;
  ASSERT_TRUE(amend_state(*bench.program, bench.state, *next, bench.inputs.back().sample, source_of("x"), findings));
  bench.program = next;
  bench.scan();
  EXPECT_EQ(bench.state.run_state, static_cast<std::uint32_t>(RunState::paused));
  bench.scan(Request::resume);
  bench.run();
  EXPECT_EQ(passes(bench.step_names()), 2);
  EXPECT_FALSE(can_amend(bench.state)) << "the test is over";
  EXPECT_FALSE(amend_state(*bench.program, bench.state, *next, {}, source_of("x"), findings));
  EXPECT_EQ(findings.all().back().code, "P104");
}

TEST(Amend, ParametersOfTheTestAreKeptUnlessTypedAnew) {
  text::Diagnostics findings;
  const auto source = source_of(kHead + kBody);
  const auto all =
      amended_parameters({{"cycles", "7"}, {"rate", "C/3"}, {"gone", "1"}}, {{"cycles", "9"}}, source, findings);
  EXPECT_EQ(all, (std::map<std::string, std::string>{{"cycles", "9"}, {"rate", "C/3"}}));
  ASSERT_EQ(findings.all().size(), 1U);
  EXPECT_EQ(findings.all().front().code, "P103");
  EXPECT_FALSE(findings.has_errors());
  // What was typed and is unknown stays: the compiler refuses it.
  EXPECT_TRUE(amended_parameters({}, {{"gone", "1"}}, source, findings).contains("gone"));
}

TEST(Amend, TheChangesAreToldStepByStep) {
  std::string other = edited(kBody, "default = 3", "default = 5");
  other = edited(other, "\"time >= 4 s\"", "\"time >= 5 s\"");
  other = edited(other, "[[step]]\nname = \"last\"",
                 "[[step]]\nname = \"soak\"\nrest = {}\nuntil = \"time >= 1 h\"\n[[step]]\nname = \"last\"");
  other = edited(other, "  [[step.steps]]\n  set = { n = \"n + 1\" }\n", "");
  const auto before = program_of(kBody);
  const auto after = program_of(other);
  const ProgramChanges changes = compare_programs(*before, *after);
  std::vector<std::string> told;
  for (const StepChange& change : changes.steps) {
    const bool gone = change.kind == StepChange::Kind::removed;
    std::string line = gone ? "- " : change.kind == StepChange::Kind::added ? "+ " : "~ ";
    const Program& program = gone ? *before : *after;
    line += program.text(program.steps[gone ? change.from : change.to].name);
    for (const std::string& d : change.differences) line += " | " + d;
    told.push_back(line);
  }
  EXPECT_EQ(told, (std::vector<std::string>{"~ ageing | count: 3 -> 5", "~ down | until: time >= 4 -> time >= 5",
                                            "- SET", "+ soak"}));
  EXPECT_EQ(changes.kept, after->steps.size() - 3);
  EXPECT_TRUE(compare_programs(*before, *before).empty());
}

}  // namespace
}  // namespace cyclerd::profiles::test
