#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "daemon/ctl/commands.hpp"

namespace {

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

int columns() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const int from_environment = std::atoi(environment("COLUMNS").c_str());
  return from_environment > 0 ? from_environment : 160;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace cyclerd::ctl;
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // the second Ctrl-C ends the program whatever it does
  sigaction(SIGINT, &action, nullptr);

  Io io;
  io.out = stdout;
  io.err = stderr;
  io.in = stdin;
  io.out_is_terminal = isatty(STDOUT_FILENO) == 1;
  io.in_is_terminal = isatty(STDIN_FILENO) == 1;
  io.colour = wants_colour(io.out_is_terminal, false, std::getenv("NO_COLOR"), std::getenv("TERM"));
  io.width = columns();
  io.interrupted = &interrupted;
  const int code = run({argv + 1, argv + argc}, environment("CYCLERD_SOCKET"), io);
  // A result that did not reach its reader is not a success.
  return std::fflush(stdout) == 0 ? code : 1;
}
