#include "daemon/record/journal_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <optional>

#include "daemon/record/crc32c.hpp"
#include "daemon/record/storage.hpp"

namespace cyclerd::record {
namespace {

namespace fs = std::filesystem;

// The frame at `at`, when every check holds.
std::optional<FrameHeader> frame_at(std::span<const std::byte> bytes, std::uint64_t at, std::uint32_t segment) {
  if (at > bytes.size() || bytes.size() - at < sizeof(FrameHeader)) return {};
  FrameHeader h;
  std::memcpy(&h, &bytes[at], sizeof h);
  if (h.magic != kFrameMagic || h.segment != segment || h.length > kMaxPayloadBytes ||
      h.length > bytes.size() - at - sizeof h) {
    return {};
  }
  constexpr std::size_t kFrom = offsetof(FrameHeader, length);
  if (crc32c(bytes.subspan(at + kFrom, sizeof h - kFrom + h.length)) != h.crc) return {};
  return h;
}

std::string check_header(std::span<const std::byte> bytes, std::uint32_t number) {
  SegmentHeader h;
  if (bytes.size() < sizeof h) return "the file is shorter than a segment's header";
  std::memcpy(&h, bytes.data(), sizeof h);
  if (crc32c(bytes.first(offsetof(SegmentHeader, crc))) != h.crc) return "the segment's header fails its checksum";
  if (h.version != kJournalVersion) return fmt::format("format version {} is not known here", h.version);
  if (h.segment != number) return fmt::format("the header says segment {}", h.segment);
  return {};
}

struct Place {
  std::uint64_t at = 0;
  std::uint64_t end = 0;
  std::uint64_t group = 0;
  bool behind_damage = false;
  bool closing = false;  // the mark of a clean end: alone in its group, so whole when it checks
};

std::uint64_t last_nonzero(std::span<const std::byte> bytes) {
  std::size_t n = bytes.size();
  while (n > 0 && bytes[n - 1] == std::byte{0}) --n;
  return n;
}

bool all_zero(std::span<const std::byte> bytes) {
  return last_nonzero(bytes) == 0;
}

// Places of all frames that check; after a bad stretch the search goes on at every multiple of 8.
std::vector<Place> find_frames(std::span<const std::byte> bytes, std::uint64_t used, std::uint32_t number) {
  std::vector<Place> places;
  bool lost = false;
  std::uint64_t at = sizeof(SegmentHeader);
  while (at < used) {
    if (const auto h = frame_at(bytes, at, number)) {
      const std::uint64_t end = at + padded(sizeof(FrameHeader) + h->length);
      const std::uint64_t padding_from = at + sizeof(FrameHeader) + h->length;
      if (end <= bytes.size() && !all_zero(bytes.subspan(padding_from, end - padding_from))) lost = true;
      places.push_back({at, std::min<std::uint64_t>(end, bytes.size()), h->group, lost,
                        h->record.kind == profiles::RecordKind::none});
      at = end;
    } else {
      lost = true;
      at += 8;
    }
  }
  return places;
}

}  // namespace

SegmentReport scan_segment(std::span<const std::byte> bytes, std::uint32_t number, bool last, const FrameSink& sink) {
  SegmentReport report;
  report.number = number;
  report.used_bytes = sizeof(SegmentHeader);
  if (std::string problem = check_header(bytes, number); !problem.empty()) {
    report.damage.push_back(fmt::format("journal segment {}: {}", number, problem));
  }
  const std::uint64_t used = last_nonzero(bytes);
  const std::vector<Place> places = find_frames(bytes, used, number);
  std::uint64_t newest = 0;
  for (const Place& p : places) newest = std::max(newest, p.group);

  std::uint64_t expected = sizeof(SegmentHeader);
  for (const Place& p : places) {
    if (p.behind_damage && last && p.group == newest && !p.closing) break;
    if (p.at != expected || (p.behind_damage && report.damage.empty())) {
      report.damage.push_back(
          fmt::format("journal segment {}: {} bytes from offset {} fail their checksum and are lost", number,
                      p.at - expected, expected));
    }
    const auto header = frame_at(bytes, p.at, number);
    JournalFrame frame;
    frame.header = header->record;
    frame.position = (std::uint64_t{number} << 32) | p.at;
    frame.group = p.group;
    frame.payload = bytes.subspan(p.at + sizeof(FrameHeader), header->length);
    if (sink) sink(frame);
    ++report.frames;
    report.last_group = std::max(report.last_group, p.group);
    expected = p.end;
  }
  report.used_bytes = expected;
  if (used > expected) {
    if (last) {
      report.dropped_bytes = used - expected;
    } else {
      report.damage.push_back(
          fmt::format("journal segment {}: {} bytes from offset {} fail their checksum and are lost", number,
                      used - expected, expected));
    }
  }
  return report;
}

std::vector<std::string> JournalReport::texts() const {
  std::vector<std::string> out;
  for (const SegmentReport& s : segments) {
    out.insert(out.end(), s.damage.begin(), s.damage.end());
    if (s.dropped_bytes != 0) {
      out.push_back(fmt::format("journal segment {}: torn tail of {} bytes at offset {} cut off (never acknowledged)",
                                s.number, s.dropped_bytes, s.used_bytes));
    }
  }
  return out;
}

namespace {

std::vector<std::uint32_t> segment_numbers(const std::string& directory) {
  std::vector<std::uint32_t> numbers;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    const std::string name = entry.path().filename().string();
    std::uint32_t number = 0;
    const auto r = std::from_chars(name.data(), name.data() + name.size(), number);
    if (r.ec == std::errc{} && std::string_view(r.ptr) == ".seg") numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// Whether any frame was ever written to this segment.
bool holds_frames(std::span<const std::byte> bytes) {
  return bytes.size() > sizeof(SegmentHeader) && !all_zero(bytes.subspan(sizeof(SegmentHeader)));
}

}  // namespace

base::Result<JournalReport> scan_journal(const std::string& directory, const FrameSink& sink) {
  JournalReport report;
  std::vector<std::uint32_t> numbers = segment_numbers(directory);
  if (numbers.empty()) return report;
  report.highest_segment = numbers.back();
  // Empty segments at the end were only prepared.
  std::vector<std::byte> bytes;
  while (!numbers.empty()) {
    TRY_ASSIGN(bytes, read_bytes(directory + "/" + segment_name(numbers.back())));
    if (holds_frames(bytes)) break;
    numbers.pop_back();
  }
  std::uint32_t before = 0;
  for (const std::uint32_t number : numbers) {
    const bool last = number == numbers.back();
    TRY_ASSIGN(bytes, read_bytes(directory + "/" + segment_name(number)));
    SegmentReport segment = scan_segment(bytes, number, last, sink);
    if (before != 0 && number != before + 1) {
      segment.damage.push_back(fmt::format("journal: segments {} to {} are missing", before + 1, number - 1));
    }
    before = number;
    report.last_group = std::max(report.last_group, segment.last_group);
    report.segments.push_back(std::move(segment));
  }
  return report;
}

namespace {

template <class T>
bool append_decoded(std::span<const std::byte> payload, std::vector<T>& out) {
  T value;
  if (!decode(payload, value)) return false;
  out.push_back(value);
  return true;
}

bool take_amendment(TestJournal& test, const JournalFrame& f) {
  JournalAmendment amendment;
  std::span<const std::byte> rest;
  const profiles::TestAmendment& head = amendment.head;
  if (!decode(f.payload, amendment.head, &rest) || rest.size() < head.metadata_bytes ||
      rest.size() - head.metadata_bytes != head.state_bytes) {
    return false;
  }
  amendment.sequence = f.header.sequence;
  amendment.metadata_json.assign(reinterpret_cast<const char*>(rest.data()), head.metadata_bytes);
  const auto state = rest.subspan(head.metadata_bytes);
  amendment.state.assign(state.begin(), state.end());
  test.checkpoint = {head.time, head.wall, head.last_input_sequence, head.state_version, head.state_bytes};
  test.checkpoint_state = amendment.state;
  test.amendments.push_back(std::move(amendment));
  return true;
}

bool take(TestJournal& test, const JournalFrame& f) {
  using enum profiles::RecordKind;
  std::span<const std::byte> rest;
  switch (f.header.kind) {
    case test_begin: {
      if (!decode(f.payload, test.begin, &rest)) return false;
      test.begun = true;
      test.metadata_json.assign(reinterpret_cast<const char*>(rest.data()), rest.size());
      return true;
    }
    case input: return append_decoded(f.payload, test.inputs);
    case row: return append_decoded(f.payload, test.rows);
    case event: return append_decoded(f.payload, test.events);
    case step_summary: return append_decoded(f.payload, test.steps);
    case cycle_summary: return append_decoded(f.payload, test.cycles);
    case command: return append_decoded(f.payload, test.commands);
    case checkpoint:
      if (!decode(f.payload, test.checkpoint, &rest)) return false;
      test.checkpoint_state.assign(rest.begin(), rest.end());
      return true;
    case amendment: return take_amendment(test, f);
    case test_end: test.ended = decode(f.payload, test.end); return test.ended;
    case none:
    case audit: return true;
  }
  return true;  // a kind of a later version: not ours to judge
}

}  // namespace

base::Result<TestJournal> read_test_journal(const std::string& state_dir, std::uint64_t test) {
  TestJournal out;
  std::vector<std::string> malformed;
  TRY_ASSIGN(
      const JournalReport report, scan_journal(state_dir + "/journal", [&](const JournalFrame& f) {
        if (f.header.test != test) return;
        if (f.header.sequence > out.last_sequence + 1 && out.last_sequence != 0) {
          out.missing_sequences += f.header.sequence - out.last_sequence - 1;
        }
        out.last_sequence = std::max(out.last_sequence, f.header.sequence);
        if (!take(out, f)) {
          malformed.push_back(fmt::format("test {}: frame {} of kind {} has a payload of {} bytes, not of its kind's",
                                          test, f.header.sequence, static_cast<int>(f.header.kind), f.payload.size()));
        }
      }));
  out.report = report.texts();
  out.report.insert(out.report.end(), malformed.begin(), malformed.end());
  return out;
}

}  // namespace cyclerd::record
