#include "daemon/ctl/client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "daemon/control/rpc.hpp"

namespace cyclerd::ctl {

using control::Failure;

namespace {

// Longer than the daemon's own limit for an answer, so that its words arrive rather than ours.
constexpr base::Duration kAnswerPatience = base::seconds(75);
constexpr base::Duration kPollSlice = base::milliseconds(200);

Trouble connect_trouble(const std::string& path, int error) {
  const std::string reason = std::generic_category().message(error);
  if (error == EACCES || error == EPERM) {
    return {Failure::permission, fmt::format("no access to {}: {}. Ask an administrator to add you to one of the "
                                             "station's groups (then log in again)",
                                             path, reason)};
  }
  return {Failure::unreachable,
          fmt::format("cyclerd does not answer at {}: {}. Is it running? (systemctl status cyclerd) "
                      "Another socket: --socket PATH or CYCLERD_SOCKET",
                      path, reason)};
}

}  // namespace

Client::Client(int descriptor, std::string path, const std::atomic<bool>* interrupted)
    : descriptor_(descriptor), path_(std::move(path)), interrupted_(interrupted) {}

Client::Client(Client&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      interrupted_(other.interrupted_),
      next_id_(other.next_id_),
      buffer_(std::move(other.buffer_)),
      answers_(std::move(other.answers_)),
      notifications_(std::move(other.notifications_)) {}

Client& Client::operator=(Client&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  std::swap(interrupted_, other.interrupted_);
  std::swap(next_id_, other.next_id_);
  std::swap(buffer_, other.buffer_);
  std::swap(answers_, other.answers_);
  std::swap(notifications_, other.notifications_);
  return *this;
}

Client::~Client() {
  if (descriptor_ >= 0) close(descriptor_);
}

Outcome<Client> Client::connect(const std::string& path, const std::atomic<bool>* interrupted) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return std::unexpected(Trouble(Failure::usage, fmt::format("socket path \"{}\" must have 1 to {} characters", path,
                                                               sizeof address.sun_path - 1)));
  }
  path.copy(address.sun_path, path.size());
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return std::unexpected(connect_trouble(path, errno));
  Client client(descriptor, path, interrupted);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return std::unexpected(connect_trouble(path, errno));
  }
  return client;
}

Outcome<std::int64_t> Client::send(const std::string& method, const Json& params) {
  const std::int64_t id = next_id_++;
  const std::string line = Json{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}}.dump(
                               -1, ' ', false, Json::error_handler_t::replace) +
                           "\n";
  std::size_t sent = 0;
  while (sent < line.size()) {
    const ssize_t n = ::send(descriptor_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (n > 0) {
      sent += static_cast<std::size_t>(n);
    } else if (errno != EINTR) {
      // The daemon may have said why before it closed (all places taken): that is in the receive buffer.
      while (const auto more = receive(clock_.now())) {
        if (!*more) break;
      }
      if (const auto refusal = answers_.find(0); refusal != answers_.end()) return id;
      return std::unexpected(Trouble(Failure::unreachable, fmt::format("{}: the connection was closed", path_)));
    }
  }
  return id;
}

Outcome<bool> Client::receive(base::MonoTime deadline) {
  for (;;) {
    const auto end = buffer_.find('\n');
    if (end != std::string::npos) {
      Json message = Json::parse(buffer_.substr(0, end), nullptr, false);
      buffer_.erase(0, end + 1);
      if (message.is_discarded() || !message.is_object()) {
        return std::unexpected(Trouble(Failure::failed, fmt::format("{}: the answer is not JSON-RPC", path_)));
      }
      const auto id = message.find("id");
      if (id == message.end()) {
        notifications_.push_back(std::move(message));
      } else {
        // Errors that belong to no request carry null: they concern the connection, and answer whoever waits.
        answers_[id->is_number_integer() ? id->get<std::int64_t>() : 0] = message;
      }
      return true;
    }
    if (interrupted_ != nullptr && interrupted_->load()) return std::unexpected(Trouble(kInterrupted, "interrupted"));
    const base::Duration left = deadline - clock_.now();
    pollfd waiting{descriptor_, POLLIN, 0};
    const auto slice_us = std::clamp<std::int64_t>(left.us, 0, kPollSlice.us);
    const int ready = poll(&waiting, 1, static_cast<int>((slice_us + 999) / 1000));
    if (ready < 0 && errno != EINTR) {
      return std::unexpected(Trouble(Failure::failed, fmt::format("poll: {}", std::generic_category().message(errno))));
    }
    if (ready <= 0) {
      if (left.us <= 0) return false;
      continue;
    }
    std::array<char, 65536> chunk;
    const ssize_t n = recv(descriptor_, chunk.data(), chunk.size(), 0);
    if (n > 0) {
      buffer_.append(chunk.data(), static_cast<std::size_t>(n));
    } else if (n == 0 || errno != EINTR) {
      return std::unexpected(Trouble(Failure::unreachable, fmt::format("{}: cyclerd closed the connection", path_)));
    }
  }
}

Outcome<Json> Client::wait(std::int64_t id) {
  const base::MonoTime deadline = clock_.now() + kAnswerPatience;
  for (;;) {
    for (const std::int64_t key : {id, std::int64_t{0}}) {
      const auto found = answers_.find(key);
      if (found == answers_.end()) continue;
      Json message = std::move(found->second);
      answers_.erase(found);
      if (message.contains("result")) return std::move(message["result"]);
      Json error = message.value("error", Json::object());
      const std::string words = error.is_object() ? error.value("message", std::string("failed")) : "failed";
      return std::unexpected(
          Trouble(control::failure_of(error), words, error.is_object() ? error.value("data", Json()) : Json()));
    }
    const auto more = receive(deadline);
    if (!more) return std::unexpected(more.error());
    if (!*more) {
      return std::unexpected(Trouble(Failure::timeout, fmt::format("{}: cyclerd did not answer within {:.0f} s", path_,
                                                                   kAnswerPatience.seconds())));
    }
  }
}

Outcome<Json> Client::call(const std::string& method, const Json& params) {
  const auto id = send(method, params);
  if (!id) return std::unexpected(id.error());
  return wait(*id);
}

Outcome<std::optional<Json>> Client::next_notification(base::Duration patience) {
  const base::MonoTime deadline = clock_.now() + patience;
  while (notifications_.empty()) {
    const auto more = receive(deadline);
    if (!more) return std::unexpected(more.error());
    if (!*more) return std::optional<Json>{};
  }
  std::optional<Json> first = std::move(notifications_.front());
  notifications_.pop_front();
  return first;
}

}  // namespace cyclerd::ctl
