#include "protocols/remote/password.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace cyclerd::remote {
namespace {

using base::ErrorCode;

struct PasswordFile : testing::Test {
  void SetUp() override { std::filesystem::create_directories(folder); }
  void TearDown() override { std::filesystem::remove_all(folder); }
  std::string write(const std::string& text, mode_t mode = 0600) const {
    std::ofstream(path, std::ios::binary) << text;
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }
  std::string folder = testing::TempDir() + "password-" + testing::UnitTest::GetInstance()->current_test_info()->name();
  std::string path = folder + "/secret";
};

TEST_F(PasswordFile, TheFirstLineIsThePassword) {
  EXPECT_EQ(read_password_file(write("open sesame"))->reveal(), "open sesame");
  EXPECT_EQ(read_password_file(write(" two words \r\nsecond line"))->reveal(), " two words ");
  EXPECT_EQ(read_password_file(write("a\n"))->reveal(), "a");
}

TEST_F(PasswordFile, ALengthOf256BytesIsTheLast) {
  EXPECT_EQ(read_password_file(write(std::string(255, 'x')))->reveal().size(), 255U);
  EXPECT_EQ(read_password_file(write(std::string(256, 'x') + "\n"))->reveal().size(), 256U);
  for (const std::size_t length : {257U, 511U, 600U, 5000U})
    EXPECT_EQ(read_password_file(write(std::string(length, 'x'))).error().code, ErrorCode::invalid) << length;
}

TEST_F(PasswordFile, WhatIsWrongIsSaidWithoutThePassword) {
  EXPECT_EQ(read_password_file(path).error().code, ErrorCode::not_found);
  EXPECT_EQ(read_password_file(folder).error().code, ErrorCode::invalid);
  EXPECT_EQ(read_password_file(write("\nx")).error().code, ErrorCode::invalid);
  const auto control = read_password_file(write("hid\tden"));
  ASSERT_FALSE(control);
  EXPECT_THAT(control.error().text(), testing::Not(testing::HasSubstr("hid")));
}

TEST_F(PasswordFile, AFileThatEverybodyMayReadIsRefused) {
  for (const mode_t mode : {0600U, 0400U, 0640U}) EXPECT_TRUE(read_password_file(write("x", mode))) << mode;
  for (const mode_t mode : {0644U, 0604U, 0666U}) {
    const auto refused = read_password_file(write("x", mode));
    ASSERT_FALSE(refused) << mode;
    EXPECT_EQ(refused.error().code, ErrorCode::permission);
    EXPECT_THAT(refused.error().text(), testing::HasSubstr("chmod 600"));
  }
}

}  // namespace
}  // namespace cyclerd::remote
