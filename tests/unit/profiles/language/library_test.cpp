// Every shipped profile compiles, without an error, on the cells it is for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "profiles/evaluate.hpp"
#include "tests/unit/profiles/language/bench.hpp"

namespace cyclerd::profiles::test {
namespace {

std::vector<std::string> shipped() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(CYCLERD_SOURCE_DIR "/profiles/library")) {
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  }
  return names;
}

Launch launch_on(const std::string& cell_name) {
  Launch launch = roomy_launch();
  const auto source = text::read_source(std::string(CYCLERD_SOURCE_DIR "/profiles/cells/") + cell_name + ".toml");
  text::Diagnostics diagnostics;
  launch.cell = *load_cell(*source, diagnostics);
  return launch;
}

class Library : public testing::TestWithParam<std::string> {};

TEST_P(Library, CompilesOnTheLgM50) {
  const auto source = text::read_source(CYCLERD_SOURCE_DIR "/profiles/library/" + GetParam() + ".toml");
  ASSERT_TRUE(source);
  text::Diagnostics diagnostics;
  const auto program = compile_profile(*source, launch_on("lg-m50"), diagnostics);
  ASSERT_TRUE(program) << diagnostics.render();
  EXPECT_EQ(malformed(*program), nullptr);
  EXPECT_EQ(program->name, GetParam()) << "file and profile have one name";
  if (GetParam() == "cycle-life") {
    // As on the design page: the discharge has no time guard, and the first check-up comes after 49 cycles.
    std::vector<std::string> codes;
    for (const auto& d : diagnostics.all()) codes.push_back(d.code);
    EXPECT_THAT(codes, testing::UnorderedElementsAre("P041", "P049")) << diagnostics.render();
  } else {
    EXPECT_GT(program->worst_case_duration.us, 0) << "every shipped profile is bounded in time";
    EXPECT_GT(program->worst_case_rows, 0.0);
    EXPECT_TRUE(diagnostics.all().empty()) << diagnostics.render();
  }
  // compile, print, compile
  text::Diagnostics again_diagnostics;
  Launch alone = launch_on("lg-m50");
  alone.procedure_library.clear();  // the canonical form holds what it calls
  const auto again = compile_profile(source_of(program->canonical), alone, again_diagnostics);
  ASSERT_TRUE(again) << again_diagnostics.render();
  EXPECT_EQ(again->compiled_sha256, program->compiled_sha256);
}

INSTANTIATE_TEST_SUITE_P(Shipped, Library, testing::ValuesIn(shipped()), [](const auto& test) {
  std::string name = test.param;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
});

TEST(LibraryProfiles, EveryProcedureIsOne) {
  for (const auto& entry : std::filesystem::directory_iterator(CYCLERD_SOURCE_DIR "/profiles/library/procedures")) {
    const std::string name = entry.path().stem().string();
    const Compiled c = compile_body("[[step]]\ncall = { procedure = \"" + name + "\" }\n", launch_on("lg-m50"));
    ASSERT_TRUE(c.program) << c.diagnostics.render();
    EXPECT_TRUE(c.diagnostics.all().empty()) << c.diagnostics.render();
    EXPECT_GT(c.program->worst_case_duration.us, 0);
  }
}

TEST(LibraryProfiles, CapacityCheckRunsOnLfpByParametersAlone) {
  const auto source = text::read_source(CYCLERD_SOURCE_DIR "/profiles/library/capacity-check.toml");
  Launch launch = launch_on("a123-26650");
  text::Diagnostics diagnostics;
  EXPECT_FALSE(compile_profile(*source, launch, diagnostics)) << "4.2 V is above the cell's 3.6 V";
  launch.parameters = {{"charge_voltage", "3.6 V"}, {"cut_off", "2.0 V"}};
  text::Diagnostics second;
  EXPECT_TRUE(compile_profile(*source, launch, second)) << second.render();
}

TEST(LibraryProfiles, DemoLastsAboutThreeMinutes) {
  const auto source = text::read_source(CYCLERD_SOURCE_DIR "/profiles/library/demo.toml");
  text::Diagnostics diagnostics;
  const auto program = compile_profile(*source, launch_on("lg-m50"), diagnostics);
  ASSERT_TRUE(program) << diagnostics.render();
  // At the most: the guards of soak (120 s) and charge (90 s), 2 x 10 s rest, 75 s of US06. A working chamber and the
  // lab's cell take 3 s and 67 s.
  EXPECT_EQ(program->worst_case_duration, base::seconds(120 + 90 + 10 + 75 + 10));
}

}  // namespace
}  // namespace cyclerd::profiles::test
