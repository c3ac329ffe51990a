// One Modbus TCP connection, shared by the clients of all units behind it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "protocols/base/result.hpp"
#include "protocols/base/time.hpp"

struct _modbus;

namespace cyclerd::modbus {

// Used by the wire's one thread: gateways and instruments with several units take few connections, often one. What
// makes one client doubt closes the connection for all of them; each then connects again, and the first renews it.
class TcpLine {
 public:
  TcpLine(std::string host, std::uint16_t port, base::Duration connect_timeout = base::seconds(1));
  ~TcpLine();
  TcpLine(const TcpLine&) = delete;
  TcpLine& operator=(const TcpLine&) = delete;

  [[nodiscard]] const std::string& host() const noexcept { return host_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] bool is_open() const noexcept { return open_; }

 private:
  friend class TcpClient;
  struct Context;

  // A fresh connection; unacknowledged data breaks it after `send_timeout`.
  base::Status open(base::Duration send_timeout);
  void close() noexcept;
  [[nodiscard]] bool has_unasked_input() const noexcept;
  [[nodiscard]] _modbus* handle() noexcept;

  std::string host_;
  std::uint16_t port_;
  base::Duration connect_timeout_;
  std::unique_ptr<Context> context_;
  bool open_ = false;
  std::uint32_t epoch_ = 0;  // counts connections
  std::uint32_t clients_ = 0;
};

}  // namespace cyclerd::modbus
