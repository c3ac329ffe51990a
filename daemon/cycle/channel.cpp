#include "daemon/cycle/channel.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace cyclerd::cycle {

using base::EventKind;
using safety::Cause;

namespace {

constexpr double kRingWarns = 0.5;
constexpr double kRingPauses = 0.8;

}  // namespace

std::string_view to_string(ChannelState state) noexcept RT_NONBLOCKING {
  switch (state) {
    case ChannelState::disabled: return "disabled";
    case ChannelState::safe: return "safe";
    case ChannelState::armed: return "armed";
    case ChannelState::running: return "running";
    case ChannelState::paused: return "paused";
    case ChannelState::recovering: return "recovering";
    case ChannelState::faulted: return "faulted";
    case ChannelState::finished: return "finished";
  }
  return "unknown";
}

Channel::Channel(ChannelConfig config, Shared& shared) : config_(std::move(config)), shared_(shared) {
  stream_.channel = config_.index;
  for (io::Lanes* lanes : {config_.cycler_lanes, config_.chamber_lanes, config_.sensor_lanes}) {
    if (lanes == nullptr || std::find(lanes_.begin(), lanes_.end(), lanes) != lanes_.end()) continue;
    lanes_[lane_count_++] = lanes;
  }
  state_ = config_.enabled ? ChannelState::faulted : ChannelState::disabled;
  status_.state = state_;
  status_.trip_cause = static_cast<std::uint32_t>(fault_);
  published_.store(status_);
}

// Younger than this, the cycler's silence is not yet worth acting on.
base::Duration Channel::silence_allowed() const noexcept RT_NONBLOCKING {
  return std::max(config_.scan * 3, base::milliseconds(500));
}

bool Channel::fresh(const Latest& latest, base::Duration age) const noexcept RT_NONBLOCKING {
  return latest.seen && !latest.lost && now() - latest.reading.received <= age;
}

// A value older than this is no value; the judge trips a little later than a test pauses.
base::Duration Channel::sensor_age_allowed(const Latest& latest) const noexcept RT_NONBLOCKING {
  const base::Duration loss = runs() ? run_->limits.sensor_loss : safety::LimitTable{}.sensor_loss;
  return std::max(loss, latest.period * 3) * 3 / 4;
}

void Channel::record(base::Event event) noexcept RT_NONBLOCKING {
  event.channel = static_cast<std::int32_t>(config_.index);
  shared_.records.put(stream_, profiles::RecordKind::event, event);
  status_.last_event = event;
  event_changed_ = true;
  dirty_ = true;
}

void Channel::tell(EventKind kind, std::string_view subject, std::string_view text, double value,
                   double bound) noexcept RT_NONBLOCKING {
  base::Event event;
  event.time = now();
  event.wall = shared_.records.wall();
  event.kind = kind;
  event.value = value;
  event.bound = bound;
  event.subject.append(subject);
  event.text.append(text);
  record(event);
}

void Channel::become(ChannelState state, std::string_view why) noexcept RT_NONBLOCKING {
  if (state == state_) return;
  Words text{to_string(state_)};
  text.append(" -> ").append(to_string(state));
  if (!why.empty()) text.append(": ").append(why);
  state_ = state;
  tell(EventKind::state, config_.name, text.view());
}

void Channel::become_faulted(std::uint32_t cause) noexcept RT_NONBLOCKING {
  fault_ = static_cast<Cause>(cause);
  become(ChannelState::faulted, safety::to_string(fault_));
}

// The latch stops every port at its next look; the wake-up makes that now.
void Channel::trip(Cause cause) noexcept RT_NONBLOCKING {
  config_.latch->trip(static_cast<std::uint32_t>(cause));
  for (io::Lanes* l : lanes()) l->to_port.post();
}

void Channel::send_limits(const safety::LimitTable& table) noexcept RT_NONBLOCKING {
  io::LimitUpdate update;
  update.channel = config_.index;
  update.table = table;
  for (io::Lanes* l : lanes()) {
    if (!l->limits.push(update)) {
      tell(EventKind::fault, "limits", "a wire takes no more limit tables: its thread hangs");
      trip(Cause::supervisor);
    }
    l->to_port.post();
  }
}

void Channel::ask_pause(std::string_view why) noexcept RT_NONBLOCKING {
  if (pause_asked_ || !runs() || output_.state != profiles::RunState::running) return;
  pause_asked_ = true;
  tell(EventKind::fault, config_.name, why);
}

void Channel::look_at_latch() noexcept RT_NONBLOCKING {
  if (state_ == ChannelState::disabled || !config_.latch->tripped()) return;
  if (runs()) return;  // the next scan ends the test
  const std::uint32_t cause = config_.latch->cause();
  if (state_ == ChannelState::faulted && fault_ == static_cast<Cause>(cause)) return;
  become_faulted(cause);
}

void Channel::look_at_chamber() noexcept RT_NONBLOCKING {
  if (!runs()) return;
  const bool chamber = chamber_silent();
  if (!chamber && !sensor_silent()) return;
  const Words trouble = chamber_trouble();
  if (config_.chamber_loss_trips) {
    if (config_.latch->tripped()) return;
    tell(EventKind::trip, "chamber", trouble.view());
    trip(chamber ? Cause::stale_chamber : Cause::stale_temperature);
  } else {
    ask_pause(trouble.view());
  }
}

void Channel::look_at_ring() noexcept RT_NONBLOCKING {
  const double fill = shared_.records.fill();
  if (fill <= kRingWarns) {
    ring_half_told_ = false;
    return;
  }
  if (!ring_half_told_) {
    ring_half_told_ = true;
    tell(EventKind::overrun, "record ring", "the disk is slow: the record ring is more than half full", fill,
         kRingWarns);
  }
  if (fill > kRingPauses) ask_pause("the record ring is more than 80 % full: pausing until the disk has caught up");
}

void Channel::take(const io::Notice& notice) noexcept RT_NONBLOCKING {
  using What = io::Notice::What;
  const auto is = [&notice](std::int32_t device) {
    return device >= 0 && notice.device == static_cast<std::uint32_t>(device);
  };
  const bool cycler = notice.device == config_.cycler;
  Latest* device = cycler ? &cycler_ : is(config_.chamber) ? &chamber_ : is(config_.sensor) ? &sensor_ : nullptr;
  if (device == nullptr) return;
  record(notice.event);
  switch (notice.what) {
    case What::command_done:
      if (cycler && settling_sequence_ != 0 && notice.command_sequence >= settling_sequence_) {
        settled_known_ = true;
        settled_at_ = notice.time;
      }
      break;
    case What::command_failed:
      // A cycler's port trips by itself where there is danger. A chamber's failure is ours to weigh.
      if (!cycler && runs() && !config_.latch->tripped()) {
        if (config_.chamber_loss_trips) {
          trip(Cause::command_failed);
        } else {
          ask_pause("the chamber did not take its set-point: pausing");
        }
      }
      break;
    case What::lost:
      device->lost = true;
      if (is(config_.sensor)) sensor_.lost = true;
      if (cycler && runs() && !config_.latch->tripped()) trip(Cause::device_lost);
      break;
    case What::recovered:
      device->lost = false;
      if (is(config_.sensor)) sensor_.lost = false;
      break;
    case What::tripped:
    case What::made_safe: break;
  }
}

void Channel::take(const base::Reading& reading) noexcept RT_NONBLOCKING {
  const bool cycler = reading.device == config_.cycler;
  Latest& latest = cycler ? cycler_ : static_cast<std::int32_t>(reading.device) == config_.chamber ? chamber_ : sensor_;
  if ((reading.flags & base::flag::kInvalid) == 0) {
    latest.period = latest.seen ? reading.received - latest.reading.received : base::Duration{};
    latest.reading = reading;
    latest.seen = true;
    latest.lost = false;
    // One instrument in two places: a chamber with a sensor on the cell, a cycler with a thermometer.
    if (static_cast<std::int32_t>(reading.device) == config_.sensor) sensor_ = latest;
  }
  if (!cycler || state_ == ChannelState::disabled) return;
  ++status_.scans;
  status_.output_on = reading.output_on;
  const base::Sample sample = join(reading);
  if (has_sample_ && sample.time <= sample_.time) {  // a scan without data took its place already
    ++status_.missed_scans;
    return;
  }
  const std::int64_t since_us = sample.time.us - missed_mark_us_;
  if (has_sample_ && config_.scan.us > 0 && since_us > config_.scan.us * 3 / 2) {
    status_.missed_scans += static_cast<std::uint64_t>((since_us + config_.scan.us / 2) / config_.scan.us - 1);
  }
  missed_mark_us_ = sample.time.us;
  if (runs()) {
    scan(sample);
  } else {
    idle_scan(sample);
  }
}

void Channel::tick() noexcept RT_NONBLOCKING {
  if (returning_ != nullptr) {
    Reply done;
    done.kind = Reply::Kind::finished;
    done.channel = config_.index;
    done.id = start_order_;
    done.ring_position = shared_.records.frames();
    done.run = returning_;
    if (shared_.replies.push(done)) returning_ = nullptr;
  }
  look_at_ring();
  look_at_chamber();
  // No reading for too long: time goes on without data, so that conditions on time still act.
  if (runs() && now() >= due()) {
    base::Sample nothing;
    nothing.time = now();
    nothing.wall = shared_.records.wall();
    nothing.flags = base::flag::kInvalid;
    ++status_.missed_scans;
    scan(nothing);
  }
  look_at_latch();
  if (!runs() && (state_ == ChannelState::safe || state_ == ChannelState::finished) &&
      !fresh(cycler_, silence_allowed())) {
    become_faulted(static_cast<std::uint32_t>(Cause::self_check));
  }
  shared_.records.report_gap(stream_);
  if (!dirty_) return;
  dirty_ = false;
  status_.state = state_;
  status_.run_state = output_.state;
  status_.test = stream_.test != 0 ? stream_.test : status_.test;
  status_.trip_cause = state_ == ChannelState::faulted ? static_cast<std::uint32_t>(fault_) : config_.latch->cause();
  published_.store_head(status_, event_changed_ ? sizeof status_ : offsetof(ChannelStatus, last_event));
  event_changed_ = false;
}

base::MonoTime Channel::due() const noexcept RT_NONBLOCKING {
  if (!runs()) return now() + base::milliseconds(500);
  const bool silent = has_sample_ && (sample_.flags & base::flag::kInvalid) != 0 && sample_.time.us > missed_mark_us_;
  const base::MonoTime last = has_sample_ && sample_.time > began_ ? sample_.time : began_;
  return last + (silent ? config_.scan : silence_allowed());
}

}  // namespace cyclerd::cycle
