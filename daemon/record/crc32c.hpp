// CRC32C (Castagnoli), the checksum of journal frames and stream batches. Any thread; never allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace cyclerd::record {

// Checksum of `bytes`; pass the previous result as `crc` to go on over several pieces. Uses SSE4.2 where the CPU has
// it.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc = 0) noexcept;
// The same by tables, for other CPUs.
[[nodiscard]] std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t crc = 0) noexcept;

}  // namespace cyclerd::record
