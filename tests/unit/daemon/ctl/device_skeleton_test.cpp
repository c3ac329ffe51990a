#include "daemon/ctl/device_skeleton.hpp"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "daemon/ctl/description_view.hpp"

namespace cyclerd::ctl {
namespace {

using device::DeviceKind;
using device::Dialect;

struct Loaded {
  std::shared_ptr<const device::Description> description;
  text::Diagnostics findings;
};

Loaded load(const std::string& text) {
  Loaded loaded;
  const auto source = std::make_shared<const text::Source>(text::Source{"new.toml", text});
  loaded.description = device::load_description(source, loaded.findings);
  return loaded;
}

class EverySkeleton : public testing::TestWithParam<std::tuple<Dialect, DeviceKind>> {};

// A key that is missing (T010), a fact without its source (D010), an instrument that any other could pass for (D060).
TEST_P(EverySkeleton, HasOnlyFindingsThatSayWhatToFillIn) {
  const auto [dialect, kind] = GetParam();
  const Loaded loaded = load(device_skeleton("my-device", dialect, kind));
  EXPECT_EQ(loaded.description, nullptr) << "nothing is left to fill in: the figures of a manual cannot be known";
  const std::set<std::string> fill_in{"T010", "D010", "D060"};
  for (const auto& finding : loaded.findings.all()) {
    EXPECT_TRUE(fill_in.contains(finding.code)) << finding.code << ": " << finding.message;
    EXPECT_GT(finding.where.line, 0U) << finding.message;
  }
}

INSTANTIATE_TEST_SUITE_P(Skeletons, EverySkeleton,
                         testing::Combine(testing::Values(Dialect::modbus),
                                          testing::Values(DeviceKind::cycler, DeviceKind::chamber, DeviceKind::sensor)),
                         [](const auto& p) {
                           return std::string{dialect_word(std::get<0>(p.param))} + "_" +
                                  std::string{kind_word(std::get<1>(p.param))};
                         });

// Fills in what the comments ask for, as a person would: removes the '#' and puts a value there.
std::string filled(const std::string& skeleton) {
  std::istringstream in(skeleton);
  std::string out;
  int address = 0;
  for (std::string line; std::getline(in, line);) {
    const auto is = [&](const char* key) { return line.starts_with(std::string{"# "} + key); };
    if (is("address"))
      line = "address = " + std::to_string(address += 10);
    else if (is("length"))
      line = "length = 16";
    else if (is("scale"))
      line = "scale = 0.01";
    else if (is("source"))
      line = "source = \"manual, page 4\"";
    else if (is("query"))
      line = "query = \"Q" + std::to_string(address += 10) + "?\"";
    else if (is("set"))
      line = "set = \"S" + std::to_string(address += 10) + " {value}\"";
    else if (is("maker"))
      line = "maker = { value = \"Example\" }";
    else if (line.starts_with("model    = {"))
      line = "model = { item = \"model\", match = [\"MX-*\"] }";
    else if (is("off"))
      line = "off = \"open\"";
    else if (is("voltage_min"))
      line = "voltage_min = \"0 V\"";
    else if (is("voltage_max"))
      line = "voltage_max = \"60 V\"";
    else if (is("current_min"))
      line = "current_min = \"-10 A\"";
    else if (is("current_max"))
      line = "current_max = \"10 A\"";
    else if (is("temperature_min"))
      line = "temperature_min = \"-40 degC\"";
    else if (is("temperature_max"))
      line = "temperature_max = \"100 degC\"";
    out += line + "\n";
  }
  return out;
}

TEST_P(EverySkeleton, PassesOnceItIsFilledIn) {
  const auto [dialect, kind] = GetParam();
  const Loaded loaded = load(filled(device_skeleton("my-device", dialect, kind)));
  EXPECT_FALSE(loaded.findings.has_errors()) << loaded.findings.render();
  ASSERT_NE(loaded.description, nullptr);
  EXPECT_EQ(loaded.description->kind, kind);
  EXPECT_EQ(loaded.description->dialect, dialect);
  EXPECT_EQ(provenance_of(*loaded.description).unverified(), static_cast<int>(loaded.description->items.size()));
}

}  // namespace
}  // namespace cyclerd::ctl
