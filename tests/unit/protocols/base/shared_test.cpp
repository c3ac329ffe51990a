// What several threads share without a ring: the published value and the latch.
#include <gtest/gtest.h>
#include <cstddef>

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

#include "protocols/base/latch.hpp"
#include "protocols/base/published.hpp"
#include "protocols/base/units.hpp"

namespace cyclerd::base {
namespace {

struct Odd {
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint32_t c[17] = {};
};

TEST(Published, ReturnsWhatWasStored) {
  Published<Odd> published;
  EXPECT_EQ(published.load().a, 0U);
  Odd value;
  value.a = 7;
  value.c[16] = 9;
  published.store(value);
  EXPECT_EQ(published.load().a, 7U);
  EXPECT_EQ(published.load().c[16], 9U);
}

TEST(Published, AHeadLeavesTheRestAsItWas) {
  struct Long {
    std::uint64_t head[2] = {};
    std::uint64_t tail[2] = {};
    std::uint8_t last = 0;
  };
  Published<Long> published;
  published.store({{1, 2}, {3, 4}, 5});
  published.store_head({{6, 7}, {8, 9}, 10}, offsetof(Long, tail));
  const Long seen = published.load();
  EXPECT_EQ(seen.head[0], 6u);
  EXPECT_EQ(seen.head[1], 7u);
  EXPECT_EQ(seen.tail[0], 3u);
  EXPECT_EQ(seen.tail[1], 4u);
  EXPECT_EQ(seen.last, 5u);
  published.store_head({{1, 2}, {3, 4}, 11}, sizeof(Long));
  EXPECT_EQ(published.load().last, 11u);
  EXPECT_EQ(published.load().tail[1], 4u);
}

TEST(Published, ReadersNeverSeeATornValue) {
  Published<Odd> published;
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> torn{0};
  std::atomic<std::uint64_t> seen{0};
  auto reader = [&] {
    while (!stop.load()) {
      const Odd v = published.load();
      bool whole = v.a == v.b;
      for (const auto c : v.c) whole = whole && c == v.a;
      if (!whole) torn.fetch_add(1);
      seen.fetch_add(1);
    }
  };
  std::thread one(reader);
  std::thread two(reader);
  for (std::uint32_t i = 1; i <= 100'000 || seen.load() < 1000; ++i) {
    Odd v;
    v.a = v.b = i;
    for (auto& c : v.c) c = i;
    published.store(v);
  }
  stop = true;
  one.join();
  two.join();
  EXPECT_EQ(torn.load(), 0U);
}

TEST(Latch, FirstCauseWinsAndStays) {
  Latch latch;
  EXPECT_FALSE(latch.tripped());
  EXPECT_TRUE(latch.trip(5));
  EXPECT_FALSE(latch.trip(6));
  EXPECT_EQ(latch.cause(), 5U);
  EXPECT_EQ(latch.count(), 2U);
  latch.clear();
  EXPECT_FALSE(latch.tripped());
  EXPECT_EQ(latch.count(), 2U);
  EXPECT_TRUE(latch.trip(6));
}

TEST(Latch, CauseZeroStillTrips) {
  Latch latch;
  EXPECT_TRUE(latch.trip(0));
  EXPECT_TRUE(latch.tripped());
}

TEST(Latch, OneOfManyThreadsIsTheFirst) {
  for (int round = 0; round < 200; ++round) {
    Latch latch;
    std::atomic<int> firsts{0};
    std::vector<std::thread> threads;
    for (std::uint32_t i = 1; i <= 4; ++i)
      threads.emplace_back([&latch, &firsts, i] { firsts += latch.trip(i) ? 1 : 0; });
    for (auto& t : threads) t.join();
    EXPECT_EQ(firsts.load(), 1);
    EXPECT_EQ(latch.count(), 4U);
  }
}

TEST(Quantity, ArithmeticKeepsTheUnit) {
  constexpr Volt a{4.0};
  constexpr Volt b{0.5};
  EXPECT_DOUBLE_EQ((a + b).value, 4.5);
  EXPECT_DOUBLE_EQ((a - b * 2).value, 3.0);
  EXPECT_DOUBLE_EQ(a / b, 8.0);
  EXPECT_LT(b, a);
  EXPECT_DOUBLE_EQ((-a).value, -4.0);
}

}  // namespace
}  // namespace cyclerd::base
