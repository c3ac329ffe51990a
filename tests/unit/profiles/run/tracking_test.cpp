// How well a `follow` was followed: error, time limited, and what was asked for against what flowed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "profiles/replay.hpp"
#include "tests/unit/profiles/run/bench.hpp"

namespace cyclerd::profiles {
namespace {

using namespace cyclerd::test;
using ::testing::EndsWith;
using ::testing::HasSubstr;

Waveform steps_of(WaveformQuantity quantity, std::vector<double> values) {
  Waveform w{quantity, Resample::hold, {}, {}, "steps"};
  for (std::size_t i = 0; i < values.size(); ++i) w.time_us.push_back(static_cast<std::int64_t>(i) * 10'000'000);
  w.value = std::move(values);
  return w;
}

std::shared_ptr<const Program> following(const Waveform& waveform, double scale = 1.0, double until_s = 1e6) {
  ProgramBuilder b;
  const auto w = b.waveform(waveform);
  b.step(StepKind::follow, "drive").with(&Step::scale, num(scale)).until(at_least(Live::time, until_s));
  b.last().waveform = w;
  return b.build();
}

const base::Event& note_of(const Bench& bench) {
  for (const auto& event : bench.events) {
    if (event.kind == base::EventKind::note) return event;
  }
  ENSURE(false, "no note was written");
  return bench.events.front();
}

TEST(Tracking, of_a_device_that_follows_is_without_error_and_in_balance) {
  Bench bench(following(steps_of(WaveformQuantity::current, {3.6, -1.8, 0.0})));
  bench.run();
  // Asked for: 36 As - 18 As. The trapezoids between samples see each change half a scan early or late: 0.18 As less in
  // the first interval, 0.27 As more at the turn: 18.09 As.
  EXPECT_EQ(bench.steps.at(0).reason_text.view(), "played; rms 0 A, max 0 A, limited 0 %, 0.00503 of 0.005 Ah");
  EXPECT_EQ(note_of(bench).subject.view(), "drive");
  EXPECT_EQ(note_of(bench).value, 0.0);
}

TEST(Tracking, a_constant_error_is_its_rms_and_keeps_its_sign_in_the_note) {
  Bench bench(following(steps_of(WaveformQuantity::current, {2.0, 2.0})));
  while (!is_over(bench.output->state)) {
    base::Sample sample = bench.cell.sample(bench.now);
    if (bench.output->state == RunState::running) sample.current_A -= 0.25;
    bench.feed(sample);
  }
  EXPECT_THAT(std::string(bench.steps.at(0).reason_text.view()),
              HasSubstr("played; rms 0.25 A, max 0.25 A, limited 0 %"));
  EXPECT_DOUBLE_EQ(note_of(bench).value, 0.25);
  EXPECT_DOUBLE_EQ(note_of(bench).bound, -0.25);
  EXPECT_THAT(std::string(note_of(bench).text.view()), HasSubstr("measured - wished: 0.25 A rms, -0.25 A at worst"));
}

TEST(Tracking, a_wish_beyond_the_envelope_counts_as_limited_while_it_lasts) {
  // 5 A is within the envelope of 10 A, 20 A is not; just at the envelope nothing is cut.
  for (const auto& [scale, share] : {std::pair{1.999, "limited 0 %"}, {2.0, "limited 0 %"}, {2.001, "limited 50 %"}}) {
    Bench bench(following(steps_of(WaveformQuantity::current, {2.5, 5.0, 5.0}), scale));
    bench.run();
    EXPECT_THAT(std::string(bench.steps.at(0).reason_text.view()), HasSubstr(share)) << scale;
  }
  Bench bench(following(steps_of(WaveformQuantity::current, {2.5, 5.0, 5.0}), 4.0));
  bench.run();
  // 20 A asked for, 10 A given, in half of the time: sqrt(100 / 2).
  EXPECT_EQ(bench.steps.at(0).reason_text.view(), "played; rms 7.07 A, max 10 A, limited 50 %, 0.0554 of 0.0833 Ah");
}

TEST(Tracking, an_instrument_that_gives_way_at_its_voltage_counts_as_limited) {
  ProgramBuilder b;
  const auto w = b.waveform(steps_of(WaveformQuantity::current, {9.0, 0.5, 0.5}));
  b.step(StepKind::follow, "drive");
  b.last().waveform = w;
  Bench bench(b.build());
  bench.cell.soc = 0.99;  // 9 A would be beyond 4.25 V
  bench.cell.resistance_Ohm = 0.05;
  bench.run();
  EXPECT_THAT(std::string(bench.steps.at(0).reason_text.view()), HasSubstr("limited 50 %"));
  EXPECT_GT(note_of(bench).value, 3.0);
  EXPECT_LT(note_of(bench).bound, -6.0);
}

TEST(Tracking, of_power_is_in_watts_and_of_voltage_without_a_balance) {
  Bench power(following(steps_of(WaveformQuantity::power, {-7.2, -7.2})));
  power.run();
  EXPECT_THAT(std::string(power.steps.at(0).reason_text.view()), EndsWith(" W, limited 0 %, -0.0199 of -0.02 Wh"));
  Bench voltage(following(steps_of(WaveformQuantity::voltage, {3.62, 3.62})));
  voltage.run();
  EXPECT_THAT(std::string(voltage.steps.at(0).reason_text.view()), HasSubstr(" V, limited 0 %"));
  EXPECT_THAT(std::string(voltage.steps.at(0).reason_text.view()), ::testing::Not(HasSubstr(" of ")));
}

TEST(Tracking, stands_behind_the_condition_that_ended_the_step) {
  Bench bench(following(steps_of(WaveformQuantity::current, {2.0, 2.0, 2.0}), 1.0, 5.0));
  bench.run();
  EXPECT_EQ(bench.steps.at(0).reason, EndReason::condition);
  EXPECT_EQ(bench.steps.at(0).reason_text.view(), "condition 0; rms 0 A, max 0 A, limited 0 %, 0.00275 of 0.00278 Ah");
}

TEST(Tracking, a_part_that_has_no_room_is_left_out_whole) {
  ProgramBuilder b;
  const auto w = b.waveform(steps_of(WaveformQuantity::current, {2.0, 2.0}));
  b.step(StepKind::follow, "drive").until(at_least(Live::time, 5.0));
  b.last().waveform = w;
  const auto built = b.build();
  for (std::size_t length : {20u, 50u, 64u, 78u}) {
    auto program = std::make_shared<Program>(*built);
    program->strings[program->conditions.at(0).text] = std::string(length, 'x');
    Bench bench(program);
    bench.run();
    const std::string text(bench.steps.at(0).reason_text.view());
    EXPECT_EQ(text.substr(0, length), std::string(length, 'x'));
    const std::string rest = text.substr(length);
    EXPECT_TRUE(rest.empty() || rest.ends_with(" A") || rest.ends_with(" %") || rest.ends_with(" Ah")) << text;
    EXPECT_THAT(std::string(note_of(bench).text.view()), HasSubstr(" Ah that the waveform asked for"));
  }
}

TEST(Tracking, settling_samples_have_no_error_and_pauses_no_share) {
  Bench bench(following(steps_of(WaveformQuantity::current, {2.0, 2.0})));
  bench.scan();
  for (int i = 0; i < 20; ++i) {  // the instrument has not confirmed yet: nothing flows
    base::Sample sample = bench.cell.sample(bench.now);
    sample.current_A = 0.0;
    sample.flags = base::flag::kSettling;
    bench.feed(sample);
  }
  for (int i = 0; i < 30; ++i) bench.scan();
  bench.scan(Request::pause);
  for (int i = 0; i < 100; ++i) bench.scan();
  bench.scan(Request::resume);
  bench.run();
  EXPECT_THAT(std::string(bench.steps.at(0).reason_text.view()), HasSubstr("rms 0 A, max 0 A, limited 0 %"));
  EXPECT_THAT(std::string(note_of(bench).text.view()), HasSubstr("% of 10 s; moved 0.004"));
}

TEST(Tracking, invalid_samples_and_gaps_count_on_neither_side) {
  Bench bench(following(steps_of(WaveformQuantity::current, {3.6, 3.6})));
  bench.scan();
  for (int i = 0; i < 20; ++i) bench.scan();
  for (int i = 0; i < 40; ++i) bench.scan(Request::none, base::flag::kInvalid);
  bench.run();
  // 4.1 s are missing: 40 invalid samples and the interval to the first good one.
  EXPECT_THAT(std::string(note_of(bench).text.view()), HasSubstr("of 5.9 s; moved 0.00585 Ah of 0.0059 Ah"));
}

TEST(Tracking, replays_to_the_last_bit) {
  Bench bench(following(steps_of(WaveformQuantity::power, {3.0, -7.3, 40.0, -1.1, 0.3, 0.0}), 1.7));
  bench.run();
  const Replayed again = replay(*bench.program, bench.inputs);
  EXPECT_EQ(std::memcmp(&again.state, &bench.state, sizeof bench.state), 0);
  ASSERT_EQ(again.steps.size(), bench.steps.size());
  EXPECT_EQ(again.steps.at(0).reason_text.view(), bench.steps.at(0).reason_text.view());
}

}  // namespace
}  // namespace cyclerd::profiles
