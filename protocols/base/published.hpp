// One writer publishes a plain value, any number of readers take consistent copies, nobody waits (a sequence lock).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
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
  void store(const T& value) noexcept RT_NONBLOCKING { store_words(value, kWords); }
  // The same for a value of which only the first `bytes` bytes differ from the one stored before.
  void store_head(const T& value, std::size_t bytes) noexcept RT_NONBLOCKING {
    const std::size_t words = (bytes + kWord - 1) / kWord;
    store_words(value, words < kWords ? words : kWords);
  }

  // Any thread. Retries while the writer is in the middle of a store.
  [[nodiscard]] T load() const noexcept {
    std::array<std::uint64_t, kWords> words{};
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
  static constexpr std::size_t kWord = sizeof(std::uint64_t);
  static constexpr std::size_t kWords = (sizeof(T) + kWord - 1) / kWord;

  void store_words(const T& value, std::size_t count) noexcept RT_NONBLOCKING {
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    const std::uint32_t version = version_.load(std::memory_order_relaxed);
    version_.store(version + 1, std::memory_order_relaxed);
    constexpr std::size_t kWhole = sizeof(T) / kWord;
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + i * kWord, i < kWhole ? kWord : sizeof(T) % kWord);
      words_[i].store(word, std::memory_order_release);
    }
    version_.store(version + 2, std::memory_order_release);
  }

  std::atomic<std::uint32_t> version_{0};
  std::array<std::atomic<std::uint64_t>, kWords> words_{};
};

}  // namespace cyclerd::base
