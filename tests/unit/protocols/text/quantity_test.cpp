#include "protocols/text/quantity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cyclerd::text {
namespace {

struct Case {
  const char* text;
  double si;
  Dimension dimension;
  bool c_rate = false;
};

class QuantityText : public testing::TestWithParam<Case> {};

TEST_P(QuantityText, HasItsSiValue) {
  QuantityError error;
  const auto q = parse_quantity(GetParam().text, error);
  ASSERT_TRUE(q) << error.message;
  EXPECT_NEAR(q->value, GetParam().si, 1e-12 * (1 + std::abs(GetParam().si)));
  EXPECT_EQ(q->dimension, GetParam().dimension);
  EXPECT_EQ(q->c_rate, GetParam().c_rate);
}

INSTANTIATE_TEST_SUITE_P(
    All, QuantityText,
    testing::Values(Case{"4.2 V", 4.2, dimension::kVoltage}, Case{"4.2V", 4.2, dimension::kVoltage},
                    Case{" -50 mA ", -0.05, dimension::kCurrent}, Case{"+5 A", 5, dimension::kCurrent},
                    Case{"10 min", 600, dimension::kTime}, Case{"80 %", 0.8, dimension::kNone},
                    Case{"C/20", 0.05, dimension::kCurrent, true}, Case{"0.5 C", 0.5, dimension::kCurrent, true},
                    Case{"2 C/3", 2.0 / 3.0, dimension::kCurrent, true},
                    Case{"C / 20", 0.05, dimension::kCurrent, true}, Case{"1e-3 s", 1e-3, dimension::kTime},
                    Case{".5 h", 1800, dimension::kTime}, Case{"1 Ah", 3600, dimension::kCapacity},
                    Case{"2500 mAh", 9000, dimension::kCapacity}, Case{"18 Wh", 64800, dimension::kEnergy},
                    Case{"1 mV/min", 1e-3 / 60, dimension::kVoltageRate},
                    Case{"3 K/min", 0.05, dimension::kTemperatureRate}, Case{"25 degC", 25, dimension::kTemperature},
                    Case{"25 \xC2\xB0"
                         "C",
                         25, dimension::kTemperature},
                    Case{"30 mOhm", 0.03, dimension::kResistance}, Case{"7", 7, dimension::kNone},
                    Case{"0.1 C/min", 0.1 / 60, dimension::kCurrentRate, true}));

TEST(Quantity, ErrorsPointAtTheWrongPart) {
  QuantityError error;
  EXPECT_FALSE(parse_quantity("4.2 volts", error));
  EXPECT_EQ(error.offset, 4U);
  EXPECT_EQ(error.length, 5U);
  EXPECT_THAT(error.help, testing::HasSubstr("'V'"));
  EXPECT_FALSE(parse_quantity("  abc", error));
  EXPECT_EQ(error.offset, 2U);
  EXPECT_FALSE(parse_quantity("", error));
  for (const char* text : {"nan V", "inf", "1e999 V", "C/0", "C/-2", "C", "--4 V", "+-4 V", "4.2 V V", "1 V/", "1 /s",
                           "V", "- V", "1 C/C"}) {
    EXPECT_FALSE(parse_quantity(text, error)) << text;
    EXPECT_FALSE(error.message.empty()) << text;
  }
}

TEST(Quantity, NearestUnitKnowsTheUsualSlips) {
  EXPECT_EQ(nearest_unit("v"), "V");
  EXPECT_EQ(nearest_unit("ohm"), "Ohm");
  EXPECT_EQ(nearest_unit("MAH"), "mAh");
  EXPECT_EQ(nearest_unit("seconds"), "s");
  EXPECT_EQ(nearest_unit("degc"), "degC");
  EXPECT_EQ(nearest_unit("furlong"), "");
}

TEST(Quantity, FormatsForPeople) {
  using namespace dimension;
  EXPECT_EQ(format_quantity(4.2, kVoltage), "4.2 V");
  EXPECT_EQ(format_quantity(2.5, kCurrent), "2.5 A");
  EXPECT_EQ(format_quantity(-0.05, kCurrent), "-50 mA");
  EXPECT_EQ(format_quantity(5400, kTime), "90 min");
  EXPECT_EQ(format_quantity(25, kTemperature), "25 degC");
  EXPECT_EQ(format_quantity(4.95 * 3600, kCapacity), "4.95 Ah");
  EXPECT_EQ(format_quantity(0, kVoltage), "0 V");
  EXPECT_EQ(format_quantity(0, kTime), "0 s");
  EXPECT_EQ(format_quantity(0.0001, kTime), "100 us");
  EXPECT_EQ(format_quantity(119, kTime), "119 s");
  EXPECT_EQ(format_quantity(120, kTime), "2 min");
  EXPECT_EQ(format_quantity(86400 * 30, kTime), "30 d");
  EXPECT_EQ(format_quantity(0.05, kTemperatureRate), "3 K/min");
  EXPECT_EQ(format_quantity(0.8, kNone), "0.8");
  EXPECT_EQ(format_quantity(1.0 / 3.0, kVoltage, 3), "333 mV");
}

TEST(Quantity, WhatIsFormattedReadsBack) {
  using namespace dimension;
  for (const auto d : {kVoltage, kCurrent, kPower, kResistance, kTime, kCapacity, kEnergy, kTemperatureRate,
                       kVoltageRate, kCurrentRate}) {
    for (double v : {1e-5, 0.0123, 0.5, 1.0, 42.0, 999.0, 12345.0, -7.5}) {
      QuantityError error;
      const std::string text = format_quantity(v, d, 17);
      const auto q = parse_quantity(text, error);
      ASSERT_TRUE(q) << text << ": " << error.message;
      EXPECT_NEAR(q->value, v, 1e-12 * std::abs(v)) << text;
      EXPECT_EQ(q->dimension, d) << text;
    }
  }
}

TEST(Dimension, NamesAndExamples) {
  EXPECT_EQ(dimension_name(dimension::kVoltage), "voltage");
  EXPECT_EQ(dimension_name(dimension::kTime), "time");
  EXPECT_EQ(dimension_name(dimension::kVoltage / dimension::kTemperature), "V/K");
  EXPECT_EQ(example_unit(dimension::kCapacity), "Ah");
  for (const auto d : {dimension::kVoltage, dimension::kCapacity, dimension::kTemperatureRate, dimension::kPowerRate}) {
    ASSERT_TRUE(find_unit(example_unit(d)));
    EXPECT_EQ(find_unit(example_unit(d))->dimension, d);
  }
}

}  // namespace
}  // namespace cyclerd::text
