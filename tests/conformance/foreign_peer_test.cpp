// Our driver against a Modbus server of another make (pymodbus).
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <thread>

#include "protocols/device/library.hpp"
#include "protocols/modbus/modbus_device.hpp"
#include "tests/support/pty.hpp"

namespace cyclerd::device {
namespace {

// A child whose first line on standard output is its port; it ends when its standard input closes.
class ForeignServer {
 public:
  explicit ForeignServer(const std::string& script, const std::string& argument = "") {
    int in[2];
    int out[2];
    if (pipe(in) != 0 || pipe(out) != 0) return;
    child_ = fork();
    if (child_ == 0) {
      dup2(in[0], 0);
      dup2(out[1], 1);
      for (const int fd : {in[0], in[1], out[0], out[1]}) ::close(fd);
      execl("/usr/bin/python3", "python3", script.c_str(), argument.empty() ? nullptr : argument.c_str(), nullptr);
      _exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    stop_ = in[1];
    std::FILE* lines = fdopen(out[0], "r");
    unsigned port = 0;
    if (std::fscanf(lines, "%u", &port) == 1) port_ = static_cast<std::uint16_t>(port);
    std::fclose(lines);
  }
  ~ForeignServer() {
    ::close(stop_);
    if (child_ > 0) {
      kill(child_, SIGTERM);
      waitpid(child_, nullptr, 0);
    }
  }
  // The exit status of a server that never came up.
  int status() {
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  pid_t child_ = -1;
  int stop_ = -1;
  std::uint16_t port_ = 0;
};

// Two pseudo-terminals wired to each other: what one side's slave sends arrives at the other's.
class Crossed {
 public:
  Crossed() : thread_([this](const std::stop_token& stop) { carry(stop); }) {}
  [[nodiscard]] const std::string& one() const { return a_.path(); }
  [[nodiscard]] const std::string& other() const { return b_.path(); }

 private:
  void carry(const std::stop_token& stop) const {
    while (!stop.stop_requested()) {
      pollfd ends[] = {{a_.master(), POLLIN, 0}, {b_.master(), POLLIN, 0}};
      if (poll(ends, 2, 20) <= 0) continue;
      for (int i = 0; i < 2; ++i) {
        std::uint8_t buffer[512];
        const ssize_t n = (ends[i].revents & POLLIN) != 0 ? read(ends[i].fd, buffer, sizeof buffer) : 0;
        if (n > 0) (i == 0 ? b_ : a_).send(std::span(buffer, static_cast<std::size_t>(n)));
      }
    }
  }
  testing_support::Pty a_, b_;
  std::jthread thread_;
};

std::shared_ptr<const Description> ea_psb() {
  text::Diagnostics diagnostics;
  auto description = DescriptionLibrary({CYCLERD_SOURCE_DIR "/protocols/devices"}).find("ea-psb-9000", {}, diagnostics);
  EXPECT_TRUE(description) << diagnostics.render();
  return description;
}

std::string why_not(ForeignServer& server) {
  return server.status() == 77 ? "install python3-pymodbus and python3-serial-asyncio" : "the foreign server failed";
}

void drive_through_a_whole_test(const std::unique_ptr<Device>& device) {
  auto done = device->open();
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(device->identity().serial.view(), "2840310001");
  EXPECT_DOUBLE_EQ(device->capability().voltage_max_V, 80.0);

  base::Setpoint s;
  s.control = base::Control::current;
  s.voltage_max_V = 4.2;
  s.voltage_min_V = 2.5;
  base::Reading r;
  s.current_A = 10;  // 10 A through 20 mOhm from 3.6 V stays below 4.2 V: CC
  done = device->apply(s);
  ASSERT_TRUE(done) << done.error().text();
  ASSERT_TRUE(device->read(r));
  EXPECT_NEAR(r.current_A, 10, 0.002);
  EXPECT_NEAR(r.voltage_V, 3.8, 0.002);
  EXPECT_EQ(r.regulation, base::Regulation::current);
  EXPECT_EQ(r.output_on, 1);
  EXPECT_EQ(r.remote, 1);

  s.current_A = 50;  // would reach 4.6 V: the unit goes to CV by itself
  ASSERT_TRUE(device->apply(s));
  ASSERT_TRUE(device->read(r));
  EXPECT_NEAR(r.voltage_V, 4.2, 0.003);
  EXPECT_EQ(r.regulation, base::Regulation::voltage);

  s.current_A = -10;
  ASSERT_TRUE(device->apply(s));
  ASSERT_TRUE(device->read(r));
  EXPECT_NEAR(r.current_A, -10, 0.002);
  EXPECT_NEAR(r.power_W, -34, 0.05);

  ASSERT_TRUE(device->make_safe());
  ASSERT_TRUE(device->read(r));
  EXPECT_EQ(r.output_on, 0);
  EXPECT_NEAR(r.current_A, 0, 1e-9);
  EXPECT_EQ(r.regulation, base::Regulation::off);
  EXPECT_TRUE(device->release());
}

TEST(ForeignPeer, EaSupplyOfPymodbusIsDrivenThroughAWholeTest) {
  ForeignServer server(CYCLERD_SOURCE_DIR "/tests/conformance/ea_psb_server.py");
  if (server.port() == 0) FAIL() << why_not(server);
  const auto description = ea_psb();
  base::SystemClock clock;
  modbus::ModbusTcpEndpoint endpoint;
  endpoint.port = server.port();
  drive_through_a_whole_test(modbus::make_modbus_device(description, endpoint, default_site(*description), clock));
}

TEST(ForeignPeer, EaSupplyOfPymodbusIsDrivenOverASerialLine) {
  Crossed wire;
  ForeignServer server(CYCLERD_SOURCE_DIR "/tests/conformance/ea_psb_server.py", wire.other());
  if (server.port() == 0) FAIL() << why_not(server);
  const auto description = ea_psb();
  base::SystemClock clock;
  const auto line = std::make_shared<modbus::RtuLine>(wire.one(), transport::SerialSettings{115200}, clock);
  drive_through_a_whole_test(
      modbus::make_modbus_rtu_device(description, line, {1, base::seconds(5)}, default_site(*description), clock));
  // Nobody is at another unit, and the one that is there goes on.
  const auto nobody = modbus::make_modbus_rtu_device(description, line, {2, base::milliseconds(200)},
                                                     default_site(*description), clock);
  EXPECT_EQ(nobody->open().error().code, base::ErrorCode::timeout);
  const auto again =
      modbus::make_modbus_rtu_device(description, line, {1, base::seconds(5)}, default_site(*description), clock);
  const auto opened = again->open();
  EXPECT_TRUE(opened) << opened.error().text();
}

}  // namespace
}  // namespace cyclerd::device
