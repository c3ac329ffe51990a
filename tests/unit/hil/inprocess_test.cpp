#include "hil/inprocess/inprocess.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/hil/golden.hpp"

namespace cyclerd::hil {
namespace {

struct Bench {
  base::VirtualClock clock;
  World world;
  Bench() {
    world.add_chamber({});
    world.add_plant(test::shipped("linear-closed-form").make({0.5, 25.0}), {}, 0);
  }
};

TEST(Inprocess, TheClosedFormChargeThroughTheDeviceInterface) {
  Bench b;
  InprocessCycler cycler(b.world, 0, b.clock);
  ASSERT_TRUE(cycler.open().has_value());
  ASSERT_TRUE(cycler.apply(test::charge_at(2.5, 4.2)).has_value());
  base::Reading r;
  base::MonoTime cv{};
  while (b.clock.now() < base::MonoTime{} + base::seconds(3450)) {
    b.clock.advance(base::milliseconds(100));
    ASSERT_TRUE(cycler.read(r).has_value());
    if (cv.us == 0 && r.regulation == base::Regulation::voltage) cv = r.sent;
  }
  EXPECT_EQ(cv.us, 3150'000'000 + 100'000 * (cv.us > 3150'000'000));  // one scan at most
  EXPECT_NEAR(r.current_A, 1.2722208, 1e-6);
  EXPECT_EQ(r.sent, r.received);
  EXPECT_EQ(r.output_on, 1);
}

TEST(Inprocess, StampsSpanTheRoundTrip) {
  Bench b;
  InprocessOptions options;
  options.round_trip = base::microseconds(301);
  InprocessCycler cycler(b.world, 0, b.clock, options);
  ASSERT_TRUE(cycler.open().has_value());
  base::Reading r;
  ASSERT_TRUE(cycler.read(r).has_value());
  EXPECT_EQ((r.received - r.sent).us, 301);
}

TEST(Inprocess, ClosedItAnswersNothingAndSilentItTimesOut) {
  Bench b;
  InprocessCycler cycler(b.world, 0, b.clock);
  base::Reading r;
  EXPECT_EQ(cycler.read(r).error().code, base::ErrorCode::disconnected);
  ASSERT_TRUE(cycler.open().has_value());
  cycler.set_silent(true);
  const base::MonoTime before = b.clock.now();
  EXPECT_EQ(cycler.read(r).error().code, base::ErrorCode::timeout);
  EXPECT_EQ((b.clock.now() - before).us, 500'000);
  cycler.set_silent(false);
  EXPECT_TRUE(cycler.read(r).has_value());
}

TEST(Inprocess, AnUnfedWatchdogOpensTheOutputUntilOpenedAgain) {
  Bench b;
  InprocessOptions options;
  options.watchdog_timeout = base::seconds(1);
  InprocessCycler cycler(b.world, 0, b.clock, options);
  ASSERT_TRUE(cycler.open().has_value());
  EXPECT_EQ(cycler.capability().watchdog, device::WatchdogKind::programmable);
  ASSERT_TRUE(cycler.apply(test::charge_at(1.0, 4.2)).has_value());
  base::Reading r;
  for (int k = 0; k < 10; ++k) {
    b.clock.advance(base::milliseconds(900));
    ASSERT_TRUE(cycler.feed_watchdog().has_value());
  }
  ASSERT_TRUE(cycler.read(r).has_value());
  EXPECT_EQ(r.output_on, 1);
  b.clock.advance(base::milliseconds(1000));
  ASSERT_TRUE(cycler.read(r).has_value());
  EXPECT_EQ(r.output_on, 0);
  EXPECT_EQ(r.alarm, 1);
  EXPECT_EQ(cycler.apply(test::charge_at(1.0, 4.2)).error().code, base::ErrorCode::refused);
  ASSERT_TRUE(cycler.open().has_value());
  EXPECT_TRUE(cycler.apply(test::charge_at(1.0, 4.2)).has_value());
}

TEST(Inprocess, MakeSafeOpensAndARefusedSetPointChangesNothing) {
  Bench b;
  InprocessCycler cycler(b.world, 0, b.clock);
  ASSERT_TRUE(cycler.open().has_value());
  ASSERT_TRUE(cycler.apply(test::charge_at(1.0, 4.2)).has_value());
  EXPECT_EQ(cycler.apply(test::charge_at(std::nan(""), 4.2)).error().code, base::ErrorCode::refused);
  EXPECT_TRUE(b.world.plant(0).truth().output_on);
  ASSERT_TRUE(cycler.make_safe().has_value());
  EXPECT_FALSE(b.world.plant(0).truth().output_on);
  base::ChamberSetpoint warm;
  EXPECT_EQ(cycler.apply(warm).error().code, base::ErrorCode::unsupported);
}

TEST(Inprocess, ProtectionsAreTheStagesOwn) {
  Bench b;
  InprocessCycler cycler(b.world, 0, b.clock);
  ASSERT_TRUE(cycler.open().has_value());
  device::Protections p;
  p.voltage_max_V = 3.62;
  ASSERT_TRUE(cycler.protect(p).has_value());
  base::Reading r;
  EXPECT_FALSE(cycler.apply(test::charge_at(2.5, 4.2)).has_value());
  ASSERT_TRUE(cycler.read(r).has_value());
  EXPECT_EQ(r.alarm, 1);
  EXPECT_EQ(r.output_on, 0);
}

TEST(Inprocess, TheChamberShowsAirSetPointAndTheCellsSensor) {
  Bench b;
  InprocessOptions options;
  options.sensor_on = 0;
  InprocessChamber chamber(b.world, 0, b.clock, options);
  ASSERT_TRUE(chamber.open().has_value());
  ASSERT_TRUE(chamber.apply(base::ChamberSetpoint{1, {}, 40.0, 0.0}).has_value());
  b.clock.advance(base::seconds(3600));
  base::Reading r;
  ASSERT_TRUE(chamber.read(r).has_value());
  EXPECT_NEAR(r.chamber_degC, 40.0, 0.5);
  EXPECT_EQ(r.chamber_setpoint_degC, 40.0);
  EXPECT_NEAR(r.temperature_degC, 40.0, 0.5);
  EXPECT_TRUE(std::isnan(r.voltage_V));
  EXPECT_EQ(r.output_on, 1);
  EXPECT_EQ(chamber.apply(base::ChamberSetpoint{1, {}, 500.0, 0.0}).error().code, base::ErrorCode::refused);
  ASSERT_TRUE(chamber.make_safe().has_value());
  ASSERT_TRUE(chamber.read(r).has_value());
  EXPECT_EQ(r.output_on, 0);
}

}  // namespace
}  // namespace cyclerd::hil
