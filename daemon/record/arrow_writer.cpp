#include <flatbuffers/flatbuffers.h>
#include <fmt/format.h>
#include <zstd.h>

#include <array>
#include <cmath>
#include <cstring>
#include <string_view>

#include "daemon/record/arrow_format.hpp"
#include "daemon/record/crc32c.hpp"
#include "protocols/base/check.hpp"

namespace cyclerd::record::arrow {
namespace {

using Builder = flatbuffers::FlatBufferBuilder;
using Table = flatbuffers::Offset<flatbuffers::Table>;
using Strings = flatbuffers::Offset<flatbuffers::String>;

// A slot number as the offset inside the vtable that FlatBufferBuilder wants.
constexpr flatbuffers::voffset_t slot(int n) {
  return static_cast<flatbuffers::voffset_t>(4 + 2 * n);
}

flatbuffers::Offset<flatbuffers::Vector<Table>> add_key_values(Builder& b, const KeyValues& pairs) {
  std::vector<Table> tables;
  for (const auto& [k, v] : pairs) {
    const Strings key = b.CreateString(k);
    const Strings value = b.CreateString(v);
    const auto start = b.StartTable();
    b.AddOffset(slot(key_value::kKey), key);
    b.AddOffset(slot(key_value::kValue), value);
    tables.emplace_back(b.EndTable(start));
  }
  return b.CreateVector(tables);
}

Table add_type(Builder& b, ColumnType type) {
  const auto start = b.StartTable();
  if (type == ColumnType::f64) {
    b.AddElement<std::int16_t>(slot(floating_point::kPrecision), floating_point::kDouble, 0);
  } else {
    b.AddElement<std::int32_t>(slot(int_type::kBitWidth), static_cast<std::int32_t>(8 * width(type)), 0);
    b.AddElement<std::uint8_t>(slot(int_type::kIsSigned), type == ColumnType::i64 ? 1 : 0, 0);
  }
  return b.EndTable(start);
}

Table add_field(Builder& b, const Column& column) {
  const Strings name = b.CreateString(column.name);
  const Table type = add_type(b, column.type);
  const auto children = b.CreateVector(std::vector<Table>{});
  const auto metadata = add_key_values(b, {{"quantity", column.quantity}, {"unit", column.unit}});
  const auto start = b.StartTable();
  b.AddOffset(slot(field::kName), name);
  b.AddElement<std::uint8_t>(slot(field::kNullable), column.optional ? 1 : 0, 0);
  b.AddElement<std::uint8_t>(slot(field::kTypeType),
                             column.type == ColumnType::f64 ? field::kFloatingPoint : field::kInt, 0);
  b.AddOffset(slot(field::kType), type);
  b.AddOffset(slot(field::kChildren), children);
  b.AddOffset(slot(field::kCustomMetadata), metadata);
  return b.EndTable(start);
}

void finish_message(Builder& b, std::uint8_t type, Table header, std::int64_t body_bytes, KeyValues metadata) {
  metadata.emplace_back(kCrcKey, "00000000");
  const auto pairs = add_key_values(b, metadata);
  const auto start = b.StartTable();
  b.AddElement<std::int16_t>(slot(message::kVersion), message::kV5, 0);
  b.AddElement<std::uint8_t>(slot(message::kHeaderType), type, 0);
  b.AddOffset(slot(message::kHeader), header);
  b.AddElement<std::int64_t>(slot(message::kBodyLength), body_bytes, 0);
  b.AddOffset(slot(message::kCustomMetadata), pairs);
  b.Finish(Table(b.EndTable(start)));
}

std::size_t padded8(std::size_t n) {
  return (n + 7) & ~std::size_t{7};
}

// Prefix, flatbuffer, body into `out`; then the checksum into its place.
void assemble(const Builder& b, std::span<const std::byte> body, std::vector<std::byte>& out) {
  constexpr std::size_t kPrefix = 8;
  const std::size_t metadata_bytes = padded8(b.GetSize());
  out.resize(kPrefix + metadata_bytes + body.size());
  const auto length = static_cast<std::uint32_t>(metadata_bytes);
  std::memcpy(out.data(), &kContinuation, 4);
  std::memcpy(out.data() + 4, &length, 4);
  std::memset(out.data() + kPrefix, 0, metadata_bytes);
  std::memcpy(out.data() + kPrefix, b.GetBufferPointer(), b.GetSize());
  if (!body.empty()) std::memcpy(out.data() + kPrefix + metadata_bytes, body.data(), body.size());

  // The builder grows downwards: where a string came to lie is found by looking. A length precedes it, so that the
  // digits cannot be mistaken for another value.
  constexpr std::string_view kPlace{
      "\x08\0\0\0"
      "00000000\0",
      13};
  const std::string_view text(reinterpret_cast<const char*>(out.data() + kPrefix), metadata_bytes);
  const std::size_t at = text.find(kPlace);
  ENSURE(at != std::string_view::npos && text.find(kPlace, at + 1) == std::string_view::npos,
         "a message has exactly one place for its checksum");
  const std::string digits = fmt::format("{:08x}", crc32c(std::span(out).subspan(kPrefix)));
  std::memcpy(out.data() + kPrefix + at + 4, digits.data(), 8);
}

}  // namespace

std::vector<std::byte> schema_message(const KeyValues& metadata) {
  Builder b(16384);
  std::vector<Table> fields;
  for (const Column& column : columns()) fields.push_back(add_field(b, column));
  const auto field_vector = b.CreateVector(fields);
  const auto pairs = add_key_values(b, metadata);
  const auto features = b.CreateVector(std::vector<std::int64_t>{schema::kCompressedBody});
  const auto start = b.StartTable();
  b.AddElement<std::int16_t>(slot(schema::kEndianness), 0, 1);  // little; written although it is the default
  b.AddOffset(slot(schema::kFields), field_vector);
  b.AddOffset(slot(schema::kCustomMetadata), pairs);
  b.AddOffset(slot(schema::kFeatures), features);
  const Table header = b.EndTable(start);
  finish_message(b, message::kSchema, header, 0, {});
  std::vector<std::byte> out;
  assemble(b, {}, out);
  return out;
}

std::span<const std::byte> end_of_stream() noexcept {
  static constexpr std::array<std::uint8_t, kEndBytes> kEnd = {0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0};
  return std::as_bytes(std::span(kEnd));
}

struct FieldNode {
  std::int64_t length;
  std::int64_t null_count;
};
struct Buffer {
  std::int64_t offset;
  std::int64_t length;
};

struct BatchEncoder::Impl {
  ZSTD_CCtx* zstd = ZSTD_createCCtx();
  Builder builder{16384};
  std::vector<std::byte> column;
  std::vector<std::byte> body;
  std::vector<std::byte> out;
  std::vector<FieldNode> nodes;
  std::vector<Buffer> buffers;

  Impl() {
    ENSURE(zstd != nullptr, "zstd has memory for its context");
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, -1);
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_contentSizeFlag, 1);
  }
  ~Impl() { ZSTD_freeCCtx(zstd); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // One buffer: its length uncompressed as i64, then a zstd frame; padded to 8. Arrow allows a length of -1 for raw
  // bytes, but Polars (nodejs-polars 0.21) takes even those for a zstd frame and refuses the file: so never raw.
  void put_buffer(std::span<const std::byte> raw) {
    const std::size_t at = body.size();
    if (raw.empty()) {
      buffers.push_back({static_cast<std::int64_t>(at), 0});
      return;
    }
    body.resize(at + 8 + ZSTD_compressBound(raw.size()));
    const std::size_t n = ZSTD_compress2(zstd, body.data() + at + 8, body.size() - at - 8, raw.data(), raw.size());
    ENSURE(ZSTD_isError(n) == 0, "zstd packs any buffer into its own bound");
    const auto prefix = static_cast<std::int64_t>(raw.size());
    std::memcpy(body.data() + at, &prefix, 8);
    buffers.push_back({static_cast<std::int64_t>(at), static_cast<std::int64_t>(8 + n)});
    body.resize(at + 8 + n);
    body.resize(padded8(body.size()));  // zeros
  }

  template <std::size_t Width>
  void gather(std::span<const TableRow> rows, std::size_t offset) {
    column.resize(rows.size() * Width);
    std::byte* to = column.data();
    const auto* from = reinterpret_cast<const std::byte*>(rows.data()) + offset;
    for (std::size_t i = 0; i < rows.size(); ++i) std::memcpy(to + i * Width, from + i * sizeof(TableRow), Width);
  }

  void put_column(std::span<const TableRow> rows, const Column& c) {
    switch (width(c.type)) {
      case 8: gather<8>(rows, c.offset); break;
      case 4: gather<4>(rows, c.offset); break;
      default: gather<1>(rows, c.offset); break;
    }
    std::int64_t nulls = 0;
    std::vector<std::byte> validity;
    if (c.optional) {
      const auto* values = reinterpret_cast<const double*>(column.data());
      for (std::size_t i = 0; i < rows.size(); ++i) nulls += std::isnan(values[i]) ? 1 : 0;
      if (nulls != 0) {
        validity.resize((rows.size() + 7) / 8);
        for (std::size_t i = 0; i < rows.size(); ++i) {
          if (!std::isnan(values[i])) validity[i / 8] |= std::byte{1} << (i % 8);
        }
      }
    }
    nodes.push_back({static_cast<std::int64_t>(rows.size()), nulls});
    put_buffer(validity);
    put_buffer(column);
  }
};

BatchEncoder::BatchEncoder() : impl_(std::make_unique<Impl>()) {}
BatchEncoder::~BatchEncoder() = default;
BatchEncoder::BatchEncoder(BatchEncoder&&) noexcept = default;
BatchEncoder& BatchEncoder::operator=(BatchEncoder&&) noexcept = default;

std::span<const std::byte> BatchEncoder::encode(std::span<const TableRow> rows, std::uint64_t first_sequence,
                                                std::uint64_t last_sequence) {
  Impl& m = *impl_;
  m.body.clear();
  m.nodes.clear();
  m.buffers.clear();
  for (const Column& c : columns()) m.put_column(rows, c);

  Builder& b = m.builder;
  b.Clear();
  const auto nodes = b.CreateVectorOfStructs(m.nodes);
  const auto buffers = b.CreateVectorOfStructs(m.buffers);
  auto start = b.StartTable();
  b.AddElement<std::int8_t>(slot(body_compression::kCodec), body_compression::kZstd, 0);
  const Table compression = b.EndTable(start);
  start = b.StartTable();
  b.AddElement<std::int64_t>(slot(record_batch::kLength), static_cast<std::int64_t>(rows.size()), 0);
  b.AddOffset(slot(record_batch::kNodes), nodes);
  b.AddOffset(slot(record_batch::kBuffers), buffers);
  b.AddOffset(slot(record_batch::kCompression), compression);
  const Table header = b.EndTable(start);
  finish_message(
      b, message::kRecordBatch, header, static_cast<std::int64_t>(m.body.size()),
      {{kFirstSequenceKey, fmt::to_string(first_sequence)}, {kLastSequenceKey, fmt::to_string(last_sequence)}});
  assemble(b, m.body, m.out);
  return m.out;
}

}  // namespace cyclerd::record::arrow
