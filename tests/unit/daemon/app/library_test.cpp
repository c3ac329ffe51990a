// Every shipped profile runs in the simulator on a cell that it is made for, and ends its steps as it did when a
// reviewer last read its golden text. CYCLERD_WRITE_GOLDEN=1 writes the texts of the runs that differ.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "daemon/app/resources.hpp"
#include "daemon/record/plot.hpp"
#include "protocols/text/toml.hpp"
#include "tests/unit/daemon/app/library_runs.hpp"

namespace cyclerd::app {

void PrintTo(const LibraryRun& run, std::ostream* out) {
  *out << run.name;
}

namespace {

namespace fs = std::filesystem;

const std::string kFolder = CYCLERD_SOURCE_DIR "/tests/unit/daemon/app/library_runs";

std::string golden_path(const LibraryRun& run) {
  return fmt::format("{}/{}.txt", kFolder, run.name);
}

std::string text_of(const std::string& path) {
  const auto source = text::read_source(path);
  return source ? (*source)->text : std::string();
}

const std::vector<LibraryRun>& runs() {
  static const std::vector<LibraryRun> all = [] {
    std::vector<LibraryRun> rows = read_library_runs(kFolder + ".toml");
    std::vector<LibraryRun> more = read_library_runs(kFolder + "/chemistries.toml");
    std::move(more.begin(), more.end(), std::back_inserter(rows));
    return rows;
  }();
  return all;
}

std::vector<std::string> shipped_profiles() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(find_resources().profiles)) {
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Every row of the record is measured.
void expect_numbers(const SimulationResult& result) {
  const auto data = record::load_plot(result.folder);
  ASSERT_TRUE(data.has_value()) << data.error().text();
  ASSERT_FALSE(data->time_s.empty());
  const auto holes = [](const std::vector<double>& values) {
    return std::count_if(values.begin(), values.end(), [](double value) { return !std::isfinite(value); });
  };
  EXPECT_EQ(holes(data->voltage_V) + holes(data->current_A) + holes(data->temperature_degC), 0);
}

class LibraryRuns : public testing::TestWithParam<LibraryRun> {};

TEST_P(LibraryRuns, EndTheirStepsAsTheGoldenTextSays) {
  const LibraryRun& run = GetParam();
  std::string folder = testing::TempDir() + "cyclerd-library-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const SimulationResult result = run_library_profile(run, folder);
  ASSERT_FALSE(result.diagnostics.has_errors()) << result.diagnostics.render();
  EXPECT_EQ(result.error, "");
  expect_numbers(result);
  const std::string found = golden_text(run, read_run(result));
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  RecordProperty("wall_ms", std::to_string(static_cast<int>(result.wall_s * 1e3)));
  const std::string difference = golden_difference(text_of(golden_path(run)), found);
  if (!difference.empty() && std::getenv("CYCLERD_WRITE_GOLDEN") != nullptr) {
    std::ofstream(golden_path(run)) << found;
    GTEST_SKIP() << "written: " << golden_path(run) << "\n" << difference;
  }
  EXPECT_EQ(difference, "") << "if it is meant: CYCLERD_WRITE_GOLDEN=1 test_daemon_app_library "
                            << "--gtest_filter=*" << testing::UnitTest::GetInstance()->current_test_info()->name()
                            << ", and read the diff of " << golden_path(run);
}

INSTANTIATE_TEST_SUITE_P(Shipped, LibraryRuns, testing::ValuesIn(runs()), [](const auto& row) {
  std::string name = row.param.name;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
});

TEST(Library, EveryProfileHasARun) {
  std::set<std::string> in_table;
  for (const LibraryRun& run : runs()) in_table.insert(run.profile);
  for (const std::string& profile : shipped_profiles())
    EXPECT_TRUE(in_table.contains(profile)) << profile << " has no [[run]] in " << kFolder << ".toml";
}

TEST(Library, EveryRunHasANameAndAGoldenTextOfItsOwn) {
  std::set<std::string> names;
  for (const LibraryRun& run : runs()) EXPECT_TRUE(names.insert(run.name).second) << run.name << " twice";
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() != ".txt") continue;
    EXPECT_TRUE(names.contains(entry.path().stem().string())) << entry.path() << " belongs to no run";
  }
}

// The comment at the top of a file, without its marks.
std::string head_of(const std::string& text) {
  std::string head;
  for (std::size_t at = 0; at < text.size() && text[at] == '#'; at = text.find('\n', at) + 1)
    head += text.substr(at + 1, text.find('\n', at) - at);
  return head;
}

// The heads that profiles/library/README.md asks for.
TEST(Library, EveryHeadSaysWhatForWhereFromHowLongAndHowToRead) {
  for (const std::string& profile : shipped_profiles()) {
    const std::string head = head_of(text_of(fmt::format("{}/{}.toml", find_resources().profiles, profile)));
    for (const char* part : {" Purpose: ", " Numbers: ", " Duration: ", " Result: "})
      EXPECT_NE(head.find(part), std::string::npos) << profile << ".toml: its head lacks \"#" << part << "\"";
    EXPECT_NE(head.find("cyclerctl simulate " + profile), std::string::npos)
        << profile << ".toml: the head's Duration names no command that measures it";
  }
}

TEST(Library, EveryParameterHasBoundsAndHelp) {
  for (const std::string& profile : shipped_profiles()) {
    if (profile == "cycle-life") continue;  // the text of the language's design page, word for word
    text::Diagnostics diagnostics;
    const auto source = text::read_source(fmt::format("{}/{}.toml", find_resources().profiles, profile));
    ASSERT_TRUE(source);
    const auto document = text::parse_toml(*source, diagnostics);
    ASSERT_TRUE(document) << diagnostics.render();
    const text::TomlNode* parameters = document->find("parameters");
    if (parameters == nullptr) continue;
    for (const auto& [name, parameter] : parameters->members) {
      for (const char* key : {"default", "min", "max", "help"})
        EXPECT_NE(parameter.find(key), nullptr) << profile << ".toml: the parameter " << name << " has no " << key;
    }
  }
}

TEST(Library, EveryProfileIsInTheManual) {
  const std::string manual = text_of(find_resources().profiles + "/README.md");
  for (const std::string& profile : shipped_profiles())
    EXPECT_NE(manual.find(fmt::format("`{}`", profile)), std::string::npos)
        << "profiles/library/README.md has no `" << profile << "`";
}

RunStep step(const char* name, double duration_s, const char* end = "condition \"time >= 1 h\"") {
  return {name, "REST", end, duration_s};
}

TEST(GoldenText, FoldsEqualPassesWithinEqualPasses) {
  RunRecord record;
  record.outcome = "completed";
  record.reason = "the profile is done";
  record.steps.push_back(step("soak", 5));
  for (int outer = 0; outer < 3; ++outer) {
    for (int inner = 0; inner < 2; ++inner) {
      record.steps.push_back(step("pulse", 10 + outer));
      record.steps.push_back(step("rest", 40));
    }
    record.steps.push_back(step("check", 60, outer == 0 ? "done: 21.5 mOhm" : "done: 22.5 mOhm"));
  }
  record.steps.push_back(step("check", 60, "condition \"voltage <= 2.5 V\""));
  LibraryRun run;
  run.profile = "p";
  run.cell = "c";
  run.set = {{"n", "3"}};
  EXPECT_EQ(golden_text(run, record),
            "profile p on cell c \"n=3\"\ncompleted after 0 s: the profile is done\n\nsteps\n"
            "1 soak REST 5 s ended by: condition \"time >= 1 h\"\n"
            "x 3 times:\n"
            "  x 2 times:\n"
            "    2 pulse REST 10 s .. 12 s ended by: condition \"time >= 1 h\"\n"
            "    3 rest REST 40 s ended by: condition \"time >= 1 h\"\n"
            "  6 check REST 60 s ended by: done: 21.5 mOhm\n"
            "17 check REST 60 s ended by: condition \"voltage <= 2.5 V\"\n\ncycles\n");
}

TEST(GoldenDifference, AllowsWhatTheUnitAllowsAndNoMore) {
  const auto differs = [](const char* a, const char* b) { return !golden_difference(a, b).empty(); };
  EXPECT_FALSE(differs("1 rest 1000 s", "1 rest 1012 s"));  // 1 % and two scans
  EXPECT_TRUE(differs("1 rest 1000 s", "1 rest 1013 s"));
  EXPECT_FALSE(differs("1 charge 4.000 Ah", "1 charge 4.020 Ah"));  // 0.5 %
  EXPECT_TRUE(differs("1 charge 4.000 Ah", "1 charge 4.021 Ah"));
  EXPECT_FALSE(differs("DCIR 25.0 mOhm, 10 s", "DCIR 25.5 mOhm, 10 s"));
  EXPECT_TRUE(differs("DCIR 25.0 mOhm, 10 s", "DCIR 25.6 mOhm, 10 s"));
  EXPECT_TRUE(differs("\"time >= 1000 s\"", "\"time >= 1001 s\""));  // a condition is no measurement
  EXPECT_TRUE(differs("x 20 times:", "x 21 times:"));
  EXPECT_TRUE(differs("1 rest 10 s", "1 pause 10 s"));
  EXPECT_TRUE(differs("1 rest 10 s\n", "1 rest 10 s\n2 rest 10 s\n"));
  EXPECT_TRUE(differs("1 rest 10 s\n2 rest 10 s\n", "1 rest 10 s\n"));
  EXPECT_TRUE(differs("1 rest nan s", "1 rest 1 s"));
}

}  // namespace
}  // namespace cyclerd::app
