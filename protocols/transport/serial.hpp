// Serial lines with deadlines: a tty or a pty, raw, owned by one process.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"

namespace cyclerd::transport {

enum class Parity : std::uint8_t { none, even, odd };

struct SerialSettings {
  std::uint32_t baud = 9600;
  Parity parity = Parity::none;
  std::uint8_t data_bits = 8;  // 7 or 8
  std::uint8_t stop_bits = 1;  // 1 or 2

  bool operator==(const SerialSettings&) const = default;
};

// "9600 8E1", for messages.
[[nodiscard]] base::FixedText<16> to_text(const SerialSettings& settings) noexcept;
// How long one character takes on the line, start, parity and stop bits included; rounded up.
[[nodiscard]] base::Duration character_time(const SerialSettings& settings) noexcept;

// An open line. One thread. Bytes that came before open() are gone.
class SerialPort {
 public:
  // Opens `device` for this process alone, without flow control, and checks that the driver took the settings. Errors:
  // not_found, permission, busy, invalid (no serial port, or settings that it cannot have), io.
  [[nodiscard]] static base::Result<SerialPort> open(const std::string& device, const SerialSettings& settings,
                                                     base::Clock& clock);
  SerialPort(SerialPort&&) noexcept;
  SerialPort& operator=(SerialPort&&) noexcept;
  ~SerialPort();

  // Hands all bytes to the driver; they leave the wire later, at the line's pace. `timeout` when it does not take them.
  [[nodiscard]] base::Status write_all(std::span<const std::uint8_t> bytes, base::MonoTime deadline);
  // Waits for input until the deadline. At least one byte, or 0 when none came. `disconnected`: the adapter is gone.
  [[nodiscard]] base::Result<std::size_t> read_some(std::span<std::uint8_t> into, base::MonoTime deadline);
  // Throws away what has arrived and was not read.
  void discard_input() noexcept;
  // Something has arrived, or the line has hung up.
  [[nodiscard]] bool has_input() const noexcept;

  [[nodiscard]] int descriptor() const noexcept;
  [[nodiscard]] const std::string& device() const noexcept;
  [[nodiscard]] const SerialSettings& settings() const noexcept;

 private:
  struct Line;
  explicit SerialPort(std::unique_ptr<Line> line);
  std::unique_ptr<Line> line_;
};

}  // namespace cyclerd::transport
