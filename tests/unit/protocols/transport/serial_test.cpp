#include "protocols/transport/serial.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "tests/support/pty.hpp"

namespace cyclerd::transport {
namespace {

using base::ErrorCode;
using base::milliseconds;
using testing_support::Pty;

base::SystemClock& system_clock() {
  static base::SystemClock clock;
  return clock;
}

std::array<std::uint8_t, 5> every_awkward_byte() {
  return {0x00, 0x03 /* ^C */, 0x0D, 0x11 /* XON */, 0xFF};
}

TEST(SerialSettings, TheTimeOfACharacterCountsEveryBit) {
  EXPECT_EQ(character_time({9600, Parity::none, 8, 1}).us, 1042);  // 10 bits
  EXPECT_EQ(character_time({9600, Parity::even, 8, 1}).us, 1146);  // 11
  EXPECT_EQ(character_time({9600, Parity::odd, 7, 2}).us, 1146);
  EXPECT_EQ(character_time({19200, Parity::none, 8, 2}).us, 573);
  EXPECT_EQ(to_text({9600, Parity::even, 8, 1}).view(), "9600 8E1");
  EXPECT_EQ(to_text({19200, Parity::odd, 7, 2}).view(), "19200 7O2");
}

TEST(SerialPort, CarriesEveryByteUnchangedBothWays) {
  const Pty pty;
  auto port = SerialPort::open(pty.path(), {115200, Parity::none, 8, 1}, system_clock());
  ASSERT_TRUE(port) << port.error().text();
  const auto sent = every_awkward_byte();
  ASSERT_TRUE(port->write_all(sent, system_clock().now() + milliseconds(1000)));
  EXPECT_EQ(pty.receive(sent.size(), std::chrono::milliseconds(1000)),
            std::vector<std::uint8_t>(sent.begin(), sent.end()));
  pty.send(sent);
  std::vector<std::uint8_t> got;
  std::array<std::uint8_t, 16> buffer{};
  while (got.size() < sent.size()) {
    const auto n = port->read_some(buffer, system_clock().now() + milliseconds(1000));
    ASSERT_TRUE(n) << n.error().text();
    ASSERT_GT(*n, 0U);
    got.insert(got.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*n));
  }
  EXPECT_EQ(got, std::vector<std::uint8_t>(sent.begin(), sent.end()));
}

TEST(SerialPort, ASilentLineGivesNoByteAtTheDeadlineAndNotBefore) {
  const Pty pty;
  auto port = SerialPort::open(pty.path(), {}, system_clock());
  ASSERT_TRUE(port);
  std::array<std::uint8_t, 4> buffer{};
  const base::MonoTime deadline = system_clock().now() + milliseconds(30);
  const auto n = port->read_some(buffer, deadline);
  ASSERT_TRUE(n);
  EXPECT_EQ(*n, 0U);
  EXPECT_GE(system_clock().now(), deadline);
}

TEST(SerialPort, WhatWasNotReadCanBeThrownAway) {
  const Pty pty;
  auto port = SerialPort::open(pty.path(), {}, system_clock());
  ASSERT_TRUE(port);
  EXPECT_FALSE(port->has_input());
  pty.send(every_awkward_byte());
  std::array<std::uint8_t, 1> first{};
  ASSERT_EQ(port->read_some(first, system_clock().now() + milliseconds(1000)).value(), 1U);
  EXPECT_TRUE(port->has_input());
  port->discard_input();
  EXPECT_FALSE(port->has_input());
}

TEST(SerialPort, WhatCameBeforeOpeningIsGone) {
  const Pty pty;
  pty.send(every_awkward_byte());
  auto port = SerialPort::open(pty.path(), {}, system_clock());
  ASSERT_TRUE(port);
  EXPECT_FALSE(port->has_input());
}

TEST(SerialPort, ASecondOpenerIsTurnedAwayUntilTheFirstHasClosed) {
  const Pty pty;
  {
    auto first = SerialPort::open(pty.path(), {}, system_clock());
    ASSERT_TRUE(first);
    auto second = SerialPort::open(pty.path(), {}, system_clock());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::busy);
    EXPECT_NE(second.error().text().find(pty.path()), std::string::npos);
    EXPECT_NE(second.error().text().find("another program holds it"), std::string::npos);
  }
  EXPECT_TRUE(SerialPort::open(pty.path(), {}, system_clock()));
}

TEST(SerialPort, AMissingDeviceIsNamedWithAWayToFindIt) {
  const auto port = SerialPort::open("/dev/ttyNOT0", {}, system_clock());
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error().code, ErrorCode::not_found);
  EXPECT_NE(port.error().text().find("/dev/ttyNOT0"), std::string::npos);
  EXPECT_NE(port.error().text().find("/dev/serial/by-id"), std::string::npos);
}

TEST(SerialPort, AForbiddenDeviceTellsTheGroup) {
  if (geteuid() == 0) GTEST_SKIP() << "root may open everything";
  const Pty pty;
  ASSERT_EQ(chmod(pty.path().c_str(), 0), 0);
  const auto port = SerialPort::open(pty.path(), {}, system_clock());
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error().code, ErrorCode::permission);
  EXPECT_NE(port.error().text().find("dialout"), std::string::npos);
}

TEST(SerialPort, WhatIsNoTerminalIsRefused) {
  for (const char* path : {"/dev/null", "/etc/passwd"}) {
    const auto port = SerialPort::open(path, {}, system_clock());
    ASSERT_FALSE(port) << path;
    EXPECT_EQ(port.error().code, ErrorCode::invalid) << port.error().text();
    EXPECT_NE(port.error().text().find("is not a serial port"), std::string::npos);
  }
}

TEST(SerialPort, SettingsThatNoLineHasAreRefused) {
  const Pty pty;
  for (const SerialSettings& s : {SerialSettings{9601, Parity::none, 8, 1}, SerialSettings{9600, Parity::none, 6, 1},
                                  SerialSettings{9600, Parity::none, 9, 1}, SerialSettings{9600, Parity::none, 8, 3}}) {
    const auto port = SerialPort::open(pty.path(), s, system_clock());
    ASSERT_FALSE(port) << to_text(s).view();
    EXPECT_EQ(port.error().code, ErrorCode::invalid) << port.error().text();
  }
}

TEST(SerialPort, TheOtherSettingsOfTheLineAreTaken) {
  const Pty pty;
  for (const SerialSettings& s :
       {SerialSettings{1200, Parity::none, 8, 2}, SerialSettings{9600, Parity::even, 7, 1},
        SerialSettings{19200, Parity::odd, 8, 1}, SerialSettings{921600, Parity::none, 8, 1}}) {
    const auto port = SerialPort::open(pty.path(), s, system_clock());
    ASSERT_TRUE(port) << port.error().text();
    EXPECT_EQ(port->settings(), s);
    termios held{};
    ASSERT_EQ(tcgetattr(port->descriptor(), &held), 0);
    EXPECT_EQ((held.c_cflag & CSTOPB) != 0, s.stop_bits == 2);
    EXPECT_EQ(held.c_cflag & CRTSCTS, 0U);
    EXPECT_EQ(held.c_lflag & (ICANON | ECHO | ISIG), 0U);
  }
}

TEST(SerialPort, AnAdapterThatGoesAwayIsDisconnected) {
  Pty pty;
  auto port = SerialPort::open(pty.path(), {}, system_clock());
  ASSERT_TRUE(port);
  pty.unplug();
  std::array<std::uint8_t, 4> buffer{};
  const auto n = port->read_some(buffer, system_clock().now() + milliseconds(1000));
  ASSERT_FALSE(n);
  EXPECT_EQ(n.error().code, ErrorCode::disconnected);
  const auto written = port->write_all(buffer, system_clock().now() + milliseconds(1000));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::disconnected);
}

TEST(SerialPort, APortThatTakesNothingEndsTheWriteAtTheDeadline) {
  const Pty pty;
  auto port = SerialPort::open(pty.path(), {}, system_clock());
  ASSERT_TRUE(port);
  const std::vector<std::uint8_t> much(1U << 20U);  // nobody reads the master side
  const auto written = port->write_all(much, system_clock().now() + milliseconds(20));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::timeout);
}

}  // namespace
}  // namespace cyclerd::transport
