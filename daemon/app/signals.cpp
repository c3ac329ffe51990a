#include "daemon/app/signals.hpp"

#include <atomic>
#include <csignal>

namespace cyclerd::app {
namespace {

std::atomic<bool> asked{false};
std::atomic<base::Wakeup*> to_wake{nullptr};

// Only what is allowed in a signal handler: an atomic, and sem_post inside the wake-up.
void on_end(int) {
  asked.store(true, std::memory_order_release);
  if (base::Wakeup* wakeup = to_wake.load(std::memory_order_acquire)) wakeup->post();
}

}  // namespace

void catch_end_signals(base::Wakeup& wakeup) {
  to_wake.store(&wakeup, std::memory_order_release);
  struct sigaction action = {};
  sigemptyset(&action.sa_mask);
  action.sa_handler = &on_end;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  action.sa_handler = SIG_IGN;
  sigaction(SIGHUP, &action, nullptr);
  sigaction(SIGPIPE, &action, nullptr);
}

bool end_was_asked() noexcept {
  return asked.load(std::memory_order_acquire);
}

}  // namespace cyclerd::app
