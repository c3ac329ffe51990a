// Our driver against a Modbus server of another make (pymodbus).
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "protocols/device/library.hpp"
#include "protocols/modbus/modbus_device.hpp"

namespace cyclerd::device {
namespace {

// A child whose first line on standard output is its port; it ends when its standard input closes.
class ForeignServer {
 public:
  explicit ForeignServer(const std::string& script) {
    int in[2];
    int out[2];
    if (pipe(in) != 0 || pipe(out) != 0) return;
    child_ = fork();
    if (child_ == 0) {
      dup2(in[0], 0);
      dup2(out[1], 1);
      for (const int fd : {in[0], in[1], out[0], out[1]}) ::close(fd);
      execl("/usr/bin/python3", "python3", script.c_str(), nullptr);
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

TEST(ForeignPeer, EaSupplyOfPymodbusIsDrivenThroughAWholeTest) {
  ForeignServer server(CYCLERD_SOURCE_DIR "/tests/conformance/ea_psb_server.py");
  if (server.port() == 0) {
    FAIL() << (server.status() == 77 ? "install python3-pymodbus and python3-serial-asyncio"
                                     : "the foreign server failed");
  }
  text::Diagnostics diagnostics;
  const auto description =
      DescriptionLibrary({CYCLERD_SOURCE_DIR "/protocols/devices"}).find("ea-psb-9000", {}, diagnostics);
  ASSERT_TRUE(description) << diagnostics.render();
  base::SystemClock clock;
  modbus::ModbusTcpEndpoint endpoint;
  endpoint.port = server.port();
  const auto device = modbus::make_modbus_device(description, endpoint, default_site(*description), clock);
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

}  // namespace
}  // namespace cyclerd::device
