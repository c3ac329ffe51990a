// A CAN bus behind a serial adapter that speaks LAWICEL's text protocol.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "protocols/base/clock.hpp"
#include "protocols/base/fixed_text.hpp"
#include "protocols/transport/can_bus.hpp"
#include "protocols/transport/serial.hpp"
#include "protocols/transport/slcan_codec.hpp"

namespace cyclerd::transport {

struct SlcanOptions {
  std::string line;         // the tty
  SerialSettings settings;  // USB adapters ignore the baud rate
  std::uint32_t bitrate = 500'000;
};

// Classic frames only. Moments are those of reading: the adapter's own stamp wraps each minute and runs on its own
// clock. The protocol's answers do not say what they answer, and some adapters answer nothing; so only the opening
// waits for one
// (`C`, `S6`, `O`) and believes silence there, and a BEL afterwards counts as a frame that was not taken.
class SlcanBus final : public CanBus {
 public:
  SlcanBus(SlcanOptions options, base::Clock& clock);
  ~SlcanBus() override;

  base::Status open() override;
  void close() noexcept override;
  [[nodiscard]] bool is_open() const noexcept override { return port_.has_value(); }
  base::Status send(const CanFrame& frame, base::MonoTime deadline) override;
  base::Result<bool> receive(CanFrame& frame, base::MonoTime deadline) override;
  [[nodiscard]] const CanHealth& health() const noexcept override { return health_; }
  [[nodiscard]] std::string_view name() const noexcept override { return name_.view(); }

 private:
  // A line is in line_[0..length): true. Also true after a BEL, with an empty line and `refused_`.
  base::Result<bool> take_line(base::MonoTime deadline);
  base::Status quiet(std::string_view text);
  base::Status command(std::string_view text);
  base::Status ask_for_flags();
  bool take_frame(CanFrame& frame);
  base::Status lost(const base::Error& error);

  SlcanOptions options_;
  base::Clock& clock_;
  base::FixedText<48> name_;
  std::optional<SerialPort> port_;
  CanHealth health_;
  base::MonoTime flags_asked_;
  std::array<char, 128> line_{};
  std::size_t length_ = 0;
  bool overlong_ = false;
  bool refused_ = false;
  std::array<std::uint8_t, 512> input_{};
  std::size_t from_ = 0;
  std::size_t until_ = 0;
};

}  // namespace cyclerd::transport
