// The only file that makes threads.
#pragma once

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "protocols/base/result.hpp"

namespace cyclerd::app {

struct ThreadOptions {
  std::string name;           // at most 15 characters are shown by ps and top
  int fifo_priority = 0;      // SCHED_FIFO where permitted; 0: SCHED_OTHER
  std::vector<int> affinity;  // CPUs; empty: any
  std::size_t stack_bytes = 256 * 1024;
};

// A running thread; the destructor joins. Signals are blocked in it: the main thread alone takes them.
class Thread {
 public:
  // Errors: permission (EAGAIN under a memory or process limit). A refused SCHED_FIFO is no error: see fifo_refused().
  static base::Result<std::unique_ptr<Thread>> start(ThreadOptions options, std::function<void()> body);
  ~Thread();
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  void join();
  // The scheduling class was refused, or the CPUs do not exist. Known once start() has returned.
  [[nodiscard]] bool fifo_refused() const noexcept;
  [[nodiscard]] bool affinity_refused() const noexcept;

 private:
  struct Shared;
  Thread();
  static void* enter(void* shared);
  std::unique_ptr<Shared> shared_;
  pthread_t handle_{};
  bool joined_ = true;
};

// A thread that does one job after the other, oldest first: what takes too long for the thread that was asked.
class Worker {
 public:
  static base::Result<std::unique_ptr<Worker>> start(ThreadOptions options, std::size_t max_waiting);
  ~Worker();  // finishes the job under way and drops those that wait
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Any thread. False, and nothing done, when `max_waiting` jobs wait already. A job must not throw.
  [[nodiscard]] bool post(std::function<void()> job);

 private:
  explicit Worker(std::size_t max_waiting) : max_waiting_(max_waiting) {}
  void run();

  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool ending_ = false;
  std::unique_ptr<Thread> thread_;
};

// Gives the calling thread its name, class and CPUs; false when the class was refused.
bool make_this_thread_realtime(const ThreadOptions& options);

// Runs the jobs at once, each on a thread of its own, and returns when all are done (make-safe across wires).
void run_in_parallel(std::vector<std::function<void()>> jobs);

}  // namespace cyclerd::app
