#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/protocols/device/example.hpp"

namespace cyclerd::device {
namespace {

using namespace testing_support;
using testing::HasSubstr;

std::string changed(std::string text, const char* from, const char* to) {
  return replaced(std::move(text), from, to);
}

// The example as a source: no discharge, no negative current.
std::string source() {
  std::string text = changed(example(), "[capability]\n", "[capability]\ntopology = \"source\"\n");
  text = changed(text, "current_min = \"-3 A\"\n", "");
  return changed(text, "discharge = \"charge\"\n", "");
}

std::string sink() {
  std::string text = changed(example(), "[capability]\n", "[capability]\ntopology = \"sink\"\n");
  text = changed(text, "current_max = \"3 A\"\n", "");
  text = changed(text, "charge = [", "discharge = [");
  return changed(text, "discharge = \"charge\"\n", "");
}

TEST(Topology, IsTwoQuadrantUnlessSaidOtherwise) {
  const auto loaded = load(example());
  ASSERT_TRUE(loaded.description) << loaded.diagnostics.render();
  EXPECT_EQ(loaded.description->capability.topology, Topology::two_quadrant);
}

TEST(Topology, ASourceNeedsNoDischargeAndNoNegativeCurrent) {
  const auto loaded = load(source());
  ASSERT_TRUE(loaded.description) << loaded.diagnostics.render();
  EXPECT_EQ(loaded.description->capability.topology, Topology::source);
  EXPECT_FALSE(loaded.description->has(SequenceId::discharge));
}

TEST(Topology, ASinkNeedsNoChargeAndNoPositiveCurrent) {
  const auto loaded = load(sink());
  ASSERT_TRUE(loaded.description) << loaded.diagnostics.render();
  EXPECT_EQ(loaded.description->capability.topology, Topology::sink);
  EXPECT_FALSE(loaded.description->has(SequenceId::charge));
}

struct Contradiction {
  const char* name;
  std::string text;
  const char* code;
  const char* says;
};
void PrintTo(const Contradiction& c, std::ostream* out) {
  *out << c.name;
}

class TopologyContradicted : public testing::TestWithParam<Contradiction> {};

TEST_P(TopologyContradicted, IsRefusedWithTheReason) {
  const auto loaded = load(GetParam().text);
  EXPECT_FALSE(loaded.description);
  bool found = false;
  for (const auto& d : loaded.diagnostics.all())
    found = found || (d.code == GetParam().code && d.message.find(GetParam().says) != std::string::npos);
  EXPECT_TRUE(found) << loaded.diagnostics.render();
}

INSTANTIATE_TEST_SUITE_P(
    All, TopologyContradicted,
    testing::Values(Contradiction{"unknown_word", changed(source(), "\"source\"", "\"sauce\""), "T014", "sauce"},
                    Contradiction{"source_that_discharges",
                                  changed(source(), "rest = ", "discharge = \"charge\"\nrest = "), "D070",
                                  "a source has no sequence 'discharge'"},
                    Contradiction{"sink_that_charges", changed(sink(), "rest = ", "charge = \"discharge\"\nrest = "),
                                  "D070", "a sink has no sequence 'charge'"},
                    Contradiction{"source_with_negative_current",
                                  changed(source(), "current_max = ", "current_min = \"-3 A\"\ncurrent_max = "), "D070",
                                  "a source has no 'current_min' but zero"},
                    Contradiction{"sink_with_positive_current",
                                  changed(sink(), "current_min = ", "current_max = \"3 A\"\ncurrent_min = "), "D070",
                                  "a sink has no 'current_max' but zero"},
                    Contradiction{"source_without_charge", changed(source(), "charge = [", "power_charge = ["), "D021",
                                  "needs the sequence 'charge'"},
                    Contradiction{"two_quadrant_without_discharge", changed(example(), "discharge = \"charge\"\n", ""),
                                  "D021", "needs the sequence 'discharge'"}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(Topology, ZeroForTheDirectionThatIsNotThereIsNoContradiction) {
  const auto loaded = load(changed(source(), "current_max = ", "current_min = \"0 A\"\ncurrent_max = "));
  EXPECT_TRUE(loaded.description) << loaded.diagnostics.render();
}

}  // namespace
}  // namespace cyclerd::device
