#include "daemon/app/station_file.hpp"
#include "daemon/app/launch.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>

#include <gtest/gtest.h>

namespace cyclerd::app {
namespace {

constexpr const char* kChannel = R"([channel.A1]
cycler = "psb"
)";

constexpr const char* kGood = R"(
name = "bench"
state_dir = "state"
[realtime]
priority = 60
affinity = [1]
lock_memory = false
[record]
commit = "100 ms"
[recovery]
policy = "abort"
[wire.w1]
transport = "modbus-tcp"
host = "127.0.0.1"
port = 15020
[wire.w2]
transport = "modbus-tcp"
host = "127.0.0.1"
port = 15021
[device.psb]
description = "ea-psb-9000"
wire = "w1"
unit = 0
allow_no_watchdog = true
[device.box]
description = "virtual-chamber"
wire = "w2"
[channel.A1]
cycler = "psb"
chamber = "box"
sensor = "box"
scan = "10 ms"
on_chamber_loss = "trip"
[channel.A1.limits]
voltage = { min = "2 V", max = "4.4 V", for = "10 ms" }
current = { max = "30 A" }
temperature = { max = "60 degC", for = "1 s" }
sensor_loss = { after = "2 s" }
[channel.A1.plausibility]
current = "0.5 A"
for = "3 s"
frozen_readings = 50
)";

StationConfig load(const std::string& text, text::Diagnostics& diagnostics) {
  return load_station(std::make_shared<const text::Source>(text::Source{"/lab/station.toml", text}), {}, diagnostics);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(StationFile, AGoodOneIsReadInFull) {
  text::Diagnostics diagnostics;
  const StationConfig station = load(kGood, diagnostics);
  ASSERT_FALSE(diagnostics.has_errors()) << diagnostics.render();
  EXPECT_EQ(station.name, "bench");
  safety::LimitTable judged;
  add_plausibility(judged, station.channels[0].plausibility);
  EXPECT_DOUBLE_EQ(judged.current_tolerance_A, 0.5);
  EXPECT_EQ(judged.current_tolerance_dwell, base::seconds(3));
  EXPECT_EQ(judged.frozen_count, 50U);
  EXPECT_EQ(station.state_dir, "/lab/state") << "relative to the file";
  EXPECT_EQ(station.realtime.priority, 60);
  EXPECT_EQ(station.realtime.affinity, std::vector<int>{1});
  EXPECT_FALSE(station.realtime.lock_memory);
  EXPECT_EQ(station.commit, base::milliseconds(100));
  EXPECT_EQ(station.recovery_policy, "abort");
  ASSERT_EQ(station.wires.size(), 2U);
  EXPECT_EQ(station.wires[1].port, 15021);
  ASSERT_EQ(station.devices.size(), 2U);
  EXPECT_EQ(station.devices[0].unit, 0);
  EXPECT_EQ(station.devices[0].scan, base::milliseconds(10)) << "a cycler is polled at its channel's scan";
  EXPECT_EQ(station.devices[1].scan, base::seconds(1)) << "a chamber once a second";
  EXPECT_EQ(station.devices[1].channel, 0);
  ASSERT_EQ(station.channels.size(), 1U);
  const ChannelConfig& channel = station.channels[0];
  EXPECT_EQ(channel.cycler, 0U);
  EXPECT_EQ(channel.chamber, 1);
  EXPECT_EQ(channel.sensor, 1);
  EXPECT_TRUE(channel.chamber_loss_trips);
  EXPECT_DOUBLE_EQ(channel.limits.voltage.max, 4.4);
  EXPECT_EQ(channel.limits.voltage.dwell, base::milliseconds(10));
  EXPECT_DOUBLE_EQ(channel.limits.current.min, -30.0) << "one figure limits both directions";
  EXPECT_DOUBLE_EQ(channel.limits.temperature.max, 60.0);
  EXPECT_EQ(channel.limits.sensor_loss, base::seconds(2));
}

TEST(StationFile, TheStateFolderMayBeGivenFromOutside) {
  text::Diagnostics diagnostics;
  const auto source = std::make_shared<const text::Source>(text::Source{"/lab/station.toml", kGood});
  EXPECT_EQ(load_station(source, {.state_dir = "/elsewhere", .descriptions = {}}, diagnostics).state_dir, "/elsewhere");
}

struct Mistake {
  const char* name;
  const char* from;
  const char* to;
  const char* code;
  const char* words;  // part of the message
  const char* at;     // text of the file at which the finding stands; "": the whole file
};

class StationMistakes : public testing::TestWithParam<Mistake> {};

TEST_P(StationMistakes, AreRefusedWithPlaceAndReason) {
  const Mistake& mistake = GetParam();
  const std::string text = replaced(kGood, mistake.from, mistake.to);
  text::Diagnostics diagnostics;
  (void)load(text, diagnostics);
  ASSERT_TRUE(diagnostics.has_errors());
  const auto& all = diagnostics.all();
  const auto found = std::ranges::find_if(all, [&](const text::Diagnostic& d) {
    return d.severity == text::Severity::error && (d.code == mistake.code || *mistake.code == '\0') &&
           d.message.find(mistake.words) != std::string::npos;
  });
  ASSERT_NE(found, all.end()) << diagnostics.render();
  if (*mistake.at == '\0') return;
  ASSERT_NE(found->where.line, 0U) << diagnostics.render();
  std::size_t begin = 0;
  for (std::uint32_t line = 1; line < found->where.line; ++line) begin = text.find('\n', begin) + 1;
  EXPECT_EQ(text.compare(begin + found->where.column - 1, std::string(mistake.at).size(), mistake.at), 0)
      << diagnostics.render();
}

INSTANTIATE_TEST_SUITE_P(
    Table, StationMistakes,
    testing::Values(
        Mistake{"no_name", "name = \"bench\"", "", "", "name", ""},
        Mistake{"name_with_slash", "\"bench\"", "\"a/b\"", "S011", "\"a/b\" is no name", "a/b"},
        Mistake{"unknown_key", "commit = ", "comit = ", "", "comit", "comit"},
        Mistake{"number_without_unit", "scan = \"10 ms\"", "scan = 10", "", "scan", "10"},
        Mistake{"wrong_dimension", "scan = \"10 ms\"", "scan = \"10 V\"", "", "scan", "10 V"},
        Mistake{"scan_too_short", "scan = \"10 ms\"", "scan = \"0.9 ms\"", "S012", "outside 1 ms to 10 s", "0.9 ms"},
        Mistake{"scan_too_long", "scan = \"10 ms\"", "scan = \"10.1 s\"", "S012", "outside 1 ms to 10 s", "10.1 s"},
        Mistake{"priority_too_high", "priority = 60", "priority = 99", "", "priority", "99"},
        Mistake{"bad_cpu", "[1]", "[-1]", "S013", "CPU numbers", "-1"},
        Mistake{"unknown_transport", "\"modbus-tcp\"\nhost", "\"modbus-udp\"\nhost", "", "modbus-udp", "modbus-udp"},
        Mistake{"wrong_dialect", "transport = \"modbus-tcp\"", "transport = \"tcp\"", "S031",
                "\"ea-psb-9000\" speaks modbus, but wire \"w1\" is tcp", "ea-psb-9000"},
        Mistake{"line_without_device", "transport = \"modbus-tcp\"\nhost = \"127.0.0.1\"\nport = 15020",
                "transport = \"modbus-rtu\"", "", "line", ""},
        Mistake{"host_on_a_line", "transport = \"modbus-tcp\"\nhost",
                "transport = \"modbus-rtu\"\nline = \"/dev/x\"\nhost", "", "host", "host"},
        Mistake{"settings_without_baud", "transport = \"modbus-tcp\"\nhost = \"127.0.0.1\"\nport = 15020",
                "transport = \"modbus-rtu\"\nline = \"/dev/x\"\nparity = \"even\"", "S035", "no baud rate", "w1"},
        Mistake{"port_out_of_range", "port = 15020", "port = 65536", "", "port", "65536"},
        Mistake{"port_is_text", "port = 15020", "port = \"15020\"", "", "port", "15020"},
        Mistake{"unknown_wire", "wire = \"w1\"", "wire = \"w9\"", "S020", "\"w9\"", "w9"},
        Mistake{"missing_device", "cycler = \"psb\"", "cycler = \"psc\"", "S021",
                "\"psc\", which this file does not have", "psc"},
        Mistake{"unknown_description", "\"ea-psb-9000\"", "\"ea-psb-9001\"", "", "ea-psb-9001", "ea-psb-9001"},
        Mistake{"unknown_policy", "\"abort\"", "\"abbort\"", "", "abbort", "abbort"},
        Mistake{"unknown_loss_policy", "\"trip\"", "\"ignore\"", "", "ignore", "ignore"},
        Mistake{"chamber_as_cycler", "cycler = \"psb\"", "cycler = \"box\"", "S025", "is a chamber, not a cycler",
                "box"},
        Mistake{"cycler_as_chamber", "chamber = \"box\"", "chamber = \"psb\"", "S025", "is a cycler, not a chamber",
                "psb"},
        Mistake{"no_watchdog", "allow_no_watchdog = true", "", "S026", "no communication watchdog", ""},
        Mistake{"sensor_measures_nothing", "sensor = \"box\"", "sensor = \"psb\"", "S036",
                "does not measure the cell's temperature", "psb"},
        Mistake{"temperature_unmeasured", "sensor = \"box\"", "", "S036", "nothing measures it", ""},
        Mistake{"empty_box", "min = \"2 V\", max", "min = \"5 V\", max", "S033", "is not below max", ""},
        Mistake{"limits_nothing", "{ max = \"30 A\" }", "{ for = \"1 s\" }", "S033", "limits nothing", ""},
        Mistake{"c_rate", "\"30 A\"", "\"1 C\"", "S034", "does not know the cell", "1 C"},
        Mistake{"no_deviation", "current = \"0.5 A\"", "current = \"0 A\"", "S033", "is not above 0 A", "0 A"},
        Mistake{"frozen_at_once", "frozen_readings = 50", "frozen_readings = 1", "", "frozen_readings", ""},
        Mistake{"same_instrument", "port = 15021",
                "port = 15020\n[device.twin]\ndescription = \"virtual-chamber\"\nwire = \"w1\"\nunit = 0", "S024",
                "the same instrument: 127.0.0.1:15020 unit 0", "0"},
        Mistake{"two_channels", "[channel.A1]", "[channel.A0]\ncycler = \"psb\"\n[channel.A1]", "S023",
                "already on channel A0", "psb"},
        Mistake{"bus_budget", "host = \"127.0.0.1\"\nport = 15020",
                "host = \"127.0.0.1\"\nport = 15020\nround_trip = \"8 ms\"", "S028", "at most 70 % are allowed", ""},
        Mistake{"slow_cycler", "allow_no_watchdog = true", "allow_no_watchdog = true\nscan = \"20 ms\"", "S038",
                "slower than the scan", "20 ms"},
        Mistake{"no_folder", "state_dir = \"state\"", "descriptions = [\"nowhere\"]", "S014", "names no folder",
                "nowhere"},
        Mistake{"unknown_site_parameter", "unit = 0", "unit = 0\nsite = { state_word_ordr = \"CDAB\" }", "",
                "state_word_ordr", ""},
        Mistake{"broken_toml", "[wire.w1]", "[wire.w1", "", "", ""}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(StationFile, ALineHasItsSettingsOrLeavesThemToTheDescription) {
  const std::string line = "transport = \"modbus-rtu\"\nline = \"/dev/ttyUSB0\"\n";
  const std::string wire = "transport = \"modbus-tcp\"\nhost = \"127.0.0.1\"\nport = 15020";
  text::Diagnostics diagnostics;
  StationConfig station = load(replaced(kGood, wire.c_str(), line.c_str()), diagnostics);
  EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.render();
  EXPECT_EQ(station.wires.at(0).transport, Transport::modbus_rtu);
  EXPECT_EQ(station.wires.at(0).line, "/dev/ttyUSB0");
  EXPECT_FALSE(station.wires.at(0).settings_given);
  const std::string given = line + "baud = 19200\nparity = \"even\"\nstop_bits = 2\n";
  station = load(replaced(kGood, wire.c_str(), given.c_str()), diagnostics);
  EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.render();
  EXPECT_TRUE(station.wires.at(0).settings_given);
  EXPECT_EQ(
      station.wires.at(0).settings,
      (transport::SerialSettings{.baud = 19200, .parity = transport::Parity::even, .data_bits = 8, .stop_bits = 2}));
}

TEST(StationFile, WithoutAChannelThereIsNoStation) {
  const std::string text = kGood;
  text::Diagnostics diagnostics;
  (void)load(text.substr(0, text.find("[channel.A1]")), diagnostics);
  ASSERT_EQ(diagnostics.error_count(), 1U) << diagnostics.render();
  EXPECT_EQ(std::ranges::count_if(diagnostics.all(), [](const auto& d) { return d.code == "S030"; }), 1);
}

TEST(StationFile, AllMistakesAreTold) {
  std::string text = replaced(kGood, "cycler = \"psb\"", "cycler = \"psc\"");
  text = replaced(text, "wire = \"w2\"", "wire = \"w3\"");
  text = replaced(text, "port = 15020", "port = 0");
  text = replaced(text, "commit = \"100 ms\"", "commit = \"5 ms\"");
  text::Diagnostics diagnostics;
  (void)load(text, diagnostics);
  EXPECT_GE(diagnostics.error_count(), 4U) << diagnostics.render();
}

TEST(StationFile, TheBudgetOfAWireHoldsAtItsEdge) {
  // The PSB takes four requests a poll: 4 * round trip / 10 ms <= 70 %.
  const auto errors = [](const std::string& round_trip) {
    text::Diagnostics diagnostics;
    (void)load(replaced(kGood, "port = 15020", "port = 15020\nround_trip = \"" + round_trip + "\""), diagnostics);
    return diagnostics.error_count();
  };
  const std::size_t within = errors("1 ms");
  EXPECT_EQ(within, 0U);
  EXPECT_EQ(errors("9 ms"), 1U);
}

TEST(StationFile, LocalhostAndItsAddressAreOnePlace) {
  const std::string text = replaced(kGood, "port = 15021", "port = 15020");
  text::Diagnostics one;
  (void)load(replaced(replaced(text, "wire = \"w2\"", "wire = \"w2\"\nunit = 0"), "host = \"127.0.0.1\"",
                      "host = \"LocalHost\""),
             one);
  EXPECT_EQ(std::ranges::count_if(one.all(), [](const auto& d) { return d.code == "S024"; }), 1) << one.render();
}

TEST(StationFile, WhatIsBrokenElsewhereStillLeavesDevicesToOpen) {
  text::Diagnostics diagnostics;
  const StationConfig station = load(replaced(kGood, "cycler = \"psb\"", "cycler = \"psc\""), diagnostics);
  EXPECT_TRUE(diagnostics.has_errors());
  ASSERT_EQ(station.devices.size(), 2U);
  EXPECT_NE(station.devices[0].kind, nullptr) << "make-safe still knows how to reach it";
}

TEST(StationFile, AMissingFileIsNamed) {
  text::Diagnostics diagnostics;
  (void)load_station("/no/such/station.toml", {}, diagnostics);
  ASSERT_TRUE(diagnostics.has_errors());
  EXPECT_EQ(diagnostics.all().front().code, "S001");
  EXPECT_NE(diagnostics.render().find("/no/such/station.toml"), std::string::npos);
}

class ShippedStations : public testing::TestWithParam<const char*> {};
TEST_P(ShippedStations, HaveNoErrors) {
  text::Diagnostics diagnostics;
  const StationConfig station = load_station(std::string(CYCLERD_SOURCE_DIR) + "/" + GetParam(), {}, diagnostics);
  EXPECT_EQ(diagnostics.all().size(), 0U) << diagnostics.render();
  EXPECT_FALSE(station.channels.empty());
}
INSTANTIATE_TEST_SUITE_P(Files, ShippedStations,
                         testing::Values("systemd/station.example.toml", "daemon/app/examples/demo-station.toml",
                                         "tests/integration/lab/virtual-station.toml",
                                         "tests/system/kill9_station.toml"));

TEST(Tighten, TakesTheInnerBoxAndTheShorterDwell) {
  profiles::SafetyLimits a;
  a.voltage = {2.0, 4.4, base::seconds(2)};
  profiles::SafetyLimits b;
  b.voltage = {2.5, base::kAbsent, base::seconds(1)};
  b.power = {-100.0, 100.0, {}};
  b.sensor_loss = base::seconds(1);
  tighten(a, b);
  EXPECT_DOUBLE_EQ(a.voltage.min, 2.5);
  EXPECT_DOUBLE_EQ(a.voltage.max, 4.4);
  EXPECT_EQ(a.voltage.dwell, base::seconds(1));
  EXPECT_DOUBLE_EQ(a.power.max, 100.0);
  EXPECT_TRUE(std::isnan(a.chamber.max));
  EXPECT_EQ(a.sensor_loss, base::seconds(1));
}

}  // namespace
}  // namespace cyclerd::app
