// The only door to the operating system's clocks. Everything that waits or stamps goes through a Clock.
#pragma once

#include <semaphore.h>

#include <cstdint>

#include "protocols/base/rt.hpp"
#include "protocols/base/time.hpp"

namespace cyclerd::base {

// A wake-up call that another thread may give to a thread waiting on a Clock. Posting never blocks and is safe from
// real-time code; any number of posts before the wait count as one or more wake-ups.
class Wakeup {
 public:
  Wakeup();
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  void post() noexcept RT_NONBLOCKING;
  [[nodiscard]] sem_t& handle() noexcept { return semaphore_; }

 private:
  sem_t semaphore_;
};

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual MonoTime now() const noexcept RT_NONBLOCKING = 0;
  [[nodiscard]] virtual WallTime wall() const noexcept RT_NONBLOCKING = 0;
  // Sleeps until `deadline` (absolute, no drift). Any thread.
  virtual void sleep_until(MonoTime deadline) = 0;
  // Sleeps until `deadline` or until `wakeup` is posted; pending posts are consumed. True when woken by a post.
  virtual bool wait_until(MonoTime deadline, Wakeup& wakeup) = 0;
};

// What the calling thread has cost so far, ns of CPU time. For counting effort, never for deciding.
[[nodiscard]] std::int64_t thread_cpu_ns() noexcept;

// CLOCK_MONOTONIC and CLOCK_REALTIME.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] MonoTime now() const noexcept RT_NONBLOCKING override;
  [[nodiscard]] WallTime wall() const noexcept RT_NONBLOCKING override;
  void sleep_until(MonoTime deadline) override;
  bool wait_until(MonoTime deadline, Wakeup& wakeup) override;
};

// Time that moves only when told to: the one clock authority of simulations, and the clock of tests. Sleeping jumps.
// Not thread-safe: one thread owns a VirtualClock.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(MonoTime start = {}, WallTime wall_at_start = {1'700'000'000'000'000});
  [[nodiscard]] MonoTime now() const noexcept RT_NONBLOCKING override { return now_; }
  [[nodiscard]] WallTime wall() const noexcept RT_NONBLOCKING override { return {now_.us + wall_offset_.us}; }
  void sleep_until(MonoTime deadline) override { advance_to(deadline); }
  bool wait_until(MonoTime deadline, Wakeup& wakeup) override;
  void advance_to(MonoTime t) noexcept {
    if (t > now_) now_ = t;
  }
  void advance(Duration d) noexcept { now_ = now_ + d; }
  // Moves the wall clock only, as an NTP step does.
  void step_wall(Duration d) noexcept { wall_offset_ = wall_offset_ + d; }

 private:
  MonoTime now_;
  Duration wall_offset_;
};

}  // namespace cyclerd::base
