// LAWICEL's text protocol of CAN adapters (CANable and relatives): lines that end with CR. Pure; no allocation.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "protocols/base/rt.hpp"
#include "protocols/transport/can_bus.hpp"

namespace cyclerd::transport {

// A frame of 8 bytes with 29 bits, a time stamp of four digits and the CR: the longest line.
inline constexpr std::size_t kMaxSlcanLine = 32;

// 'S0' to 'S8' for 10, 20, 50, 100, 125, 250, 500, 800 kbit/s and 1 Mbit/s; nullopt: the protocol has no such rate.
[[nodiscard]] std::optional<char> slcan_rate(std::uint32_t bits_per_s) noexcept;

// The line with its CR; 0: no classic CAN frame.
[[nodiscard]] std::size_t write_slcan(const CanFrame& frame,
                                      std::span<char, kMaxSlcanLine> line) noexcept RT_NONBLOCKING;

// A line without its CR. True when it is a frame; a time stamp behind it is passed over. `received` is left alone.
[[nodiscard]] bool read_slcan(std::string_view line, CanFrame& frame) noexcept RT_NONBLOCKING;

// The answer to 'F': "F" and two hex digits. nullopt: it is none.
struct SlcanFlags {
  bool receive_full = false;
  bool send_full = false;
  bool warning = false;
  bool overrun = false;
  bool passive = false;
  bool arbitration_lost = false;
  bool bus_error = false;
};
[[nodiscard]] std::optional<SlcanFlags> read_slcan_flags(std::string_view line) noexcept RT_NONBLOCKING;

}  // namespace cyclerd::transport
