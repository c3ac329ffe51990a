// Appends frames to the journal in groups: one write and one fdatasync for all channels. Recorder thread only.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "daemon/record/journal_format.hpp"
#include "daemon/record/storage.hpp"
#include "protocols/base/time.hpp"

namespace cyclerd::record {

class JournalWriter {
 public:
  struct Options {
    std::string directory;
    std::size_t segment_bytes = 64U << 20;
    std::uint32_t first_segment = 1;
    std::uint64_t first_group = 1;
    Storage* storage = nullptr;
  };
  // Creates the first segment: pre-zeroed, synced, its folder synced.
  static base::Result<JournalWriter> open(Options options, base::WallTime now);

  // Encodes one frame. Writes and syncs only when the segment is full and the next one begins; then may fail, and the
  // frame was not taken.
  base::Status add(const profiles::RecordHeader& record, std::span<const std::byte> payload, base::WallTime now);
  // Puts all that was added on stable storage. After a failure the journal is dead: what was written is in doubt, and a
  // second fdatasync may lie about it, so there is none.
  base::Status commit();
  // Zeroes the next segment ahead of need, so that no commit has to wait for it. A full disk shows here first.
  base::Status prepare_next(base::WallTime now);
  // A frame of kind none in a group of its own: proves that all before it was committed.
  base::Status close(base::WallTime now);

  [[nodiscard]] bool dead() const noexcept { return dead_; }
  [[nodiscard]] bool half_full() const noexcept { return offset_ + buffer_.size() > segment_size_ / 2; }
  [[nodiscard]] std::uint32_t segment() const noexcept { return segment_; }
  [[nodiscard]] std::uint64_t group() const noexcept { return group_; }
  // Where the newest frame begins: segment number in the upper half, offset in the lower.
  [[nodiscard]] std::uint64_t last_position() const noexcept { return last_position_; }
  // The size of segments made from now on: smaller, when only the ballast's room is left.
  void set_segment_bytes(std::size_t bytes) noexcept { options_.segment_bytes = bytes; }

 private:
  explicit JournalWriter(Options options) : options_(std::move(options)), group_(options_.first_group) {}
  base::Status flush();
  base::Status make_segment(std::uint32_t number, std::size_t bytes, base::WallTime now, File& out);
  base::Status rotate(std::size_t frame_bytes, base::WallTime now);

  Options options_;
  File file_;
  File next_;
  std::size_t next_size_ = 0;
  std::size_t segment_size_ = 0;
  std::uint32_t segment_ = 0;
  std::uint64_t group_ = 1;
  std::uint64_t offset_ = 0;  // of the first byte of buffer_ in the segment
  std::uint64_t last_position_ = 0;
  std::vector<std::byte> buffer_;
  bool unsynced_ = false;
  bool dead_ = false;
};

}  // namespace cyclerd::record
