// A CAN bus: frames with deadlines, and how the bus is doing.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "protocols/base/result.hpp"
#include "protocols/base/time.hpp"

namespace cyclerd::transport {

struct CanFrame {
  std::uint32_t id = 0;
  bool extended = false;  // 29 bits
  bool remote = false;
  bool flexible_rate = false;  // CAN FD: up to 64 bytes
  std::uint8_t length = 0;
  std::array<std::uint8_t, 64> data{};
  base::MonoTime received;  // by the best stamp there is: CanHealth::stamp

  [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept { return std::span(data).first(length); }
};

enum class CanState : std::uint8_t { unknown, active, warning, passive, bus_off };
enum class CanStamp : std::uint8_t { reader, kernel, hardware };  // who took the moment of a frame

[[nodiscard]] constexpr std::string_view to_string(CanState state) noexcept {
  switch (state) {
    case CanState::active: return "error-active";
    case CanState::warning: return "error-warning";
    case CanState::passive: return "error-passive";
    case CanState::bus_off: return "bus-off";
    default: return "unknown";
  }
}

struct CanHealth {
  CanState state = CanState::unknown;
  CanStamp stamp = CanStamp::reader;
  std::uint16_t transmit_errors = 0;  // the controller's counters, where it tells them
  std::uint16_t receive_errors = 0;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t overruns = 0;      // frames that were lost on this side
  std::uint64_t error_frames = 0;  // told by the controller
  std::uint64_t bus_offs = 0;
  std::uint64_t unacknowledged = 0;  // nobody took a frame of ours
  std::uint64_t foul = 0;            // what an adapter sent and nobody can read
};

// One thread. After `disconnected` is_open() is false: open() again, which is the caller's policy. A bus that is off
// stays off until open(): nothing restarts by itself.
class CanBus {
 public:
  virtual ~CanBus() = default;

  virtual base::Status open() = 0;
  virtual void close() noexcept = 0;
  [[nodiscard]] virtual bool is_open() const noexcept = 0;
  // Hands the frame to the controller. `timeout` when its queue stays full: nobody acknowledges, or the bus is
  // overloaded.
  virtual base::Status send(const CanFrame& frame, base::MonoTime deadline) = 0;
  // False when none came until the deadline. Never gives error frames: they show in health().
  virtual base::Result<bool> receive(CanFrame& frame, base::MonoTime deadline) = 0;
  [[nodiscard]] virtual const CanHealth& health() const noexcept = 0;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
};

}  // namespace cyclerd::transport
