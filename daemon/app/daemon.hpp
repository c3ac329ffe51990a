// The running daemon: threads around a wired station, the supervisor's watch, an orderly end.
#pragma once

#include <string>

#include "daemon/app/station_config.hpp"

namespace cyclerd::app {

struct DaemonOptions {
  std::string socket;        // empty: $CYCLERD_SOCKET, else $RUNTIME_DIRECTORY/control.sock, else the default
  std::string socket_group;  // owner group of the socket; empty: as created
};

// Exit codes of cyclerd, the same classes as cyclerctl's.
namespace exit_code {
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kInvalid = 3;
inline constexpr int kBusy = 5;
inline constexpr int kDevice = 8;
}  // namespace exit_code

// Runs until SIGTERM or SIGINT; the calling thread becomes the supervisor. Returns the exit code.
[[nodiscard]] int run_daemon(StationConfig config, const DaemonOptions& options);

}  // namespace cyclerd::app
