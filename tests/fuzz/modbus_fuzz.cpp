// Registers to numbers and back; whatever decodes to a finite number encodes to one that decodes alike.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "protocols/modbus/codec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cyclerd::modbus;
  if (size < 2) return 0;
  std::array<std::uint16_t, 24> words{};
  const std::size_t bytes = std::min(size - 2, sizeof words);
  std::memcpy(words.data(), data + 2, bytes);
  const auto type = static_cast<ValueType>(data[0] % 7);
  const auto order = static_cast<WordOrder>(data[1] % 4);
  const auto registers = std::span(words).first((bytes + 1) / 2);
  (void)decode_text(registers, order);
  const double raw = decode(registers, type, order);
  std::array<std::uint16_t, 2> back{};
  if (!std::isfinite(raw) || !encode(raw, type, order, back)) return 0;
  if (decode(back, type, order) != raw) std::abort();
  return 0;
}
