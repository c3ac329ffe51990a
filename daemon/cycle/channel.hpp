// One channel on the cycle's thread: joins readings into samples, steps the executor, carries its wishes to the ports
// and everything into the record. Inside of daemon/cycle.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "daemon/cycle/cycle.hpp"
#include "daemon/cycle/record_writer.hpp"
#include "profiles/replay.hpp"

namespace cyclerd::cycle {

using Words = base::FixedText<206>;

// What all channels share.
struct Shared {
  Shared(base::FrameRing& ring, base::Clock& c, bool journal) : clock(c), records(ring, journal) {}

  base::Clock& clock;
  RecordWriter records;
  base::Ring<Order> orders{256};
  base::Ring<Reply> replies{1024};
  std::vector<std::uint64_t> command_sequences;  // by device
};

class Channel {
 public:
  Channel(ChannelConfig config, Shared& shared);

  [[nodiscard]] const ChannelConfig& config() const noexcept RT_NONBLOCKING { return config_; }
  void take(const io::Notice& notice) noexcept RT_NONBLOCKING;
  void take(const base::Reading& reading) noexcept RT_NONBLOCKING;
  void take(const Order& order) noexcept RT_NONBLOCKING;
  // The end of a round: what time alone brings about.
  void tick() noexcept RT_NONBLOCKING;
  // When this channel wants the next round at the latest.
  [[nodiscard]] base::MonoTime due() const noexcept RT_NONBLOCKING;
  [[nodiscard]] const base::Published<ChannelStatus>& status() const noexcept { return published_; }

 private:
  // The newest believable reading of a device.
  struct Latest {
    base::Reading reading;
    base::Duration period;  // between the last two
    bool seen = false;
    bool lost = false;  // quarantined by its port
  };
  struct Pending {
    profiles::Request request = profiles::Request::none;
    std::uint64_t id = 0;  // of the order; 0: ours
  };

  // channel_orders.cpp: people
  void start(const Order& order) noexcept RT_NONBLOCKING;
  void request(const Order& order) noexcept RT_NONBLOCKING;
  void acknowledge(const Order& order) noexcept RT_NONBLOCKING;
  void note(const Order& order) noexcept RT_NONBLOCKING;
  void look(const Order& order) noexcept RT_NONBLOCKING;
  void reply(Reply::Kind kind, std::uint64_t id, std::string_view text = {},
             Run* run = nullptr) noexcept RT_NONBLOCKING;
  [[nodiscard]] Words why_not_start(const Order& order) const noexcept RT_NONBLOCKING;
  [[nodiscard]] Words why_not_request(profiles::Request request) const noexcept RT_NONBLOCKING;
  [[nodiscard]] Words why_not_acknowledge() const noexcept RT_NONBLOCKING;
  // channel_amend.cpp: another program for the test that runs
  void amend(const Order& order) noexcept RT_NONBLOCKING;
  [[nodiscard]] Words why_not_amend(const Amend& wanted) const noexcept RT_NONBLOCKING;
  [[nodiscard]] bool record_amendment(const Amend& wanted) noexcept RT_NONBLOCKING;
  // Empty when every device of the channel says good things: fresh, valid, output off, no alarm.
  [[nodiscard]] Words devices_trouble() const noexcept RT_NONBLOCKING;
  [[nodiscard]] Words chamber_trouble() const noexcept RT_NONBLOCKING;
  // The channel has one, and it has told nothing for too long.
  [[nodiscard]] bool chamber_silent() const noexcept RT_NONBLOCKING {
    return config_.chamber >= 0 && !fresh(chamber_, sensor_age_allowed(chamber_));
  }
  [[nodiscard]] bool sensor_silent() const noexcept RT_NONBLOCKING {
    return config_.sensor >= 0 && !fresh(sensor_, sensor_age_allowed(sensor_));
  }
  [[nodiscard]] bool still_beyond(safety::Cause cause, double& value, double& bound) const noexcept RT_NONBLOCKING;

  // channel_scan.cpp: one scan of a test
  [[nodiscard]] base::Sample join(const base::Reading& reading) noexcept RT_NONBLOCKING;
  void scan(const base::Sample& sample) noexcept RT_NONBLOCKING;
  [[nodiscard]] Pending next_request() noexcept RT_NONBLOCKING;
  void forward(profiles::Request request) noexcept RT_NONBLOCKING;
  void send(base::Command command, std::uint32_t device, io::Lanes& lanes) noexcept RT_NONBLOCKING;
  void record_outputs(profiles::Request request) noexcept RT_NONBLOCKING;
  void checkpoint() noexcept RT_NONBLOCKING;
  void finish(profiles::Request request) noexcept RT_NONBLOCKING;
  void idle_scan(const base::Sample& sample) noexcept RT_NONBLOCKING;

  // channel.cpp: states and events
  [[nodiscard]] bool runs() const noexcept RT_NONBLOCKING { return run_ != nullptr; }
  [[nodiscard]] base::MonoTime now() const noexcept RT_NONBLOCKING { return shared_.records.now(); }
  [[nodiscard]] base::Duration silence_allowed() const noexcept RT_NONBLOCKING;
  [[nodiscard]] bool fresh(const Latest& latest, base::Duration age) const noexcept RT_NONBLOCKING;
  [[nodiscard]] base::Duration sensor_age_allowed(const Latest& latest) const noexcept RT_NONBLOCKING;
  void become(ChannelState state, std::string_view why) noexcept RT_NONBLOCKING;
  void become_faulted(std::uint32_t cause) noexcept RT_NONBLOCKING;
  void trip(safety::Cause cause) noexcept RT_NONBLOCKING;
  void look_at_latch() noexcept RT_NONBLOCKING;
  void look_at_chamber() noexcept RT_NONBLOCKING;
  void look_at_ring() noexcept RT_NONBLOCKING;
  void ask_pause(std::string_view why) noexcept RT_NONBLOCKING;
  void tell(base::EventKind kind, std::string_view subject, std::string_view text, double value = 0.0,
            double bound = 0.0) noexcept RT_NONBLOCKING;
  void record(base::Event event) noexcept RT_NONBLOCKING;
  void send_limits(const safety::LimitTable& table) noexcept RT_NONBLOCKING;
  [[nodiscard]] std::span<io::Lanes* const> lanes() const noexcept RT_NONBLOCKING {
    return {lanes_.data(), lane_count_};
  }

  ChannelConfig config_;
  Shared& shared_;
  RecordStream stream_;
  std::array<io::Lanes*, 3> lanes_{};  // the wires of this channel, each once
  std::size_t lane_count_ = 0;

  ChannelState state_ = ChannelState::faulted;
  safety::Cause fault_ = safety::Cause::self_check;
  safety::LimitTable fault_limits_;  // in force when it tripped: what must hold again before an acknowledgement
  Run* run_ = nullptr;
  std::uint64_t start_order_ = 0;
  Run* returning_ = nullptr;  // finished, not yet handed back
  profiles::Output output_;
  base::MonoTime began_;
  base::MonoTime last_checkpoint_;

  Latest cycler_, chamber_, sensor_;
  base::Sample sample_;  // the last one
  bool has_sample_ = false;
  std::int64_t missed_mark_us_ = 0;  // time of the last sample that came from the instrument

  std::array<Pending, 8> pending_{};
  std::size_t pending_count_ = 0;
  bool pause_asked_ = false;  // by us, for the chamber or the ring
  bool ring_half_told_ = false;
  bool command_pending_ = false;  // the lane was full
  bool chamber_pending_ = false;
  std::uint64_t settling_sequence_ = 0;  // first set-point of a step, not yet known to be in force
  base::MonoTime settling_since_;
  bool settled_known_ = false;
  base::MonoTime settled_at_;

  ChannelStatus status_;
  bool dirty_ = true;
  bool event_changed_ = true;  // status_.last_event, since it was published
  base::Published<ChannelStatus> published_;
};

}  // namespace cyclerd::cycle
