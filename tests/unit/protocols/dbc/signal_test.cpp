#include "protocols/dbc/signal.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace cyclerd::dbc {
namespace {

Signal signal(std::uint16_t start, std::uint16_t length, ByteOrder order,
              NumberKind kind = NumberKind::unsigned_integer) {
  Signal s;
  s.start = start;
  s.length = length;
  s.order = order;
  s.kind = kind;
  return s;
}

using Frame = std::array<std::uint8_t, 8>;

TEST(CanSignal, IntelStartsAtTheLowBit) {
  const Frame frame{0x34, 0x12, 0, 0, 0, 0, 0, 0x80};
  EXPECT_EQ(bits_of(signal(0, 16, ByteOrder::intel), frame), 0x1234U);
  EXPECT_EQ(bits_of(signal(4, 8, ByteOrder::intel), frame), 0x23U);
  EXPECT_EQ(bits_of(signal(63, 1, ByteOrder::intel), frame), 1U);
}

TEST(CanSignal, MotorolaStartsAtTheHighBitAndGoesOnInTheNextByte) {
  const Frame frame{0x12, 0x34, 0x56, 0, 0, 0, 0, 0x01};
  EXPECT_EQ(bits_of(signal(7, 16, ByteOrder::motorola), frame), 0x1234U);
  EXPECT_EQ(bits_of(signal(3, 8, ByteOrder::motorola), frame), 0x23U);
  EXPECT_EQ(bits_of(signal(3, 12, ByteOrder::motorola), frame), 0x234U);
  EXPECT_EQ(bits_of(signal(56, 1, ByteOrder::motorola), frame), 1U);
  // foxBMS, 0x233: 17 bits with sign from bit 40, 0.01 A.
  Signal current = signal(40, 17, ByteOrder::motorola, NumberKind::signed_integer);
  current.factor = 0.01;
  Frame pack{};
  ASSERT_TRUE(put_value(current, -12.34, pack));
  EXPECT_EQ(pack, (Frame{0, 0, 0, 0, 0, 0x01, 0xFB, 0x2E}));
  EXPECT_NEAR(value_of(current, pack), -12.34, 1e-12);
}

TEST(CanSignal, EveryPlaceAndLengthReadsBackAndTouchesNothingElse) {
  for (const ByteOrder order : {ByteOrder::intel, ByteOrder::motorola}) {
    for (std::uint16_t start = 0; start < 64; ++start) {
      for (std::uint16_t length = 1; length <= 52; ++length) {
        const Signal s = signal(start, length, order);
        Frame frame;
        frame.fill(0xFF);
        const bool there = fits(s, 8);
        ASSERT_EQ(put_raw(s, 0.0, frame), there) << start << " " << length;
        int cleared = 0;
        for (const auto byte : frame) cleared += 8 - __builtin_popcount(byte);
        ASSERT_EQ(cleared, there ? length : 0);
        if (!there) continue;
        const double most = std::ldexp(1.0, length) - 1.0;
        ASSERT_TRUE(put_raw(s, most, frame));
        for (const auto byte : frame) ASSERT_EQ(byte, 0xFF);
        ASSERT_EQ(raw_of(s, frame), most);
        ASSERT_FALSE(put_raw(s, most + 1.0, frame));
        ASSERT_FALSE(put_raw(s, -1.0, frame));
      }
    }
  }
}

TEST(CanSignal, NumbersEndWhereTheirBitsEnd) {
  Frame frame{};
  const Signal s = signal(0, 12, ByteOrder::intel, NumberKind::signed_integer);
  EXPECT_TRUE(put_raw(s, -2048.0, frame));
  EXPECT_EQ(raw_of(s, frame), -2048.0);
  EXPECT_TRUE(put_raw(s, 2047.4, frame));
  EXPECT_EQ(raw_of(s, frame), 2047.0);
  EXPECT_FALSE(put_raw(s, 2047.6, frame));
  EXPECT_FALSE(put_raw(s, -2049.0, frame));
  EXPECT_FALSE(put_raw(s, std::nan(""), frame));
  EXPECT_EQ(raw_of(s, frame), 2047.0) << "what cannot be held changes nothing";
  const Signal all = signal(0, 64, ByteOrder::intel, NumberKind::signed_integer);
  EXPECT_TRUE(put_raw(all, -9223372036854775808.0, frame));
  EXPECT_EQ(raw_of(all, frame), -9223372036854775808.0);
  EXPECT_FALSE(put_raw(all, 9223372036854775808.0, frame));
}

TEST(CanSignal, Floats) {
  Frame frame{};
  const Signal single = signal(7, 32, ByteOrder::motorola, NumberKind::float32);
  EXPECT_TRUE(put_raw(single, 1.5, frame));
  EXPECT_EQ(frame[0], 0x3F);
  EXPECT_EQ(frame[1], 0xC0);
  EXPECT_EQ(raw_of(single, frame), 1.5);
  EXPECT_FALSE(put_raw(single, 1e39, frame));
  const Signal full = signal(0, 64, ByteOrder::intel, NumberKind::float64);
  EXPECT_TRUE(put_raw(full, 0.1, frame));
  EXPECT_EQ(raw_of(full, frame), 0.1);
}

TEST(CanSignal, AShortFrameHoldsNothing) {
  const std::array<std::uint8_t, 2> two{0xFF, 0xFF};
  EXPECT_EQ(bits_of(signal(8, 16, ByteOrder::intel), two), 0U);
  EXPECT_FALSE(fits(signal(8, 9, ByteOrder::intel), 2));
  EXPECT_TRUE(fits(signal(8, 8, ByteOrder::intel), 2));
}

}  // namespace
}  // namespace cyclerd::dbc
