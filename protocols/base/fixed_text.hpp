// A short text that owns its characters and never allocates: for errors, events and records on real-time paths.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "protocols/base/rt.hpp"

namespace cyclerd::base {

// At most N bytes of UTF-8; longer input is cut at a character boundary. Trivially copyable, so it may be journalled.
template <std::size_t N>
class FixedText {
 public:
  static_assert(N <= 65535);
  constexpr FixedText() = default;
  constexpr FixedText(std::string_view text) noexcept RT_NONBLOCKING { append(text); }
  constexpr FixedText(const char* text) noexcept RT_NONBLOCKING { append(std::string_view{text}); }

  constexpr FixedText& append(std::string_view text) noexcept RT_NONBLOCKING {
    const std::size_t room = N - size_;
    std::size_t n = text.size();
    if (n > room) {
      n = room;
      while (n > 0 && (static_cast<unsigned char>(text.data()[n]) & 0xC0U) == 0x80U) --n;
    }
    if (std::is_constant_evaluated()) {
      for (std::size_t i = 0; i < n; ++i) bytes_[size_ + i] = text[i];
    } else if (n != 0) {
      std::memcpy(bytes_ + size_, text.data(), n);
    }
    size_ = static_cast<std::uint16_t>(size_ + n);
    return *this;
  }
  // std::to_chars neither allocates nor locks; the analysis cannot see into the library.
#if defined(__clang__) && __clang_major__ >= 20
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wfunction-effects"
#endif
  FixedText& append(double value, int significant = 6) noexcept RT_NONBLOCKING {
    char buffer[40] = {};
    auto r = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, significant);
    return append(std::string_view{buffer, static_cast<std::size_t>(r.ptr - buffer)});
  }
  // Without an exponent: as many decimals as `significant` digits need, at most nine, without trailing zeros.
  FixedText& append_plain(double value, int significant) noexcept RT_NONBLOCKING {
    int decimals = significant - 1;
    const double magnitude = value < 0 ? -value : value;
    for (double limit = 1.0; magnitude < limit && magnitude > 0 && decimals < 9; limit /= 10) ++decimals;
    for (double limit = 10.0; magnitude >= limit && decimals > 0; limit *= 10) --decimals;
    char buffer[340] = {};
    auto r = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, decimals);
    std::string_view text{buffer, static_cast<std::size_t>(r.ptr - buffer)};
    if (text.find('.') != std::string_view::npos) {
      while (text.back() == '0') text.remove_suffix(1);
      if (text.back() == '.') text.remove_suffix(1);
    }
    return append(text == "-0" ? std::string_view{"0"} : text);
  }
  FixedText& append(std::int64_t value) noexcept RT_NONBLOCKING {
    char buffer[24] = {};
    auto r = std::to_chars(buffer, buffer + sizeof buffer, value);
    return append(std::string_view{buffer, static_cast<std::size_t>(r.ptr - buffer)});
  }
#if defined(__clang__) && __clang_major__ >= 20
#pragma clang diagnostic pop
#endif

  [[nodiscard]] constexpr std::string_view view() const noexcept RT_NONBLOCKING {
    return {bytes_, size_};
  }
  [[nodiscard]] constexpr bool empty() const noexcept RT_NONBLOCKING {
    return size_ == 0;
  }
  constexpr bool operator==(const FixedText& o) const noexcept {
    return view() == o.view();
  }
  constexpr bool operator==(std::string_view o) const noexcept {
    return view() == o;
  }

 private:
  std::uint16_t size_ = 0;
  char bytes_[N] = {};
};

}  // namespace cyclerd::base
