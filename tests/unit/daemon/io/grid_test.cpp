#include "daemon/io/grid.hpp"

#include <gtest/gtest.h>

namespace cyclerd::io {
namespace {

using base::milliseconds;
using base::MonoTime;
using base::seconds;

TEST(Grid, IsDueAtItsPointNotJustBefore) {
  Grid grid;
  grid.start(MonoTime{1000}, milliseconds(10));
  EXPECT_FALSE(grid.due(MonoTime{999}));
  EXPECT_TRUE(grid.due(MonoTime{1000}));
}

TEST(Grid, LateButWithinThePeriodMissesNothingAndKeepsThePhase) {
  Grid grid;
  grid.start(MonoTime{0}, milliseconds(10));
  EXPECT_EQ(grid.take(MonoTime{9'999}), 0U);
  EXPECT_EQ(grid.next(), MonoTime{10'000});
}

TEST(Grid, APeriodThatWentByIsMissedNotCaughtUp) {
  Grid grid;
  grid.start(MonoTime{0}, milliseconds(10));
  EXPECT_EQ(grid.take(MonoTime{10'000}), 1U);
  EXPECT_EQ(grid.next(), MonoTime{20'000});
  EXPECT_EQ(grid.take(MonoTime{55'000}), 3U);
  EXPECT_EQ(grid.next(), MonoTime{60'000});
}

TEST(Backoff, DoublesUpToTheLongestAndStartsAnew) {
  Backoff wait{seconds(1), seconds(30)};
  for (const int s : {1, 2, 4, 8, 16, 30, 30}) EXPECT_EQ(wait.next(), seconds(s));
  wait.reset();
  EXPECT_EQ(wait.next(), seconds(1));
}

}  // namespace
}  // namespace cyclerd::io
