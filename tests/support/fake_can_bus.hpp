// A CAN bus in memory, in virtual time: the test is everybody else on it.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "protocols/base/clock.hpp"
#include "protocols/transport/can_bus.hpp"

namespace cyclerd::testing_support {

class FakeCanBus final : public transport::CanBus {
 public:
  explicit FakeCanBus(base::VirtualClock& clock) : clock_(clock) {}

  base::Status open() override {
    if (!can_open) return base::failure(base::ErrorCode::disconnected, name(), "no such interface");
    open_ = true;
    return {};
  }
  void close() noexcept override { open_ = false; }
  [[nodiscard]] bool is_open() const noexcept override { return open_; }
  base::Status send(const transport::CanFrame& frame, base::MonoTime) override {
    if (!acknowledged) return base::failure(base::ErrorCode::timeout, name(), "nobody acknowledges");
    sent.emplace_back(clock_.now(), frame);
    if (answer) answer(frame);
    return {};
  }
  // Frames come at their moments; when none is left before the deadline, time goes on to it.
  base::Result<bool> receive(transport::CanFrame& frame, base::MonoTime deadline) override {
    if (!open_) return base::failure(base::ErrorCode::disconnected, name(), "not open");
    const base::MonoTime until = std::max(deadline, clock_.now());
    while (cyclic && next_cycle_ <= until && (coming_.empty() || coming_.front().received >= next_cycle_)) {
      cyclic(next_cycle_);
      next_cycle_ = next_cycle_ + cycle;
    }
    if (coming_.empty() || coming_.front().received > until) {
      if (deadline > clock_.now()) clock_.advance_to(deadline);
      return false;
    }
    frame = coming_.front();
    coming_.pop_front();
    if (frame.received > clock_.now()) clock_.advance_to(frame.received);
    return true;
  }
  [[nodiscard]] const transport::CanHealth& health() const noexcept override { return state; }
  [[nodiscard]] std::string_view name() const noexcept override { return "fake0"; }

  void say(std::uint32_t id, const std::vector<std::uint8_t>& bytes, base::Duration after = {}, bool extended = false) {
    say_at(clock_.now() + after, id, bytes, extended);
  }
  void say_at(base::MonoTime when, std::uint32_t id, const std::vector<std::uint8_t>& bytes, bool extended = false) {
    transport::CanFrame frame;
    frame.id = id;
    frame.extended = extended;
    frame.length = static_cast<std::uint8_t>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), frame.data.begin());
    frame.received = when;
    const auto later = std::find_if(coming_.begin(), coming_.end(), [&](const auto& f) { return f.received > when; });
    coming_.insert(later, frame);
  }

  bool can_open = true;
  bool acknowledged = true;
  std::function<void(const transport::CanFrame&)> answer;
  // What is said unasked, each `cycle`.
  std::function<void(base::MonoTime)> cyclic;
  base::Duration cycle = base::milliseconds(50);
  std::vector<std::pair<base::MonoTime, transport::CanFrame>> sent;
  transport::CanHealth state;

 private:
  base::VirtualClock& clock_;
  std::deque<transport::CanFrame> coming_;
  base::MonoTime next_cycle_;
  bool open_ = false;
};

}  // namespace cyclerd::testing_support
