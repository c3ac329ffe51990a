// Where a value lives in a register instrument and how its words are laid out.
#pragma once

#include <cstdint>

namespace cyclerd::device {

// Read functions 1, 2, 3, 4. Coils are written with 5, holding registers with 6 or 16.
enum class Function : std::uint8_t { coil, discrete, holding, input };

// f64 and i64 (53 bits of it): numbers that are not in registers.
enum class ValueType : std::uint8_t { boolean, u16, i16, u32, i32, f32, ascii, f64, i64 };

[[nodiscard]] constexpr bool is_fraction(ValueType type) noexcept {
  return type == ValueType::f32 || type == ValueType::f64;
}

// Order of the bytes of a 32-bit value in two registers; A is the most significant byte. ABCD is "big endian", CDAB
// "low word first". For 16-bit values and text BADC and DCBA mean swapped bytes.
enum class WordOrder : std::uint8_t { ABCD, BADC, CDAB, DCBA };

inline constexpr std::uint16_t kMaxReadRegisters = 125;
inline constexpr std::uint16_t kMaxWriteRegisters = 123;
inline constexpr std::uint16_t kMaxReadBits = 2000;

}  // namespace cyclerd::device
