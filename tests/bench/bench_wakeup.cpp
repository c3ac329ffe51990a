// Wake-up lateness of the wait that ports and the cycle use. Prints one JSON object; run interleaved with cyclictest by
// `run`.
#include <fcntl.h>
#include <fmt/core.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "protocols/base/clock.hpp"

int main(int argc, char** argv) {
  using namespace cyclerd::base;
  const std::int64_t period_us = argc > 1 ? std::atoll(argv[1]) : 1000;
  const std::size_t count = argc > 2 ? static_cast<std::size_t>(std::atoll(argv[2])) : 3000;
  const int latency_fd = open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);
  const std::int32_t zero = 0;
  const bool held = latency_fd >= 0 && write(latency_fd, &zero, sizeof zero) == sizeof zero;
  mlockall(MCL_CURRENT | MCL_FUTURE);
  sched_param priority{};
  priority.sched_priority = 80;
  const bool fifo = pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority) == 0;

  SystemClock clock;
  Wakeup wakeup;
  std::vector<std::int64_t> lateness_us(count, 0);
  MonoTime next = clock.now() + Duration{period_us};
  for (std::size_t i = 0; i < count; ++i) {
    clock.wait_until(next, wakeup);
    lateness_us[i] = (clock.now() - next).us;
    next = next + Duration{period_us};
  }
  fmt::print("{{\"fifo\": {}, \"dma_latency_held\": {}, \"lateness_us\": [", fifo, held);
  for (std::size_t i = 0; i < count; ++i) fmt::print("{}{}", i == 0 ? "" : ",", lateness_us[i]);
  fmt::print("]}}\n");
  if (latency_fd >= 0) close(latency_fd);
  return 0;
}
