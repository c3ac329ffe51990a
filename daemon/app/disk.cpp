#include "daemon/app/disk.hpp"

#include <sys/statvfs.h>

#include <fmt/format.h>

#include "daemon/app/launch.hpp"

namespace cyclerd::app {

DiskRoom disk_room(const std::string& folder) {
  struct statvfs status = {};
  if (statvfs(folder.c_str(), &status) != 0) return {};
  const auto block = static_cast<double>(status.f_frsize);
  return {static_cast<double>(status.f_bavail) * block, static_cast<double>(status.f_blocks) * block};
}

std::string disk_refusal(const DiskRoom& room, double estimate_bytes) {
  constexpr double kMiB = 1024.0 * 1024.0;
  if (room.free_share() < kDiskRefuseShare) {
    return fmt::format("the record's disk has {:.0f} MiB free, {:.1f} %; below {:.0f} % nothing new starts: make room",
                       room.free_bytes / kMiB, room.free_share() * 100.0, kDiskRefuseShare * 100.0);
  }
  if (estimate_bytes * kDiskMargin > room.free_bytes) {
    return fmt::format(
        "the test is expected to write {:.0f} MiB (with a margin of {:.0f} %), and {:.0f} MiB are free: make room, or "
        "record less often",
        estimate_bytes * kDiskMargin / kMiB, (kDiskMargin - 1.0) * 100.0, room.free_bytes / kMiB);
  }
  return {};
}

std::string disk_refusal(const std::string& folder, const profiles::Program& program) {
  return disk_refusal(disk_room(folder), profiles::expected_record_bytes(program));
}

}  // namespace cyclerd::app
