// Bounded lock-free rings between exactly one producing and one consuming thread: the only way between threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>

#include "protocols/base/rt.hpp"

namespace cyclerd::base {

// Ring of trivially copyable items. Capacity is rounded up to a power of two. The memory is touched at construction.
template <class T>
class Ring {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit Ring(std::size_t capacity) {
    std::size_t n = 2;
    while (n < capacity) n *= 2;
    items_ = std::make_unique<T[]>(n);
    mask_ = n - 1;
  }

  // Producer. False when full; the loss is counted.
  bool push(const T& item) noexcept RT_NONBLOCKING {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    if (head - tail_.load(std::memory_order_acquire) > mask_) {
      overruns_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    items_[head & mask_] = item;
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  // Consumer. False when empty.
  bool pop(T& item) noexcept RT_NONBLOCKING {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (tail == head_.load(std::memory_order_acquire)) return false;
    item = items_[tail & mask_];
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  // Consumer.
  [[nodiscard]] bool empty() const noexcept RT_NONBLOCKING {
    return tail_.load(std::memory_order_relaxed) == head_.load(std::memory_order_acquire);
  }

  // Any thread; a snapshot.
  [[nodiscard]] std::size_t size() const noexcept RT_NONBLOCKING {
    return static_cast<std::size_t>(head_.load(std::memory_order_acquire) - tail_.load(std::memory_order_acquire));
  }
  [[nodiscard]] std::size_t capacity() const noexcept RT_NONBLOCKING { return mask_ + 1; }
  [[nodiscard]] std::uint64_t overruns() const noexcept RT_NONBLOCKING {
    return overruns_.load(std::memory_order_relaxed);
  }

 private:
  std::unique_ptr<T[]> items_;
  std::uint64_t mask_ = 0;
  alignas(64) std::atomic<std::uint64_t> head_{0};
  alignas(64) std::atomic<std::uint64_t> tail_{0};
  alignas(64) std::atomic<std::uint64_t> overruns_{0};
};

// Ring of frames of differing size (records on their way to disk). A frame is contiguous in memory, so the consumer
// reads it in place. Capacity in bytes, rounded up to a power of two.
class FrameRing {
 public:
  explicit FrameRing(std::size_t capacity_bytes) {
    std::size_t n = 4096;
    while (n < capacity_bytes) n *= 2;
    bytes_ = std::make_unique<std::byte[]>(n);
    mask_ = n - 1;
    std::memset(bytes_.get(), 0, n);
  }

  // Producer. Copies `frame` in; false when there is no room (the loss is counted). Frames above a quarter of the
  // capacity are refused the same way.
  bool push(std::span<const std::byte> frame) noexcept RT_NONBLOCKING { return push_parts({&frame, 1}); }
  // The same for a frame whose parts lie in different places; the consumer sees them joined.
  bool push_parts(std::span<const std::span<const std::byte>> parts) noexcept RT_NONBLOCKING {
    std::size_t size = 0;
    for (const auto& part : parts) size += part.size();
    const std::uint64_t need = round_up(kHeader + size);
    const std::uint64_t capacity = mask_ + 1;
    std::uint64_t head = head_.load(std::memory_order_relaxed);
    const std::uint64_t used = head - tail_.load(std::memory_order_acquire);
    const std::uint64_t to_end = capacity - (head & mask_);
    const std::uint64_t skip = need > to_end ? to_end : 0;
    if (need > capacity / 4 || used + skip + need > capacity) {
      overruns_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    if (skip != 0) {
      write_size(head, kSkip);
      head += skip;
    }
    write_size(head, static_cast<std::uint32_t>(size));
    std::byte* to = &bytes_[head & mask_] + kHeader;
    for (const auto& part : parts) {
      if (!part.empty()) std::memcpy(to, part.data(), part.size());
      to += part.size();
    }
    head_.store(head + need, std::memory_order_release);
    return true;
  }

  // Consumer. The oldest frame, or an empty span when there is none. Valid until release().
  [[nodiscard]] std::span<const std::byte> peek() noexcept RT_NONBLOCKING {
    std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    while (tail != head_.load(std::memory_order_acquire)) {
      const std::uint32_t size = read_size(tail);
      if (size != kSkip) return {&bytes_[(tail & mask_) + kHeader], size};
      tail += mask_ + 1 - (tail & mask_);
      tail_.store(tail, std::memory_order_release);
    }
    return {};
  }
  // Consumer. Gives the frame of the last peek() back.
  void release() noexcept RT_NONBLOCKING {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    tail_.store(tail + round_up(kHeader + read_size(tail)), std::memory_order_release);
  }

  [[nodiscard]] std::size_t used_bytes() const noexcept RT_NONBLOCKING {
    return static_cast<std::size_t>(head_.load(std::memory_order_acquire) - tail_.load(std::memory_order_acquire));
  }
  [[nodiscard]] std::size_t capacity_bytes() const noexcept RT_NONBLOCKING { return mask_ + 1; }
  [[nodiscard]] std::uint64_t overruns() const noexcept RT_NONBLOCKING {
    return overruns_.load(std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint64_t kHeader = 8;  // keeps frames aligned to 8 bytes
  static constexpr std::uint32_t kSkip = 0xFFFFFFFFU;

  static constexpr std::uint64_t round_up(std::uint64_t n) noexcept RT_NONBLOCKING {
    return (n + 7) & ~std::uint64_t{7};
  }
  void write_size(std::uint64_t at, std::uint32_t size) noexcept RT_NONBLOCKING {
    std::memcpy(&bytes_[at & mask_], &size, sizeof size);
  }
  [[nodiscard]] std::uint32_t read_size(std::uint64_t at) const noexcept RT_NONBLOCKING {
    std::uint32_t size = 0;
    std::memcpy(&size, &bytes_[at & mask_], sizeof size);
    return size;
  }

  std::unique_ptr<std::byte[]> bytes_;
  std::uint64_t mask_ = 0;
  alignas(64) std::atomic<std::uint64_t> head_{0};
  alignas(64) std::atomic<std::uint64_t> tail_{0};
  alignas(64) std::atomic<std::uint64_t> overruns_{0};
};

}  // namespace cyclerd::base
