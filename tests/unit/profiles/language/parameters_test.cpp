// Ratings of the cell in expressions, and parameters made of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/expression.hpp"
#include "tests/unit/profiles/language/bench.hpp"

namespace cyclerd::profiles::test {
namespace {

const std::string kCharge = R"toml([[step]]
name = "charge"
charge = { current = "rate", voltage = "level" }
until = ["abs(current) <= 0.05 C", { when = "time >= 4 h", then = "fail" }]
)toml";
const std::string kOnRatings = kHead + R"toml([parameters]
level = { default = "cell.voltage_max", min = "cell.voltage_min", max = "cell.voltage_max" }
rate  = { default = "min(1 C, cell.charge_current_max)", min = "C/50", max = "cell.charge_current_max" }
)toml" + kCharge;

Launch lfp_launch() {
  Launch launch = roomy_launch();
  launch.cell.chemistry = "lfp-graphite";
  launch.cell.nominal_capacity_C = 2.3 * 3600.0;
  launch.cell.voltage_max_V = 3.6;
  launch.cell.voltage_min_V = 2.0;
  launch.cell.charge_current_max_A = 10.0;
  return launch;
}

double constant(const Program& program, ExpressionRef ref) {
  EXPECT_EQ(ref.count, 1U) << "a rating is a constant, nothing for the executor to look up";
  EXPECT_EQ(program.code[ref.first].op, Op::constant);
  return program.code[ref.first].value;
}

TEST(Ratings, AreThoseOfTheLaunchsCell) {
  const Compiled nmc = compile(kOnRatings);
  ASSERT_TRUE(nmc.program) << nmc.diagnostics.render();
  EXPECT_DOUBLE_EQ(constant(*nmc.program, nmc.program->steps[0].voltage), 4.2);
  EXPECT_DOUBLE_EQ(constant(*nmc.program, nmc.program->steps[0].current), 5.0);
  const Compiled lfp = compile(kOnRatings, lfp_launch());
  ASSERT_TRUE(lfp.program) << lfp.diagnostics.render();
  EXPECT_DOUBLE_EQ(constant(*lfp.program, lfp.program->steps[0].voltage), 3.6);
  EXPECT_DOUBLE_EQ(constant(*lfp.program, lfp.program->steps[0].current), 2.3) << "1 C is below the rating";
  EXPECT_EQ(nmc.program->canonical_sha256, lfp.program->canonical_sha256) << nmc.program->canonical;
  EXPECT_NE(nmc.program->compiled_sha256, lfp.program->compiled_sha256);
}

TEST(Ratings, EachNameIsItsOwnRating) {
  CellSpec cell = lg_m50();
  cell.charge_temperature_min_degC = 1.0;
  cell.charge_temperature_max_degC = 2.0;
  cell.discharge_temperature_min_degC = 3.0;
  cell.discharge_temperature_max_degC = 4.0;
  const std::vector<std::pair<std::string, double>> wanted = {{"voltage_max", 4.2},
                                                              {"voltage_min", 2.5},
                                                              {"charge_current_max", 5.0},
                                                              {"discharge_current_max", 10.0},
                                                              {"charge_temperature_min", 1.0},
                                                              {"charge_temperature_max", 2.0},
                                                              {"discharge_temperature_min", 3.0},
                                                              {"discharge_temperature_max", 4.0}};
  ASSERT_EQ(rating_names().size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(rating_names()[i].name, wanted[i].first);
    EXPECT_DOUBLE_EQ(cell.*rating_names()[i].value, wanted[i].second);
  }
}

TEST(Ratings, StandWhereverAConstantStands) {
  const Compiled c = compile_body(R"toml([safety]
voltage = { max = "cell.voltage_max + 30 mV" }
[record]
every = "10 s"
voltage = "(cell.voltage_max - cell.voltage_min) / 1000"
[[step]]
set = { level = "cell.voltage_max - 0.1 V" }
[[step]]
name = "loop"
repeat = { count = "cell.discharge_current_max / cell.charge_current_max" }
  [[step.steps]]
  charge = { current = "C/2", voltage = "level" }
  until = ["temperature > cell.charge_temperature_max - 1 K", "abs(current) < 0.05 C", "time >= 1 h * (cell.charge_current_max / 5 A)"]
)toml");
  ASSERT_TRUE(c.program) << c.diagnostics.render();
  EXPECT_DOUBLE_EQ(c.program->safety.voltage.max, 4.23);
  EXPECT_DOUBLE_EQ(c.program->records[c.program->steps[0].record].voltage_V, 1.7e-3);
  EXPECT_DOUBLE_EQ(constant(*c.program, c.program->steps[1].count), 2.0);
  EXPECT_EQ(c.program->worst_case_duration.us, base::hours(2).us);
}

TEST(Ratings, AreUnknownWithoutACellAndNothingIsSaidOfThem) {
  for (const std::string& text : {kOnRatings, kHead + R"toml([safety]
voltage = { min = "cell.voltage_min - 20 mV", max = "cell.voltage_max + 20 mV", for = "1 s * (cell.voltage_max / 4 V)" }
[record]
every = "10 s * (cell.voltage_max / 4 V)"
[procedure.fill]
parameters = { level = { default = "cell.voltage_max", max = "cell.voltage_max" }, rate = { default = "C/3" } }
[[procedure.fill.step]]
charge = { current = "rate", voltage = "level" }
until = ["abs(current) <= rate / 20", "time >= 20 h * (rate / 1 A)"]
[[step]]
repeat = { count = "cell.charge_current_max / 1 A" }
  [[step.steps]]
  call = { procedure = "fill", level = "cell.voltage_max - 0.1 V", rate = "C/2" }
[[step]]
pulse = { pulses = [{ current = "-cell.discharge_current_max", time = "10 s * (cell.voltage_max / 4 V)" }] }
until = ["voltage <= cell.voltage_min"]
[[step]]
chamber = { temperature = "cell.charge_temperature_max - 5 K", soak = { within = "1 K", for = "10 min" } }
until = { when = "time >= 3 h", then = "fail" }
)toml"}) {
    text::Diagnostics diagnostics;
    check_profile(source_of(text), diagnostics);
    EXPECT_TRUE(diagnostics.all().empty()) << diagnostics.render();
    const Compiled c = compile(text);
    EXPECT_TRUE(c.program) << c.diagnostics.render();
  }
}

TEST(Parameters, ABoundThatIsARatingIsNamedWithItsValue) {
  Launch launch = roomy_launch();
  const auto set = [&](const char* name, const char* value) {
    launch.parameters = {{name, value}};
    return compile(kOnRatings, launch);
  };
  EXPECT_TRUE(set("level", "4.199 V").program);
  EXPECT_TRUE(set("level", "4.2 V").program);
  const Compiled above = set("level", "4.201 V");
  ASSERT_TRUE(above.find("P070"));
  EXPECT_THAT(above.find("P070")->message, testing::HasSubstr("4.201 V, above its max cell.voltage_max = 4.2 V"));
  EXPECT_EQ(above.find("P070")->help, "choose a value from 2.5 V to 4.2 V");
  // C-rates and currents in A hold each other.
  EXPECT_TRUE(set("rate", "0.99 C").program);
  EXPECT_TRUE(set("rate", "1 C").program);
  EXPECT_TRUE(set("rate", "1.01 C").find("P070"));
  EXPECT_FALSE(set("rate", "0.1 A").find("P070")) << "C/50";
  EXPECT_TRUE(set("rate", "0.0999 A").find("P070"));
}

TEST(Parameters, ACRateWithABoundInAmperes) {
  const std::string text =
      kHead + "[parameters]\nlevel = { default = \"4 V\" }\nrate = { default = \"1 C\", max = \"3 * 2.3 A\" }\n" +
      kCharge;
  Launch launch = lfp_launch();
  for (const auto& [typed, fits] :
       {std::pair{"2.99 C", true}, {"3 C", true}, {"6.9 A", true}, {"3.01 C", false}, {"6.91 A", false}}) {
    launch.cell.voltage_max_V = 4.2;
    launch.parameters = {{"rate", typed}};
    const Compiled c = compile(text, launch);
    EXPECT_EQ(c.program != nullptr, fits) << typed << c.diagnostics.render();
    EXPECT_EQ(c.find("P070") == nullptr, fits) << typed;
  }
}

TEST(Parameters, ADefaultThatIsACRateFollowsTheMeasuredCapacityAndAnExpressionDoesNot) {
  const auto current_of = [](const std::string& value) {
    const Compiled c = compile_body("[parameters]\nrate = { default = \"" + value + R"toml(" }
[[step]]
set = { measured_capacity = "4 Ah" }
[[step]]
capacity = "measured"
charge = { current = "rate" }
until = "time >= 1 h"
)toml");
    EXPECT_TRUE(c.program) << c.diagnostics.render();
    return c.program ? c.program->steps[1].current.count : 0;
  };
  EXPECT_EQ(current_of("0.5 C"), 3U) << "times the measured capacity, in the test";
  EXPECT_EQ(current_of("min(0.5 C, cell.charge_current_max)"), 1U);
}

TEST(Parameters, AProceduresDefaultsAreMadeOnTheLaunchsCell) {
  const std::string text = kHead + "[[step]]\nname = \"check\"\ncall = { procedure = \"capacity_check\" }\n";
  for (const Launch& launch : {roomy_launch(), lfp_launch()}) {
    const Compiled c = compile(text, launch);
    ASSERT_TRUE(c.program) << c.diagnostics.render();
    EXPECT_DOUBLE_EQ(constant(*c.program, c.program->steps[1].voltage), launch.cell.voltage_max_V);
  }
  const Compiled beyond =
      compile(kHead + "[[step]]\ncall = { procedure = \"capacity_check\", charge_voltage = \"4.21 V\" }\n");
  ASSERT_TRUE(beyond.find("P070"));
  EXPECT_EQ(marked(*beyond.find("P070")), "4.21 V");
}

TEST(Canonical, DefaultsThatDependOnTheCellStayExpressions) {
  const Compiled c = compile(kOnRatings);
  ASSERT_TRUE(c.program);
  EXPECT_THAT(c.program->canonical,
              testing::HasSubstr("rate = { default = \"min(1 C, cell.charge_current_max)\", min = \"0.02 C\", max = "
                                 "\"cell.charge_current_max\" }"));
  const Compiled again = compile(c.program->canonical);
  ASSERT_TRUE(again.program) << again.diagnostics.render();
  EXPECT_EQ(again.program->compiled_sha256, c.program->compiled_sha256);
}

}  // namespace
}  // namespace cyclerd::profiles::test
