#include "hil/cells/expression.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

namespace cyclerd::hil {
namespace {

text::Span span_of(const std::string& text) {
  text::Span span;
  span.source = std::make_shared<const text::Source>(text::Source{"x.toml", "ocp = \"" + text + "\"\n"});
  span.line = 1;
  span.column = 8;
  span.length = static_cast<std::uint32_t>(text.size());
  return span;
}

double value(const std::string& text, double x) {
  text::Diagnostics diagnostics;
  auto expression = Expression::compile(text, "f", span_of(text), diagnostics);
  EXPECT_TRUE(expression) << diagnostics.render();
  return expression ? expression->at(x) : std::nan("");
}

TEST(Expression, MeansWhatPythonMeans) {
  struct Case {
    const char* text;
    double at_two;
  };
  const Case cases[] = {
      {"1", 1.0},
      {"x", 2.0},
      {"-x**2", -4.0},
      {"2**-1", 0.5},
      {"2**3**2", 512.0},
      {"2*-x", -4.0},
      {"10 - 4 - 3", 3.0},
      {"12 / 4 / 3", 1.0},
      {"-x**-2", -0.25},
      {"1.e-3 * x", 0.002},
      {".5*x", 1.0},
      {"3.5E+14*x", 7e14},
      {"exp(-((x - 0.5) ** 2) / 0.5)", std::exp(-4.5)},
      {"log(x) + log10(x) + sqrt(x)", std::log(2.0) + std::log10(2.0) + std::sqrt(2.0)},
      {"0.9*exp(-x) + tanh(3*(x-0.1))", 0.9 * std::exp(-2.0) + std::tanh(5.7)},
      {"min(x, 1) + max(x, 1) * abs(-3)", 7.0},
      {"asinh(x)+sinh(x)+cosh(x)+sin(x)+cos(x)+tan(x)",
       std::asinh(2.0) + std::sinh(2.0) + std::cosh(2.0) + std::sin(2.0) + std::cos(2.0) + std::tan(2.0)},
      {" ( x\t+ 1\n) ", 3.0},
  };
  for (const Case& c : cases) EXPECT_NEAR(value(c.text, 2.0), c.at_two, 1e-12 * std::abs(c.at_two)) << c.text;
}

TEST(Expression, SaysWhereItIsWrongAndHowToMendIt) {
  struct Case {
    std::string text;
    const char* message;  // part of it
    std::uint32_t column;
    const char* help;
  };
  const Case cases[] = {
      {"", "is empty", 8, "write a number or a function of x"},
      {"   ", "is empty", 8, "write a number"},
      {"2*y", "uses 'y'", 10, "the variable is x"},
      {"1 + tanhh(x)", "uses 'tanhh'", 12, "did you mean 'tanh'"},
      {"x^2", "character '^'", 9, "a power is written **"},
      {"x = 3", "character '='", 10, "operators are"},
      {"__import__(x)", "uses '__import__'", 8, "the variable is x"},
      {"x ? 1 : 2", "character '?'", 10, "operators are"},
      {"4.2 V", "uses 'V'", 12, "the variable is x"},
      {"4.2V", "right behind the number", 8, "units do not belong here"},
      {"2x", "right behind the number", 8, "write the operator"},
      {"x x", "without an operator", 10, ""},
      {"(x + 1", "", 8, ""},
      {"x + 1)", "parenthesis too many", 13, ""},
      {"x *", "", 8, ""},
      {"exp()", "too few values", 12, ""},
      {"exp(x, x)", "too many values", 16, ""},
      {"1, x", "is a list of values", 8, "separate nothing by commas"},
      {"1e999", "", 8, ""},
      {std::string("x\0+1", 4), "byte 0x00", 9, ""},
      {"x \xc3\x97 2", "byte 0xc3", 10, ""},
      {std::string(5000, 'x'), "5000 characters", 8, "table"},
      {std::string(40, '(') + "x" + std::string(40, ')'), "deeper than 32", 40, ""},
  };
  for (const Case& c : cases) {
    text::Diagnostics diagnostics;
    EXPECT_FALSE(Expression::compile(c.text, "`ocp`", span_of(c.text), diagnostics)) << c.text;
    ASSERT_EQ(diagnostics.all().size(), 1U) << c.text;
    const text::Diagnostic& d = diagnostics.all()[0];
    EXPECT_EQ(d.code, "C020");
    EXPECT_EQ(d.message.rfind("`ocp` ", 0), 0U) << d.message;
    EXPECT_NE(d.message.find(c.message), std::string::npos) << c.text << ": " << d.message;
    EXPECT_NE(d.help.find(c.help), std::string::npos) << c.text << ": " << d.help;
    EXPECT_EQ(d.where.line, 1U);
    if (*c.message != '\0') {
      EXPECT_EQ(d.where.column, c.column) << c.text << ": " << d.message;
    }
  }
}

TEST(Expression, RefusesMoreTokensThanItReads) {
  std::string text = "x";
  for (int i = 0; i < 600; ++i) text += "+x";
  text::Diagnostics diagnostics;
  EXPECT_FALSE(Expression::compile(text, "f", span_of(text), diagnostics));
  EXPECT_NE(diagnostics.render().find("more than 1024"), std::string::npos);
}

std::optional<Curve> curve(const std::string& text, Sampling sampling, text::Diagnostics& diagnostics) {
  auto expression = Expression::compile(text, "f", span_of(text), diagnostics);
  return expression ? sample([&](double x) { return expression->at(x); }, sampling, "f", span_of(text), diagnostics)
                    : std::nullopt;
}

// The steepest and the worst conditioned potentials of published cells.
TEST(Sample, IsAsGoodAsTheFunctionWithinItsTolerance) {
  const char* potentials[] = {
      "1.9793 * exp(-39.3631 * x) + 0.2482 - 0.0909 * tanh(29.8538 * (x - 0.1234)) - 0.04478 * tanh(14.9159 * (x - "
      "0.2769)) - 0.0205 * tanh(30.4444 * (x - 0.6103))",
      "5.29210878e+01 * exp(-1.72699386e+02 * x) - 1.17963399e+03 + 1.20956356e+03 * tanh(6.72033948e+01 * (x + "
      "2.44746396e-02))",
      "3.41285712e+00 - 1.49721852e-02 * x + 3.54866018e+14 * exp(-3.95729493e+02 * x) - 1.45998465e+00 * "
      "exp(-1.10108622e+02 * (1 - x))",
      "0.0257*log((1 - x)/x)",
  };
  for (const char* text : potentials) {
    text::Diagnostics diagnostics;
    Sampling sampling{1e-6, 1.0 - 1e-6, 5e-5, 0.0, -5.0, 10.0};
    auto table = curve(text, sampling, diagnostics);
    ASSERT_TRUE(table) << diagnostics.render();
    EXPECT_LT(table->values().size(), 4000U) << text;
    const auto function = Expression::compile(text, "f", span_of(text), diagnostics);
    double worst = 0.0;
    for (int i = 0; i <= 100000; ++i) {
      const double x = sampling.from + (sampling.to - sampling.from) * i / 100000.0;
      const double exact = std::clamp(function->at(x), -5.0, 10.0);
      worst = std::max(worst, std::abs(table->clamped(x) - exact));
    }
    EXPECT_LT(worst, 6e-5) << text;
  }
}

TEST(Sample, TellsWhereTheFunctionIsNoNumber) {
  text::Diagnostics diagnostics;
  EXPECT_FALSE(curve("log(x - 0.5)", {0.0, 1.0, 1e-4, 0.0, -10.0, 10.0}, diagnostics));
  ASSERT_EQ(diagnostics.all().size(), 1U);
  EXPECT_EQ(diagnostics.all()[0].code, "C021");
  EXPECT_NE(diagnostics.all()[0].message.find("at x = 0"), std::string::npos);
  text::Diagnostics pole;
  EXPECT_FALSE(curve("1/(x - 0.25)", {0.0, 1.0, 1e-4, 0.0, -10.0, 10.0}, pole));
  EXPECT_NE(pole.all()[0].message.find("at x = 0.25"), std::string::npos) << pole.render();
}

TEST(Sample, GivesUpOnAFunctionThatIsNoCurve) {
  text::Diagnostics diagnostics;
  EXPECT_FALSE(curve("sin(100000*x)", {0.0, 1.0, 1e-6, 0.0, -10.0, 10.0}, diagnostics));
  ASSERT_EQ(diagnostics.all().size(), 1U);
  EXPECT_EQ(diagnostics.all()[0].code, "C022");
}

TEST(Axis, FindsItsKnotsAtUnequalDistancesAsASearchDoes) {
  std::vector<double> knots;
  for (int i = 0; i < 300; ++i) knots.push_back(std::pow(i / 299.0, 4.0));
  const Axis axis(knots);
  auto expect_at = [&](double x) {
    auto after = std::upper_bound(knots.begin(), knots.end(), x);
    const std::ptrdiff_t left = std::clamp<std::ptrdiff_t>(after - knots.begin() - 1, 0, 298);
    EXPECT_EQ(axis.locate(x, true).index(), static_cast<std::size_t>(left)) << x;
  };
  for (double knot : knots) {
    expect_at(knot);
    expect_at(std::nextafter(knot, 2.0));
    expect_at(std::nextafter(knot, -2.0));
  }
  for (int i = -100; i <= 1100; ++i) expect_at(i / 1000.0);
}

}  // namespace
}  // namespace cyclerd::hil
