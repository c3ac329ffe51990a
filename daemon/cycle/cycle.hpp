// The heartbeat: drains the samples, steps each channel's executor, hands the commands over, records.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "daemon/io/lanes.hpp"
#include "profiles/amend.hpp"
#include "profiles/executor.hpp"
#include "profiles/program.hpp"
#include "profiles/row_selector.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/base/latch.hpp"
#include "protocols/base/published.hpp"
#include "protocols/base/ring.hpp"

namespace cyclerd::cycle {

// A test, made by the control side with everything it needs already allocated; the cycle borrows it and gives it back.
struct Run {
  std::uint64_t test = 0;  // id: Unix microseconds of the start request, unique per daemon
  std::shared_ptr<const profiles::Program> program;
  profiles::ExecutorState state;
  profiles::RowSelector rows;
  safety::LimitTable limits;         // station, cell and profile merged
  safety::LimitTable limits_before;  // the channel's own, back in force after the test
  std::string metadata_json;         // for the record's test_begin

  explicit Run(std::shared_ptr<const profiles::Program> p) : program(std::move(p)), rows(*program) {}
};

// A program that is to take the place of a running test's, made by the control side with everything it needs already
// allocated; the cycle borrows it until the reply.
struct Amend {
  profiles::ExecutorState seen;  // look: filled in by the cycle

  // amend: refused as `moved_on` when the test is not where the plan was made. Accepted, `program` is the old one.
  std::uint64_t test = 0;
  const profiles::Program* from = nullptr;
  std::shared_ptr<const profiles::Program> program;
  profiles::Amendment plan;
  std::unique_ptr<profiles::RowSelector> rows;
  std::string metadata_json;  // for the record
};

enum class ChannelState : std::uint8_t { disabled = 0, safe, armed, running, paused, recovering, faulted, finished };
[[nodiscard]] std::string_view to_string(ChannelState state) noexcept RT_NONBLOCKING;

// From the control side to the cycle.
struct Order {
  enum class Kind : std::uint8_t { start = 0, request, acknowledge, note, look, amend };
  Kind kind = Kind::start;
  profiles::Request request = profiles::Request::none;  // pause, resume, stop, skip_step
  base::EventKind note_kind = base::EventKind::note;    // note: the event's kind; `who` is its subject, `text` its text
  std::uint8_t reserved[1] = {};
  std::uint32_t channel = 0;
  double value = 0.0;         // note: the event's value
  std::uint64_t id = 0;       // echoed in the Reply; 0: nobody waits, no Reply
  Run* run = nullptr;         // start: owned by the control side until the reply, then by the cycle until `finished`
  Amend* amend = nullptr;     // look, amend: owned by the control side, left alone by it until the reply
  base::FixedText<94> who;    // operator
  base::FixedText<206> text;  // reason
};

// From the cycle to the control side. An accepted order is durable once the recorder has committed `record_sequence`.
struct Reply {
  enum class Kind : std::uint8_t { accepted = 0, refused, finished };
  Kind kind = Kind::accepted;
  std::uint8_t moved_on = 0;  // an amendment came a step too late: plan it again
  std::uint8_t reserved[2] = {};
  std::uint32_t channel = 0;
  std::uint64_t id = 0;
  std::uint64_t ring_position = 0;  // frames pushed to the record ring so far, this order's included
  Run* run = nullptr;               // finished, or a refused start: to be freed by the control side
  base::FixedText<206> text;        // why refused
};

// What everybody may know of a channel, published once a scan. The event comes last: it is published when it changes.
struct ChannelStatus {
  ChannelState state = ChannelState::faulted;
  profiles::RunState run_state = profiles::RunState::ready;
  std::uint8_t output_on = 0;
  std::uint8_t reserved[5] = {};
  std::uint64_t test = 0;
  profiles::Row row;  // of the newest scan
  std::uint64_t rows_kept = 0;
  std::uint64_t scans = 0;
  std::uint64_t missed_scans = 0;
  std::uint32_t trip_cause = 0;  // safety::Cause
  std::uint32_t reserved2 = 0;
  base::Event last_event;
};

struct ChannelConfig {
  std::uint32_t index = 0;
  std::string name;
  std::uint32_t cycler = 0;   // device index
  std::int32_t chamber = -1;  // device index or -1
  std::int32_t sensor = -1;   // thermometer, device index or -1
  io::Lanes* cycler_lanes = nullptr;
  io::Lanes* chamber_lanes = nullptr;
  io::Lanes* sensor_lanes = nullptr;
  base::Latch* latch = nullptr;
  base::Duration scan;
  bool chamber_loss_trips = false;  // policy when the chamber is lost in a test: trip, else pause
  bool enabled = true;              // false: the channel stays `disabled`
  base::Duration settle{};          // from a confirmed set-point to a current that can be believed (rise time)
};

// Its own thread, or a simulation. All memory is taken at construction; run_once() neither allocates nor does I/O.
// See daemon/cycle/README.md for the channel's states and for what goes into the record when.
class Cycle {
 public:
  // `lanes`: every wire once, all made with the same Wakeup, which is the cycle's. `journal`: the recorder keeps one;
  // see RecordWriter.
  Cycle(std::vector<ChannelConfig> channels, std::vector<io::Lanes*> lanes, base::FrameRing& records,
        base::Clock& clock, bool journal = true);
  ~Cycle();

  // One round. Returns when it must run again at the latest (it is also woken by the ports and the control side).
  base::MonoTime run_once() noexcept RT_NONBLOCKING;

  [[nodiscard]] base::Ring<Order>& orders() noexcept;
  [[nodiscard]] base::Ring<Reply>& replies() noexcept;
  [[nodiscard]] base::Wakeup& wakeup() noexcept;
  [[nodiscard]] const base::Published<ChannelStatus>& status(std::uint32_t channel) const noexcept;
  [[nodiscard]] const std::atomic<std::uint64_t>& heartbeat() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cyclerd::cycle
