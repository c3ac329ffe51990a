// A serial line with Modbus RTU slaves on it: the port, the gaps between frames, and what is known of each slave.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"
#include "protocols/transport/serial.hpp"

struct _modbus;

namespace cyclerd::modbus {

inline constexpr std::uint8_t kLargestUnit = 247;

// The silence that separates two frames: 3.5 characters, above 19200 baud 1750 us (Modbus over serial
// line 1.02, 2.5.1.1).
[[nodiscard]] base::Duration frame_gap(const transport::SerialSettings& settings) noexcept;

// Shared by the clients of all slaves on the wire; used by the wire's one thread. Opens when the first client connects
// and stays open; a client that fails closes it only when the adapter is gone.
class RtuLine {
 public:
  RtuLine(std::string device, const transport::SerialSettings& settings, base::Clock& clock);
  ~RtuLine();
  RtuLine(const RtuLine&) = delete;
  RtuLine& operator=(const RtuLine&) = delete;

  [[nodiscard]] const std::string& device() const noexcept { return device_; }
  [[nodiscard]] const transport::SerialSettings& settings() const noexcept { return settings_; }
  [[nodiscard]] bool is_open() const noexcept { return port_.has_value(); }

 private:
  friend class RtuClient;

  struct Slave {
    std::uint32_t clients = 0;
    std::uint32_t epoch = 0;     // counts the moments after which its answers are in doubt
    std::uint32_t failures = 0;  // in a row
    base::MonoTime quiet_until;  // a late reply may come until then
    base::MonoTime exchanged;    // end of the last exchange
  };

  // Opens the port unless it is open.
  base::Status open();
  void close() noexcept;
  // Sleeps until a request to `slave` may go out, throws away what came meanwhile.
  void take_turn(const Slave& slave, base::Duration min_gap, base::Duration request_gap);
  // Listens and throws away until `deadline`, and on until the line has been silent for `silence`; at most until
  // `latest`. False when it never became silent.
  bool settle(base::MonoTime deadline, base::Duration silence, base::MonoTime latest);
  [[nodiscard]] base::Duration time_of(std::size_t bytes) const noexcept { return character_ * std::int64_t(bytes); }
  [[nodiscard]] Slave& slave(std::uint8_t unit) noexcept { return slaves_[unit]; }
  [[nodiscard]] std::uint32_t slave_count() const noexcept;

  std::string device_;
  transport::SerialSettings settings_;
  base::Clock& clock_;
  base::Duration character_;
  base::Duration gap_;
  _modbus* modbus_;
  std::optional<transport::SerialPort> port_;
  std::uint32_t epoch_ = 0;    // counts openings
  bool listened_to_ = false;   // since the opening: a slave has answered, and nobody echoed
  base::MonoTime last_frame_;  // end of the last frame that we sent or took
  std::array<Slave, kLargestUnit + 1> slaves_{};
};

}  // namespace cyclerd::modbus
