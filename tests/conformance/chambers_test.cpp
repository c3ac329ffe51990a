// Every chamber that is reached by registers, against its twin: over a real socket, in a time that jumps over gaps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <cmath>
#include <functional>
#include <thread>

#include "hil/peers/binder_mb2_twin.hpp"
#include "hil/peers/csz_ezt_twin.hpp"
#include "hil/peers/modbus_server.hpp"
#include "hil/peers/omega_cn7500_twin.hpp"
#include "hil/peers/watlow_f4_twin.hpp"
#include "hil/peers/watlow_f4t_twin.hpp"
#include "protocols/device/library.hpp"
#include "protocols/modbus/modbus_device.hpp"
#include "tests/support/jump_clock.hpp"

namespace cyclerd {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

struct Chamber {
  const char* name;  // of the test
  const char* description;
  const char* site;
  std::function<std::unique_ptr<hil::RegisterMap>(hil::SharedWorld&)> twin;
  bool tells_alarms = true;
  double step_K = 0.1;  // of a set-point
};
void PrintTo(const Chamber& chamber, std::ostream* out) {
  *out << chamber.name;
}

hil::World world_with_one_chamber() {
  hil::World world({1'000'000}, 25.0);
  hil::ChamberConfig config;
  config.thermostat_degC = 75.0;
  config.setpoint_max_degC = 85.0;
  world.add_chamber(config);
  return world;
}

// One chamber, its server and whoever drives it.
class Bench {
 public:
  explicit Bench(const Chamber& chamber) : world_(world_with_one_chamber(), clock), twin_(chamber.twin(world_)) {
    server = hil::ModbusServer::listen(io_, 0, *twin_).value();
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) io_.run_for(std::chrono::milliseconds(20));
    });
    text::Diagnostics diagnostics;
    description = device::DescriptionLibrary({CYCLERD_SOURCE_DIR "/protocols/devices"})
                      .find(chamber.description, {}, diagnostics);
    if (!description) throw std::runtime_error(diagnostics.render());
    const auto source = std::make_shared<const text::Source>(text::Source{"station.toml", chamber.site});
    const auto table = text::parse_toml(source, diagnostics);
    site = device::bind_site(*description, &table.value(), diagnostics);
    if (diagnostics.has_errors()) throw std::runtime_error(diagnostics.render());
    device = make({});
  }
  ~Bench() {
    device->close();
    thread_.request_stop();
    thread_.join();
  }
  [[nodiscard]] std::unique_ptr<device::Device> make(std::optional<base::Duration> timeout) {
    modbus::ModbusTcpEndpoint endpoint;
    endpoint.port = server->port();
    endpoint.response_timeout = timeout.value_or(base::seconds(5));  // a busy machine is no fault
    return modbus::make_modbus_device(description, endpoint, site, clock);
  }
  template <class F>
  auto at_chamber(F&& f) {
    return world_.now([&](hil::World& w) { return f(w.chamber(0)); });
  }
  hil::ChamberReadout look() {
    return at_chamber([](hil::Chamber& c) { return c.readout(); });
  }

  testing_support::JumpClock clock;
  std::shared_ptr<const device::Description> description;
  device::SiteParameters site;
  std::unique_ptr<hil::ModbusServer> server;
  std::unique_ptr<device::Device> device;

 private:
  asio::io_context io_;
  hil::SharedWorld world_;
  std::unique_ptr<hil::RegisterMap> twin_;
  std::jthread thread_;
};

base::ChamberSetpoint to(double degC, double ramp_K_per_min = 0.0) {
  base::ChamberSetpoint s;
  s.run = 1;
  s.temperature_degC = degC;
  s.ramp_K_per_min = ramp_K_per_min;
  return s;
}

#define ASSERT_DONE(call)                       \
  do {                                          \
    const auto done_ = (call);                  \
    ASSERT_TRUE(done_) << done_.error().text(); \
  } while (false)

class ChamberTwin : public testing::TestWithParam<Chamber> {
 protected:
  ChamberTwin() : b(GetParam()) {}
  base::Reading read() {
    base::Reading reading;
    const auto done = b.device->read(reading);
    EXPECT_TRUE(done) << done.error().text();
    return reading;
  }
  Bench b;
  double step_K = GetParam().step_K;
};

TEST_P(ChamberTwin, OpeningStopsAChamberThatRuns) {
  b.at_chamber([](hil::Chamber& c) { c.restart(); });
  ASSERT_TRUE(b.look().running);
  ASSERT_DONE(b.device->open());
  EXPECT_FALSE(b.look().running);
  EXPECT_FALSE(b.device->identity().maker.empty());
  const auto& c = b.device->capability();
  EXPECT_EQ(c.kind, device::DeviceKind::chamber);
  EXPECT_LT(c.temperature_min_degC, c.temperature_max_degC);
  EXPECT_GE(c.temperature_min_degC, -40.1);
  EXPECT_NEAR(c.temperature_max_degC, 85.0, 0.5);
}

TEST_P(ChamberTwin, ConditionsToATemperature) {
  ASSERT_DONE(b.device->open());
  ASSERT_DONE(b.device->apply(to(40.0)));
  EXPECT_TRUE(b.look().running);
  EXPECT_NEAR(b.look().setpoint_degC, 40.0, step_K);
  b.clock.advance(base::hours(1));
  const base::Reading reading = read();
  EXPECT_EQ(reading.output_on, 1);
  EXPECT_EQ(reading.remote, 1);
  EXPECT_EQ(reading.alarm, 0);
  EXPECT_NEAR(reading.chamber_setpoint_degC, 40.0, step_K);
  EXPECT_NEAR(reading.chamber_degC, 40.0, 1.0);
  EXPECT_NEAR(reading.chamber_degC, b.look().reading_degC, step_K);
  // Below zero, where signs and Fahrenheit go wrong.
  if (b.device->capability().temperature_min_degC > -30.0) return;
  ASSERT_DONE(b.device->apply(to(-20.0)));
  EXPECT_NEAR(b.look().setpoint_degC, -20.0, step_K);
  EXPECT_NEAR(read().chamber_setpoint_degC, -20.0, step_K);
}

TEST_P(ChamberTwin, RampsAtTheRateThatWasAskedFor) {
  ASSERT_DONE(b.device->open());
  const base::MonoTime begin = b.clock.now();
  const double from_degC = read().chamber_degC;
  ASSERT_DONE(b.device->apply(to(40.0, 1.0)));
  double last_degC = -100.0;
  while (b.clock.now() - begin < base::seconds(600)) {
    b.clock.advance(base::seconds(3));
    const base::Reading reading = read();
    EXPECT_GE(reading.chamber_setpoint_degC, last_degC - step_K);
    last_degC = reading.chamber_setpoint_degC;
    ASSERT_EQ(reading.remote, 1);
  }
  EXPECT_NEAR(b.look().setpoint_in_force_degC, from_degC + 10.0, 0.5);
  while (b.clock.now() - begin < base::seconds(1200)) {
    b.clock.advance(base::seconds(20));
    (void)read();
  }
  EXPECT_NEAR(b.look().setpoint_in_force_degC, 40.0, step_K);
}

TEST_P(ChamberTwin, AStopEndsTheRamp) {
  ASSERT_DONE(b.device->open());
  ASSERT_DONE(b.device->apply(to(40.0, 1.0)));
  ASSERT_DONE(b.device->make_safe());
  for (int i = 0; i < 5; ++i) {
    b.clock.advance(base::seconds(30));
    (void)read();
    EXPECT_FALSE(b.look().running);
  }
  ASSERT_DONE(b.device->apply(to(40.0, 1.0)));
  b.at_chamber([](hil::Chamber& c) { c.stop(); });  // somebody at the panel
  for (int i = 0; i < 5; ++i) {
    b.clock.advance(base::seconds(30));
    (void)read();
    EXPECT_FALSE(b.look().running) << "a chamber that was stopped at its panel must not be started by a ramp";
  }
}

TEST_P(ChamberTwin, SetPointsOutsideTheLimitsAreRefusedBeforeAnythingIsWritten) {
  ASSERT_DONE(b.device->open());
  ASSERT_DONE(b.device->apply(to(30.0)));
  const auto& c = b.device->capability();
  for (const double degC : {c.temperature_max_degC + 0.01, c.temperature_min_degC - 0.01, 300.0, std::nan("")}) {
    const auto requests = b.server->requests();
    const auto done = b.device->apply(to(degC));
    ASSERT_FALSE(done) << degC;
    EXPECT_EQ(done.error().code, ErrorCode::invalid);
    EXPECT_THAT(done.error().text(), HasSubstr("this chamber takes"));
    EXPECT_EQ(b.server->requests(), requests);
  }
  EXPECT_NEAR(b.look().setpoint_degC, 30.0, step_K);
  ASSERT_DONE(b.device->apply(to(c.temperature_max_degC)));
  EXPECT_NEAR(b.look().setpoint_degC, c.temperature_max_degC, step_K);
}

TEST_P(ChamberTwin, OffAndMakeSafeStopIt) {
  ASSERT_DONE(b.device->open());
  ASSERT_DONE(b.device->apply(to(40.0)));
  ASSERT_DONE(b.device->apply(base::ChamberSetpoint{}));
  EXPECT_FALSE(b.look().running);
  EXPECT_EQ(read().output_on, 0);
  ASSERT_DONE(b.device->apply(to(40.0)));
  EXPECT_TRUE(b.look().running);
  ASSERT_DONE(b.device->make_safe());
  EXPECT_FALSE(b.look().running);
  ASSERT_DONE(b.device->apply(to(40.0)));
  // A process that has only just come up, and knows nothing of the chamber.
  const auto other = b.make({});
  b.clock.advance(base::seconds(1));  // a controller that wants a pause knows nothing of processes
  ASSERT_DONE(other->make_safe());
  EXPECT_FALSE(b.look().running);
}

TEST_P(ChamberTwin, ATrippedLimiterIsAnAlarmWhereTheControllerTells) {
  ASSERT_DONE(b.device->open());
  ASSERT_DONE(b.device->apply(to(80.0)));  // the limiter sits at 75 degC
  b.clock.advance(base::hours(2));
  const base::Reading reading = read();
  ASSERT_TRUE(b.look().thermostat_tripped);
  EXPECT_EQ(reading.alarm, GetParam().tells_alarms ? 1 : 0);
  EXPECT_EQ(b.description->status.alarm.item != device::kNone, GetParam().tells_alarms);
}

TEST_P(ChamberTwin, ARestartIsSeen) {
  ASSERT_DONE(b.device->open());
  ASSERT_DONE(b.device->apply(to(40.0)));
  (void)read();
  b.at_chamber([](hil::Chamber& c) { c.restart(); });  // comes back running at what it has stored: 25 degC
  const base::Reading reading = read();
  EXPECT_NEAR(reading.chamber_setpoint_degC, 25.0, step_K);
  EXPECT_TRUE(reading.remote == 0 || b.description->status.compare.empty());
  ASSERT_DONE(b.device->make_safe());
  b.at_chamber([](hil::Chamber& c) { c.restart(); });
  EXPECT_EQ(read().output_on, 1) << "a chamber that starts by itself must be seen";
}

TEST_P(ChamberTwin, AHungControllerIsATimeoutAndComesBack) {
  const auto device = b.make(base::milliseconds(400));
  ASSERT_DONE(device->open());
  ASSERT_DONE(device->apply(to(40.0)));
  b.server->set_mute(true);
  base::Reading reading;
  const auto done = device->read(reading);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::timeout);
  EXPECT_FALSE(device->make_safe());
  b.server->set_mute(false);
  EXPECT_TRUE(b.look().running) << "it keeps going while nobody hears it";
  ASSERT_DONE(device->make_safe());
  EXPECT_FALSE(b.look().running);
  ASSERT_DONE(device->read(reading));
  EXPECT_EQ(reading.output_on, 0);
}

template <class Twin, class Options>
auto with(Options options) {
  return [options](hil::SharedWorld& world) { return std::make_unique<Twin>(world, 0, options); };
}

const Chamber kChambers[] = {
    {"csz", "csz-ezt-570i", "temperature_unit = 'degC'", with<hil::CszEztTwin>(hil::CszEztOptions{})},
    {"csz_fahrenheit", "csz-ezt-570i", "temperature_unit = 'degF'\nrunning_events = 5",
     with<hil::CszEztTwin>(hil::CszEztOptions{.fahrenheit = true})},
    {"watlow_f4", "watlow-f4", "run_output = 1\nrun_at_0 = false", with<hil::WatlowF4Twin>(hil::WatlowF4Options{})},
    {"watlow_f4_of_testequity", "watlow-f4",
     "run_output = 1\nrun_at_0 = true\nlimit_input = 3\nlimit_trips_at_0 = true",
     with<hil::WatlowF4Twin>(
         hil::WatlowF4Options{.decimals = 2, .run_at_0 = true, .limit_input = 3, .limit_tripped = 0})},
    {"watlow_f4_fahrenheit", "watlow-f4", "run_output = 8\nrun_at_0 = false",
     with<hil::WatlowF4Twin>(hil::WatlowF4Options{.fahrenheit = true, .decimals = 0, .run_output = 8}), true, 0.6},
    {"watlow_f4t", "watlow-f4t", "run_output = 1\ntemperature_unit = 'degC'",
     with<hil::WatlowF4tTwin>(hil::WatlowF4tOptions{})},
    {"watlow_f4t_loop_2", "watlow-f4t",
     "run_output = 4\ntemperature_unit = 'degF'\nloop = 2\nlimit_slot = 6\nword_order = 'ABCD'",
     with<hil::WatlowF4tTwin>(hil::WatlowF4tOptions{
         .fahrenheit = true, .loop = 2, .run_output = 4, .limit_slot = 6, .order = hil::WordOrder::high_first})},
    {"binder", "binder-mb2", "temperature_min = '-40 degC'\ntemperature_max = '85 degC'",
     [](hil::SharedWorld& world) { return std::make_unique<hil::BinderMb2Twin>(world, 0); }, false},
    {"omega", "omega-cn7500", "temperature_unit = 'degC'\ntemperature_min = '20 degC'\ntemperature_max = '85 degC'",
     with<hil::OmegaCn7500Twin>(hil::OmegaCn7500Options{}), false},
    {"omega_fahrenheit", "omega-cn7500",
     "temperature_unit = 'degF'\ntemperature_min = '20 degC'\ntemperature_max = '85 degC'",
     with<hil::OmegaCn7500Twin>(hil::OmegaCn7500Options{.fahrenheit = true}), false},
};

INSTANTIATE_TEST_SUITE_P(All, ChamberTwin, testing::ValuesIn(kChambers),
                         [](const auto& test) { return std::string{test.param.name}; });

TEST(Chambers, AWatlowWhoseDecimalsMakeNoSenseIsNotOpened) {
  const Chamber wrong{"f4", "watlow-f4", "run_output = 1\nrun_at_0 = false",
                      with<hil::WatlowF4Twin>(hil::WatlowF4Options{.decimals = 12})};
  Bench b(wrong);
  const auto done = b.device->open();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), HasSubstr("decimals"));
}

TEST(Chambers, AnOmegaInATuningRunIsNotOurs) {
  const Chamber tuning{"omega", "omega-cn7500",
                       "temperature_unit = 'degC'\ntemperature_min = '20 degC'\ntemperature_max = '85 degC'",
                       with<hil::OmegaCn7500Twin>(hil::OmegaCn7500Options{.control_mode = 2})};
  Bench b(tuning);
  ASSERT_DONE(b.device->open());
  base::Reading reading;
  ASSERT_DONE(b.device->read(reading));
  EXPECT_EQ(reading.remote, 0);
}

TEST(Chambers, RequiredFactsOfTheSiteMustBeSaid) {
  for (const char* name : {"csz-ezt-570i", "watlow-f4", "watlow-f4t", "binder-mb2", "omega-cn7500"}) {
    text::Diagnostics diagnostics;
    const auto description =
        device::DescriptionLibrary({CYCLERD_SOURCE_DIR "/protocols/devices"}).find(name, {}, diagnostics);
    ASSERT_TRUE(description) << diagnostics.render();
    (void)device::bind_site(*description, nullptr, diagnostics);
    EXPECT_GT(diagnostics.error_count(), 0U) << name;
    EXPECT_THAT(diagnostics.render(), HasSubstr("D033"));
  }
}

}  // namespace
}  // namespace cyclerd
