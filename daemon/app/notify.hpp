// What systemd is told: ready, status, alive.
#pragma once

#include <string>

#include "protocols/base/time.hpp"

namespace cyclerd::app {

class Notifier {
 public:
  Notifier();

  void ready(const std::string& status) const;
  void status(const std::string& text) const;
  void watchdog() const;
  void stopping() const;
  // How often watchdog() is wanted: half of WATCHDOG_USEC; 0 when nobody watches.
  [[nodiscard]] base::Duration watchdog_period() const noexcept { return watchdog_period_; }

 private:
  base::Duration watchdog_period_;
};

}  // namespace cyclerd::app
