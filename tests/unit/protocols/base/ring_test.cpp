#include "protocols/base/ring.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

namespace cyclerd::base {
namespace {

std::span<const std::byte> bytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}
std::string text(std::span<const std::byte> frame) {
  return {reinterpret_cast<const char*>(frame.data()), frame.size()};
}

TEST(Ring, CapacityIsRoundedUpToAPowerOfTwo) {
  EXPECT_EQ(Ring<int>(1).capacity(), 2U);
  EXPECT_EQ(Ring<int>(5).capacity(), 8U);
  EXPECT_EQ(Ring<int>(8).capacity(), 8U);
}

TEST(Ring, FullRingRefusesAndCounts) {
  Ring<int> ring(4);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring.push(i));
  EXPECT_EQ(ring.size(), 4U);
  EXPECT_FALSE(ring.push(4));
  EXPECT_EQ(ring.overruns(), 1U);
  int value = -1;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(ring.pop(value));
    EXPECT_EQ(value, i);
  }
  EXPECT_FALSE(ring.pop(value));
  EXPECT_TRUE(ring.push(5));
}

TEST(Ring, IsEmptyUntilTheFirstPushAndAfterTheLastPop) {
  Ring<int> ring(4);
  EXPECT_TRUE(ring.empty());
  EXPECT_TRUE(ring.push(1));
  EXPECT_TRUE(ring.push(2));
  int value = 0;
  EXPECT_TRUE(ring.pop(value));
  EXPECT_FALSE(ring.empty());
  EXPECT_TRUE(ring.pop(value));
  EXPECT_TRUE(ring.empty());
}

TEST(Ring, KeepsOrderOverManyWraps) {
  Ring<std::uint64_t> ring(8);
  std::uint64_t in = 0;
  std::uint64_t out = 0;
  for (int round = 0; round < 1000; ++round) {
    for (int k = 0; k < round % 9; ++k) in += ring.push(in) ? 1 : 0;
    std::uint64_t value = 0;
    for (int k = 0; k < (round * 7) % 9; ++k) {
      if (!ring.pop(value)) break;
      ASSERT_EQ(value, out++);
    }
  }
  EXPECT_GT(out, 1000U);
}

struct Wide {
  std::uint64_t number;
  std::uint64_t inverse;
  std::uint64_t padding[6];
};

TEST(Ring, TwoThreadsLoseAndTearNothing) {
  constexpr std::uint64_t kCount = 300'000;
  Ring<Wide> ring(64);
  std::thread producer([&ring] {
    for (std::uint64_t i = 0; i < kCount;) {
      if (ring.push({i, ~i, {i, i, i, i, i, i}}))
        ++i;
      else
        std::this_thread::yield();
    }
  });
  std::uint64_t expected = 0;
  bool whole = true;
  while (expected < kCount) {
    Wide w{};
    if (!ring.pop(w)) {
      std::this_thread::yield();
      continue;
    }
    whole = whole && w.number == expected && w.inverse == ~expected && w.padding[5] == expected;
    ++expected;
  }
  producer.join();
  EXPECT_TRUE(whole);
  EXPECT_EQ(ring.size(), 0U);
}

TEST(FrameRing, FramesComeOutAsTheyWentIn) {
  FrameRing ring(4096);
  EXPECT_TRUE(ring.peek().empty());
  ASSERT_TRUE(ring.push(bytes("one")));
  ASSERT_TRUE(ring.push(bytes("second frame")));
  EXPECT_EQ(text(ring.peek()), "one");
  EXPECT_EQ(text(ring.peek()), "one");
  ring.release();
  EXPECT_EQ(text(ring.peek()), "second frame");
  ring.release();
  EXPECT_TRUE(ring.peek().empty());
  EXPECT_EQ(ring.used_bytes(), 0U);
}

TEST(FrameRing, PartsAreJoined) {
  FrameRing ring(4096);
  const std::string a = "head";
  const std::string b;
  const std::string c = "body";
  const std::array<std::span<const std::byte>, 3> parts{bytes(a), bytes(b), bytes(c)};
  ASSERT_TRUE(ring.push_parts(parts));
  EXPECT_EQ(text(ring.peek()), "headbody");
}

TEST(FrameRing, LargestFrameIsAQuarterOfTheCapacity) {
  FrameRing ring(4096);
  EXPECT_TRUE(ring.push(bytes(std::string(1024 - 8, 'x'))));
  EXPECT_FALSE(ring.push(bytes(std::string(1024 - 7, 'x'))));
  EXPECT_EQ(ring.overruns(), 1U);
}

TEST(FrameRing, FullRingRefusesAndRecovers) {
  FrameRing ring(4096);
  const std::string frame(1016, 'x');  // exactly a quarter with its header
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(ring.push(bytes(frame)));
  EXPECT_FALSE(ring.push(bytes("y")));
  ASSERT_FALSE(ring.peek().empty());
  ring.release();
  EXPECT_TRUE(ring.push(bytes("y")));
}

TEST(FrameRing, FramesStayWholeAcrossTheWrap) {
  FrameRing ring(4096);
  std::uint64_t in = 0;
  std::uint64_t out = 0;
  for (int round = 0; round < 5000; ++round) {
    const std::string frame = std::to_string(in) + ":" + std::string(in * 37 % 700, static_cast<char>('a' + in % 26));
    if (ring.push(bytes(frame))) ++in;
    if (round % 3 == 0) continue;
    const auto front = ring.peek();
    if (front.empty()) continue;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(front.data()) % 8, 0U);
    ASSERT_EQ(text(front), std::to_string(out) + ":" + std::string(out * 37 % 700, static_cast<char>('a' + out % 26)));
    ring.release();
    ++out;
  }
  EXPECT_GT(out, 2000U);
}

TEST(FrameRing, TwoThreadsLoseAndTearNothing) {
  constexpr std::uint64_t kCount = 100'000;
  FrameRing ring(8192);
  std::thread producer([&ring] {
    std::vector<std::byte> frame;
    for (std::uint64_t i = 0; i < kCount;) {
      frame.assign(1 + i * 31 % 400, static_cast<std::byte>(i));
      if (ring.push(frame))
        ++i;
      else
        std::this_thread::yield();
    }
  });
  std::uint64_t wrong = 0;
  for (std::uint64_t i = 0; i < kCount;) {
    const auto frame = ring.peek();
    if (frame.empty()) {
      std::this_thread::yield();
      continue;
    }
    wrong +=
        frame.size() == 1 + i * 31 % 400 && frame.front() == static_cast<std::byte>(i) && frame.back() == frame.front()
            ? 0
            : 1;
    ring.release();
    ++i;
  }
  producer.join();
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace cyclerd::base
