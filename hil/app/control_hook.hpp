// Faults on request and the truth about the plant, for tests: lines in, one line back for each. Commands:
// hil/README.md.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "hil/app/live_lab.hpp"
#include "protocols/base/result.hpp"

namespace cyclerd::hil {

// What one line does, and the line to send back (without its end).
[[nodiscard]] std::string obey(LiveLab& lab, std::string_view line);

// Serves the lines on 127.0.0.1 in a thread of its own.
class ControlHook {
 public:
  [[nodiscard]] static base::Result<std::unique_ptr<ControlHook>> start(LiveLab& lab, std::uint16_t port);
  ~ControlHook();
  ControlHook(const ControlHook&) = delete;
  ControlHook& operator=(const ControlHook&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  class Session;
  explicit ControlHook(LiveLab& lab) : lab_(lab), acceptor_(io_) {}
  void accept();

  LiveLab& lab_;
  asio::io_context io_{1};
  asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace cyclerd::hil
