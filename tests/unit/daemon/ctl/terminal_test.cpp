#include "daemon/ctl/terminal.hpp"

#include <gtest/gtest.h>

namespace cyclerd::ctl {
namespace {

TEST(WantsColour, OnlyOnAWillingTerminal) {
  EXPECT_TRUE(wants_colour(true, false, nullptr, "xterm-256color"));
  EXPECT_TRUE(wants_colour(true, false, "", "xterm"));
  EXPECT_FALSE(wants_colour(false, false, nullptr, "xterm"));
  EXPECT_FALSE(wants_colour(true, true, nullptr, "xterm"));
  EXPECT_FALSE(wants_colour(true, false, "1", "xterm"));
  EXPECT_FALSE(wants_colour(true, false, nullptr, "dumb"));
  EXPECT_FALSE(wants_colour(true, false, nullptr, nullptr));
}

TEST(Printable, LetsNoEscapeOfADeviceThrough) {
  EXPECT_EQ(printable("PSB\033[2J 9080"), "PSB?[2J 9080");
  EXPECT_EQ(printable("a\nb\tc\x7f"), "a?b?c?");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "?31m");
  EXPECT_EQ(printable("25 °C, Ω"), "25 °C, Ω");
}

TEST(Fit, CutsAndPadsByColumnsNotBytes) {
  EXPECT_EQ(fit("°C", 4), "°C  ");
  EXPECT_EQ(fit("°C", 4, true), "  °C");
  EXPECT_EQ(fit("°°°°°", 3), "°°…");
  EXPECT_EQ(fit("abc", 3), "abc");
  EXPECT_EQ(fit("abc", 0), "");
}

TEST(DurationText, PicksTheUnitAtItsBorders) {
  EXPECT_EQ(duration_text(0.31), "0.3 s");
  EXPECT_EQ(duration_text(59.94), "59.9 s");
  EXPECT_EQ(duration_text(59.96), "1 min 00 s");
  EXPECT_EQ(duration_text(3599.4), "59 min 59 s");
  EXPECT_EQ(duration_text(3600), "1 h 00 min");
  EXPECT_EQ(duration_text(86'399), "23 h 59 min");
  EXPECT_EQ(duration_text(86'400), "1 d 00 h");
  EXPECT_EQ(duration_text(-5), "-5.0 s");
  EXPECT_EQ(duration_text(std::numeric_limits<double>::quiet_NaN()), "-");
}

TEST(TableText, AlignsNumbersRightAndShrinksTheWidestText) {
  Table table({"NAME", "V", "NOTE"});
  table.add({"a", "3.7", "short"});
  table.add({"long-name", "12.25", "a note that is much too long for this terminal"});
  EXPECT_EQ(table.render(40, false),
            "NAME           V  NOTE\n"
            "a            3.7  short\n"
            "long-name  12.25  a note that is much t…\n");
  EXPECT_EQ(table.plain(), "a\t3.7\tshort\nlong-name\t12.25\ta note that is much too long for this terminal\n");
}

TEST(TableText, EmptyCellsAreADash) {
  Table table({"A", "B"});
  table.add({"", "x"});
  EXPECT_EQ(table.plain(), "-\tx\n");
}

}  // namespace
}  // namespace cyclerd::ctl
