#include "daemon/app/threads.hpp"

#include <atomic>
#include <semaphore>
#include <vector>

#include <gtest/gtest.h>

namespace cyclerd::app {
namespace {

TEST(Worker, DoesItsJobsInOrderAndTakesNoMoreThanMayWait) {
  auto worker = Worker::start({.name = "worker", .fifo_priority = 0, .affinity = {}}, 2);
  ASSERT_TRUE(worker);
  std::binary_semaphore begun{0};
  std::binary_semaphore go{0};
  std::binary_semaphore last{0};
  std::vector<int> done;
  ASSERT_TRUE((*worker)->post([&] {
    begun.release();
    go.acquire();
    done.push_back(1);
  }));
  begun.acquire();
  EXPECT_TRUE((*worker)->post([&] { done.push_back(2); }));
  EXPECT_TRUE((*worker)->post([&] {
    done.push_back(3);
    last.release();
  }));
  EXPECT_FALSE((*worker)->post([&] { done.push_back(4); })) << "two wait already";
  go.release();
  last.acquire();
  EXPECT_EQ(done, (std::vector<int>{1, 2, 3}));
}

TEST(Worker, EndsWithTheJobUnderWayAndDropsTheRest) {
  std::atomic<int> done{0};
  std::binary_semaphore begun{0};
  {
    auto worker = Worker::start({.name = "worker", .fifo_priority = 0, .affinity = {}}, 4);
    ASSERT_TRUE(worker);
    ASSERT_TRUE((*worker)->post([&] {
      begun.release();
      ++done;
    }));
    begun.acquire();
  }
  EXPECT_EQ(done, 1);
}

}  // namespace
}  // namespace cyclerd::app
