// The journal's bytes, format version 1. All numbers little endian. README.md, "Journal", is the same page in words.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>

#include "profiles/record.hpp"

namespace cyclerd::record {

static_assert(std::endian::native == std::endian::little, "the journal is written in host order: little endian only");

inline constexpr std::uint32_t kJournalVersion = 1;

// At the start of every segment; the rest of the segment is zeros until frames overwrite them.
struct SegmentHeader {
  char magic[8] = {'C', 'Y', 'C', 'L', 'J', 'R', 'N', 'L'};  //  0
  std::uint32_t version = kJournalVersion;                   //  8
  std::uint32_t header_bytes = 64;                           // 12  frames begin here
  std::uint64_t segment_bytes = 0;                           // 16  size of the file
  std::uint32_t segment = 0;                                 // 24  the number in the file's name
  std::uint32_t reserved = 0;                                // 28
  std::int64_t created_unix_us = 0;                          // 32
  std::uint64_t first_group = 0;                             // 40  no frame here is of an older group
  std::uint8_t reserved2[12] = {};                           // 48
  std::uint32_t crc = 0;                                     // 60  CRC32C of bytes 0..59
};
static_assert(sizeof(SegmentHeader) == 64);

// Before every payload. A frame begins at a multiple of 8 and is padded to one with zeros.
struct FrameHeader {
  std::uint32_t magic = 0;        //  0  kFrameMagic
  std::uint32_t crc = 0;          //  4  CRC32C of the bytes from 8 to the end of the payload
  std::uint32_t length = 0;       //  8  of the payload
  std::uint32_t segment = 0;      // 12  number of this segment
  profiles::RecordHeader record;  // 16  u16 kind, u16 version, u32 channel, u64 test, u64 sequence
  std::uint64_t group = 0;        // 40  number of the group commit; rises for ever
};
static_assert(sizeof(FrameHeader) == 48 && sizeof(profiles::RecordHeader) == 24);

inline constexpr std::uint32_t kFrameMagic = 0x31465943U;     // "CYF1"
inline constexpr std::uint32_t kMaxPayloadBytes = 64U << 20;  // no sane frame is larger

[[nodiscard]] constexpr std::size_t padded(std::size_t n) noexcept {
  return (n + 7) & ~std::size_t{7};
}
[[nodiscard]] std::string segment_name(std::uint32_t number);  // "00000017.seg"

}  // namespace cyclerd::record
