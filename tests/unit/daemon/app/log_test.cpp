#include "daemon/app/log.hpp"

#include <gtest/gtest.h>

namespace cyclerd::app {
namespace {

TEST(Log, EveryLineOfAMessageGoesOut) {
  testing::internal::CaptureStderr();
  log(LogLevel::warning, "first\nsecond\n");
  log(LogLevel::info, "third");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "first\nsecond\nthird\n");
}

}  // namespace
}  // namespace cyclerd::app
