#include <gtest/gtest.h>

#include <filesystem>

#include "tests/unit/profiles/language/bench.hpp"

namespace cyclerd::profiles::test {
namespace {

const std::string kOne = R"(profile = "same"
schema = 1
[parameters]
rate = { default = "0.5 C", min = "0.05 C", max = "3 C" }
hours = { default = "2 h" }
[safety]
voltage = { min = "2.45 V", max = "4.25 V" }
capacity = { max = "1.3 * nominal_capacity" }
[record]
every = "10 s"
voltage = "5 mV"
[[step]]
name = "charge"
charge = { current = "rate", voltage = "4.2 V" }
until = ["abs(current) <= 0.05 C", { when = "time >= hours", then = "fail", for = "1 s" }]
[[step]]
name = "loop"
repeat = { count = 3 }
  [[step.steps]]
  rest = {}
  until = "time >= 10 min"
)";

// The same, spelled by somebody else: units, order of keys, spaces, comments.
const std::string kOther = R"toml(# another hand
schema = 1
profile = 'same'

[record]
voltage = "0.005 V"
every   = "10000 ms"

[safety]
capacity = { max = "(1.3)*nominal_capacity" }
voltage  = { max = "4250 mV", min = "2450mV" }

[parameters]
hours = { default = "120 min" }
rate  = { max = "3 C", min = "C/20", default = "C/2" }

[[step]]
charge = { voltage = "4200 mV", current = "rate" }   # CC-CV
name = "charge"
until = [{ when = "abs( current )<=C/20" }, { for = "1000 ms", then = "fail", when = "time>=(hours)" }]

[[step]]
repeat = { count = 3.0 }
name = "loop"
steps = [ { until = ["time >= 600 s"], rest = {} } ]
)toml";

TEST(Canonical, SpellingLeavesNoTrace) {
  const auto one = compile(kOne);
  const auto other = compile(kOther);
  ASSERT_TRUE(one.program) << one.diagnostics.render();
  ASSERT_TRUE(other.program) << other.diagnostics.render();
  EXPECT_EQ(one.program->canonical, other.program->canonical);
  EXPECT_EQ(one.program->canonical_sha256, other.program->canonical_sha256);
  EXPECT_EQ(one.program->compiled_sha256, other.program->compiled_sha256);
  EXPECT_NE(one.program->source_sha256, other.program->source_sha256);
  EXPECT_EQ(one.program->compiled_sha256.size(), 64U);
}

TEST(Canonical, FormIsAProfileWithTheSameCanonicalForm) {
  const auto one = compile(kOne);
  ASSERT_TRUE(one.program);
  const auto again = compile(one.program->canonical);
  ASSERT_TRUE(again.program) << one.program->canonical << again.diagnostics.render();
  EXPECT_EQ(again.program->canonical, one.program->canonical);
  EXPECT_EQ(again.program->compiled_sha256, one.program->compiled_sha256);
}

// Every profile of the repository: its canonical form is a profile, needs no other file, and is its own.
TEST(Canonical, OfEveryProfileItIsItsOwn) {
  const std::string root = CYCLERD_SOURCE_DIR;
  const ProfileFiles shipped{{}, root + "/profiles/library/waveforms", root + "/profiles/library/procedures"};
  std::size_t looked_at = 0;
  for (const char* folder :
       {"/profiles/library", "/tests/fuzz/corpus/profile", "/tests/unit/profiles/language/expand"}) {
    for (const auto& entry : std::filesystem::directory_iterator(root + folder)) {
      const auto source = text::read_source(entry.path().string());
      if (entry.path().extension() != ".toml" || !source || (*source)->text.find("profile = ") == std::string::npos)
        continue;
      text::Diagnostics findings;
      const auto canonical = canonical_profile(*source, shipped, findings);
      if (!canonical) continue;  // library_runs.toml and the like
      ++looked_at;
      const auto again = canonical_profile(source_of(canonical->text), {}, findings);
      ASSERT_TRUE(again) << entry.path() << findings.render();
      EXPECT_EQ(again->text, canonical->text) << entry.path();
      EXPECT_EQ(again->canonical_sha256, canonical->canonical_sha256);
      EXPECT_EQ(again->source_sha256, again->canonical_sha256) << "the file is its own canonical form";
    }
  }
  EXPECT_GT(looked_at, 10U);
}

TEST(Canonical, AChangedNumberChangesBothHashes) {
  const auto one = compile(kOne);
  std::string text = kOne;
  text.replace(text.find("4.2 V"), 5, "4.1 V");
  const auto other = compile(text);
  ASSERT_TRUE(other.program);
  EXPECT_NE(one.program->canonical_sha256, other.program->canonical_sha256);
  EXPECT_NE(one.program->compiled_sha256, other.program->compiled_sha256);
}

TEST(Canonical, ABoundParameterChangesTheCompiledHashOnly) {
  const auto one = compile(kOne);
  Launch launch = roomy_launch();
  launch.parameters["rate"] = "0.6 C";
  const auto other = compile(kOne, launch);
  ASSERT_TRUE(other.program);
  EXPECT_EQ(one.program->canonical_sha256, other.program->canonical_sha256);
  EXPECT_NE(one.program->compiled_sha256, other.program->compiled_sha256);
}

TEST(Canonical, Sha256IsTheStandardOne) {
  // The digest of this text as coreutils' sha256sum gives it.
  const auto one = compile(kHead + "[[step]]\nrest = {}\nuntil = \"time >= 1 s\"\n");
  ASSERT_TRUE(one.program);
  EXPECT_EQ(one.program->source_sha256, "bd50816210233c455703c8d366675f60d8ff83c43e195166b26d9cb6b6dfce5e");
}

}  // namespace
}  // namespace cyclerd::profiles::test
