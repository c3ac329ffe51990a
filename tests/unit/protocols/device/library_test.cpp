#include "protocols/device/library.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/protocols/device/example.hpp"

namespace cyclerd::device {
namespace {

class Library : public testing::Test {
 protected:
  Library()
      : root_(testing::TempDir() + "library_test_" + std::to_string(::testing::UnitTest::GetInstance()->random_seed()) +
              "_" + ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::create_directories(root_ + "/site");
    std::filesystem::create_directories(root_ + "/shipped");
  }
  ~Library() override { std::filesystem::remove_all(root_); }
  void write(const std::string& file, const std::string& text) const { std::ofstream(root_ + "/" + file) << text; }
  [[nodiscard]] DescriptionLibrary library() const { return DescriptionLibrary({root_ + "/site", root_ + "/shipped"}); }

  std::string root_;
  text::Diagnostics diagnostics_;
};

TEST_F(Library, FindsByNameInTheOrderOfTheFolders) {
  write("shipped/example.toml", testing_support::example());
  write("site/example.toml", testing_support::replaced(testing_support::example(), "Example supply", "Ours"));
  const auto found = library().find("example", {}, diagnostics_);
  ASSERT_TRUE(found) << diagnostics_.render();
  EXPECT_EQ(found->title, "Ours");
  EXPECT_THAT(library().names(), testing::ElementsAre("example"));
}

TEST_F(Library, UnknownNameIsSuggested) {
  write("shipped/example.toml", testing_support::example());
  EXPECT_FALSE(library().find("exampel", {}, diagnostics_));
  ASSERT_EQ(diagnostics_.error_count(), 1U);
  EXPECT_EQ(diagnostics_.all()[0].code, "D003");
  EXPECT_EQ(diagnostics_.all()[0].help, "did you mean 'example'?");
}

TEST_F(Library, NamesDoNotLeadOutOfTheFolder) {
  write("example.toml", testing_support::example());
  EXPECT_FALSE(library().find("../example", {}, diagnostics_));
  EXPECT_FALSE(library().find("", {}, diagnostics_));
  EXPECT_EQ(diagnostics_.error_count(), 2U);
}

TEST_F(Library, FileNameAndNameInsideMustAgree) {
  write("shipped/other.toml", testing_support::example());
  EXPECT_FALSE(library().find("other", {}, diagnostics_));
  ASSERT_EQ(diagnostics_.error_count(), 1U);
  EXPECT_THAT(diagnostics_.all()[0].message, testing::HasSubstr("describes 'example'"));
}

}  // namespace
}  // namespace cyclerd::device
