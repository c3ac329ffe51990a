#include "daemon/cycle/record_writer.hpp"

namespace cyclerd::cycle {

bool RecordWriter::push(RecordStream& stream, profiles::RecordKind kind, std::span<const std::byte> payload,
                        std::span<const std::byte> extra, std::span<const std::byte> more) noexcept RT_NONBLOCKING {
  profiles::RecordHeader header;
  header.kind = kind;
  header.channel = stream.channel;
  header.test = stream.test;
  header.sequence = stream.sequence + 1;
  const std::array<std::span<const std::byte>, 4> parts{std::as_bytes(std::span{&header, 1}), payload, extra, more};
  if (!ring_.push_parts(parts)) return false;
  ++stream.sequence;
  ++frames_;
  return true;
}

bool RecordWriter::put_bytes(RecordStream& stream, profiles::RecordKind kind, std::span<const std::byte> payload,
                             std::span<const std::byte> extra,
                             std::span<const std::byte> more) noexcept RT_NONBLOCKING {
  if (stream.lost != 0) report_gap(stream);
  if (stream.lost == 0 && push(stream, kind, payload, extra, more)) return true;
  ++stream.lost;
  return false;
}

void RecordWriter::report_gap(RecordStream& stream) noexcept RT_NONBLOCKING {
  if (stream.lost == 0) return;
  base::Event event;
  event.time = now_;
  event.wall = wall_;
  event.kind = base::EventKind::gap;
  event.channel = static_cast<std::int32_t>(stream.channel);
  event.value = static_cast<double>(stream.lost);
  event.subject.append("record ring");
  event.text.append("the ring to the disk was full: ").append(static_cast<std::int64_t>(stream.lost));
  event.text.append(" frames are missing here");
  if (push(stream, profiles::RecordKind::event, std::as_bytes(std::span{&event, 1}), {}, {})) stream.lost = 0;
}

double RecordWriter::fill() const noexcept RT_NONBLOCKING {
  return static_cast<double>(ring_.used_bytes()) / static_cast<double>(ring_.capacity_bytes());
}

}  // namespace cyclerd::cycle
