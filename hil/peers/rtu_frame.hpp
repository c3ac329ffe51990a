// Modbus RTU frames, the server's side: after "Modbus over serial line" 1.02. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace cyclerd::hil {

inline constexpr std::size_t kMaxRtuFrame = 256;

[[nodiscard]] std::uint16_t rtu_checksum(std::span<const std::uint8_t> bytes) noexcept;

struct RtuRequest {
  std::uint8_t unit = 0;
  std::span<const std::uint8_t> pdu;
};
// What stood between two silences, if it is a frame with a good checksum.
[[nodiscard]] std::optional<RtuRequest> open_rtu_frame(std::span<const std::uint8_t> bytes) noexcept;

// Puts unit and checksum around the PDU that stands in frame[1 .. 1 + pdu_length). Returns the frame's length.
[[nodiscard]] std::size_t close_rtu_frame(std::uint8_t unit, std::size_t pdu_length,
                                          std::span<std::uint8_t, kMaxRtuFrame> frame) noexcept;

}  // namespace cyclerd::hil
