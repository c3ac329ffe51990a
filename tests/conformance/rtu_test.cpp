// Instruments on a serial line against their twins: real frames over a pty, several slaves on one line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "hil/peers/ea_psb_twin.hpp"
#include "hil/peers/riden_twin.hpp"
#include "hil/peers/rtu_server.hpp"
#include "protocols/device/library.hpp"
#include "protocols/modbus/modbus_device.hpp"
#include "tests/unit/hil/golden.hpp"

namespace cyclerd {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

constexpr std::uint8_t kEa = 1, kRiden = 7;

// An EA PSB and a Riden, each with a cell, on one line.
class Line {
 public:
  explicit Line(std::uint16_t riden_model = 60062, const hil::RtuManners& manners = {})
      : world_(world_at(clock_), clock_),
        ea(world_, 0, {"PSB-1", hil::WordOrder::high_first}),
        riden(world_, 1, {riden_model, 4711}) {
    server = hil::RtuServer::open(io_, clock_, manners).value();
    server->add(kEa, ea);
    server->add(kRiden, riden);
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) io_.run_for(std::chrono::milliseconds(20));
    });
    rtu_ = std::make_shared<modbus::RtuLine>(server->path(), transport::SerialSettings{115200}, clock_);
  }
  ~Line() {
    thread_.request_stop();
    thread_.join();
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  [[nodiscard]] std::unique_ptr<device::Device> make(const char* description, std::uint8_t unit,
                                                     base::Duration timeout = base::seconds(5)) {
    text::Diagnostics diagnostics;
    const auto d =
        device::DescriptionLibrary({CYCLERD_SOURCE_DIR "/protocols/devices"}).find(description, {}, diagnostics);
    if (!d) throw std::runtime_error(diagnostics.render());
    return modbus::make_modbus_rtu_device(d, rtu_, {unit, timeout}, device::default_site(*d), clock_);
  }

 private:
  static hil::World world_at(const base::Clock& clock) {
    hil::World world(clock.now(), 25.0);
    const auto cell = hil::test::shipped("linear-closed-form");
    hil::PlantConfig config;
    config.stage.voltage_max_V = 60.0;
    config.stage.current_max_A = 40.0;
    config.stage.current_min_A = -40.0;
    hil::ChamberConfig chamber;
    world.add_chamber(chamber);
    world.add_plant(cell.make({0.5, 25.0}), config, 0);
    config.stage.current_max_A = 24.0;
    config.stage.current_min_A = 0.0;
    config.stage.power_min_W = 0.0;
    world.add_plant(cell.make({0.5, 25.0}), config, 0);
    return world;
  }

  base::SystemClock clock_;
  asio::io_context io_;
  hil::SharedWorld world_;

 public:
  hil::EaPsbTwin ea;
  hil::RidenTwin riden;
  std::unique_ptr<hil::RtuServer> server;

 private:
  std::jthread thread_;
  std::shared_ptr<modbus::RtuLine> rtu_;
};

base::Setpoint current(double current_A, double voltage_max_V = 4.2, double voltage_min_V = 2.5) {
  base::Setpoint s;
  s.control = base::Control::current;
  s.current_A = current_A;
  s.voltage_max_V = voltage_max_V;
  s.voltage_min_V = voltage_min_V;
  return s;
}

base::MonoTime clock_now() {
  static const base::SystemClock clock;
  return clock.now();
}

TEST(RtuInstruments, TheEaPsbIsTheSameInstrumentOverASerialLine) {
  Line line;
  const auto ea = line.make("ea-psb-9000", kEa);
  const auto opened = ea->open();
  ASSERT_TRUE(opened) << opened.error().text();
  EXPECT_EQ(ea->identity().serial.view(), "PSB-1");
  EXPECT_NEAR(ea->capability().current_max_A, 40.0, 1e-6);
  ASSERT_TRUE(ea->apply(current(2.5)));
  base::Reading r;
  ASSERT_TRUE(ea->read(r));
  EXPECT_NEAR(r.current_A, 2.5, 0.01);
  EXPECT_EQ(r.output_on, 1);
  EXPECT_EQ(r.regulation, base::Regulation::current);
  ASSERT_TRUE(ea->apply(current(-2.5)));
  ASSERT_TRUE(ea->read(r));
  EXPECT_NEAR(r.current_A, -2.5, 0.01);
  ASSERT_TRUE(ea->make_safe());
  ASSERT_TRUE(ea->read(r));
  EXPECT_EQ(r.output_on, 0);
}

struct Model {
  std::uint16_t id;
  double step_A;
};
void PrintTo(const Model& m, std::ostream* out) {
  *out << m.id;
}
class RidenModel : public testing::TestWithParam<Model> {};

TEST_P(RidenModel, ChargesInItsOwnSteps) {
  Line line(GetParam().id);
  const auto riden = line.make("riden-rd60xx", kRiden);
  const auto opened = riden->open();
  ASSERT_TRUE(opened) << opened.error().text();
  EXPECT_EQ(riden->identity().model.view(), std::to_string(GetParam().id));
  EXPECT_EQ(riden->identity().serial.view(), "4711");
  EXPECT_EQ(riden->capability().can_charge, 1);
  EXPECT_EQ(riden->capability().can_discharge, 0);
  device::Protections limits;
  limits.voltage_max_V = 4.3;
  limits.current_max_A = 3.0;
  ASSERT_TRUE(riden->protect(limits));
  ASSERT_TRUE(riden->apply(current(1.23)));
  base::Reading r;
  ASSERT_TRUE(riden->read(r));
  EXPECT_NEAR(r.current_A, 1.23, GetParam().step_A);
  EXPECT_GT(r.voltage_V, 3.0);
  EXPECT_LT(r.voltage_V, 4.2);
  EXPECT_EQ(r.output_on, 1);
  EXPECT_EQ(r.regulation, base::Regulation::current);
  EXPECT_EQ(r.remote, 1);
  ASSERT_TRUE(riden->make_safe());
  ASSERT_TRUE(riden->read(r));
  EXPECT_EQ(r.output_on, 0);
  EXPECT_FALSE(riden->apply(current(-1.0))) << "a supply cannot discharge";
  EXPECT_FALSE(line.riden.calibration_touched());
}

INSTANTIATE_TEST_SUITE_P(Family, RidenModel,
                         testing::Values(Model{60062, 1e-3}, Model{60065, 1e-4}, Model{60121, 1e-2}, Model{60125, 1e-4},
                                         Model{60181, 1e-2}, Model{60241, 1e-2}));

TEST(Riden, AModelThatNobodyDescribedIsRefused) {
  for (const std::uint16_t id : {std::uint16_t{60066}, std::uint16_t{60130}, std::uint16_t{5005}}) {
    Line line(id);
    const auto riden = line.make("riden-rd60xx", kRiden);
    const auto opened = riden->open();
    ASSERT_FALSE(opened) << id;
    EXPECT_EQ(opened.error().code, ErrorCode::mismatch) << opened.error().text();
  }
}

TEST(Riden, ARangeSwitchedAtThePanelChangesNeitherReadingNorSetPoint) {
  Line line(60125);
  const auto riden = line.make("riden-rd60xx", kRiden);
  ASSERT_TRUE(riden->open());
  ASSERT_TRUE(riden->apply(current(1.5)));
  base::Reading r;
  ASSERT_TRUE(riden->read(r));
  EXPECT_NEAR(r.current_A, 1.5, 1e-3);
  line.riden.switch_range(1);
  ASSERT_TRUE(riden->read(r));
  EXPECT_NEAR(r.current_A, 1.5, 2e-3);
  EXPECT_EQ(r.remote, 0) << "somebody's hand was at the panel: the numbers set are not those that were written";
  ASSERT_TRUE(riden->apply(current(2.0)));
  ASSERT_TRUE(riden->read(r));
  EXPECT_NEAR(r.current_A, 2.0, 2e-3);
  // Switched once more, and a set-point before any reading has told.
  line.riden.switch_range(0);
  ASSERT_TRUE(riden->apply(current(1.0)));
  ASSERT_TRUE(riden->read(r));
  EXPECT_NEAR(r.current_A, 1.0, 2e-3);
}

TEST(RtuInstruments, TwoFamiliesShareALine) {
  Line line;
  const auto ea = line.make("ea-psb-9000", kEa);
  const auto riden = line.make("riden-rd60xx", kRiden);
  ASSERT_TRUE(ea->open());
  ASSERT_TRUE(riden->open());
  ASSERT_TRUE(ea->apply(current(2.0)));
  ASSERT_TRUE(riden->apply(current(1.0)));
  base::Reading r;
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(ea->read(r));
    EXPECT_NEAR(r.current_A, 2.0, 0.01);
    ASSERT_TRUE(riden->read(r));
    EXPECT_NEAR(r.current_A, 1.0, 0.01);
  }
  ASSERT_TRUE(ea->make_safe());
  ASSERT_TRUE(riden->make_safe());
}

// A slave that falls silent while its output is on: the others are read on, and when it speaks again its output is
// opened and read back.
TEST(RtuInstruments, ASilentSlaveIsMadeSafeWhenItSpeaksAgain) {
  Line line;
  const auto ea = line.make("ea-psb-9000", kEa);
  const auto riden = line.make("riden-rd60xx", kRiden, base::milliseconds(300));
  ASSERT_TRUE(ea->open());
  ASSERT_TRUE(riden->open());
  ASSERT_TRUE(riden->apply(current(1.0)));
  base::Reading r;
  line.server->set_mute(kRiden, true);
  EXPECT_EQ(riden->read(r).error().code, ErrorCode::timeout);
  ASSERT_TRUE(ea->read(r));
  EXPECT_FALSE(riden->make_safe());
  ASSERT_TRUE(ea->read(r));
  line.server->set_mute(kRiden, false);
  // The off write goes out at once; that it holds is read as soon as no late reply can come any more, and the line is
  // the others' until then.
  auto safe = riden->make_safe();
  const base::MonoTime start = clock_now();
  while (!safe && clock_now() - start < base::seconds(20)) {
    ASSERT_TRUE(ea->read(r));
    safe = riden->make_safe();
  }
  ASSERT_TRUE(safe) << safe.error().text();
  ASSERT_TRUE(riden->read(r));
  EXPECT_EQ(r.output_on, 0);
}

// What resynchronises a slave: two replies that cannot be mistaken for each other, and nothing forbidden.
TEST(RtuInstruments, EveryModbusDescriptionHasTwoProbesOfDifferentShape) {
  const device::DescriptionLibrary library({CYCLERD_SOURCE_DIR "/protocols/devices"});
  int seen = 0;
  for (const auto& name : library.names()) {
    text::Diagnostics diagnostics;
    const auto d = library.find(name, {}, diagnostics);
    if (!d || d->dialect != device::Dialect::modbus) continue;  // that each one loads is another test's business
    ++seen;
    const auto probes = modbus::probes_of(*d);
    ASSERT_EQ(probes.size(), 2U) << name;
    EXPECT_FALSE(modbus::same_shape(probes[0], probes[1])) << name;
    for (const auto& probe : probes) {
      for (const auto& range : d->forbidden)
        EXPECT_TRUE(probe.address > range.last || probe.address + probe.count <= range.first) << name;
    }
  }
  EXPECT_GE(seen, 4);
}

// mbpoll (Debian) reads and writes our slaves: what it prints is what they hold.
std::string mbpoll(const std::string& options, const std::string& path, const std::string& values = "") {
  const std::string command =
      "mbpoll -m rtu -b 115200 -P none -0 -1 -o 5 " + options + " " + path + " " + values + " 2>&1";
  std::string out;
  std::FILE* pipe = popen(command.c_str(), "r");
  char buffer[256];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) out += buffer;
  pclose(pipe);
  return out;
}

TEST(RtuStranger, MbpollReadsAndWritesTheTwins) {
  if (std::system("command -v mbpoll >/dev/null") != 0) GTEST_SKIP() << "mbpoll is not installed";
  Line line(60062);
  const std::string identity = mbpoll("-a 7 -t 4 -r 0 -c 4", line.server->path());
  EXPECT_THAT(identity, testing::ContainsRegex("\\[0\\]:[ \t]*60062"));
  EXPECT_THAT(identity, testing::ContainsRegex("\\[2\\]:[ \t]*4711"));
  EXPECT_THAT(mbpoll("-a 7 -t 4 -r 8", line.server->path(), "420"), HasSubstr("Written 1 references"));
  EXPECT_THAT(mbpoll("-a 7 -t 4 -r 8 -c 1", line.server->path()), testing::ContainsRegex("\\[8\\]:[ \t]*420"));
  EXPECT_THAT(mbpoll("-a 1 -t 0 -r 402", line.server->path(), "1"), HasSubstr("Written 1 references"));
  EXPECT_THAT(mbpoll("-a 1 -t 0 -r 402 -c 1", line.server->path()), testing::ContainsRegex("\\[402\\]:[ \t]*1"));
  EXPECT_THAT(mbpoll("-a 7 -t 4 -r 200 -c 1", line.server->path()), HasSubstr("Illegal data address"));
}

TEST(RtuInstruments, OnAnEchoingLineNothingOpensAndNothingCountsAsSafe) {
  Line line(60062, {.frame_end = base::milliseconds(2), .least_gap = {}, .reply_delay = {}, .echo = true});
  const auto riden = line.make("riden-rd60xx", kRiden, base::milliseconds(500));
  for (const auto& done : {riden->open(), riden->make_safe()}) {
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().text(), HasSubstr("local echo"));
  }
}

}  // namespace
}  // namespace cyclerd
