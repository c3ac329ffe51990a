#include "protocols/transport/slcan_codec.hpp"

#include <algorithm>

namespace cyclerd::transport {
namespace {

constexpr std::array<std::uint32_t, 9> kRates{10'000,  20'000,  50'000,  100'000,  125'000,
                                              250'000, 500'000, 800'000, 1'000'000};
constexpr std::uint32_t kLargestStandard = 0x7FF;
constexpr std::uint32_t kLargestExtended = 0x1FFFFFFF;

char digit_of(std::uint32_t value) noexcept {
  return "0123456789ABCDEF"[value & 0xFU];
}

int value_of(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// `digits` hex digits at the front of `text`, which loses them.
bool take(std::string_view& text, std::size_t digits, std::uint32_t& value) noexcept {
  if (text.size() < digits) return false;
  value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const int digit = value_of(text[i]);
    if (digit < 0) return false;
    value = value << 4 | static_cast<std::uint32_t>(digit);
  }
  text.remove_prefix(digits);
  return true;
}

}  // namespace

std::optional<char> slcan_rate(std::uint32_t bits_per_s) noexcept {
  const auto found = std::ranges::find(kRates, bits_per_s);
  if (found == kRates.end()) return std::nullopt;
  return static_cast<char>('0' + (found - kRates.begin()));
}

std::size_t write_slcan(const CanFrame& frame, std::span<char, kMaxSlcanLine> line) noexcept RT_NONBLOCKING {
  if (frame.flexible_rate || frame.length > 8) return 0;
  if (frame.id > (frame.extended ? kLargestExtended : kLargestStandard)) return 0;
  std::size_t at = 0;
  const char letter = frame.remote ? 'r' : 't';
  line[at++] = frame.extended ? static_cast<char>(letter - 'a' + 'A') : letter;
  for (int shift = frame.extended ? 28 : 8; shift >= 0; shift -= 4) line[at++] = digit_of(frame.id >> shift);
  line[at++] = digit_of(frame.length);
  for (std::size_t i = 0; !frame.remote && i < frame.length; ++i) {
    line[at++] = digit_of(frame.data[i] >> 4U);
    line[at++] = digit_of(frame.data[i]);
  }
  line[at++] = '\r';
  return at;
}

bool read_slcan(std::string_view line, CanFrame& frame) noexcept RT_NONBLOCKING {
  if (line.empty()) return false;
  const char letter = line.front();
  if (letter != 't' && letter != 'T' && letter != 'r' && letter != 'R') return false;
  line.remove_prefix(1);
  CanFrame read;
  read.received = frame.received;
  read.extended = letter == 'T' || letter == 'R';
  read.remote = letter == 'r' || letter == 'R';
  std::uint32_t value = 0;
  if (!take(line, read.extended ? 8 : 3, read.id)) return false;
  if (read.id > (read.extended ? kLargestExtended : kLargestStandard)) return false;
  if (!take(line, 1, value) || value > 8) return false;
  read.length = static_cast<std::uint8_t>(value);
  for (std::size_t i = 0; !read.remote && i < read.length; ++i) {
    if (!take(line, 2, value)) return false;
    read.data[i] = static_cast<std::uint8_t>(value);
  }
  if (!line.empty() && (!take(line, 4, value) || !line.empty())) return false;  // Z1: milliseconds of the minute
  frame = read;
  return true;
}

std::optional<SlcanFlags> read_slcan_flags(std::string_view line) noexcept RT_NONBLOCKING {
  if (line.size() != 3 || line.front() != 'F') return std::nullopt;
  line.remove_prefix(1);
  std::uint32_t bits = 0;
  if (!take(line, 2, bits)) return std::nullopt;
  const auto bit = [bits](unsigned n) { return (bits >> n & 1U) != 0; };
  return SlcanFlags{bit(0), bit(1), bit(2), bit(3), bit(5), bit(6), bit(7)};
}

}  // namespace cyclerd::transport
