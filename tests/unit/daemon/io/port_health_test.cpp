#include "tests/unit/daemon/io/port_fixture.hpp"

namespace cyclerd::io {
namespace {

using testing::HasSubstr;

class PortHealth : public PortFixture {
 protected:
  FakeDevice& connected() {
    FakeDevice& device = add();
    build();
    run_for(milliseconds(50));
    notices.clear();
    return device;
  }
};

TEST_F(PortHealth, OneMissIsSuspectAndASuccessForgivesIt) {
  FakeDevice& device = connected();
  device.on_read.fail(base::ErrorCode::timeout, 2);
  device.set_timeout(milliseconds(10));
  run_for(milliseconds(100));
  EXPECT_EQ(health(0).link, LinkState::suspect);
  EXPECT_THAT(std::string{health(0).error.view()}, HasSubstr("as the test wants it"));
  run_for(milliseconds(100));
  EXPECT_EQ(health(0).link, LinkState::suspect);
  run_for(milliseconds(100));
  EXPECT_EQ(health(0).link, LinkState::open);
  device.on_read.fail(base::ErrorCode::timeout, 2);
  run_for(milliseconds(300));
  EXPECT_EQ(health(0).link, LinkState::open) << "three in a row, not in all";
  EXPECT_TRUE(of(Notice::What::lost).empty());
}

TEST_F(PortHealth, ThreeMissesQuarantineAndAreToldOnce) {
  FakeDevice& device = connected();
  device.die(milliseconds(10));
  run_for(milliseconds(400));
  EXPECT_EQ(health(0).link, LinkState::quarantined);
  const auto lost = of(Notice::What::lost);
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].event.kind, base::EventKind::fault);
  EXPECT_EQ(device.count(Called::read), 4U) << "one good, three missed";
  run_for(seconds(100));
  EXPECT_EQ(of(Notice::What::lost).size(), 1U);
  EXPECT_EQ(cause(), Cause::none) << "nothing was energised";
  EXPECT_EQ(device.count(Called::make_safe), 0U);
}

TEST_F(PortHealth, ProbesWithABackOffFromOneToThirtySeconds) {
  FakeDevice& device = connected();
  device.die(milliseconds(10));
  run_for(milliseconds(400));
  const std::size_t before = device.calls.size();
  run_for(seconds(100));
  std::vector<std::int64_t> gaps_ms;
  MonoTime last = device.calls[before - 1].time;
  for (std::size_t i = before; i < device.calls.size(); ++i) {
    if (device.calls[i].what != Called::open) continue;
    gaps_ms.push_back((device.calls[i].time - last).us / 1000);
    last = device.calls[i].time;
  }
  EXPECT_THAT(gaps_ms, testing::ElementsAre(1010, 2010, 4010, 8010, 16010, 30010, 30010));
}

TEST_F(PortHealth, AnsweringAgainItIsOpenedAnewOutputOffAndPolled) {
  FakeDevice& device = connected();
  device.die(milliseconds(10));
  run_for(milliseconds(400));
  device.revive();
  readings.clear();
  run_for(seconds(2));
  EXPECT_EQ(health(0).link, LinkState::open);
  EXPECT_EQ(health(0).reconnects, 1U);
  EXPECT_EQ(of(Notice::What::recovered).size(), 1U);
  EXPECT_EQ(device.count(Called::protect), 2U);
  EXPECT_GE(readings_of(0), 9U);
}

TEST_F(PortHealth, BackOffStartsAnewOnlyAfterAReading) {
  FakeDevice& device = connected();
  device.on_read.fail(base::ErrorCode::timeout);  // opens, but never delivers
  device.set_timeout(milliseconds(10));
  run_for(seconds(100));
  EXPECT_LE(device.count(Called::open), 8U);
}

TEST_F(PortHealth, LostWhileEnergisedTripsAndIsMadeSafeUntilItAnswers) {
  FakeDevice& device = connected();
  send(0, charge());
  run_for(milliseconds(20));
  limits = {};
  const MonoTime died = clock.now();
  device.die(milliseconds(10));
  run_for(milliseconds(400));
  EXPECT_EQ(cause(), Cause::device_lost);
  EXPECT_EQ(of(Notice::What::tripped).size(), 1U);
  EXPECT_EQ(of(Notice::What::lost).size(), 1U);
  EXPECT_GE(device.count(Called::make_safe), 1U);
  EXPECT_TRUE(channels[0].energised.load()) << "nobody knows it is off";
  run_for(seconds(10));
  EXPECT_GE(device.count(Called::make_safe, died), 10U);
  device.revive();
  run_for(milliseconds(1500));
  EXPECT_FALSE(channels[0].energised.load());
  EXPECT_EQ(of(Notice::What::made_safe).size(), 1U);
  EXPECT_EQ(of(Notice::What::recovered).size(), 1U);
  EXPECT_EQ(health(0).link, LinkState::open);
  EXPECT_EQ(cause(), Cause::device_lost) << "stays latched";
}

TEST_F(PortHealth, DeadAtTheStartIsToldOnceAndFoundLater) {
  FakeDevice& device = add();
  device.die(milliseconds(10));
  build();
  run_for(seconds(10));
  EXPECT_EQ(health(0).link, LinkState::closed);
  EXPECT_EQ(of(Notice::What::lost).size(), 1U);
  EXPECT_EQ(device.count(Called::read), 0U);
  device.revive();
  run_for(seconds(20));
  EXPECT_EQ(health(0).link, LinkState::open);
  EXPECT_EQ(health(0).reconnects, 0U);
}

class DeadSlave : public PortHealth, public testing::WithParamInterface<bool> {};

// Eight slaves at 10 Hz fill 40 % of the wire; one dies. Its time-out is as long as a period.
TEST_P(DeadSlave, OfEightLeavesTheOthersNinetyFivePercentOfTheirRate) {
  const bool energised = GetParam();
  std::vector<FakeDevice*> devices;
  for (std::uint32_t i = 0; i < 8; ++i) {
    devices.push_back(&add(DeviceKind::cycler, milliseconds(100), i));
    devices.back()->on_read.cost = milliseconds(5);
    devices.back()->on_apply.cost = milliseconds(5);
  }
  build();
  run_for(seconds(1));
  if (energised) send(3, charge());
  run_for(seconds(1));
  devices[3]->die(milliseconds(100));
  const MonoTime died = clock.now();
  run_for(seconds(60));
  for (std::uint32_t i = 0; i < 8; ++i) {
    if (i == 3) continue;
    EXPECT_GE(readings_of(i, died), 570U) << "of 600, device " << i;
    EXPECT_EQ(cause(i), Cause::none);
    MonoTime last = died;
    for (const base::Reading& r : readings) {
      if (r.device != i || r.sent < died) continue;
      EXPECT_LE(r.sent - last, milliseconds(500)) << "no gap that would trip";
      last = r.sent;
    }
  }
  EXPECT_EQ(health(3).link, LinkState::quarantined);
  EXPECT_EQ(cause(3), energised ? Cause::device_lost : Cause::none);
}

INSTANTIATE_TEST_SUITE_P(IdleOrEnergised, DeadSlave, testing::Bool());

TEST_F(PortHealth, ProbesTakeAtMostFivePercentOfASharedWire) {
  FakeDevice& alive = add();
  std::vector<FakeDevice*> dead;
  for (std::uint32_t i = 1; i < 6; ++i) {
    dead.push_back(&add(DeviceKind::cycler, milliseconds(100), i));
    dead.back()->die(milliseconds(400));
  }
  build();
  run_for(seconds(10));
  const MonoTime from = clock.now();
  run_for(seconds(400));
  std::size_t probes = 0;
  for (const FakeDevice* d : dead) {
    probes += d->count(Called::open, from);
    EXPECT_GE(d->count(Called::open, from), 1U) << "everybody gets a turn";
  }
  EXPECT_LE(static_cast<double>(probes) * 0.4, 0.05 * 400.0 + 0.4);
  EXPECT_GE(alive.count(Called::read, from), 3800U);
}

TEST_F(PortHealth, FirstAttemptsOfAllDevicesComeWithoutDelay) {
  FakeDevice& first = add();
  add(DeviceKind::cycler, milliseconds(100), 1);
  FakeDevice& dead = add(DeviceKind::cycler, milliseconds(100), 2);
  add(DeviceKind::cycler, milliseconds(100), 3);
  dead.die(milliseconds(300));
  (void)first;
  build();
  run_for(milliseconds(500));
  for (const std::uint32_t i : {0U, 1U, 3U}) EXPECT_EQ(health(i).link, LinkState::open) << i;
}

class PortWatchdog : public PortFixture {
 protected:
  FakeDevice& guarded(base::Duration timeout) {
    FakeDevice& device = add();
    device.mutable_capability().watchdog = device::WatchdogKind::programmable;
    device.mutable_capability().watchdog_timeout = timeout;
    build();
    run_for(milliseconds(50));
    return device;
  }
  static base::Duration longest_gap(const FakeDevice& device, MonoTime from, MonoTime to) {
    base::Duration longest;
    MonoTime last = from;
    for (const test::Call& c : device.calls) {
      if (c.what != Called::feed || c.time < from || c.time > to) continue;
      longest = std::max(longest, c.time - last);
      last = c.time;
    }
    return std::max(longest, to - last);
  }
};

TEST_F(PortWatchdog, IsFedAtAThirdOfItsTimeoutOrFasterOnItsOwnSchedule) {
  FakeDevice& device = guarded(seconds(2));
  device.on_read.cost = milliseconds(90);
  const MonoTime from = clock.now();
  run_for(seconds(60));
  EXPECT_LE(longest_gap(device, from, clock.now()).us, 2'000'000 / 3);
  EXPECT_LE(device.count(Called::feed), 130U) << "and not at every poll";
  EXPECT_EQ(health(0).has_watchdog, 1);
}

TEST_F(PortWatchdog, IsNotFedWhereThereIsNone) {
  FakeDevice& device = add();
  build();
  run_for(seconds(10));
  EXPECT_EQ(device.count(Called::feed), 0U);
  EXPECT_EQ(health(0).has_watchdog, 0);
}

TEST_F(PortWatchdog, GoesOnAfterATripSoThatMeasurementGoesOn) {
  FakeDevice& device = guarded(seconds(2));
  trip(channels[0], Cause::operator_stop);
  run_for(milliseconds(200));
  const MonoTime from = clock.now();
  run_for(seconds(20));
  EXPECT_LE(longest_gap(device, from, clock.now()).us, 2'000'000 / 3);
}

// The last resort: an output that should be off and is not known to be is left to the instrument's own watchdog.
TEST_F(PortWatchdog, StarvesWhileOffIsDemandedAndNotVerified) {
  FakeDevice& device = guarded(seconds(2));
  send(0, charge());
  run_for(milliseconds(100));
  device.on_safe.fail(base::ErrorCode::mismatch);
  trip(channels[0], Cause::operator_stop);
  run_for(milliseconds(1));
  const MonoTime from = clock.now();
  run_for(seconds(20));
  EXPECT_EQ(device.count(Called::feed, from), 0U);
  device.on_safe.heal();
  run_for(seconds(3));
  EXPECT_GE(device.count(Called::feed, from), 3U);
}

TEST_F(PortWatchdog, FeedsThatFailCountAsMisses) {
  FakeDevice& device = guarded(milliseconds(100));
  device.on_feed.fail(base::ErrorCode::timeout);
  device.on_read.fail(base::ErrorCode::timeout);
  device.set_timeout(milliseconds(10));
  run_for(milliseconds(200));
  EXPECT_EQ(health(0).link, LinkState::quarantined);
}

TEST_F(PortWatchdog, IsFedBeforeACommandAndAfterMakeSafe) {
  FakeDevice& device = guarded(seconds(2));
  (void)device;
  clock.advance(milliseconds(700));
  send(0, rest());
  journal.clear();
  round();
  ASSERT_EQ(journal.size(), 3U);
  EXPECT_EQ(journal[0].what, Called::feed);
  EXPECT_EQ(journal[1].what, Called::apply);
  EXPECT_EQ(journal[2].what, Called::read);
  clock.advance(milliseconds(700));
  trip(channels[0], Cause::operator_stop);
  journal.clear();
  round();
  ASSERT_EQ(journal.size(), 3U);
  EXPECT_EQ(journal[0].what, Called::make_safe);
  EXPECT_EQ(journal[1].what, Called::feed);
}

}  // namespace
}  // namespace cyclerd::io
