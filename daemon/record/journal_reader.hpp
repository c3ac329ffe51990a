// Reads the journal back: recovery, replay, tests. Never trusts a byte that no checksum covers.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/record/journal_format.hpp"
#include "protocols/base/command.hpp"
#include "protocols/base/event.hpp"
#include "protocols/base/result.hpp"

namespace cyclerd::record {

struct JournalFrame {
  profiles::RecordHeader header;
  std::uint64_t position = 0;  // segment number in the upper half, offset in the lower: rises through the journal
  std::uint64_t group = 0;
  std::span<const std::byte> payload;  // valid during the call only
};
using FrameSink = std::function<void(const JournalFrame&)>;

struct SegmentReport {
  std::uint32_t number = 0;
  std::uint64_t frames = 0;
  std::uint64_t last_group = 0;
  std::uint64_t used_bytes = 0;     // header and whole frames, to the end of the last one kept
  std::uint64_t dropped_bytes = 0;  // torn tail: from the cut to the last byte that is not zero
  std::vector<std::string> damage;  // checksums that fail inside what was once committed
};

// The frames of one segment, oldest first. `last`: no younger segment holds frames, so the end may be torn (a group
// that was never acknowledged); elsewhere every byte was once on stable storage, and what does not check is damage.
// Frames behind damage are kept when a younger group proves that they were committed.
SegmentReport scan_segment(std::span<const std::byte> bytes, std::uint32_t number, bool last, const FrameSink& sink);

struct JournalReport {
  std::vector<SegmentReport> segments;  // oldest first; those that hold frames
  std::uint32_t highest_segment = 0;    // of all files, empty ones too
  std::uint64_t last_group = 0;
  [[nodiscard]] std::vector<std::string> texts() const;  // what was dropped or damaged, in words
};
// Every frame in `directory` (…/journal), oldest first. A missing folder is an empty journal.
base::Result<JournalReport> scan_journal(const std::string& directory, const FrameSink& sink);

// The payload as `T`; false when the frame is too short for one. `rest`: what follows it.
template <class T>
bool decode(std::span<const std::byte> payload, T& out, std::span<const std::byte>* rest = nullptr) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (payload.size() < sizeof(T) || (rest == nullptr && payload.size() != sizeof(T))) return false;
  __builtin_memcpy(static_cast<void*>(&out), payload.data(), sizeof(T));
  if (rest != nullptr) *rest = payload.subspan(sizeof(T));
  return true;
}

// Another profile took over.
struct JournalAmendment {
  profiles::TestAmendment head;
  std::uint64_t sequence = 0;
  std::string metadata_json;     // {by, reason, changes, profile}
  std::vector<std::byte> state;  // of the executor, under the new program
};

// Everything the journal holds of one test.
struct TestJournal {
  bool begun = false;
  bool ended = false;
  profiles::TestBegin begin;
  profiles::TestEnd end;
  std::string metadata_json;
  std::vector<profiles::Input> inputs;
  std::vector<profiles::Row> rows;
  std::vector<base::Event> events;
  std::vector<base::Command> commands;
  std::vector<profiles::StepSummary> steps;
  std::vector<profiles::CycleSummary> cycles;
  std::vector<JournalAmendment> amendments;
  profiles::Checkpoint checkpoint;  // the newest; that of an amendment counts
  std::vector<std::byte> checkpoint_state;
  std::uint64_t last_sequence = 0;
  std::uint64_t missing_sequences = 0;  // holes in the numbering
  std::vector<std::string> report;
};
base::Result<TestJournal> read_test_journal(const std::string& state_dir, std::uint64_t test);

}  // namespace cyclerd::record
