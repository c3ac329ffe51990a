// One CAN bus, shared by the instruments on it: frames go to whoever listens for their identifier.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"
#include "protocols/device/can_item.hpp"
#include "protocols/transport/can_bus.hpp"

namespace cyclerd::can {

// An instrument's end of the line. Called by the wire's one thread, inside CanLine::listen().
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void take(int tag, const transport::CanFrame& frame) noexcept = 0;
  // Sends what has to be repeated by `now`; the moment of the next.
  virtual base::MonoTime repeat(base::MonoTime now) = 0;
};

class CanLine {
 public:
  CanLine(std::unique_ptr<transport::CanBus> bus, base::Clock& clock) : bus_(std::move(bus)), clock_(clock) {}
  CanLine(const CanLine&) = delete;
  CanLine& operator=(const CanLine&) = delete;

  [[nodiscard]] std::string_view name() const noexcept { return bus_->name(); }
  [[nodiscard]] bool is_open() const noexcept { return bus_->is_open(); }
  [[nodiscard]] const transport::CanHealth& health() const noexcept { return bus_->health(); }
  // Counts openings: what was heard before one is forgotten.
  [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }

  // Frames with this identifier that begin with `match` go to `listener`, with its tag. Before the line is used.
  void subscribe(Listener& listener, int tag, std::uint32_t id, bool extended, std::vector<device::CanByte> match);
  void leave(Listener& listener) noexcept;

  base::Status open();
  void close() noexcept { bus_->close(); }
  base::Status send(const transport::CanFrame& frame, base::Duration patience);
  // Takes everything that has come; then, until `deadline`, what comes, while `wanted` is still false.
  template <class Wanted>
  base::Status listen(base::MonoTime deadline, const Wanted& wanted) {
    TRY(listen_until(clock_.now()));
    while (!wanted() && clock_.now() < deadline) TRY(take_next(deadline));
    return {};
  }

 private:
  struct Subscription {
    Listener* listener;
    int tag;
    std::uint32_t id;
    bool extended;
    std::vector<device::CanByte> match;
  };
  base::Status listen_until(base::MonoTime now);
  base::Status take_next(base::MonoTime deadline);
  void hand_out(const transport::CanFrame& frame) noexcept;

  std::unique_ptr<transport::CanBus> bus_;
  base::Clock& clock_;
  std::uint32_t epoch_ = 0;
  std::vector<Subscription> subscriptions_;
  std::vector<Listener*> listeners_;
};

}  // namespace cyclerd::can
