#include "daemon/app/log.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include <fmt/format.h>

namespace cyclerd::app {
namespace {

// systemd names the journal's socket by device and inode, so that a program whose output was redirected elsewhere
// knows.
bool stderr_is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status = {};
  if (stream == nullptr || fstat(STDERR_FILENO, &status) != 0) return false;
  return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

}  // namespace

void log(LogLevel level, std::string_view message) {
  static const bool journal = stderr_is_journal();
  std::string lines;
  while (!message.empty()) {
    const std::size_t end = message.find('\n');
    const std::string_view line = message.substr(0, end);
    if (journal) lines += fmt::format("<{}>", static_cast<int>(level));
    lines += line;
    lines += '\n';
    if (end == std::string_view::npos) break;
    message.remove_prefix(end + 1);
  }
  // One write per message, so that messages of two threads do not mix. A closed standard error is nobody's business.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, lines.data(), lines.size());
}

}  // namespace cyclerd::app
