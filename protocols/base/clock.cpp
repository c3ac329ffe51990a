#include "protocols/base/clock.hpp"

#include <cerrno>
#include <ctime>

#include "protocols/base/check.hpp"

namespace cyclerd::base {

namespace {

std::int64_t read_us(clockid_t id) noexcept {
  timespec ts{};
  clock_gettime(id, &ts);
  return static_cast<std::int64_t>(ts.tv_sec) * 1'000'000 + ts.tv_nsec / 1000;
}

timespec to_timespec(MonoTime t) noexcept {
  timespec ts{};
  ts.tv_sec = static_cast<time_t>(t.us / 1'000'000);
  ts.tv_nsec = static_cast<long>((t.us % 1'000'000) * 1000);
  return ts;
}

}  // namespace

Wakeup::Wakeup() {
  ENSURE(sem_init(&semaphore_, 0, 0) == 0, "semaphore");
}
Wakeup::~Wakeup() {
  sem_destroy(&semaphore_);
}

// sem_post is async-signal-safe and takes no lock; the analysis cannot see into libc.
#if defined(__clang__) && __clang_major__ >= 20
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wfunction-effects"
#endif
void Wakeup::post() noexcept RT_NONBLOCKING {
  sem_post(&semaphore_);
}
// Both clocks are read through the vDSO: no system call, no lock.
MonoTime SystemClock::now() const noexcept RT_NONBLOCKING {
  return {read_us(CLOCK_MONOTONIC)};
}
WallTime SystemClock::wall() const noexcept RT_NONBLOCKING {
  return {read_us(CLOCK_REALTIME)};
}
#if defined(__clang__) && __clang_major__ >= 20
#pragma clang diagnostic pop
#endif

std::int64_t thread_cpu_ns() noexcept {
  timespec ts{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
  return static_cast<std::int64_t>(ts.tv_sec) * 1'000'000'000 + ts.tv_nsec;
}

void SystemClock::sleep_until(MonoTime deadline) {
  const timespec ts = to_timespec(deadline);
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, nullptr) == EINTR) {
  }
}

bool SystemClock::wait_until(MonoTime deadline, Wakeup& wakeup) {
  const timespec ts = to_timespec(deadline);
  int rc = 0;
  do {
    rc = sem_clockwait(&wakeup.handle(), CLOCK_MONOTONIC, &ts);
  } while (rc != 0 && errno == EINTR);
  if (rc != 0) return false;
  while (sem_trywait(&wakeup.handle()) == 0) {
  }
  return true;
}

VirtualClock::VirtualClock(MonoTime start, WallTime wall_at_start)
    : now_(start), wall_offset_{wall_at_start.us - start.us} {}

bool VirtualClock::wait_until(MonoTime deadline, Wakeup& wakeup) {
  if (sem_trywait(&wakeup.handle()) == 0) {
    while (sem_trywait(&wakeup.handle()) == 0) {
    }
    return true;
  }
  advance_to(deadline);
  return false;
}

}  // namespace cyclerd::base
