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
