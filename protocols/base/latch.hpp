// The trip latch: once set it stays set until an operator clears it. Read before every write to an instrument.
#pragma once

#include <atomic>
#include <cstdint>

#include "protocols/base/rt.hpp"

namespace cyclerd::base {

// Shared by every port of a channel, the cycle and the control side. Lock-free. The first cause wins and is kept.
class Latch {
 public:
  // Sets the latch. True for the one caller whose cause was kept (a non-zero id of the limit or fault).
  bool trip(std::uint32_t cause) noexcept RT_NONBLOCKING {
    std::uint32_t clear = 0;
    const bool first = cause_.compare_exchange_strong(clear, cause == 0 ? 1 : cause, std::memory_order_acq_rel);
    count_.fetch_add(1, std::memory_order_acq_rel);
    return first;
  }
  [[nodiscard]] bool tripped() const noexcept RT_NONBLOCKING { return cause_.load(std::memory_order_acquire) != 0; }
  [[nodiscard]] std::uint32_t cause() const noexcept RT_NONBLOCKING { return cause_.load(std::memory_order_acquire); }
  // How often a trip was asked for since the start; a port compares it to see what it has already answered.
  [[nodiscard]] std::uint32_t count() const noexcept RT_NONBLOCKING { return count_.load(std::memory_order_acquire); }
  // Only after the cause is gone and an operator acknowledged: called by the control side.
  void clear() noexcept RT_NONBLOCKING { cause_.store(0, std::memory_order_release); }

 private:
  std::atomic<std::uint32_t> cause_{0};
  std::atomic<std::uint32_t> count_{0};
};

}  // namespace cyclerd::base
