// What the supervisor's thread does in each of its rounds: heartbeats, systemd's watchdog, clock anchors, identities.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/app/notify.hpp"
#include "daemon/app/station_service.hpp"
#include "daemon/app/wiring.hpp"
#include "daemon/safety/supervisor.hpp"
#include "protocols/base/clock.hpp"

namespace cyclerd::app {

// How old a heartbeat may be. A port's round holds transactions with dead instruments until their deadlines; the
// recorder may wait long for a slow disk, and nothing real-time waits for it.
inline constexpr base::Duration kPortAllowed = base::seconds(3);
inline constexpr base::Duration kCycleAllowed = base::milliseconds(500);
inline constexpr base::Duration kRecorderAllowed = base::seconds(30);
inline constexpr base::Duration kSupervisorPeriod = base::milliseconds(50);
inline constexpr base::Duration kAnchorPeriod = base::seconds(60);
inline constexpr base::Duration kClockStep = base::milliseconds(50);  // beyond it the wall clock was set, not slewed

// Tells when an anchor between the two clocks is due, and how far the wall clock jumped since the last look.
class ClockAnchor {
 public:
  struct Due {
    bool due = false;
    base::Duration step;  // beyond kClockStep in either direction, else 0
  };
  [[nodiscard]] Due look(base::MonoTime mono, base::WallTime wall) noexcept;

 private:
  bool first_ = true;
  std::int64_t offset_us_ = 0;
  base::MonoTime anchored_;
};

class Watch {
 public:
  Watch(Station& station, StationService& service, base::Clock& clock);

  // One round; returns when the next one is due.
  base::MonoTime run_once();
  // Every device has been opened, or tried in vain, at least once.
  [[nodiscard]] bool self_check_attempted() const;
  [[nodiscard]] const Notifier& notifier() const noexcept { return notifier_; }
  [[nodiscard]] std::string status_text() const;

 private:
  void check_heartbeats(base::MonoTime now);
  void feed(base::MonoTime now);
  void anchor(base::MonoTime now);
  void compare_with_instruments();
  void refuse(std::uint32_t channel, const std::string& subject, const std::string& words);

  Station& station_;
  StationService& service_;
  base::Clock& clock_;
  Notifier notifier_;
  safety::Supervisor supervisor_;
  ClockAnchor clock_anchor_;
  std::vector<bool> tripping_;  // by id of the supervisor: a late one trips every channel
  std::vector<bool> told_;      // by id: its lateness has been logged
  base::MonoTime fed_;
  base::MonoTime told_status_;
  base::MonoTime compared_;
};

// Channels whose cyclers say that they are one and the same instrument: (channel, other channel, serial).
struct SharedInstrument {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  std::string words;
};
[[nodiscard]] std::vector<SharedInstrument> shared_instruments(const Station& station);

// Which of the limits an instrument cannot reach, in words: they would never fire. Empty when all can.
[[nodiscard]] std::string unreachable_limits(const profiles::SafetyLimits& limits, const device::Capability& cycler);

}  // namespace cyclerd::app
