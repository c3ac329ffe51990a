#include "daemon/ctl/test_results.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "daemon/ctl/launch_files.hpp"

namespace cyclerd::ctl {
namespace {

namespace fs = std::filesystem;

const Json kTests =
    Json::parse(R"([{"test":30,"channel":"A1","folder":"/t/30"},{"test":20,"channel":"B1","folder":"/t/20"},
  {"test":10,"channel":"A1","folder":"/t/10"}])");

TEST(FindTest, ByIdByChannelByLast) {
  EXPECT_EQ(*find_test("20", kTests), "/t/20");
  EXPECT_EQ(*find_test("last", kTests), "/t/30");
  EXPECT_EQ(*find_test("A1", kTests), "/t/30");
  EXPECT_EQ(*find_test("B1", kTests), "/t/20");
  const auto wrong = find_test("99", kTests);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().exit_code, 2);
  EXPECT_FALSE(find_test("last", Json::array()));
}

struct ResultsFolder : testing::Test {
  void SetUp() override {
    folder = testing::TempDir() + "/results_test";
    fs::remove_all(folder);
    fs::create_directories(folder);
  }
  void TearDown() override { fs::remove_all(folder); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder + "/" + name) << text; }
  std::string folder;
};

TEST_F(ResultsFolder, ReadsWhatTheRecorderLeft) {
  write("test.json", R"({"test":42,"state":"completed","metadata":{"profile":{"name":"demo"}}})");
  write("steps.jsonl", R"({"step_count":1,"cycle_count":1,"name":"rest","end":"condition","end_text":"time >= 1 h"})"
                       "\n");
  write(
      "cycles.jsonl",
      R"({"cycle_count":1,"charging_capacity_Ah":5.0,"discharging_capacity_Ah":4.5,"coulombic_efficiency":0.9,"duration_s":7200.0})"
      "\n{\"torn");
  const auto results = read_results(folder);
  ASSERT_TRUE(results);
  EXPECT_EQ(results->steps.size(), 1U);
  EXPECT_EQ(results->cycles.size(), 1U);
  EXPECT_EQ(results_plain(*results), "1\t5.0\t4.5\t0.9\t-\t-\t-\t7200.0\n");
  EXPECT_NE(results_text(*results, false).find("time >= 1 h"), std::string::npos);
  EXPECT_EQ(results_json(*results)["test"]["test"], 42);
  EXPECT_EQ(*find_test(folder, kTests), folder);
}

TEST_F(ResultsFolder, SaysWhenItIsNoTestOrDamaged) {
  EXPECT_EQ(read_results(folder).error().exit_code, 2);
  write("test.json", "{\"test\":");
  EXPECT_EQ(read_results(folder).error().exit_code, 1);
}

TEST_F(ResultsFolder, LaunchFilesAreFoundByPathAndByName) {
  write("my-cell.toml", "name = 1\n");
  const auto by_path = find_launch_file("cell", folder + "/my-cell.toml", "/nowhere");
  ASSERT_TRUE(by_path);
  EXPECT_EQ(by_path->text, "name = 1\n");
  EXPECT_EQ(by_path->folder, folder);
  EXPECT_TRUE(find_launch_file("cell", "my-cell", folder));
  EXPECT_TRUE(find_launch_file("cell", "my-cell.toml", folder));
  const auto near = find_launch_file("cell", "my-cel", folder);
  ASSERT_FALSE(near);
  EXPECT_EQ(near.error().exit_code, 2);
  EXPECT_NE(near.error().message.find("did you mean \"my-cell\""), std::string::npos) << near.error().message;
  EXPECT_FALSE(find_launch_file("cell", "../my-cell", folder));
  EXPECT_FALSE(find_launch_file("cell", folder, folder));
}

TEST(ScanPeriod, TakesATimeWithinItsBounds) {
  EXPECT_EQ(scan_period("", base::seconds(1))->us, 1'000'000);
  ASSERT_TRUE(scan_period("100us", {}));
  ASSERT_TRUE(scan_period("1h", {}));
  EXPECT_EQ(scan_period("100ms", base::seconds(1))->us, 100'000);
  EXPECT_EQ(scan_period("1 s", {})->us, 1'000'000);
  EXPECT_EQ(scan_period("100us", {})->us, 100);
  EXPECT_EQ(scan_period("1h", {})->us, 3'600'000'000);
  for (const char* wrong : {"99us", "3601s", "5", "1 V", "fast", "-1 s"}) {
    const auto refused = scan_period(wrong, {});
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().exit_code, 2);
  }
}

}  // namespace
}  // namespace cyclerd::ctl
