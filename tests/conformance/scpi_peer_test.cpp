// Our driver and shipped descriptions against SCPI instruments of another hand (Python), over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "protocols/device/library.hpp"
#include "protocols/scpi/text_device.hpp"

namespace cyclerd::scpi {
namespace {

class Foreign {
 public:
  explicit Foreign(const std::string& name) {
    int in[2];
    int out[2];
    if (pipe(in) != 0 || pipe(out) != 0) return;
    child_ = fork();
    if (child_ == 0) {
      dup2(in[0], 0);
      dup2(out[1], 1);
      for (const int fd : {in[0], in[1], out[0], out[1]}) ::close(fd);
      execl("/usr/bin/python3", "python3", CYCLERD_SOURCE_DIR "/tests/conformance/scpi_server.py", name.c_str(),
            nullptr);
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
  ~Foreign() {
    ::close(stop_);
    if (child_ > 0) waitpid(child_, nullptr, 0);
  }
  Foreign(const Foreign&) = delete;
  Foreign& operator=(const Foreign&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  pid_t child_ = -1;
  int stop_ = -1;
  std::uint16_t port_ = 0;
};

class ForeignScpi : public testing::TestWithParam<const char*> {};

TEST_P(ForeignScpi, OpensWithTheOutputOffChargesAndIsMadeSafe) {
  Foreign peer(GetParam());
  ASSERT_NE(peer.port(), 0);
  text::Diagnostics diagnostics;
  const auto description =
      device::DescriptionLibrary({CYCLERD_SOURCE_DIR "/protocols/devices"}).find(GetParam(), {}, diagnostics);
  ASSERT_TRUE(description) << diagnostics.render();
  base::SystemClock clock;
  const auto d = make_text_device(description, make_tcp_text_line("127.0.0.1", peer.port(), clock), {},
                                  device::default_site(*description), clock);
  const base::Status opened = d->open();
  ASSERT_TRUE(opened) << opened.error().text();
  base::Reading r;
  ASSERT_TRUE(d->read(r));
  EXPECT_EQ(r.output_on, 0) << "it was on before";
  EXPECT_NEAR(r.voltage_V, 3.705, 1e-9);
  const base::Status protected_ = d->protect({4.3, 2.4, 1.2, -1.2});
  EXPECT_TRUE(protected_) << protected_.error().text();
  base::Setpoint s;
  s.control = base::Control::current;
  s.current_A = 0.5;
  s.voltage_max_V = 4.2;
  s.voltage_min_V = 2.5;
  const base::Status applied = d->apply(s);
  ASSERT_TRUE(applied) << applied.error().text();
  ASSERT_TRUE(d->read(r));
  EXPECT_EQ(r.output_on, 1);
  s.control = base::Control::voltage;
  s.voltage_V = 4.1;
  s.current_max_A = 0.5;
  s.current_min_A = -0.5;
  const base::Status voltage = d->apply(s);
  EXPECT_TRUE(voltage) << voltage.error().text();
  const base::Status safe = d->make_safe();
  EXPECT_TRUE(safe) << safe.error().text();
  ASSERT_TRUE(d->read(r));
  EXPECT_EQ(r.output_on, 0);
}

INSTANTIATE_TEST_SUITE_P(Instruments, ForeignScpi,
                         testing::Values("keysight-n7900", "keithley-2450", "tdk-lambda-genesys"),
                         [](const auto& test) {
                           std::string name = test.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace cyclerd::scpi
