#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocols/text/toml.hpp"

namespace cyclerd::text {
namespace {

struct Fixture {
  explicit Fixture(const std::string& text) {
    const auto source = std::make_shared<const Source>(Source{"t.toml", text});
    node = parse_toml(source, diagnostics).value();
  }
  [[nodiscard]] std::string codes() const {
    std::string out;
    for (const auto& d : diagnostics.all()) out += d.code + " ";
    return out;
  }
  Diagnostics diagnostics;
  TomlNode node;
};

TEST(TableReader, ReadsWhatIsThere) {
  Fixture f("s = 'x'\nb = true\ni = 5\nn = 2.5\nw = 'red'\nq = '4200 mV'\nl = [1]\nt = {}\np = '80 %'\nr = 0.8\n");
  TableReader reader(f.node, "[t]", f.diagnostics);
  EXPECT_EQ(reader.required_string("s"), "x");
  EXPECT_EQ(reader.optional_bool("b"), true);
  EXPECT_EQ(reader.required_integer("i", 5, 5), 5);
  EXPECT_EQ(reader.optional_number("n"), 2.5);
  EXPECT_EQ(reader.required_word("w", {"red", "green"}), "red");
  EXPECT_DOUBLE_EQ(reader.required_quantity("q", dimension::kVoltage).value(), 4.2);
  EXPECT_DOUBLE_EQ(reader.required_quantity("p", dimension::kNone).value(), 0.8);
  EXPECT_DOUBLE_EQ(reader.required_quantity("r", dimension::kNone).value(), 0.8);
  EXPECT_NE(reader.optional_array("l"), nullptr);
  EXPECT_NE(reader.required_table("t"), nullptr);
  EXPECT_EQ(reader.optional_string("absent"), std::nullopt);
  reader.finish();
  EXPECT_TRUE(f.diagnostics.all().empty()) << f.diagnostics.render();
}

TEST(TableReader, UnknownKeysAreReportedWithTheNearestName) {
  Fixture f("voltge = '4 V'\nzzz = 1\n");
  TableReader reader(f.node, "[safety]", f.diagnostics);
  (void)reader.optional_quantity("voltage", dimension::kVoltage);
  (void)reader.optional_string("name");
  reader.finish();
  ASSERT_EQ(f.diagnostics.error_count(), 2U);
  EXPECT_EQ(f.diagnostics.all()[0].code, "T012");
  EXPECT_EQ(f.diagnostics.all()[0].message, "unknown key 'voltge' in [safety]");
  EXPECT_EQ(f.diagnostics.all()[0].help, "did you mean 'voltage'?");
  EXPECT_EQ(f.diagnostics.all()[0].where.line, 1U);
  EXPECT_EQ(f.diagnostics.all()[1].help, "known keys: voltage, name");
}

TEST(TableReader, ATableWithoutKeysSaysSo) {
  Fixture f("time = 1\n");
  TableReader reader(f.node, "rest", f.diagnostics);
  reader.finish();
  ASSERT_EQ(f.diagnostics.error_count(), 1U);
  EXPECT_EQ(f.diagnostics.all()[0].help, "remove it: no key belongs there");
}

TEST(TableReader, MissingAndWrongKindsAreReported) {
  Fixture f("s = 1\nb = 'yes'\ni = 2.5\nn = 'x'\nt = 1\nl = {}\n");
  TableReader reader(f.node, "[t]", f.diagnostics);
  EXPECT_EQ(reader.required_string("absent"), "");
  EXPECT_EQ(reader.required_string("s"), "");
  EXPECT_EQ(reader.optional_bool("b"), std::nullopt);
  EXPECT_EQ(reader.optional_integer("i", 0, 9), std::nullopt);
  EXPECT_EQ(reader.optional_number("n"), std::nullopt);
  EXPECT_EQ(reader.required_table("t"), nullptr);
  EXPECT_EQ(reader.optional_array("l"), nullptr);
  EXPECT_EQ(f.codes(), "T010 T011 T011 T011 T011 T011 T011 ");
}

TEST(TableReader, IntegerRangeIsExact) {
  Fixture f("low = 0\nhigh = 126\nmin = 1\nmax = 125\n");
  TableReader reader(f.node, "[t]", f.diagnostics);
  EXPECT_EQ(reader.optional_integer("min", 1, 125), 1);
  EXPECT_EQ(reader.optional_integer("max", 1, 125), 125);
  EXPECT_TRUE(f.diagnostics.all().empty());
  EXPECT_EQ(reader.optional_integer("low", 1, 125), std::nullopt);
  EXPECT_EQ(reader.optional_integer("high", 1, 125), std::nullopt);
  EXPECT_EQ(f.codes(), "T013 T013 ");
}

TEST(TableReader, WordsAreSuggested) {
  Fixture f("kind = 'cyclr'\n");
  TableReader reader(f.node, "[t]", f.diagnostics);
  EXPECT_EQ(reader.required_word("kind", {"cycler", "chamber"}), std::nullopt);
  EXPECT_THAT(f.diagnostics.all()[0].help, testing::HasSubstr("did you mean 'cycler'?"));
}

TEST(TableReader, QuantitiesMustHaveTheRightUnit) {
  Fixture f("a = 4.2\nb = '4.2 A'\nc = '0.5 C'\nd = '4.2 volts'\ne = '4.2'\nf = true\n");
  TableReader reader(f.node, "[t]", f.diagnostics);
  EXPECT_EQ(reader.optional_quantity("a", dimension::kVoltage), std::nullopt);
  EXPECT_EQ(reader.optional_quantity("b", dimension::kVoltage), std::nullopt);
  EXPECT_EQ(reader.optional_quantity("c", dimension::kCurrent), std::nullopt);
  EXPECT_EQ(reader.optional_quantity("d", dimension::kVoltage), std::nullopt);
  EXPECT_EQ(reader.optional_quantity("e", dimension::kVoltage), std::nullopt);
  EXPECT_EQ(reader.optional_quantity("f", dimension::kVoltage), std::nullopt);
  const auto& all = f.diagnostics.all();
  ASSERT_EQ(all.size(), 6U);
  EXPECT_EQ(all[0].help, "write \"4.2 V\"");
  EXPECT_THAT(all[1].message, testing::HasSubstr("must be a voltage, not a current"));
  EXPECT_THAT(all[2].message, testing::HasSubstr("C-rate"));
  EXPECT_EQ(all[3].where.column, 10U);  // the unit inside the quotes
  EXPECT_EQ(all[3].where.length, 5U);
  EXPECT_THAT(all[4].message, testing::HasSubstr("not a plain number"));
}

TEST(TableReader, SomethingElseThanATableIsReportedOnce) {
  Fixture f("t = 5\n");
  TableReader reader(*f.node.find("t"), "[t]", f.diagnostics);
  (void)reader.required("x");
  reader.finish();
  EXPECT_EQ(f.codes(), "T011 ");
}

}  // namespace
}  // namespace cyclerd::text
