// Numbers in frames. Pure; no allocation.
#pragma once

#include <cstdint>
#include <span>

#include "protocols/base/rt.hpp"
#include "protocols/dbc/dbc.hpp"

namespace cyclerd::dbc {

// The signal's bits as they stand in the frame, without sign. A frame that is too short for them: 0.
[[nodiscard]] std::uint64_t bits_of(const Signal& signal, std::span<const std::uint8_t> frame) noexcept RT_NONBLOCKING;
// All of the signal's bits are in a frame of so many bytes.
[[nodiscard]] bool fits(const Signal& signal, std::size_t frame_bytes) noexcept RT_NONBLOCKING;
// The message carries this signal in this frame: long enough, and every switch above it selects it.
[[nodiscard]] bool is_present(const Message& message, const Signal& signal,
                              std::span<const std::uint8_t> frame) noexcept RT_NONBLOCKING;

// Integers with their sign, floats; before factor and offset.
[[nodiscard]] double raw_of(const Signal& signal, std::span<const std::uint8_t> frame) noexcept RT_NONBLOCKING;
[[nodiscard]] double value_of(const Signal& signal, std::span<const std::uint8_t> frame) noexcept RT_NONBLOCKING;

// Writes the nearest raw number. False, and nothing written, when the bits cannot hold it.
[[nodiscard]] bool put_raw(const Signal& signal, double raw, std::span<std::uint8_t> frame) noexcept RT_NONBLOCKING;
[[nodiscard]] bool put_value(const Signal& signal, double value, std::span<std::uint8_t> frame) noexcept RT_NONBLOCKING;

}  // namespace cyclerd::dbc
