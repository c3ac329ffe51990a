// The sentences of profiles/README.md, "Semantics", that two people must read alike: each is a test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/profiles/language/run_text.hpp"

namespace cyclerd::profiles::test {
namespace {

using cyclerd::test::Bench;

Bench run_text(const std::string& body, const Launch& launch = roomy_launch()) {
  Bench bench(program_of(body, launch));
  bench.run();
  return bench;
}

TEST(Semantics, TheFirstConditionThatFiresWinsAndIsNamed) {
  const Bench bench = run_text(R"(
[[step]]
name = "r"
rest = {}
until = [{ when = "voltage > 3.5 V", for = "1 s", reason = "third" }, { when = "time >= 1 s", reason = "second" }, { when = "temperature > 10 degC", for = "500 ms", then = "end", reason = "first" }]
)");
  // Half a second after the first sample of the step only the last condition holds long enough.
  EXPECT_EQ(bench.summary("r").reason_text.view(), "temperature > 10 degC: first");
  const Bench both = run_text(R"(
[[step]]
name = "r"
rest = {}
until = [{ when = "time >= 1 s", reason = "upper" }, { when = "test_time >= 1 s", reason = "lower" }]
)");
  EXPECT_EQ(both.summary("r").reason_text.view(), "time >= 1 s: upper");
}

TEST(Semantics, AReasonIsKeptWholeAndALongConditionIsCutForIt) {
  const Bench bench = run_text(R"(
[[step]]
name = "fits"
rest = {}
until = { when = "time >= 1 s and test_time >= 0.5 s and voltage > 0.001 V and time < 999 s", reason = "123" }

[[step]]
name = "cut"
rest = {}
until = { when = "time >= 1 s and test_time >= 0.5 s and voltage > 0.001 V and time < 999 s", reason = "1234" }

[[step]]
name = "both"
rest = {}
until = { when = "time >= 1 s and test_time >= 0.5 s", reason = "a reason of very many words, more of them than the record has room for" }
)");
  EXPECT_EQ(bench.summary("fits").reason_text.view(),
            "time >= 1 s and test_time >= 0.5 s and voltage > 0.001 V and time < 999 s: 123");
  EXPECT_EQ(bench.summary("cut").reason_text.view(),
            "time >= 1 s and test_time >= 0.5 s and voltage > 0.001 V and time < 9...: 1234");
  EXPECT_EQ(bench.summary("both").reason_text.view(),
            "time >= 1 s and t...: a reason of very many words, more of them than the recor");
}

TEST(Semantics, ALimitTrueAtTheStartEndsTheStepAtItsFirstSample) {
  const Bench bench = run_text(
      "[[step]]\nname = \"c\"\ncharge = { current = \"1 C\" }\nuntil = [\"voltage >= 3.5 V\", \"time >= 1 h\"]\n");
  EXPECT_EQ(bench.summary("c").duration_us, 100'000) << "one scan";
  EXPECT_EQ(bench.setpoints.size(), 2u) << "its current was sent, and rest after it";
}

TEST(Semantics, DwellStartsAtTheFirstSampleThatHoldsAndIsResetByOneThatDoesNot) {
  Bench bench(
      program_of("[[step]]\nname = \"r\"\nrest = {}\nuntil = [{ when = \"voltage > 4 V\", for = \"300 ms\" }, \"time "
                 ">= 1 min\"]\n"));
  const auto feed = [&](int scan, double voltage_V, std::uint32_t flags) {
    base::Sample sample;
    sample.time = base::MonoTime{1'000'000 + 100'000 * scan};
    sample.voltage_V = voltage_V;
    sample.current_A = 0.0;
    sample.flags = flags;
    bench.feed(sample);
  };
  int scan = 0;
  for (const double v : {3.9, 4.1, 4.1, 4.1, 3.9, 4.1}) feed(scan++, v, 0);  // 200 ms, then a sample that does not hold
  feed(scan++, 0.0, base::flag::kInvalid);                                   // leaves the clock alone
  feed(scan++, 0.0, base::flag::kSettling);
  EXPECT_TRUE(bench.steps.empty());
  feed(scan++, 4.1, 0);  // 300 ms after the one at 500 ms
  ASSERT_EQ(bench.steps.size(), 1u);
  EXPECT_EQ(bench.summary("r").duration_us, 800'000);
}

TEST(Semantics, PauseAndTheClocks) {
  // Two seconds, a pause of ten, and on: each condition is looked at in a run of its own.
  const auto ends_at = [](const std::string& until, const std::string& step = "rest = {}") {
    Bench bench(program_of("[[step]]\nset = { mark = \"m\" }\n[[step]]\nname = \"r\"\n" + step + "\nuntil = [" + until +
                           "\"time >= 1 min\"]\n"));
    bench.run(21);
    bench.scan(Request::pause);
    bench.run(99);
    bench.scan(Request::resume);
    bench.run();
    return bench.seconds();
  };
  // Scans 0 to 20, the pause at 2.1 s, the resume at 12.1 s.
  EXPECT_NEAR(ends_at("\"time >= 5 s\", "), 15.0, 1e-9) << "time stands";
  EXPECT_NEAR(ends_at("\"test_time >= 12.3 s\", "), 12.3, 1e-9) << "test_time goes on";
  EXPECT_NEAR(ends_at("\"m.duration >= 12.3 s\", "), 12.3, 1e-9) << "a mark's duration goes on";
  EXPECT_NEAR(ends_at("{ when = \"voltage > 1 V\", for = \"3 s\" }, "), 12.2 + 3.0, 1e-9) << "dwell begins anew";
  EXPECT_NEAR(ends_at("\"avg(voltage, 3 s) > 1 V\", "), 12.2 + 3.0, 0.101) << "windows begin anew";
  EXPECT_NEAR(ends_at("", "follow = { waveform = \"us06.csv\", speed = 120, scale = 0.1 }"), 5.0 + 10.0, 0.101)
      << "600 s at 120 times the speed: the waveform stands";
  EXPECT_NEAR(ends_at("\"step_capacity >= 25 As\", ", "discharge = { current = \"1 C\" }"), 15.1, 0.21)
      << "5 s of 5 A: capacity stands but for what flows";
}

TEST(Semantics, SocCountsFromTheLaunchOverTheNominalCapacity) {
  Launch launch = roomy_launch();
  launch.initial_soc = 0.5;
  const std::string body = R"(
[[step]]
name = "d"
discharge = { current = "1 C" }
until = ["soc <= 49 %", "time >= 1 h"]
[[step]]
advance_cycle = {}
[[step]]
set = { measured_capacity = "1 Ah" }
[[step]]
name = "c"
charge = { current = "1 C" }
until = ["soc >= 50 %", "time >= 1 h"]
)";
  const Bench bench = run_text(body, launch);
  // 1 % of 18000 A s is 180 A s: 36 s at 5 A. No cycle, no measured capacity changes it.
  EXPECT_NEAR(seconds_of(bench.summary("d").duration_us), 36.1, 0.11);
  EXPECT_NEAR(seconds_of(bench.summary("c").duration_us), 36.0, 0.21);
  launch.initial_soc = base::kAbsent;
  const Compiled unknown = compile_body(body, launch);
  EXPECT_NE(unknown.find("P056"), nullptr) << unknown.diagnostics.render();
}

TEST(Semantics, CcToCvIsOneStepWithAndWithoutNativeCv) {
  const std::string body = R"(
[[step]]
name = "c"
charge = { current = "1 C", voltage = "3.9 V" }
until = ["abs(current) <= 0.1 C", { when = "time >= 3 h", then = "fail" }]
)";
  Launch software = roomy_launch();
  software.cycler.native_cv = 0;
  const auto run_on = [&](const Launch& launch) {
    Bench bench(program_of(body, launch));
    bench.cell.resistance_Ohm = 0.05;
    bench.run();
    return bench;
  };
  const Bench native = run_on(roomy_launch());
  const Bench by_software = run_on(software);
  EXPECT_EQ(native.setpoints.size(), 2u) << "one set-point with both values";
  EXPECT_GT(by_software.setpoints.size(), 100u);
  for (const Bench* bench : {&native, &by_software}) {
    EXPECT_EQ(bench->summary("c").reason_text.view(), "abs(current) <= 0.1 C");
    EXPECT_NEAR(bench->summary("c").end_voltage_V, 3.9, 1e-3);
    EXPECT_GT(bench->summary("c").cv_duration_us, 60'000'000);
  }
  EXPECT_NEAR(native.summary("c").throughput.charge_C, by_software.summary("c").throughput.charge_C, 5.0);
  EXPECT_NEAR(seconds_of(native.summary("c").duration_us), seconds_of(by_software.summary("c").duration_us), 10.0);
}

TEST(Semantics, WhatIsSkippedIsInTheRecord) {
  const Bench bench = run_text(R"(
[[step]]
name = "never"
when = "soc > 90 %"
rest = {}
until = "time >= 1 s"
[[step]]
name = "block"
when = "soc > 90 %"
repeat = { count = 2 }
  [[step.steps]]
  rest = {}
  until = "time >= 1 s"
[[step]]
name = "r"
rest = {}
until = "time >= 1 s"
)");
  ASSERT_THAT(bench.step_names(), testing::ElementsAre("never", "block", "r"));
  EXPECT_EQ(bench.steps[0].reason, EndReason::skipped);
  EXPECT_EQ(bench.steps[1].reason, EndReason::skipped);
  EXPECT_EQ(bench.steps[0].reason_text.view(),
            "its `when` is false");  // "skipped: " is put before it where it is shown
}

TEST(Mistakes, ACommaInANumberIsMetByTheDecimalPoint) {
  const auto help = [](const std::string& current) {
    const Compiled c = compile_body("[[step]]\ncharge = { current = \"" + current + "\" }\nuntil = \"time >= 1 h\"\n");
    return std::string(c.find("P020")->help);
  };
  EXPECT_EQ(help("0,5 A"), "write numbers with a decimal point");
  EXPECT_EQ(help("1 A, nominal_capacity"), "");  // no number behind it
}

TEST(Semantics, LoopsAndCallsNestSixtyFourDeep) {
  const auto nested = [](int depth) {
    std::string text = "name = \"r\", rest = {}, until = \"time >= 1 s\"";
    for (int i = 0; i < depth; ++i) text = "repeat = { count = 1 }, steps = [{ " + text + " }]";
    return program_of("step = [{ " + text + " }]\n");
  };
  Bench bench(nested(64));
  bench.run();
  EXPECT_EQ(bench.step_names().size(), 1u);
  expect_reproducible(bench);
}

}  // namespace
}  // namespace cyclerd::profiles::test
