// Frames on their way to the recorder: header, numbering, and what happens when the ring is full.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "profiles/record.hpp"
#include "protocols/base/event.hpp"
#include "protocols/base/ring.hpp"
#include "protocols/base/rt.hpp"

namespace cyclerd::cycle {

// What one channel writes: a test's frames are numbered from 1 without holes.
struct RecordStream {
  std::uint32_t channel = 0;
  std::uint64_t test = 0;  // 0: none runs
  std::uint64_t sequence = 0;
  std::uint64_t lost = 0;  // frames that found no room since the last gap event
};

// The only producer of the record ring. On the cycle's thread.
class RecordWriter {
 public:
  // Without a journal nobody replays and nobody recovers: inputs, commands and checkpoints get their numbers, so that
  // everything else has the same as with one, and are not handed over.
  RecordWriter(base::FrameRing& ring, bool journal) : ring_(ring), journal_(journal) {}

  // False when there was no room: the frame is lost and counted; a gap event says so as soon as there is room again.
  template <class T>
  bool put(RecordStream& stream, profiles::RecordKind kind, const T& payload, std::span<const std::byte> extra = {},
           std::span<const std::byte> more = {}) noexcept RT_NONBLOCKING {
    if (!journal_ && is_for_journal(kind)) {
      ++stream.sequence;
      return true;
    }
    return put_bytes(stream, kind, std::as_bytes(std::span{&payload, 1}), extra, more);
  }

  // Tells of frames that were lost; without any, does nothing.
  void report_gap(RecordStream& stream) noexcept RT_NONBLOCKING;

  void set_time(base::MonoTime now, base::WallTime wall) noexcept RT_NONBLOCKING { now_ = now, wall_ = wall; }
  [[nodiscard]] base::MonoTime now() const noexcept RT_NONBLOCKING { return now_; }
  [[nodiscard]] base::WallTime wall() const noexcept RT_NONBLOCKING { return wall_; }
  [[nodiscard]] std::uint64_t frames() const noexcept RT_NONBLOCKING { return frames_; }
  // How full the ring is, 0 to 1.
  [[nodiscard]] double fill() const noexcept RT_NONBLOCKING;

 private:
  // Kinds that no file of a test holds.
  static constexpr bool is_for_journal(profiles::RecordKind kind) noexcept RT_NONBLOCKING {
    using enum profiles::RecordKind;
    return kind == input || kind == command || kind == checkpoint;
  }
  bool put_bytes(RecordStream& stream, profiles::RecordKind kind, std::span<const std::byte> payload,
                 std::span<const std::byte> extra, std::span<const std::byte> more) noexcept RT_NONBLOCKING;
  bool push(RecordStream& stream, profiles::RecordKind kind, std::span<const std::byte> payload,
            std::span<const std::byte> extra, std::span<const std::byte> more) noexcept RT_NONBLOCKING;

  base::FrameRing& ring_;
  bool journal_;
  base::MonoTime now_;
  base::WallTime wall_;
  std::uint64_t frames_ = 0;
};

}  // namespace cyclerd::cycle
