// What a profile becomes: steps, set-points, conditions, limits, envelope, estimate.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/evaluate.hpp"
#include "tests/unit/profiles/language/bench.hpp"

namespace cyclerd::profiles::test {
namespace {

double constant(const Program& program, ExpressionRef ref) {
  EXPECT_EQ(ref.count, 1U);
  return ref.count == 1 ? program.code[ref.first].value : base::kAbsent;
}

std::vector<std::string> types(const Program& program) {
  std::vector<std::string> words;
  for (const Step& step : program.steps) words.emplace_back(program.text(step.type));
  return words;
}

TEST(CompiledProgram, EveryStepKindHasItsTypeWord) {
  const auto c = compile_body(R"(
[[step]]
charge = { current = "1 C" }
until = ["voltage >= 4.2 V", "time >= 2 h"]
[[step]]
charge = { current = "1 C", voltage = "4.2 V" }
until = ["abs(current) <= 0.05 C", "time >= 2 h"]
[[step]]
charge = { power = "5 W" }
until = "time >= 1 min"
[[step]]
discharge = { current = "1 C" }
until = ["voltage <= 2.8 V", "time >= 2 h"]
[[step]]
discharge = { current = "1 C", voltage = "2.8 V" }
until = ["abs(current) <= 0.05 C", "time >= 2 h"]
[[step]]
discharge = { power = "5 W" }
until = "time >= 1 min"
[[step]]
discharge = { resistance = "2 Ohm" }
until = "time >= 1 min"
[[step]]
hold = { voltage = "4 V", current = "1 A" }
until = "time >= 1 min"
[[step]]
rest = {}
until = "time >= 1 min"
[[step]]
follow = { waveform = "us06.csv" }
[[step]]
chamber = { temperature = "25 degC" }
[[step]]
operator = { message = "look" }
[[step]]
advance_cycle = {}
)");
  ASSERT_TRUE(c.program) << c.diagnostics.render();
  EXPECT_THAT(types(*c.program),
              testing::ElementsAre("CC_CHG", "CCCV_CHG", "CP_CHG", "CC_DCH", "CCCV_DCH", "CP_DCH", "CR_DCH", "CV",
                                   "REST", "FOLLOW", "CHAMBER", "OPERATOR", "CYCLE", "END"));
  EXPECT_EQ(malformed(*c.program), nullptr);
  EXPECT_EQ(c.program->text(c.program->steps[11].message), "look");
  EXPECT_TRUE(c.diagnostics.all().empty()) << c.diagnostics.render();
}

TEST(CompiledProgram, SetpointsAreSiAndUnsigned) {
  const auto c = compile_body(R"([[step]]
name = "x"
charge = { current = "C/2", voltage = "4100 mV" }
until = { when = "abs(current) <= 50 mA", for = "500 ms", then = "end", reason = "full" }
[[step]]
name = "y"
rest = {}
until = "time >= 1 s"
)");
  // `end` alone makes y unreachable.
  EXPECT_THAT(c.codes(), testing::ElementsAre("P042"));
  const auto d = compile_body(R"([[step]]
name = "x"
discharge = { current = "C/2", voltage = "3000 mV" }
until = [{ when = "abs(current) <= 50 mA", for = "500 ms", reason = "empty" }, "time >= 3 h"]
)");
  ASSERT_TRUE(d.program) << d.diagnostics.render();
  const Program& p = *d.program;
  EXPECT_DOUBLE_EQ(constant(p, p.steps[0].current), 2.5);
  EXPECT_DOUBLE_EQ(constant(p, p.steps[0].voltage), 3.0);
  EXPECT_EQ(p.steps[0].sign, -1);
  ASSERT_EQ(p.steps[0].condition_count, 2U);
  EXPECT_EQ(p.conditions[0].dwell, base::milliseconds(500));
  EXPECT_EQ(p.text(p.conditions[0].text), "abs(current) <= 50 mA");
  EXPECT_EQ(p.text(p.conditions[0].reason), "empty");
  EXPECT_EQ(p.text(p.steps[0].name), "x");
}

TEST(CompiledProgram, NestedRepeatsPointAtEachOther) {
  const auto c = compile_body(R"([[step]]
name = "outer"
repeat = { count = 3 }
  [[step.steps]]
  repeat = { count = 2, until = "soc < 10 %" }
    [[step.steps.steps]]
    rest = {}
    until = ["time >= 1 s", { when = "voltage < 2.7 V", then = "break" }]
  [[step.steps]]
  advance_cycle = {}
)");
  ASSERT_TRUE(c.program) << c.diagnostics.render();
  const auto& s = c.program->steps;
  EXPECT_THAT(types(*c.program), testing::ElementsAre("LOOP", "LOOP", "REST", "LOOP_END", "CYCLE", "LOOP_END", "END"));
  EXPECT_EQ(s[0].peer, 5U);
  EXPECT_EQ(s[5].peer, 0U);
  EXPECT_EQ(s[1].peer, 3U);
  EXPECT_EQ(s[1].parent, 0U);
  EXPECT_EQ(s[2].parent, 1U);
  EXPECT_EQ(s[0].parent, kNoStep);
  EXPECT_EQ(s[1].condition_count, 1U);
  EXPECT_EQ(malformed(*c.program), nullptr);
  EXPECT_EQ(c.program->worst_case_duration, base::seconds(6));
}

TEST(CompiledProgram, GotoFindsItsStepForwardAndBackward) {
  const auto c = compile_body(R"([[step]]
name = "a"
rest = {}
until = [{ when = "voltage > 4 V", then = "goto c" }, "time >= 1 s"]
[[step]]
name = "b"
rest = {}
until = [{ when = "voltage < 3 V", then = "goto a" }, "time >= 1 s"]
[[step]]
name = "c"
rest = {}
until = "time >= 1 s"
)");
  ASSERT_TRUE(c.program) << c.diagnostics.render();
  EXPECT_EQ(c.program->conditions[0].then, Then::go_to);
  EXPECT_EQ(c.program->conditions[0].target, 2U);
  EXPECT_EQ(c.program->conditions[2].target, 0U);
  EXPECT_EQ(c.program->worst_case_duration.us, 0) << "a jump back has no bound";
}

TEST(CompiledProgram, ParametersBindAtLaunch) {
  const std::string text = kHead + R"([parameters]
rate = { default = "0.5 C", min = "0.1 C", max = "1 C" }
hours = { default = "2 h" }
[[step]]
charge = { current = "rate", voltage = "4.2 V" }
until = ["abs(current) <= 50 mA", "time >= hours"]
)";
  Launch launch = roomy_launch();
  auto c = compile(text, launch);
  ASSERT_TRUE(c.program) << c.diagnostics.render();
  EXPECT_DOUBLE_EQ(constant(*c.program, c.program->steps[0].current), 2.5);
  launch.parameters = {{"rate", "C/4"}, {"hours", "30 min"}};
  c = compile(text, launch);
  ASSERT_TRUE(c.program) << c.diagnostics.render();
  EXPECT_DOUBLE_EQ(constant(*c.program, c.program->steps[0].current), 1.25);
  EXPECT_EQ(c.program->worst_case_duration, base::seconds(1800));
  launch.parameters = {{"rate", "4 A"}};  // a current where the default is a C-rate: the same thing
  c = compile(text, launch);
  ASSERT_TRUE(c.program) << c.diagnostics.render();
  EXPECT_DOUBLE_EQ(constant(*c.program, c.program->steps[0].current), 4.0);
}

TEST(CompiledProgram, EnvelopeIsTheTightestOfAll) {
  const std::string rest = "[[step]]\nrest = {}\nuntil = \"time >= 1 s\"\n";
  Launch launch = roomy_launch();
  auto c = compile_body(rest, launch);
  ASSERT_TRUE(c.program);
  // The clamp stands 10 mV outside the rating so that a limit at the rating can be reached.
  EXPECT_NEAR(c.program->envelope.voltage_max_V, 4.21, 1e-12);
  EXPECT_NEAR(c.program->envelope.voltage_min_V, 2.49, 1e-12);
  EXPECT_DOUBLE_EQ(c.program->envelope.current_max_A, 5.0);
  EXPECT_DOUBLE_EQ(c.program->envelope.current_min_A, -10.0);
  launch.cycler.current_min_A = -3.0;
  launch.station.current.max = 2.0;
  c = compile_body("[safety]\nvoltage = { min = \"2.8 V\", max = \"4.1 V\" }\n" + rest, launch);
  ASSERT_TRUE(c.program) << c.diagnostics.render();
  EXPECT_DOUBLE_EQ(c.program->envelope.current_max_A, 2.0);
  EXPECT_DOUBLE_EQ(c.program->envelope.current_min_A, -3.0);
  EXPECT_DOUBLE_EQ(c.program->envelope.voltage_max_V, 4.1) << "never beyond the trip";
  EXPECT_DOUBLE_EQ(c.program->envelope.voltage_min_V, 2.8);
}

TEST(CompiledProgram, SafetyIsTheTightestOfCellStationAndProfile) {
  Launch launch = roomy_launch();
  launch.station.voltage.max = 5.0;
  launch.station.temperature.max = 50.0;
  const auto c = compile_body(R"([safety]
voltage = { max = "4.22 V", for = "100 ms" }
current = { max = "1.2 C" }
temperature = { max = "55 degC", for = "2 s" }
capacity = { max = "1.3 * nominal_capacity" }
sensor_loss = { after = "2 s" }
[[step]]
rest = {}
until = "time >= 1 s"
)",
                              launch);
  ASSERT_TRUE(c.program) << c.diagnostics.render();
  const SafetyLimits& s = c.program->safety;
  EXPECT_DOUBLE_EQ(s.voltage.max, 4.22);
  EXPECT_DOUBLE_EQ(s.voltage.min, 2.45);
  EXPECT_DOUBLE_EQ(s.current.max, 5.25) << "the cell's trip, tighter than 1.2 C";
  EXPECT_DOUBLE_EQ(s.current.min, -6.0) << "max alone limits both directions";
  EXPECT_DOUBLE_EQ(s.temperature.max, 50.0);
  EXPECT_DOUBLE_EQ(s.capacity.max, 23400.0);
  EXPECT_EQ(s.sensor_loss, base::seconds(2));
}

TEST(CompiledProgram, RecordRulesInheritKeyByKey) {
  const auto c = compile_body(R"([record]
every = "10 s"
voltage = "5 mV"
current = "1 %"
pretrigger = "2 s"
[[step]]
rest = {}
until = "time >= 1 s"
record = { every = "1 s" }
[[step]]
rest = {}
until = "time >= 1 s"
)");
  ASSERT_TRUE(c.program) << c.diagnostics.render();
  const RecordRule& own = c.program->records[c.program->steps[0].record];
  const RecordRule& all = c.program->records[c.program->steps[1].record];
  EXPECT_EQ(own.every, base::seconds(1));
  EXPECT_EQ(all.every, base::seconds(10));
  EXPECT_DOUBLE_EQ(own.voltage_V, 0.005);
  EXPECT_DOUBLE_EQ(own.current_A, 0.05) << "1 % of the 1C current of 5 A";
  EXPECT_EQ(own.pretrigger, base::seconds(2));
}

TEST(CompiledProgram, SoftwareCvOnlyWhereTheDeviceCannotChangeOver) {
  Launch launch = roomy_launch();
  const std::string body = "[[step]]\ncharge = { current = \"1 A\", voltage = \"4.2 V\" }\nuntil = \"time >= 1 s\"\n";
  EXPECT_EQ(compile_body(body, launch).program->steps[0].software_cv, 0);
  launch.cycler.native_cv = 0;
  EXPECT_EQ(compile_body(body, launch).program->steps[0].software_cv, 1);
}

TEST(CompiledProgram, WaveformPlaysFasterAndCRatesBecomeAmperes) {
  const auto c =
      compile_body("[[step]]\nfollow = { waveform = \"us06.csv\", speed = 8, repeat = 2, resample = \"linear\" }\n");
  ASSERT_TRUE(c.program) << c.diagnostics.render();
  const Waveform& w = c.program->waveforms.at(0);
  EXPECT_EQ(w.time_us.back(), 75'000'000);
  EXPECT_EQ(w.time_us[1], 125'000);
  EXPECT_EQ(w.resample, Resample::linear);
  EXPECT_EQ(c.program->worst_case_duration, base::seconds(150));
}

TEST(CompiledProgram, ChamberAndSoak) {
  const auto c = compile_body(R"([[step]]
chamber = { temperature = "25 degC", ramp = "2 K/min", soak = { within = "1 K", for = "30 min" } }
until = { when = "time >= 3 h", then = "fail" }
[[step]]
rest = {}
temperature = "40 degC"
until = "time >= 1 s"
)");
  ASSERT_TRUE(c.program) << c.diagnostics.render();
  const Step& s = c.program->steps[0];
  EXPECT_DOUBLE_EQ(constant(*c.program, s.chamber), 25.0);
  EXPECT_NEAR(constant(*c.program, s.chamber_ramp), 2.0 / 60.0, 1e-15);
  EXPECT_DOUBLE_EQ(constant(*c.program, s.soak_within), 1.0);
  EXPECT_EQ(s.soak_for, base::seconds(1800));
  EXPECT_DOUBLE_EQ(constant(*c.program, c.program->steps[1].chamber), 40.0);
}

TEST(CompiledProgram, EditorsCheckNeedsNoLaunch) {
  text::Diagnostics diagnostics;
  check_profile(source_of(kHead + "[[step]]\ncharge = { current = \"1 C\", voltage = \"4.2 V\" }\n"
                                  "until = [\"abs(current) <= 0.05 C\", \"time >= 2 h\"]\n"),
                diagnostics);
  EXPECT_TRUE(diagnostics.all().empty()) << diagnostics.render();
  check_profile(source_of(kHead + "[[step]]\nrest = {}\n"), diagnostics);
  EXPECT_EQ(diagnostics.error_count(), 1U);
}

}  // namespace
}  // namespace cyclerd::profiles::test
