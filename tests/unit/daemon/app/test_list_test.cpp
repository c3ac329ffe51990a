#include "daemon/app/test_list.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace cyclerd::app {
namespace {

TEST(TestList, NewestFirstAndUnreadableFoldersAreLeftOut) {
  std::string folder = testing::TempDir() + "cyclerd-tests-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  EXPECT_EQ(list_tests(folder), control::Json::array()) << "no tests folder at all";
  for (const char* name : {"one", "two", "broken", "empty"})
    std::filesystem::create_directories(folder + "/tests/" + name);
  std::ofstream(folder + "/tests/one/test.json")
      << R"({"test": 10, "state": "completed", "started_unix_us": 10, "ended_unix_us": 20,
             "metadata": {"channel": "A1", "profile": {"name": "p"}, "cell": {"name": "c"}, "operator": "o"}})";
  std::ofstream(folder + "/tests/two/test.json") << R"({"test": 30, "state": "running"})";
  std::ofstream(folder + "/tests/broken/test.json") << R"({"test": )";
  const control::Json tests = list_tests(folder);
  ASSERT_EQ(tests.size(), 2U);
  EXPECT_EQ(tests[0]["test"], 30);
  EXPECT_EQ(tests[0]["outcome"], "running");
  EXPECT_TRUE(tests[0]["channel"].is_null());
  EXPECT_EQ(tests[1]["profile"], "p");
  EXPECT_EQ(tests[1]["cell"], "c");
  EXPECT_EQ(tests[1]["channel"], "A1");
  EXPECT_EQ(tests[1]["folder"], folder + "/tests/one");
}

}  // namespace
}  // namespace cyclerd::app
