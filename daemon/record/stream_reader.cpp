#include "daemon/record/stream_reader.hpp"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <string_view>

#include "daemon/record/arrow_format.hpp"
#include "daemon/record/crc32c.hpp"
#include "daemon/record/flat_view.hpp"
#include "daemon/record/storage.hpp"

namespace cyclerd::record {
namespace {

using namespace arrow;

constexpr std::size_t kPrefix = 8;
constexpr std::uint32_t kMaxMetadataBytes = 16U << 20;
constexpr std::int64_t kMaxBodyBytes = std::int64_t{1} << 31;
constexpr std::int64_t kMaxBatchRows = 1 << 22;

// One message, bounds checked, not yet believed.
struct Message {
  std::span<const std::byte> metadata;
  std::span<const std::byte> body;
  std::size_t total_bytes = 0;
};

enum class Frame { message, end_mark, incomplete, nonsense };

std::string_view custom_value(FlatView& view, const FlatView::Table& root, std::string_view key) {
  const FlatView::Vector pairs = view.vector(root, message::kCustomMetadata, 4);
  for (std::size_t i = 0; i < pairs.size && !view.bad(); ++i) {
    const FlatView::Table pair = view.element(pairs, i);
    if (view.text(pair, key_value::kKey) == key) return view.text(pair, key_value::kValue);
  }
  return {};
}

Frame frame(std::span<const std::byte> bytes, Message& out) {
  FlatView prefix(bytes);
  if (bytes.size() < kPrefix) return Frame::incomplete;
  if (prefix.load<std::uint32_t>(0) != kContinuation) return Frame::nonsense;
  const std::size_t metadata_bytes = prefix.load<std::uint32_t>(4);
  if (metadata_bytes == 0) return Frame::end_mark;
  if (metadata_bytes > kMaxMetadataBytes || metadata_bytes % 8 != 0) return Frame::nonsense;
  if (metadata_bytes > bytes.size() - kPrefix) return Frame::incomplete;
  out.metadata = bytes.subspan(kPrefix, metadata_bytes);
  FlatView view(out.metadata);
  const auto body_bytes = view.scalar<std::int64_t>(view.root(), message::kBodyLength, 0);
  if (view.bad() || body_bytes < 0 || body_bytes > kMaxBodyBytes || body_bytes % 8 != 0) return Frame::nonsense;
  const auto n = static_cast<std::size_t>(body_bytes);
  if (n > bytes.size() - kPrefix - metadata_bytes) return Frame::incomplete;
  out.body = bytes.subspan(kPrefix + metadata_bytes, n);
  out.total_bytes = kPrefix + metadata_bytes + n;
  return Frame::message;
}

bool checksum_holds(const Message& m) {
  FlatView view(m.metadata);
  const std::string_view digits = custom_value(view, view.root(), kCrcKey);
  if (view.bad() || digits.size() != 8) return false;
  std::uint32_t stated = 0;
  const auto r = std::from_chars(digits.data(), digits.data() + 8, stated, 16);
  if (r.ec != std::errc{} || r.ptr != digits.data() + 8) return false;
  if (fmt::format("{:08x}", stated) != digits) return false;  // one spelling only, so that a flipped case is found too
  const auto at = static_cast<std::size_t>(reinterpret_cast<const std::byte*>(digits.data()) - m.metadata.data());
  constexpr std::string_view kZeros = "00000000";
  std::uint32_t crc = crc32c(m.metadata.first(at));
  crc = crc32c(std::as_bytes(std::span(kZeros)), crc);
  crc = crc32c(m.metadata.subspan(at + 8), crc);
  return crc32c(m.body, crc) == stated;
}

std::uint64_t number(std::string_view text) {
  std::uint64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

class Decoder {
 public:
  // Empty when good; else what is wrong.
  std::string schema(const Message& m) {
    FlatView view(m.metadata);
    const FlatView::Table root = view.root();
    if (view.scalar<std::uint8_t>(root, message::kHeaderType, 0) != message::kSchema) return "no schema at the start";
    const FlatView::Vector fields = view.vector(view.table(root, message::kHeader), schema::kFields, 4);
    places_.clear();
    for (std::size_t i = 0; i < fields.size && !view.bad(); ++i) {
      const FlatView::Table f = view.element(fields, i);
      const std::string_view name = view.text(f, field::kName);
      const auto known =
          std::find_if(columns().begin(), columns().end(), [&](const Column& c) { return name == c.name; });
      const auto type = view.scalar<std::uint8_t>(f, field::kTypeType, 0);
      if (known == columns().end()) return fmt::format("column {:?} is not known here", name);
      if ((known->type == ColumnType::f64) != (type == field::kFloatingPoint)) {
        return fmt::format("column {:?} has another type here", name);
      }
      places_.push_back(&*known);
    }
    return view.bad() ? "the schema cannot be read" : "";
  }

  std::string batch(const Message& m, std::vector<TableRow>& rows, std::uint64_t& last_sequence) {
    FlatView view(m.metadata);
    const FlatView::Table root = view.root();
    if (view.scalar<std::uint8_t>(root, message::kHeaderType, 0) != message::kRecordBatch) return "not a record batch";
    const FlatView::Table header = view.table(root, message::kHeader);
    const auto length = view.scalar<std::int64_t>(header, record_batch::kLength, 0);
    const FlatView::Vector nodes = view.vector(header, record_batch::kNodes, 16);
    const FlatView::Vector buffers = view.vector(header, record_batch::kBuffers, 16);
    if (view.bad() || length < 0 || length > kMaxBatchRows || nodes.size != places_.size() ||
        buffers.size != 2 * places_.size()) {
      return "the batch does not fit the schema";
    }
    rows.assign(static_cast<std::size_t>(length), TableRow{});
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const std::string problem = column(view, m.body, buffers.at + 32 * i, *places_[i], rows);
      if (!problem.empty()) return problem;
    }
    last_sequence = number(custom_value(view, root, kLastSequenceKey));
    return {};
  }

 private:
  std::string column(FlatView& view, std::span<const std::byte> body, std::size_t at, const Column& c,
                     std::vector<TableRow>& rows) {
    const std::size_t w = width(c.type);
    if (!buffer(view, body, at, validity_, (rows.size() + 7) / 8)) {
      return fmt::format("column {:?}: its validity does not unpack", c.name);
    }
    if (!buffer(view, body, at + 16, values_, rows.size() * w) || (values_.empty() && !rows.empty())) {
      return fmt::format("column {:?}: its values do not unpack", c.name);
    }
    auto* to = reinterpret_cast<std::byte*>(rows.data()) + c.offset;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const bool null = !validity_.empty() && ((validity_[i / 8] >> (i % 8)) & std::byte{1}) == std::byte{0};
      if (null) {
        std::memcpy(to + i * sizeof(TableRow), &base::kAbsent, w);
      } else {
        std::memcpy(to + i * sizeof(TableRow), values_.data() + i * w, w);
      }
    }
    return {};
  }

  // One buffer, unpacked; empty when it is absent. False when it is not exactly `expected` bytes.
  bool buffer(FlatView& view, std::span<const std::byte> body, std::size_t at, std::vector<std::byte>& out,
              std::size_t expected) {
    const auto offset = view.load<std::int64_t>(at);
    const auto length = view.load<std::int64_t>(at + 8);
    out.clear();
    if (view.bad() || offset < 0 || length < 0 || static_cast<std::uint64_t>(offset) > body.size() ||
        static_cast<std::uint64_t>(length) > body.size() - static_cast<std::uint64_t>(offset)) {
      return false;
    }
    if (length == 0) return true;
    if (length < 8) return false;
    const auto packed = body.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
    std::int64_t stated = 0;
    std::memcpy(&stated, packed.data(), 8);
    const auto data = packed.subspan(8);
    if (stated == -1) {
      out.assign(data.begin(), data.end());
      return out.size() == expected;
    }
    if (stated != static_cast<std::int64_t>(expected)) return false;
    out.resize(expected);
    return ZSTD_decompressDCtx(zstd_.get(), out.data(), out.size(), data.data(), data.size()) == expected;
  }

  // One for all buffers: making it asks the processor what it can, which costs a millisecond on a virtual machine.
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> zstd_{ZSTD_createDCtx(), &ZSTD_freeDCtx};
  std::vector<const Column*> places_;
  std::vector<std::byte> validity_;
  std::vector<std::byte> values_;
};

// The next place where a message that checks begins; the end when there is none.
std::size_t resynchronise(std::span<const std::byte> bytes, std::size_t at) {
  for (at = (at + 7) & ~std::size_t{7}; at + kPrefix <= bytes.size(); at += 8) {
    Message m;
    const Frame f = frame(bytes.subspan(at), m);
    if (f == Frame::end_mark && at + kEndBytes == bytes.size()) return at;
    if (f == Frame::message && checksum_holds(m)) return at;
  }
  return bytes.size();
}

}  // namespace

StreamReport read_stream(std::span<const std::byte> bytes, const RowSink& sink) {
  StreamReport report;
  Decoder decoder;
  std::vector<TableRow> rows;
  std::size_t at = 0;
  while (at < bytes.size()) {
    Message m;
    const Frame f = frame(bytes.subspan(at), m);
    if (f == Frame::end_mark && at + kEndBytes == bytes.size()) {
      report.ended = true;
      return report;
    }
    std::string problem;
    if (f == Frame::message && checksum_holds(m)) {
      problem = report.has_schema ? decoder.batch(m, rows, report.last_sequence) : decoder.schema(m);
    } else {
      const std::size_t next = resynchronise(bytes, at + 8);
      if (next == bytes.size() && f == Frame::incomplete) {
        report.torn_bytes = bytes.size() - at;
        return report;
      }
      report.damage.push_back(
          fmt::format("live stream: {} bytes from offset {} fail their checksum and are lost", next - at, at));
      if (!report.has_schema) return report;
      at = next;
      continue;
    }
    if (!problem.empty()) {
      report.damage.push_back(fmt::format("live stream: message at offset {}: {}", at, problem));
      if (!report.has_schema) return report;
    } else if (!report.has_schema) {
      report.has_schema = true;
    } else {
      report.rows += rows.size();
      ++report.batches;
      if (sink) sink(rows);
    }
    at += m.total_bytes;
    if (report.damage.empty()) report.good_bytes = at;
  }
  return report;
}

base::Result<StreamContent> read_stream_file(const std::string& path) {
  TRY_ASSIGN(const std::vector<std::byte> bytes, read_bytes(path));
  StreamContent content;
  content.report = read_stream(bytes, [&](std::span<const TableRow> rows) {
    content.rows.insert(content.rows.end(), rows.begin(), rows.end());
  });
  return content;
}

}  // namespace cyclerd::record
