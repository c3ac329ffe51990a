// Opens every output from the station file alone: what systemd runs when the daemon has died, by whatever cause.
#pragma once

#include <string>
#include <vector>

#include "daemon/app/station_config.hpp"

namespace cyclerd::app {

struct SafeReport {
  struct Line {
    std::string device;
    bool safe = false;
    std::string words;
  };
  std::vector<Line> lines;
  [[nodiscard]] bool all_safe() const noexcept;
};

// Cyclers first, then chambers; the wires at the same time. A device that does not answer is tried again until
// `patience` is over. Needs no lock, no record and no daemon.
[[nodiscard]] SafeReport open_every_output(const StationConfig& station, base::Duration patience);

}  // namespace cyclerd::app
