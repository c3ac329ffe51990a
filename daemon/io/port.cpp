#include "daemon/io/port.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "daemon/io/entry.hpp"
#include "daemon/io/words.hpp"
#include "protocols/base/check.hpp"

namespace cyclerd::io {

namespace {

using base::Duration;
using base::MonoTime;

// Currents below this share of the instrument's range count as none where the table gives no tolerance.
constexpr double kNoiseOfRange = 0.01;
constexpr double kLeastNoise_A = 1e-3;

// The rule is a third of the time-out or faster; a quarter leaves room for the transaction in flight.
constexpr std::int64_t kFeedsPerTimeout = 4;

// A probe that has waited so long goes before polls.
constexpr Duration kProbePatience = base::seconds(1);

// While a device is not connected, its age and its channel's trips are looked at this often.
constexpr Duration kLookout = base::milliseconds(100);

double noise_A(const device::Capability& c) noexcept {
  return std::max(kNoiseOfRange * std::max(std::abs(c.current_max_A), std::abs(c.current_min_A)), kLeastNoise_A);
}

}  // namespace

Port::Port(std::string name, std::vector<DeviceSlot> devices, base::Clock& clock, Lanes& lanes)
    : name_(std::move(name)), clock_(clock), lanes_(lanes) {
  entries_.reserve(devices.size());
  for (const DeviceSlot& slot : devices) {
    ENSURE(slot.device != nullptr && slot.safety != nullptr, "a device slot needs its device and its channel");
    ENSURE(slot.scan.us > 0, "a device needs a poll period above zero");
  }
  for (const auto kind : {device::DeviceKind::cycler, device::DeviceKind::chamber, device::DeviceKind::sensor}) {
    for (DeviceSlot& slot : devices) {
      if (slot.device == nullptr || slot.device->capability().kind != kind) continue;  // null: taken before
      entries_.push_back(std::make_unique<Entry>(std::move(slot)));
      publish(*entries_.back());
    }
  }
}

Port::~Port() = default;

base::MonoTime Port::run_once() {
  drain();
  check_ages();
  // Enough for everything that can be due at one moment. On an overloaded wire there is always more: the caller must
  // see the heartbeat and a request to stop all the same.
  const std::size_t most = 8 + 4 * entries_.size();
  std::size_t done = 0;
  while (done < most && (make_safe_next() || feed_next() || command_next() || probe_next(kProbePatience) ||
                         poll_next() || probe_next({}))) {
    ++done;
    lanes_.heartbeat.fetch_add(1, std::memory_order_acq_rel);
    drain();
  }
  lanes_.heartbeat.fetch_add(1, std::memory_order_acq_rel);
  const MonoTime now = clock_.now();
  return done < most ? next_call(now) : now;
}

Port::Entry* Port::find(std::uint32_t device) noexcept {
  for (auto& e : entries_) {
    if (e->slot.index == device) return e.get();
  }
  return nullptr;
}

// Commands before limits: a command that was seen here was pushed after the limits it belongs to.
void Port::drain() {
  if (lanes_.commands.empty() && lanes_.limits.empty()) return;  // both are large, and most rounds have none
  base::Command command;
  while (lanes_.commands.pop(command)) {
    Entry* e = find(command.device);
    ENSURE(e != nullptr, "a command for a device that is not on this wire");
    if (command.kind == base::Command::Kind::make_safe && e->has_output()) {
      e->safe_order = command.sequence;
      e->has_command = false;
      e->superseded = 0;
      demand_safe(*e);
      continue;
    }
    e->superseded = e->has_command ? e->superseded + 1 : 0;
    e->command = command;
    e->has_command = true;
  }
  LimitUpdate update;
  while (lanes_.limits.pop(update)) {
    for (auto& e : entries_) {
      if (e->slot.channel == update.channel) e->judge.set_limits(update.table);
    }
  }
}

// Data grows old without a reading, too.
void Port::check_ages() {
  for (auto& e : entries_) {
    if (e->health.link == LinkState::open || !e->energised()) continue;
    const MonoTime now = clock_.now();
    if (const safety::Verdict v = e->judge.check_age(now, true); v.violated()) trip_on(*e, v, now);
  }
}

bool Port::feed_next() {
  const MonoTime now = clock_.now();
  for (auto& e : entries_) {
    if (!e->wants_feed() || !e->feeds.due(now)) continue;
    (void)e->feeds.take(now);
    if (const base::Status fed = e->slot.device->feed_watchdog(); !fed) count_failure(*e, fed.error(), false);
    return true;
  }
  return false;
}

// The one that has waited longest: nobody starves on an overloaded wire.
bool Port::poll_next() {
  const MonoTime now = clock_.now();
  Entry* first = nullptr;
  for (auto& e : entries_) {
    if (!e->linked() || !e->polls.due(now)) continue;
    if (first == nullptr || e->polls.next() < first->polls.next()) first = e.get();
  }
  if (first == nullptr) return false;
  poll(*first, now);
  return true;
}

void Port::poll(Entry& e, MonoTime now) {
  e.health.overruns += e.polls.take(now);
  ++e.health.polls;
  base::Reading reading;
  reading.device = e.slot.index;
  reading.sequence = ++e.sequence;
  reading.sent = now;
  const base::Status status = e.slot.device->read(reading);
  const MonoTime after = clock_.now();
  if (reading.received.us == 0) reading.received = after;
  reading.wall = {clock_.wall().us - (after - reading.received).us};
  if (status) {
    receive(e, reading);
  } else {
    // The cycle learns that this scan has no data; the values of a failed transaction are not to be believed.
    base::Reading nothing;
    nothing.device = reading.device;
    nothing.sequence = reading.sequence;
    nothing.sent = reading.sent;
    nothing.received = after;
    nothing.wall = clock_.wall();
    nothing.flags = base::flag::kInvalid;
    reading = nothing;
    count_failure(e, status.error(), true);
    if (const safety::Verdict v = e.judge.check_age(after, e.energised()); v.violated()) trip_on(e, v, after);
  }
  lanes_.readings.push(reading);
  lanes_.to_cycle.post();
  publish(e);
}

// Judged before anybody else sees it.
void Port::receive(Entry& e, base::Reading& reading) {
  e.misses = 0;
  e.health.link = LinkState::open;
  e.probe_wait.reset();
  const bool believable = e.judge.believable(reading);
  if (e.is_cycler()) set_energised(e, e.may_be_on || reading.output_on != 0);
  const safety::Verdict verdict = e.judge.judge(reading, e.energised());
  if (verdict.violated()) {
    if (safety::describe(verdict.cause).side != safety::Side::none) reading.flags |= base::flag::kLimit;
    trip_on(e, verdict, reading.received);
  }
  // Judged first: a hot cell is hot, even when the same reading has no voltage.
  if (!believable) reading.flags |= base::flag::kInvalid;
  const bool came_on_again = believable && e.is_cycler() && reading.output_on != 0 && e.slot.safety->latch.tripped();
  if (came_on_again && !e.unsafe && reading.received >= e.safe_at) demand_safe(e);
  e.health.reading = reading;
  e.health.output_on = reading.output_on;
  e.health.last_reading = reading.received;
  e.health.round_trip_us = (reading.received - reading.sent).us;
  e.health.round_trip_max_us = std::max(e.health.round_trip_max_us, e.health.round_trip_us);
}

bool Port::shares_wire(const Entry& e) const noexcept {
  return std::ranges::any_of(entries_, [&e](const auto& o) { return o.get() != &e && o->linked(); });
}

// A device that was not tried yet waits for nobody.
MonoTime Port::probe_time(const Entry& e) const noexcept {
  return e.told_lost && shares_wire(e) ? std::max(e.probe_at, probes_allowed_at_) : e.probe_at;
}

// The one that has waited longest, if it has waited for `patience`: even on an overloaded wire, where a poll is always
// due, the lost come to their share and the untried to their first attempt.
bool Port::probe_next(Duration patience) {
  const MonoTime now = clock_.now();
  Entry* first = nullptr;
  for (auto& e : entries_) {
    const bool untried = e->health.link == LinkState::closed && !e->told_lost;
    if (!e->wants_probe() || now < probe_time(*e) + (untried ? Duration{} : patience)) continue;
    if (first == nullptr || e->probe_at < first->probe_at) first = e.get();
  }
  if (first == nullptr) return false;
  const bool shared = shares_wire(*first);
  open(*first);
  const MonoTime after = clock_.now();
  if (shared && !first->linked()) probes_allowed_at_ = after + (after - now) * kPauseFactor;
  return true;
}

void Port::open(Entry& e) {
  device::Device& device = *e.slot.device;
  base::Status status = device.open();
  if (status && e.is_cycler()) {
    const base::Status protected_now = device.protect(e.slot.protections);
    if (!protected_now && protected_now.error().code != base::ErrorCode::unsupported) status = protected_now;
  }
  const MonoTime now = clock_.now();
  if (!status) {
    ++e.health.errors;
    e.health.error = words(status.error()).view();
    e.described = false;
    if (e.health.link != LinkState::closed) e.health.link = LinkState::quarantined;
    e.probe_at = now + e.probe_wait.next();
    if (!e.told_lost) lose(e);
    publish(e);
    return;
  }
  const device::Capability& c = device.capability();
  const Duration period = std::max(e.slot.scan, c.min_scan);
  e.judge.retune(period, noise_A(c));
  e.judge.restart(now);
  e.misses = 0;
  e.reopen = false;
  e.told_lost = false;
  e.polls.start(now, period);
  e.feeds.start(now, std::max(c.watchdog_timeout / kFeedsPerTimeout, base::milliseconds(1)));
  e.health.link = LinkState::open;
  e.health.has_watchdog = c.watchdog != device::WatchdogKind::none ? 1 : 0;
  e.health.capability = c;
  e.health.identity = device.identity();
  e.health.error = {};
  e.described = false;
  e.health.reconnects += e.opened_before ? 1 : 0;
  e.opened_before = true;
  if (e.unsafe) {
    report_safe(e, {});
  } else {
    e.may_be_on = false;
    set_energised(e, false);
  }
  Words text{"connected: "};
  text.append(e.health.identity.maker.view()).append(" ").append(e.health.identity.model.view()).append(" ");
  text.append(e.health.identity.serial.view()).append("; output off");
  notify(e, Notice::What::recovered, 0, event(e, base::EventKind::recovered, text));
  publish(e);
}

MonoTime Port::next_call(MonoTime now) const noexcept {
  MonoTime next = now + kMaxIdle;
  for (const auto& e : entries_) {
    if (e->linked()) next = std::min(next, e->polls.next());
    if (e->wants_feed()) next = std::min(next, e->feeds.next());
    // As in make_safe_next(): what was never open is probed instead.
    if (e->unsafe && e->health.link != LinkState::closed) next = std::min(next, e->safe_at);
    if (e->wants_probe()) next = std::min({next, probe_time(*e), now + kLookout});
  }
  return std::max(next, now);
}

}  // namespace cyclerd::io
