#include "protocols/dbc/signal.hpp"

#include <bit>
#include <cmath>

namespace cyclerd::dbc {
namespace {

// The place of a signal's n-th bit, counted from its least significant one.
struct Place {
  std::size_t byte;
  unsigned bit;
};

// Motorola numbers go down inside a byte and on to bit 7 of the next one; in "sawtooth" numbers they rise by one.
constexpr std::size_t sawtooth(std::size_t place) noexcept {
  return place / 8 * 8 + (7 - place % 8);
}

constexpr Place place_of(const Signal& signal, unsigned bit) noexcept {
  if (signal.order == ByteOrder::intel) {
    const std::size_t at = std::size_t{signal.start} + bit;
    return {at / 8, static_cast<unsigned>(at % 8)};
  }
  const std::size_t at = sawtooth(signal.start) + (signal.length - 1U - bit);
  return {at / 8, 7 - static_cast<unsigned>(at % 8)};
}

std::uint64_t mask_of(unsigned length) noexcept {
  return length >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << length) - 1;
}

}  // namespace

bool fits(const Signal& signal, std::size_t frame_bytes) noexcept RT_NONBLOCKING {
  const std::size_t first = signal.order == ByteOrder::intel ? signal.start : sawtooth(signal.start);
  return first + signal.length <= frame_bytes * 8;
}

std::uint64_t bits_of(const Signal& signal, std::span<const std::uint8_t> frame) noexcept RT_NONBLOCKING {
  if (!fits(signal, frame.size())) return 0;
  std::uint64_t bits = 0;
  for (unsigned i = 0; i < signal.length; ++i) {
    const Place at = place_of(signal, i);
    bits |= static_cast<std::uint64_t>(frame[at.byte] >> at.bit & 1U) << i;
  }
  return bits;
}

bool is_present(const Message& message, const Signal& signal,
                std::span<const std::uint8_t> frame) noexcept RT_NONBLOCKING {
  if (!fits(signal, frame.size())) return false;
  if (signal.switched_by < 0) return true;
  const Signal& selector = message.signals[static_cast<std::size_t>(signal.switched_by)];
  if (!is_present(message, selector, frame)) return false;
  const std::uint64_t chosen = bits_of(selector, frame);
  for (const auto& [from, to] : signal.when) {
    if (chosen >= from && chosen <= to) return true;
  }
  return false;
}

double raw_of(const Signal& signal, std::span<const std::uint8_t> frame) noexcept RT_NONBLOCKING {
  const std::uint64_t bits = bits_of(signal, frame);
  switch (signal.kind) {
    case NumberKind::unsigned_integer: return static_cast<double>(bits);
    case NumberKind::signed_integer: {
      const bool negative = (bits >> (signal.length - 1U) & 1U) != 0;
      return static_cast<double>(static_cast<std::int64_t>(negative ? bits | ~mask_of(signal.length) : bits));
    }
    case NumberKind::float32: return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    case NumberKind::float64: return std::bit_cast<double>(bits);
  }
  return 0.0;
}

double value_of(const Signal& signal, std::span<const std::uint8_t> frame) noexcept RT_NONBLOCKING {
  return raw_of(signal, frame) * signal.factor + signal.offset;
}

bool put_raw(const Signal& signal, double raw, std::span<std::uint8_t> frame) noexcept RT_NONBLOCKING {
  if (!fits(signal, frame.size()) || std::isnan(raw)) return false;
  std::uint64_t bits = 0;
  if (signal.kind == NumberKind::float32) {
    const auto narrow = static_cast<float>(raw);
    if (std::isinf(narrow)) return false;
    bits = std::bit_cast<std::uint32_t>(narrow);
  } else if (signal.kind == NumberKind::float64) {
    bits = std::bit_cast<std::uint64_t>(raw);
  } else {
    const bool has_sign = signal.kind == NumberKind::signed_integer;
    const double whole = std::round(raw);
    const double low = has_sign ? -std::ldexp(1.0, signal.length - 1) : 0.0;
    const double end = std::ldexp(1.0, has_sign ? signal.length - 1 : signal.length);
    if (!(whole >= low) || !(whole < end)) return false;
    bits = whole < 0.0 ? static_cast<std::uint64_t>(static_cast<std::int64_t>(whole)) & mask_of(signal.length)
                       : static_cast<std::uint64_t>(whole);
  }
  for (unsigned i = 0; i < signal.length; ++i) {
    const Place at = place_of(signal, i);
    const auto bit = static_cast<std::uint8_t>(1U << at.bit);
    frame[at.byte] = static_cast<std::uint8_t>((bits >> i & 1U) != 0 ? frame[at.byte] | bit : frame[at.byte] & ~bit);
  }
  return true;
}

bool put_value(const Signal& signal, double value, std::span<std::uint8_t> frame) noexcept RT_NONBLOCKING {
  return signal.factor != 0.0 && put_raw(signal, (value - signal.offset) / signal.factor, frame);
}

}  // namespace cyclerd::dbc
