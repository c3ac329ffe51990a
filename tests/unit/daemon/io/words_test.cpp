#include "daemon/io/words.hpp"

#include <gtest/gtest.h>

namespace cyclerd::io {
namespace {

using base::Control;

TEST(Words, SayEveryKindOfSetpoint) {
  base::Setpoint s{.voltage_V = 3.9,
                   .resistance_Ohm = 2.0,
                   .voltage_max_V = 4.2,
                   .voltage_min_V = 2.5,
                   .current_max_A = 3.0,
                   .current_min_A = -5.0};
  EXPECT_EQ(words(s).view(), "rest, output off");
  s.control = Control::current;
  EXPECT_EQ(words(s).view(), "charge 0 A");
  s.current_A = 2.5;
  EXPECT_EQ(words(s).view(), "charge 2.5 A up to 4.2 V");
  s.current_A = -7.3;
  EXPECT_EQ(words(s).view(), "discharge 7.3 A down to 2.5 V");
  s.control = Control::power;
  s.power_W = -12.0;
  EXPECT_EQ(words(s).view(), "discharge 12 W down to 2.5 V");
  s.control = Control::voltage;
  EXPECT_EQ(words(s).view(), "hold 3.9 V with -5 A to 3 A");
  s.control = Control::resistance;
  EXPECT_EQ(words(s).view(), "discharge through 2 Ohm down to 2.5 V");
}

TEST(Words, SayChamberSetpoints) {
  EXPECT_EQ(words(base::ChamberSetpoint{}).view(), "chamber stopped");
  EXPECT_EQ(words(base::ChamberSetpoint{.run = 1, .temperature_degC = 40.0}).view(), "40 degC");
  EXPECT_EQ(words(base::ChamberSetpoint{.run = 1, .temperature_degC = -10.0, .ramp_K_per_min = 1.5}).view(),
            "-10 degC at 1.5 K/min");
}

TEST(Words, ATripNamesValueLimitAndDevice) {
  EXPECT_EQ(words(safety::Verdict{safety::Cause::voltage_high, 4.2512, 4.25}, "cycler").view(),
            "the cell voltage is above its limit: 4.2512 V, limit 4.25 V (cycler)");
  EXPECT_EQ(words(safety::Verdict{safety::Cause::device_alarm, 66.0, 0.0}, "cycler").view(),
            "the instrument reports an alarm: status word 66 (cycler)");
  EXPECT_EQ(words(safety::Verdict{safety::Cause::output_mismatch, 1.0, 0.0}, "c").view(),
            "the output is not in the commanded state: 1 instead of 0 (c)");
  EXPECT_EQ(words(safety::Verdict{safety::Cause::device_lost, 0.0, 0.0}, "c").view(),
            "the instrument does not answer (c)");
}

TEST(Words, AnErrorSaysItsKindAndDetail) {
  base::Error e{base::ErrorCode::timeout, "cycler", "read 0x10"};
  EXPECT_EQ(words(e).view(), std::string{base::to_string(base::ErrorCode::timeout)} + ": read 0x10");
  e.detail = {};
  EXPECT_EQ(words(e).view(), base::to_string(base::ErrorCode::timeout));
}

}  // namespace
}  // namespace cyclerd::io
