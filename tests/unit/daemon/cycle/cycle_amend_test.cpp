// Another program in the place of the running one: between two scans, without a trace in what the test does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/amend_plan.hpp"
#include "tests/support/allocation_count.hpp"
#include "tests/unit/daemon/cycle/cycle_rig.hpp"

namespace cyclerd::cycle {
namespace {

using namespace cyclerd::test;
using profiles::RecordKind;
using profiles::Request;
using ::testing::HasSubstr;

// Three passes of two short steps; `longer`: the last rest is another, and one more follows.
std::shared_ptr<const Program> cycling(bool longer, double passes = 3.0,
                                       base::Duration pretrigger = base::milliseconds(300)) {
  ProgramBuilder b;
  profiles::RecordRule rule;
  rule.every = base::seconds(1);
  rule.pretrigger = pretrigger;
  b.record(rule);
  b.repeat("cycles", num(passes));
  b.charge("up", 2.0).for_seconds(1.2);
  b.discharge("down", 2.0).for_seconds(1.2);
  b.advance_cycle();
  b.end_repeat();
  b.rest("relax").for_seconds(0.5);
  if (longer) {
    profiles::RecordRule wide = rule;
    wide.pretrigger = base::seconds(5);
    b.record(wide);
    b.rest("more").for_seconds(2);
  }
  b.program().compiled_sha256 = longer ? "bb" : "aa";
  b.program().compiled_sha256 += std::to_string(passes);
  return b.build();
}

const text::SourcePtr kSource = std::make_shared<const text::Source>(text::Source{"new.toml", ""});

struct Amending {
  explicit Amending(CycleRig& r) : rig(r) {}

  // Where the test is now, asked between two scans; false when no test runs.
  bool look() {
    Order order;
    order.kind = Order::Kind::look;
    order.amend = &amend;
    return rig.accepted(settle(order));
  }
  bool plan(const std::shared_ptr<const Program>& from, const std::shared_ptr<const Program>& to) {
    if (!look() || !profiles::can_amend(amend.seen)) return false;
    text::Diagnostics findings;
    const auto plan = profiles::plan_amendment(*from, amend.seen, *to, kSource, findings);
    EXPECT_TRUE(plan) << findings.render();
    if (!plan) return false;
    amend.test = rig.runs.back()->test;
    amend.from = from.get();
    amend.program = to;
    amend.plan = *plan;
    amend.rows = std::make_unique<profiles::RowSelector>(*to);
    return true;
  }
  [[nodiscard]] Order order() {
    Order order;
    order.kind = Order::Kind::amend;
    order.amend = &amend;
    order.who = "ada";
    order.text = "more";
    return order;
  }
  std::uint64_t settle(const Order& order) {
    const std::uint64_t id = rig.push(order);
    rig.cycle->run_once();
    rig.drain();
    rig.take_replies();
    return id;
  }

  CycleRig& rig;
  Amend amend;
};

struct Trace {
  std::vector<base::Command> commands;
  std::vector<profiles::Row> rows;
  std::vector<profiles::StepSummary> steps;
};
Trace trace_of(const CycleRig& rig) {
  return {rig.units[0]->commands, rig.all<profiles::Row>(RecordKind::row),
          rig.all<profiles::StepSummary>(RecordKind::step_summary)};
}

int passes(const CycleRig& rig) {
  int count = 0;
  for (const auto& s : rig.all<profiles::StepSummary>(RecordKind::step_summary)) count += s.name.view() == "up" ? 1 : 0;
  return count;
}

void expect_no_holes(const CycleRig& rig) {
  std::uint64_t next = 1;
  for (const Frame& f : rig.frames) {
    if (f.header.test == 0) continue;
    EXPECT_EQ(f.header.sequence, next) << static_cast<int>(f.header.kind);
    next = f.header.sequence + 1;
  }
}

// At every scan of a test, and twice in a row.
TEST(CycleAmend, at_every_scan_boundary_the_test_goes_on_as_it_was) {
  const auto old_program = cycling(false);
  const auto new_program = cycling(true);
  const auto newest_program = cycling(true, 2.5);
  CycleRig whole;
  whole.rounds(3);
  whole.start(old_program);
  whole.run_to_end();
  const Trace expected = trace_of(whole);
  ASSERT_GT(whole.all<profiles::Input>(RecordKind::input).size(), 70U);
  int amended = 0;
  for (int scan = 1; scan < 76; ++scan) {
    CycleRig rig;
    rig.rounds(3);
    rig.start(old_program);
    rig.rounds(scan);
    Amending first(rig);
    if (first.look() && first.amend.seen.step_entered != 0 && first.amend.seen.depth == 0)
      break;  // the count is done with
    if (!first.plan(old_program, new_program)) continue;
    ++amended;
    const std::uint64_t allocated = allocations();
    const std::uint64_t id = rig.push(first.order());
    rig.cycle->run_once();
    EXPECT_EQ(allocations(), allocated) << "in the cycle";
    rig.drain();
    rig.take_replies();
    EXPECT_TRUE(rig.accepted(id)) << rig.refusal(id);
    EXPECT_EQ(first.amend.program, old_program) << "it comes back to be freed where memory may be freed";
    Amending second(rig);
    ASSERT_TRUE(second.plan(new_program, newest_program));
    EXPECT_TRUE(rig.accepted(second.settle(second.order())));
    rig.run_to_end();
    const Trace seen = trace_of(rig);
    ASSERT_EQ(seen.steps.back().name.view(), "more");
    ASSERT_EQ(seen.steps.size(), expected.steps.size() + 1);
    for (std::size_t i = 0; i < expected.steps.size(); ++i) {
      EXPECT_EQ(seen.steps[i].duration_us, expected.steps[i].duration_us);
      EXPECT_EQ(seen.steps[i].throughput.charge_C, expected.steps[i].throughput.charge_C);
    }
    for (std::size_t i = 0; i + 1 < expected.commands.size(); ++i)
      EXPECT_TRUE(profiles::same_order(seen.commands[i], expected.commands[i])) << i;
    ASSERT_GE(seen.rows.size(), expected.rows.size() - 1);
    for (std::size_t i = 0; i + 1 < expected.rows.size(); ++i)
      EXPECT_EQ(std::memcmp(&seen.rows[i], &expected.rows[i], sizeof(profiles::Row)), 0) << scan << " row " << i;
    expect_no_holes(rig);
  }
  EXPECT_GT(amended, 55);
}

TEST(CycleAmend, the_record_holds_the_new_profile_the_moment_and_the_state) {
  const auto old_program = cycling(false);
  const auto new_program = cycling(true, 2.0);
  CycleRig rig;
  rig.rounds(3);
  rig.start(old_program);
  rig.rounds(20);
  Amending one(rig);
  ASSERT_TRUE(one.plan(old_program, new_program));
  one.amend.metadata_json = R"({"by":"ada"})";
  const std::uint64_t id = one.settle(one.order());
  ASSERT_TRUE(rig.accepted(id)) << rig.refusal(id);
  const Frame* frame = nullptr;
  std::uint64_t inputs = 0;
  for (const Frame& f : rig.frames) {
    if (f.header.kind == RecordKind::input && frame == nullptr) ++inputs;
    if (f.header.kind == RecordKind::amendment) frame = &f;
  }
  ASSERT_NE(frame, nullptr);
  const auto head = frame->as<profiles::TestAmendment>();
  EXPECT_EQ(head.last_input_sequence, inputs);
  EXPECT_EQ(head.test_time_us, rig.status().row.test_time_us);
  EXPECT_EQ(head.step_index, rig.status().row.step_index);
  ASSERT_EQ(frame->payload.size(), sizeof head + head.metadata_bytes + head.state_bytes);
  const std::string json(reinterpret_cast<const char*>(frame->payload.data()) + sizeof head, head.metadata_bytes);
  EXPECT_EQ(json, R"({"by":"ada"})");
  profiles::ExecutorState state;
  const auto bytes = std::span(frame->payload).last(head.state_bytes);
  EXPECT_TRUE(profiles::restore(*new_program, bytes, state));
  EXPECT_FALSE(profiles::restore(*old_program, bytes, state));
  EXPECT_EQ(state.blocks[0].count, 2.0);
  EXPECT_THAT(rig.events(base::EventKind::profile_change), ::testing::ElementsAre("ada: more"));
  EXPECT_EQ(rig.reply_to(id)->ring_position, rig.frames.size()) << "everything of it counts for the reply";
  rig.run_to_end();
  EXPECT_EQ(passes(rig), 2);
}

TEST(CycleAmend, a_plan_for_a_step_that_has_ended_is_refused_as_moved_on) {
  const auto old_program = cycling(false);
  const auto new_program = cycling(true);
  CycleRig rig;
  rig.rounds(3);
  rig.start(old_program);
  rig.rounds(5);
  Amending late(rig);
  ASSERT_TRUE(late.plan(old_program, new_program));
  rig.rounds(15);
  const std::uint64_t id = late.settle(late.order());
  EXPECT_THAT(rig.refusal(id), HasSubstr("gone on"));
  EXPECT_EQ(rig.reply_to(id)->moved_on, 1);
  EXPECT_EQ(late.amend.program, new_program);
  EXPECT_EQ(rig.runs[0]->program, old_program);
  // Planned again, but from a program that does not run.
  ASSERT_TRUE(late.plan(old_program, new_program));
  late.amend.from = new_program.get();
  EXPECT_EQ(rig.reply_to(late.settle(late.order()))->moved_on, 1);
  EXPECT_TRUE(rig.all<profiles::TestAmendment>(RecordKind::amendment).empty());
}

TEST(CycleAmend, is_refused_without_a_test_after_a_trip_and_for_another_test) {
  const auto old_program = cycling(false);
  const auto new_program = cycling(true);
  CycleRig rig;
  rig.rounds(3);
  Amending none(rig);
  EXPECT_FALSE(none.look());
  EXPECT_THAT(rig.refusal(none.settle(none.order())), HasSubstr("over"));
  rig.start(old_program);
  rig.rounds(5);
  Amending one(rig);
  ASSERT_TRUE(one.plan(old_program, new_program));
  one.amend.test += 1;
  EXPECT_THAT(rig.refusal(one.settle(one.order())), HasSubstr("over"));
  one.amend.test -= 1;
  Order empty = one.order();
  empty.amend = nullptr;
  EXPECT_THAT(rig.refusal(one.settle(empty)), HasSubstr("no amendment"));
  rig.units[0]->latch.trip(static_cast<std::uint32_t>(safety::Cause::voltage_high));
  EXPECT_THAT(rig.refusal(one.settle(one.order())), HasSubstr("tripped"));
}

TEST(CycleAmend, without_room_in_the_record_nothing_changes) {
  const auto old_program = cycling(false);
  const auto new_program = cycling(true, 9.0);
  CycleRig rig({.ring_bytes = 128 << 10});
  rig.rounds(3);
  rig.start(old_program);
  rig.rounds(5);
  Amending one(rig);
  ASSERT_TRUE(one.plan(old_program, new_program));
  one.amend.metadata_json.assign(64 << 10, 'x');
  const auto before = rig.runs[0]->state;
  EXPECT_THAT(rig.refusal(one.settle(one.order())), HasSubstr("no room"));
  EXPECT_EQ(std::memcmp(&before, &rig.runs[0]->state, sizeof before), 0);
  EXPECT_EQ(rig.runs[0]->program, old_program);
  rig.run_to_end();
  EXPECT_EQ(passes(rig), 3);
}

TEST(CycleAmend, a_paused_test_is_amended_and_stays_paused) {
  const auto old_program = cycling(false);
  const auto new_program = cycling(true, 1.0);
  CycleRig rig;
  rig.rounds(3);
  rig.start(old_program);
  rig.rounds(5);
  rig.ask(Request::pause);
  rig.rounds(3);
  const std::size_t commands = rig.units[0]->commands.size();
  Amending one(rig);
  ASSERT_TRUE(one.plan(old_program, new_program));
  EXPECT_TRUE(rig.accepted(one.settle(one.order())));
  rig.rounds(5);
  EXPECT_EQ(rig.state(), ChannelState::paused);
  EXPECT_EQ(rig.units[0]->commands.size(), commands) << "no order is sent by it";
  rig.ask(Request::resume);
  rig.run_to_end();
  EXPECT_EQ(passes(rig), 1);
}

}  // namespace
}  // namespace cyclerd::cycle
