#include "protocols/base/result.hpp"

#include <gtest/gtest.h>

#include "protocols/base/event.hpp"

namespace cyclerd::base {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return failure(ErrorCode::invalid, "half", "odd");
  return n / 2;
}

Result<int> quarter(int n) {
  TRY_ASSIGN(const int h, half(n));
  TRY_ASSIGN(const int q, half(h));
  return q;
}

Status both(int a, int b) {
  TRY(half(a));
  TRY(half(b));
  return {};
}

TEST(Result, TryAssignHandsOnValuesAndErrors) {
  EXPECT_EQ(quarter(8).value(), 2);
  ASSERT_FALSE(quarter(6));
  EXPECT_EQ(quarter(6).error().code, ErrorCode::invalid);
  EXPECT_EQ(quarter(6).error().subject.view(), "half");
}

TEST(Result, TryStopsAtTheFirstError) {
  EXPECT_TRUE(both(2, 4));
  EXPECT_FALSE(both(1, 4));
  EXPECT_FALSE(both(2, 3));
}

TEST(Error, TextSaysWhoWhatAndKind) {
  const Error error{ErrorCode::timeout, "psu", "no answer in 500 ms"};
  EXPECT_EQ(error.text(), "psu: no answer in 500 ms (timeout)");
  EXPECT_EQ((Error{ErrorCode::io, "", "x"}).text(), "x (input/output)");
}

TEST(Words, EveryErrorCodeAndEventKindHasOne) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::unsupported); ++i)
    EXPECT_NE(to_string(static_cast<ErrorCode>(i)), "unknown") << i;
  for (int i = 0; i <= static_cast<int>(EventKind::profile_change); ++i)
    EXPECT_NE(to_string(static_cast<EventKind>(i)), "unknown") << i;
  EXPECT_EQ(to_string(static_cast<ErrorCode>(250)), "unknown");
}

}  // namespace
}  // namespace cyclerd::base
