// Moments at which something is due.
#pragma once

#include <algorithm>
#include <cstdint>

#include "protocols/base/time.hpp"

namespace cyclerd::io {

// A fixed grid: first, first + period, ... What comes late is skipped and counted, never caught up, so that the phase
// of the samples does not drift with the load of the wire.
class Grid {
 public:
  // `period` must be above zero.
  void start(base::MonoTime first, base::Duration period) noexcept {
    next_ = first;
    period_ = std::max(period, base::microseconds(1));
  }
  [[nodiscard]] base::MonoTime next() const noexcept { return next_; }
  [[nodiscard]] base::Duration period() const noexcept { return period_; }
  [[nodiscard]] bool due(base::MonoTime now) const noexcept { return now >= next_; }

  // Takes the grid point whose period `now` lies in; returns how many before it were missed. Only when due.
  std::uint64_t take(base::MonoTime now) noexcept {
    if (now < next_ + period_) {  // in time; no division
      next_ = next_ + period_;
      return 0;
    }
    const std::int64_t missed = (now - next_).us / period_.us;
    next_ = next_ + period_ * (missed + 1);
    return static_cast<std::uint64_t>(missed);
  }

 private:
  base::MonoTime next_;
  base::Duration period_ = base::seconds(1);
};

// Waiting times that double from `first` to `longest`.
class Backoff {
 public:
  constexpr Backoff(base::Duration first, base::Duration longest) noexcept
      : first_(first), longest_(longest), wait_(first) {}
  base::Duration next() noexcept {
    const base::Duration wait = wait_;
    wait_ = std::min(wait_ * 2, longest_);
    return wait;
  }
  void reset() noexcept { wait_ = first_; }

 private:
  base::Duration first_;
  base::Duration longest_;
  base::Duration wait_;
};

}  // namespace cyclerd::io
