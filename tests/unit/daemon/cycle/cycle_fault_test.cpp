// What goes wrong: trips, acknowledgements, lost devices, a full ring.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/daemon/cycle/cycle_rig.hpp"

namespace cyclerd::cycle {
namespace {

using namespace cyclerd::test;
using profiles::RecordKind;
using profiles::Request;
using ::testing::Contains;
using ::testing::HasSubstr;
using What = io::Notice::What;

struct TripTest : ::testing::Test {
  void begin() {
    rig.rounds(3);
    rig.start(short_charge(60));
    rig.rounds(20);
  }
  void trip(safety::Cause cause) { rig.units[0]->latch.trip(static_cast<std::uint32_t>(cause)); }
  CycleRig rig;
};

TEST_F(TripTest, ends_the_test_as_tripped_and_stays_faulted) {
  begin();
  trip(safety::Cause::voltage_high);
  rig.round();
  EXPECT_EQ(rig.state(), ChannelState::faulted);
  EXPECT_EQ(rig.status().trip_cause, static_cast<std::uint32_t>(safety::Cause::voltage_high));
  const auto end = rig.all<profiles::TestEnd>(RecordKind::test_end);
  ASSERT_EQ(end.size(), 1u);
  EXPECT_EQ(end[0].outcome, profiles::TestOutcome::tripped);
  EXPECT_EQ(end[0].reason.view(), "voltage_high");
  const auto steps = rig.all<profiles::StepSummary>(RecordKind::step_summary);
  EXPECT_EQ(steps.at(0).reason, profiles::EndReason::trip);
  EXPECT_THAT(std::string(steps[0].reason_text.view()), HasSubstr("voltage_high"));
  EXPECT_EQ(rig.units[0]->commands.back().kind, base::Command::Kind::make_safe);
  rig.rounds(50);
  EXPECT_EQ(rig.state(), ChannelState::faulted);
  const auto start = rig.start(short_charge());
  rig.round();
  EXPECT_THAT(rig.refusal(start), HasSubstr("voltage_high"));
}

TEST_F(TripTest, brings_out_the_rows_before_it) {
  begin();
  trip(safety::Cause::voltage_high);
  rig.round();
  const auto rows = rig.all<profiles::Row>(RecordKind::row);
  int before = 0;
  for (const auto& r : rows) before += (r.flags & base::flag::kPretrigger) != 0 ? 1 : 0;
  EXPECT_GE(before, 2);  // 300 ms of them
}

TEST_F(TripTest, silent_instrument_does_not_keep_the_test_from_ending) {
  begin();
  rig.units[0]->silent = true;
  trip(safety::Cause::stale_cycler);
  rig.rounds(6);
  EXPECT_EQ(rig.state(), ChannelState::faulted);
  EXPECT_EQ(rig.all<profiles::TestEnd>(RecordKind::test_end).size(), 1u);
}

TEST_F(TripTest, is_acknowledged_only_when_the_cause_is_gone) {
  begin();
  rig.units[0]->cell.temperature_degC = 56.0;
  trip(safety::Cause::temperature_high);
  rig.rounds(5);
  auto ack = rig.acknowledge();
  rig.round();
  EXPECT_THAT(rig.refusal(ack), HasSubstr("temperature_high still holds: 56"));
  EXPECT_THAT(rig.refusal(ack), HasSubstr("limit 55"));
  for (const auto& [temperature_degC, gone] : {std::pair{55.001, false}, {55.0, true}}) {
    rig.units[0]->cell.temperature_degC = temperature_degC;
    rig.rounds(2);
    ack = rig.acknowledge();
    rig.round();
    EXPECT_EQ(rig.accepted(ack), gone) << temperature_degC;
  }
  EXPECT_EQ(rig.state(), ChannelState::safe);
  EXPECT_FALSE(rig.units[0]->latch.tripped());
  EXPECT_THAT(rig.events(base::EventKind::acknowledge), Contains(HasSubstr("grace: looked at it")));
  ack = rig.acknowledge();
  rig.round();
  EXPECT_EQ(rig.refusal(ack), "there is nothing to acknowledge");
}

TEST_F(TripTest, is_not_acknowledged_while_the_output_is_on_or_nothing_is_heard) {
  begin();
  trip(safety::Cause::voltage_high);
  rig.rounds(3);
  rig.units[0]->output_stuck_on = 1;
  rig.rounds(2);
  auto ack = rig.acknowledge();
  rig.round();
  EXPECT_THAT(rig.refusal(ack), HasSubstr("output is on"));
  rig.units[0]->output_stuck_on = 0;
  rig.units[0]->silent = true;
  rig.rounds(10);
  ack = rig.acknowledge();
  rig.round();
  EXPECT_THAT(rig.refusal(ack), HasSubstr("no fresh reading"));
}

TEST_F(TripTest, of_an_idle_channel_latches_too) {
  rig.rounds(3);
  trip(safety::Cause::output_mismatch);
  rig.rounds(3);
  EXPECT_EQ(rig.state(), ChannelState::faulted);
  const auto ack = rig.acknowledge();
  rig.round();
  EXPECT_TRUE(rig.accepted(ack));
  EXPECT_EQ(rig.state(), ChannelState::safe);
}

TEST_F(TripTest, stops_nothing_twice_and_refuses_requests_afterwards) {
  begin();
  trip(safety::Cause::voltage_high);
  rig.rounds(2);
  const auto pause = rig.ask(Request::pause);
  rig.round();
  EXPECT_EQ(rig.refusal(pause), "no test runs on this channel");
}

TEST(LostCycler, fails_the_test_and_latches) {
  CycleRig rig;
  rig.rounds(3);
  rig.start(short_charge(60));
  rig.rounds(20);
  rig.units[0]->silent = true;
  rig.notify(0, *rig.units[0]->lanes, What::lost);
  rig.rounds(7);
  EXPECT_EQ(rig.state(), ChannelState::faulted);
  EXPECT_TRUE(rig.units[0]->latch.tripped());
  const auto end = rig.all<profiles::TestEnd>(RecordKind::test_end);
  ASSERT_EQ(end.size(), 1u);
  EXPECT_EQ(end[0].outcome, profiles::TestOutcome::failed);
  EXPECT_EQ(end[0].reason.view(), "device_lost");
  EXPECT_EQ(rig.all<profiles::Input>(RecordKind::input).back().request, Request::device_lost);
  rig.units[0]->silent = false;
  rig.notify(0, *rig.units[0]->lanes, What::recovered);
  rig.rounds(3);
  EXPECT_EQ(rig.state(), ChannelState::faulted);
  const auto ack = rig.acknowledge();
  rig.round();
  EXPECT_TRUE(rig.accepted(ack));
}

TEST(LostCycler, of_an_idle_channel_comes_back_by_itself) {
  CycleRig rig;
  rig.rounds(3);
  rig.units[0]->silent = true;
  rig.notify(0, *rig.units[0]->lanes, What::lost);
  rig.rounds(2);
  EXPECT_EQ(rig.state(), ChannelState::faulted);
  rig.units[0]->silent = false;
  rig.rounds(2);
  EXPECT_EQ(rig.state(), ChannelState::safe);
}

TEST(LostChamber, pauses_the_test_and_resume_waits_until_it_is_back) {
  CycleRig rig({.chamber = true});
  rig.rounds(3);
  rig.start(short_charge(60));
  rig.rounds(20);
  rig.chamber_silent = true;
  rig.rounds(22);  // three quarters of 3 s: just not yet
  EXPECT_EQ(rig.state(), ChannelState::running);
  rig.rounds(3);
  EXPECT_EQ(rig.state(), ChannelState::paused);
  EXPECT_EQ(rig.units[0]->cell.current_A, 0.0);
  EXPECT_FALSE(rig.units[0]->latch.tripped());
  EXPECT_NE(rig.all<profiles::Input>(RecordKind::input).back().sample.flags & base::flag::kStale, 0u);
  auto resume = rig.ask(Request::resume);
  rig.round();
  EXPECT_THAT(rig.refusal(resume), HasSubstr("chamber"));
  rig.chamber_silent = false;
  rig.rounds(2);
  resume = rig.ask(Request::resume);
  rig.rounds(2);
  EXPECT_TRUE(rig.accepted(resume));
  EXPECT_EQ(rig.units[0]->cell.current_A, 2.0);
}

TEST(LostChamber, told_by_its_port_pauses_at_once) {
  CycleRig rig({.chamber = true});
  rig.rounds(3);
  rig.start(short_charge(60));
  rig.rounds(20);
  rig.chamber_silent = true;
  rig.notify(1, *rig.chamber_lanes, What::lost);
  rig.rounds(2);
  EXPECT_EQ(rig.state(), ChannelState::paused);
}

TEST(LostChamber, trips_when_the_policy_says_so) {
  CycleRig rig({.chamber = true, .chamber_loss_trips = true});
  rig.rounds(3);
  rig.start(short_charge(60));
  rig.rounds(20);
  rig.chamber_silent = true;
  rig.rounds(30);
  EXPECT_EQ(rig.state(), ChannelState::faulted);
  EXPECT_EQ(rig.units[0]->latch.cause(), static_cast<std::uint32_t>(safety::Cause::stale_chamber));
  EXPECT_EQ(rig.all<profiles::TestEnd>(RecordKind::test_end).at(0).outcome, profiles::TestOutcome::tripped);
}

TEST(LostChamber, that_takes_no_set_point_pauses) {
  CycleRig rig({.chamber = true});
  rig.rounds(3);
  rig.start(short_charge(60));
  rig.rounds(5);
  rig.notify(1, *rig.chamber_lanes, What::command_failed);
  rig.rounds(2);
  EXPECT_EQ(rig.state(), ChannelState::paused);
}

TEST(LostChamber, soak_does_not_complete_on_an_old_temperature) {
  CycleRig rig({.chamber = true});
  rig.units[0]->cell.temperature_degC = base::kAbsent;
  rig.rounds(3);
  ProgramBuilder b;
  b.step(StepKind::chamber, "soak").with(&Step::chamber, num(25)).with(&Step::soak_within, num(1));
  b.last().soak_for = base::seconds(10);
  rig.start(b.build());
  rig.rounds(20);
  rig.chamber_silent = true;
  rig.rounds(200);
  EXPECT_EQ(rig.state(), ChannelState::paused);
  EXPECT_TRUE(rig.all<profiles::StepSummary>(RecordKind::step_summary).empty());
}

TEST(RecordRing, above_four_fifths_pauses_the_tests) {
  CycleRig rig({.ring_bytes = 64U << 10});
  rig.rounds(3);
  rig.start(short_charge(600));
  rig.rounds(5);
  rig.draining = false;
  for (int i = 0; i < 2000 && rig.state() == ChannelState::running; ++i) rig.round();
  EXPECT_EQ(rig.state(), ChannelState::paused);
  EXPECT_GT(rig.ring.used_bytes(), rig.ring.capacity_bytes() * 8 / 10);
  EXPECT_LT(rig.ring.used_bytes(), rig.ring.capacity_bytes());
  const auto resume = rig.ask(Request::resume);
  rig.round();
  EXPECT_THAT(rig.refusal(resume), HasSubstr("80 %"));
  rig.drain();
  EXPECT_THAT(rig.events(base::EventKind::overrun), Contains(HasSubstr("half full")));
  const auto again = rig.ask(Request::resume);
  rig.draining = true;
  rig.round();
  EXPECT_TRUE(rig.accepted(again));
}

TEST(RecordRing, overflow_is_told_as_a_gap_with_its_size) {
  CycleRig rig({.ring_bytes = 64U << 10});
  rig.rounds(3);
  rig.start(short_charge(600));
  rig.rounds(5);
  rig.draining = false;
  rig.rounds(1000);
  rig.drain();
  rig.draining = true;
  rig.rounds(2);
  double told = 0.0;
  for (const auto& e : rig.all<base::Event>(RecordKind::event)) told += e.kind == base::EventKind::gap ? e.value : 0.0;
  // Every scan's input is either there or told as lost; other frames were lost with them.
  const auto inputs = rig.all<profiles::Input>(RecordKind::input).size();
  EXPECT_LT(inputs, 900u);
  EXPECT_GE(told, static_cast<double>(1007 - inputs));
  std::uint64_t last = 0;
  for (const Frame& f : rig.frames) {
    if (f.header.test != rig.runs[0]->test) continue;
    EXPECT_EQ(f.header.sequence, last + 1);
    last = f.header.sequence;
  }
}

TEST(CommandLane, full_is_told_once_and_tried_again) {
  CycleRig rig;
  rig.rounds(3);
  auto& lane = rig.units[0]->lanes->commands;
  while (lane.push({})) {
  }
  rig.start(short_charge(60));
  for (int i = 0; i < 3; ++i) {
    rig.feed();
    rig.cycle->run_once();
  }
  rig.drain();
  int told = 0;
  for (const auto& text : rig.events(base::EventKind::overrun))
    told += text.find("no more commands") != std::string::npos;
  EXPECT_EQ(told, 1);
  base::Command c;
  while (lane.pop(c)) {
  }
  rig.round();
  ASSERT_FALSE(rig.units[0]->commands.empty());
  EXPECT_EQ(rig.units[0]->commands.back().setpoint.current_A, 2.0);
  EXPECT_EQ(rig.units[0]->commands.back().sequence, 1u);
}

}  // namespace
}  // namespace cyclerd::cycle
