// The manual of the description language is held against the loader: its example loads, every key it uses has a row.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "protocols/device/description.hpp"
#include "protocols/device/words.hpp"

namespace cyclerd::device {
namespace {

std::string manual() {
  return text::read_source(CYCLERD_SOURCE_DIR "/protocols/README.md").value()->text;
}

std::string example() {
  const std::string page = manual();
  const auto from = page.find("# example: complete");
  return page.substr(from, page.find("\n```", from) - from + 1);
}

void keys_of(const text::TomlNode& node, const std::string& where, std::set<std::string>& keys) {
  for (const auto& [name, member] : node.members) {
    const bool free_name = where == "item" || where == "site" || where == "sequence" || where == "is";
    if (!free_name) keys.insert(name);
    keys_of(member, name, keys);
  }
  for (const auto& item : node.items) keys_of(item, "", keys);
}

TEST(Manual, ItsExampleLoadsWithoutAFinding) {
  const auto source = std::make_shared<const text::Source>(text::Source{"README.md", example()});
  text::Diagnostics diagnostics;
  EXPECT_TRUE(load_description(source, diagnostics));
  EXPECT_TRUE(diagnostics.all().empty()) << diagnostics.render();
}

TEST(Manual, EveryKeyOfTheExampleHasARow) {
  const auto source = std::make_shared<const text::Source>(text::Source{"README.md", example()});
  text::Diagnostics diagnostics;
  std::set<std::string> keys;
  keys_of(text::parse_toml(source, diagnostics).value(), "", keys);
  const std::string page = manual();
  const std::string tables = page.substr(page.find("### Head"));
  for (const auto& key : keys) {
    if (key == "item" || key == "site" || key == "sequence" || key == "measure" || key == "status" ||
        key == "capability" || key == "watchdog" || key == "modbus" || key == "identify") {
      continue;
    }
    const bool named = tables.find("`" + key + "`") != std::string::npos ||
                       tables.find(key + ",") != std::string::npos || tables.find(key + " ") != std::string::npos;
    EXPECT_TRUE(named) << "the manual has no row for '" << key << "'";
  }
  EXPECT_GT(keys.size(), 50U);
}

TEST(Manual, NamesEverySequenceAndField) {
  const std::string page = manual();
  for (const auto& name : sequence_names()) EXPECT_NE(page.find(name), std::string::npos) << name;
  for (const auto& name : field_names()) EXPECT_NE(page.find(name), std::string::npos) << name;
}

}  // namespace
}  // namespace cyclerd::device
