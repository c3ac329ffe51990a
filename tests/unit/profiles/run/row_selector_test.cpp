#include "profiles/row_selector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/profiles/run/bench.hpp"

namespace cyclerd::profiles {
namespace {

using namespace cyclerd::test;
using ::testing::ElementsAre;

struct Selected {
  std::vector<Row> rows;

  // Runs the program to its end; a fault is told at scan `fault_at`.
  explicit Selected(Bench& bench, int scans = 100'000, int fault_at = -1) {
    RowSelector selector(*bench.program);
    for (int i = 0; i < scans && !is_over(bench.output->state); ++i)
      selector.select(bench.scan(), i == fault_at, [this](const Row& r) { rows.push_back(r); });
    EXPECT_EQ(selector.rows_kept(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i].record_index, i + 1);
      const std::int64_t before_us = i > 0 ? rows[i - 1].test_time_us : -1;
      EXPECT_GT(rows[i].test_time_us, before_us);
    }
  }
  [[nodiscard]] std::vector<double> seconds(bool pretrigger) const {
    std::vector<double> out;
    for (const Row& r : rows) {
      if (((r.flags & base::flag::kPretrigger) != 0) == pretrigger)
        out.push_back(static_cast<double>(r.test_time_us) / 1e6);
    }
    return out;
  }
};

RecordRule every(double s, double pretrigger_s = 0.0) {
  RecordRule rule;
  rule.every = {static_cast<std::int64_t>(s * 1e6)};
  rule.pretrigger = {static_cast<std::int64_t>(pretrigger_s * 1e6)};
  return rule;
}

TEST(RowSelector, keeps_first_and_last_row_of_each_step_without_any_rule) {
  ProgramBuilder b;
  b.rest("a").for_seconds(1);
  b.rest("b").for_seconds(1);
  Bench bench(b.build());
  EXPECT_THAT(Selected(bench).seconds(false), ElementsAre(0, 0.1, 1.0, 1.1, 2.0));
}

TEST(RowSelector, keeps_a_row_every_so_often) {
  ProgramBuilder b;
  b.record(every(1.0)).rest("a").for_seconds(3.5);
  Bench bench(b.build());
  EXPECT_THAT(Selected(bench).seconds(false), ElementsAre(0, 0.1, 1.1, 2.1, 3.1, 3.5));
}

TEST(RowSelector, keeps_a_row_when_a_quantity_moved_by_its_delta) {
  struct Case {
    const char* name;
    RecordRule rule;
    void (*move)(base::Sample&, double);
  };
  RecordRule voltage, current, temperature;
  voltage.voltage_V = current.current_A = temperature.temperature_K = 0.5;
  for (const Case& c :
       {Case{"voltage", voltage, [](base::Sample&s, double by) { s.voltage_V += by; }},
        Case{"current", current, [](base::Sample&s, double by) { s.current_A -= by; }},
        Case{"temperature", temperature, [](base::Sample&s, double by) { s.temperature_degC += by; }}}) {
    for (const auto& [delta, kept] : {std::pair{0.499, 0u}, {0.5, 1u}, {0.501, 1u}}) {
      ProgramBuilder b;
      b.record(c.rule).rest("a").for_seconds(100);
      Bench bench(b.build());
      RowSelector selector(*bench.program);
      std::size_t count = 0;
      for (int i = 0; i < 10; ++i) {
        base::Sample s = bench.cell.sample(bench.now);
        s.voltage_V = 3.0;
        s.temperature_degC = 20.0;
        if (i == 5) c.move(s, delta);
        bench.feed(s);
        selector.select(*bench.output, false, [&](const Row& r) {
          if (r.test_time_us == 500'000) ++count;
        });
      }
      EXPECT_EQ(count, kept) << c.name << " " << delta;
    }
  }
}

TEST(RowSelector, step_change_brings_out_the_rows_before_it_at_full_rate) {
  ProgramBuilder b;
  b.record(every(1.0, 0.35)).rest("a").for_seconds(2.5);
  b.rest("b").for_seconds(0.2);
  Bench bench(b.build());
  const Selected s(bench);
  EXPECT_THAT(s.seconds(false), ElementsAre(0, 0.1, 1.1, 2.1, 2.5, 2.6, 2.7));
  EXPECT_THAT(s.seconds(true), ElementsAre(2.2, 2.3, 2.4));
}

TEST(RowSelector, pretrigger_reaches_back_past_rows_that_a_rule_kept) {
  ProgramBuilder b;
  b.record(every(0.3, 1.0)).rest("a").for_seconds(2.0);
  Bench bench(b.build());
  const Selected s(bench);
  std::size_t in_window = 0;
  for (const Row& r : s.rows) in_window += r.test_time_us >= 1'000'000 ? 1 : 0;
  EXPECT_EQ(in_window, 11u);  // every scan of the last second, each once
}

TEST(RowSelector, fault_brings_out_the_rows_before_it) {
  ProgramBuilder b;
  b.record(every(10.0, 0.5)).rest("a").for_seconds(3.0);
  Bench bench(b.build());
  const Selected s(bench, 16, 15);
  EXPECT_THAT(s.seconds(true), ElementsAre(1.0, 1.1, 1.2, 1.3, 1.4));
  EXPECT_EQ(s.rows.back().test_time_us, 1'500'000);
}

TEST(RowSelector, faster_samples_than_planned_lose_the_oldest_pretrigger_rows_only) {
  ProgramBuilder b;
  b.program().scan = base::milliseconds(100);
  b.record(every(0.05, 1.0)).rest("a").for_seconds(2.0);
  auto program = b.build();
  Program fast = *program;
  fast.scan = base::milliseconds(10);  // the bench scans ten times as fast
  Bench bench(std::make_shared<const Program>(fast));
  RowSelector selector(*program);
  std::vector<Row> rows;
  while (!is_over(bench.output->state)) selector.select(bench.scan(), false, [&](const Row& r) { rows.push_back(r); });
  std::size_t asked = 0;
  for (const Row& r : rows) asked += (r.flags & base::flag::kPretrigger) == 0 ? 1 : 0;
  EXPECT_GE(asked, 41u);  // none that a rule asked for is missing
  for (std::size_t i = 1; i < rows.size(); ++i) EXPECT_GT(rows[i].test_time_us, rows[i - 1].test_time_us);
}

TEST(RowSelector, same_moment_twice_is_one_row) {
  ProgramBuilder b;
  b.record(every(0.1)).rest("a").for_seconds(1.0);
  Bench bench(b.build());
  RowSelector selector(*bench.program);
  std::size_t count = 0;
  auto keep = [&](const Row&) { ++count; };
  selector.select(bench.scan(), false, keep);
  selector.select(*bench.output, false, keep);
  EXPECT_EQ(count, 1u);
}

TEST(RowSelector, goes_on_numbering_after_a_recovery) {
  ProgramBuilder b;
  b.record(every(0.1)).rest("a").for_seconds(1.0);
  Bench bench(b.build());
  RowSelector selector(*bench.program);
  Row last;
  last.record_index = 41;
  last.test_time_us = -1;
  selector.continue_after(last);
  std::uint64_t index = 0;
  selector.select(bench.scan(), false, [&](const Row& r) { index = r.record_index; });
  EXPECT_EQ(index, 42u);
}

}  // namespace
}  // namespace cyclerd::profiles
