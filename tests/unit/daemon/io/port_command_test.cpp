#include "tests/unit/daemon/io/port_fixture.hpp"

namespace cyclerd::io {
namespace {

using testing::HasSubstr;

class PortCommand : public PortFixture {
 protected:
  FakeDevice& connected(DeviceKind kind = DeviceKind::cycler) {
    FakeDevice& device = add(kind);
    build();
    run_for(milliseconds(50));
    notices.clear();
    return device;
  }
};

TEST_F(PortCommand, SetpointIsWrittenReadBackAndReported) {
  FakeDevice& device = connected();
  device.on_apply.cost = milliseconds(4);
  send(0, charge(), 17);
  round();
  EXPECT_EQ(device.setpoint, charge());
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].what, Notice::What::command_done);
  EXPECT_EQ(notices[0].command_sequence, 17U);
  EXPECT_EQ(notices[0].event.kind, base::EventKind::setpoint);
  EXPECT_EQ(notices[0].event.subject.view(), "device0");
  EXPECT_EQ(notices[0].event.value, 2.0);
  EXPECT_EQ(text(notices[0]), "charge 2 A up to 4.2 V, sent and read back in 4000 us");
  EXPECT_TRUE(channels[0].energised.load());
}

TEST_F(PortCommand, RestTakesTheChannelOffAgain) {
  FakeDevice& device = connected();
  send(0, charge(), 1);
  round();
  send(0, rest(), 2);
  round();
  EXPECT_FALSE(channels[0].energised.load());
  EXPECT_EQ(device.values.output_on, 0);
  EXPECT_EQ(of(Notice::What::command_done).size(), 2U);
  run_for(seconds(2));
  EXPECT_EQ(cause(), Cause::none);
}

TEST_F(PortCommand, NewestOfSeveralWinsAndSettlesTheOlder) {
  FakeDevice& device = connected();
  for (std::uint64_t i = 1; i <= 5; ++i) send(0, charge(static_cast<double>(i)), i);
  round();
  EXPECT_EQ(device.count(Called::apply), 1U);
  EXPECT_EQ(device.setpoint, charge(5.0));
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].command_sequence, 5U);
  EXPECT_THAT(text(notices[0]), HasSubstr("; 4 older not sent"));
  send(0, charge(1.0), 6);
  round();
  EXPECT_THAT(text(notices[1]), testing::Not(HasSubstr("older")));
}

TEST_F(PortCommand, DevicesHaveTheirOwnQueues) {
  FakeDevice& first = add(DeviceKind::cycler, milliseconds(100), 0);
  FakeDevice& second = add(DeviceKind::cycler, milliseconds(100), 1);
  build();
  run_for(milliseconds(50));
  send(0, charge(1.0), 1);
  send(1, charge(2.0), 1);
  round();
  EXPECT_EQ(first.setpoint, charge(1.0));
  EXPECT_EQ(second.setpoint, charge(2.0));
}

TEST_F(PortCommand, MakeSafeIsNeverSupersededAndDropsWhatWasBeforeIt) {
  FakeDevice& device = connected();
  send(0, charge(1.0), 1);
  order_safe(0, 2);
  send(0, charge(3.0), 3);
  journal.clear();
  round();
  ASSERT_GE(journal.size(), 2U);
  EXPECT_EQ(journal[0].what, Called::make_safe);
  EXPECT_EQ(journal[1].what, Called::apply);
  EXPECT_EQ(device.setpoint, charge(3.0));
  EXPECT_EQ(device.count(Called::apply), 1U);
  const auto done = of(Notice::What::command_done);
  ASSERT_EQ(done.size(), 2U);
  EXPECT_EQ(done[0].command_sequence, 2U);
  EXPECT_EQ(done[1].command_sequence, 3U);
}

TEST_F(PortCommand, OrderedMakeSafeThatFailsTripsAndIsTriedOn) {
  FakeDevice& device = connected();
  send(0, charge(), 1);
  round();
  device.on_safe.fail(base::ErrorCode::mismatch, 3);
  order_safe(0, 2);
  round();
  EXPECT_EQ(cause(), Cause::command_failed);
  const auto failed = of(Notice::What::command_failed);
  ASSERT_GE(failed.size(), 1U);
  EXPECT_EQ(failed[0].command_sequence, 2U);
  run_for(seconds(2));
  EXPECT_EQ(of(Notice::What::made_safe).size(), 1U);
  EXPECT_EQ(device.values.output_on, 0);
}

TEST_F(PortCommand, WhatTheGateRefusesNeverReachesTheInstrumentAndTripsTheChannel) {
  FakeDevice& device = connected();
  send(0, charge(2.0), 1);
  round();
  send(0, charge(10.5), 2);  // the instrument ends at 10 A
  journal.clear();
  round();
  ASSERT_GE(journal.size(), 1U);
  EXPECT_EQ(journal[0].what, Called::make_safe);
  EXPECT_EQ(device.count(Called::apply), 1U);
  EXPECT_EQ(cause(), Cause::command_failed);
  const auto failed = of(Notice::What::command_failed);
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].command_sequence, 2U);
  EXPECT_THAT(text(failed[0]), HasSubstr("current 10.5 A is above the instrument's maximum (10 A)"));
}

TEST_F(PortCommand, SetpointThatCannotBeReadBackMakesSafeAtOnceAndTrips) {
  for (const base::ErrorCode code : {base::ErrorCode::timeout, base::ErrorCode::mismatch, base::ErrorCode::refused}) {
    slots.clear();
    healths.clear();
    notices.clear();
    channels[0].latch.clear();
    FakeDevice& device = connected();
    device.on_apply.fail(code);
    send(0, charge(), 1);
    journal.clear();
    round();
    ASSERT_GE(journal.size(), 2U);
    EXPECT_EQ(journal[0].what, Called::apply);
    EXPECT_EQ(journal[1].what, Called::make_safe);
    EXPECT_EQ(cause(), Cause::command_failed);
    ASSERT_EQ(notices.size(), 3U);
    EXPECT_EQ(notices[0].what, Notice::What::tripped);
    EXPECT_EQ(notices[1].what, Notice::What::made_safe);
    EXPECT_EQ(notices[2].what, Notice::What::command_failed);
    EXPECT_EQ(notices[2].command_sequence, 1U);
    EXPECT_THAT(text(notices[2]), HasSubstr("charge 2 A up to 4.2 V failed: "));
    EXPECT_FALSE(channels[0].energised.load());
  }
}

TEST_F(PortCommand, ChamberSetpointIsWrittenAndReported) {
  FakeDevice& device = connected(DeviceKind::chamber);
  send(0, base::ChamberSetpoint{.run = 1, .temperature_degC = 40.0}, 3);
  round();
  EXPECT_EQ(device.chamber.temperature_degC, 40.0);
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].what, Notice::What::command_done);
  EXPECT_EQ(notices[0].event.kind, base::EventKind::chamber);
  EXPECT_EQ(notices[0].event.value, 40.0);
  EXPECT_THAT(text(notices[0]), HasSubstr("40 degC, sent and read back"));
  EXPECT_FALSE(channels[0].energised.load());
}

TEST_F(PortCommand, ChamberThatFailsTripsNothing) {
  FakeDevice& device = connected(DeviceKind::chamber);
  device.on_apply.fail(base::ErrorCode::mismatch);
  send(0, base::ChamberSetpoint{.run = 1, .temperature_degC = 40.0}, 1);
  send(0, base::ChamberSetpoint{.run = 1, .temperature_degC = 400.0}, 2);
  round();
  send(0, base::ChamberSetpoint{.run = 1, .temperature_degC = 40.0}, 3);
  round();
  EXPECT_EQ(cause(), Cause::none);
  ASSERT_EQ(notices.size(), 2U);
  for (const Notice& n : notices) EXPECT_EQ(n.what, Notice::What::command_failed);
  EXPECT_EQ(device.count(Called::make_safe), 0U);
}

TEST_F(PortCommand, DeviceThatIsNotConnectedFailsASetpointAndTripsButNotARest) {
  FakeDevice& device = add();
  device.die(milliseconds(10));
  build();
  round();
  notices.clear();
  send(0, rest(), 1);
  round();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].what, Notice::What::command_failed);
  EXPECT_EQ(cause(), Cause::none);
  send(0, charge(), 2);
  round();
  EXPECT_EQ(cause(), Cause::command_failed);
  EXPECT_EQ(device.count(Called::apply), 0U);
}

TEST_F(PortCommand, CommandForASensorFails) {
  connected(DeviceKind::sensor);
  send(0, rest(), 1);
  order_safe(0, 2);
  round();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].what, Notice::What::command_failed);
  EXPECT_EQ(notices[0].command_sequence, 2U);
}

TEST_F(PortCommand, RestPassesWhileLatchedButWaitsForMakeSafe) {
  FakeDevice& device = connected();
  send(0, charge(), 1);
  round();
  device.on_safe.fail(base::ErrorCode::mismatch, 2);
  trip(channels[0], Cause::operator_stop);
  send(0, rest(), 2);
  round();
  EXPECT_EQ(device.count(Called::apply), 1U);
  run_for(seconds(1));
  EXPECT_EQ(device.count(Called::apply), 2U);
  const auto done = of(Notice::What::command_done);
  ASSERT_EQ(done.size(), 2U);
  EXPECT_EQ(done[1].command_sequence, 2U);
}

TEST_F(PortCommand, SetpointIsRefusedWhileOffIsNotVerifiedEvenWhenTheLatchWasCleared) {
  FakeDevice& device = connected();
  send(0, charge(), 1);
  round();
  device.on_safe.fail(base::ErrorCode::mismatch);
  trip(channels[0], Cause::operator_stop);
  round();
  channels[0].latch.clear();
  send(0, charge(), 2);
  round();
  EXPECT_EQ(device.count(Called::apply), 1U);
  EXPECT_EQ(cause(), Cause::command_failed);
}

// The charge counter of the judge follows the step, so that a limit on the capacity of a step can trip.
TEST_F(PortCommand, StepCountOfTheCommandRestartsTheChargeCounter) {
  limits.tighten(Cause::capacity_high, 3.0, {});
  connected();
  send(0, charge(1.0), 1, 1);
  run_for(seconds(2));
  send(0, charge(1.0), 2, 2);
  run_for(seconds(2));
  EXPECT_EQ(cause(), Cause::none);
  run_for(seconds(2));
  EXPECT_EQ(cause(), Cause::capacity_high);
}

}  // namespace
}  // namespace cyclerd::io
