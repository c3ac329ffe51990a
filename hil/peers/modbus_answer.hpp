// From a Modbus request to its reply: the server's side of the protocol, without sockets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "hil/peers/register_map.hpp"

namespace cyclerd::hil {

inline constexpr std::size_t kMaxPdu = 253;
inline constexpr std::size_t kMbapHeader = 7;
inline constexpr std::size_t kMaxAdu = kMbapHeader + kMaxPdu;

// Answers one request PDU (function code first) with a reply, or an exception where the request is wrong. Returns its
// length; 0 where the instrument keeps silent.
[[nodiscard]] std::size_t answer_pdu(std::span<const std::uint8_t> request, RegisterMap& map,
                                     std::span<std::uint8_t, kMaxPdu> reply);

// What stands at the beginning of the bytes received over TCP.
struct Frame {
  enum class State : std::uint8_t { incomplete, complete, broken } state = State::incomplete;
  std::size_t length = 0;  // whole frame, header included
};
[[nodiscard]] Frame next_frame(std::span<const std::uint8_t> bytes) noexcept;

// Answers one complete frame. Returns the reply's length, or 0.
[[nodiscard]] std::size_t answer_frame(std::span<const std::uint8_t> frame, RegisterMap& map,
                                       std::span<std::uint8_t, kMaxAdu> reply);

}  // namespace cyclerd::hil
