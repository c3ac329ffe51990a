// Serves an instrument that speaks in lines: to clients on loopback TCP, or to whoever opens a pty. All work runs on
// the io_context's thread; silence, lateness and dropping may be asked for from any thread.
#pragma once

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hil/peers/pseudo_terminal.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/base/result.hpp"

namespace cyclerd::hil {

class TextInstrument {
 public:
  virtual ~TextInstrument() = default;
  // What is answered to one line (without its end), without an end; none: silence.
  virtual std::optional<std::string> answer(std::string_view line) = 0;
};

struct TextManners {
  std::string line_ends = "\n";  // any of these characters ends a line; empty lines are nothing
  std::string reply_end = "\n";
  base::Duration reply_delay = {};
  base::Duration least_gap = {};  // a line that ends sooner after the last one is lost
  std::size_t max_clients = 4;
};

class TextServer {
 public:
  static constexpr std::size_t kMaxClients = 16;
  // Listens on 127.0.0.1; port 0 takes a free one. `clock` and `instrument` must outlive the server.
  [[nodiscard]] static base::Result<std::unique_ptr<TextServer>> listen(asio::io_context& io, const base::Clock& clock,
                                                                        std::uint16_t port, TextInstrument& instrument,
                                                                        TextManners manners = {});
  // On a pty; `link`: a lasting name for it, "" for none.
  [[nodiscard]] static base::Result<std::unique_ptr<TextServer>> open(asio::io_context& io, const base::Clock& clock,
                                                                      TextInstrument& instrument,
                                                                      TextManners manners = {},
                                                                      const std::string& link = "");
  ~TextServer();
  TextServer(const TextServer&) = delete;
  TextServer& operator=(const TextServer&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }  // 0: on a pty
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  // Lines act on nothing and are not answered, as from a hung device.
  void set_mute(bool mute) noexcept { mute_ = mute; }
  [[nodiscard]] bool mute() const noexcept { return mute_; }
  // Closes every connection; new ones are welcome. A pty has none to close.
  void drop_clients();
  // The next reply comes so much later than it should.
  void delay_next(base::Duration late) noexcept { late_us_ = late.us; }
  [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }
  // Lines that came too soon.
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

 private:
  class Session;
  template <class Stream>
  class StreamSession;
  TextServer(asio::io_context& io, const base::Clock& clock, TextInstrument& instrument, TextManners manners)
      : io_(io), clock_(clock), acceptor_(io), instrument_(instrument), manners_(std::move(manners)) {}
  void accept();
  [[nodiscard]] std::optional<std::string> take_line(std::string_view line);

  asio::io_context& io_;
  const base::Clock& clock_;
  asio::ip::tcp::acceptor acceptor_;
  TextInstrument& instrument_;
  TextManners manners_;
  std::optional<PseudoTerminal> pty_;
  std::uint16_t port_ = 0;
  std::string path_;
  base::MonoTime last_line_;
  bool heard_ = false;
  std::atomic<bool> mute_{false};
  std::atomic<std::int64_t> late_us_{0};
  std::atomic<std::uint64_t> requests_{0}, lost_{0};
  std::array<std::weak_ptr<Session>, kMaxClients> sessions_;
};

}  // namespace cyclerd::hil
