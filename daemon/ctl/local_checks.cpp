#include "daemon/ctl/local_checks.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "protocols/base/clock.hpp"

namespace cyclerd::ctl {

namespace {

constexpr int kSyncRounds = 20;

std::uint64_t limit_of(__rlimit_resource_t resource) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0) return 0;
  return limit.rlim_max == RLIM_INFINITY ? UINT64_MAX : static_cast<std::uint64_t>(limit.rlim_max);
}

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

void time_disk(const std::string& folder, Machine& machine) {
  std::string path = folder + "/.doctor-XXXXXX";
  const int file = folder.empty() ? -1 : mkostemp(path.data(), O_CLOEXEC);
  if (file < 0) return;
  unlink(path.c_str());
  const base::SystemClock clock;
  const std::array<char, 4096> block{};
  for (int i = 0; i < kSyncRounds; ++i) {
    const base::MonoTime before = clock.now();
    if (write(file, block.data(), block.size()) != static_cast<ssize_t>(block.size()) || fdatasync(file) != 0) break;
    machine.disk_sync_ms.push_back(static_cast<double>((clock.now() - before).us) / 1000.0);
  }
  if (!machine.disk_sync_ms.empty()) machine.sync_folder = folder;
  close(file);
}

Finding judge_disk(const Machine& machine) {
  if (machine.disk_sync_ms.empty()) {
    return {"disk sync", Verdict::ok, "not measured: the state folder is not writable for you",
            "run doctor as the daemon's user, or give --state-dir"};
  }
  std::vector<double> sorted = machine.disk_sync_ms;
  std::sort(sorted.begin(), sorted.end());
  const double median_ms = sorted[sorted.size() / 2];
  const std::string detail = fmt::format("{}: median {:.1f} ms, worst {:.1f} ms of {}", machine.sync_folder, median_ms,
                                         sorted.back(), sorted.size());
  if (median_ms <= kGoodDiskSync_ms) return {"disk sync", Verdict::ok, detail, ""};
  if (median_ms <= kSlowDiskSync_ms) {
    return {"disk sync", Verdict::warning, detail, "put the state folder on an SSD, or lengthen [record] commit"};
  }
  return {"disk sync", Verdict::bad, detail, "this disk cannot keep the promise of the record: use an SSD"};
}

}  // namespace

Json finding_json(const Finding& finding) {
  static constexpr std::array<const char*, 3> kWords{"ok", "warning", "bad"};
  return {{"check", finding.check},
          {"verdict", kWords.at(static_cast<std::size_t>(finding.verdict))},
          {"detail", finding.detail},
          {"fix", finding.fix}};
}

Machine look_at_machine(const std::string& state_dir) {
  Machine machine;
  utsname name{};
  if (uname(&name) == 0) machine.kernel = name.version;
  machine.root = geteuid() == 0;
  machine.rtprio_limit = limit_of(RLIMIT_RTPRIO);
  machine.memlock_limit = limit_of(RLIMIT_MEMLOCK);
  machine.dma_latency_exists = access("/dev/cpu_dma_latency", F_OK) == 0;
  machine.dma_latency_writable = access("/dev/cpu_dma_latency", W_OK) == 0;
  machine.governor = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  timex clock{};
  const int state = adjtimex(&clock);
  if (state >= 0) {
    machine.clock_synchronized = state != TIME_ERROR && (clock.status & STA_UNSYNC) == 0;
    machine.clock_error_ms = static_cast<double>(clock.esterror) / 1000.0;
  }
  time_disk(state_dir, machine);
  return machine;
}

std::vector<Finding> judge_machine(const Machine& machine) {
  std::vector<Finding> findings;
  const bool real_time = machine.kernel.find("PREEMPT_RT") != std::string::npos;
  findings.push_back(real_time ? Finding{"kernel", Verdict::ok, "PREEMPT_RT", ""}
                               : Finding{"kernel", Verdict::warning, "not a real-time kernel: " + machine.kernel,
                                         "apt install linux-image-rt-amd64, then boot it; needed below 1 ms only"});
  if (machine.root || machine.rtprio_limit >= kNeededRtPriority) {
    findings.push_back({"real-time priority", Verdict::ok, "permitted", ""});
  } else {
    findings.push_back(
        {"real-time priority", Verdict::warning,
         fmt::format("limit {} for this user, the daemon asks for up to {}", machine.rtprio_limit, kNeededRtPriority),
         "the shipped unit sets LimitRTPRIO; without it: /etc/security/limits.d, \"USER - rtprio 95\""});
  }
  if (machine.root || machine.memlock_limit >= kNeededMemlock_bytes) {
    findings.push_back({"locked memory", Verdict::ok, "permitted", ""});
  } else {
    findings.push_back(
        {"locked memory", Verdict::warning,
         fmt::format("limit {} MiB for this user, the daemon wants {}", machine.memlock_limit >> 20,
                     kNeededMemlock_bytes >> 20),
         "the shipped unit sets LimitMEMLOCK; without it: /etc/security/limits.d, \"USER - memlock unlimited\""});
  }
  if (!machine.dma_latency_exists) {
    findings.push_back({"CPU sleep states", Verdict::ok, "this machine has no /dev/cpu_dma_latency", ""});
  } else if (machine.dma_latency_writable) {
    findings.push_back({"CPU sleep states", Verdict::ok, "may be held off while tests run", ""});
  } else {
    findings.push_back({"CPU sleep states", Verdict::warning, "/dev/cpu_dma_latency is not writable for this user",
                        "the shipped udev rule gives it to the daemon's group"});
  }
  if (!machine.governor.empty() && machine.governor != "performance") {
    findings.push_back({"CPU governor", Verdict::warning, machine.governor,
                        "cpupower frequency-set -g performance (wake-ups get steadier)"});
  }
  if (machine.clock_synchronized == true) {
    findings.push_back(
        {"clock", Verdict::ok, fmt::format("synchronised, estimated error {:.1f} ms", machine.clock_error_ms), ""});
  } else {
    findings.push_back({"clock", Verdict::warning, "not synchronised: wall times in the record are only labels",
                        "apt install chrony (or enable systemd-timesyncd)"});
  }
  findings.push_back(judge_disk(machine));
  return findings;
}

}  // namespace cyclerd::ctl
