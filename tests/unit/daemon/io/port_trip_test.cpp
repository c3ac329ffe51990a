#include "tests/unit/daemon/io/port_fixture.hpp"

namespace cyclerd::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PortTrip : public PortFixture {
 protected:
  PortTrip() {
    limits.tighten(Cause::voltage_high, 4.25, {});
    limits.tighten(Cause::temperature_high, 55.0, {});
    limits.tighten(Cause::chamber_high, 60.0, {});
  }
  // A cycler that charges, with the notices so far forgotten.
  FakeDevice& charging() {
    FakeDevice& device = add();
    build();
    energise();
    return device;
  }
  void energise() {
    run_for(milliseconds(50));
    send(0, charge());
    run_for(milliseconds(20));
    ASSERT_EQ(of(Notice::What::command_done).size(), 1U);
    ASSERT_TRUE(channels[0].energised.load());
    notices.clear();
    readings.clear();
    journal.clear();
  }
};

TEST_F(PortTrip, MakesSafeInTheSameRoundRightAfterTheViolatingReading) {
  FakeDevice& device = charging();
  device.on_safe.cost = milliseconds(3);
  device.values.voltage_V = 4.3;
  clock.advance_to(clock.now() + milliseconds(60));
  round();
  ASSERT_EQ(journal.size(), 2U);
  EXPECT_EQ(journal[0].what, Called::read);
  EXPECT_EQ(journal[1].what, Called::make_safe);
  EXPECT_EQ(journal[1].time, readings.at(0).received) << "nothing in between takes time";
  EXPECT_EQ(cause(), Cause::voltage_high);
  EXPECT_EQ(device.values.output_on, 0);
  EXPECT_FALSE(channels[0].energised.load());

  ASSERT_EQ(notices.size(), 2U);
  EXPECT_EQ(notices[0].what, Notice::What::tripped);
  EXPECT_EQ(notices[0].event.kind, base::EventKind::trip);
  EXPECT_EQ(notices[0].event.subject.view(), "voltage_high");
  EXPECT_EQ(notices[0].event.value, 4.3);
  EXPECT_EQ(notices[0].event.bound, 4.25);
  EXPECT_EQ(notices[0].event.channel, 0);
  EXPECT_EQ(notices[0].event.time, readings[0].received);
  EXPECT_EQ(text(notices[0]), "the cell voltage is above its limit: 4.3 V, limit 4.25 V (device0)");
  EXPECT_EQ(notices[1].what, Notice::What::made_safe);
  EXPECT_EQ(notices[1].event.time, readings[0].received + milliseconds(3));
  EXPECT_EQ(readings[0].flags, base::flag::kLimit);
}

TEST_F(PortTrip, AtTheLimitNothingHappens) {
  FakeDevice& device = charging();
  device.values.voltage_V = 4.25;
  run_for(seconds(1));
  EXPECT_EQ(cause(), Cause::none);
  EXPECT_EQ(device.count(Called::make_safe), 0U);
}

TEST_F(PortTrip, SamplingGoesOnAndOneViolationIsToldOnce) {
  FakeDevice& device = charging();
  device.values.voltage_V = 4.3;
  run_for(seconds(2));
  EXPECT_EQ(readings.size(), 20U);
  EXPECT_EQ(of(Notice::What::tripped).size(), 1U);
  EXPECT_EQ(of(Notice::What::made_safe).size(), 1U);
  EXPECT_EQ(device.count(Called::make_safe), 1U);
}

TEST_F(PortTrip, MakeSafeIsTriedAtAGrowingPaceUntilVerified) {
  FakeDevice& device = charging();
  device.on_safe.fail(base::ErrorCode::mismatch, 7);
  device.values.voltage_V = 4.3;
  run_for(seconds(6));
  EXPECT_EQ(device.count(Called::make_safe), 8U);
  std::vector<std::int64_t> gaps_ms;
  MonoTime last;
  for (const test::Call& c : device.calls) {
    if (c.what != Called::make_safe) continue;
    if (last.us != 0) gaps_ms.push_back((c.time - last).us / 1000);
    last = c.time;
  }
  ASSERT_EQ(gaps_ms.size(), 7U);
  for (std::size_t i = 1; i < gaps_ms.size(); ++i) EXPECT_GE(gaps_ms[i], gaps_ms[i - 1]);
  EXPECT_LE(gaps_ms.front(), 55);
  EXPECT_LE(gaps_ms.back(), 1005);
  EXPECT_EQ(of(Notice::What::made_safe).size(), 1U);
  const auto failed = of(Notice::What::command_failed);
  ASSERT_EQ(failed.size(), 1U) << "told once, not at every attempt";
  EXPECT_THAT(text(failed[0]), HasSubstr("could not be made safe, trying again"));
  EXPECT_FALSE(channels[0].energised.load());
}

TEST_F(PortTrip, AnInstrumentThatWasNeverReachedWaitsForItsProbeAndDoesNotSpin) {
  FakeDevice& device = add();
  device.on_open.fail(base::ErrorCode::timeout);
  build();
  round();
  send(0, charge());
  round();
  ASSERT_NE(cause(), Cause::none);
  EXPECT_GT(port->run_once(), clock.now());
  run_for(seconds(10));
  EXPECT_EQ(device.count(Called::make_safe), 0U);
  EXPECT_GT(device.count(Called::open), 2U);
}

TEST_F(PortTrip, StaysEnergisedForEverybodyUntilOffIsVerified) {
  FakeDevice& device = charging();
  device.on_safe.fail(base::ErrorCode::mismatch);
  device.values.voltage_V = 4.3;
  run_for(seconds(3));
  EXPECT_TRUE(channels[0].energised.load());
  EXPECT_TRUE(of(Notice::What::made_safe).empty());
  device.on_safe.heal();
  run_for(seconds(2));
  EXPECT_FALSE(channels[0].energised.load());
  EXPECT_EQ(of(Notice::What::made_safe).size(), 1U);
}

TEST_F(PortTrip, ALatchTrippedElsewhereMakesSafeAtTheNextWakeBeforeAnythingElse) {
  FakeDevice& device = charging();
  channels[0].ports.push_back(&lanes.to_port);
  send(0, charge(3.0), 2);
  clock.advance(milliseconds(200));  // a poll is due as well
  EXPECT_TRUE(trip(channels[0], Cause::operator_stop));
  round();
  ASSERT_GE(journal.size(), 1U);
  EXPECT_EQ(journal[0].what, Called::make_safe);
  EXPECT_EQ(device.count(Called::apply), 1U) << "the queued set-point stays outside";
  EXPECT_TRUE(of(Notice::What::tripped).empty()) << "this port saw no violation";
  EXPECT_EQ(of(Notice::What::made_safe).size(), 1U);
  const auto failed = of(Notice::What::command_failed);
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].command_sequence, 2U);
  EXPECT_THAT(text(failed[0]), HasSubstr("emergency stop"));
}

TEST_F(PortTrip, TripFromOutsideWakesTheSleepingPort) {
  charging();
  channels[0].ports.push_back(&lanes.to_port);
  while (clock.wait_until(clock.now(), lanes.to_port)) {
  }
  const MonoTime before = clock.now();
  trip(channels[0], Cause::supervisor);
  EXPECT_TRUE(clock.wait_until(before + seconds(10), lanes.to_port));
  EXPECT_EQ(clock.now(), before);
  EXPECT_FALSE(trip(channels[0], Cause::operator_stop)) << "the first cause is kept";
  EXPECT_EQ(cause(), Cause::supervisor);
}

TEST_F(PortTrip, AThermometersViolationWakesTheOtherWiresOfTheChannelAndOnlyThose) {
  base::Wakeup cycler_wire;
  base::Wakeup stranger;
  channels[0].ports = {&cycler_wire};
  channels[1].ports = {&stranger};
  FakeDevice& sensor = add(DeviceKind::sensor);
  build();
  run_for(milliseconds(50));
  sensor.values.temperature_degC = 56.0;
  run_for(milliseconds(100));
  EXPECT_EQ(cause(), Cause::temperature_high);
  EXPECT_EQ(sensor.count(Called::make_safe), 0U) << "it has no output";
  const MonoTime now = clock.now();
  EXPECT_TRUE(clock.wait_until(now, cycler_wire));
  EXPECT_FALSE(clock.wait_until(now, stranger));
  EXPECT_EQ(of(Notice::What::tripped).size(), 1U);
}

TEST_F(PortTrip, CyclerGoesOffBeforeTheChamberWhoeverSawTheViolation) {
  FakeDevice& chamber = add(DeviceKind::chamber);
  FakeDevice& cycler = add();
  build();
  run_for(milliseconds(50));
  send(1, charge());
  send(0, base::ChamberSetpoint{.run = 1, .temperature_degC = 40.0});
  run_for(milliseconds(20));
  ASSERT_EQ(chamber.chamber.run, 1);
  chamber.values.chamber_degC = 61.0;
  run_for(milliseconds(100));
  EXPECT_EQ(cause(), Cause::chamber_high);
  ASSERT_EQ(cycler.count(Called::make_safe), 1U);
  ASSERT_EQ(chamber.count(Called::make_safe), 1U);
  const auto when = [](const FakeDevice& d) {
    for (const test::Call& c : d.calls) {
      if (c.what == Called::make_safe) return c.time;
    }
    return MonoTime{};
  };
  EXPECT_LE(when(cycler), when(chamber));
  std::vector<std::uint32_t> order;
  for (const Notice& n : of(Notice::What::made_safe)) order.push_back(n.device);
  EXPECT_THAT(order, ElementsAre(1U, 0U));
  EXPECT_EQ(chamber.chamber.run, 0);
}

TEST_F(PortTrip, OtherChannelsOnTheWireGoOn) {
  FakeDevice& first = add(DeviceKind::cycler, milliseconds(100), 0);
  FakeDevice& second = add(DeviceKind::cycler, milliseconds(100), 1);
  build();
  run_for(milliseconds(50));
  send(0, charge());
  send(1, charge());
  run_for(milliseconds(20));
  first.values.voltage_V = 4.3;
  run_for(seconds(1));
  EXPECT_EQ(cause(0), Cause::voltage_high);
  EXPECT_EQ(cause(1), Cause::none);
  EXPECT_EQ(second.count(Called::make_safe), 0U);
  EXPECT_EQ(second.values.output_on, 1);
}

TEST_F(PortTrip, DwellOfALimitHoldsOnTheWireToo) {
  limits = {};
  limits.tighten(Cause::voltage_high, 4.25, seconds(2));
  FakeDevice& device = charging();
  device.values.voltage_V = 4.3;
  run_for(milliseconds(1900));
  EXPECT_EQ(cause(), Cause::none);
  run_for(milliseconds(300));
  EXPECT_EQ(cause(), Cause::voltage_high);
}

TEST_F(PortTrip, NewLimitsOfAChannelReachAllItsDevicesBeforeTheCommandTheyCameWith) {
  FakeDevice& device = charging();
  LimitUpdate update;
  update.channel = 0;
  update.table.tighten(Cause::charge_current_high, 1.5, {});
  lanes.limits.push(update);
  send(0, charge(1.8), 2);
  round();
  EXPECT_EQ(device.count(Called::apply), 1U);
  EXPECT_EQ(of(Notice::What::command_failed).size(), 1U);
  EXPECT_EQ(cause(), Cause::command_failed);
}

TEST_F(PortTrip, ReadingsWithoutDataTripAfterTheStaleTimeWhileEnergised) {
  FakeDevice& device = charging();
  device.values.flags = base::flag::kInvalid;
  const MonoTime last = health(0).last_reading;
  run_until(last + milliseconds(500));
  EXPECT_EQ(cause(), Cause::none);
  run_until(last + milliseconds(610));
  EXPECT_EQ(cause(), Cause::stale_cycler);
  EXPECT_EQ(device.values.output_on, 0);
  EXPECT_TRUE(of(Notice::What::lost).empty()) << "it answers";
}

TEST_F(PortTrip, SensorThatWasNeverThereTripsOnceTheChannelIsEnergised) {
  FakeDevice& sensor = add(DeviceKind::sensor);
  sensor.die(milliseconds(10));
  build();
  run_for(seconds(20));
  EXPECT_EQ(cause(), Cause::none);
  channels[0].energised = true;
  run_for(milliseconds(250));
  EXPECT_EQ(cause(), Cause::stale_temperature);
}

TEST_F(PortTrip, LostChamberTripsOnlyWhenALimitNeedsIt) {
  for (const bool limited : {false, true}) {
    slots.clear();
    healths.clear();
    limits = {};
    if (limited) limits.tighten(Cause::chamber_high, 60.0, {});
    FakeDevice& chamber = add(DeviceKind::chamber);
    build();
    channels[0].energised = true;
    run_for(seconds(1));
    chamber.die(milliseconds(10));
    run_for(seconds(5));
    EXPECT_EQ(cause(), limited ? Cause::stale_chamber : Cause::none);
    EXPECT_EQ(of(Notice::What::lost).size(), 1U);
    notices.clear();
  }
}

TEST_F(PortTrip, OutputThatComesOnAgainAfterATripIsOpenedAgainAtAPace) {
  FakeDevice& device = charging();
  device.values.voltage_V = 4.3;
  run_for(seconds(2));
  ASSERT_EQ(device.count(Called::make_safe), 1U);
  device.values.output_on = 1;
  run_for(milliseconds(150));
  EXPECT_EQ(device.count(Called::make_safe), 2U);
  device.values.output_on = 1;
  run_for(seconds(10));
  EXPECT_LE(device.count(Called::make_safe), 13U);
}

TEST_F(PortTrip, InstrumentThatLostItsSettingsIsOpenedAnewBeforeItMayBeUsed) {
  FakeDevice& device = charging();
  const std::size_t opened = device.count(Called::open);
  device.values.output_on = 0;  // it restarted
  run_for(seconds(1));
  EXPECT_EQ(cause(), Cause::output_mismatch);
  EXPECT_EQ(device.count(Called::open), opened + 1);
  EXPECT_EQ(device.count(Called::protect), opened + 1);
  EXPECT_EQ(health(0).reconnects, 1U);
  channels[0].latch.clear();
  send(0, charge(), 2);
  run_for(seconds(2));
  EXPECT_EQ(cause(), Cause::none);
  EXPECT_EQ(device.values.output_on, 1);
}

TEST_F(PortTrip, SomebodyAtThePanelTrips) {
  FakeDevice& device = charging();
  device.values.remote = 0;
  run_for(milliseconds(100));
  EXPECT_EQ(cause(), Cause::foreign_control);
  EXPECT_EQ(device.values.output_on, 0);
}

TEST_F(PortTrip, AfterAcknowledgementSetpointsPassAgainAndANewTripIsAnsweredAgain) {
  FakeDevice& device = charging();
  device.values.voltage_V = 4.3;
  run_for(milliseconds(200));
  device.values.voltage_V = 3.7;
  channels[0].latch.clear();
  send(0, charge(), 2);
  run_for(milliseconds(200));
  EXPECT_EQ(device.values.output_on, 1);
  device.values.voltage_V = 4.3;
  run_for(milliseconds(200));
  EXPECT_EQ(device.count(Called::make_safe), 2U);
  EXPECT_EQ(of(Notice::What::tripped).size(), 2U);
}

TEST_F(PortTrip, ALatchThatWasTrippedBeforeTheStartLeavesTheOutputVerifiedOff) {
  channels[0].latch.trip(static_cast<std::uint32_t>(Cause::self_check));
  FakeDevice& device = add();
  build();
  run_for(milliseconds(50));
  EXPECT_EQ(device.count(Called::open), 1U);
  EXPECT_EQ(of(Notice::What::made_safe).size(), 1U);
  send(0, charge());
  run_for(milliseconds(50));
  EXPECT_EQ(device.count(Called::apply), 0U);
}

TEST_F(PortTrip, TripDuringAWriteIsAnsweredRightAfterTheTransactionInFlight) {
  FakeDevice& device = charging();
  send(0, charge(3.0), 2);
  clock.advance(milliseconds(200));
  journal.clear();
  device.during_apply = [this] { trip(channels[0], Cause::temperature_high); };
  round();
  ASSERT_GE(journal.size(), 2U);
  EXPECT_EQ(journal[0].what, Called::apply);
  EXPECT_EQ(journal[1].what, Called::make_safe);
}

TEST_F(PortTrip, MakeSafeAllOpensEveryOutputEvenOfDevicesThatNeverAnsweredTheirOpening) {
  FakeDevice& chamber = add(DeviceKind::chamber);
  FakeDevice& sensor = add(DeviceKind::sensor);
  FakeDevice& dead = add(DeviceKind::cycler, milliseconds(100), 1);
  FakeDevice& cycler = add();
  dead.die(milliseconds(10));
  build();
  run_for(milliseconds(50));
  send(3, charge());
  send(0, base::ChamberSetpoint{.run = 1, .temperature_degC = 40.0});
  run_for(milliseconds(50));
  ASSERT_EQ(cycler.values.output_on, 1);
  EXPECT_FALSE(port->make_safe_all());
  EXPECT_EQ(cycler.values.output_on, 0);
  EXPECT_EQ(chamber.chamber.run, 0);
  EXPECT_EQ(sensor.count(Called::make_safe), 0U);
  EXPECT_EQ(dead.count(Called::make_safe), 3U) << "three attempts";
  dead.revive();
  EXPECT_TRUE(port->make_safe_all());
}

}  // namespace
}  // namespace cyclerd::io
