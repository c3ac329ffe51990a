// A Modbus device as its registers: what a server asks of a twin. Addresses are zero-based.
#pragma once

#include <cstdint>
#include <span>

namespace cyclerd::hil {

enum class Table : std::uint8_t { coil, discrete, holding, input };

// Exception codes of the Modbus application protocol, section 7; ok is ours.
enum class Answer : std::uint8_t {
  ok = 0,
  illegal_function = 1,
  illegal_address = 2,
  illegal_value = 3,
  device_failure = 4,
  silence = 255,  // no reply at all, as some instruments do where others send an exception
};

class RegisterMap {
 public:
  virtual ~RegisterMap() = default;
  // All the addresses or none.
  virtual Answer read_bits(Table table, std::uint16_t first, std::span<bool> out) = 0;
  virtual Answer read_words(Table table, std::uint16_t first, std::span<std::uint16_t> out) = 0;
  virtual Answer write_bits(std::uint16_t first, std::span<const bool> values) = 0;
  virtual Answer write_words(std::uint16_t first, std::span<const std::uint16_t> values) = 0;
};

}  // namespace cyclerd::hil
