// A connection that carries bytes both ways, whatever it is made of: TCP or a serial line.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"
#include "protocols/transport/serial.hpp"

namespace cyclerd::transport {

// One thread. Every call ends by its deadline.
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  // Opens afresh, within a second. Nothing that was said before on a TCP connection can be heard on the new one; on a
  // serial line it can.
  virtual base::Status open() = 0;
  virtual void close() noexcept = 0;
  [[nodiscard]] virtual bool is_open() const noexcept = 0;
  virtual base::Status write_all(std::span<const std::uint8_t> bytes, base::MonoTime deadline) = 0;
  // At least one byte, or 0 when none came by the deadline. `disconnected`: the other side has closed.
  [[nodiscard]] virtual base::Result<std::size_t> read_some(std::span<std::uint8_t> into, base::MonoTime deadline) = 0;

  // A reply that comes late comes all the same: closing does not help.
  [[nodiscard]] virtual bool keeps_late_replies() const noexcept = 0;
  // That one byte takes on the line; 0 where nobody knows.
  [[nodiscard]] virtual base::Duration byte_time() const noexcept = 0;
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
};

[[nodiscard]] std::unique_ptr<ByteStream> make_tcp_stream(std::string host, std::uint16_t port, base::Clock& clock);
[[nodiscard]] std::unique_ptr<ByteStream> make_serial_stream(std::string device, const SerialSettings& settings,
                                                             base::Clock& clock);

}  // namespace cyclerd::transport
