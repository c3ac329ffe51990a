#include "daemon/app/realtime.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

namespace cyclerd::app {
namespace {

constexpr std::size_t kHeap_bytes = 32U << 20;

}  // namespace

int move_descriptor_up(int fd) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 4096 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  const int high = fcntl(fd, F_DUPFD_CLOEXEC, 1024);
  if (high < 0) return fd;
  close(fd);
  return high;
}

RealtimeProcess::RealtimeProcess(const RealtimeConfig& config) {
  prepare_heap();
  if (config.lock_memory) lock_memory();
  hold_dma_latency();
}

RealtimeProcess::~RealtimeProcess() {
  if (dma_latency_ >= 0) close(dma_latency_);
}

void RealtimeProcess::prepare_heap() {
  // Freed memory stays ours, and large blocks come from the heap: no page fault later. One arena, because every further
  // one reserves 64 MiB of locked address space; no real-time thread allocates, so none can wait on it.
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_ARENA_MAX, 1);
  void* heap = std::malloc(kHeap_bytes);
  if (heap == nullptr) return;
  auto* bytes = static_cast<volatile char*>(heap);
  for (std::size_t i = 0; i < kHeap_bytes; i += 4096) bytes[i] = 0;
  std::free(heap);
}

void RealtimeProcess::lock_memory() {
  if (mlockall(MCL_CURRENT | MCL_FUTURE) == 0) {
    memory_locked_ = true;
    return;
  }
  warnings_.push_back(fmt::format(
      "memory is not locked ({}): a page fault may delay a scan. Permit it with LimitMEMLOCK=infinity in the "
      "unit (or ulimit -l unlimited), or set [realtime] lock_memory = false",
      std::strerror(errno)));
}

void RealtimeProcess::hold_dma_latency() {
  const int fd = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);
  if (fd < 0) {
    warnings_.push_back(fmt::format(
        "/dev/cpu_dma_latency cannot be held at 0 ({}): the CPU may sleep deeply between scans, wake-ups come "
        "2 to 6 times later. Permit it with systemd/60-cyclerd.rules and group cyclerd",
        std::strerror(errno)));
    return;
  }
  const std::int32_t zero_us = 0;
  if (write(fd, &zero_us, sizeof zero_us) != static_cast<ssize_t>(sizeof zero_us)) {
    warnings_.push_back("/dev/cpu_dma_latency refused the value 0: wake-ups may come late");
    close(fd);
    return;
  }
  dma_latency_ = move_descriptor_up(fd);
}

}  // namespace cyclerd::app
