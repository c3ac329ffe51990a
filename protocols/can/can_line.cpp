#include "protocols/can/can_line.hpp"

#include <algorithm>

namespace cyclerd::can {

using base::Status;

namespace {

// A flood must not keep the thread here.
constexpr int kMostFramesAtOnce = 4096;

bool begins_with(const transport::CanFrame& frame, const std::vector<device::CanByte>& match) noexcept {
  if (frame.length < match.size()) return false;
  for (std::size_t i = 0; i < match.size(); ++i) {
    if (((frame.data[i] ^ match[i].value) & match[i].mask) != 0) return false;
  }
  return true;
}

}  // namespace

void CanLine::subscribe(Listener& listener, int tag, std::uint32_t id, bool extended,
                        std::vector<device::CanByte> match) {
  subscriptions_.push_back({&listener, tag, id, extended, std::move(match)});
  if (std::ranges::find(listeners_, &listener) == listeners_.end()) listeners_.push_back(&listener);
}

void CanLine::leave(Listener& listener) noexcept {
  std::erase_if(subscriptions_, [&](const Subscription& s) { return s.listener == &listener; });
  std::erase(listeners_, &listener);
}

Status CanLine::open() {
  TRY(bus_->open());
  ++epoch_;
  return {};
}

Status CanLine::send(const transport::CanFrame& frame, base::Duration patience) {
  return bus_->send(frame, clock_.now() + patience);
}

void CanLine::hand_out(const transport::CanFrame& frame) noexcept {
  if (frame.remote) return;
  for (const Subscription& s : subscriptions_) {
    if (s.id == frame.id && s.extended == frame.extended && begins_with(frame, s.match)) s.listener->take(s.tag, frame);
  }
}

Status CanLine::listen_until(base::MonoTime now) {
  transport::CanFrame frame;
  for (int i = 0; i < kMostFramesAtOnce; ++i) {
    TRY_ASSIGN(const bool came, bus_->receive(frame, now));
    if (!came) return {};
    hand_out(frame);
  }
  return {};
}

Status CanLine::take_next(base::MonoTime deadline) {
  const base::MonoTime now = clock_.now();
  for (Listener* listener : listeners_) deadline = std::min(deadline, listener->repeat(now));
  transport::CanFrame frame;
  TRY_ASSIGN(const bool came, bus_->receive(frame, deadline));
  if (came) hand_out(frame);
  return {};
}

}  // namespace cyclerd::can
