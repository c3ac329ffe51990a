#include "protocols/modbus/codec.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace cyclerd::modbus {
namespace {

using Words = std::array<std::uint16_t, 2>;

// 12.5f is 0x41480000; the orders are those of the libmodbus manual.
TEST(Codec, WordOrdersOfAFloat) {
  EXPECT_EQ(decode(Words{0x4148, 0x0000}, ValueType::f32, WordOrder::ABCD), 12.5);
  EXPECT_EQ(decode(Words{0x0000, 0x4148}, ValueType::f32, WordOrder::CDAB), 12.5);
  EXPECT_EQ(decode(Words{0x4841, 0x0000}, ValueType::f32, WordOrder::BADC), 12.5);
  EXPECT_EQ(decode(Words{0x0000, 0x4841}, ValueType::f32, WordOrder::DCBA), 12.5);
}

TEST(Codec, WordOrdersOfAnInteger) {
  EXPECT_EQ(decode(Words{0x1234, 0x5678}, ValueType::u32, WordOrder::ABCD), 0x12345678);
  EXPECT_EQ(decode(Words{0x5678, 0x1234}, ValueType::u32, WordOrder::CDAB), 0x12345678);
  EXPECT_EQ(decode(Words{0x3412, 0x7856}, ValueType::u32, WordOrder::BADC), 0x12345678);
  EXPECT_EQ(decode(Words{0x7856, 0x3412}, ValueType::u32, WordOrder::DCBA), 0x12345678);
  EXPECT_EQ(decode(Words{0x1234, 0}, ValueType::u16, WordOrder::BADC), 0x3412);
}

TEST(Codec, SignsAndExtremes) {
  EXPECT_EQ(decode(Words{0xFFFF, 0}, ValueType::i16, WordOrder::ABCD), -1);
  EXPECT_EQ(decode(Words{0xFFFF, 0}, ValueType::u16, WordOrder::ABCD), 65535);
  EXPECT_EQ(decode(Words{0xFFFF, 0xFFFE}, ValueType::i32, WordOrder::ABCD), -2);
  EXPECT_EQ(decode(Words{0xFFFF, 0xFFFF}, ValueType::u32, WordOrder::ABCD), 4294967295.0);
  EXPECT_TRUE(std::isnan(decode(Words{0x7FC0, 0}, ValueType::f32, WordOrder::ABCD)));
  EXPECT_TRUE(std::isinf(decode(Words{0x7F80, 0}, ValueType::f32, WordOrder::ABCD)));
}

TEST(Codec, TooFewRegistersAreNoNumber) {
  const std::array<std::uint16_t, 1> one{1};
  EXPECT_TRUE(std::isnan(decode(one, ValueType::f32, WordOrder::ABCD)));
  EXPECT_TRUE(std::isnan(decode({}, ValueType::u16, WordOrder::ABCD)));
  std::array<std::uint16_t, 1> room{};
  EXPECT_FALSE(encode(1, ValueType::u32, WordOrder::ABCD, room));
}

class EveryType : public testing::TestWithParam<ValueType> {};

TEST_P(EveryType, RangeIsExactAndReadsBack) {
  const ValueType type = GetParam();
  const double step = type == ValueType::f32 ? largest(type) * 1e-7 : 1.0;
  for (const auto order : {WordOrder::ABCD, WordOrder::BADC, WordOrder::CDAB, WordOrder::DCBA}) {
    Words words{0xAAAA, 0x5555};
    EXPECT_TRUE(encode(largest(type), type, order, words));
    EXPECT_EQ(decode(words, type, order), largest(type));
    EXPECT_TRUE(encode(smallest(type), type, order, words));
    EXPECT_EQ(decode(words, type, order), smallest(type));
    const Words before = words;
    EXPECT_FALSE(encode(largest(type) + step, type, order, words));
    EXPECT_FALSE(encode(smallest(type) - step, type, order, words));
    EXPECT_FALSE(encode(std::numeric_limits<double>::quiet_NaN(), type, order, words));
    EXPECT_FALSE(encode(std::numeric_limits<double>::infinity(), type, order, words));
    EXPECT_EQ(words, before) << "a refused value must write nothing";
  }
}

INSTANTIATE_TEST_SUITE_P(Types, EveryType,
                         testing::Values(ValueType::u16, ValueType::i16, ValueType::u32, ValueType::i32, ValueType::f32,
                                         ValueType::boolean));

TEST(Codec, IntegersAreRoundedToTheNearest) {
  Words words{};
  ASSERT_TRUE(encode(2.5, ValueType::u16, WordOrder::ABCD, words));
  EXPECT_EQ(words[0], 3);
  ASSERT_TRUE(encode(-0.4, ValueType::u16, WordOrder::ABCD, words));
  EXPECT_EQ(words[0], 0);
  EXPECT_FALSE(encode(65535.5, ValueType::u16, WordOrder::ABCD, words));
}

TEST(Codec, TextIsTrimmedAndMadePrintable) {
  const std::array<std::uint16_t, 4> words{0x4142, 0x2043, 0x2020, 0x0000};
  EXPECT_EQ(decode_text(words, WordOrder::ABCD).view(), "AB C");
  const std::array<std::uint16_t, 2> swapped{0x4241, 0x0043};
  EXPECT_EQ(decode_text(swapped, WordOrder::BADC).view(), "ABC");
  const std::array<std::uint16_t, 2> foul{0x411B, 0xFF42};
  EXPECT_EQ(decode_text(foul, WordOrder::ABCD).view(), "A??B");
  const std::array<std::uint16_t, 2> after{0x4100, 0x4242};
  EXPECT_EQ(decode_text(after, WordOrder::ABCD).view(), "A");
  const std::vector<std::uint16_t> longest(100, 0x4141);
  EXPECT_EQ(decode_text(longest, WordOrder::ABCD).view().size(), 48U);
}

TEST(Codec, AnyRegistersAreAnsweredAndReadBackAsTheyWere) {
  std::mt19937 random(7);
  for (int i = 0; i < 200'000; ++i) {
    const auto bits = random();
    const Words words{static_cast<std::uint16_t>(bits >> 16), static_cast<std::uint16_t>(bits)};
    const auto type = static_cast<ValueType>(random() % 6);
    const auto order = static_cast<WordOrder>(random() % 4);
    const double value = decode(words, type, order);
    if (!std::isfinite(value)) continue;
    Words back{};
    ASSERT_TRUE(encode(value, type, order, back));
    ASSERT_EQ(decode(back, type, order), value);
    (void)decode_text(words, order);
  }
}

}  // namespace
}  // namespace cyclerd::modbus
