// What this computer offers a real-time daemon, judged: for `doctor`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/ctl/client.hpp"

namespace cyclerd::ctl {

enum class Verdict : std::uint8_t { ok, warning, bad };

struct Finding {
  std::string check;
  Verdict verdict = Verdict::ok;
  std::string detail;
  std::string fix;
};
[[nodiscard]] Json finding_json(const Finding& finding);

// As seen by the user who runs this program; the daemon's own view is in the daemon's doctor.
struct Machine {
  std::string kernel;  // uname -v
  bool root = false;
  std::uint64_t rtprio_limit = 0;     // RLIMIT_RTPRIO
  std::uint64_t memlock_limit = 0;    // RLIMIT_MEMLOCK, bytes; UINT64_MAX: unlimited
  bool dma_latency_writable = false;  // /dev/cpu_dma_latency
  bool dma_latency_exists = false;
  std::string governor;  // of CPU 0; empty: the machine has none
  std::optional<bool> clock_synchronized;
  double clock_error_ms = 0.0;       // estimated
  std::string sync_folder;           // where disk_sync_ms was measured; empty: nowhere writable
  std::vector<double> disk_sync_ms;  // fdatasync of 4 KiB, each
};

// Writes and removes a small file in `state_dir` (when it may) to time the disk.
[[nodiscard]] Machine look_at_machine(const std::string& state_dir);
[[nodiscard]] std::vector<Finding> judge_machine(const Machine& machine);

inline constexpr std::uint64_t kNeededRtPriority = 70;
inline constexpr std::uint64_t kNeededMemlock_bytes = std::uint64_t{256} << 20;
inline constexpr double kGoodDiskSync_ms = 50.0;  // p50: well inside a commit interval of 200 ms
inline constexpr double kSlowDiskSync_ms = 200.0;

}  // namespace cyclerd::ctl
