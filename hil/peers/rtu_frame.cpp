#include "hil/peers/rtu_frame.hpp"

#include <array>

namespace cyclerd::hil {
namespace {

// Polynomial x^16 + x^15 + x^2 + 1, bits reversed, a byte at a time.
constexpr std::array<std::uint16_t, 256> make_table() {
  std::array<std::uint16_t, 256> table{};
  for (unsigned i = 0; i < table.size(); ++i) {
    unsigned value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1U) != 0 ? (value >> 1U) ^ 0xA001U : value >> 1U;
    table[i] = static_cast<std::uint16_t>(value);
  }
  return table;
}
constexpr auto kTable = make_table();

}  // namespace

std::uint16_t rtu_checksum(std::span<const std::uint8_t> bytes) noexcept {
  unsigned crc = 0xFFFF;
  for (const std::uint8_t byte : bytes) crc = (crc >> 8U) ^ kTable[(crc ^ byte) & 0xFFU];
  return static_cast<std::uint16_t>(crc);
}

std::optional<RtuRequest> open_rtu_frame(std::span<const std::uint8_t> bytes) noexcept {
  // Unit, function, checksum.
  if (bytes.size() < 4 || bytes.size() > kMaxRtuFrame) return std::nullopt;
  const auto body = bytes.first(bytes.size() - 2);
  const unsigned sent = bytes[bytes.size() - 2] | (static_cast<unsigned>(bytes.back()) << 8U);
  if (rtu_checksum(body) != sent) return std::nullopt;
  return RtuRequest{body[0], body.subspan(1)};
}

std::size_t close_rtu_frame(std::uint8_t unit, std::size_t pdu_length,
                            std::span<std::uint8_t, kMaxRtuFrame> frame) noexcept {
  frame[0] = unit;
  const std::uint16_t crc = rtu_checksum(frame.first(1 + pdu_length));
  frame[1 + pdu_length] = static_cast<std::uint8_t>(crc & 0xFFU);
  frame[2 + pdu_length] = static_cast<std::uint8_t>(crc >> 8U);
  return pdu_length + 3;
}

}  // namespace cyclerd::hil
