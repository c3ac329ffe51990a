// Export, catalogue, summary and plots of a small test.
#include "daemon/record/export_bdf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>

#include "daemon/record/bdf_csv.hpp"
#include "daemon/record/catalogue.hpp"
#include "daemon/record/plot.hpp"
#include "daemon/record/record_json.hpp"
#include "daemon/record/storage.hpp"
#include "daemon/record/stream_reader.hpp"
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

class Export : public ::testing::Test {
 protected:
  void SetUp() override { write(kTest, profiles::TestOutcome::completed); }
  void write(std::uint64_t test, profiles::TestOutcome outcome) {
    Bench bench(folder_.path());
    bench.config.durable = false;
    bench.open();
    Producer producer(bench.ring, bench.clock, test);
    producer.begin();
    for (int i = 0; i < 1300; ++i) producer.scan();
    profiles::StepSummary step;
    step.step_count = 1;
    step.duration_us = 90'000'000;
    step.name = "charge";
    step.reason = profiles::EndReason::condition;
    step.reason_text = "abs(current) <= 0.05 C";
    step.throughput.charge_C = 1800.0;
    producer.push(profiles::RecordKind::step_summary, step);
    profiles::CycleSummary cycle;
    cycle.cycle_count = 1;
    cycle.throughput = {3600.0, 3528.0, 14400.0, 12960.0};
    producer.push(profiles::RecordKind::cycle_summary, cycle);
    producer.event(base::EventKind::trip, "voltage above 4.25 V");
    producer.end(outcome);
    bench.recorder->run_once();
    bench.recorder->finish();
    ASSERT_EQ(bench.recorder->trouble(), "");
  }
  TemporaryFolder folder_;
  std::string test_ = folder_.path() + kTestFolder;
};

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> out(1);
  for (const char c : line) {
    if (c == ',') {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

TEST_F(Export, CsvHoldsTheStreamsValuesBitForBit) {
  const auto exported = export_bdf_csv(test_, folder_.path() + "/out");
  ASSERT_TRUE(exported.has_value()) << exported.error().text();
  EXPECT_EQ(exported->rows, 1300U);
  const auto stream = read_stream_file(test_ + "/rows.arrows");
  const std::string text = *read_text(exported->csv_path);
  std::vector<std::vector<std::string>> table;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    table.push_back(split(text.substr(at, end - at)));
    at = end + 1;
  }
  ASSERT_EQ(table.size(), 1301U);
  std::size_t compared = 0;
  for (const Column& c : columns()) {
    const auto at = static_cast<std::size_t>(std::find(table[0].begin(), table[0].end(), c.name) - table[0].begin());
    ASSERT_LT(at, table[0].size()) << c.name;
    if (c.type != ColumnType::f64) continue;
    for (std::size_t i = 0; i < stream->rows.size(); ++i) {
      double want = 0;
      std::memcpy(&want, reinterpret_cast<const std::byte*>(&stream->rows[i]) + c.offset, sizeof want);
      const std::string& cell = table[i + 1][at];
      if (std::isnan(want)) {
        ASSERT_TRUE(cell.empty());
        continue;
      }
      double got = 0;
      ASSERT_EQ(std::from_chars(cell.data(), cell.data() + cell.size(), got).ptr, cell.data() + cell.size());
      ASSERT_EQ(std::memcmp(&got, &want, sizeof got), 0) << c.name << " row " << i << ": " << cell;
      ++compared;
    }
  }
  EXPECT_GT(compared, 20'000U);
}

TEST_F(Export, NamesFilesByInstitutionCellAndDayAndCountsUpForOtherTests) {
  const std::string out = folder_.path() + "/out";
  const auto first = export_bdf_csv(test_, out);
  EXPECT_EQ(first->csv_path, out + "/Lab__A0001__20231114_001.bdf.csv");
  EXPECT_EQ(first->metadata_path, out + "/Lab__A0001__20231114_001.bdf.metadata.json");
  EXPECT_EQ(export_bdf_csv(test_, out)->csv_path, first->csv_path) << "the same test replaces its own export";
  write(kTest + 5'000'000, profiles::TestOutcome::tripped);
  const std::string other = folder_.path() + "/tests/20251123-152111-rack1-ch2";
  EXPECT_EQ(export_bdf_csv(other, out)->csv_path, out + "/Lab__A0001__20231114_002.bdf.csv");
  EXPECT_EQ(export_bdf_csv(test_, out, {"My Lab", "a/b__c"})->csv_path, out + "/My-Lab__a-b--c__20231114_001.bdf.csv");
  EXPECT_EQ(export_bdf_csv(test_, out + "/x.csv")->metadata_path, out + "/x.bdf.metadata.json");
}

TEST_F(Export, TheSidecarTellsDeviationsInBattInfosWords) {
  const auto exported = export_bdf_csv(test_, folder_.path());
  const Json about = parse_or_null(*read_text(exported->metadata_path));
  EXPECT_EQ(about["test"]["status"], "completed");
  EXPECT_EQ(about["test"]["conformance"]["deviations"][0]["category"], "out_of_tolerance");
  EXPECT_EQ(about["columns"].size(), BdfCsv::describe().size());
  EXPECT_EQ(about["artifacts"][0]["sha256"].get<std::string>().size(), 64U);
}

TEST_F(Export, DamageIsToldAndTheRestExported) {
  std::string bytes = *read_text(test_ + "/rows.arrows");
  bytes[bytes.size() / 2] ^= 1;
  ASSERT_TRUE(write_atomically(test_ + "/rows.arrows", bytes).has_value());
  const auto exported = export_bdf_csv(test_, folder_.path());
  EXPECT_EQ(exported->rows, 1250U);
  EXPECT_EQ(exported->warnings.size(), 1U);
}

TEST_F(Export, AFolderThatIsNoTestIsRefusedWithItsName) {
  const auto exported = export_bdf_csv(folder_.path() + "/nothing", folder_.path());
  ASSERT_FALSE(exported.has_value());
  EXPECT_THAT(exported.error().text(), HasSubstr("test.json"));
}

TEST_F(Export, CatalogueListsNewestFirst) {
  fs::create_directories(folder_.path() + "/tests/broken");
  const auto tests = list_tests(folder_.path());
  ASSERT_EQ(tests.size(), 2U);
  EXPECT_EQ(tests[0].test, kTest);
  EXPECT_EQ(tests[0].state, "completed");
  EXPECT_EQ(tests[0].channel, "rack1-ch2");
  EXPECT_EQ(tests[0].cell, "A0001");
  EXPECT_EQ(tests[0].profile, "demo");
  EXPECT_EQ(tests[0].rows, 1300U);
  EXPECT_EQ(tests[1].state, "unreadable");
}

TEST_F(Export, SummaryAlignsItsColumns) {
  const std::string text = summary_text(test_);
  EXPECT_THAT(text, HasSubstr("Demo, cell A0001: completed (all steps done)"));
  EXPECT_THAT(text, HasSubstr("CCCV_CHG"));
  EXPECT_THAT(text, HasSubstr("0:01:30"));
  EXPECT_THAT(text, HasSubstr("0.5000"));
  EXPECT_THAT(text, HasSubstr("abs(current) <= 0.05 C"));
  EXPECT_THAT(text, HasSubstr("98.000"));  // coulombic efficiency, %
  EXPECT_THAT(text, HasSubstr("90.00"));   // energy efficiency, %
}

TEST(EndWords, SayTheReasonOnceAndLeaveAConditionAsItIsWritten) {
  EXPECT_EQ(end_words({{"end", "condition"}, {"end_text", "voltage <= 2.8 V"}}), "voltage <= 2.8 V");
  EXPECT_EQ(end_words({{"end", "skipped"}, {"end_text", "its `when` is false"}}), "skipped: its `when` is false");
  EXPECT_EQ(end_words({{"end", "trip"}, {"end_text", ""}}), "trip");
}

TEST_F(Export, PlotsAreWritten) {
  const auto data = load_plot(test_);
  ASSERT_TRUE(data.has_value());
  EXPECT_EQ(data->time_s.size(), 1300U);
  ASSERT_EQ(data->steps.size(), 1U);
  EXPECT_EQ(data->steps[0].ended_by, "abs(current) <= 0.05 C");
  ASSERT_TRUE(write_svg(*data, folder_.path() + "/p.svg").has_value());
  ASSERT_TRUE(write_png(*data, folder_.path() + "/p.png").has_value());
  EXPECT_THAT(*read_text(folder_.path() + "/p.svg"), HasSubstr("<svg"));
  EXPECT_EQ(read_text(folder_.path() + "/p.png")->substr(1, 3), "PNG");
  const auto refused = write_png(*data, folder_.path() + "/no/such/p.png");
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().text(), HasSubstr("p.png"));
  const std::string terminal = terminal_plot(*data, 80, 5);
  EXPECT_THAT(terminal, HasSubstr("voltage / V"));
  EXPECT_EQ(std::count(terminal.begin(), terminal.end(), '\n'), 1 + 3 * 6 + 1);
}

TEST(Plot, EmptyDataMakesAPictureAndNoCrash) {
  const TemporaryFolder folder;
  EXPECT_TRUE(write_svg({}, folder.path() + "/p.svg").has_value());
  EXPECT_EQ(terminal_plot({}), "no rows yet\n");
}

}  // namespace
}  // namespace cyclerd::record
