// TCP connections with a deadline.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "protocols/base/result.hpp"
#include "protocols/base/time.hpp"

namespace cyclerd::transport {

// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& o) noexcept {
    if (this != &o) reset(std::exchange(o.fd_, -1));
    return *this;
  }
  ~Descriptor() { reset(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool valid() const noexcept { return fd_ >= 0; }
  void reset(int fd = -1) noexcept;

 private:
  int fd_ = -1;
};

struct TcpOptions {
  base::Duration connect_timeout = base::seconds(1);  // for each address that the name has
  base::Duration send_timeout = base::seconds(1);     // unacknowledged data breaks the connection after this
  int descriptor_limit = 1024;  // descriptors at or above it are refused: select() cannot hold them
};

// Connects to an address or a host name: non-blocking, close-on-exec, TCP_NODELAY. Numeric addresses are used as they
// are; a name may cost the time of the resolver. Errors: not_found (name), timeout, disconnected (nobody listens), io.
[[nodiscard]] base::Result<Descriptor> connect_tcp(const std::string& host, std::uint16_t port,
                                                   const TcpOptions& options);

// Bytes that arrived although nobody asked: the peer is out of step. True also when the peer has closed.
[[nodiscard]] bool has_unasked_input(int fd) noexcept;

}  // namespace cyclerd::transport
