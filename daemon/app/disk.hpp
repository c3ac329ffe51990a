// Room on the disk that holds the record.
#pragma once

#include <string>

#include "profiles/program.hpp"

namespace cyclerd::app {

struct DiskRoom {
  double free_bytes = 0.0;
  double total_bytes = 0.0;
  [[nodiscard]] double free_share() const noexcept { return total_bytes > 0 ? free_bytes / total_bytes : 0.0; }
};
[[nodiscard]] DiskRoom disk_room(const std::string& folder);

inline constexpr double kDiskWarnShare = 0.15;    // doctor warns
inline constexpr double kDiskRefuseShare = 0.05;  // nothing new starts
inline constexpr double kDiskMargin = 1.2;        // on a test's own estimate

// Why this test must not start here, in words; empty when there is room.
[[nodiscard]] std::string disk_refusal(const DiskRoom& room, double estimate_bytes);
[[nodiscard]] std::string disk_refusal(const std::string& folder, const profiles::Program& program);

}  // namespace cyclerd::app
