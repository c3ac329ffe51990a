// Drains record frames to disk: one journal for the daemon, one live stream per test. Its own thread; may be as slow as
// the disk.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"
#include "protocols/base/ring.hpp"
#include "protocols/base/time.hpp"

namespace cyclerd::record {

struct RecorderConfig {
  std::string state_dir;                                     // journal/ and tests/ live below
  base::Duration commit_interval = base::milliseconds(200);  // one fdatasync for all channels
  std::size_t segment_bytes = 64U << 20;
  std::size_t batch_rows = 1000;  // of the live stream
  base::Duration batch_age = base::seconds(5);
  bool durable = true;  // false: simulation; no fdatasync, no journal
};

class Recorder {
 public:
  // Recovers what an earlier process left (torn tails are cut and reported), then opens for appending.
  static base::Result<std::unique_ptr<Recorder>> open(RecorderConfig config, base::FrameRing& ring, base::Clock& clock);
  ~Recorder();

  // Drains the ring and commits when due. Returns when it wants to be called again.
  base::MonoTime run_once();
  // Drains, commits, closes streams cleanly.
  void finish();

  // Frames taken from the ring whose bytes are on stable storage (counts from the start of this process); compare with
  // cycle::Reply::ring_position. Any thread.
  [[nodiscard]] std::uint64_t durable_frames() const noexcept;
  // Posted after every commit; may be null.
  void on_commit(std::function<void()> callback);
  // Disk state for supervisor and control: a dead store or a full disk, in words; empty when healthy. Any thread.
  [[nodiscard]] std::string trouble() const;
  [[nodiscard]] std::uint64_t heartbeat() const noexcept;

 private:
  struct Impl;
  explicit Recorder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cyclerd::record
