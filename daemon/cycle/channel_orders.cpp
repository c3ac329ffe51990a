// What people ask of a channel, and why it is refused.
#include <algorithm>
#include <cmath>

#include "daemon/cycle/channel.hpp"
#include "profiles/evaluate.hpp"

namespace cyclerd::cycle {

using base::EventKind;
using profiles::Request;
using safety::Cause;

namespace {

std::string_view verb(Request request) noexcept RT_NONBLOCKING {
  switch (request) {
    case Request::pause: return "pause";
    case Request::resume: return "resume";
    case Request::stop: return "stop";
    case Request::skip_step: return "skip step";
    default: return "nothing";
  }
}

}  // namespace

void Channel::reply(Reply::Kind kind, std::uint64_t id, std::string_view text, Run* run) noexcept RT_NONBLOCKING {
  if (id == 0 && run == nullptr) return;  // nobody waits
  Reply answer;
  answer.kind = kind;
  answer.channel = config_.index;
  answer.id = id;
  answer.ring_position = shared_.records.frames();
  answer.run = run;
  answer.text.append(text);
  shared_.replies.push(answer);
}

Words Channel::chamber_trouble() const noexcept RT_NONBLOCKING {
  if (chamber_silent()) {
    return chamber_.lost ? "the chamber does not answer" : "the chamber has not told its temperature for too long";
  }
  if (sensor_silent()) {
    return sensor_.lost ? "the thermometer does not answer" : "the thermometer has not told a temperature for too long";
  }
  return {};
}

Words Channel::devices_trouble() const noexcept RT_NONBLOCKING {
  if (cycler_.lost) return "the cycler does not answer: see `cyclerctl devices`";
  if (!fresh(cycler_, silence_allowed())) return "there is no fresh reading of the cycler: see `cyclerctl devices`";
  if (cycler_.reading.alarm != 0) return "the cycler reports an alarm: clear it at the instrument";
  if (cycler_.reading.output_on != 0) return "the cycler's output is on";
  if (cycler_.reading.remote == 0) return "the cycler is in local control: give it back to remote";
  return chamber_trouble();
}

Words Channel::why_not_start(const Order& order) const noexcept RT_NONBLOCKING {
  if (order.run == nullptr) return "there is no test in the order";
  if (runs()) return "a test runs on this channel already";
  if (returning_ != nullptr) return "the last test is not put away yet: try again";
  if (config_.latch->tripped() || (state_ == ChannelState::faulted && fault_ != Cause::self_check)) {
    Words text{"the channel is faulted ("};
    text.append(safety::to_string(config_.latch->tripped() ? static_cast<Cause>(config_.latch->cause()) : fault_));
    return text.append("): find the cause, then `cyclerctl ack`");
  }
  if (Words trouble = devices_trouble(); !trouble.empty()) return trouble;
  if (state_ != ChannelState::safe && state_ != ChannelState::finished) {
    Words text{"the channel is "};
    return text.append(to_string(state_)).append(", not safe");
  }
  if (shared_.records.fill() > 0.8) return "the record ring is more than 80 % full: the disk is too slow";
  if (profiles::malformed(*order.run->program) != nullptr) {
    Words text{"the program is malformed (a bug in its compiler): "};
    return text.append(profiles::malformed(*order.run->program));
  }
  for (const io::Lanes* l : lanes()) {
    if (l->limits.size() == l->limits.capacity()) return "a wire takes no limits: its thread hangs";
  }
  return {};
}

void Channel::start(const Order& order) noexcept RT_NONBLOCKING {
  if (const Words why = why_not_start(order); !why.empty()) {
    reply(Reply::Kind::refused, order.id, why.view(), order.run);
    return;
  }
  Run& run = *order.run;
  stream_ = RecordStream{stream_.channel, run.test, 0, stream_.lost};
  profiles::TestBegin begin;
  begin.time = now();
  begin.wall = shared_.records.wall();
  begin.metadata_bytes = static_cast<std::uint32_t>(run.metadata_json.size());
  const std::span<const char> metadata{run.metadata_json};
  if (!shared_.records.put(stream_, profiles::RecordKind::test_begin, begin, std::as_bytes(metadata))) {
    stream_.test = 0;
    stream_.sequence = 0;
    reply(Reply::Kind::refused, order.id, "the record ring has no room for the test's metadata", order.run);
    return;
  }
  run_ = &run;
  start_order_ = order.id;
  began_ = now();
  last_checkpoint_ = now();
  output_.state = profiles::RunState::ready;
  pause_asked_ = false;
  command_pending_ = chamber_pending_ = false;
  settling_sequence_ = 0;
  status_.rows_kept = 0;
  status_.missed_scans = 0;
  status_.scans = 0;
  if (run.state.version == 0) profiles::start(*run.program, run.state);
  send_limits(run.limits);
  Words text{order.who.view()};
  if (!order.text.empty()) text.append(": ").append(order.text.view());
  tell(EventKind::note, "start", text.view());
  become(ChannelState::armed, {});
  reply(Reply::Kind::accepted, order.id);
}

Words Channel::why_not_request(Request request) const noexcept RT_NONBLOCKING {
  if (!runs()) return "no test runs on this channel";
  if (pending_count_ == pending_.size() && request != Request::stop) return "too many orders at once: try again";
  const bool paused = output_.state == profiles::RunState::paused;
  switch (request) {
    case Request::pause: return paused ? "the test is paused already" : "";
    case Request::resume:
      if (!paused) return "the test is not paused";
      if (shared_.records.fill() > 0.8) return "the record ring is more than 80 % full: the disk is too slow";
      return chamber_trouble();
    case Request::stop:
    case Request::skip_step: return {};
    default: return "this cannot be asked for";
  }
}

void Channel::request(const Order& order) noexcept RT_NONBLOCKING {
  if (const Words why = why_not_request(order.request); !why.empty()) {
    reply(Reply::Kind::refused, order.id, why.view());
    return;
  }
  if (pending_count_ == pending_.size()) {  // a stop takes the place of the newest other wish
    reply(Reply::Kind::refused, pending_[--pending_count_].id, "a stop came first");
  }
  Words text{order.who.view()};
  if (!order.text.empty()) text.append(": ").append(order.text.view());
  tell(EventKind::note, verb(order.request), text.view());
  pending_[pending_count_++] = {order.request, order.id};
}

// Whether the last sample still lies beyond the limit that tripped.
bool Channel::still_beyond(Cause cause, double& value, double& bound) const noexcept RT_NONBLOCKING {
  const safety::CauseInfo& info = safety::describe(cause);
  bound = fault_limits_.bound(cause);
  switch (info.quantity) {
    case safety::Quantity::voltage: value = sample_.voltage_V; break;
    case safety::Quantity::current: value = sample_.current_A; break;
    case safety::Quantity::power: value = sample_.voltage_V * sample_.current_A; break;
    case safety::Quantity::temperature: value = sample_.temperature_degC; break;
    case safety::Quantity::chamber: value = sample_.chamber_degC; break;
    default: return false;
  }
  return safety::beyond(info.side, value, bound);
}

Words Channel::why_not_acknowledge() const noexcept RT_NONBLOCKING {
  if (runs()) return "the test is still being ended: try again";
  if (state_ != ChannelState::faulted) return "there is nothing to acknowledge";
  if (Words trouble = devices_trouble(); !trouble.empty()) return trouble;
  if (!config_.latch->tripped()) return "the self-check is still under way";
  const auto cause = static_cast<Cause>(config_.latch->cause());
  double value = 0.0;
  double bound = 0.0;
  if (still_beyond(cause, value, bound)) {
    const safety::CauseInfo& info = safety::describe(cause);
    Words text{info.name};
    text.append(" still holds: ").append(value).append(" ").append(info.unit);
    return text.append(", limit ").append(bound).append(" ").append(info.unit);
  }
  return {};
}

void Channel::acknowledge(const Order& order) noexcept RT_NONBLOCKING {
  if (const Words why = why_not_acknowledge(); !why.empty()) {
    reply(Reply::Kind::refused, order.id, why.view());
    return;
  }
  Words text{safety::to_string(static_cast<Cause>(config_.latch->cause()))};
  text.append(" acknowledged by ").append(order.who.view());
  if (!order.text.empty()) text.append(": ").append(order.text.view());
  tell(EventKind::acknowledge, config_.name, text.view());
  config_.latch->clear();
  fault_ = Cause::none;
  become(ChannelState::safe, "acknowledged");
  reply(Reply::Kind::accepted, order.id);
}

void Channel::note(const Order& order) noexcept RT_NONBLOCKING {
  tell(order.note_kind, order.who.view(), order.text.view(), order.value);
  reply(Reply::Kind::accepted, order.id);
}

void Channel::take(const Order& order) noexcept RT_NONBLOCKING {
  if (state_ == ChannelState::disabled && order.kind != Order::Kind::note) {
    reply(Reply::Kind::refused, order.id, "the channel is disabled in the station file", order.run);
    return;
  }
  switch (order.kind) {
    case Order::Kind::start: start(order); return;
    case Order::Kind::request: request(order); return;
    case Order::Kind::acknowledge: acknowledge(order); return;
    case Order::Kind::note: note(order); return;
    case Order::Kind::look: look(order); return;
    case Order::Kind::amend: amend(order); return;
  }
}

}  // namespace cyclerd::cycle
