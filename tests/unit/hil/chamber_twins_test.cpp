// The twins of chamber controllers, register by register, with the numbers of the makers' manuals and not of our
// codecs.
#include <gtest/gtest.h>

#include <array>
#include <bit>

#include "hil/peers/binder_mb2_twin.hpp"
#include "hil/peers/csz_ezt_twin.hpp"
#include "hil/peers/modbus_answer.hpp"
#include "hil/peers/omega_cn7500_twin.hpp"
#include "hil/peers/watlow_f4_twin.hpp"
#include "hil/peers/watlow_f4t_twin.hpp"
#include "protocols/base/clock.hpp"

namespace cyclerd::hil {
namespace {

World world_with_chamber() {
  World world({1'000'000}, 25.0);
  ChamberConfig config;
  config.thermostat_degC = 75.0;
  world.add_chamber(config);
  return world;
}

// What a client sees: words, or the code of an exception, or nothing.
struct Bench {
  base::VirtualClock clock{{1'000'000}};
  SharedWorld world{world_with_chamber(), clock};

  ChamberReadout look() {
    return world.now([](World& w) { return w.chamber(0).readout(); });
  }
  void trip() {
    world.now([](World& w) {
      base::ChamberSetpoint s;
      s.run = 1;
      s.temperature_degC = 110.0;
      return w.chamber(0).apply(s);
    });
    clock.advance(base::hours(2));
    ASSERT_TRUE(look().thermostat_tripped);
  }
};

int read(RegisterMap& twin, std::uint16_t address) {
  std::array<std::uint16_t, 1> word{};
  const Answer answer = twin.read_words(Table::holding, address, word);
  return answer == Answer::ok ? word[0] : -static_cast<int>(answer);
}
int read_i16(RegisterMap& twin, std::uint16_t address) {
  return static_cast<std::int16_t>(read(twin, address));
}
Answer write(RegisterMap& twin, std::uint16_t address, int value) {
  const std::array<std::uint16_t, 1> word{static_cast<std::uint16_t>(value)};
  return twin.write_words(address, word);
}
// Two registers, low word first.
float read_cdab(RegisterMap& twin, std::uint16_t address) {
  std::array<std::uint16_t, 2> words{};
  EXPECT_EQ(twin.read_words(Table::holding, address, words), Answer::ok) << address;
  return std::bit_cast<float>((static_cast<std::uint32_t>(words[1]) << 16U) | words[0]);
}
Answer write_cdab(RegisterMap& twin, std::uint16_t address, float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::array<std::uint16_t, 2> words{static_cast<std::uint16_t>(bits & 0xFFFFU),
                                           static_cast<std::uint16_t>(bits >> 16U)};
  return twin.write_words(address, words);
}

class CszEzt : public testing::Test {
 protected:
  Bench b;
  CszEztTwin twin{b.world, 0, {}};
  int ask(std::uint16_t address) {
    b.clock.advance(base::milliseconds(500));
    return read(twin, address);
  }
  Answer tell(std::uint16_t address, int value) {
    b.clock.advance(base::milliseconds(500));
    return write(twin, address, value);
  }
};

TEST_F(CszEzt, TenthsOfADegreeAndTheRunBit) {
  EXPECT_EQ(ask(61), 250);
  EXPECT_EQ(ask(64), 1200);
  EXPECT_EQ(static_cast<std::int16_t>(ask(65)), -400);
  EXPECT_EQ(tell(60, -205), Answer::ok);
  EXPECT_NEAR(b.look().setpoint_degC, -20.5, 1e-9);
  EXPECT_FALSE(b.look().running);
  EXPECT_EQ(tell(22, 5), Answer::ok);
  EXPECT_TRUE(b.look().running);
  EXPECT_EQ(ask(22), 5) << "other events are kept as written";
  EXPECT_EQ(tell(22, 4), Answer::ok);
  EXPECT_FALSE(b.look().running);
}

TEST_F(CszEzt, ASetPointBeyondItsLimitsIsAcknowledgedAndNotTaken) {
  EXPECT_EQ(tell(60, 1201), Answer::ok);
  EXPECT_EQ(ask(60), 250);
  EXPECT_EQ(tell(60, 1200), Answer::ok);
  EXPECT_EQ(ask(60), 1200);
}

TEST_F(CszEzt, UnlistedRegistersAreNotAnsweredOrWrong) {
  EXPECT_EQ(ask(59), -static_cast<int>(Answer::silence));
  EXPECT_EQ(tell(900, 1), Answer::silence);
  std::array<std::uint16_t, 3> block{};
  b.clock.advance(base::seconds(1));
  EXPECT_EQ(twin.read_words(Table::holding, 58, block), Answer::ok);
  EXPECT_EQ(block[1], 0x7FFF);
  EXPECT_EQ(block[2], 250);
  bool bit[1] = {};
  EXPECT_EQ(twin.read_bits(Table::coil, 22, bit), Answer::illegal_function);
}

TEST_F(CszEzt, SilentToWhoeverDoesNotWait) {
  EXPECT_EQ(ask(61), 250);
  b.clock.advance(base::microseconds(499'999));
  EXPECT_EQ(read(twin, 61), -static_cast<int>(Answer::silence));
  b.clock.advance(base::milliseconds(500));
  EXPECT_EQ(read(twin, 61), 250);
}

TEST_F(CszEzt, SilenceIsNoReplyAtAll) {
  const std::array<std::uint8_t, 5> request{3, 0, 59, 0, 1};
  std::array<std::uint8_t, kMaxPdu> reply{};
  EXPECT_EQ(answer_pdu(request, twin, reply), 0U);
}

TEST_F(CszEzt, ATripSetsAnAlarmBit) {
  EXPECT_EQ(ask(57), 0);
  b.trip();
  EXPECT_NE(ask(57), 0);
}

TEST(CszEztInFahrenheit, ShowsAndTakesFahrenheit) {
  Bench b;
  CszEztTwin twin(b.world, 0, {.fahrenheit = true});
  EXPECT_EQ(read(twin, 61), 770);
  b.clock.advance(base::seconds(1));
  EXPECT_EQ(write(twin, 60, 1040), Answer::ok);
  EXPECT_NEAR(b.look().setpoint_degC, 40.0, 1e-9);
}

TEST(WatlowF4, DecimalsUnitAndPolarityAreAsItIsSet) {
  for (const unsigned decimals : {0U, 1U, 2U}) {
    Bench b;
    WatlowF4Twin twin(b.world, 0, {.decimals = decimals, .run_output = 3});
    const int steps = decimals == 0 ? 1 : decimals == 1 ? 10 : 100;
    EXPECT_EQ(read(twin, 606), static_cast<int>(decimals));
    EXPECT_EQ(read(twin, 901), 1);
    EXPECT_EQ(read(twin, 100), 25 * steps);
    EXPECT_EQ(write(twin, 300, -10 * steps), Answer::ok);
    EXPECT_NEAR(b.look().setpoint_degC, -10.0, 1e-9);
    EXPECT_EQ(read_i16(twin, 602), -40 * steps);
    EXPECT_EQ(write(twin, 300, 121 * steps), Answer::illegal_value);
    EXPECT_EQ(write(twin, 2020, 1), Answer::ok);
    EXPECT_TRUE(b.look().running);
    EXPECT_EQ(write(twin, 2020, 2), Answer::illegal_value);
    EXPECT_EQ(write(twin, 2000, 0), Answer::ok) << "another output does nothing";
    EXPECT_TRUE(b.look().running);
    EXPECT_EQ(write(twin, 2020, 0), Answer::ok);
    EXPECT_FALSE(b.look().running);
  }
}

TEST(WatlowF4, OfATestEquityRunsAtZeroAndTripsItsOwnInput) {
  Bench b;
  WatlowF4Twin twin(b.world, 0, {.fahrenheit = true, .run_at_0 = true, .limit_input = 2, .limit_tripped = 0});
  EXPECT_EQ(read(twin, 901), 0);
  EXPECT_EQ(read(twin, 100), 770);
  EXPECT_EQ(read(twin, 2000), 1);
  EXPECT_EQ(write(twin, 2000, 0), Answer::ok);
  EXPECT_TRUE(b.look().running);
  EXPECT_EQ(read(twin, 213), 1);
  EXPECT_EQ(read(twin, 201), 0);
  b.trip();
  EXPECT_EQ(read(twin, 213), 0);
  EXPECT_EQ(read(twin, 605), -static_cast<int>(Answer::illegal_address));
}

TEST(WatlowF4t, FloatsLowWordFirstAndWatlowsWords) {
  Bench b;
  WatlowF4tTwin twin(b.world, 0, {.loop = 2, .run_output = 2});
  EXPECT_FLOAT_EQ(read_cdab(twin, 2980), 25.0F);
  EXPECT_FLOAT_EQ(read_cdab(twin, 2934), -40.0F);
  EXPECT_EQ(write_cdab(twin, 2942, 41.5F), Answer::ok);
  EXPECT_NEAR(b.look().setpoint_degC, 41.5, 1e-9);
  EXPECT_EQ(write_cdab(twin, 2942, 121.0F), Answer::illegal_value);
  EXPECT_EQ(read(twin, 2974), 62);
  EXPECT_EQ(write(twin, 2890, 10), Answer::ok);
  EXPECT_FALSE(b.look().running) << "the run event is off";
  EXPECT_EQ(write(twin, 16596, 63), Answer::ok);
  EXPECT_TRUE(b.look().running);
  EXPECT_EQ(read(twin, 2974), 10);
  EXPECT_EQ(write(twin, 2890, 62), Answer::ok);
  EXPECT_FALSE(b.look().running);
  EXPECT_EQ(write(twin, 2890, 11), Answer::illegal_value);
  EXPECT_EQ(read(twin, 1356), 61);
  EXPECT_EQ(read(twin, 2820), -static_cast<int>(Answer::illegal_address)) << "loop 1 is not fitted";
}

TEST(WatlowF4t, ATripIsAFailedLimitModule) {
  Bench b;
  WatlowF4tTwin twin(b.world, 0, {});
  EXPECT_NE(read(twin, 11504), 32);
  b.trip();
  EXPECT_EQ(read(twin, 11504), 32);
}

TEST(BinderMb2, WritesInOnePlaceReadsInAnotherAndIdleIsOne) {
  Bench b;
  BinderMb2Twin twin(b.world, 0);
  EXPECT_FLOAT_EQ(read_cdab(twin, 0x10D2), 25.0F);
  EXPECT_EQ(read(twin, 0x1292), 2);
  EXPECT_EQ(write_cdab(twin, 0x114C, -12.5F), Answer::ok);
  EXPECT_FLOAT_EQ(read_cdab(twin, 0x10B2), -12.5F);
  std::array<std::uint16_t, 2> words{};
  EXPECT_EQ(twin.read_words(Table::holding, 0x114C, words), Answer::illegal_address);
  EXPECT_EQ(write(twin, 0x1158, 0x41), Answer::ok);
  EXPECT_TRUE(b.look().running);
  EXPECT_EQ(read(twin, 0x1292), 0x41);
  EXPECT_EQ(write(twin, 0x1158, 0x03), Answer::ok);
  EXPECT_FALSE(b.look().running);
  EXPECT_EQ(write_cdab(twin, 0x10B2, 20.0F), Answer::illegal_address);
}

TEST(OmegaCn7500, RunsByABitThatFunctionTwoReads) {
  Bench b;
  OmegaCn7500Twin twin(b.world, 0, {});
  bool bit[1] = {true};
  EXPECT_EQ(twin.read_bits(Table::discrete, 2068, bit), Answer::ok);
  EXPECT_FALSE(bit[0]);
  EXPECT_EQ(twin.read_bits(Table::coil, 2068, bit), Answer::illegal_function);
  bit[0] = true;
  EXPECT_EQ(twin.write_bits(2068, bit), Answer::ok);
  EXPECT_TRUE(b.look().running);
  EXPECT_EQ(read(twin, 0x1000), 250);
  EXPECT_EQ(write(twin, 0x1001, 405), Answer::ok);
  EXPECT_NEAR(b.look().setpoint_degC, 40.5, 1e-9);
  EXPECT_EQ(write(twin, 0x1001, 1201), Answer::illegal_value);
  EXPECT_EQ(write(twin, 0x1005, 4), Answer::illegal_value);
}

}  // namespace
}  // namespace cyclerd::hil
