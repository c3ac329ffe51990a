#include "protocols/text/diagnostics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace cyclerd::text {
namespace {

SourcePtr file(std::string name, std::string text) {
  return std::make_shared<const Source>(Source{std::move(name), std::move(text)});
}

std::string lines(int n, const std::string& last) {
  std::string out;
  for (int i = 1; i < n; ++i) out += "#\n";
  return out + last + "\n";
}

TEST(Diagnostics, RendersLikeACompiler) {
  const auto profile = file("profiles/hppc.toml", lines(37, "current = \"7.5 A\""));
  const auto cell = file("cells/nmc21700.toml", lines(9, "max_charge_current = \"5 A\""));
  Diagnostics d;
  auto& finding = d.error("P041", {profile, 37, 12, 5}, "step current exceeds cell limit",
                          "use \"5 A\" or raise the limit (needs role engineer)");
  finding.label = "7.5 A = 3.0C";
  finding.related = {cell, 9, 1, 26};
  finding.related_label = "limit set here";
  EXPECT_EQ(d.render(),
            "error[P041]: step current exceeds cell limit\n"
            "  --> profiles/hppc.toml:37:12\n"
            "   |\n"
            "37 | current = \"7.5 A\"\n"
            "   |            ^^^^^ 7.5 A = 3.0C\n"
            "   |\n"
            "  ::: cells/nmc21700.toml:9:1\n"
            " 9 | max_charge_current = \"5 A\"\n"
            "   | -------------------------- limit set here\n"
            "   = help: use \"5 A\" or raise the limit (needs role engineer)\n"
            "\n"
            "1 error\n");
}

TEST(Diagnostics, SortsByFileAndPlaceAndCounts) {
  const auto a = file("a.toml", "one\ntwo\nthree\n");
  const auto b = file("b.toml", "one\n");
  Diagnostics d;
  d.warning("W1", {a, 3, 1, 1}, "third");
  d.error("E2", {b, 1, 1, 1}, "other file");
  d.warning("W3", {a, 1, 2, 1}, "first");
  d.note("N4", {a, 2, 1, 1}, "second");
  const std::string text = d.render();
  EXPECT_LT(text.find("first"), text.find("second"));
  EXPECT_LT(text.find("second"), text.find("third"));
  EXPECT_LT(text.find("third"), text.find("other file"));
  EXPECT_TRUE(text.ends_with("1 error, 2 warnings, 1 note\n")) << text;
  EXPECT_EQ(d.error_count(), 1U);
  EXPECT_EQ(d.warning_count(), 2U);
}

TEST(Diagnostics, NothingFoundPrintsNothing) {
  EXPECT_EQ(Diagnostics{}.render(), "");
  EXPECT_EQ(Diagnostics{}.json(), "[]");
}

TEST(Diagnostics, FindingWithoutPlaceOrForAWholeFile) {
  Diagnostics d;
  d.error("X1", {}, "no file at all");
  d.error("X2", {file("w.toml", "x\n"), 0, 0, 1}, "whole file");
  const std::string text = d.render();
  EXPECT_THAT(text, testing::HasSubstr("error[X1]: no file at all\n"));
  EXPECT_THAT(text, testing::HasSubstr("--> w.toml\n"));
  EXPECT_TRUE(text.ends_with("2 errors\n"));
}

TEST(Diagnostics, CaretStandsUnderCharactersNotBytes) {
  Diagnostics d;
  d.error("X1", {file("u.toml", "x = '\xC3\xA9\xC3\xA9' + y\n"), 1, 12, 1}, "here");
  EXPECT_THAT(d.render(), testing::HasSubstr("\n  |            ^\n"));
}

TEST(Diagnostics, TabsAndTerminalEscapesAreMadeHarmless) {
  Diagnostics d;
  d.error("X1", {file("u.toml", "\tx = \x1B[31m\xFF\n"), 1, 2, 1}, "here");
  const std::string text = d.render();
  EXPECT_EQ(text.find('\x1B'), std::string::npos);
  EXPECT_THAT(text, testing::HasSubstr("1 |  x = \xEF\xBF\xBD[31m\xEF\xBF\xBD\n"));
  EXPECT_THAT(text, testing::HasSubstr("  |  ^\n"));
}

TEST(Diagnostics, LongLinesAreShownAroundThePlace) {
  Diagnostics d;
  const std::string line = std::string(5000, 'a') + "BAD" + std::string(5000, 'a');
  d.error("X1", {file("u.toml", line + "\n"), 1, 5001, 3}, "here");
  const std::string text = d.render();
  EXPECT_LT(text.size(), 500U);
  EXPECT_THAT(text, testing::HasSubstr("aBADa"));
  EXPECT_THAT(text, testing::HasSubstr(" ^^^\n"));
  const auto at = text.find("BAD") - text.find("1 | ");
  const auto caret_line = text.substr(text.find("\n  | ") + 1);
  EXPECT_EQ(at, text.find("^^^") - (text.rfind('\n', text.find("^^^")) + 1));
}

TEST(Diagnostics, CaretBeyondTheLineAndEndOfFileAreShown) {
  Diagnostics d;
  d.error("X1", {file("u.toml", "abc"), 1, 4, 7}, "end");
  d.error("X2", {file("u.toml", "abc\n"), 2, 1, 1}, "after the last line");
  const std::string text = d.render();
  EXPECT_THAT(text, testing::HasSubstr("1 | abc\n  |    ^\n"));
  EXPECT_THAT(text, testing::HasSubstr("2 | \n  | ^\n"));
}

TEST(Diagnostics, ColourChangesOnlyEscapes) {
  Diagnostics d;
  auto& finding = d.error("X1", {file("u.toml", "abc\n"), 1, 2, 1}, "bad", "mend");
  finding.label = "label";
  std::string coloured = d.render(true);
  EXPECT_THAT(coloured, testing::HasSubstr("\033[1;31m"));
  std::string stripped;
  for (std::size_t i = 0; i < coloured.size(); ++i) {
    if (coloured[i] == '\033') {
      i = coloured.find('m', i);
    } else {
      stripped += coloured[i];
    }
  }
  EXPECT_EQ(stripped, d.render(false));
}

TEST(Diagnostics, AppendAddsCounts) {
  Diagnostics a;
  Diagnostics b;
  a.error("E", {}, "one");
  b.error("E", {}, "two");
  b.warning("W", {}, "three");
  a.append(std::move(b));
  EXPECT_EQ(a.error_count(), 2U);
  EXPECT_EQ(a.warning_count(), 1U);
  EXPECT_EQ(a.all().size(), 3U);
}

TEST(Diagnostics, JsonCarriesEverything) {
  const auto f = file("u.toml", "abc\n");
  Diagnostics d;
  auto& finding = d.warning("P1", {f, 1, 2, 2}, "mess\"age", "help");
  finding.related = {f, 1, 1, 1};
  finding.related_label = "there";
  const auto j = nlohmann::json::parse(d.json());
  ASSERT_EQ(j.size(), 1U);
  EXPECT_EQ(j[0]["severity"], "warning");
  EXPECT_EQ(j[0]["code"], "P1");
  EXPECT_EQ(j[0]["file"], "u.toml");
  EXPECT_EQ(j[0]["line"], 1);
  EXPECT_EQ(j[0]["column"], 2);
  EXPECT_EQ(j[0]["length"], 2);
  EXPECT_EQ(j[0]["message"], "mess\"age");
  EXPECT_EQ(j[0]["help"], "help");
  EXPECT_EQ(j[0]["related"]["label"], "there");
}

TEST(Nearest, FindsSlipsAndNothingElse) {
  const std::vector<std::string> names{"voltage", "current", "temperature", "for"};
  EXPECT_EQ(nearest("volatge", names), "voltage");
  EXPECT_EQ(nearest("curent", names), "current");
  EXPECT_EQ(nearest("temprature", names), "temperature");
  EXPECT_EQ(nearest("pressure", names), "");
  EXPECT_EQ(nearest("x", names), "");
  EXPECT_EQ(nearest("", names), "");
  EXPECT_EQ(nearest("fr", names), "for");
}

}  // namespace
}  // namespace cyclerd::text
