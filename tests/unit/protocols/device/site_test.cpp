#include "protocols/device/site.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/protocols/device/example.hpp"

namespace cyclerd::device {
namespace {

struct Bound {
  SiteParameters site;
  text::Diagnostics diagnostics;
};

Bound bind(const std::string& table) {
  const auto loaded = testing_support::load(testing_support::example());
  Bound b;
  const auto source = std::make_shared<const text::Source>(text::Source{"station.toml", table});
  const auto node = text::parse_toml(source, b.diagnostics);
  b.site = bind_site(*loaded.description, &node.value(), b.diagnostics);
  return b;
}

TEST(Site, DefaultsHoldWhenNothingIsSaid) {
  const auto loaded = testing_support::load(testing_support::example());
  text::Diagnostics diagnostics;
  EXPECT_EQ(bind_site(*loaded.description, nullptr, diagnostics).values, (std::vector<double>{0, 1, 1}));
}

TEST(Site, ValuesAreBoundByName) {
  const auto b = bind("order = 'CDAB'\ntimeout = '2.5 s'\npolarity = false\n");
  EXPECT_TRUE(b.diagnostics.all().empty()) << b.diagnostics.render();
  EXPECT_EQ(b.site.values, (std::vector<double>{1, 2.5, 0}));
}

TEST(Site, RangeIsExact) {
  EXPECT_FALSE(bind("timeout = '100 ms'").diagnostics.has_errors());
  EXPECT_FALSE(bind("timeout = '60 s'").diagnostics.has_errors());
  for (const char* text : {"timeout = '99 ms'", "timeout = '60.001 s'"}) {
    const auto b = bind(text);
    ASSERT_EQ(b.diagnostics.error_count(), 1U) << text;
    EXPECT_EQ(b.diagnostics.all()[0].code, "D032");
    EXPECT_NE(b.diagnostics.all()[0].related.source, nullptr);
  }
}

TEST(Site, WrongNamesAndKindsAreReported) {
  const auto b = bind("ordr = 'CDAB'\ntimeout = 2\npolarity = 'yes'\norder = 'ABDC'\n");
  EXPECT_EQ(b.diagnostics.error_count(), 4U) << b.diagnostics.render();
}

}  // namespace
}  // namespace cyclerd::device
