#include "daemon/app/device_maker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cyclerd::app {
namespace {

using device::Dialect;
using testing::HasSubstr;

struct MakeLink : testing::Test {
  static DeviceConfig instrument(Dialect dialect, std::uint32_t baud = 0) {
    auto description = std::make_shared<device::Description>();
    description->id = "an-instrument";
    description->dialect = dialect;
    if (baud != 0) description->serial_line = device::SerialText{.baud = baud};
    DeviceConfig device;
    device.name = "supply";
    device.kind = std::move(description);
    return device;
  }
  static WireConfig wire(Transport transport) {
    WireConfig wire;
    wire.transport = transport;
    wire.host = "127.0.0.1";
    wire.port = 5025;
    wire.line = "/dev/ttyUSB7";
    return wire;
  }

  base::VirtualClock clock{base::MonoTime{1'000'000}};
  DeviceFactory factory{clock};
};

TEST_F(MakeLink, EveryWireOfRegistersAndTextHasItsLinkAndConnectsNothing) {
  std::uint32_t index = 0;
  for (const auto transport : {Transport::modbus_tcp, Transport::modbus_rtu, Transport::tcp, Transport::serial}) {
    DeviceConfig device = instrument(dialect_of(transport));
    device.wire = index++;
    const auto link = factory.make_link(wire(transport), device);
    ASSERT_TRUE(link) << to_string(transport) << link.error().text();
    EXPECT_FALSE((*link)->is_connected());
    const bool network = transport == Transport::modbus_tcp || transport == Transport::tcp;
    EXPECT_THAT(std::string{(*link)->name()}, HasSubstr(network ? "127.0.0.1" : "/dev/ttyUSB7"))
        << to_string(transport);
  }
}

// Two instruments on one line that want it set up differently: neither would be understood.
TEST_F(MakeLink, ASerialLineHasOneSetOfSettings) {
  for (const auto transport : {Transport::modbus_rtu, Transport::serial}) {
    DeviceFactory lines(clock);
    WireConfig line = wire(transport);
    const Dialect dialect = dialect_of(transport);
    ASSERT_TRUE(lines.make_link(line, instrument(dialect, 9600)));
    ASSERT_TRUE(lines.make_link(line, instrument(dialect, 9600)));
    const auto other = lines.make_link(line, instrument(dialect, 115200));
    ASSERT_FALSE(other) << to_string(transport);
    EXPECT_THAT(other.error().text(), HasSubstr("give the wire baud, parity and stop_bits"));
    DeviceFactory told(clock);
    line.settings_given = true;
    ASSERT_TRUE(told.make_link(line, instrument(dialect, 9600)));
    EXPECT_TRUE(told.make_link(line, instrument(dialect, 115200))) << "the station file decides";
  }
}

}  // namespace
}  // namespace cyclerd::app
