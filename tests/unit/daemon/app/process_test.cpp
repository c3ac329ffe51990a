#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "daemon/app/realtime.hpp"
#include "daemon/app/resources.hpp"
#include "daemon/app/state_lock.hpp"
#include "daemon/app/threads.hpp"

namespace cyclerd::app {
namespace {

std::string temporary_folder() {
  std::string name = testing::TempDir() + "cyclerd-XXXXXX";
  return mkdtemp(name.data());
}

TEST(StateLock, OneHolderAtATimeAndTheSecondIsToldWhoHasIt) {
  const std::string folder = temporary_folder() + "/deep/state";
  auto first = StateLock::take(folder);
  ASSERT_TRUE(first) << first.error().text();
  const auto second = StateLock::take(folder);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, base::ErrorCode::busy);
  EXPECT_NE(second.error().text().find(std::to_string(getpid())), std::string::npos) << second.error().text();
}

TEST(StateLock, IsFreeAgainWhenItsHolderIsGone) {
  const std::string folder = temporary_folder();
  { ASSERT_TRUE(StateLock::take(folder)); }
  EXPECT_TRUE(StateLock::take(folder));
}

TEST(StateLock, AFolderThatCannotBeMadeIsNamed) {
  const std::string folder = temporary_folder();
  std::ofstream(folder + "/file") << "x";
  const auto lock = StateLock::take(folder + "/file/state");
  ASSERT_FALSE(lock);
  EXPECT_NE(lock.error().text().find("/file/state"), std::string::npos);
}

TEST(Thread, RunsItsBodyUnderItsNameAndStackAndJoins) {
  std::atomic<bool> ran{false};
  std::string name(16, '\0');
  std::size_t stack_bytes = 0;
  {
    auto thread = Thread::start({.name = "wire-name-that-is-long", .fifo_priority = 0, .affinity = {}}, [&] {
      pthread_getname_np(pthread_self(), name.data(), name.size());
      pthread_attr_t attributes;
      pthread_getattr_np(pthread_self(), &attributes);
      pthread_attr_getstacksize(&attributes, &stack_bytes);
      pthread_attr_destroy(&attributes);
      ran = true;
    });
    ASSERT_TRUE(thread) << thread.error().text();
    EXPECT_FALSE((*thread)->fifo_refused());
  }
  EXPECT_TRUE(ran);
  EXPECT_STREQ(name.c_str(), "wire-name-that-");
  EXPECT_GE(stack_bytes, 256U * 1024U);
  EXPECT_LT(stack_bytes, 2048U * 1024U);
}

TEST(Thread, ACpuThatDoesNotExistIsReportedNotFatal) {
  auto thread = Thread::start({.name = "x", .fifo_priority = 0, .affinity = {1023}}, [] {});
  ASSERT_TRUE(thread);
  EXPECT_TRUE((*thread)->affinity_refused());
}

TEST(Thread, RunInParallelRunsEveryJob) {
  std::atomic<int> count{0};
  std::vector<std::function<void()>> jobs(5, [&count] { ++count; });
  run_in_parallel(std::move(jobs));
  EXPECT_EQ(count, 5);
  run_in_parallel({});
}

TEST(Descriptors, MoveAboveTheRangeThatModbusNeeds) {
  const int fd = open("/dev/null", O_RDONLY);
  const int high = move_descriptor_up(fd);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max > 1024) {
    EXPECT_GE(high, 1024);
    EXPECT_EQ(fcntl(fd, F_GETFD), -1) << "the low one is free again";
    EXPECT_NE(fcntl(high, F_GETFD) & FD_CLOEXEC, 0);
  } else {
    EXPECT_EQ(high, fd);
  }
  close(high);
}

TEST(Resources, TheSourceTreeServesABuild) {
  const Resources resources = find_resources();
  EXPECT_TRUE(std::filesystem::is_directory(resources.devices)) << resources.devices;
  EXPECT_TRUE(std::filesystem::is_directory(resources.profiles)) << resources.profiles;
  EXPECT_TRUE(version().starts_with("cyclerd "));
}

}  // namespace
}  // namespace cyclerd::app
