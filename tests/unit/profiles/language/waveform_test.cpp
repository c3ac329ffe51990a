#include "profiles/waveform.hpp"

#include <gtest/gtest.h>

#include "tests/unit/profiles/language/bench.hpp"

namespace cyclerd::profiles {
namespace {

struct Read {
  std::optional<Waveform> waveform;
  text::Diagnostics diagnostics;
};
Read read(const std::string& csv) {
  Read result;
  result.waveform = parse_waveform(test::source_of(csv, "w.csv"), result.diagnostics);
  return result;
}

TEST(WaveformFile, SeparatorsLineEndingsAndComments) {
  for (const char* csv :
       {"time_s,current_A\n0,1\n1.5,-2\n", "time_s;current_A\r\n0;1\r\n1.5;-2\r\n",
        "# head\ntime_s\tcurrent_A\n0\t1\n# note\n\n1.5\t-2", "\xEF\xBB\xBFtime_s, current_A\n0, +1\n1.5, -2\n",
        "current_A,time_s\n1,0\n-2,1.5\n", "time_ms,current_A\n0,1\n1500,-2\n", "time_min,current_A\n0,1\n0.025,-2\n",
        "time_s,current_A\n100,1\n101.5,-2\n"}) {
    const Read r = read(csv);
    ASSERT_TRUE(r.waveform) << csv << r.diagnostics.render();
    EXPECT_EQ(r.waveform->time_us, (std::vector<std::int64_t>{0, 1'500'000})) << csv;
    EXPECT_EQ(r.waveform->value, (std::vector<double>{1.0, -2.0})) << csv;
    EXPECT_EQ(r.waveform->quantity, WaveformQuantity::current);
  }
}

TEST(WaveformFile, QuantityComesFromTheHeader) {
  EXPECT_EQ(read("time_s,power_W\n0,1\n1,2\n").waveform->quantity, WaveformQuantity::power);
  EXPECT_EQ(read("time_s,current_C\n0,1\n1,2\n").waveform->quantity, WaveformQuantity::c_rate);
  EXPECT_EQ(read("time_s,voltage_V\n0,1\n1,2\n").waveform->quantity, WaveformQuantity::voltage);
}

TEST(WaveformFile, MistakesNameTheLine) {
  const std::vector<std::pair<const char*, std::uint32_t>> cases = {
      {"time_s,current_A\n0,1\n0,2\n", 3},
      {"time_s,current_A\n0,1\n1\n", 3},
      {"time_s,current_A\n0,1\n1,2,3\n", 3},
      {"time_s,current_A\n0,1\n1,x\n", 3},
      {"time_s,current_A\n0,1\n1,nan\n", 3},
      {"time_s,current_A\n0,1\n1,1e999\n", 3},
      {"time,current_A\n0,1\n1,2\n", 1},
      {"time_s,power_W,current_A\n0,1,1\n", 1},
      {"time_s\n0\n", 1},
      {"time_s,current_A\n0,1\n", 2},
      {"time_s,current_A\n0,1\n-1,2\n", 3},
      {"time_s;current_A\n0;1,5\n1;2\n", 2},
  };
  for (const auto& [csv, line] : cases) {
    const Read r = read(csv);
    EXPECT_FALSE(r.waveform) << csv;
    ASSERT_FALSE(r.diagnostics.all().empty()) << csv;
    EXPECT_EQ(r.diagnostics.all()[0].code, "P081");
    EXPECT_EQ(r.diagnostics.all()[0].where.line, line) << csv << r.diagnostics.render();
  }
  EXPECT_FALSE(read("").waveform);
}

TEST(WaveformFile, AMissingHeaderIsCalledThat) {
  for (const char* csv : {"0;1\n1;0.5\n", "0,1\n", "-1.5e3\t2\n"}) {
    const Read r = read(csv);
    ASSERT_FALSE(r.diagnostics.all().empty()) << csv;
    EXPECT_TRUE(r.diagnostics.all()[0].help.starts_with("the first line names the columns")) << csv;
  }
}

TEST(WaveformFile, AtMostTenFindings) {
  std::string csv = "time_s,current_A\n";
  for (int i = 0; i < 100; ++i) csv += "x,y\n";
  EXPECT_LE(read(csv).diagnostics.all().size(), 20U);
}

TEST(WaveformFile, EveryShippedWaveformReadsAndDischarges) {
  for (const char* name : {"us06", "udds", "hwfet", "nycc", "wltc"}) {
    const auto source =
        text::read_source(std::string(CYCLERD_SOURCE_DIR "/profiles/library/waveforms/") + name + ".csv");
    ASSERT_TRUE(source) << name;
    text::Diagnostics diagnostics;
    const auto w = parse_waveform(*source, diagnostics);
    ASSERT_TRUE(w) << name << diagnostics.render();
    double sum = 0.0;
    for (std::size_t i = 0; i + 1 < w->value.size(); ++i) {
      sum += w->value[i] * static_cast<double>(w->time_us[i + 1] - w->time_us[i]) * 1e-6;
    }
    EXPECT_LT(sum, 0.0) << name << ": a drive cycle takes charge out, and charge is positive";
  }
}

TEST(WaveformFile, Us06HasTheUpstreamCharge) {
  const auto source = text::read_source(CYCLERD_SOURCE_DIR "/profiles/library/waveforms/us06.csv");
  text::Diagnostics diagnostics;
  const auto w = parse_waveform(*source, diagnostics);
  ASSERT_TRUE(w);
  ASSERT_EQ(w->value.size(), 601U);
  double sum_C = 0.0;
  for (std::size_t i = 0; i + 1 < w->value.size(); ++i) sum_C += w->value[i];
  EXPECT_NEAR(sum_C / 3600.0, -0.14031, 1e-5);  // held values of the upstream file, summed independently
}

TEST(WaveformFiles, AreThoseThatTheProfileNamesAndThatStayInside) {
  const auto files = waveform_files(test::source_of(R"(
[[step]]
follow = { waveform = "drive.csv" }
[[step]]
repeat = { count = 2, steps = [{ follow = { waveform = "sub/wind.csv" } }, { follow = { waveform = "drive.csv" } }] }
[[step]]
follow = { waveform = "../../etc/passwd" }
[[step]]
follow = { waveform = "/etc/passwd" }
)",
                                                    "p.toml"));
  EXPECT_EQ(files, (std::vector<std::string>{"drive.csv", "sub/wind.csv"}));
  EXPECT_TRUE(waveform_files(test::source_of("= broken", "p.toml")).empty());
}

TEST(StaysInside, OnlyRelativePathsWithoutWaysUp) {
  for (const char* inside : {"a.csv", "a/b.csv", "a..b", "..a", "./a"}) EXPECT_TRUE(stays_inside(inside)) << inside;
  for (const char* outside : {"", "/a", "..", "../a", "a/..", "a/../b"}) EXPECT_FALSE(stays_inside(outside)) << outside;
  EXPECT_FALSE(stays_inside(std::string("a\0b", 3)));
}

TEST(WaveformFiles, AGivenTextIsPlayedAndComesBeforeTheShippedOneOfTheSameName) {
  Launch launch = test::roomy_launch();
  launch.waveforms["us06.csv"] = "time_s,current_A\n0,1\n2,1\n";
  text::Diagnostics diagnostics;
  const auto program = compile_profile(
      test::source_of(test::kHead + "[[step]]\nfollow = { waveform = \"us06.csv\" }\n", "p.toml"), launch, diagnostics);
  ASSERT_TRUE(program) << diagnostics.render();
  EXPECT_EQ(program->waveforms.at(0).time_us, (std::vector<std::int64_t>{0, 2'000'000}));
}

}  // namespace
}  // namespace cyclerd::profiles
