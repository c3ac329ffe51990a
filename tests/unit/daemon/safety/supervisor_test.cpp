#include "daemon/safety/supervisor.hpp"

#include <gtest/gtest.h>

namespace cyclerd::safety {
namespace {

using base::milliseconds;
using base::MonoTime;

class SupervisorTest : public testing::Test {
 protected:
  std::atomic<std::uint64_t> port{0};
  std::uint64_t recorder = 0;
  Supervisor supervisor;
};

TEST_F(SupervisorTest, FeedsNothingBeforeTheFirstCheckAndWithoutAnythingToWatch) {
  EXPECT_FALSE(supervisor.may_feed({}));
  EXPECT_TRUE(supervisor.check({}).empty());
  EXPECT_FALSE(supervisor.may_feed({}));
  supervisor.watch("port", port, milliseconds(100), {});
  EXPECT_TRUE(supervisor.check({}).empty());
  EXPECT_TRUE(supervisor.may_feed({}));
}

TEST_F(SupervisorTest, CounterIsInTimeAtTheAllowedAgeAndLateJustBeyond) {
  supervisor.watch("port", port, milliseconds(100), MonoTime{0});
  EXPECT_TRUE(supervisor.check(MonoTime{99'999}).empty());
  EXPECT_TRUE(supervisor.check(MonoTime{100'000}).empty());
  EXPECT_TRUE(supervisor.may_feed(MonoTime{100'000}));
  const auto late = supervisor.check(MonoTime{100'001});
  ASSERT_EQ(late.size(), 1U);
  EXPECT_EQ(late[0].name, "port");
  EXPECT_EQ(late[0].id, 0U);
  EXPECT_EQ(late[0].age.us, 100'001);
  EXPECT_EQ(late[0].allowed, milliseconds(100));
  EXPECT_FALSE(supervisor.may_feed(MonoTime{100'001}));
}

TEST_F(SupervisorTest, ProgressCountsFromTheMomentItIsSeen) {
  supervisor.watch("port", port, milliseconds(100), MonoTime{0});
  port.fetch_add(1);
  EXPECT_TRUE(supervisor.check(MonoTime{500'000}).empty());
  EXPECT_TRUE(supervisor.check(MonoTime{600'000}).empty());
  EXPECT_EQ(supervisor.check(MonoTime{600'001}).size(), 1U);
  port.fetch_add(1);
  EXPECT_TRUE(supervisor.check(MonoTime{700'000}).empty()) << "late no more";
  EXPECT_TRUE(supervisor.may_feed(MonoTime{700'000}));
}

TEST_F(SupervisorTest, OneLatePartAmongManyStopsTheFeeding) {
  supervisor.watch("port", port, milliseconds(100), MonoTime{0});
  const std::size_t id = supervisor.watch(
      "recorder", [this] { return recorder; }, milliseconds(50), MonoTime{0});
  port.fetch_add(1);
  const auto late = supervisor.check(MonoTime{60'000});
  ASSERT_EQ(late.size(), 1U);
  EXPECT_EQ(late[0].id, id);
  EXPECT_EQ(late[0].name, "recorder");
  EXPECT_FALSE(supervisor.may_feed(MonoTime{60'000}));
}

TEST_F(SupervisorTest, AnOldVerdictFeedsNothing) {
  supervisor.watch("port", port, milliseconds(100), MonoTime{0});
  EXPECT_TRUE(supervisor.check(MonoTime{10'000}).empty());
  EXPECT_TRUE(supervisor.may_feed(MonoTime{10'000}));
  EXPECT_FALSE(supervisor.may_feed(MonoTime{10'001}));
}

TEST_F(SupervisorTest, CounterThatStartsAboveZeroHasNotProgressedByThat) {
  port = 7;
  supervisor.watch("port", port, milliseconds(100), MonoTime{0});
  EXPECT_EQ(supervisor.check(MonoTime{100'001}).size(), 1U);
}

}  // namespace
}  // namespace cyclerd::safety
