#include "profiles/expression.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/evaluate.hpp"
#include "tests/unit/profiles/language/bench.hpp"

namespace cyclerd::profiles {
namespace {

using test::source_of;

struct Parsed {
  Expression expression;
  text::Diagnostics diagnostics;
};

Names parameters() {
  Names names;
  auto& list = names.parameters;
  list["rate"].type = type::kCurrent;
  list["rate"].c_rate = true;
  list["cycles"].type = type::kNumber;
  return names;
}

Parsed parse(const std::string& text) {
  Parsed result;
  static const auto list = parameters();
  const auto source = source_of("x = \"" + text + "\"");
  const auto root = text::parse_toml(source, result.diagnostics);
  if (root) result.expression = parse_expression(*root->find("x"), Scope{&list}, result.diagnostics);
  return result;
}

// Value with a 5 Ah cell at 4.0 V, -2 A, rate = 0.5 C, cycles = 10, folded or run by the executor's machine.
double value_of(const std::string& text) {
  const Parsed parsed = parse(text);
  EXPECT_TRUE(parsed.expression.ok()) << text << "\n" << parsed.diagnostics.render();
  if (!parsed.expression.ok()) return base::kAbsent;
  Binding binding;
  binding.nominal_capacity_C = 18000.0;
  binding.parameters->known = {{"rate", 2.5}, {"cycles", 10.0}};
  Program program;
  program.nominal_capacity_C = 18000.0;
  const ExpressionRef ref = emit(parsed.expression, binding, program.code);
  base::Sample sample;
  sample.voltage_V = 4.0;
  sample.current_A = -2.0;
  return evaluate(program, ref, ExecutorState{}, sample);
}

TEST(Expression, NumbersWithUnitsBecomeSi) {
  const std::vector<std::pair<std::string, double>> cases = {
      {"4.2 V", 4.2},     {"4200 mV", 4.2},   {"50mA", 0.05},        {"10 min", 600.0},       {"1.5 h", 5400.0},
      {"2.5 Ah", 9000.0}, {"80 %", 0.8},      {"80%", 0.8},          {"0.5 C", 2.5},          {"C/20", 0.25},
      {"C / 5", 1.0},     {"30 degC", 30.0},  {"1e-3 s", 0.001},     {"5 mV/min", 5e-3 / 60}, {"2 d", 172800.0},
      {"35 mA", 0.035},   {"9.7 mA", 0.0097}, {"1 A/h", 1.0 / 3600}, {"20 mOhm", 0.02},       {"3 Wh", 10800.0},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_DOUBLE_EQ(value_of(text), expected) << text;
  }
}

TEST(Expression, SpellingOfTheUnitLeavesNoTraceInTheNumber) {
  EXPECT_EQ(value_of("35 mA"), value_of("0.035 A"));
  EXPECT_EQ(value_of("9.7 mV"), value_of("0.0097 V"));
  EXPECT_EQ(value_of("90 min"), value_of("1.5 h"));
  EXPECT_EQ(value_of("C/20"), value_of("0.05 C"));
  EXPECT_EQ(value_of("250 mAh"), value_of("0.25 Ah"));
}

TEST(Expression, PrecedenceAndAssociativity) {
  EXPECT_DOUBLE_EQ(value_of("1 + 2 * 3"), 7.0);
  EXPECT_DOUBLE_EQ(value_of("(1 + 2) * 3"), 9.0);
  EXPECT_DOUBLE_EQ(value_of("10 - 4 - 3"), 3.0);
  EXPECT_DOUBLE_EQ(value_of("100 / 10 / 2"), 5.0);
  EXPECT_DOUBLE_EQ(value_of("-2 * -3"), 6.0);
  EXPECT_DOUBLE_EQ(value_of("1 < 2 and not 3 < 2 or 1 > 2"), 1.0);
  EXPECT_DOUBLE_EQ(value_of("not 1 < 2 or 1 < 2"), 1.0);
  EXPECT_DOUBLE_EQ(value_of("0.5 C/2"), 1.25);
  EXPECT_DOUBLE_EQ(value_of("4 A * 3 - 2 A"), 10.0);
}

TEST(Expression, Functions) {
  EXPECT_DOUBLE_EQ(value_of("abs(current)"), 2.0);
  EXPECT_DOUBLE_EQ(value_of("abs(-3)"), 3.0);
  EXPECT_DOUBLE_EQ(value_of("min(3, 2, 5)"), 2.0);
  EXPECT_DOUBLE_EQ(value_of("max(1 A, rate)"), 2.5);
  EXPECT_DOUBLE_EQ(value_of("mod(53, 50)"), 3.0);
  EXPECT_DOUBLE_EQ(value_of("mod(100, 50)"), 0.0);
}

TEST(Expression, LiveQuantitiesParametersAndComparisons) {
  EXPECT_DOUBLE_EQ(value_of("voltage >= 4 V"), 1.0);
  EXPECT_DOUBLE_EQ(value_of("voltage > 4 V"), 0.0);
  EXPECT_DOUBLE_EQ(value_of("current <= 0.05 C"), 1.0);
  EXPECT_DOUBLE_EQ(value_of("abs(current) <= 0.05 C"), 0.0);
  EXPECT_DOUBLE_EQ(value_of("voltage * current"), -8.0);
  EXPECT_DOUBLE_EQ(value_of("cycles == 10"), 1.0);
  EXPECT_DOUBLE_EQ(value_of("1.3 * nominal_capacity"), 23400.0);
}

TEST(Expression, ConstantsFoldToOneInstruction) {
  const Parsed parsed = parse("voltage >= 2 V * 2 + 0.1 V * 2");
  Binding binding;
  std::vector<Instruction> code;
  const auto ref = emit(parsed.expression, binding, code);
  ASSERT_EQ(ref.count, 3U);
  EXPECT_EQ(code[1].op, Op::constant);
  EXPECT_DOUBLE_EQ(code[1].value, 4.2);
}

struct Wrong {
  const char* text;
  const char* code;
  const char* marked;
};

class WrongExpression : public testing::TestWithParam<Wrong> {};

TEST_P(WrongExpression, IsReportedOnceAtItsPlace) {
  const Parsed parsed = parse(GetParam().text);
  EXPECT_FALSE(parsed.expression.ok());
  ASSERT_EQ(parsed.diagnostics.all().size(), 1U) << GetParam().text << "\n" << parsed.diagnostics.render();
  const auto& finding = parsed.diagnostics.all()[0];
  EXPECT_EQ(finding.code, GetParam().code) << finding.message;
  EXPECT_EQ(test::marked(finding), GetParam().marked) << parsed.diagnostics.render();
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongExpression,
    testing::Values(
        Wrong{"voltage >= 4.2 A", "P023", "4.2 A"}, Wrong{"voltage >= 4.2", "P023", "4.2"},
        Wrong{"voltage >= 4.2 X", "P021", "X"}, Wrong{"voltag >= 4.2 V", "P022", "voltag"},
        Wrong{"voltage + current > 1 V", "P023", "current"}, Wrong{"temperature > 25 K", "P023", "25 K"},
        Wrong{"temperature * 2 > 50 degC", "P023", "temperature"}, Wrong{"time > 5 and voltage > 4 V", "P023", "5"},
        Wrong{"voltage and time > 5 s", "P023", "voltage"}, Wrong{"not voltage", "P023", "voltage"},
        Wrong{"voltage >", "P020", "\""}, Wrong{"(voltage > 4 V", "P020", "\""}, Wrong{"voltage > 4 V)", "P020", ")"},
        Wrong{"voltage = 4 V", "P020", "="}, Wrong{"1 V < voltage < 4 V", "P020", "<"}, Wrong{"5 % 2", "P020", "2"},
        Wrong{"cycle % 5 == 0", "P020", "%"}, Wrong{"sin(2)", "P022", "sin"}, Wrong{"abs(1, 2)", "P020", "abs"},
        Wrong{"mod(1)", "P020", "mod"}, Wrong{"rate(voltage, 60 s) > 1 V", "P023", "1 V"},
        Wrong{"rate(voltag, 60 s) > 1 V/s", "P022", "voltag"}, Wrong{"avg(voltage) > 1 V", "P020", ")"},
        Wrong{"avg(voltage, 3 V) > 1 V", "P024", "3 V"}, Wrong{"aux.t1 > 25 degC", "P026", "aux"},
        Wrong{"check.capacity[0] > 1 Ah", "P020", "0"}, Wrong{"check.capacity[first > 1 Ah", "P020", ">"},
        Wrong{"check.capacity[2.5] > 1 Ah", "P020", "2.5"}, Wrong{"check.capacity[last] > 1 V", "P023", "1 V"},
        Wrong{"check. > 1 V", "P020", ">"}, Wrong{"1..2", "P020", "1..2"}, Wrong{"current > C", "P020", "C"},
        Wrong{"voltage & time", "P020", "&"},
        Wrong{"check.discharge_capacty[first] > 1 Ah", "P022", "discharge_capacty"}));

TEST(Expression, CaretStandsUnderThePartInsideTheTomlString) {
  const auto source = source_of("a = 1\nx = \"voltage >= 4.2 A\"\n");
  text::Diagnostics diagnostics;
  const auto root = text::parse_toml(source, diagnostics);
  ASSERT_TRUE(root);
  (void)parse_expression(*root->find("x"), {}, diagnostics);
  ASSERT_EQ(diagnostics.all().size(), 1U);
  EXPECT_EQ(diagnostics.all()[0].where.line, 2U);
  EXPECT_EQ(diagnostics.all()[0].where.column, 17U);
  EXPECT_EQ(diagnostics.all()[0].where.length, 5U);
}

TEST(Expression, TemperaturesAndDifferencesDoNotMix) {
  EXPECT_TRUE(parse("temperature - 25 degC > 5 K").expression.ok());
  EXPECT_TRUE(parse("temperature > chamber_temperature + 5 K").expression.ok());
  EXPECT_FALSE(parse("temperature + 25 degC > 5 degC").expression.ok());
  EXPECT_FALSE(parse("temperature - chamber_temperature > 5 degC").expression.ok());
}

TEST(Expression, SizeAndDepthAreBounded) {
  std::string sum = "1";
  for (int i = 0; i < 499; ++i) sum += "+1";
  EXPECT_TRUE(parse(sum).expression.ok());
  for (int i = 0; i < 600; ++i) sum += "+1";
  EXPECT_FALSE(parse(sum).expression.ok());
  EXPECT_FALSE(parse(std::string(100'000, '(')).expression.ok());
  EXPECT_FALSE(parse(std::string(100'000, '-')).expression.ok());
  std::string right = "1";
  for (int i = 0; i < kMaxStack; ++i) right = "1+(" + right + ")";
  EXPECT_FALSE(parse(right).expression.ok()) << "needs one place of stack more than there are";
}

TEST(Expression, CanonicalTextParsesBackToItself) {
  for (const char* text :
       {"voltage>=4200 mV", "abs( current )<=C/20", "(1+2)*3", "10-(4-3)", "not (voltage > 4 V and time > 1 h)",
        "mod(cycle,50)==0", "-(voltage) < -2 V", "temperature > 25 degC", "1 < 2 and (3 < 4 or 5 < 6)",
        "discharge_capacity < 80 % * nominal_capacity", "time >= 90 min", "max(1 A, min(rate, 2 A)) > 50 mA",
        "voltage / current > 20 mOhm", "step_energy > 12 Wh", "not not (time > 1 s)"}) {
    const Parsed first = parse(text);
    ASSERT_TRUE(first.expression.ok()) << text << first.diagnostics.render();
    const std::string canonical = canonical_text(first.expression);
    const Parsed second = parse(canonical);
    ASSERT_TRUE(second.expression.ok()) << canonical << second.diagnostics.render();
    EXPECT_EQ(canonical_text(second.expression), canonical);
    Binding binding;
    binding.nominal_capacity_C = 18000;
    binding.parameters->known = {{"rate", 2.5}};
    std::vector<Instruction> a;
    std::vector<Instruction> b;
    (void)emit(first.expression, binding, a);
    (void)emit(second.expression, binding, b);
    ASSERT_EQ(a.size(), b.size()) << text;
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].op, b[i].op);
      EXPECT_EQ(a[i].value, b[i].value) << text;
    }
  }
}

}  // namespace
}  // namespace cyclerd::profiles
