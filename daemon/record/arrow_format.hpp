// The part of the Arrow IPC streaming format that the live stream uses, by the numbers of its flatbuffers schema (Arrow
// columnar format 1.4, files Schema.fbs and Message.fbs): a schema message, record batches with zstd buffers, an end
// mark.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "daemon/record/table.hpp"

namespace cyclerd::record::arrow {

// Every message begins with this, then the length of its flatbuffer; a length of 0 ends the stream.
inline constexpr std::uint32_t kContinuation = 0xFFFFFFFFU;
inline constexpr std::size_t kEndBytes = 8;

// Slots of the flatbuffers tables, and values of their enums.
namespace message {
inline constexpr int kVersion = 0, kHeaderType = 1, kHeader = 2, kBodyLength = 3, kCustomMetadata = 4;
inline constexpr std::int16_t kV5 = 4;
inline constexpr std::uint8_t kSchema = 1, kRecordBatch = 3;
}  // namespace message
namespace schema {
inline constexpr int kEndianness = 0, kFields = 1, kCustomMetadata = 2, kFeatures = 3;
inline constexpr std::int64_t kCompressedBody = 2;
}  // namespace schema
namespace field {
inline constexpr int kName = 0, kNullable = 1, kTypeType = 2, kType = 3, kChildren = 5, kCustomMetadata = 6;
inline constexpr std::uint8_t kInt = 2, kFloatingPoint = 3;
}  // namespace field
namespace int_type {
inline constexpr int kBitWidth = 0, kIsSigned = 1;
}
namespace floating_point {
inline constexpr int kPrecision = 0;
inline constexpr std::int16_t kDouble = 2;
}  // namespace floating_point
namespace record_batch {
inline constexpr int kLength = 0, kNodes = 1, kBuffers = 2, kCompression = 3;
}
namespace body_compression {
inline constexpr int kCodec = 0, kMethod = 1;
inline constexpr std::int8_t kZstd = 1;
}  // namespace body_compression
namespace key_value {
inline constexpr int kKey = 0, kValue = 1;
}

using KeyValues = std::vector<std::pair<std::string, std::string>>;

// A message carries CRC32C of itself (prefix left out, these eight hex digits counted as '0') under this key of its
// custom metadata, which other Arrow readers ignore.
inline constexpr const char* kCrcKey = "cyclerd.crc32c";
inline constexpr const char* kFirstSequenceKey = "cyclerd.first_sequence";
inline constexpr const char* kLastSequenceKey = "cyclerd.last_sequence";

// The schema message of columns(); `metadata` is put into the schema.
[[nodiscard]] std::vector<std::byte> schema_message(const KeyValues& metadata);

// Makes record batches; keeps its memory from one batch to the next.
class BatchEncoder {
 public:
  BatchEncoder();
  ~BatchEncoder();
  BatchEncoder(BatchEncoder&&) noexcept;
  BatchEncoder& operator=(BatchEncoder&&) noexcept;

  // The whole message, valid until the next call. Sequences: of the first and last row's frames.
  std::span<const std::byte> encode(std::span<const TableRow> rows, std::uint64_t first_sequence,
                                    std::uint64_t last_sequence);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

[[nodiscard]] std::span<const std::byte> end_of_stream() noexcept;

}  // namespace cyclerd::record::arrow
