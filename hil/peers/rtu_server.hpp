// Modbus RTU slaves on a pty: twins on one serial line, each at its unit. All work runs on the io_context's thread;
// silence may be asked for from any thread.
#pragma once

#include <array>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "hil/peers/pseudo_terminal.hpp"
#include "hil/peers/register_map.hpp"
#include "hil/peers/rtu_frame.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"

namespace cyclerd::hil {

// How the slaves of a line behave, as real ones do.
struct RtuManners {
  base::Duration frame_end = base::milliseconds(2);  // silence that ends a frame
  // A frame that begins sooner after the last one, ours or theirs, is not seen (EZT-570i: 203 ms).
  base::Duration least_gap;
  base::Duration reply_delay;
  bool echo = false;  // the adapter of the other side returns what it sends
};

class RtuServer {
 public:
  // `link`: a lasting name for the line, "" for none. `clock` must outlive the server.
  [[nodiscard]] static base::Result<std::unique_ptr<RtuServer>> open(asio::io_context& io, const base::Clock& clock,
                                                                     const RtuManners& manners = {},
                                                                     const std::string& link = "");
  ~RtuServer();
  RtuServer(const RtuServer&) = delete;
  RtuServer& operator=(const RtuServer&) = delete;

  // Before the io_context runs. `map` must outlive the server.
  void add(std::uint8_t unit, RegisterMap& map) { slaves_.insert_or_assign(unit, &map); }
  // The serial device that the other side opens.
  [[nodiscard]] const std::string& path() const noexcept { return pty_.path(); }
  // One slave, or all (unit 0): requests act on nothing, no reply comes.
  void set_mute(std::uint8_t unit, bool mute) noexcept { mute_[unit] = mute; }
  [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }
  // Frames that came too soon, and what was no frame.
  [[nodiscard]] std::uint64_t ignored() const noexcept { return ignored_; }

 private:
  RtuServer(asio::io_context& io, const base::Clock& clock, const RtuManners& manners, PseudoTerminal pty);
  void read();
  void take(std::span<const std::uint8_t> bytes);
  void end_of_frame();
  void reply(std::size_t length);
  void send(std::size_t length);

  const base::Clock& clock_;
  RtuManners manners_;
  PseudoTerminal pty_;
  asio::posix::stream_descriptor line_;
  asio::steady_timer silence_;
  asio::steady_timer delay_;
  std::map<std::uint8_t, RegisterMap*> slaves_;
  std::array<std::uint8_t, kMaxRtuFrame> chunk_{};
  std::array<std::uint8_t, kMaxRtuFrame + 1> in_{};
  std::size_t filled_ = 0;
  std::array<std::uint8_t, kMaxRtuFrame> out_{};
  base::MonoTime frame_began_;
  base::MonoTime last_frame_;  // end of the last frame on the line
  std::array<std::atomic<bool>, 256> mute_{};
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> ignored_{0};
};

}  // namespace cyclerd::hil
