// One writer publishes a plain value, any number of readers take consistent copies, nobody waits (a sequence lock).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "protocols/base/rt.hpp"

namespace cyclerd::base {

template <class T>
class Published {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  // The one writing thread. Who reads a new word also sees the odd version that came before it: release on each word
  // says so without a fence, which ThreadSanitizer does not know.
  void store(const T& value) noexcept RT_NONBLOCKING {
    Words words{};
    std::memcpy(words.data(), &value, sizeof value);
    const std::uint32_t version = version_.load(std::memory_order_relaxed);
    version_.store(version + 1, std::memory_order_relaxed);
    for (std::size_t i = 0; i < words.size(); ++i) words_[i].store(words[i], std::memory_order_release);
    version_.store(version + 2, std::memory_order_release);
  }

  // Any thread. Retries while the writer is in the middle of a store.
  [[nodiscard]] T load() const noexcept {
    Words words{};
    std::uint32_t before = 0;
    std::uint32_t after = 0;
    do {
      before = version_.load(std::memory_order_acquire);
      for (std::size_t i = 0; i < words.size(); ++i) words[i] = words_[i].load(std::memory_order_acquire);
      after = version_.load(std::memory_order_relaxed);
    } while (before != after || (before & 1U) != 0);
    T value;
    std::memcpy(static_cast<void*>(&value), words.data(), sizeof value);
    return value;
  }

 private:
  using Words = std::array<std::uint64_t, (sizeof(T) + 7) / 8>;
  std::atomic<std::uint32_t> version_{0};
  std::array<std::atomic<std::uint64_t>, (sizeof(T) + 7) / 8> words_{};
};

}  // namespace cyclerd::base
