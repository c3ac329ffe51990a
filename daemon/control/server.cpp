#include "daemon/control/server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <set>
#include <system_error>

#include "daemon/control/rpc.hpp"
#include "daemon/control/session.hpp"

namespace cyclerd::control {

namespace {

std::string os_text(int error) {
  return std::generic_category().message(error);
}

}  // namespace

struct Server::Impl final : Host {
  Impl(ServerConfig c, StationApi& s, AuditSink audit)
      : Host(std::move(c), s, std::move(audit)), acceptor(*io), retry(*io) {}
  ~Impl() override;
  void forget(Session& session) override;

  base::Status listen();
  void accept();
  void admit(Socket socket);

  asio::local::stream_protocol::acceptor acceptor;
  asio::steady_timer retry;
  std::set<std::shared_ptr<Session>> sessions;
  std::atomic<std::size_t> count{0};
  ino_t inode = 0;
};

Server::Impl::~Impl() {
  while (!sessions.empty()) {
    const auto session = *sessions.begin();
    session->close();
  }
  struct stat entry {};
  if (inode != 0 && lstat(config.path.c_str(), &entry) == 0 && entry.st_ino == inode) unlink(config.path.c_str());
}

void Server::Impl::forget(Session& session) {
  sessions.erase(session.shared_from_this());
  count = sessions.size();
}

namespace {

base::Status remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat entry {};
  if (lstat(path.c_str(), &entry) != 0) return {};
  if (!S_ISSOCK(entry.st_mode)) {
    return base::failure(base::ErrorCode::invalid, "control socket",
                         fmt::format("{} exists and is not a socket: move it away, or set another path", path));
  }
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int rc = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::close(probe);
  if (rc == 0 || error == EAGAIN) {
    return base::failure(base::ErrorCode::busy, "control socket",
                         fmt::format("another cyclerd is listening on {}: stop it first", path));
  }
  if (unlink(path.c_str()) != 0) {
    return base::failure(base::ErrorCode::io, "control socket",
                         fmt::format("cannot replace {}: {}", path, os_text(errno)));
  }
  return {};
}

}  // namespace

base::Status Server::Impl::listen() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (config.path.empty() || config.path.size() >= sizeof address.sun_path) {
    return base::failure(
        base::ErrorCode::invalid, "control socket",
        fmt::format("path \"{}\" must have 1 to {} characters", config.path, sizeof address.sun_path - 1));
  }
  config.path.copy(address.sun_path, config.path.size());
  TRY(remove_stale(config.path, address));
  const auto fail = [&](const char* what) {
    return base::failure(errno == EACCES || errno == EPERM ? base::ErrorCode::permission : base::ErrorCode::io,
                         "control socket", fmt::format("{} {}: {}", what, config.path, os_text(errno)));
  };
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return fail("cannot create");
  asio::error_code error;
  acceptor.assign(asio::local::stream_protocol(), descriptor, error);
  if (error) return base::failure(base::ErrorCode::io, "control socket", error.message());
  // Nobody can connect before listen(), so the mode is right before the first peer.
  if (bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return fail("cannot bind");
  struct stat entry {};
  if (lstat(config.path.c_str(), &entry) == 0) inode = entry.st_ino;
  if (chmod(config.path.c_str(), static_cast<mode_t>(config.mode)) != 0) return fail("cannot set the mode of");
  if (!config.group.empty()) {
    const group* owner = getgrnam(config.group.c_str());
    if (owner == nullptr) {
      return base::failure(base::ErrorCode::not_found, "control socket",
                           fmt::format("group \"{}\" does not exist: create it, or set another group", config.group));
    }
    if (chown(config.path.c_str(), static_cast<uid_t>(-1), owner->gr_gid) != 0) return fail("cannot set the group of");
  }
  acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return base::failure(base::ErrorCode::io, "control socket", error.message());
  return {};
}

void Server::Impl::accept() {
  acceptor.async_accept([this](std::error_code error, Socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      try {
        admit(std::move(socket));
      } catch (const std::exception&) {
        // This client is lost (its socket is closed with it); the next one is welcome.
      }
      return accept();
    }
    // Out of descriptors, most likely: try again a little later rather than spin.
    retry.expires_after(std::chrono::milliseconds(200));
    retry.async_wait([this](std::error_code e) {
      if (!e) accept();
    });
  });
}

namespace {

// One line that says why; the socket closes with its last reference.
void turn_away(Socket& socket, const std::string& why) {
  const std::string line = error_line(nullptr, rpc::kFailureBase - static_cast<int>(Failure::busy), why);
  ::send(socket.native_handle(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

void Server::Impl::admit(Socket socket) {
  const auto peer = read_peer(socket.native_handle());
  if (!peer) return;
  if (sessions.size() >= config.max_clients + config.reserve_clients) {
    return turn_away(socket, fmt::format("all {} connections are taken: close another client", config.max_clients));
  }
  const bool exempt = config.roles.root_and_self_admin && (peer->uid == 0 || peer->uid == geteuid());
  const auto of_user = static_cast<std::size_t>(std::count_if(
      sessions.begin(), sessions.end(), [&](const auto& session) { return session->caller_.uid == peer->uid; }));
  if (!exempt && of_user >= config.max_clients_of_user) {
    return turn_away(socket, fmt::format("{} has {} connections already: close another client", peer->user, of_user));
  }
  const Role role = role_of(*peer, config.roles, geteuid());
  Caller caller{peer->pid, peer->uid, peer->user, std::string(to_string(role))};
  const bool reserve = sessions.size() >= config.max_clients;
  auto session = std::make_shared<Session>(*this, std::move(socket), std::move(caller), role, reserve);
  sessions.insert(session);
  count = sessions.size();
  session->start();
}

base::Result<std::unique_ptr<Server>> Server::open(ServerConfig config, StationApi& station, AuditSink audit) {
  auto impl = std::make_shared<Impl>(std::move(config), station, std::move(audit));
  TRY(impl->listen());
  impl->accept();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

void Server::run() {
  for (;;) {
    try {
      impl_->io->run();
      return;
    } catch (const std::exception&) {
      // Out of memory while serving one client: that client's operation is lost, the others go on.
    }
  }
}

void Server::stop() {
  impl_->io->stop();
}

std::size_t Server::clients() const noexcept {
  return impl_->count;
}

}  // namespace cyclerd::control
