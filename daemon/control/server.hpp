// The local socket: JSON-RPC 2.0 over AF_UNIX, one object a line. See README.md for the protocol.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "daemon/control/dispatcher.hpp"
#include "daemon/control/roles.hpp"
#include "daemon/control/rpc.hpp"
#include "daemon/control/station_api.hpp"
#include "protocols/base/result.hpp"
#include "protocols/base/time.hpp"

namespace cyclerd::control {

struct ServerConfig {
  std::string path = "/run/cyclerd/control.sock";
  unsigned mode = 0660;
  std::string group;  // owner group of the socket file; empty: as created
  RoleConfig roles;
  std::size_t max_clients = 32;
  std::size_t max_clients_of_user = 12;              // so that nobody takes every place; root and the daemon's own user
                                                     // are exempt while roles.root_and_self_admin
  std::size_t reserve_clients = 4;                   // beyond max_clients, for stop, status and server.info only
  base::Duration reserve_time = base::seconds(10);   // such a connection is closed after
  std::size_t max_line_bytes = rpc::kMaxLine_bytes;  // of a request
  std::size_t max_calls = 16;                        // of one connection under way; further lines wait unread
  std::size_t max_queue_bytes = std::size_t{4} << 20;  // unread answers; a slower reader is dropped
  base::Duration answer_timeout = base::seconds(60);   // for the station to answer a call
  base::Duration stall_timeout = base::seconds(60);    // a subscriber that reads nothing for so long is dropped
};

class Server {
 public:
  // Binds and listens. A socket file left by a dead process is replaced; a living daemon's is not (ErrorCode::busy).
  // `audit` is called on the control thread. `station` must outlive the server.
  static base::Result<std::unique_ptr<Server>> open(ServerConfig config, StationApi& station, AuditSink audit);
  ~Server();  // after run() has returned; removes the socket file

  // Serves until stop(). The calling thread becomes the control thread.
  void run();
  // Any thread, also before run(). Answers that are still outstanding are dropped.
  void stop();

  [[nodiscard]] std::size_t clients() const noexcept;  // any thread

 private:
  struct Impl;
  explicit Server(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace cyclerd::control
