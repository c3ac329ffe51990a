#include "protocols/modbus/modbus_device.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "protocols/device/library.hpp"
#include "tests/unit/protocols/modbus/fake_instrument.hpp"

namespace cyclerd::modbus {
namespace {

using namespace device;

using base::ErrorCode;
using namespace testing_support;
using testing::ElementsAre;
using testing::HasSubstr;

std::shared_ptr<const Description> shipped(const std::string& name) {
  text::Diagnostics diagnostics;
  auto d = DescriptionLibrary({CYCLERD_SOURCE_DIR "/protocols/devices"}).find(name, {}, diagnostics);
  if (!d) throw std::runtime_error(diagnostics.render());
  return d;
}

class DriverTest : public testing::Test {
 protected:
  void use(const std::string& name) {
    const auto description = shipped(name);
    ModbusTcpEndpoint endpoint;
    endpoint.port = instrument_.port();
    endpoint.response_timeout = base::seconds(2);  // a busy machine is no fault; silence is waited out in full
    device_ = make_modbus_device(description, endpoint, default_site(*description), clock_);
  }
  base::Setpoint charge(double current_A, double voltage_max_V = 4.2) {
    base::Setpoint s;
    s.control = base::Control::current;
    s.current_A = current_A;
    s.voltage_max_V = voltage_max_V;
    s.voltage_min_V = 2.5;
    return s;
  }
  base::SystemClock clock_;
  FakeInstrument instrument_;
  std::unique_ptr<device::Device> device_;
};

class EaDriver : public DriverTest {
 protected:
  EaDriver() {
    make_ea(instrument_);
    use("ea-psb-9000");
  }
  void open() {
    const auto done = device_->open();
    ASSERT_TRUE(done) << done.error().text();
    (void)instrument_.take_writes();
  }
  static std::uint16_t raw(double value, double nominal) {
    return static_cast<std::uint16_t>(std::lround(value / nominal * 52428));
  }
};

TEST_F(EaDriver, OpenIdentifiesSwitchesOffAndReadsTheRatings) {
  const auto done = device_->open();
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_TRUE(device_->is_open());
  EXPECT_EQ(device_->identity().model.view(), "PSB 9080-60");
  EXPECT_EQ(device_->identity().serial.view(), "1234567890");
  EXPECT_DOUBLE_EQ(device_->capability().voltage_max_V, 80.0);
  EXPECT_DOUBLE_EQ(device_->capability().current_min_A, -60.0);
  EXPECT_NEAR(device_->capability().voltage_step_V, 80.0 / 52428, 1e-6);
  EXPECT_EQ(device_->capability().can_discharge, 1);
  EXPECT_EQ(device_->capability().watchdog, WatchdogKind::none);
  const auto writes = instrument_.take_writes();
  ASSERT_GE(writes.size(), 3U);
  EXPECT_EQ(writes[0], (Write{5, 402, {0xFF00}}));
  EXPECT_EQ(writes[1], (Write{5, 405, {0}}));
  EXPECT_EQ(writes[2], (Write{5, 408, {0}}));
  EXPECT_FALSE(instrument_.coil(405));
  EXPECT_EQ(instrument_.holding(499), 0);
}

TEST_F(EaDriver, AnotherInstrumentIsRefusedAndNeverWrittenTo) {
  instrument_.hold_text(1, "EL 9080", 40);
  const auto done = device_->open();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::mismatch);
  EXPECT_THAT(done.error().text(), HasSubstr("EL 9080"));
  EXPECT_FALSE(device_->is_open());
  EXPECT_TRUE(instrument_.take_writes().empty());
}

TEST_F(EaDriver, NominalValueInTheWrongWordOrderIsNoticed) {
  instrument_.hold(121, FakeInstrument::f32_low_first(80.0F));
  const auto done = device_->open();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::mismatch);
  EXPECT_THAT(done.error().text(), HasSubstr("word order"));
}

TEST_F(EaDriver, PowerUpStateThatStaysOnIsAMismatch) {
  instrument_.on_write([](FakeInstrument& i) { i.holding_[408] = 0xFF00; });
  const auto done = device_->open();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::mismatch);
  EXPECT_THAT(done.error().text(), HasSubstr("output_after_power_up"));
}

TEST_F(EaDriver, ChargeWritesTheOtherDirectionFirstAndTheOutputLast) {
  open();
  const auto done = device_->apply(charge(5.0));
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_THAT(instrument_.take_writes(),
              ElementsAre(Write{6, 499, {0}}, Write{6, 502, {53477}}, Write{6, 500, {raw(4.2, 80)}},
                          Write{6, 501, {raw(5, 60)}}, Write{5, 405, {0xFF00}}));
}

TEST_F(EaDriver, OnlyWhatChangedIsWrittenAgain) {
  open();
  base::Reading reading;
  ASSERT_TRUE(device_->apply(charge(5.0)));
  ASSERT_TRUE(device_->read(reading));
  ASSERT_TRUE(device_->apply(charge(5.0)));  // the output has come on since: once in full
  (void)instrument_.take_writes();
  ASSERT_TRUE(device_->apply(charge(5.0)));
  EXPECT_TRUE(instrument_.take_writes().empty());
  ASSERT_TRUE(device_->apply(charge(3.0)));
  EXPECT_THAT(instrument_.take_writes(), ElementsAre(Write{6, 501, {raw(3, 60)}}));
}

TEST_F(EaDriver, FromChargeToDischargeTheSourceCurrentGoesToZeroFirst) {
  open();
  ASSERT_TRUE(device_->apply(charge(5.0)));
  (void)instrument_.take_writes();
  ASSERT_TRUE(device_->apply(charge(-5.0)));
  const auto writes = instrument_.take_writes();
  ASSERT_FALSE(writes.empty());
  EXPECT_EQ(writes.front(), (Write{6, 501, {0}}));
  EXPECT_EQ(instrument_.holding(500), raw(2.5, 80));
  EXPECT_EQ(instrument_.holding(499), raw(5, 60));
}

TEST_F(EaDriver, HoldSetsBothClamps) {
  open();
  base::Setpoint s;
  s.control = base::Control::voltage;
  s.voltage_V = 3.7;
  s.current_max_A = 2;
  s.current_min_A = -1;
  ASSERT_TRUE(device_->apply(s));
  EXPECT_EQ(instrument_.holding(500), raw(3.7, 80));
  EXPECT_EQ(instrument_.holding(501), raw(2, 60));
  EXPECT_EQ(instrument_.holding(499), raw(1, 60));
}

TEST_F(EaDriver, LargestValueIsExact) {
  open();
  const double largest_V = 80.0 * 53477 / 52428;
  EXPECT_TRUE(device_->apply(charge(1.0, largest_V - 0.002)));
  EXPECT_TRUE(device_->apply(charge(1.0, largest_V)));
  const auto above = device_->apply(charge(1.0, largest_V + 0.002));
  ASSERT_FALSE(above);
  EXPECT_EQ(above.error().code, ErrorCode::invalid);
  EXPECT_THAT(above.error().text(), HasSubstr("set_voltage"));
}

TEST_F(EaDriver, SetPointThatReadsBackDifferentIsAMismatch) {
  open();
  instrument_.on_write([](FakeInstrument& i) { i.holding_[500] = std::min<std::uint16_t>(i.holding_[500], 2000); });
  const auto done = device_->apply(charge(5.0));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::mismatch);
  EXPECT_THAT(done.error().text(), HasSubstr("set_voltage was set to 4.199"));
  EXPECT_FALSE(instrument_.coil(405)) << "the output must not close after a failed set-point";
}

TEST_F(EaDriver, OneStepOfRoundingByTheInstrumentIsAllowedTwoAreNot) {
  open();
  int off_by = 1;
  instrument_.on_write([&off_by](FakeInstrument& i) {
    if (i.holding_[500] != 0) i.holding_[500] = static_cast<std::uint16_t>(std::lround(4.2 / 80 * 52428) + off_by);
  });
  EXPECT_TRUE(device_->apply(charge(5.0)));
  off_by = 2;
  EXPECT_FALSE(device_->apply(charge(6.0, 4.3)));
}

TEST_F(EaDriver, ReadIsOneTransactionWithSignAndRegulation) {
  open();
  ASSERT_TRUE(device_->apply(charge(-5.0)));
  instrument_.hold(507, {raw(3.6, 80), raw(5, 60), raw(18, 1500)});
  instrument_.hold(506, {1U << 7 | 2U << 9 | 1U << 11 | 1U << 12});
  (void)instrument_.take_requests();
  base::Reading r;
  const auto before = clock_.now();
  ASSERT_TRUE(device_->read(r));
  EXPECT_EQ(instrument_.take_requests(), 1);
  EXPECT_NEAR(r.voltage_V, 3.6, 80.0 / 52428);
  EXPECT_NEAR(r.current_A, -5.0, 60.0 / 52428);
  EXPECT_NEAR(r.power_W, -18.0, 1500.0 / 52428);
  EXPECT_TRUE(std::isnan(r.temperature_degC));
  EXPECT_EQ(r.regulation, base::Regulation::current);
  EXPECT_EQ(r.output_on, 1);
  EXPECT_EQ(r.remote, 1);
  EXPECT_EQ(r.alarm, 0);
  EXPECT_EQ(r.status, 1U << 7 | 2U << 9 | 1U << 11 | 1U << 12);
  EXPECT_LE(before, r.sent);
  EXPECT_LE(r.sent, r.received);
  EXPECT_LE(r.received, clock_.now());
}

TEST_F(EaDriver, AlarmOffAndLocalControlAreSeen) {
  open();
  base::Reading r;
  instrument_.hold(506, {1U << 15});
  ASSERT_TRUE(device_->read(r));
  EXPECT_EQ(r.alarm, 1);
  EXPECT_EQ(r.remote, 0);
  EXPECT_EQ(r.output_on, 0);
  EXPECT_EQ(r.regulation, base::Regulation::off);
}

TEST_F(EaDriver, SetPointChangedAtThePanelIsForeignControl) {
  open();
  ASSERT_TRUE(device_->apply(charge(5.0)));
  base::Reading r;
  ASSERT_TRUE(device_->read(r));
  EXPECT_EQ(r.remote, 1);
  instrument_.hold(501, {raw(20, 60)});
  ASSERT_TRUE(device_->read(r));
  EXPECT_EQ(r.remote, 0);
}

TEST_F(EaDriver, AfterATimeoutTheNextReadReconnectsAndProvesWhoAnswers) {
  open();
  ASSERT_TRUE(device_->apply(charge(5.0)));
  base::Reading r;
  instrument_.be_silent(1);
  const auto lost = device_->read(r);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::timeout);
  const int connections = instrument_.connections();
  instrument_.hold(507, {raw(3.6, 80)});
  const auto again = device_->read(r);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(instrument_.connections(), connections + 1);
  EXPECT_NEAR(r.voltage_V, 3.6, 0.002);
  EXPECT_TRUE(device_->is_open());
}

TEST_F(EaDriver, AnotherInstrumentAfterTheReconnectionIsNotBelieved) {
  open();
  base::Reading r;
  instrument_.be_silent(1);
  ASSERT_FALSE(device_->read(r));
  instrument_.hold_text(151, "9999999999", 40);
  const auto again = device_->read(r);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::mismatch);
  EXPECT_FALSE(device_->is_open());
  const auto reopened = device_->open();
  ASSERT_FALSE(reopened);
  EXPECT_THAT(reopened.error().text(), HasSubstr("9999999999"));
}

TEST_F(EaDriver, InstrumentThatRestartedDuringTheLossMustBeOpenedAnew) {
  open();
  ASSERT_TRUE(device_->apply(charge(5.0)));
  base::Reading r;
  instrument_.be_silent(1);
  ASSERT_FALSE(device_->read(r));
  instrument_.coil(405, false);
  instrument_.hold(500, {0, 0, 0});
  const auto again = device_->read(r);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::mismatch);
  EXPECT_FALSE(device_->is_open());
  EXPECT_FALSE(device_->apply(charge(5.0)));
  ASSERT_TRUE(device_->open());
  EXPECT_TRUE(device_->apply(charge(5.0)));
}

TEST_F(EaDriver, MakeSafeWritesOffFirstAndVerifies) {
  open();
  ASSERT_TRUE(device_->apply(charge(5.0)));
  (void)instrument_.take_writes();
  (void)instrument_.take_requests();
  ASSERT_TRUE(device_->make_safe());
  EXPECT_THAT(instrument_.take_writes(), ElementsAre(Write{5, 405, {0}}));
  EXPECT_EQ(instrument_.take_requests(), 2);
  ASSERT_TRUE(device_->make_safe());
  EXPECT_THAT(instrument_.take_writes(), ElementsAre(Write{5, 405, {0}}))
      << "make_safe writes whatever was written before";
}

TEST_F(EaDriver, MakeSafeWorksWithoutOpenAndAfterALoss) {
  ASSERT_TRUE(device_->make_safe());
  EXPECT_THAT(instrument_.take_writes(), ElementsAre(Write{5, 405, {0}}));
  open();
  ASSERT_TRUE(device_->apply(charge(5.0)));
  (void)instrument_.take_writes();
  instrument_.be_silent(1);
  ASSERT_TRUE(device_->make_safe());
  EXPECT_FALSE(instrument_.coil(405));
  base::Reading r;
  ASSERT_TRUE(device_->read(r));
  EXPECT_EQ(r.output_on, 0);
}

TEST_F(EaDriver, MakeSafeReportsAnOutputThatStaysOn) {
  open();
  ASSERT_TRUE(device_->apply(charge(5.0)));
  instrument_.on_write([](FakeInstrument& i) { i.coil_[405] = true; });
  const auto done = device_->make_safe();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::mismatch);
}

TEST_F(EaDriver, ProtectProgramsTheLimitsAndReadsThemBack) {
  open();
  Protections p;
  p.voltage_max_V = 4.25;
  p.current_max_A = 6;
  p.current_min_A = -7;
  ASSERT_TRUE(device_->protect(p));
  EXPECT_EQ(instrument_.holding(9000), raw(4.25, 80));
  EXPECT_EQ(instrument_.holding(9002), raw(6, 60));
  EXPECT_EQ(instrument_.holding(9008), raw(7, 60));
}

TEST_F(EaDriver, WhatTheDescriptionLacksIsUnsupported) {
  open();
  base::Setpoint s;
  s.control = base::Control::resistance;
  EXPECT_EQ(device_->apply(s).error().code, ErrorCode::unsupported);
  EXPECT_EQ(device_->apply(base::ChamberSetpoint{1, {}, 25, 0}).error().code, ErrorCode::unsupported);
}

TEST_F(EaDriver, ReleaseSwitchesOffAndGivesThePanelBack) {
  open();
  ASSERT_TRUE(device_->apply(charge(5.0)));
  ASSERT_TRUE(device_->release());
  EXPECT_FALSE(instrument_.coil(405));
  EXPECT_FALSE(instrument_.coil(402));
  EXPECT_FALSE(device_->is_open());
}

class ChamberDriver : public DriverTest {
 protected:
  ChamberDriver() {
    for (const auto& [address, text] : {std::pair{100, "cyclerd"}, {116, "VT-1"}, {132, "C-1"}, {148, "1.0"}})
      instrument_.input_text(address, text, 32);
    instrument_.input(200, FakeInstrument::f32_low_first(-40.0F));
    instrument_.input(202, FakeInstrument::f32_low_first(180.0F));
    instrument_.input(0, FakeInstrument::f32_low_first(23.5F));
    instrument_.input(2, FakeInstrument::f32_low_first(25.0F));
    instrument_.input(4, FakeInstrument::f32_low_first(24.25F));
    instrument_.input(6, {2, 0});
    instrument_.hold(0, {0, 0, 0, 0});
    instrument_.coil(0, true);
    instrument_.on_write([](FakeInstrument& i) { i.input_[6] = i.coil_[0] ? 3 : 2; });
    use("virtual-chamber");
  }
};

TEST_F(ChamberDriver, ConditionsAndReads) {
  auto done = device_->open();
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_FALSE(instrument_.coil(0));
  EXPECT_DOUBLE_EQ(device_->capability().temperature_min_degC, -40.0);
  (void)instrument_.take_writes();
  base::ChamberSetpoint s;
  s.run = 1;
  s.temperature_degC = 35.5;
  s.ramp_K_per_min = 3;
  done = device_->apply(s);
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_THAT(instrument_.take_writes(),
              ElementsAre(Write{16, 2, FakeInstrument::f32_low_first(3.0F)},
                          Write{16, 0, FakeInstrument::f32_low_first(35.5F)}, Write{5, 0, {0xFF00}}));
  base::Reading r;
  ASSERT_TRUE(device_->read(r));
  EXPECT_DOUBLE_EQ(r.chamber_degC, 23.5);
  EXPECT_DOUBLE_EQ(r.chamber_setpoint_degC, 25.0);
  EXPECT_DOUBLE_EQ(r.temperature_degC, 24.25);
  EXPECT_TRUE(std::isnan(r.voltage_V));
  EXPECT_EQ(r.output_on, 1);
  s.run = 0;
  ASSERT_TRUE(device_->apply(s));
  EXPECT_FALSE(instrument_.coil(0));
}

TEST_F(ChamberDriver, BrokenSensorIsAnInvalidReadingNotANumber) {
  ASSERT_TRUE(device_->open());
  instrument_.input(4, FakeInstrument::f32_low_first(std::numeric_limits<float>::quiet_NaN()));
  base::Reading r;
  ASSERT_TRUE(device_->read(r));
  EXPECT_TRUE(std::isnan(r.temperature_degC));
  EXPECT_NE(r.flags & base::flag::kInvalid, 0U);
  EXPECT_DOUBLE_EQ(r.chamber_degC, 23.5);
}

TEST_F(ChamberDriver, LatchedThermostatIsAnAlarm) {
  ASSERT_TRUE(device_->open());
  instrument_.input(7, {2});
  base::Reading r;
  ASSERT_TRUE(device_->read(r));
  EXPECT_EQ(r.alarm, 1);
  EXPECT_EQ(r.status, 2U);
}

class CyclerDriver : public DriverTest {
 protected:
  CyclerDriver() {
    for (const auto& [address, text] : {std::pair{200, "cyclerd"}, {216, "VC-5V-10A"}, {232, "S-1"}, {248, "1.0"}})
      instrument_.input_text(address, text, 32);
    int at = 300;
    for (const float v : {5.0F, 0.0F, 10.0F, -10.0F, 50.0F, -50.0F, 1e-4F, 1e-4F}) {
      instrument_.input(at, FakeInstrument::f32(v));
      at += 2;
    }
    for (int i = 0; i < 10; ++i) instrument_.input(i, {0});
    instrument_.hold(100, std::vector<std::uint16_t>(60, 0));
    for (int i = 0; i < 4; ++i) instrument_.coil(i, false);
    instrument_.on_write([](FakeInstrument& i) {
      i.input_[8] = static_cast<std::uint16_t>((i.coil_[1] ? 1 : 0) | (i.coil_[0] ? 2 : 0));
    });
    use("virtual-cycler");
  }
};

TEST_F(CyclerDriver, WatchdogIsArmedReadBackAndFed) {
  const auto done = device_->open();
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(instrument_.holding(150), 1000);
  EXPECT_EQ(device_->capability().watchdog, WatchdogKind::programmable);
  EXPECT_EQ(device_->capability().watchdog_timeout, base::seconds(1));
  (void)instrument_.take_writes();
  ASSERT_TRUE(device_->feed_watchdog());
  ASSERT_TRUE(device_->feed_watchdog());
  EXPECT_EQ(instrument_.take_writes().size(), 2U);
}

TEST_F(CyclerDriver, WatchdogThatDoesNotTakeItsTimeoutStopsTheOpening) {
  instrument_.on_write([](FakeInstrument& i) { i.holding_[150] = 0; });
  const auto done = device_->open();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), HasSubstr("watchdog_timeout"));
}

TEST_F(CyclerDriver, RepeatedSampleIsMarked) {
  ASSERT_TRUE(device_->open());
  base::Reading r;
  instrument_.input(9, {41});
  ASSERT_TRUE(device_->read(r));
  EXPECT_EQ(r.flags & base::flag::kRepeated, 0U);
  ASSERT_TRUE(device_->read(r));
  EXPECT_NE(r.flags & base::flag::kRepeated, 0U);
  instrument_.input(9, {42});
  ASSERT_TRUE(device_->read(r));
  EXPECT_EQ(r.flags & base::flag::kRepeated, 0U);
}

TEST_F(CyclerDriver, SignedCurrentIsWrittenAsItIs) {
  ASSERT_TRUE(device_->open());
  ASSERT_TRUE(device_->apply(charge(-2.5)));
  const auto expected = FakeInstrument::f32(-2.5F);
  EXPECT_EQ(instrument_.holding(102), expected[0]);
  EXPECT_EQ(instrument_.holding(103), expected[1]);
  EXPECT_TRUE(instrument_.coil(1));
}

TEST_F(CyclerDriver, RestAlwaysWritesOff) {
  ASSERT_TRUE(device_->open());
  ASSERT_TRUE(device_->apply(base::Setpoint{}));
  (void)instrument_.take_writes();
  ASSERT_TRUE(device_->apply(base::Setpoint{}));
  EXPECT_THAT(instrument_.take_writes(), ElementsAre(Write{5, 1, {0}}));
}

}  // namespace
}  // namespace cyclerd::modbus
