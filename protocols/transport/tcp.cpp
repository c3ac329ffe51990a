#include "protocols/transport/tcp.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace cyclerd::transport {

namespace {

using base::ErrorCode;
using base::FixedText;

std::unexpected<base::Error> os_failure(ErrorCode code, std::string_view peer, std::string_view tried, int error,
                                        std::string_view help) {
  FixedText<200> detail{tried};
  detail.append(": ").append(strerrordesc_np(error) != nullptr ? strerrordesc_np(error) : "unknown error");
  if (!help.empty()) detail.append("; ").append(help);
  return base::failure(code, peer, detail.view());
}

void set_option(int fd, int level, int name, int value) noexcept {
  (void)setsockopt(fd, level, name, &value, sizeof value);
}

base::Result<Descriptor> connect_address(const addrinfo& address, std::string_view peer, const TcpOptions& options) {
  Descriptor fd(socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!fd.valid()) return os_failure(ErrorCode::io, peer, "cannot make a socket", errno, "");
  if (fd.get() >= options.descriptor_limit) {
    FixedText<200> detail{"descriptor "};
    detail.append(std::int64_t{fd.get()}).append(" is too high for this connection (limit ");
    detail.append(std::int64_t{options.descriptor_limit}).append("); close other files or connect instruments first");
    return base::failure(ErrorCode::io, peer, detail.view());
  }
  set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd.get(), SOL_SOCKET, SO_KEEPALIVE, 1);
  const auto send_ms = static_cast<int>(std::clamp<std::int64_t>(options.send_timeout.us / 1000, 1, 60'000));
  set_option(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, send_ms);
  if (connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0) return fd;
  if (errno != EINPROGRESS) {
    return os_failure(ErrorCode::disconnected, peer, "cannot connect", errno,
                      "is the instrument on, and the address right?");
  }
  pollfd waiting{fd.get(), POLLOUT, 0};
  const auto wait_ms = static_cast<int>(std::clamp<std::int64_t>(options.connect_timeout.us / 1000, 1, 60'000));
  const int n = poll(&waiting, 1, wait_ms);
  if (n == 0) {
    FixedText<200> detail{"no answer to the connection request within "};
    detail.append(std::int64_t{wait_ms}).append(" ms; check cable, power and address");
    return base::failure(ErrorCode::timeout, peer, detail.view());
  }
  int error = n < 0 ? errno : 0;
  socklen_t size = sizeof error;
  if (n > 0) getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0) return fd;
  return os_failure(ErrorCode::disconnected, peer, "cannot connect", error,
                    "is the instrument on, and the address and port right?");
}

}  // namespace

void Descriptor::reset(int fd) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

base::Result<Descriptor> connect_tcp(const std::string& host, std::uint16_t port, const TcpOptions& options) {
  FixedText<48> peer{host};
  peer.append(":").append(std::int64_t{port});
  const std::string service = std::to_string(port);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  int rc = getaddrinfo(host.c_str(), service.c_str(), &hints, &found);
  if (rc == EAI_NONAME) {
    hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
    rc = getaddrinfo(host.c_str(), service.c_str(), &hints, &found);
  }
  if (rc != 0) {
    FixedText<200> detail{"cannot resolve the host name: "};
    detail.append(gai_strerror(rc)).append("; write the numeric address");
    return base::failure(ErrorCode::not_found, peer.view(), detail.view());
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, &freeaddrinfo);
  base::Error last{ErrorCode::not_found, peer, "the host name has no address"};
  for (const addrinfo* a = addresses.get(); a != nullptr; a = a->ai_next) {
    auto fd = connect_address(*a, peer.view(), options);
    if (fd) return fd;
    last = fd.error();
  }
  return std::unexpected(last);
}

bool has_unasked_input(int fd) noexcept {
  char byte = 0;
  const auto n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace cyclerd::transport
