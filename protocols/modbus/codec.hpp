// Registers to numbers and back. Pure: no I/O, no state, any input is answered.
#pragma once

#include <cstdint>
#include <span>

#include "protocols/base/fixed_text.hpp"
#include "protocols/base/rt.hpp"
#include "protocols/modbus/types.hpp"

namespace cyclerd::modbus {

// Registers that a value of the type takes; text of `characters` characters takes one for two.
[[nodiscard]] constexpr std::uint16_t register_count(ValueType type,
                                                     std::uint16_t characters = 0) noexcept RT_NONBLOCKING {
  switch (type) {
    case ValueType::boolean:
    case ValueType::u16:
    case ValueType::i16: return 1;
    case ValueType::u32:
    case ValueType::i32:
    case ValueType::f32: return 2;
    case ValueType::ascii: return static_cast<std::uint16_t>((characters + 1) / 2);
    default: return 1;
  }
}

// The largest and smallest raw number that the type holds.
[[nodiscard]] double smallest(ValueType type) noexcept RT_NONBLOCKING;
[[nodiscard]] double largest(ValueType type) noexcept RT_NONBLOCKING;

// The raw number, before any scale. NaN for text and for too few registers.
[[nodiscard]] double decode(std::span<const std::uint16_t> registers, ValueType type,
                            WordOrder order) noexcept RT_NONBLOCKING;

// Writes a raw number, rounded to the nearest integer for integer types. False, and nothing written, when it is not
// finite, does not fit the type, or there are too few registers.
[[nodiscard]] bool encode(double raw, ValueType type, WordOrder order,
                          std::span<std::uint16_t> registers) noexcept RT_NONBLOCKING;

// Text without the padding (NUL or blanks) at its end; bytes that are not printable ASCII become '?'.
[[nodiscard]] base::FixedText<48> decode_text(std::span<const std::uint16_t> registers,
                                              WordOrder order) noexcept RT_NONBLOCKING;

}  // namespace cyclerd::modbus
