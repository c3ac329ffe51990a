#include "tests/unit/daemon/io/port_fixture.hpp"

namespace cyclerd::io {
namespace {

class PortPoll : public PortFixture {};

TEST_F(PortPoll, OpensTheDeviceProgramsItsProtectionsAndPollsInTheFirstRound) {
  add();
  build();
  round();
  ASSERT_GE(journal.size(), 3U);
  EXPECT_EQ(journal[0].what, Called::open);
  EXPECT_EQ(journal[1].what, Called::protect);
  EXPECT_EQ(journal[2].what, Called::read);
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices[0].what, Notice::What::recovered);
  EXPECT_EQ(text(notices[0]), "connected: Fake One 1; output off");
  EXPECT_EQ(health(0).link, LinkState::open);
  EXPECT_EQ(health(0).identity.model.view(), "One");
  EXPECT_EQ(lanes.heartbeat.load(), 3U) << "opening, a poll, the round";
}

TEST_F(PortPoll, DeviceWithoutProtectionsIsUsedOneThatRefusesThemIsNot) {
  add().on_protect.fail(base::ErrorCode::unsupported);
  add().on_protect.fail(base::ErrorCode::mismatch);
  build();
  round();
  EXPECT_EQ(health(0).link, LinkState::open);
  EXPECT_EQ(health(1).link, LinkState::closed);
  EXPECT_EQ(readings_of(1), 0U);
}

TEST_F(PortPoll, StampsSentReceivedWallSequenceAndDevice) {
  add();
  FakeDevice& second = add();
  second.on_read.cost = milliseconds(7);
  build();
  run_for(milliseconds(250));
  ASSERT_EQ(readings_of(1), 3U);
  std::uint64_t sequence = 0;
  for (const base::Reading& r : readings) {
    if (r.device != 1) continue;
    EXPECT_EQ(r.sequence, ++sequence);
    EXPECT_EQ((r.received - r.sent), milliseconds(7));
    EXPECT_EQ(r.wall.us - r.received.us, clock.wall().us - clock.now().us);
    EXPECT_EQ(r.flags, 0U);
  }
  EXPECT_EQ(health(1).round_trip_us, 7000);
  EXPECT_EQ(health(1).polls, 3U);
}

TEST_F(PortPoll, KeepsItsGridHoweverLongAPollTakes) {
  FakeDevice& device = add();
  build();
  round();
  const MonoTime first = readings[0].sent;
  for (int i = 1; i <= 20; ++i) {
    device.on_read.cost = milliseconds(1 + 4 * i);
    run_until(first + milliseconds(100) * i + milliseconds(99));
  }
  ASSERT_EQ(readings.size(), 21U);
  for (std::size_t i = 0; i < readings.size(); ++i) {
    EXPECT_EQ(readings[i].sent, first + milliseconds(100) * static_cast<std::int64_t>(i));
  }
  EXPECT_EQ(health(0).overruns, 0U);
}

TEST_F(PortPoll, LatePollsAreSkippedAndCountedNeverCaughtUp) {
  FakeDevice& device = add();
  build();
  run_for(milliseconds(150));
  const MonoTime first = readings[0].sent;
  ASSERT_EQ(readings.size(), 2U);
  device.on_read.once = milliseconds(349);  // the third poll returns at 550
  run_until(first + milliseconds(799));
  std::vector<std::int64_t> sent_ms;
  for (const base::Reading& r : readings) sent_ms.push_back((r.sent - first).us / 1000);
  EXPECT_THAT(sent_ms, testing::ElementsAre(0, 100, 200, 550, 600, 700));
  EXPECT_EQ(health(0).overruns, 2U) << "the polls of 300 and 400; that of 500 began in its period";
}

TEST_F(PortPoll, PollsNoFasterThanTheInstrumentMeasures) {
  add().mutable_capability().min_scan = milliseconds(500);
  build();
  run_for(seconds(5));
  EXPECT_EQ(readings.size(), 10U);
}

TEST_F(PortPoll, FailedPollIsAReadingWithoutData) {
  FakeDevice& device = add();
  build();
  run_for(milliseconds(50));
  device.on_read.fail(base::ErrorCode::protocol, 1);
  run_for(milliseconds(100));
  ASSERT_EQ(readings.size(), 2U);
  EXPECT_EQ(readings[1].flags, base::flag::kInvalid);
  EXPECT_EQ(readings[1].sequence, 2U);
  EXPECT_TRUE(std::isnan(readings[1].voltage_V));
  EXPECT_EQ(health(0).errors, 1U);
  EXPECT_EQ(health(0).reading.sequence, 1U) << "health keeps the last good one";
}

TEST_F(PortPoll, ReadingWithoutItsOwnQuantitiesIsFlagged) {
  add().values.voltage_V = base::kAbsent;
  build();
  round();
  EXPECT_EQ(readings.at(0).flags, base::flag::kInvalid);
}

TEST_F(PortPoll, EveryRoundIsAHeartbeatAndNeverFurtherThanTheLongestIdle) {
  add(DeviceKind::chamber, seconds(60));
  build();
  port->run_once();
  for (int i = 0; i < 5; ++i) {
    const std::uint64_t before = lanes.heartbeat.load();
    const MonoTime next = port->run_once();
    EXPECT_EQ(lanes.heartbeat.load(), before + 1) << "an idle round";
    EXPECT_LE(next - clock.now(), Port::kMaxIdle);
    clock.advance_to(next);
  }
}

TEST_F(PortPoll, OverloadedWireStillReturns) {
  for (int i = 0; i < 3; ++i) add(DeviceKind::cycler, milliseconds(1)).on_read.cost = milliseconds(5);
  build();
  for (int i = 0; i < 10; ++i) {
    round();
    EXPECT_LT(readings.size(), 40U * static_cast<std::size_t>(i + 1));
  }
  const auto n = static_cast<double>(readings.size()) / 3.0;
  for (std::uint32_t d = 0; d < 3; ++d) EXPECT_NEAR(static_cast<double>(readings_of(d)), n, 1.0) << "nobody starves";
  EXPECT_GT(health(0).overruns, 0U);
}

TEST_F(PortPoll, CommandGoesBeforeAPollThatIsDueAtTheSameMoment) {
  FakeDevice& device = add();
  build();
  run_for(milliseconds(100));
  send(0, charge());
  journal.clear();
  round();
  ASSERT_EQ(journal.size(), 2U);
  EXPECT_EQ(journal[0].what, Called::apply);
  EXPECT_EQ(journal[1].what, Called::read);
  EXPECT_EQ(device.setpoint, charge());
}

}  // namespace
}  // namespace cyclerd::io
