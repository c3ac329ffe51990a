#include "protocols/modbus/codec.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace cyclerd::modbus {

namespace {

constexpr std::uint16_t swap_bytes(std::uint16_t v) noexcept RT_NONBLOCKING {
  return static_cast<std::uint16_t>((v >> 8) | (v << 8));
}

constexpr bool bytes_swapped(WordOrder order) noexcept RT_NONBLOCKING {
  return order == WordOrder::BADC || order == WordOrder::DCBA;
}

constexpr bool low_word_first(WordOrder order) noexcept RT_NONBLOCKING {
  return order == WordOrder::CDAB || order == WordOrder::DCBA;
}

std::uint16_t word(std::uint16_t v, WordOrder order) noexcept RT_NONBLOCKING {
  return bytes_swapped(order) ? swap_bytes(v) : v;
}

std::uint32_t join(std::uint16_t first, std::uint16_t second, WordOrder order) noexcept RT_NONBLOCKING {
  const std::uint32_t a = word(first, order);
  const std::uint32_t b = word(second, order);
  return low_word_first(order) ? (b << 16) | a : (a << 16) | b;
}

void split(std::uint32_t value, WordOrder order, std::span<std::uint16_t> out) noexcept RT_NONBLOCKING {
  const std::uint16_t high = word(static_cast<std::uint16_t>(value >> 16), order);
  const std::uint16_t low = word(static_cast<std::uint16_t>(value & 0xFFFFU), order);
  out[0] = low_word_first(order) ? low : high;
  out[1] = low_word_first(order) ? high : low;
}

}  // namespace

double smallest(ValueType type) noexcept RT_NONBLOCKING {
  switch (type) {
    case ValueType::i16: return std::numeric_limits<std::int16_t>::min();
    case ValueType::i32: return std::numeric_limits<std::int32_t>::min();
    case ValueType::f32: return -static_cast<double>(std::numeric_limits<float>::max());
    default: return 0.0;
  }
}

double largest(ValueType type) noexcept RT_NONBLOCKING {
  switch (type) {
    case ValueType::boolean: return 1.0;
    case ValueType::u16: return std::numeric_limits<std::uint16_t>::max();
    case ValueType::i16: return std::numeric_limits<std::int16_t>::max();
    case ValueType::u32: return std::numeric_limits<std::uint32_t>::max();
    case ValueType::i32: return std::numeric_limits<std::int32_t>::max();
    case ValueType::f32: return static_cast<double>(std::numeric_limits<float>::max());
    default: return 0.0;
  }
  return 0.0;
}

double decode(std::span<const std::uint16_t> registers, ValueType type, WordOrder order) noexcept RT_NONBLOCKING {
  if (type == ValueType::ascii || registers.size() < register_count(type))
    return std::numeric_limits<double>::quiet_NaN();
  switch (type) {
    case ValueType::boolean: return registers[0] != 0 ? 1.0 : 0.0;
    case ValueType::u16: return word(registers[0], order);
    case ValueType::i16: return static_cast<std::int16_t>(word(registers[0], order));
    case ValueType::u32: return join(registers[0], registers[1], order);
    case ValueType::i32: return static_cast<std::int32_t>(join(registers[0], registers[1], order));
    case ValueType::f32: return static_cast<double>(std::bit_cast<float>(join(registers[0], registers[1], order)));
    default: break;  // no number that stands in registers
  }
  return std::numeric_limits<double>::quiet_NaN();
}

bool encode(double raw, ValueType type, WordOrder order, std::span<std::uint16_t> registers) noexcept RT_NONBLOCKING {
  if (type == ValueType::ascii || registers.size() < register_count(type) || !std::isfinite(raw)) return false;
  const double rounded = type == ValueType::f32 ? raw : std::round(raw);
  if (rounded < smallest(type) || rounded > largest(type)) return false;
  switch (type) {
    case ValueType::boolean:
    case ValueType::u16: registers[0] = word(static_cast<std::uint16_t>(rounded), order); return true;
    case ValueType::i16:
      registers[0] = word(static_cast<std::uint16_t>(static_cast<std::int16_t>(rounded)), order);
      return true;
    case ValueType::u32: split(static_cast<std::uint32_t>(rounded), order, registers); return true;
    case ValueType::i32:
      split(static_cast<std::uint32_t>(static_cast<std::int32_t>(rounded)), order, registers);
      return true;
    case ValueType::f32:
      split(std::bit_cast<std::uint32_t>(static_cast<float>(rounded)), order, registers);
      return true;
    default: break;  // no number that stands in registers
  }
  return false;
}

base::FixedText<48> decode_text(std::span<const std::uint16_t> registers, WordOrder order) noexcept RT_NONBLOCKING {
  base::FixedText<48> text;
  std::size_t pending_blanks = 0;  // written only when something follows them
  for (const std::uint16_t r : registers) {
    const std::uint16_t w = word(r, order);
    for (const unsigned byte : {static_cast<unsigned>(w >> 8), static_cast<unsigned>(w & 0xFFU)}) {
      if (byte == 0) return text;
      if (byte == ' ') {
        ++pending_blanks;
        continue;
      }
      for (; pending_blanks > 0; --pending_blanks) text.append(" ");
      const char c = byte > 0x20 && byte < 0x7F ? static_cast<char>(byte) : '?';
      text.append(std::string_view{&c, 1});
    }
  }
  return text;
}

}  // namespace cyclerd::modbus
