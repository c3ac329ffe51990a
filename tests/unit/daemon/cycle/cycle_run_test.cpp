// A test's life: start, run, requests, end, and what the record holds of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/allocation_count.hpp"
#include "tests/unit/daemon/cycle/cycle_rig.hpp"

namespace cyclerd::cycle {
namespace {

using namespace cyclerd::test;
using profiles::RecordKind;
using profiles::Request;
using profiles::RunState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CycleStart, channel_is_faulted_until_its_devices_have_said_good_things) {
  CycleRig rig({.chamber = true});
  rig.cycle->run_once();
  EXPECT_EQ(rig.state(), ChannelState::faulted);
  EXPECT_EQ(rig.status().trip_cause, static_cast<std::uint32_t>(safety::Cause::self_check));
  rig.chamber_silent = true;
  rig.rounds(3);
  EXPECT_EQ(rig.state(), ChannelState::faulted);
  rig.chamber_silent = false;
  rig.units[0]->output_stuck_on = 1;
  rig.rounds(3);
  EXPECT_EQ(rig.state(), ChannelState::faulted);
  rig.units[0]->output_stuck_on = 0;
  rig.units[0]->flags = base::flag::kInvalid;
  rig.rounds(3);
  EXPECT_EQ(rig.state(), ChannelState::faulted);
  rig.units[0]->flags = 0;
  rig.rounds(2);
  EXPECT_EQ(rig.state(), ChannelState::safe);
}

TEST(CycleStart, is_refused_with_the_reason) {
  CycleRig rig;
  const auto early = rig.start(short_charge());
  rig.cycle->run_once();
  rig.take_replies();
  EXPECT_THAT(rig.refusal(early), HasSubstr("no fresh reading"));
  EXPECT_THAT(rig.given_back, ElementsAre(rig.runs[0].get()));
  rig.rounds(3);
  rig.units[0]->silent = true;
  rig.rounds(6);
  EXPECT_EQ(rig.state(), ChannelState::faulted);
  const auto silent = rig.start(short_charge());
  rig.round();
  EXPECT_THAT(rig.refusal(silent), HasSubstr("no fresh reading"));
  rig.units[0]->silent = false;
  rig.rounds(2);
  EXPECT_EQ(rig.state(), ChannelState::safe);
  const auto good = rig.start(short_charge());
  rig.round();
  EXPECT_TRUE(rig.accepted(good));
  const auto second = rig.start(short_charge());
  rig.round();
  EXPECT_THAT(rig.refusal(second), HasSubstr("runs on this channel"));
  const auto nowhere = rig.start(short_charge(), 7);
  rig.round();
  EXPECT_THAT(rig.refusal(nowhere), HasSubstr("no such channel"));
  EXPECT_EQ(rig.given_back.size(), 4u);
}

TEST(CycleStart, metadata_too_long_for_the_ring_is_refused_and_nothing_runs) {
  CycleRig rig({.ring_bytes = 16384});
  rig.rounds(3);
  rig.start(short_charge());
  rig.runs[0]->metadata_json.assign(8000, 'x');
  rig.rounds(3);
  EXPECT_THAT(rig.refusal(1), HasSubstr("no room"));
  EXPECT_EQ(rig.state(), ChannelState::safe);
}

TEST(CycleRun, goes_from_safe_to_finished_and_gives_the_run_back) {
  CycleRig rig({.chamber = true});
  rig.rounds(3);
  const auto order = rig.start(short_charge());
  rig.cycle->run_once();
  EXPECT_EQ(rig.state(), ChannelState::armed);
  rig.obey();
  ASSERT_EQ(rig.units[0]->limits.size(), 1u);
  ASSERT_EQ(rig.chamber_limits.size(), 1u);
  EXPECT_EQ(rig.units[0]->limits[0].table.bound(safety::Cause::voltage_high), 4.25);
  rig.round();
  EXPECT_EQ(rig.state(), ChannelState::running);
  EXPECT_EQ(rig.status().test, rig.runs[0]->test);
  rig.run_to_end();
  EXPECT_EQ(rig.state(), ChannelState::finished);
  EXPECT_TRUE(rig.accepted(order));
  EXPECT_THAT(rig.given_back, ElementsAre(rig.runs[0].get()));
  EXPECT_EQ(rig.units[0]->limits.size(), 2u);
  EXPECT_EQ(rig.units[0]->cell.setpoint.control, base::Control::rest);
  const auto end = rig.all<profiles::TestEnd>(RecordKind::test_end);
  ASSERT_EQ(end.size(), 1u);
  EXPECT_EQ(end[0].outcome, profiles::TestOutcome::completed);
  EXPECT_EQ(end[0].reason.view(), "the profile is done");
  const auto again = rig.start(short_charge());
  rig.rounds(2);
  EXPECT_TRUE(rig.accepted(again));
}

TEST(CycleRun, record_is_complete_numbered_without_holes_and_begins_and_ends) {
  CycleRig rig;
  rig.rounds(3);
  rig.start(short_charge());
  rig.run_to_end();
  const std::uint64_t test = rig.runs[0]->test;
  std::vector<const Frame*> frames;
  for (const Frame& f : rig.frames) {
    if (f.header.test == test) frames.push_back(&f);
  }
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(frames[i]->header.sequence, i + 1);
    EXPECT_EQ(frames[i]->header.channel, 0u);
  }
  ASSERT_EQ(frames.front()->header.kind, RecordKind::test_begin);
  ASSERT_EQ(frames.back()->header.kind, RecordKind::test_end);
  const auto begin = frames.front()->as<profiles::TestBegin>();
  const std::string metadata(reinterpret_cast<const char*>(frames.front()->payload.data()) + sizeof begin,
                             begin.metadata_bytes);
  EXPECT_EQ(metadata, rig.runs[0]->metadata_json);
  EXPECT_EQ(frames.front()->payload.size(), sizeof begin + metadata.size());
  // 5 s up, 1 s rest, 5 s down at ten scans a second, both ends included.
  EXPECT_EQ(rig.all<profiles::Input>(RecordKind::input).size(), 111u);
  EXPECT_EQ(rig.all<profiles::StepSummary>(RecordKind::step_summary).size(), 3u);
  EXPECT_EQ(rig.all<profiles::CycleSummary>(RecordKind::cycle_summary).size(), 1u);
  const auto rows = rig.all<profiles::Row>(RecordKind::row);
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].record_index, i + 1);
  EXPECT_EQ(rows.back().test_time_us, 11'000'000);
  EXPECT_EQ(rig.status().rows_kept, rows.size());
}

TEST(CycleRun, sample_is_stamped_at_the_middle_with_half_the_round_trip_as_uncertainty) {
  CycleRig rig;
  rig.rounds(3);
  rig.start(short_charge());
  rig.rounds(3);
  const auto inputs = rig.all<profiles::Input>(RecordKind::input);
  ASSERT_GE(inputs.size(), 2u);
  EXPECT_EQ(inputs[0].sample.uncertainty_us, 300);
  EXPECT_EQ((inputs[0].sample.time.us + 300) % 100'000, 0);
  EXPECT_EQ(inputs[0].sample.wall.us - inputs[0].sample.time.us, rig.clock.wall().us - rig.clock.now().us);
}

TEST(CycleRun, recorded_inputs_replay_to_the_recorded_orders_rows_and_checkpoints) {
  CycleRig rig({.chamber = true});
  rig.rounds(3);
  ProgramBuilder b;
  profiles::RecordRule rule;
  rule.every = base::seconds(1);
  rule.pretrigger = base::milliseconds(300);
  b.record(rule);
  b.step(StepKind::chamber, "soak").with(&Step::chamber, num(30)).with(&Step::soak_within, num(6));
  b.last().soak_for = base::seconds(1);
  b.repeat("cycles", num(2));
  b.charge("up", 2.0).with(&Step::voltage, num(4.2)).for_seconds(3);
  b.discharge("down", 3.0).with(&Step::chamber, num(28)).for_seconds(2);
  b.advance_cycle().end_repeat();
  const auto program = b.build();
  rig.start(program);
  rig.rounds(40);
  rig.ask(Request::pause);
  rig.rounds(10);
  rig.ask(Request::resume);
  rig.run_to_end();
  const std::uint64_t test = rig.runs[0]->test;
  const auto inputs = rig.all<profiles::Input>(RecordKind::input, test);
  const profiles::Replayed again = profiles::replay(*program, inputs);
  const auto commands = rig.all<base::Command>(RecordKind::command, test);
  ASSERT_EQ(again.commands.size(), commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i)
    EXPECT_TRUE(profiles::same_order(commands[i], again.commands[i])) << i;
  const auto rows = rig.all<profiles::Row>(RecordKind::row, test);
  ASSERT_EQ(again.rows.size(), rows.size());
  EXPECT_EQ(std::memcmp(again.rows.data(), rows.data(), rows.size() * sizeof(profiles::Row)), 0);
  // The last checkpoint is the state after its input, bit for bit.
  const Frame* checkpoint = nullptr;
  for (const Frame& f : rig.frames) {
    if (f.header.kind == RecordKind::checkpoint) checkpoint = &f;
  }
  ASSERT_NE(checkpoint, nullptr);
  const auto head = checkpoint->as<profiles::Checkpoint>();
  EXPECT_EQ(head.last_input_sequence, inputs.size());
  ASSERT_EQ(checkpoint->payload.size(), sizeof head + sizeof(profiles::ExecutorState));
  EXPECT_EQ(std::memcmp(checkpoint->payload.data() + sizeof head, &again.state, sizeof again.state), 0);
  // What the instruments got is what was recorded.
  EXPECT_EQ(rig.units[0]->commands.size() + rig.chamber_commands.size(), commands.size());
  EXPECT_EQ(rig.chamber_commands.front().chamber.temperature_degC, 30.0);
}

TEST(CycleRun, trip_replays_too) {
  CycleRig rig;
  rig.rounds(3);
  const auto program = short_charge();
  rig.start(program);
  rig.rounds(20);
  rig.units[0]->latch.trip(static_cast<std::uint32_t>(safety::Cause::voltage_high));
  rig.rounds(3);
  const auto commands = rig.all<base::Command>(RecordKind::command);
  const auto again = profiles::replay(*program, rig.all<profiles::Input>(RecordKind::input));
  ASSERT_EQ(again.commands.size(), commands.size());
  EXPECT_TRUE(profiles::same_order(commands.back(), again.commands.back()));
  EXPECT_EQ(commands.back().kind, base::Command::Kind::make_safe);
}

TEST(CycleRun, commands_are_numbered_by_device_and_carry_the_step) {
  CycleRig rig;
  rig.rounds(3);
  rig.start(short_charge());
  rig.run_to_end();
  const auto& commands = rig.units[0]->commands;
  ASSERT_EQ(commands.size(), 4u);
  for (std::size_t i = 0; i < commands.size(); ++i) EXPECT_EQ(commands[i].sequence, i + 1);
  EXPECT_EQ(commands[0].step_count, 1u);
  EXPECT_EQ(commands[1].step_count, 2u);
  EXPECT_EQ(commands[2].step_count, 3u);
  EXPECT_EQ(commands[3].setpoint.control, base::Control::rest);
}

TEST(CycleRequest, pause_and_resume_are_answered_after_their_checkpoint) {
  CycleRig rig;
  rig.rounds(3);
  rig.start(short_charge());
  rig.rounds(10);
  const auto pause = rig.ask(Request::pause);
  rig.round();
  EXPECT_TRUE(rig.accepted(pause));
  EXPECT_EQ(rig.state(), ChannelState::paused);
  EXPECT_EQ(rig.units[0]->cell.current_A, 0.0);
  const std::uint64_t position = rig.reply_to(pause)->ring_position;
  ASSERT_LE(position, rig.frames.size());
  std::size_t request_at = 0;
  std::size_t checkpoint_at = 0;
  for (std::size_t i = 0; i < position; ++i) {
    if (rig.frames[i].header.kind == RecordKind::input && rig.frames[i].as<profiles::Input>().request == Request::pause)
      request_at = i;
    if (rig.frames[i].header.kind == RecordKind::checkpoint) checkpoint_at = i;
  }
  EXPECT_GT(request_at, 0u);
  EXPECT_GT(checkpoint_at, request_at);
  const auto twice = rig.ask(Request::pause);
  rig.round();
  EXPECT_EQ(rig.refusal(twice), "the test is paused already");
  const auto resume = rig.ask(Request::resume);
  rig.round();
  EXPECT_TRUE(rig.accepted(resume));
  EXPECT_EQ(rig.state(), ChannelState::running);
  rig.round();
  EXPECT_EQ(rig.units[0]->cell.current_A, 2.0);
  const auto not_paused = rig.ask(Request::resume);
  rig.round();
  EXPECT_EQ(rig.refusal(not_paused), "the test is not paused");
}

TEST(CycleRequest, stop_ends_the_test_and_never_queues_behind_others) {
  CycleRig rig;
  rig.rounds(3);
  rig.start(short_charge());
  rig.rounds(5);
  std::vector<std::uint64_t> skips;
  for (int i = 0; i < 8; ++i) skips.push_back(rig.ask(Request::skip_step));
  const auto stop = rig.ask(Request::stop);
  rig.round();
  EXPECT_TRUE(rig.accepted(stop));
  EXPECT_EQ(rig.state(), ChannelState::finished);
  for (const auto id : skips) EXPECT_THAT(rig.refusal(id), ::testing::AnyOf("the test is over", "a stop came first"));
  EXPECT_EQ(rig.all<profiles::TestEnd>(RecordKind::test_end).at(0).outcome, profiles::TestOutcome::stopped);
  const auto late = rig.ask(Request::stop);
  rig.round();
  EXPECT_EQ(rig.refusal(late), "no test runs on this channel");
}

TEST(CycleRequest, note_goes_into_the_record_under_its_kind) {
  CycleRig rig;
  Order order;
  order.kind = Order::Kind::note;
  order.note_kind = base::EventKind::clock;
  order.who = "clock";
  order.text = "stepped";
  order.value = 3.0;
  rig.push(order);
  rig.round();
  EXPECT_THAT(rig.events(base::EventKind::clock), ElementsAre("stepped"));
}

TEST(CycleRun, conditions_wait_until_the_set_point_is_confirmed) {
  CycleRig rig;
  rig.rounds(3);
  ProgramBuilder b;
  b.charge("taper", 2.0).with(&Step::voltage, num(4.2)).until(current_below(0.1)).for_seconds(60);
  rig.units[0]->confirms = false;
  rig.units[0]->cell.setpoint = {};
  rig.start(b.build());
  rig.feed();
  rig.cycle->run_once();  // the first sample: the set-point is on its way
  base::Command command;
  ASSERT_TRUE(rig.units[0]->lanes->commands.pop(command));
  rig.rounds(4);  // the instrument is slow: no current, no confirmation
  EXPECT_EQ(rig.state(), ChannelState::running);
  rig.notify(0, *rig.units[0]->lanes, io::Notice::What::command_done, command.sequence);
  rig.round();
  EXPECT_EQ(rig.state(), ChannelState::finished);  // confirmed, and still no current
  const auto inputs = rig.all<profiles::Input>(RecordKind::input);
  EXPECT_EQ(inputs.front().sample.flags & base::flag::kSettling, 0u);
  EXPECT_NE(inputs[1].sample.flags & base::flag::kSettling, 0u);
  EXPECT_EQ(inputs.back().sample.flags & base::flag::kSettling, 0u);
}

TEST(CycleRun, confirmation_that_never_comes_is_not_waited_for_longer_than_a_second) {
  CycleRig rig;
  rig.rounds(3);
  ProgramBuilder b;
  b.charge("up", 2.0).until(at_least(Live::voltage, 3.0)).for_seconds(60);
  rig.units[0]->confirms = false;
  rig.start(b.build());
  rig.rounds(11);
  EXPECT_EQ(rig.state(), ChannelState::running);
  rig.rounds(2);
  EXPECT_EQ(rig.state(), ChannelState::finished);
}

TEST(CycleRun, two_channels_run_apart_and_share_a_chamber) {
  CycleRig rig({.channels = 2, .chamber = true});
  rig.rounds(3);
  rig.start(short_charge(2.0), 0);
  rig.rounds(5);
  rig.start(short_charge(3.0), 1);
  rig.rounds(3);
  EXPECT_EQ(rig.state(0), ChannelState::running);
  EXPECT_EQ(rig.state(1), ChannelState::running);
  rig.units[0]->latch.trip(static_cast<std::uint32_t>(safety::Cause::temperature_high));
  rig.run_to_end(1);
  EXPECT_EQ(rig.state(0), ChannelState::faulted);
  EXPECT_EQ(rig.state(1), ChannelState::finished);
  for (const Frame& f : rig.frames) {
    EXPECT_TRUE(f.header.test != rig.runs[1]->test || f.header.channel == 1u);
  }
  const auto rows = rig.all<profiles::Row>(RecordKind::row, rig.runs[1]->test);
  EXPECT_EQ(rows.back().test_time_us, 7'000'000);
}

TEST(CycleRun, missing_scans_are_counted_and_time_goes_on_without_data) {
  CycleRig rig;
  rig.rounds(3);
  rig.start(short_charge());
  rig.rounds(10);
  EXPECT_EQ(rig.status().missed_scans, 0u);
  rig.units[0]->silent = true;
  rig.rounds(2);
  rig.units[0]->silent = false;
  rig.round();
  EXPECT_EQ(rig.status().missed_scans, 2u);
  rig.units[0]->silent = true;
  rig.rounds(45);
  EXPECT_EQ(rig.status().row.step_count, 2u);  // the charge has ended by its time
  const auto inputs = rig.all<profiles::Input>(RecordKind::input);
  EXPECT_NE(inputs.back().sample.flags & base::flag::kInvalid, 0u);
  for (std::size_t i = 1; i < inputs.size(); ++i) EXPECT_GT(inputs[i].sample.time, inputs[i - 1].sample.time);
  rig.units[0]->silent = false;
  rig.run_to_end();
  EXPECT_EQ(rig.state(), ChannelState::finished);
}

TEST(CycleRun, says_when_it_must_run_again) {
  CycleRig rig;
  rig.rounds(3);
  EXPECT_EQ((rig.cycle->run_once() - rig.clock.now()).us, 500'000);
  rig.start(short_charge());
  rig.rounds(5);
  rig.units[0]->silent = true;
  rig.clock.advance(base::milliseconds(200));
  const base::MonoTime next = rig.cycle->run_once();
  EXPECT_LE((next - rig.clock.now()).us, 300'300);
  EXPECT_GT(next, rig.clock.now());
}

TEST(CycleRun, allocates_nothing) {
  CycleRig rig({.channels = 2, .chamber = true});
  rig.rounds(3);
  rig.start(short_charge(5.0), 0);
  rig.start(short_charge(6.0), 1);
  std::uint64_t counted = 0;
  for (int i = 0; i < 200; ++i) {
    if (i == 20) rig.ask(Request::pause);
    if (i == 25) rig.ask(Request::resume);
    if (i == 90) rig.units[1]->latch.trip(5);
    if (i == 120) rig.acknowledge(1);
    rig.feed();
    const std::uint64_t before = allocations();
    rig.cycle->run_once();
    counted += allocations() - before;
    rig.obey();
    rig.drain();
    rig.take_replies();
  }
  EXPECT_EQ(counted, 0u);
  EXPECT_EQ(rig.state(0), ChannelState::finished);
  EXPECT_EQ(rig.state(1), ChannelState::safe);
}

}  // namespace
}  // namespace cyclerd::cycle
