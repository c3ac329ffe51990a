// Whole files of Neware, Maccor and Arbin: the profile and the account of losses as a reviewer last read them, and the
// run of that profile on a virtual cell. CYCLERD_WRITE_GOLDEN=1 writes what differs.
#include <gtest/gtest.h>

#include <cstdlib>

#include <fmt/format.h>

#include "daemon/app/simulation.hpp"
#include "profiles/compile.hpp"
#include "tests/unit/profiles/exchange/cycler_files.hpp"

namespace cyclerd::exchange::test {

void PrintTo(const ForeignFile& file, std::ostream* out) {
  *out << file.path.substr(kForeign.size());
}

namespace {

std::string account(const Translation& translation) {
  std::string text = fmt::format("{} translated\n", translation.translated);
  for (const Loss& loss : translation.losses) {
    text += fmt::format("{}: {}: {}: {}\n", loss.kind == Loss::Kind::dropped ? "dropped" : "approximated", loss.where,
                        loss.what, loss.why);
  }
  return text;
}

void expect_golden(const std::string& path, const std::string& found) {
  if (bytes_of(path) == found) return;
  if (std::getenv("CYCLERD_WRITE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << found;
    return;
  }
  EXPECT_EQ(bytes_of(path), found) << "if it is meant: CYCLERD_WRITE_GOLDEN=1, and read the diff of " << path;
}

class ForeignFiles : public testing::TestWithParam<ForeignFile> {};

TEST_P(ForeignFiles, BecomeTheProfileThatAReviewerRead) {
  const ForeignFile& file = GetParam();
  text::Diagnostics findings;
  const auto translation =
      import_as(file.format, std::filesystem::path(file.path).filename(), bytes_of(file.path), findings);
  ASSERT_TRUE(translation) << findings.render();
  EXPECT_FALSE(findings.has_errors());
  expect_golden(file.path + ".toml", translation->text);
  expect_golden(file.path + ".losses", account(*translation));
}

TEST_P(ForeignFiles, AreCheckedAndRunToTheirEnd) {
  const ForeignFile& file = GetParam();
  text::Diagnostics findings;
  const auto translation = import_as(file.format, "f", bytes_of(file.path), findings);
  ASSERT_TRUE(translation);
  profiles::check_profile(std::make_shared<const text::Source>(text::Source{"f", translation->text}), findings);
  EXPECT_FALSE(findings.has_errors()) << findings.render();
  std::string folder = testing::TempDir() + "cyclerd-import-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  app::SimulationConfig config;
  config.launch.profile = translation->text;
  config.launch.profile_name = "f.toml";
  config.launch.cell_name = "lg-m50";
  config.launch.soc = config.initial_soc = 0.5;
  config.out = folder;
  config.max_duration = base::hours(24 * 30);
  const app::SimulationResult result = app::simulate(config);
  EXPECT_FALSE(result.diagnostics.has_errors()) << result.diagnostics.render();
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.outcome, profiles::TestOutcome::completed) << result.reason;
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

INSTANTIATE_TEST_SUITE_P(All, ForeignFiles, testing::ValuesIn(foreign_files()), [](const auto& row) {
  std::string name = row.param.path.substr(kForeign.size());
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
});

}  // namespace
}  // namespace cyclerd::exchange::test
