// What the checker proves of limits, loops, boxes and records: each figure just below, at and just above its bound.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/profiles/language/bench.hpp"

namespace cyclerd::profiles::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// "E P045 voltage >= 4 V", one line for each finding, errors and warnings.
std::vector<std::string> findings(const Compiled& c) {
  std::vector<std::string> lines;
  for (const auto& d : c.diagnostics.all()) {
    if (d.severity == text::Severity::note) continue;
    lines.push_back((d.severity == text::Severity::error ? "E " : "W ") + d.code + " " + marked(d));
  }
  return lines;
}

struct Nasty {
  std::string body;
  std::vector<std::string> wanted;  // all of it, in this order
};

void expect_all(const std::vector<Nasty>& list, const Launch& launch = roomy_launch()) {
  for (const Nasty& nasty : list) {
    const Compiled c = compile_body(nasty.body, launch);
    EXPECT_EQ(findings(c), nasty.wanted) << nasty.body << c.diagnostics.render();
  }
}

std::string step(const std::string& control, const std::string& until, const std::string& more = "") {
  return "[[step]]\n" + more + control + "\nuntil = [" + until + "]\n";
}
const std::string kHour = "\"time >= 1 h\"";
const std::string kCharge1A = "charge = { current = \"1 A\" }";

TEST(Proof, LimitsThatTheStepsOwnControlNeverReaches) {
  expect_all({
      {step("charge = { current = \"1 A\", voltage = \"4 V\" }", "\"voltage >= 4.01 V\", " + kHour),
       {"E P045 voltage >= 4.01 V"}},
      {step("charge = { current = \"1 A\", voltage = \"4 V\" }", "\"voltage >= 3.99 V\", " + kHour), {}},
      {step("discharge = { current = \"1 A\", voltage = \"3 V\" }", "\"voltage <= 2.99 V\", " + kHour),
       {"E P045 voltage <= 2.99 V"}},
      {step("discharge = { current = \"1 A\", voltage = \"3 V\" }", "\"voltage <= 3.01 V\", " + kHour), {}},
      {step(kCharge1A, "\"abs(current) >= 1.01 A\", " + kHour), {"E P045 abs(current) >= 1.01 A"}},
      {step(kCharge1A, "\"abs(current) >= 1 A\", " + kHour), {}},
      {step("hold = { voltage = \"4 V\", current = \"2 A\" }", "\"current >= 2.01 A\", " + kHour),
       {"E P045 current >= 2.01 A"}},
      {step("hold = { voltage = \"4 V\", current = \"2 A\" }", "\"current >= 1.99 A\", " + kHour), {}},
      {step("hold = { voltage = \"4 V\" }", "\"current >= 5.01 A\", " + kHour), {"E P045 current >= 5.01 A"}},
      {step("charge = { power = \"4 W\" }", "\"power >= 4.1 W\", " + kHour), {"E P045 power >= 4.1 W"}},
      {step("charge = { power = \"4 W\" }", "\"power >= 3.9 W\", " + kHour), {}},
      {step("charge = { power = \"4 W\" }", "\"power <= -1 W\", " + kHour), {"E P045 power <= -1 W"}},
      {step("pulse = { pulses = [{ current = \"-2 A\", time = \"10 s\" }, { current = \"1 A\", time = \"10 s\" }] }",
            "\"current <= -2.1 A\""),
       {"E P045 current <= -2.1 A"}},
      {step("pulse = { pulses = [{ current = \"-2 A\", time = \"10 s\" }, { current = \"1 A\", time = \"10 s\" }] }",
            "\"current <= -2 A\""),
       {}},
      {step("ramp = { from = \"0 A\", to = \"1 A\", over = \"1 h\" }", "\"current > 1.1 A\""),
       {"E P045 current > 1.1 A"}},
      {step("rest = {}", "\"power > 1 W\", " + kHour), {"E P045 power > 1 W"}},
      {step("rest = {}", "\"temperature < -274 degC\", " + kHour), {"E P045 temperature < -274 degC"}},
      // The per cent that was forgotten.
      {step(kCharge1A, "\"soc >= 80\", " + kHour), {"E P045 soc >= 80"}},
      {step(kCharge1A, "\"soc >= 2.01\", " + kHour), {"E P045 soc >= 2.01"}},
      {step(kCharge1A, "\"soc >= 2\", " + kHour), {}},
      {step(kCharge1A, "\"soc <= -1.01\", " + kHour), {"E P045 soc <= -1.01"}},
      // What fails on the impossible is a guard.
      {step(kCharge1A, "{ when = \"voltage >= 5 V\", then = \"fail\" }, " + kHour), {}},
  });
}

TEST(Proof, PartsOfAConditionThatContradictEachOther) {
  expect_all({
      {step("rest = {}", "\"voltage > 4 V and voltage < 3 V\", " + kHour), {"E P045 voltage > 4 V and voltage < 3 V"}},
      {step("rest = {}", "\"voltage >= 4 V and voltage <= 4 V\", " + kHour), {}},
      {step("rest = {}", "\"voltage >= 4 V and voltage < 4 V\", " + kHour),
       {"E P045 voltage >= 4 V and voltage < 4 V"}},
      {step("rest = {}", "\"time > 1 min and (temperature > 30 degC and 20 degC > temperature)\", " + kHour),
       {"E P045 time > 1 min and (temperature > 30 degC and 20 degC > temperature)"}},
      {step("rest = {}", "\"voltage > 4 V or voltage < 3 V\", " + kHour), {}},
      {step("rest = {}", "\"not (cycle >= 1)\", " + kHour), {"E P045 not (cycle >= 1)"}},
  });
}

TEST(Proof, LimitsOutsideOfTheBoxTripFirst) {
  const std::string box = "[safety]\ntemperature = { max = \"45 degC\" }\ncapacity = { max = \"2 Ah\" }\n";
  const std::string slow_box = "[safety]\ntemperature = { min = \"-19 degC\", max = \"45 degC\", for = \"2 s\" }\n";
  expect_all({
      {box + step("rest = {}", "\"temperature >= 45.1 degC\", " + kHour), {"W P062 temperature >= 45.1 degC"}},
      {box + step("rest = {}", "\"temperature >= 45 degC\", " + kHour), {}},
      {box + step("rest = {}", "\"temperature >= 44.9 degC\", " + kHour), {}},
      {slow_box + step("rest = {}", "\"temperature >= 50 degC\", " + kHour), {}},
      {step("rest = {}", "\"temperature >= 60.1 degC\", " + kHour), {"W P062 temperature >= 60.1 degC"}},
      {step("rest = {}", "\"voltage >= 4.26 V\", " + kHour), {"W P062 voltage >= 4.26 V"}},
      {step("rest = {}", "\"voltage >= 4.25 V\", " + kHour), {}},
      {box + step(kCharge1A, "\"step_capacity >= 2.1 Ah\", \"time >= 10 h\""), {"W P062 step_capacity >= 2.1 Ah"}},
      {box + step(kCharge1A, "\"step_capacity >= 2 Ah\", \"time >= 10 h\""), {}},
      {box + step(kCharge1A, "{ when = \"temperature > 70 degC\", then = \"fail\" }, " + kHour), {}},
      // When nothing but failing is left, it is an error, and what follows is not called unreachable.
      {box + step("rest = {}", "\"temperature >= 50 degC\", { when = \"time >= 1 h\", then = \"fail\" }") +
           step("rest = {}", kHour),
       {"E P062 temperature >= 50 degC"}},
  });
  const Compiled c = compile_body(box + step("rest = {}", "\"temperature >= 45.1 degC\", " + kHour));
  EXPECT_THAT(c.find("P062")->message, HasSubstr("45 degC, opens the output first"));
}

TEST(Proof, LimitsForWhichTheStepsTimeIsTooShort) {
  expect_all({
      // 1 A for 1 h, 5 % of tolerance: 1.05 Ah
      {step(kCharge1A, "\"step_capacity >= 1.06 Ah\", " + kHour), {"W P047 step_capacity >= 1.06 Ah"}},
      {step(kCharge1A, "\"step_capacity >= 1.04 Ah\", " + kHour), {}},
      {step(kCharge1A, "\"step_capacity >= 2 Ah\", { when = \"time >= 1 h\", then = \"fail\" }"),
       {"E P047 step_capacity >= 2 Ah"}},
      {step(kCharge1A, "{ when = \"step_capacity >= 2 Ah\", then = \"fail\" }, " + kHour), {}},
      {step(kCharge1A, "\"time >= 2 h and voltage > 4 V\", " + kHour), {"W P047 time >= 2 h and voltage > 4 V"}},
      {step(kCharge1A, "\"time >= 59 min and voltage > 4 V\", " + kHour), {}},
      {step(kCharge1A, "\"time >= 2 h\", " + kHour), {"W P047 time >= 2 h"}},
      {step("ramp = { from = \"0 A\", to = \"1 A\", over = \"1 h\" }", "\"time >= 61 min\""),
       {"W P047 time >= 61 min"}},
      {step("ramp = { from = \"0 A\", to = \"1 A\", over = \"1 h\" }", "\"time >= 1 h\""), {}},
      {step("pulse = { pulses = [{ current = \"-2 A\", time = \"10 s\" }], count = 3 }", "\"time >= 31 s\""),
       {"W P047 time >= 31 s"}},
  });
  const Compiled c = compile_body(step(kCharge1A, "\"step_capacity >= 2 Ah\", " + kHour));
  EXPECT_THAT(c.find("P047")->message, HasSubstr("ends after 60 min at the latest"));
  EXPECT_THAT(c.find("P047")->help, HasSubstr("at 1 A that time moves at most 1 Ah"));
}

std::string repeat(const std::string& arguments, const std::string& inside, const std::string& name = "loop") {
  return "[[step]]\nname = \"" + name + "\"\nrepeat = { " + arguments + " }\n" + inside;
}
std::string in(const std::string& control, const std::string& more = "until = \"time >= 1 s\"\n") {
  return "[[step.steps]]\n" + control + "\n" + more;
}

TEST(Proof, LoopsThatCannotEndOrThatNothingCounts) {
  const std::string zero = "[[step]]\nset = { n = 0 }\n";
  const std::string rest = in("rest = {}");
  const std::string count = in("set = { n = \"n + 1\" }", "");
  expect_all({
      {repeat("", rest), {"E P043 repeat"}},
      {repeat("until = \"cycle > 10\"", rest), {"E P067 cycle > 10"}},
      {repeat("until = \"cycle > 10\"", rest + in("advance_cycle = {}", "")), {}},
      {repeat("count = 5, until = \"cycle > 10\"", rest), {"W P067 cycle > 10"}},
      {zero + repeat("until = \"n >= 10\"", rest), {"E P045 n >= 10"}},
      {zero + repeat("until = \"n >= 10\"", rest + count), {}},
      {zero + repeat("until = \"n >= 10\"", rest + in("set = { n = 1 }", "")), {"E P045 n >= 10"}},
      {zero + repeat("until = \"n >= 1\"", rest + in("set = { n = 1 }", "")), {"W P065 repeat"}},
      {repeat("until = \"discharge_capacity > 1 Ah\"", rest), {"E P067 discharge_capacity > 1 Ah"}},
      {repeat("until = \"soc > 90 %\"", rest), {"E P067 soc > 90 %"}},
      {repeat("until = \"soc > 90 %\"", in(kCharge1A)), {"W P065 repeat"}},
      {repeat("count = 100, until = \"soc > 90 %\"", in(kCharge1A)), {}},
      {repeat("until = \"soc > 90 % or test_time > 10 h\"", in(kCharge1A)), {}},
      {repeat("until = \"discharge_capacity < 0 Ah\"", in(kCharge1A)), {"E P045 discharge_capacity < 0 Ah"}},
      {repeat("until = \"voltage > 5 V\"", in(kCharge1A)), {"E P062 voltage > 5 V"}},
      {repeat("until = \"cycle >= 1\"", in(kCharge1A)), {"E P046 cycle >= 1"}},
      // Somebody else's counter counts nothing.
      {zero + "[[step]]\nset = { m = 0 }\n" + repeat("until = \"m >= 10\"", rest + count + in("set = { m = 0 }", "")),
       {"E P045 m >= 10"}},
      // A break that can fire, and one that cannot.
      {repeat("", in("rest = {}", "until = [\"time >= 1 s\", { when = \"voltage > 4 V\", then = \"break\" }]\n")),
       {"W P065 repeat"}},
      {repeat("", in("rest = {}", "until = [\"time >= 1 s\", { when = \"test_time > 4 d\", then = \"break\" }]\n")),
       {}},
      {repeat("", in(kCharge1A, "until = [\"time >= 1 s\", { when = \"voltage > 5 V\", then = \"break\" }]\n")),
       {"E P045 voltage > 5 V"}},
      // The inner loop is left, the outer one is not.
      {repeat("",
              "[[step.steps]]\nrepeat = { count = 3 }\nsteps = [{ rest = {}, until = { when = \"time >= 1 s\", then "
              "= \"break\" } }]\n"),
       {"E P043 repeat"}},
      {repeat("count = 3", in("set = { n = 1 }", "")), {"E P044 repeat"}},
      {repeat("count = 3", in("rest = {}", "when = \"soc > 10 %\"\nuntil = \"time >= 1 s\"\n")), {"E P044 repeat"}},
  });
}

TEST(Proof, JumpsBackThatNothingCounts) {
  const std::string zero = "[[step]]\nset = { n = 0 }\n";
  const std::string first = step("rest = {}", "\"time >= 1 s\"", "name = \"again\"\n");
  const auto jump = [](const std::string& when) {
    return step(kCharge1A, "{ when = \"" + when + "\", then = \"goto again\" }, \"time >= 1 h\"");
  };
  expect_all({
      {first + jump("voltage < 3 V"), {"W P065 voltage < 3 V"}},
      {first + jump("voltage < 3 V and test_time < 10 h"), {}},
      {zero + first + "[[step]]\nset = { n = \"n + 1\" }\n" + jump("voltage < 3 V and n < 5"), {}},
      {zero + first + "[[step]]\nset = { n = 1 }\n" + jump("voltage < 3 V and n < 5"),
       {"W P065 voltage < 3 V and n < 5"}},
      // A counter outside of the way counts nothing.
      {zero + "[[step]]\nset = { n = \"n + 1\" }\n" + first + jump("voltage < 3 V and n < 5"),
       {"W P065 voltage < 3 V and n < 5"}},
      {first + "[[step]]\nadvance_cycle = {}\n" + jump("voltage < 3 V and cycle < 5"), {}},
      {first + jump("voltage < 3 V and cycle < 5"), {"W P065 voltage < 3 V and cycle < 5"}},
      // Another step of the way gives up in time.
      {step("rest = {}", "\"time >= 1 s\", { when = \"test_time > 10 h\", then = \"end\" }", "name = \"again\"\n") +
           jump("voltage < 3 V"),
       {}},
      // To itself, with no other way: it cannot end.
      {step("rest = {}", "{ when = \"time >= 1 s\", then = \"goto again\" }", "name = \"again\"\n"), {"E P043 rest"}},
      // Each to the other.
      {step("rest = {}", "{ when = \"time >= 1 s\", then = \"goto b\" }", "name = \"again\"\n") +
           step("rest = {}", "{ when = \"time >= 1 s\", then = \"goto again\" }", "name = \"b\"\n") +
           step("rest = {}", kHour),
       {"E P042 rest", "E P043 rest"}},
      // Forwards is no loop.
      {step("rest = {}", "{ when = \"voltage < 3 V\", then = \"goto b\" }, \"time >= 1 s\"") +
           step("rest = {}", kHour) + step("rest = {}", kHour, "name = \"b\"\n"),
       {}},
  });
}

TEST(Proof, TheCauseIsToldAndNotWhatFollowsFromIt) {
  Launch lfp = roomy_launch();
  lfp.cell.voltage_max_V = 3.6;
  lfp.cell.voltage_min_V = 2.0;
  const std::string after = step("rest = {}", kHour);
  const std::string fails = "{ when = \"time >= 4 h\", then = \"fail\" }";
  expect_all(
      {
          {step("charge = { current = \"1 A\", voltage = \"4.2 V\" }", "\"voltage >= 4.1 V\", " + fails) + after,
           {"E P050 4.2 V"}},
          {step(kCharge1A, "\"voltage >= 4.2 V\", " + fails) + after, {"E P045 voltage >= 4.2 V"}},
          {"[parameters]\nlevel = { default = \"4.2 V\", max = \"cell.voltage_max\" }\n" +
               step("charge = { current = \"1 A\", voltage = \"level\" }", "\"voltage >= level - 0.1 V\", " + fails) +
               after,
           {"E P070 level"}},
          {"[safety]\nvoltage = { max = \"4.25 V\" }\n" +
               step("charge = { current = \"1 A\", voltage = \"4.2 V\" }", "\"abs(current) < 0.1 A\", " + fails) +
               after,
           {"E P060 4.25 V", "E P050 4.2 V"}},
          {repeat("until = \"voltage > 4 V\"",
                  in("charge = { current = \"1 A\", voltage = \"4.2 V\" }",
                     "until = [\"voltage >= 4.1 V\", { when = \"time >= 4 h\", then = \"fail\" }]\n")) +
               after,
           {"E P050 4.2 V", "E P062 voltage > 4 V"}},
      },
      lfp);
}

TEST(Proof, AMissingSensorHidesNothingElse) {
  Launch launch = roomy_launch();
  launch.initial_soc = base::kAbsent;
  expect_all(
      {{step("rest = {}", "\"soc >= 80 %\", \"power > 1 W\", " + kHour), {"E P056 soc >= 80 %", "E P045 power > 1 W"}}},
      launch);
}

TEST(Proof, SafetyLooserThanTheCell) {
  const std::string rest = step("rest = {}", kHour);
  // Trips of the bench's cell: 4.25 V, 5.25 A in, 10.5 A out, -20 to 60 degC.
  expect_all({
      {"[safety]\npower = { max = \"44.7 W\" }\n" + rest, {"E P060 44.7 W"}},
      {"[safety]\npower = { max = \"44.6 W\" }\n" + rest, {}},
      {"[safety]\npower = { max = \"22.4 W\", min = \"-44.6 W\" }\n" + rest, {"E P060 22.4 W"}},
      {"[safety]\npower = { max = \"22.3 W\", min = \"-44.6 W\" }\n" + rest, {}},
      {"[safety]\npower = { max = \"22.3 W\", min = \"-44.7 W\" }\n" + rest, {"E P060 -44.7 W"}},
      {"[safety]\nchamber = { max = \"60.1 degC\" }\n" + rest, {"E P060 60.1 degC"}},
      {"[safety]\nchamber = { min = \"-20 degC\", max = \"60 degC\" }\n" + rest, {}},
      {"[safety]\nchamber = { min = \"-20.1 degC\" }\n" + rest, {"E P060 -20.1 degC"}},
      {"[safety]\ncapacity = { max = \"15 Ah\" }\n" + rest, {}},
      {"[safety]\ncapacity = { max = \"15.1 Ah\" }\n" + rest, {"W P066 15.1 Ah"}},
      {"[safety]\ncapacity = { max = \"15.1 Ah\" }\n" + rest +
           "[[step]]\npulse = { pulses = [{ current = \"1 A\", time = \"10 s\" }] }\n",
       {}},
      {rest, {}},  // without a box the cell's trips hold
  });
}

TEST(Proof, RecordsFasterThanTheSamples) {
  Launch launch = roomy_launch();  // scan 100 ms
  const auto every = [](const std::string& time) {
    return "[record]\nevery = \"" + time + "\"\n" + step("rest = {}", kHour);
  };
  expect_all({{every("99 ms"), {"W P063 99 ms"}},
              {every("100 ms"), {}},
              {every("101 ms"), {}},
              {every("0 s"), {}},
              {step("rest = {}", kHour, "record = { every = \"10 ms\" }\n"), {"W P063 10 ms"}}},
             launch);
  launch.simulated = true;
  expect_all({{every("99 ms"), {}}}, launch);
  launch.cycler.min_scan = base::seconds(1);
  expect_all({{every("999 ms"), {"W P063 999 ms"}}, {every("1 s"), {}}, {every("1001 ms"), {}}}, launch);
  EXPECT_THAT(compile_body(every("0.5 s"), launch).find("P063")->message,
              HasSubstr("the cycler has a new reading only every 1 s"));
}

TEST(Proof, ResultsThatMayNotExistYet) {
  const std::string check = step("discharge = { current = \"1 A\" }", kHour, "name = \"check\"\n");
  const std::string skipped = "[[step]]\nname = \"check\"\nwhen = \"soc > 50 %\"\ndischarge = { current = \"1 A\" }\n" +
                              std::string("until = \"time >= 1 h\"\n");
  const auto use = [](const std::string& what) {
    return "[[step]]\ncharge = { current = \"" + what + "\" }\nuntil = \"time >= 1 h\"\n";
  };
  const std::string abs_end = "abs(check.end_current)";
  expect_all({
      {check + use(abs_end), {}},
      {use(abs_end) + check, {"E P049 check.end_current"}},
      {skipped + use(abs_end), {"E P049 check.end_current"}},
      // Jumped over.
      {step("rest = {}", "{ when = \"voltage > 4 V\", then = \"goto b\" }, \"time >= 1 s\"") + check +
           "[[step]]\nname = \"b\"\ncharge = { current = \"" + abs_end + "\" }\nuntil = \"time >= 1 h\"\n",
       {"E P049 check.end_current"}},
      // Made in a loop that may have no pass, or be left before.
      {repeat("count = \"1 + cycle\"",
              "[[step.steps]]\nname = \"check\"\ndischarge = { current = \"1 A\" }\nuntil = "
              "\"time >= 1 s\"\n") +
           use(abs_end),
       {"E P049 check.end_current"}},
      {repeat("count = 2",
              in("rest = {}", "until = [\"time >= 1 s\", { when = \"voltage > 4 V\", then = \"break\" }]\n") +
                  "[[step.steps]]\nname = \"check\"\ndischarge = { current = \"1 A\" }\nuntil = \"time >= 1 "
                  "s\"\n") +
           use(abs_end),
       {"E P049 check.end_current"}},
      {repeat("count = 2",
              "[[step.steps]]\nname = \"check\"\ndischarge = { current = \"1 A\" }\nuntil = \"time >= 1 "
              "s\"\n") +
           use("abs(check.end_current[2])"),
       {}},
      {repeat("count = 2",
              "[[step.steps]]\nname = \"check\"\ndischarge = { current = \"1 A\" }\nuntil = \"time >= 1 "
              "s\"\n") +
           use("abs(check.end_current[3])"),
       {"E P049 check.end_current[3]"}},
      // Of itself, the first time.
      {"[[step]]\nname = \"check\"\ndischarge = { current = \"abs(check.end_current)\" }\nuntil = \"time >= 1 h\"\n",
       {"E P049 check.end_current"}},
      // A block that a goto leaves has no result.
      {repeat("count = 2",
              in("rest = {}", "until = [\"time >= 1 s\", { when = \"voltage > 4 V\", then = \"goto b\" }]\n")) +
           "[[step]]\nname = \"b\"\nrest = {}\nuntil = [\"time >= loop.duration\", \"time >= 10 d\"]\n",
       {"W P049 loop.duration"}},
  });
}

}  // namespace
}  // namespace cyclerd::profiles::test
