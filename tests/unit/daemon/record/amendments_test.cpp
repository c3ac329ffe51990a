// A test whose profile was replaced: both versions and the moment, in the journal, the folder and what is made of it.
#include "daemon/record/amendments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/record/export_bdf.hpp"
#include "daemon/record/journal_reader.hpp"
#include "daemon/record/storage.hpp"
#include "daemon/record/summary.hpp"
#include "tests/unit/daemon/record/fixture.hpp"

namespace cyclerd::record {
namespace {

using testing::Bench;
using ::testing::HasSubstr;
using testing::kTest;
using testing::kTestFolder;
using testing::Producer;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

std::string amendment_text(const std::string& name, const std::string& type) {
  const Json steps = {{{"name", "charge"}, {"type", "CCCV_CHG"}},
                      {{"name", "rest"}, {"type", "REST"}},
                      {{"name", "other"}, {"type", type}}};
  return Json{{"by", "ada (uid 1000, operator)"},
              {"reason", "longer"},
              {"profile",
               {{"name", name},
                {"canonical_sha256", "00112233445566"},
                {"text", "profile = \"" + name + "\"\n"},
                {"steps", steps}}}}
      .dump();
}

void amend(Producer& producer, const base::VirtualClock& clock, const std::string& text) {
  profiles::TestAmendment head;
  head.time = clock.now();
  head.wall = clock.wall();
  head.last_input_sequence = producer.inputs.size();
  head.test_time_us = producer.rows.back().test_time_us;
  head.step_count = producer.rows.back().step_count;
  head.step_index = producer.rows.back().step_index;
  head.cycle_count = 1;
  head.metadata_bytes = static_cast<std::uint32_t>(text.size());
  head.state_bytes = 4;
  producer.push(profiles::RecordKind::amendment, head, text + "STAT");
}

void summarise(Producer& producer, std::uint32_t index) {
  profiles::StepSummary step;
  step.step_index = index;
  producer.push(profiles::RecordKind::step_summary, step);
}

class Amendments : public ::testing::Test {
 protected:
  // Two amendments in a test of 2000 scans; `until_the_end`: not only until 1500.
  void write(bool until_the_end) {
    Bench bench(folder_.path());
    bench.open();
    Producer producer(bench.ring, bench.clock);
    producer.begin();
    for (int i = 0; i < 1300; ++i) producer.scan();
    summarise(producer, 2);
    amend(producer, bench.clock, amendment_text("second", "CP_DCH"));
    first_s_ = static_cast<double>(producer.rows.back().test_time_us) / 1e6;
    summarise(producer, 2);
    for (int i = 0; i < 200; ++i) producer.scan();
    amend(producer, bench.clock, amendment_text("third", "CV"));
    bench.recorder->run_once();
    EXPECT_EQ(bench.recorder->durable_frames(), producer.frames()) << "an amendment is committed at once";
    rows_ = producer.rows;
    if (!until_the_end) return;
    for (int i = 0; i < 500; ++i) producer.scan();
    summarise(producer, 2);
    producer.end();
    bench.recorder->run_once();
    bench.recorder->finish();
    EXPECT_EQ(bench.recorder->trouble(), "");
    rows_ = producer.rows;
  }
  void expect_both() {
    const Json about = parse_or_null(*read_text(test_ + "/test.json"));
    ASSERT_EQ(about["amendments"].size(), 2U);
    const Json& first = about["amendments"][0];
    EXPECT_EQ(first["scan"], 1300U);
    EXPECT_EQ(first["test_time_s"], first_s_);
    EXPECT_EQ(first["by"], "ada (uid 1000, operator)");
    EXPECT_EQ(first["file"], "profile-2.toml");
    EXPECT_EQ(*read_text(test_ + "/profile.toml"), "profile = \"demo\"\n");
    EXPECT_EQ(*read_text(test_ + "/profile-2.toml"), "profile = \"second\"\n");
    EXPECT_EQ(*read_text(test_ + "/profile-3.toml"), "profile = \"third\"\n");
    const auto steps = read_lines(test_ + "/steps.jsonl");
    ASSERT_GE(steps.size(), 2U);
    EXPECT_EQ(steps[0]["type"], "CC_DCH");
    EXPECT_EQ(steps[1]["type"], "CP_DCH") << "a step's type is that of the profile it ran under";
  }

  TemporaryFolder folder_;
  std::string test_ = folder_.path() + kTestFolder;
  std::vector<profiles::Row> rows_;
  double first_s_ = 0.0;
};

TEST_F(Amendments, AreInTheFolderAndInTheJournal) {
  write(true);
  expect_both();
  const auto journal = read_test_journal(folder_.path(), kTest);
  ASSERT_TRUE(journal.has_value());
  EXPECT_TRUE(journal->report.empty());
  ASSERT_EQ(journal->amendments.size(), 2U);
  EXPECT_EQ(journal->amendments[1].head.last_input_sequence, 1500U);
  EXPECT_EQ(parse_or_null(journal->amendments[1].metadata_json)["profile"]["name"], "third");
  EXPECT_EQ(journal->amendments[1].state.size(), 4U);
  EXPECT_EQ(journal->checkpoint.last_input_sequence, 1500U) << "the newest state";
  EXPECT_EQ(journal->checkpoint_state, journal->amendments[1].state);
}

TEST_F(Amendments, SurviveACrashAndALostFolder) {
  write(false);
  for (int turn = 0; turn < 3; ++turn) {
    if (turn == 1) fs::remove_all(test_);
    if (turn == 2) fs::remove(test_ + "/profile-3.toml");
    Bench again(folder_.path());
    again.open();
    if (turn == 2) continue;  // test.json holds the text, the file alone is not looked for
    expect_both();
    EXPECT_EQ(parse_or_null(*read_text(test_ + "/test.json"))["state"], "interrupted");
  }
}

TEST_F(Amendments, RowsHaveTheTypeOfTheProfileTheyWereTakenUnder) {
  write(true);
  const auto exported = export_bdf_csv(test_, folder_.path() + "/out");
  ASSERT_TRUE(exported.has_value());
  EXPECT_TRUE(exported->warnings.empty());
  StepTypes types(parse_or_null(*read_text(test_ + "/test.json")));
  const std::string csv = *read_text(exported->csv_path);
  std::size_t line = csv.find('\n') + 1;
  int of_second = 0;
  int of_third = 0;
  for (const profiles::Row& row : rows_) {
    const double time_s = static_cast<double>(row.test_time_us) / 1e6;
    const char* expected = row.step_index == 0        ? "CCCV_CHG"
                           : row.step_index == 1      ? "REST"
                           : row.record_index <= 1300 ? "CC_DCH"
                           : row.record_index <= 1500 ? "CP_DCH"
                                                      : "CV";
    ASSERT_EQ(types.at(time_s, row.step_index), expected) << row.record_index;
    const std::size_t end = csv.find('\n', line);
    ASSERT_NE(csv.substr(line, end - line).find(std::string(",") + expected), std::string::npos);
    line = end + 1;
    of_second += expected == std::string_view("CP_DCH");
    of_third += expected == std::string_view("CV");
  }
  EXPECT_GT(of_second + of_third, 0);
  const Json sidecar = parse_or_null(*read_text(exported->metadata_path));
  ASSERT_EQ(sidecar["amendments"].size(), 2U);
  EXPECT_EQ(sidecar["amendments"][1]["profile"]["text"], "profile = \"third\"\n");
  EXPECT_EQ(sidecar["test_protocol"]["name"], "demo");
  EXPECT_THAT(sidecar["amendments"][0].value("occurred_at", ""), HasSubstr("T"));
  EXPECT_THAT(sidecar["artifacts"].dump(), HasSubstr("profile-3.toml"));
}

TEST_F(Amendments, TheSummaryNamesThem) {
  write(true);
  const std::string text = summary_text(test_);
  EXPECT_THAT(
      text,
      HasSubstr(
          "amended 0:02:10 into the test (scan 1300, step 3 'other') by ada (uid 1000, operator): longer; profile "
          "second 00112233, profile-2.toml\n"));
  EXPECT_THAT(text, HasSubstr("profile-3.toml"));
}

TEST_F(Amendments, AFrameThatIsTooShortIsToldAndChangesNothing) {
  Bench bench(folder_.path());
  bench.open();
  Producer producer(bench.ring, bench.clock);
  producer.begin();
  producer.scan();
  profiles::TestAmendment head;
  head.metadata_bytes = 1000;
  producer.push(profiles::RecordKind::amendment, head, "short");
  bench.recorder->run_once();
  EXPECT_THAT(bench.recorder->trouble(), HasSubstr("kind 11"));
  EXPECT_FALSE(parse_or_null(*read_text(test_ + "/test.json")).contains("amendments"));
  const auto journal = read_test_journal(folder_.path(), kTest);
  EXPECT_TRUE(journal->amendments.empty());
  EXPECT_FALSE(journal->report.empty());
}

}  // namespace
}  // namespace cyclerd::record
