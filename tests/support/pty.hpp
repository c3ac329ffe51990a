// A pseudo-terminal: the test holds the master side, the product opens the slave by its path. A pty has no baud rate
// and no parity: tests on it prove framing and time, not the electrical settings.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace cyclerd::testing_support {

class Pty {
 public:
  Pty() : master_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    char name[64] = {};
    if (master_ < 0 || grantpt(master_) != 0 || unlockpt(master_) != 0 || ptsname_r(master_, name, sizeof name) != 0)
      throw std::runtime_error("no pseudo-terminal");
    path_ = name;
    // Held open, so that the line does not hang up between two openings by the product; raw from the start.
    keep_ = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    termios raw{};
    tcgetattr(keep_, &raw);
    cfmakeraw(&raw);
    tcsetattr(keep_, TCSANOW, &raw);
  }
  ~Pty() {
    if (keep_ >= 0) close(keep_);
    if (master_ >= 0) close(master_);
  }
  Pty(const Pty&) = delete;
  Pty& operator=(const Pty&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] int master() const noexcept { return master_; }
  // The adapter is pulled out.
  void unplug() {
    close(keep_);
    keep_ = -1;
    close(master_);
    master_ = -1;
  }

  void send(std::span<const std::uint8_t> bytes) const {
    if (write(master_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
      throw std::runtime_error("pty write");
  }
  // What arrives until `silence` has passed without a byte, or until `most` bytes are there.
  [[nodiscard]] std::vector<std::uint8_t> receive(std::size_t most, std::chrono::milliseconds silence) const {
    std::vector<std::uint8_t> got;
    while (got.size() < most) {
      pollfd waiting{master_, POLLIN, 0};
      if (poll(&waiting, 1, static_cast<int>(silence.count())) <= 0) break;
      std::uint8_t buffer[512];
      const ssize_t n = read(master_, buffer, std::min(sizeof buffer, most - got.size()));
      if (n <= 0) break;
      got.insert(got.end(), buffer, buffer + n);
    }
    return got;
  }

 private:
  int master_ = -1;
  int keep_ = -1;
  std::string path_;
};

}  // namespace cyclerd::testing_support
