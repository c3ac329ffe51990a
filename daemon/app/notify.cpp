#include "daemon/app/notify.hpp"

#include <systemd/sd-daemon.h>

#include <fmt/format.h>

namespace cyclerd::app {

Notifier::Notifier() {
  std::uint64_t timeout_us = 0;
  if (sd_watchdog_enabled(0, &timeout_us) > 0)
    watchdog_period_ = base::microseconds(static_cast<std::int64_t>(timeout_us / 2));
}

void Notifier::ready(const std::string& status) const {
  sd_notify(0, fmt::format("READY=1\nSTATUS={}", status).c_str());
}
void Notifier::status(const std::string& text) const {
  sd_notify(0, fmt::format("STATUS={}", text).c_str());
}
void Notifier::watchdog() const {
  sd_notify(0, "WATCHDOG=1");
}
void Notifier::stopping() const {
  sd_notify(0, "STOPPING=1\nSTATUS=Opening every output");
}

}  // namespace cyclerd::app
