#include "daemon/app/disk.hpp"

#include <gtest/gtest.h>

#include "daemon/app/launch.hpp"

namespace cyclerd::app {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;

TEST(Disk, FivePercentFreeIsTheEdge) {
  EXPECT_NE(disk_refusal({.free_bytes = 4.99 * kGiB, .total_bytes = 100 * kGiB}, 0.0), "");
  EXPECT_EQ(disk_refusal({.free_bytes = 5.0 * kGiB, .total_bytes = 100 * kGiB}, 0.0), "");
  EXPECT_EQ(disk_refusal({.free_bytes = 5.01 * kGiB, .total_bytes = 100 * kGiB}, 0.0), "");
}

TEST(Disk, TheEstimateCarriesAMarginOfTwentyPercent) {
  const DiskRoom room{.free_bytes = 12.0 * kGiB, .total_bytes = 100 * kGiB};
  EXPECT_EQ(disk_refusal(room, 9.99 * kGiB), "");
  EXPECT_EQ(disk_refusal(room, 10.0 * kGiB), "");
  const std::string why = disk_refusal(room, 10.01 * kGiB);
  EXPECT_NE(why.find("12300 MiB"), std::string::npos) << why;
  EXPECT_NE(why.find("12288 MiB are free"), std::string::npos) << why;
}

TEST(Disk, AnUnknownFolderHasNoRoom) {
  EXPECT_NE(disk_refusal(disk_room("/no/such/folder"), 0.0), "");
}

TEST(Disk, EstimateCountsScansAndRows) {
  profiles::Program program;
  program.scan = base::milliseconds(100);
  EXPECT_EQ(disk_estimate_bytes(program), 0.0) << "not bounded";
  program.worst_case_duration = base::hours(1);
  program.worst_case_rows = 360;
  EXPECT_DOUBLE_EQ(disk_estimate_bytes(program), 36000 * 144.0 + 360 * 320.0);
  program.worst_case_rows = 1e9;  // no more rows than scans
  EXPECT_DOUBLE_EQ(disk_estimate_bytes(program), 36000 * (144.0 + 320.0));
}

}  // namespace
}  // namespace cyclerd::app
