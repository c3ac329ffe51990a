// A Modbus TCP peer of raw sockets that does exactly what a test says: its own bytes, none of the product's codecs.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace cyclerd::testing_support {

using Bytes = std::vector<std::uint8_t>;

class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {
    const timeval limit{10, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~Peer() { close(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // The next whole request with its seven-byte header; empty when the other side closed.
  Bytes request() {
    Bytes bytes(7);
    if (!take(bytes, 0)) return {};
    const std::size_t rest = static_cast<std::size_t>(bytes[4] << 8 | bytes[5]) - 1;
    bytes.resize(7 + rest);
    return take(bytes, 7) ? bytes : Bytes{};
  }
  void send(const Bytes& bytes) const { (void)!::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  void close() {
    if (fd_ < 0) return;
    shutdown(fd_, SHUT_RDWR);
    ::close(fd_);
    fd_ = -1;
  }
  void half_close() const { shutdown(fd_, SHUT_WR); }
  // Paces a sender: true when the other side closed meanwhile.
  [[nodiscard]] bool closed_within_ms(int ms) const {
    pollfd watched{fd_, POLLIN | POLLRDHUP, 0};
    return poll(&watched, 1, ms) > 0;
  }
  // Waits until the other side has closed.
  void await_close() {
    while (!request().empty()) {
    }
  }

 private:
  bool take(Bytes& bytes, std::size_t from) const {
    while (from < bytes.size()) {
      const auto n = recv(fd_, bytes.data() + from, bytes.size() - from, 0);
      if (n <= 0) return false;
      from += static_cast<std::size_t>(n);
    }
    return true;
  }
  int fd_;
};

// Header of `request` with the length of `pdu`, then `pdu`.
inline Bytes reply_to(const Bytes& request, Bytes pdu) {
  Bytes out{request[0],
            request[1],
            0,
            0,
            static_cast<std::uint8_t>((pdu.size() + 1) >> 8),
            static_cast<std::uint8_t>(pdu.size() + 1),
            request[6]};
  out.insert(out.end(), pdu.begin(), pdu.end());
  return out;
}
// Answer to a read of registers.
inline Bytes registers_reply(const Bytes& request, const std::vector<std::uint16_t>& values) {
  Bytes pdu{request[7], static_cast<std::uint8_t>(values.size() * 2)};
  for (const auto v : values) {
    pdu.push_back(static_cast<std::uint8_t>(v >> 8));
    pdu.push_back(static_cast<std::uint8_t>(v & 0xFF));
  }
  return reply_to(request, pdu);
}
inline Bytes exception_reply(const Bytes& request, std::uint8_t code) {
  return reply_to(request, {static_cast<std::uint8_t>(request[7] | 0x80), code});
}

// Listens on a free port of the loopback; `script` runs once, in its own thread, and accepts what it needs.
class FakeServer {
 public:
  using Script = std::function<void(FakeServer&)>;

  explicit FakeServer(Script script) : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener_, 8) != 0) {
      throw std::runtime_error("cannot listen on the loopback");
    }
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    if (script) thread_ = std::thread([this, script = std::move(script)] { script(*this); });
  }
  ~FakeServer() {
    shutdown(listener_, SHUT_RDWR);
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
      for (const int fd : accepted_) shutdown(fd, SHUT_RDWR);
    }
    if (thread_.joinable()) thread_.join();
    for (const int fd : accepted_) ::close(fd);
    ::close(listener_);
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  // The next connection; a descriptor below 0 once the server is being destroyed.
  [[nodiscard]] int accept() {
    const int fd = ::accept(listener_, nullptr, nullptr);
    const std::lock_guard lock(mutex_);
    if (fd < 0 || ended_) {
      if (fd >= 0) ::close(fd);
      return -1;
    }
    accepted_.push_back(dup(fd));
    return fd;
  }

 private:
  std::mutex mutex_;
  std::vector<int> accepted_;  // second handles, by which the destructor ends what a script waits for
  bool ended_ = false;
  int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace cyclerd::testing_support
