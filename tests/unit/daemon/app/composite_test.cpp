// A channel of a supply and a load: the station file's findings, and the whole in its port.
#include "daemon/app/composite.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "daemon/app/device_maker.hpp"
#include "daemon/app/station_file.hpp"
#include "daemon/app/status_json.hpp"
#include "daemon/app/watch.hpp"
#include "daemon/app/wiring.hpp"
#include "tests/support/fake_device.hpp"

namespace cyclerd::app {
namespace {

using device::Part;
using testing::HasSubstr;

std::string item(const std::string& name, int address, const std::string& rest) {
  return "[item." + name + "]\nfunction = \"holding\"\naddress = " + std::to_string(address) + "\nmark = \"own\"\n" +
         rest;
}

const std::string kSteps = "{ write = \"set\", value = \"current_A\", verify = true },\n";

std::string description(const std::string& name, const std::string& kind) {
  const bool meter = kind == "voltmeter" || kind == "shunt";
  std::string text =
      "description = \"" + name + "\"\nschema = 1\ntitle = \"" + name + "\"\ndialect = \"modbus\"\nkind = \"" +
      (meter             ? "sensor"
       : kind == "relay" ? "relay"
                         : "cycler") +
      "\"\n[identify]\nmaker = { value = \"Example\" }\nmodel = { item = \"model\", match = [\"*\"] }\n" +
      item("model", 0, "type = \"u16\"\n");
  if (kind == "relay") {
    return text + item("output", 1, "type = \"u16\"\naccess = \"rw\"\n") +
           "[measure]\n[status]\noutput_on = { item = \"output\", bit = 0 }\n[capability]\noff = \"open\"\n[sequence]\n"
           "connect = [ { write = \"output\", value = 0, verify = true } ]\n"
           "close = [ { write = \"output\", value = 1, verify = true } ]\n"
           "off = [ { write = \"output\", value = 0, verify = true } ]\n"
           "make_safe = [ { write = \"output\", value = 0 }, { check = \"output\", is = 0, within = \"100 ms\" } ]\n";
  }
  if (meter) {
    const std::string what = kind == "voltmeter" ? "voltage" : "current";
    return text +
           item("value", 1, "type = \"i16\"\nunit = \"" + std::string(kind == "voltmeter" ? "V" : "A") + "\"\n") +
           "[measure]\n" + what + " = \"value\"\n[status]\n[capability]\n";
  }
  const bool source = kind != "sink";
  text +=
      item("voltage", 1, "type = \"u16\"\nscale = 0.01\nunit = \"V\"\n") +
      item("current", 2, "type = \"i16\"\nscale = 0.01\nunit = \"A\"\n") +
      item("set", 3, "type = \"i16\"\nscale = 0.01\nunit = \"A\"\naccess = \"rw\"\n") +
      item("output", 4, "type = \"u16\"\naccess = \"rw\"\n") +
      "[measure]\nvoltage = \"voltage\"\ncurrent = \"current\"\n[status]\noutput_on = { item = \"output\", bit = 0 }\n"
      "[capability]\noff = \"open\"\ntopology = \"" +
      (source ? "source" : "sink") + "\"\nvoltage_min = \"" + (kind == "high" ? "50 V" : "0 V") +
      "\"\nvoltage_max = \"" + (kind == "sink" ? "20 V" : "60 V") + "\"\n" +
      (source ? "current_max = \"10 A\"\n" : "current_min = \"-20 A\"\n") + "[sequence]\n";
  const std::string off = "[ { write = \"output\", value = 0, verify = true } ]\n";
  return text + "connect = " + off + (source ? "charge" : "discharge") + " = [ " + kSteps +
         "{ write = \"output\", value = 1, verify = true } ]\nrest = " + off + "off = " + off +
         "make_safe = [ { write = \"output\", value = 0 }, { check = \"output\", is = 0, within = \"100 ms\" } ]\n";
}

struct CompositeStation : testing::Test {
  void SetUp() override {
    char name[] = "/tmp/composite-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder = name;
    for (const char* kind : {"source", "sink", "high", "relay", "voltmeter", "shunt"})
      std::ofstream(folder + "/a-" + kind + ".toml") << description(std::string{"a-"} + kind, kind);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  static std::string wire(const std::string& name, int port) {
    return "[wire." + name + "]\ntransport = \"modbus-tcp\"\nhost = \"127.0.0.1\"\nport = " + std::to_string(port) +
           "\n";
  }
  static std::string device(const std::string& name, const std::string& wire, int unit, const std::string& more = "") {
    return "[device." + name + "]\ndescription = \"a-" + name + "\"\nwire = \"" + wire +
           "\"\nunit = " + std::to_string(unit) + "\n" + more;
  }
  static std::string waived() { return "allow_no_watchdog = true\n"; }
  static std::string bench() {
    return "name = \"bench\"\nstate_dir = \"state\"\n" + wire("w1", 15020) + wire("w2", 15021) +
           device("source", "w1", 1, waived()) + device("sink", "w2", 1, waived()) + device("relay", "w2", 2) +
           device("voltmeter", "w1", 2) + device("shunt", "w1", 3);
  }
  static std::string channel(const std::string& keys) { return "[channel.A1]\nscan = \"100 ms\"\n" + keys; }
  StationConfig load(const std::string& text) {
    findings = {};
    LoadOptions options;
    options.descriptions = {folder};
    options.state_dir = folder + "/state";
    return load_station(std::make_shared<const text::Source>(text::Source{folder + "/station.toml", text}), options,
                        findings);
  }
  std::string codes() const {
    std::string all;
    for (const auto& finding : findings.all()) {
      if (finding.code != "S029") all += (all.empty() ? "" : " ") + finding.code;
    }
    return all;
  }

  std::string folder;
  text::Diagnostics findings;
};

constexpr const char* kBoth = "source = \"source\"\nsink = \"sink\"\n";

TEST_F(CompositeStation, IsOneCyclerMadeOfItsParts) {
  const StationConfig station =
      load(bench() + channel(std::string{kBoth} + "relay = \"relay\"\nvoltmeter = \"voltmeter\"\nshunt = \"shunt\"\n"
                                                  "[channel.A1.composite]\ndead_time = \"250 ms\"\n"
                                                  "voltage_agreement = \"20 mV\"\ncurrent_agreement = \"50 mA\"\n"
                                                  "agreement_for = \"1 s\"\non_disagreement = \"warn\"\n"));
  ASSERT_FALSE(findings.has_errors()) << findings.render();
  const DeviceConfig& whole = station.devices[station.channels[0].cycler];
  ASSERT_TRUE(whole.composite);
  EXPECT_EQ(whole.name, "A1");
  EXPECT_EQ(whole.composite->dead_time, base::milliseconds(250));
  EXPECT_DOUBLE_EQ(whole.composite->voltage.tolerance, 0.02);
  EXPECT_DOUBLE_EQ(whole.composite->current.tolerance, 0.05);
  EXPECT_EQ(whole.composite->voltage.dwell, base::seconds(1));
  EXPECT_FALSE(whole.composite->disagreement_trips);
  const device::Capability can = promised_capability(whole);
  EXPECT_DOUBLE_EQ(can.current_max_A, 10.0);
  EXPECT_DOUBLE_EQ(can.current_min_A, -20.0);
  EXPECT_DOUBLE_EQ(can.voltage_max_V, 20.0);
  EXPECT_EQ(can.can_charge, 1);
  EXPECT_EQ(can.can_discharge, 1);
  for (const std::int32_t part : whole.composite->parts) {
    ASSERT_GE(part, 0);
    EXPECT_TRUE(station.devices[static_cast<std::size_t>(part)].is_part);
    EXPECT_EQ(station.devices[static_cast<std::size_t>(part)].channel, 0);
    EXPECT_EQ(station.devices[static_cast<std::size_t>(part)].scan, base::milliseconds(100));
  }
  EXPECT_EQ(port_of_wires(station), (std::vector<std::uint32_t>{0, 0})) << "one thread for both wires";
}

TEST_F(CompositeStation, DeadTimeIs100MsUnlessTheFileSaysOtherwise) {
  const StationConfig station = load(bench() + channel(kBoth));
  ASSERT_FALSE(findings.has_errors()) << findings.render();
  EXPECT_EQ(station.devices[station.channels[0].cycler].composite->dead_time, base::milliseconds(100));
}

TEST_F(CompositeStation, WrongCombinationsAreFound) {
  const struct {
    const char* keys;
    const char* codes;
  } cases[] = {
      {"cycler = \"source\"\nsink = \"sink\"\n", "S050"},
      {"source = \"source\"\n", "S051"},
      {"sink = \"sink\"\n", "S051"},
      {"relay = \"relay\"\n", "S051 S051 S056"},
      {"source = \"sink\"\nsink = \"source\"\n", "S052 S052"},
      {"source = \"voltmeter\"\nsink = \"sink\"\n", "S052"},
      {"source = \"source\"\nsink = \"source\"\n", "S053 S053"},
      {"source = \"source\"\nsink = \"sink\"\nvoltmeter = \"sink\"\n", "S053 S053"},
      {"source = \"source\"\nsink = \"sink\"\nvoltmeter = \"shunt\"\n", "S054"},
      {"source = \"source\"\nsink = \"sink\"\nshunt = \"voltmeter\"\n", "S054"},
      {"source = \"source\"\nsink = \"sink\"\nvoltmeter = \"voltmeter\"\nrelay = \"shunt\"\n", "S054"},
      {"source = \"source\"\nsink = \"sink\"\nrelay = \"relay\"\n", "S056"},
      {"source = \"source\"\nsink = \"sink\"\ncomposite = { current_agreement = \"1 A\" }\n", "S057"},
      {"source = \"source\"\nsink = \"sink\"\ncomposite = { voltage_agreement = \"0 V\" }\n", "S059"},
      {"source = \"source\"\nsink = \"sink\"\ncomposite = { dead_time = \"11 s\" }\n", "S012"},
      {"source = \"nobody\"\nsink = \"sink\"\n", "S021"},
  };
  for (const auto& one : cases) {
    (void)load(bench() + channel(one.keys));
    EXPECT_EQ(codes(), one.codes) << one.keys << findings.render();
  }
}

TEST_F(CompositeStation, PartsWithoutAVoltageInCommonAreFound) {
  (void)load(bench() + device("high", "w1", 4, waived()) + channel("source = \"high\"\nsink = \"sink\"\n"));
  EXPECT_EQ(codes(), "S055") << findings.render();
}

TEST_F(CompositeStation, EachSideNeedsItsWatchdogOrAWaiver) {
  std::string text = bench() + channel(kBoth);
  text.replace(text.find(waived()), waived().size(), "");
  (void)load(text);
  EXPECT_EQ(codes(), "S026") << findings.render();
}

TEST_F(CompositeStation, APartServesOneChannel) {
  (void)load(bench() + channel(kBoth) + "[channel.B1]\ncycler = \"source\"\n");
  EXPECT_THAT(codes(), HasSubstr("S023"));
}

TEST_F(CompositeStation, SharingAWireWithAnotherChannelIsAWarning) {
  (void)load(bench() +
             "[device.psb]\ndescription = \"ea-psb-9000\"\nwire = \"w1\"\nunit = 9\nallow_no_watchdog = true\n" +
             channel(kBoth) + "[channel.B1]\ncycler = \"psb\"\n");
  EXPECT_EQ(codes(), "S058") << findings.render();
  EXPECT_FALSE(findings.has_errors());
}

// The polls of both wires share the time of one thread.
TEST_F(CompositeStation, TheBusBudgetIsThatOfTheWholePort) {
  std::string text = bench() + channel(kBoth);
  for (const char* port : {"port = 15020\n", "port = 15021\n"})
    text.replace(text.find(port), std::string{port}.size(), std::string{port} + "round_trip = \"40 ms\"\n");
  (void)load(text);
  EXPECT_EQ(codes(), "S028") << findings.render();
}

struct CompositePort : CompositeStation {
  void wire_up(const std::string& text) {
    StationConfig config = load(text);
    ASSERT_FALSE(findings.has_errors()) << findings.render();
    record::RecorderConfig record;
    record.state_dir = config.state_dir;
    record.durable = false;
    auto wired = wire_station(
        std::move(config),
        [this](const StationConfig& c, std::uint32_t index) -> base::Result<std::unique_ptr<device::Device>> {
          const DeviceConfig& made = c.devices[index];
          auto fake = std::make_unique<test::FakeDevice>(clock, made.kind->kind == device::DeviceKind::sensor
                                                                    ? device::DeviceKind::sensor
                                                                    : device::DeviceKind::cycler);
          fake->mutable_capability() = promised_capability(made);
          if (!same_serials) fake->mutable_identity().serial = std::string_view{made.name};
          fakes[made.name] = fake.get();
          return fake;
        },
        std::move(record), clock, 1U << 20);
    ASSERT_TRUE(wired) << wired.error().text();
    station = std::move(*wired);
  }
  io::Port& port() { return *station->wires.at(0).port; }
  void run(base::Duration time) {
    const base::MonoTime until = clock.now() + time;
    while (clock.now() < until) clock.advance_to(std::min(until, port().run_once()));
    port().run_once();
  }
  void command(double current_A) {
    base::Command c;
    c.device = station->config.channels[0].cycler;
    c.sequence = ++sequence;
    c.setpoint.control = base::Control::current;
    c.setpoint.current_A = current_A;
    c.setpoint.voltage_max_V = 4.2;
    c.setpoint.voltage_min_V = 2.5;
    station->wires[0].lanes->commands.push(c);
  }

  base::VirtualClock clock{base::MonoTime{1'000'000}};
  std::map<std::string, test::FakeDevice*> fakes;
  std::unique_ptr<Station> station;
  std::uint64_t sequence = 0;
  bool same_serials = false;
};

TEST_F(CompositePort, DrivesBothWiresInOnePortAndPublishesEveryPart) {
  wire_up(bench() + channel(kBoth));
  ASSERT_EQ(station->wires.size(), 1U);
  fakes["sink"]->values.voltage_V = fakes["source"]->values.voltage_V = 3.7;
  run(base::seconds(1));
  command(2.0);
  run(base::milliseconds(500));
  EXPECT_EQ(fakes["source"]->values.output_on, 1);
  command(-3.0);
  run(base::milliseconds(500));
  EXPECT_EQ(fakes["source"]->values.output_on, 0);
  EXPECT_EQ(fakes["sink"]->values.output_on, 1);
  EXPECT_DOUBLE_EQ(fakes["sink"]->setpoint.current_A, -3.0);
  EXPECT_FALSE(station->safety[0]->latch.tripped());
  const io::DeviceHealth whole = station->health[station->config.channels[0].cycler]->load();
  EXPECT_DOUBLE_EQ(whole.reading.current_A, -3.0);
  EXPECT_EQ(whole.output_on, 1);
  for (std::size_t i = 0; i < 2; ++i) {
    const io::DeviceHealth part = station->health[i]->load();
    EXPECT_EQ(part.link, io::LinkState::open) << i;
    EXPECT_GT(part.polls, 5U) << i;
    EXPECT_EQ(part.identity.maker.view(), "Fake") << i;
  }
}

TEST_F(CompositePort, AViolationOpensBothSidesInTheCallThatSawIt) {
  wire_up(bench() + channel(std::string{kBoth} + "limits = { voltage = { max = \"4.25 V\" } }\n"));
  run(base::seconds(1));
  command(2.0);
  run(base::milliseconds(300));
  ASSERT_EQ(fakes["source"]->values.output_on, 1);
  fakes["source"]->values.voltage_V = 4.26;
  run(base::milliseconds(100));
  EXPECT_TRUE(station->safety[0]->latch.tripped());
  EXPECT_EQ(fakes["source"]->values.output_on, 0);
  EXPECT_GE(fakes["source"]->count(test::Called::make_safe), 1U);
  EXPECT_GE(fakes["sink"]->count(test::Called::make_safe), 1U);
}

TEST_F(CompositePort, AHungPartTripsAndTheOtherSideIsOff) {
  wire_up(bench() + channel(kBoth));
  run(base::seconds(1));
  command(-2.0);
  run(base::milliseconds(300));
  ASSERT_EQ(fakes["sink"]->values.output_on, 1);
  fakes["source"]->die(base::milliseconds(300));  // the side that does nothing
  run(base::seconds(3));
  EXPECT_TRUE(station->safety[0]->latch.tripped());
  EXPECT_EQ(fakes["sink"]->values.output_on, 0);
  EXPECT_EQ(station->health[0]->load().link, io::LinkState::suspect);
  EXPECT_GT(station->health[0]->load().errors, 0U);
}

TEST_F(CompositePort, OneInstrumentOnTwoChannelsIsFoundByItsSerialNumber) {
  same_serials = true;
  wire_up(bench() + "[device.psb]\ndescription = \"ea-psb-9000\"\nwire = \"w1\"\nunit = 9\nallow_no_watchdog = true\n" +
          channel(kBoth) + "[channel.B1]\ncycler = \"psb\"\n");
  run(base::seconds(1));  // every fake has the same serial number: that of the composite's sides is checked at its open
  EXPECT_THAT(std::string{station->health[station->config.channels[0].cycler]->load().error.view()},
              HasSubstr("one instrument"));
  EXPECT_FALSE(shared_instruments(*station).empty());
}

}  // namespace
}  // namespace cyclerd::app
