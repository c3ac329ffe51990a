// What `cyclerctl expand` prints, held by golden texts beside their profiles. CYCLERD_WRITE_GOLDEN=1 writes them anew;
// a reviewer reads the difference.
#include "profiles/expand.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/unit/profiles/language/bench.hpp"

namespace cyclerd::profiles::test {
namespace {

const std::string kFolder = CYCLERD_SOURCE_DIR "/tests/unit/profiles/language/expand/";

text::SourcePtr read(const std::string& path) {
  const auto source = text::read_source(path);
  EXPECT_TRUE(source) << path;
  return source ? *source : source_of("");
}

Launch launch_of(const std::string& name) {
  Launch launch = roomy_launch();
  launch.procedure_library.clear();
  if (name == "steps") launch.waveforms["drive.csv"] = read(kFolder + "drive.csv")->text;
  return launch;
}

ProfileFiles files_of(const Launch& launch) {
  return {launch.waveforms, launch.waveform_library, launch.procedure_library};
}

void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = kFolder + name + ".txt";
  if (std::getenv("CYCLERD_WRITE_GOLDEN") != nullptr) {
    std::ofstream(path) << text;
    return;
  }
  EXPECT_EQ(text, read(path)->text) << path;
}

class ExpandGolden : public testing::TestWithParam<std::string> {};

TEST_P(ExpandGolden, OnACell) {
  text::Diagnostics diagnostics;
  const auto expansion = expand_profile(read(kFolder + GetParam() + ".toml"), launch_of(GetParam()), diagnostics);
  ASSERT_TRUE(expansion) << diagnostics.render();
  expect_golden(GetParam() + "-lg-m50", to_text(*expansion));
}

TEST_P(ExpandGolden, WithoutACell) {
  text::Diagnostics diagnostics;
  const auto source = read(kFolder + GetParam() + ".toml");
  const auto expansion = expand_profile(source, files_of(launch_of(GetParam())), diagnostics);
  ASSERT_TRUE(expansion) << diagnostics.render();
  expect_golden(GetParam() + "-as-written", to_text(*expansion));
}

// Both number the steps alike, so that one can be read beside the other, and beside a record.
TEST_P(ExpandGolden, StepsAreThoseOfTheProgram) {
  text::Diagnostics diagnostics;
  const auto source = read(kFolder + GetParam() + ".toml");
  const Launch launch = launch_of(GetParam());
  const auto program = compile_profile(source, launch, diagnostics);
  const auto known = expand_profile(source, launch, diagnostics);
  const auto written = expand_profile(source, files_of(launch), diagnostics);
  ASSERT_TRUE(program && known && written) << diagnostics.render();
  ASSERT_EQ(known->steps.size(), program->steps.size());
  ASSERT_EQ(written->steps.size(), program->steps.size());
  for (std::size_t i = 0; i < program->steps.size(); ++i) {
    EXPECT_EQ(known->steps[i].index, i);
    EXPECT_EQ(known->steps[i].type, program->text(program->steps[i].type));
    EXPECT_EQ(written->steps[i].type, known->steps[i].type);
    EXPECT_EQ(written->steps[i].depth, known->steps[i].depth);
    for (const ExpandedCondition& c : known->steps[i].until) {
      EXPECT_TRUE(c.target == kNoStep || c.target < program->steps.size());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Profiles, ExpandGolden, testing::Values("steps", "calls"),
                         [](const auto& test) { return test.param; });

TEST(Expand, AParameterOfTheLaunchStandsInTheValues) {
  Launch launch = launch_of("calls");
  launch.parameters["rate"] = "0.2 C";
  text::Diagnostics diagnostics;
  const auto expansion = expand_profile(read(kFolder + "calls.toml"), launch, diagnostics);
  ASSERT_TRUE(expansion) << diagnostics.render();
  EXPECT_EQ(expansion->parameters[1].name, "rate");
  EXPECT_EQ(expansion->parameters[1].value.text, "1 A");
  EXPECT_EQ(expansion->parameters[1].standard, "1 C");
}

TEST(Expand, AShippedProcedureIsWrittenOutOnACellAndWithout) {
  const auto source = source_of(kHead + "[[step]]\nname = \"check\"\ncall = { procedure = \"capacity_check\" }\n");
  for (const bool on_cell : {true, false}) {
    text::Diagnostics diagnostics;
    const auto expansion = on_cell ? expand_profile(source, roomy_launch(), diagnostics)
                                   : expand_profile(source, files_of(roomy_launch()), diagnostics);
    ASSERT_TRUE(expansion) << diagnostics.render();
    EXPECT_NE(to_text(*expansion).find("check.discharge"), std::string::npos) << to_text(*expansion);
  }
}

TEST(Expand, ValuesAreNumbersInSiUnits) {
  text::Diagnostics diagnostics;
  const auto expansion = expand_profile(
      source_of(kHead +
                "[[step]]\ndischarge = { current = \"C/2\" }\nuntil = [\"step_capacity >= 1 Ah\", \"time >= 3 h\"]\n"),
      roomy_launch(), diagnostics);
  ASSERT_TRUE(expansion) << diagnostics.render();
  const auto& [key, current] = expansion->steps[0].values.at(0);
  EXPECT_EQ(key, "current");
  EXPECT_DOUBLE_EQ(current.value, 2.5);
  EXPECT_EQ(current.unit, "A");
  EXPECT_EQ(current.written, "C/2");
}

TEST(Expand, AProfileWithErrorsHasNone) {
  text::Diagnostics diagnostics;
  EXPECT_FALSE(expand_profile(source_of(kHead + "[[step]]\nrest = {}\n"), roomy_launch(), diagnostics));
  EXPECT_TRUE(diagnostics.has_errors());
}

}  // namespace
}  // namespace cyclerd::profiles::test
