// What the process asks of the kernel before its threads start: locked memory, a warm heap, no deep sleep of the CPU.
#pragma once

#include <string>
#include <vector>

#include "daemon/app/station_config.hpp"

namespace cyclerd::app {

// Holds /dev/cpu_dma_latency at 0 while it lives.
class RealtimeProcess {
 public:
  explicit RealtimeProcess(const RealtimeConfig& config);
  ~RealtimeProcess();
  RealtimeProcess(const RealtimeProcess&) = delete;
  RealtimeProcess& operator=(const RealtimeProcess&) = delete;

  [[nodiscard]] bool memory_locked() const noexcept { return memory_locked_; }
  [[nodiscard]] bool dma_latency_held() const noexcept { return dma_latency_ >= 0; }
  // What was refused, each with the way to permit it.
  [[nodiscard]] const std::vector<std::string>& warnings() const noexcept { return warnings_; }

 private:
  void prepare_heap();
  void lock_memory();
  void hold_dma_latency();

  int dma_latency_ = -1;
  bool memory_locked_ = false;
  std::vector<std::string> warnings_;
};

// Duplicates `fd` to a number from 1024 up and closes the low one: libmodbus 3.1.6 aborts on descriptors above 1023, so
// everything else makes room. Returns the old number where there is no room above.
[[nodiscard]] int move_descriptor_up(int fd);

}  // namespace cyclerd::app
