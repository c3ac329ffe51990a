#include "protocols/base/clock.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "protocols/base/check.hpp"

namespace cyclerd::base {
namespace {

TEST(Time, DurationArithmetic) {
  EXPECT_EQ(milliseconds(3) + microseconds(5), microseconds(3005));
  EXPECT_EQ(hours(1), seconds(3600));
  EXPECT_DOUBLE_EQ(milliseconds(1500).seconds(), 1.5);
  EXPECT_EQ(MonoTime{100} + microseconds(5) - MonoTime{90}, microseconds(15));
  EXPECT_LT(milliseconds(1), milliseconds(2));
}

TEST(VirtualClock, MovesOnlyWhenToldAndNeverBack) {
  VirtualClock clock(MonoTime{1000});
  EXPECT_EQ(clock.now(), MonoTime{1000});
  clock.sleep_until(MonoTime{5000});
  EXPECT_EQ(clock.now(), MonoTime{5000});
  clock.advance_to(MonoTime{4000});
  EXPECT_EQ(clock.now(), MonoTime{5000});
  clock.advance(microseconds(7));
  EXPECT_EQ(clock.now(), MonoTime{5007});
}

TEST(VirtualClock, WallFollowsAndStepsAlone) {
  VirtualClock clock(MonoTime{0}, WallTime{1'000'000});
  clock.advance(seconds(1));
  EXPECT_EQ(clock.wall(), WallTime{2'000'000});
  clock.step_wall(seconds(-1));
  EXPECT_EQ(clock.wall(), WallTime{1'000'000});
  EXPECT_EQ(clock.now(), MonoTime{1'000'000});
}

TEST(VirtualClock, PendingPostWakesWithoutMovingTime) {
  VirtualClock clock;
  Wakeup wakeup;
  wakeup.post();
  wakeup.post();
  EXPECT_TRUE(clock.wait_until(MonoTime{500}, wakeup));
  EXPECT_EQ(clock.now(), MonoTime{0});
  EXPECT_FALSE(clock.wait_until(MonoTime{500}, wakeup));
  EXPECT_EQ(clock.now(), MonoTime{500});
}

TEST(SystemClock, NeverGoesBackAndHoldsDeadlines) {
  SystemClock clock;
  const MonoTime start = clock.now();
  clock.sleep_until(start + milliseconds(2));
  EXPECT_GE(clock.now(), start + milliseconds(2));
  EXPECT_GT(clock.wall().us, 1'600'000'000'000'000);
}

TEST(SystemClock, DeadlineInThePastReturnsAtOnce) {
  SystemClock clock;
  Wakeup wakeup;
  EXPECT_FALSE(clock.wait_until(clock.now() - seconds(1), wakeup));
}

TEST(SystemClock, PostFromAnotherThreadWakes) {
  SystemClock clock;
  Wakeup wakeup;
  std::thread other([&wakeup] { wakeup.post(); });
  EXPECT_TRUE(clock.wait_until(clock.now() + seconds(30), wakeup));
  other.join();
}

TEST(CheckDeathTest, BrokenPromiseNamesItselfAndAborts) {
  EXPECT_DEATH(ENSURE(1 == 2, "one is two"), "internal error: one is two \\(1 == 2\\) at .*clock_test");
  ENSURE(true, "never");
}

}  // namespace
}  // namespace cyclerd::base
