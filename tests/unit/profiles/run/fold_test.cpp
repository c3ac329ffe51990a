#include "profiles/fold.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numbers>

namespace cyclerd::profiles {
namespace {

TEST(CompensatedSum, keeps_what_a_plain_sum_loses) {
  CompensatedSum sum;
  double plain = 0.0;
  for (double x : {1.0, 1e100, 1.0, -1e100}) {
    sum.add(x);
    plain += x;
  }
  EXPECT_EQ(sum.value(), 2.0);
  EXPECT_EQ(plain, 0.0);
}

TEST(Fold, constant_current_for_a_thousand_hours_is_exact_to_the_last_digits) {
  Fold fold;
  for (std::int64_t s = 0; s <= 3'600'000; ++s) fold.add(s * 1'000'000, 3.7, 0.1);
  EXPECT_NEAR(fold.test.value().charge_C, 360'000.0, 1e-9);
  EXPECT_NEAR(fold.test.value().charge_J, 3.7 * 360'000.0, 1e-8);
  EXPECT_EQ(fold.test.value().discharge_C, 0.0);
}

TEST(Fold, ramp_gives_the_trapezoid) {
  Fold fold;
  fold.add(0, 4.0, 1.0);
  fold.add(2'000'000, 4.0, 3.0);
  EXPECT_DOUBLE_EQ(fold.test.value().charge_C, 4.0);
  EXPECT_DOUBLE_EQ(fold.test.value().charge_J, 16.0);
}

TEST(Fold, sign_change_is_split_at_the_zero_crossing) {
  Fold fold;
  fold.add(0, 4.0, 3.0);
  fold.add(1'000'000, 4.0, -1.0);  // zero after 0.75 s
  const Throughput t = fold.test.value();
  EXPECT_DOUBLE_EQ(t.charge_C, 3.0 * 0.75 / 2);
  EXPECT_DOUBLE_EQ(t.discharge_C, 1.0 * 0.25 / 2);
  EXPECT_DOUBLE_EQ(t.charge_J, 4.0 * 3.0 * 0.75 / 2);
  EXPECT_DOUBLE_EQ(t.discharge_J, 4.0 * 1.0 * 0.25 / 2);
}

TEST(Fold, sine_never_cancels) {
  Fold fold;
  constexpr int kScans = 100'000;
  for (int i = 0; i <= kScans; ++i) {
    const double phase = 2 * std::numbers::pi * i / kScans;
    fold.add(static_cast<std::int64_t>(i) * 1000, 3.6, 5.0 * std::sin(phase));
  }
  const double half_wave_C = 5.0 * 100.0 / std::numbers::pi;  // 5 A sine of 100 s
  EXPECT_NEAR(fold.test.value().charge_C, half_wave_C, half_wave_C * 1e-8);
  EXPECT_NEAR(fold.test.value().discharge_C, half_wave_C, half_wave_C * 1e-8);
}

TEST(Fold, net_charge_equals_the_signed_trapezoid_whatever_the_signs) {
  Fold fold;
  double net_C = 0.0;
  double last_A = 0.0;
  unsigned seed = 1;
  for (int i = 0; i < 10'000; ++i) {
    seed = seed * 1664525U + 1013904223U;
    const double now_A = (seed >> 28) == 0 ? 0.0 : static_cast<double>(seed >> 8) / (1 << 23) - 1.0;
    fold.add(i * 100'000, 3.7, now_A);
    if (i > 0) net_C += (last_A + now_A) / 2 * 0.1;
    last_A = now_A;
  }
  const Throughput t = fold.test.value();
  EXPECT_NEAR(t.charge_C - t.discharge_C, net_C, 1e-10);
  EXPECT_GT(t.charge_C, 0.0);
  EXPECT_GT(t.discharge_C, 0.0);
}

TEST(Fold, interval_of_just_the_longest_is_integrated_one_above_is_not) {
  Fold at;
  at.add(0, 4.0, 1.0);
  at.add(Fold::kMaxInterval_us, 4.0, 1.0);
  EXPECT_DOUBLE_EQ(at.test.value().charge_C, 10.0);
  Fold above;
  above.add(0, 4.0, 1.0);
  above.add(Fold::kMaxInterval_us + 1, 4.0, 1.0);
  EXPECT_EQ(above.test.value().charge_C, 0.0);
  above.add(Fold::kMaxInterval_us + 1'000'001, 4.0, 1.0);  // goes on from the far side of the gap
  EXPECT_DOUBLE_EQ(above.test.value().charge_C, 1.0);
}

TEST(Fold, gap_is_not_integrated) {
  Fold fold;
  fold.add(0, 4.0, 1.0);
  fold.break_here();
  fold.add(1'000'000, 4.0, 1.0);
  EXPECT_EQ(fold.test.value().charge_C, 0.0);
  fold.add(2'000'000, 4.0, 1.0);
  EXPECT_DOUBLE_EQ(fold.test.value().charge_C, 1.0);
}

TEST(Fold, repeated_or_earlier_moment_adds_nothing) {
  Fold fold;
  fold.add(1'000'000, 4.0, 1.0);
  fold.add(1'000'000, 4.0, 1.0);
  EXPECT_EQ(fold.test.value().charge_C, 0.0);
}

TEST(Fold, step_and_cycle_restart_and_the_test_goes_on) {
  Fold fold;
  for (int s = 0; s <= 10; ++s) fold.add(s * 1'000'000, 4.0, 1.0);
  fold.begin_step();
  for (int s = 11; s <= 15; ++s) fold.add(s * 1'000'000, 4.0, 1.0);
  fold.begin_cycle();
  fold.add(16'000'000, 4.0, 1.0);
  EXPECT_DOUBLE_EQ(fold.test.value().charge_C, 16.0);
  EXPECT_DOUBLE_EQ(fold.step.value().charge_C, 6.0);
  EXPECT_DOUBLE_EQ(fold.cycle.value().charge_C, 1.0);
}

}  // namespace
}  // namespace cyclerd::profiles
