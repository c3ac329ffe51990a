#include "protocols/base/fixed_text.hpp"

#include <gtest/gtest.h>

namespace cyclerd::base {
namespace {

TEST(FixedText, HoldsExactlyItsSize) {
  EXPECT_EQ(FixedText<4>("abcd").view(), "abcd");
  EXPECT_EQ(FixedText<4>("abcde").view(), "abcd");
  EXPECT_TRUE(FixedText<4>().empty());
}

TEST(FixedText, NeverCutsACharacterInTwo) {
  EXPECT_EQ(FixedText<4>("abc\xC3\xA9").view(), "abc");
  EXPECT_EQ(FixedText<5>("abc\xC3\xA9").view(), "abc\xC3\xA9");
  EXPECT_EQ(FixedText<2>("\xE2\x82\xAC").view(), "");
}

TEST(FixedText, AppendsPlainNumbersWithoutAnExponent) {
  for (const auto& [value, text] : {std::pair{0.0, "0"},
                                    {-0.0, "0"},
                                    {1.0, "1"},
                                    {-1.234, "-1.23"},
                                    {12.34, "12.3"},
                                    {99.96, "100"},
                                    {123.4, "123"},
                                    {123456.7, "123457"},
                                    {0.0009876, "0.000988"},
                                    {9.88e-5, "0.0000988"},
                                    {1e-12, "0"},
                                    {-1e-12, "0"}}) {
    FixedText<40> out;
    EXPECT_EQ(out.append_plain(value, 3).view(), text);
  }
}

TEST(FixedText, AppendsTextAndNumbers) {
  FixedText<40> text{"U = "};
  text.append(4.25).append(" V, n = ").append(std::int64_t{-12});
  EXPECT_EQ(text.view(), "U = 4.25 V, n = -12");
  text.append(std::string(100, 'x'));
  EXPECT_EQ(text.view().size(), 40U);
  text.append("more");
  EXPECT_EQ(text.view().size(), 40U);
}

TEST(FixedText, ComparesByContent) {
  EXPECT_EQ(FixedText<8>("abc"), FixedText<8>("abc"));
  EXPECT_FALSE(FixedText<8>("abc") == FixedText<8>("abd"));
  EXPECT_TRUE(FixedText<8>("abc") == std::string_view{"abc"});
}

}  // namespace
}  // namespace cyclerd::base
