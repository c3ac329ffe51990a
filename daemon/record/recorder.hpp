// Drains record frames to disk: one journal for the daemon, one live stream per test. Its own thread; may be as slow as
// the disk.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"
#include "protocols/base/ring.hpp"
#include "protocols/base/time.hpp"

namespace cyclerd::record {

class Storage;

struct RecorderConfig {
  std::string state_dir;                                     // journal/ and tests/ live below
  base::Duration commit_interval = base::milliseconds(200);  // one fdatasync for all channels
  base::Duration poll_interval = base::milliseconds(20);     // how soon an order is seen that waits for its commit
  std::size_t segment_bytes = 64U << 20;
  std::size_t ballast_bytes = 4U << 20;  // given up on a full disk, to write down why; 0: none
  std::size_t batch_rows = 1000;         // of the live stream
  base::Duration batch_age = base::seconds(5);
  bool durable = true;         // false: simulation; no fdatasync, no journal
  Storage* storage = nullptr;  // null: the real one; tests make disks fail
};

class Recorder {
 public:
  // Recovers what an earlier process left (torn tails are cut and reported), then opens for appending. One per state
  // folder: the caller holds the folder's lock.
  static base::Result<std::unique_ptr<Recorder>> open(RecorderConfig config, base::FrameRing& ring, base::Clock& clock);
  ~Recorder();

  // Drains the ring and commits when due: after commit_interval, or at once when an order waits for it (a frame of kind
  // test_begin, test_end or checkpoint, an event of kind pause, resume, acknowledge or trip). Returns when it wants to
  // be called again; calling sooner does no harm. Never sleeps.
  base::MonoTime run_once();
  // Drains, commits, closes streams cleanly. Tests that have not ended stay "running" for recovery.
  void finish();

  // Frames taken from the ring whose bytes are on stable storage (counts from the start of this process); compare with
  // cycle::Reply::ring_position. Any thread.
  [[nodiscard]] std::uint64_t durable_frames() const noexcept;
  // Posted after every commit, on the recorder's thread; may be null. Set before the first run_once().
  void on_commit(std::function<void()> callback);
  // Disk state for supervisor and control: a dead store or a full disk, in words; empty when healthy. Any thread.
  [[nodiscard]] std::string trouble() const;
  [[nodiscard]] std::uint64_t heartbeat() const noexcept;
  // What recovery found, in words; empty when nothing was wrong. Already recorded as events of the station.
  [[nodiscard]] const std::vector<std::string>& recovery_report() const noexcept;

 private:
  struct Impl;
  explicit Recorder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cyclerd::record
