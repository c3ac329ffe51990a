// Time that several threads may read and that sleeping moves: servers and clients of one test share it.
#pragma once

#include <atomic>

#include "protocols/base/clock.hpp"

namespace cyclerd::testing_support {

class JumpClock final : public base::Clock {
 public:
  [[nodiscard]] base::MonoTime now() const noexcept RT_NONBLOCKING override { return {us_.load()}; }
  [[nodiscard]] base::WallTime wall() const noexcept RT_NONBLOCKING override {
    return {1'700'000'000'000'000 + us_.load()};
  }
  void sleep_until(base::MonoTime deadline) override {
    std::int64_t now_us = us_.load();
    while (now_us < deadline.us && !us_.compare_exchange_weak(now_us, deadline.us)) {
    }
  }
  bool wait_until(base::MonoTime deadline, base::Wakeup&) override {
    sleep_until(deadline);
    return false;
  }
  void advance(base::Duration d) { us_.fetch_add(d.us); }

 private:
  std::atomic<std::int64_t> us_{1'000'000};
};

}  // namespace cyclerd::testing_support
