#include "daemon/app/state_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "daemon/app/realtime.hpp"

namespace cyclerd::app {

base::Result<StateLock> StateLock::take(const std::string& state_dir) {
  std::error_code error;
  std::filesystem::create_directories(state_dir, error);
  if (error) {
    return base::failure(
        base::ErrorCode::permission, state_dir,
        fmt::format("cannot create the state folder ({}); create it for this user, or name another one "
                    "with state_dir or --state-dir",
                    error.message()));
  }
  const std::string path = state_dir + "/lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) {
    return base::failure(base::ErrorCode::permission, path,
                         fmt::format("cannot open the lock file: {}", std::strerror(errno)));
  }
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char owner[32] = {};
    const auto n = pread(fd, owner, sizeof owner - 1, 0);
    close(fd);
    return base::failure(
        base::ErrorCode::busy, state_dir,
        fmt::format("another cyclerd works in this state folder (process {}); stop it first, or give this "
                    "one its own --state-dir",
                    n > 0 ? std::string_view(owner, static_cast<std::size_t>(n)) : "unknown"));
  }
  const std::string pid = std::to_string(getpid());
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    // The lock holds all the same; only the name of its owner is missing from the file.
  }
  return StateLock(move_descriptor_up(fd));
}

StateLock::StateLock(StateLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
StateLock& StateLock::operator=(StateLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
StateLock::~StateLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace cyclerd::app
