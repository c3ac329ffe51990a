#include "daemon/app/launch.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace cyclerd::app {
namespace {

using control::Json;

TEST(LaunchRequest, TakesWhatIsGivenAndNamesWhatIsMissing) {
  LaunchRequest request;
  EXPECT_EQ(
      read_launch_request(
          {{"profile", "x"}, {"cell_name", "lg-m50"}, {"parameters", {{"cycles", 200}, {"rate", "C/3"}}}}, request),
      "");
  EXPECT_EQ(request.parameters.at("cycles"), "200");
  EXPECT_EQ(request.parameters.at("rate"), "C/3");
  EXPECT_TRUE(std::isnan(request.soc));
  LaunchRequest fresh;
  LaunchRequest incomplete;
  EXPECT_NE(read_launch_request(Json::array(), fresh), "");
  EXPECT_NE(read_launch_request(Json::object({{"cell_name", "lg-m50"}}), fresh).find("profile"), std::string::npos);
  EXPECT_NE(read_launch_request({{"profile", "x"}, {"note", "n"}}, incomplete).find("cell (the text"),
            std::string::npos);
  EXPECT_NE(read_launch_request(Json::object({{"profile", 3}}), fresh).find("profile is a text"), std::string::npos);
  EXPECT_NE(
      read_launch_request({{"profile", "x"}, {"cell", "y"}, {"parameters", {{"a", Json::array()}}}}, fresh).find("a "),
      std::string::npos);
}

TEST(LaunchRequest, BringsTheTextsOfItsWaveformsAndNoPlaceToLookForThem) {
  LaunchRequest request;
  EXPECT_EQ(
      read_launch_request(
          {{"profile", "x"}, {"cell", "y"}, {"folder", "/etc"}, {"waveforms", {{"a.csv", "time_s,power_W"}}}}, request),
      "");
  EXPECT_EQ(request.waveforms.at("a.csv"), "time_s,power_W");
  EXPECT_NE(
      read_launch_request({{"profile", "x"}, {"cell", "y"}, {"waveforms", {{"a.csv", 1}}}}, request).find("a.csv"),
      std::string::npos);
}

TEST(LaunchRequest, SocIsARatioFromZeroToOne) {
  const auto soc = [](const Json& value) {
    LaunchRequest request;
    const std::string wrong = read_launch_request({{"profile", "x"}, {"cell", "y"}, {"soc", value}}, request);
    return wrong.empty() ? request.soc : -1.0;
  };
  EXPECT_DOUBLE_EQ(soc(0.5), 0.5);
  EXPECT_DOUBLE_EQ(soc("50 %"), 0.5);
  EXPECT_DOUBLE_EQ(soc(0.0), 0.0);
  EXPECT_DOUBLE_EQ(soc(1.0), 1.0);
  EXPECT_DOUBLE_EQ(soc(1.001), -1.0);
  EXPECT_DOUBLE_EQ(soc(-0.001), -1.0);
  EXPECT_DOUBLE_EQ(soc("3 V"), -1.0);
}

TEST(Limits, TheTightestOfStationCellAndProfileIsInForce) {
  profiles::SafetyLimits station;
  station.voltage = {2.0, 4.4, base::seconds(1)};
  profiles::CellSpec cell;
  cell.voltage_min_V = 2.5;
  cell.voltage_max_V = 4.2;
  cell.charge_current_max_A = 5.0;
  cell.discharge_current_max_A = 10.0;
  profiles::Program program;
  program.scan = base::milliseconds(100);
  program.safety.voltage = {2.6, 4.3, {}};
  program.safety.current = {-20.0, 3.0, {}};
  const safety::LimitTable table = test_limits(station, cell, program);
  EXPECT_DOUBLE_EQ(table.bound(safety::Cause::voltage_high), 4.2 + profiles::kTripVoltageMargin_V);
  EXPECT_DOUBLE_EQ(table.bound(safety::Cause::voltage_low), 2.6);
  EXPECT_DOUBLE_EQ(table.bound(safety::Cause::charge_current_high), 3.0);
  EXPECT_DOUBLE_EQ(table.bound(safety::Cause::discharge_current_high), -10.0 * (1.0 + profiles::kTripCurrentMargin));
}

TEST(Limits, AgeOfDataIsThreeScansButNotBelowHalfASecond) {
  EXPECT_EQ(idle_limits({}, base::milliseconds(1)).stale_after, base::milliseconds(500));
  EXPECT_EQ(idle_limits({}, base::milliseconds(100)).stale_after, base::milliseconds(500));
  EXPECT_EQ(idle_limits({}, base::seconds(1)).stale_after, base::seconds(3));
}

TEST(Compile, ACellIsNamedNotAddressedByPath) {
  LaunchRequest request;
  request.profile = "profile = \"x\"";
  request.cell_name = "../../etc/passwd";
  const Compiled compiled = compile_launch(request, {}, "/nowhere", "");
  EXPECT_EQ(compiled.program, nullptr);
  ASSERT_TRUE(compiled.diagnostics.has_errors());
  EXPECT_EQ(compiled.diagnostics.all().front().code, "S040");
}

}  // namespace
}  // namespace cyclerd::app
