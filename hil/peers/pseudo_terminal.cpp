#include "hil/peers/pseudo_terminal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace cyclerd::hil {

namespace {

std::unexpected<base::Error> cannot(const std::string& who, const char* what) {
  return base::failure(base::ErrorCode::io, who, fmt::format("{}: {}", what, strerrordesc_np(errno)));
}

// Only what a twin made may be taken away.
bool is_link_to_a_pty(const std::string& link) {
  std::array<char, PATH_MAX> target{};
  const ssize_t n = readlink(link.c_str(), target.data(), target.size() - 1);
  return n > 0 && std::string(target.data(), static_cast<std::size_t>(n)).starts_with("/dev/pts/");
}

}  // namespace

base::Result<PseudoTerminal> PseudoTerminal::open(const std::string& link) {
  PseudoTerminal pty;
  pty.master_ = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  std::array<char, 64> name{};
  if (pty.master_ < 0 || grantpt(pty.master_) != 0 || unlockpt(pty.master_) != 0 ||
      ptsname_r(pty.master_, name.data(), name.size()) != 0)
    return cannot("pty", "cannot make a pseudo-terminal");
  pty.slave_ = name.data();
  pty.kept_open_ = ::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  termios raw{};
  if (pty.kept_open_ < 0 || tcgetattr(pty.kept_open_, &raw) != 0) return cannot(pty.slave_, "cannot open");
  cfmakeraw(&raw);
  if (tcsetattr(pty.kept_open_, TCSANOW, &raw) != 0) return cannot(pty.slave_, "cannot make it raw");
  if (link.empty()) return pty;
  if (is_link_to_a_pty(link)) (void)unlink(link.c_str());
  if (symlink(pty.slave_.c_str(), link.c_str()) != 0)
    return cannot(link, "cannot make the link to the pseudo-terminal; choose another name or remove what is there");
  pty.link_ = link;
  return pty;
}

PseudoTerminal::PseudoTerminal(PseudoTerminal&& other) noexcept
    : master_(std::exchange(other.master_, -1)),
      kept_open_(std::exchange(other.kept_open_, -1)),
      slave_(std::move(other.slave_)),
      link_(std::exchange(other.link_, {})) {}

PseudoTerminal::~PseudoTerminal() {
  if (!link_.empty()) (void)unlink(link_.c_str());
  if (kept_open_ >= 0) (void)::close(kept_open_);
  if (master_ >= 0) (void)::close(master_);
}

}  // namespace cyclerd::hil
