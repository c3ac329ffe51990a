#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocols/can/can_device.hpp"
#include "protocols/can/can_link.hpp"
#include "protocols/device/library.hpp"
#include "tests/support/fake_can_bus.hpp"

namespace cyclerd::can {
namespace {

using base::ErrorCode;
using base::milliseconds;
using testing::HasSubstr;
using testing_support::FakeCanBus;

using Bytes = std::vector<std::uint8_t>;

std::shared_ptr<const device::Description> described(const std::string& text) {
  text::Diagnostics diagnostics;
  auto d = device::load_description(std::make_shared<const text::Source>(text::Source{"test.toml", text}), diagnostics);
  EXPECT_TRUE(d) << diagnostics.render();
  return d;
}

// A module that is asked for its values, and told its set-points in frames that have to be repeated.
constexpr const char* kModule = R"(
description = "module"
schema = 1
title = "A power module"
kind = "cycler"
dialect = "can"
[site]
module = { default = 2, min = 0, max = 7, help = "the module's number" }
[can]
bitrate = 125_000
response_timeout = "100 ms"
[identify]
maker = { value = "Nobody" }
model = { value = "Module" }
anonymous = "it does not say"
[message.voltage_reply]
id = { base = 0x100, number = "$module" }
match = "10 01 ?? 00"
request_id = { base = 0x200, number = "$module" }
request = "10 01 00 00 00 00 00 00"
[message.current_reply]
id = { base = 0x100, number = "$module" }
match = "10 02"
request_id = { base = 0x200, number = "$module" }
request = "10 02 00 00 00 00 00 00"
[message.state]
id = { base = 0x300, number = "$module" }
stale_after = "1 s"
[message.command]
id = { base = 0x400, number = "$module", shift = 4 }
send = true
data = "A0 00 00 00 00 00 00 FF"
cycle = "50 ms"
[message.switch]
id = 0x500
send = true
length = 1
[item.voltage]
message = "voltage_reply"
layout = "39|32@0+"
scale = 0.001
unit = "V"
mark = "own"
[item.current]
message = "current_reply"
layout = "39|32@0-"
scale = 0.001
unit = "A"
mark = "own"
[item.on]
message = "state"
layout = "0|1@1+"
mark = "own"
[item.set_voltage]
message = "command"
layout = "8|16@1+"
scale = 0.1
unit = "V"
mark = "own"
[item.set_current]
message = "command"
layout = "24|16@1-"
scale = 0.1
unit = "A"
mark = "own"
[item.output]
message = "switch"
layout = "0|8@1+"
readback = "on"
mark = "own"
[measure]
voltage = "voltage"
current = "current"
[status]
output_on = { item = "on", bit = 0 }
[capability]
off = "open"
voltage_min = "0 V"
voltage_max = "100 V"
current_min = "-10 A"
current_max = "10 A"
[sequence]
connect = [ { write = "output", value = 0, verify = true } ]
charge = [
  { write = "set_voltage", value = "voltage_max_V" },
  { write = "set_current", value = "current_A" },
  { write = "output", value = 1, verify = true },
]
discharge = "charge"
rest = [ { write = "output", value = 0, verify = true } ]
off = "rest"
make_safe = [ { write = "output", value = 0 }, { check = "on", is = 0, within = "200 ms" } ]
)";

class Module : public testing::Test {
 protected:
  Module() {
    clock_.advance(base::seconds(10));
    auto bus = std::make_unique<FakeCanBus>(clock_);
    bus_ = bus.get();
    line_ = std::make_shared<CanLine>(std::move(bus), clock_);
    description_ = described(kModule);
    site_ = device::default_site(*description_);
    // The module: two milliseconds for an answer, its state 20 times a second.
    bus_->answer = [this](const transport::CanFrame& frame) {
      if (frame.id == 0x202 && frame.data[1] == 1 && answers_)
        bus_->say(0x102, {0x10, 1, 7, 0, 0, 0, 0x0E, 0x74}, milliseconds(2));
      if (frame.id == 0x202 && frame.data[1] == 2 && answers_)
        bus_->say(0x102, {0x10, 2, 0, 0, 0xFF, 0xFF, 0xFF, 0x9C}, milliseconds(2));
      if (frame.id == 0x500 && obeys_) on_ = frame.data[0];
    };
    bus_->cyclic = [this](base::MonoTime when) {
      if (says_state_) bus_->say_at(when, 0x302, {on_, 0, 0, 0, 0, 0, 0, 0});
    };
  }
  [[nodiscard]] std::vector<transport::CanFrame> sent(std::uint32_t id) const {
    std::vector<transport::CanFrame> frames;
    for (const auto& [time, frame] : bus_->sent) {
      if (frame.id == id) frames.push_back(frame);
    }
    return frames;
  }
  base::VirtualClock clock_;
  FakeCanBus* bus_ = nullptr;
  std::shared_ptr<CanLine> line_;
  std::shared_ptr<const device::Description> description_;
  device::SiteParameters site_;
  bool answers_ = true;
  bool obeys_ = true;
  std::uint8_t on_ = 0;
  bool says_state_ = true;
};

TEST_F(Module, IsOpenedAskedAndRead) {
  auto device = make_can_device(description_, line_, site_, clock_);
  ASSERT_TRUE(device->open()) << device->open().error().text();
  base::Reading reading;
  const base::MonoTime before = clock_.now();
  ASSERT_TRUE(device->read(reading));
  EXPECT_NEAR(reading.voltage_V, 3.7, 1e-12);
  EXPECT_NEAR(reading.current_A, -0.1, 1e-12);
  EXPECT_EQ(reading.output_on, 0);
  EXPECT_EQ(reading.sent, before);
  EXPECT_EQ(reading.received, before + milliseconds(2));
}

TEST_F(Module, SetPointsGoOutWholeAndAreRepeatedByTheLoopAlone) {
  auto device = make_can_device(description_, line_, site_, clock_);
  ASSERT_TRUE(device->open());
  base::Setpoint charge;
  charge.control = base::Control::current;
  charge.current_A = 2.5;
  charge.voltage_max_V = 4.2;
  ASSERT_TRUE(device->apply(charge)) << device->apply(charge).error().text();
  const auto frames = sent(0x420);
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(Bytes(frames[1].data.begin(), frames[1].data.begin() + 8), (Bytes{0xA0, 42, 0, 25, 0, 0, 0, 0xFF}));
  // Polled each 100 ms with a cycle of 50 ms: each poll repeats what is due, between polls nothing is sent.
  for (int i = 0; i < 10; ++i) {
    clock_.advance(milliseconds(100));
    base::Reading reading;
    ASSERT_TRUE(device->read(reading));
  }
  EXPECT_EQ(sent(0x420).size(), 12U);
}

TEST_F(Module, SilenceIsATimeOutAndNothingIsBelievedUntilItAnswers) {
  auto device = make_can_device(description_, line_, site_, clock_);
  ASSERT_TRUE(device->open());
  answers_ = false;
  base::Reading reading;
  const auto lost = device->read(reading);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::timeout);
  EXPECT_THAT(lost.error().text(), HasSubstr("no answer 'voltage_reply' within 100 ms"));
  answers_ = true;
  EXPECT_TRUE(device->read(reading)) << "the settings were verified anew";
}

TEST_F(Module, ASwitchThatDoesNotFollowIsNoSafeOutput) {
  auto device = make_can_device(description_, line_, site_, clock_);
  ASSERT_TRUE(device->open());
  EXPECT_TRUE(device->make_safe());
  obeys_ = false;
  on_ = 1;
  const auto safe = device->make_safe();
  ASSERT_FALSE(safe);
  EXPECT_THAT(safe.error().text(), HasSubstr("on reads 1, not 0"));
}

TEST_F(Module, FramesThatNobodyTakesAreAnError) {
  auto device = make_can_device(description_, line_, site_, clock_);
  ASSERT_TRUE(device->open());
  bus_->acknowledged = false;
  EXPECT_EQ(device->make_safe().error().code, ErrorCode::timeout);
  base::Reading reading;
  EXPECT_FALSE(device->read(reading));
}

TEST_F(Module, AStateThatIsTooOldIsNone) {
  CanLink link(description_, site_, line_, clock_);
  ASSERT_TRUE(link.connect());
  says_state_ = false;
  bus_->say(0x302, {1, 0, 0, 0, 0, 0, 0, 0});
  base::MonoTime from;
  base::MonoTime to;
  ASSERT_TRUE(link.scan(from, to));
  const int on = description_->find_item("on");
  EXPECT_EQ(link.scanned(on), 1.0);
  clock_.advance(base::seconds(1) - milliseconds(4));
  EXPECT_EQ(link.scanned(on), 1.0);
  clock_.advance(milliseconds(5));
  EXPECT_TRUE(std::isnan(link.scanned(on)));
}

TEST_F(Module, TwoModulesShareTheBus) {
  device::SiteParameters third = site_;
  third.values[0] = 3;
  CanLink two(description_, site_, line_, clock_);
  CanLink three(description_, third, line_, clock_);
  says_state_ = false;
  ASSERT_TRUE(two.connect());
  ASSERT_TRUE(three.connect());
  bus_->say(0x302, {1, 0, 0, 0, 0, 0, 0, 0});
  bus_->say(0x303, {0, 0, 0, 0, 0, 0, 0, 0});
  const int on = description_->find_item("on");
  EXPECT_EQ(two.read_raw(on).value(), 1.0);
  EXPECT_EQ(three.read_raw(on).value(), 0.0);
  ASSERT_TRUE(three.write_raw(description_->find_item("set_voltage"), 100.0));
  EXPECT_EQ(sent(0x430).size(), 1U);
  EXPECT_TRUE(sent(0x420).empty());
}

TEST_F(Module, ABusThatIsGoneIsOpenedAgain) {
  auto device = make_can_device(description_, line_, site_, clock_);
  ASSERT_TRUE(device->open());
  bus_->close();
  bus_->can_open = false;
  base::Reading reading;
  EXPECT_FALSE(device->read(reading));
  bus_->can_open = true;
  EXPECT_TRUE(device->read(reading));
}

std::shared_ptr<const device::Description> shipped(const char* name) {
  text::Diagnostics diagnostics;
  auto d = device::DescriptionLibrary({CYCLERD_SOURCE_DIR "/protocols/devices"}).find(name, {}, diagnostics);
  EXPECT_TRUE(d) << diagnostics.render();
  return d;
}

struct Sensor {
  explicit Sensor(const char* name, bool reversed = false) : description(shipped(name)) {
    clock.advance(base::seconds(10));
    auto fake = std::make_unique<FakeCanBus>(clock);
    bus = fake.get();
    device::SiteParameters site = device::default_site(*description);
    if (reversed) site.values[0] = 1;
    device = make_can_device(description, std::make_shared<CanLine>(std::move(fake), clock), site, clock);
  }
  base::VirtualClock clock;
  std::shared_ptr<const device::Description> description;
  FakeCanBus* bus = nullptr;
  std::unique_ptr<device::Device> device;
};

// Frames as a recording of the makers' tool shows them: number, counter, value with the high byte first.
TEST(IvtS, MeasuresAndCounts) {
  Sensor ivt("isabellenhuette-ivt-s");
  const auto result = [&](std::uint32_t id, std::uint8_t number, std::uint8_t count, std::int32_t value) {
    const auto bits = static_cast<std::uint32_t>(value);
    ivt.bus->say(id, {number, count, static_cast<std::uint8_t>(bits >> 24), static_cast<std::uint8_t>(bits >> 16),
                      static_cast<std::uint8_t>(bits >> 8), static_cast<std::uint8_t>(bits)});
  };
  for (std::uint8_t count = 1; count < 3; ++count) {
    result(0x522, 1, count, 48123);
    result(0x521, 0, count, -12345);
    result(0x526, 5, count, -594);
    if (count == 1) {
      ASSERT_TRUE(ivt.device->open());
    }
  }
  base::Reading reading;
  ASSERT_TRUE(ivt.device->read(reading));
  EXPECT_NEAR(reading.voltage_V, 48.123, 1e-9);
  EXPECT_NEAR(reading.current_A, -12.345, 1e-9);
  EXPECT_EQ(reading.power_W, -594.0);
  EXPECT_EQ(reading.flags, 0U);
  EXPECT_EQ(reading.alarm, 0);
  ASSERT_TRUE(ivt.device->read(reading));
  EXPECT_EQ(reading.flags & base::flag::kRepeated, base::flag::kRepeated) << "its counter stands still";
  result(0x521, 0, 0x43, -12345);
  ASSERT_TRUE(ivt.device->read(reading));
  EXPECT_EQ(reading.alarm, 1) << "an error bit of the result";
  ivt.clock.advance(base::seconds(10));
  EXPECT_FALSE(ivt.device->read(reading)) << "silence";
}

TEST(IvtS, CanBeMountedTheOtherWayRound) {
  Sensor ivt("isabellenhuette-ivt-s", true);
  ivt.bus->say(0x521, {0, 1, 0xFF, 0xFF, 0xCF, 0xC7});
  ivt.bus->say(0x522, {1, 1, 0, 0, 0x0E, 0x74});
  ASSERT_TRUE(ivt.device->open());
  base::Reading reading;
  ASSERT_TRUE(ivt.device->read(reading));
  EXPECT_NEAR(reading.current_A, 12.345, 1e-9);
}

TEST(Pylontech, TellsWhatItsFramesSay) {
  Sensor bms("pylontech-lv-bms");
  bms.bus->say(0x356, {0x24, 0x13, 0xCE, 0xFF, 0xFA, 0x00});
  bms.bus->say(0x359, {0x02, 0x00, 0x00, 0x00, 0x04, 0x50, 0x4E});
  ASSERT_TRUE(bms.device->open()) << bms.device->open().error().text();
  base::Reading reading;
  ASSERT_TRUE(bms.device->read(reading));
  EXPECT_NEAR(reading.voltage_V, 49.0, 1e-9);
  EXPECT_NEAR(reading.current_A, -5.0, 1e-9);
  EXPECT_NEAR(reading.temperature_degC, 25.0, 1e-9);
  EXPECT_EQ(reading.alarm, 1);
}

TEST(FoxBms, TellsWhatItsFramesSay) {
  Sensor bms("foxbms-2");
  // 197.2 V is 1972 of 14 bits from bit 7; -12.5 A is -1250 of 18 bits from bit 41.
  bms.bus->say(546, {0x1E, 0xD0, 0, 0, 0, 0x03, 0xFB, 0x1E});
  bms.bus->say(547, {0x66, 0xD3, 0x20, 0, 0, 0, 0x1C, 0x17});
  ASSERT_TRUE(bms.device->open()) << bms.device->open().error().text();
  base::Reading reading;
  ASSERT_TRUE(bms.device->read(reading));
  EXPECT_EQ(reading.temperature_degC, 28.0);
  EXPECT_NEAR(reading.voltage_V, 197.2, 1e-9);
  EXPECT_NEAR(reading.current_A, -12.5, 1e-9);
}

struct Flaw {
  const char* name;
  const char* from;
  const char* to;
  const char* code;
  const char* words;
};
class CanMistakes : public testing::TestWithParam<Flaw> {};

TEST_P(CanMistakes, AreRefusedWithPlaceAndReason) {
  std::string text = kModule;
  const std::size_t at = text.find(GetParam().from);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, std::string(GetParam().from).size(), GetParam().to);
  text::Diagnostics diagnostics;
  EXPECT_FALSE(
      device::load_description(std::make_shared<const text::Source>(text::Source{"test.toml", text}), diagnostics));
  bool found = false;
  for (const auto& d : diagnostics.all())
    found = found ||
            (d.code == GetParam().code && d.message.find(GetParam().words) != std::string::npos && d.where.line > 0);
  EXPECT_TRUE(found) << diagnostics.render();
}

INSTANTIATE_TEST_SUITE_P(
    Table, CanMistakes,
    testing::Values(
        Flaw{"byte", "\"10 01 ?? 00\"", "\"10 1 ?? 00\"", "D100", "'1' is no byte"},
        Flaw{"wildcard_sent", "\"A0 00", "\"?\? 00", "D100", "is no byte"},
        Flaw{"id", "id = 0x500", "id = 0x800", "T013", ""},
        Flaw{"id_of_site", "base = 0x400, number = \"$module\", shift = 4",
             "base = 0x400, number = \"$module\", shift = 9", "D101", "leave its 11 bits"},
        Flaw{"no_parameter", "base = 0x400, number = \"$module\"", "base = 0x400, number = \"$modul\"", "D031",
             "no site parameter"},
        Flaw{"layout", "\"39|32@0+\"", "\"39|32@0\"", "D105", "start|length@order"},
        Flaw{"layout_outside", "\"8|16@1+\"", "\"49|16@1+\"", "D105", "reaches beyond the 8 bytes"},
        Flaw{"float", "\"39|32@0+\"", "\"39|31@0f\"", "D105", "start|length@order"},
        Flaw{"no_message", "message = \"state\"", "message = \"stat\"", "D104", "no message 'stat'"},
        Flaw{"no_place", "layout = \"0|1@1+\"", "", "D105", "a signal of the DBC file or a layout"},
        Flaw{"cycle_of_nothing", "send = true\ndata = \"A0 00 00 00 00 00 00 FF\"\n", "", "D102", "not sent"},
        Flaw{"dbc_elsewhere", "bitrate = 125_000", "dbc = \"/etc/a.dbc\"", "D103", "beside its description"},
        Flaw{"dbc_missing", "bitrate = 125_000", "dbc = \"nowhere.dbc\"", "D103", "cannot be read"},
        Flaw{"read_what_is_sent", "output_on = { item = \"on\"", "output_on = { item = \"output\"", "D014",
             "cannot be read"}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace cyclerd::can
