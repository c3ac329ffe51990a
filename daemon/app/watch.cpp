#include "daemon/app/watch.hpp"

#include <cstdlib>

#include <fmt/format.h>

#include "daemon/app/log.hpp"
#include "daemon/app/metadata.hpp"

namespace cyclerd::app {

ClockAnchor::Due ClockAnchor::look(base::MonoTime mono, base::WallTime wall) noexcept {
  const std::int64_t offset_us = wall.us - mono.us;
  const std::int64_t moved_us = offset_us - offset_us_;
  Due due;
  if (!first_ && std::llabs(moved_us) > kClockStep.us) due.step = base::microseconds(moved_us);
  due.due = first_ || due.step.us != 0 || mono - anchored_ >= kAnchorPeriod;
  // Slewing moves the offset slowly: compared from look to look, it never adds up to a step.
  offset_us_ = offset_us;
  first_ = false;
  if (due.due) anchored_ = mono;
  return due;
}

Watch::Watch(Station& station, StationService& service, base::Clock& clock)
    : station_(station), service_(service), clock_(clock) {
  const base::MonoTime now = clock.now();
  const auto add = [this](bool trips) {
    tripping_.push_back(trips);
    told_.push_back(false);
  };
  for (Wire& wire : station.wires) {
    supervisor_.watch("wire " + wire.name, wire.lanes->heartbeat, kPortAllowed, now);
    add(true);
  }
  supervisor_.watch("cycle", station.cycle->heartbeat(), kCycleAllowed, now);
  add(true);
  supervisor_.watch(
      "recorder", [&station] { return station.recorder->heartbeat(); }, kRecorderAllowed, now);
  add(false);
}

base::MonoTime Watch::run_once() {
  const base::MonoTime now = clock_.now();
  check_heartbeats(now);
  feed(now);
  service_.poll();
  anchor(now);
  if (now - compared_ >= base::seconds(1)) {
    compared_ = now;
    compare_with_instruments();
  }
  if (now - told_status_ >= base::seconds(5)) {
    told_status_ = now;
    notifier_.status(status_text());
  }
  return now + kSupervisorPeriod;
}

void Watch::check_heartbeats(base::MonoTime now) {
  std::vector<bool> late(told_.size(), false);
  for (const safety::Late& one : supervisor_.check(now)) {
    late[one.id] = true;
    if (tripping_[one.id]) {
      for (auto& channel : station_.safety) {
        if (!channel->latch.tripped()) io::trip(*channel, safety::Cause::supervisor);
      }
    }
    if (told_[one.id]) continue;
    log(LogLevel::error,
        fmt::format("{} has made no progress for {:.1f} s (allowed {:.1f} s){}", one.name, one.age.seconds(),
                    one.allowed.seconds(), tripping_[one.id] ? ": every channel is tripped" : ""));
  }
  told_ = std::move(late);
}

void Watch::feed(base::MonoTime now) {
  const base::Duration period = notifier_.watchdog_period();
  if (period.us == 0 || !supervisor_.may_feed(now)) return;
  // A round early rather than a round late.
  if (now - fed_ + kSupervisorPeriod < period) return;
  fed_ = now;
  notifier_.watchdog();
}

void Watch::anchor(base::MonoTime now) {
  const base::WallTime wall = clock_.wall();
  const ClockAnchor::Due due = clock_anchor_.look(now, wall);
  if (!due.due) return;
  std::string text = fmt::format("boot {}, monotonic {} us, wall {} us, {}", boot_id(), now.us, wall.us,
                                 wall_clock_synchronized() ? "synchronized" : "not synchronized");
  if (due.step.us != 0) {
    text = fmt::format("the wall clock was set by {:+.3f} s; {}", due.step.seconds(), text);
    log(LogLevel::warning, text);
  }
  service_.note(base::EventKind::clock, due.step.us != 0 ? "wall clock step" : "clock anchor", text,
                due.step.seconds());
}

void Watch::refuse(std::uint32_t channel, const std::string& subject, const std::string& words) {
  if (station_.safety[channel]->latch.tripped()) return;
  io::trip(*station_.safety[channel], safety::Cause::self_check);
  log(LogLevel::error, words);
  service_.note(base::EventKind::fault, subject, words);
}

// What only the opened instruments can tell: who they are, and what they can do.
void Watch::compare_with_instruments() {
  for (const SharedInstrument& shared : shared_instruments(station_)) {
    refuse(shared.first, "identity", shared.words);
    refuse(shared.second, "identity", shared.words);
  }
  for (std::uint32_t i = 0; i < station_.config.channels.size(); ++i) {
    const ChannelConfig& channel = station_.config.channels[i];
    const io::DeviceHealth health = station_.health[channel.cycler]->load();
    if (health.polls == 0) continue;
    const std::string words = unreachable_limits(channel.limits, health.capability);
    if (!words.empty())
      refuse(i, channel.name, fmt::format("channel {}: {}; tighten the station file", channel.name, words));
  }
}

bool Watch::self_check_attempted() const {
  for (std::size_t i = 0; i < station_.config.devices.size(); ++i) {
    if (station_.config.devices[i].channel < 0) continue;
    const io::DeviceHealth health = station_.health[i]->load();
    if (health.link == io::LinkState::closed && health.errors == 0) return false;
  }
  return true;
}

std::string Watch::status_text() const {
  std::string text;
  for (std::uint32_t i = 0; i < station_.config.channels.size(); ++i) {
    const cycle::ChannelStatus status = station_.cycle->status(i).load();
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", station_.config.channels[i].name,
                        cycle::to_string(status.state));
  }
  return text;
}

std::string unreachable_limits(const profiles::SafetyLimits& limits, const device::Capability& cycler) {
  struct Row {
    const char* name;
    const char* unit;
    const profiles::SafetyBound& bound;
    double min, max;
  };
  const Row rows[] = {{"voltage", "V", limits.voltage, cycler.voltage_min_V, cycler.voltage_max_V},
                      {"current", "A", limits.current, cycler.current_min_A, cycler.current_max_A}};
  std::string words;
  for (const Row& row : rows) {
    for (const double bound : {row.bound.min, row.bound.max}) {
      // An absent bound compares false on both sides.
      if (!(bound < row.min) && !(bound > row.max)) continue;
      words += fmt::format("{}the {} limit {} {} is outside the cycler's range {} to {} {}", words.empty() ? "" : ", ",
                           row.name, bound, row.unit, row.min, row.max, row.unit);
    }
  }
  return words;
}

std::vector<SharedInstrument> shared_instruments(const Station& station) {
  std::vector<SharedInstrument> shared;
  const auto& devices = station.config.devices;
  for (std::uint32_t i = 0; i < devices.size(); ++i) {
    if (devices[i].channel < 0) continue;
    const io::DeviceHealth one = station.health[i]->load();
    if (one.link == io::LinkState::closed || one.identity.serial.empty()) continue;
    for (std::uint32_t k = i + 1; k < devices.size(); ++k) {
      if (devices[k].channel < 0 || devices[k].channel == devices[i].channel) continue;
      const io::DeviceHealth other = station.health[k]->load();
      if (other.link == io::LinkState::closed || !one.identity.same_device(other.identity)) continue;
      shared.push_back(
          {static_cast<std::uint32_t>(devices[i].channel), static_cast<std::uint32_t>(devices[k].channel),
           fmt::format("devices {} and {} are one instrument ({} {}, serial {}): a device serves one channel; "
                       "correct the station file",
                       devices[i].name, devices[k].name, one.identity.maker.view(), one.identity.model.view(),
                       one.identity.serial.view())});
    }
  }
  return shared;
}

}  // namespace cyclerd::app
