#include "daemon/app/make_safe.hpp"

#include <memory>

#include <gtest/gtest.h>

#include "daemon/app/station_file.hpp"

namespace cyclerd::app {
namespace {

TEST(SafeReport, IsSafeOnlyWhenEveryLineIs) {
  SafeReport report;
  report.lines = {{"a", true, ""}, {"b", true, ""}};
  EXPECT_TRUE(report.all_safe());
  report.lines.push_back({"c", false, ""});
  EXPECT_FALSE(report.all_safe());
}

TEST(MakeSafe, ADeviceThatDoesNotAnswerIsToldAndAnUnreadableOneToo) {
  constexpr const char* kStation = R"(
name = "s"
[wire.w]
transport = "modbus-tcp"
host = "127.0.0.1"
port = 1
[device.psb]
description = "ea-psb-9000"
wire = "w"
[device.unknown]
description = "no-such-thing"
wire = "w"
)";
  text::Diagnostics diagnostics;
  const StationConfig station =
      load_station(std::make_shared<const text::Source>(text::Source{"s.toml", kStation}), {}, diagnostics);
  const SafeReport report = open_every_output(station, base::Duration{});
  ASSERT_EQ(report.lines.size(), 2U);
  EXPECT_EQ(report.lines[0].device, "psb");
  EXPECT_FALSE(report.lines[0].safe);
  EXPECT_FALSE(report.lines[0].words.empty());
  EXPECT_EQ(report.lines[1].device, "unknown");
  EXPECT_FALSE(report.lines[1].safe);
}

}  // namespace
}  // namespace cyclerd::app
