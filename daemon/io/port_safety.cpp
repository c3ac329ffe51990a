// Trips, make_safe and what becomes of a device that fails.
#include <cstddef>

#include "daemon/io/entry.hpp"
#include "daemon/io/port.hpp"
#include "daemon/io/words.hpp"

namespace cyclerd::io {

namespace {

using base::Duration;
using base::ErrorCode;
using base::EventKind;
using base::MonoTime;
using safety::Cause;

constexpr std::uint32_t kMissesToQuarantine = 3;
constexpr int kLastAttempts = 3;  // of make_safe_all

// An instrument that answers, if only to say no, is on the wire.
bool is_silence(ErrorCode code) noexcept {
  return code == ErrorCode::timeout || code == ErrorCode::disconnected || code == ErrorCode::protocol ||
         code == ErrorCode::io;
}

// The instrument is not as we set it up: it restarted, or somebody changed it.
bool needs_new_start(Cause cause) noexcept {
  return cause == Cause::foreign_control || cause == Cause::output_mismatch;
}

}  // namespace

bool trip(ChannelSafety& channel, Cause cause) noexcept {
  const bool first = channel.latch.trip(static_cast<std::uint32_t>(cause));
  for (base::Wakeup* port : channel.ports) port->post();
  return first;
}

void Port::set_energised(Entry& e, bool may_be_on) noexcept {
  if (!e.is_cycler()) return;
  e.slot.safety->energised.store(may_be_on, std::memory_order_release);
}

void Port::demand_safe(Entry& e) noexcept {
  if (!e.has_output()) return;
  if (!e.unsafe) e.safe_wait.reset();
  e.unsafe = true;
  e.safe_at = clock_.now();
}

bool Port::make_safe_next() {
  for (auto& e : entries_) {
    const std::uint32_t trips = e->slot.safety->latch.count();
    if (trips == e->answered_trips) continue;
    e->answered_trips = trips;
    demand_safe(*e);
  }
  const MonoTime now = clock_.now();
  for (auto& e : entries_) {
    // What was never open is opened instead, which leaves its output off.
    if (!e->unsafe || now < e->safe_at || e->health.link == LinkState::closed) continue;
    report_safe(*e, write_safe(*e));
    return true;
  }
  return false;
}

base::Status Port::write_safe(Entry& e) {
  const MonoTime before = clock_.now();
  base::Status status = e.slot.device->make_safe();
  const MonoTime after = clock_.now();
  e.judge.commanded_off();
  Duration pause = e.safe_wait.next();
  // A lost device is tried again and again, but not at the cost of the others on its wire.
  if (!status && !e.linked() && shares_wire(e)) pause = std::max(pause, (after - before) * kPauseFactor);
  e.safe_at = after + pause;
  return status;
}

void Port::report_safe(Entry& e, const base::Status& status) {
  if (!status) {
    const Words why = words(status.error());
    count_failure(e, status.error(), false);
    if (!e.told_unsafe || e.safe_order != 0) {
      Words text{"could not be made safe, trying again: "};
      text.append(why.view());
      notify(e, Notice::What::command_failed, e.safe_order, event(e, EventKind::fault, text));
    }
    e.told_unsafe = true;
    e.safe_order = 0;
    publish(e);
    if (e.is_cycler()) trip_on(e, {Cause::command_failed, 0.0, 0.0}, clock_.now());
    return;
  }
  e.unsafe = false;
  e.told_unsafe = false;
  e.may_be_on = false;
  e.safe_at = clock_.now() + base::seconds(1);  // should its output come on again
  e.health.output_on = 0;
  set_energised(e, false);
  if (!e.linked()) e.probe_at = clock_.now();
  const Words text{e.is_cycler() ? "output off, verified" : "conditioning stopped, verified"};
  if (e.safe_order != 0) {
    notify(e, Notice::What::command_done, e.safe_order, event(e, EventKind::setpoint, text));
    e.safe_order = 0;
  }
  notify(e, Notice::What::made_safe, 0, event(e, EventKind::state, text));
  publish(e);
}

// Called with the violating reading still in hand. The cycler's off command goes out before anything is told to
// anybody; the other wires are woken at once when the output is theirs to open.
void Port::trip_on(Entry& e, const safety::Verdict& verdict, MonoTime seen) {
  base::Latch& latch = e.slot.safety->latch;
  if (latch.tripped()) return;
  if (needs_new_start(verdict.cause)) e.reopen = true;
  latch.trip(static_cast<std::uint32_t>(verdict.cause));
  const std::uint32_t trips = latch.count();
  Entry* cycler = nullptr;
  for (auto& other : entries_) {
    if (other->slot.safety != e.slot.safety) continue;
    other->answered_trips = trips;
    demand_safe(*other);
    if (cycler == nullptr && other->is_cycler() && other->health.link != LinkState::closed) cycler = other.get();
  }
  base::Status made_safe;
  if (cycler != nullptr) made_safe = write_safe(*cycler);
  for (base::Wakeup* port : e.slot.safety->ports) port->post();

  base::Event tripped = event(e, EventKind::trip, words(verdict, e.slot.name));
  tripped.time = seen;
  tripped.subject = safety::to_string(verdict.cause);
  tripped.value = verdict.value;
  tripped.bound = verdict.bound;
  notify(e, Notice::What::tripped, 0, tripped);
  if (cycler != nullptr) report_safe(*cycler, made_safe);
}

void Port::count_failure(Entry& e, const base::Error& error, bool is_read) {
  ++e.health.errors;
  e.health.error = words(error).view();
  e.described = false;
  if (!e.linked() || (!is_read && !is_silence(error.code))) return;
  ++e.misses;
  if (e.misses < kMissesToQuarantine) {
    e.health.link = LinkState::suspect;
    return publish(e);
  }
  e.health.link = LinkState::quarantined;
  e.probe_at = clock_.now() + e.probe_wait.next();
  lose(e);
}

void Port::lose(Entry& e) {
  e.told_lost = true;
  if (e.is_cycler() && e.may_be_on) trip_on(e, {Cause::device_lost, 0.0, 0.0}, clock_.now());
  Words text{"does not answer, probing: "};
  text.append(e.health.error.view());
  notify(e, Notice::What::lost, 0, event(e, EventKind::fault, text));
  publish(e);
}

base::Event Port::event(const Entry& e, EventKind kind, const Words& text) const noexcept {
  base::Event event;
  event.time = clock_.now();
  event.wall = clock_.wall();
  event.kind = kind;
  event.channel = static_cast<std::int32_t>(e.slot.channel);
  event.subject = std::string_view{e.slot.name};
  event.text = text;
  return event;
}

void Port::notify(const Entry& e, Notice::What what, std::uint64_t sequence, base::Event event) noexcept {
  Notice notice;
  notice.what = what;
  notice.device = e.slot.index;
  notice.command_sequence = sequence;
  notice.time = event.time;
  notice.event = event;
  lanes_.notices.push(notice);
  lanes_.to_cycle.post();
}

void Port::publish(Entry& e) noexcept {
  if (e.slot.health == nullptr) return;
  e.slot.health->store_head(e.health, e.described ? offsetof(DeviceHealth, capability) : sizeof e.health);
  e.described = true;
}

bool Port::make_safe_all() {
  bool all = true;
  for (auto& e : entries_) {
    if (!e->has_output()) continue;
    base::Status status = write_safe(*e);
    for (int attempt = 1; attempt < kLastAttempts && !status; ++attempt) status = write_safe(*e);
    report_safe(*e, status);
    all = all && status.has_value();
  }
  return all;
}

}  // namespace cyclerd::io
