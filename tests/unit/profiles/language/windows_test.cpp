// rate() and avg(): a look back over the step that runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/profiles/language/run_text.hpp"

namespace cyclerd::profiles::test {
namespace {

using cyclerd::test::Bench;

base::Sample sample_at(double s, double voltage_V, std::uint32_t flags = 0) {
  base::Sample sample;
  sample.time = base::MonoTime{std::llround(1e6 * s) + 1'000'000};
  sample.voltage_V = voltage_V;
  sample.current_A = 0.0;
  sample.flags = flags;
  return sample;
}

// Runs the one rest of a body on a voltage given by time, at ten scans a second; returns how long it took, in s.
template <class Voltage>
double lasts(const std::string& until, Voltage voltage, double limit_s = 100.0) {
  Bench bench(program_of("[[step]]\nname = \"r\"\nrest = {}\nuntil = [\"" + until +
                         "\", \"time >= " + std::to_string(limit_s) + " s\"]\n"));
  for (int i = 0; i < 10'000 && !is_over(bench.output->state); ++i) bench.feed(sample_at(0.1 * i, voltage(0.1 * i)));
  return seconds_of(bench.summary("r").duration_us);
}

TEST(Windows, RateIsKnownOnceTheWindowIsFull) {
  const auto falling = [](double s) { return 4.0 - 0.001 * s; };  // 1 mV/s
  EXPECT_NEAR(lasts("rate(voltage, 10 s) < 0 V/s", falling), 10.1, 1e-9) << "from the step's first sample, at 0.1 s";
  EXPECT_NEAR(lasts("rate(voltage, 10 s) <= -0.9999 mV/s", falling), 10.1, 1e-9);
  EXPECT_NEAR(lasts("rate(voltage, 10 s) <= -1.0001 mV/s", falling), 100.0, 1e-9);
  EXPECT_NEAR(lasts("abs(rate(voltage, 10 s)) >= 59.99 mV/min", falling), 10.1, 1e-9);
}

TEST(Windows, RelaxationEndsWhereItsSlopeDoes) {
  // 20 mV with 20 s: the slope at t is 1 mV/s exp(-t/20 s); the window's line lies about half a window behind.
  const auto relax = [](double s) { return 3.7 - 0.02 * std::exp(-s / 20.0); };
  const double ended_s = lasts("abs(rate(voltage, 10 s)) < 0.2 mV/s", relax);
  EXPECT_NEAR(ended_s, 20.0 * std::log(1.0 / 0.2) + 5.0, 1.0);
}

TEST(Windows, NoiseOfAMillivoltDoesNotEndARelaxation) {
  std::mt19937 random(1);
  std::normal_distribution<double> noise_V(0.0, 1e-3);
  const auto relax = [&](double s) { return 3.7 - 0.02 * std::exp(-s / 20.0) + noise_V(random); };
  EXPECT_NEAR(lasts("abs(rate(voltage, 10 s)) < 0.2 mV/s", relax), 37.2, 4.0);
}

TEST(Windows, MeanOfAStep) {
  const auto step = [](double s) { return s < 30.0 ? 3.0 : 4.0; };
  // Half of a 16 s window is above when 8 s of it are; sixteenths of 1 s.
  EXPECT_NEAR(lasts("avg(voltage, 16 s) >= 3.5 V", step), 38.2, 0.6);
}

TEST(Windows, BeginAnewInEachStepAndAfterAPause) {
  const auto program = program_of(R"(
[[step]]
name = "a"
rest = {}
until = ["avg(voltage, 2 s) > 0 V", "time >= 1 min"]
[[step]]
name = "b"
rest = {}
until = ["avg(voltage, 2 s) > 0 V", "time >= 1 min"]
)");
  Bench bench(program);
  bench.run(32);
  EXPECT_EQ(bench.summary("a").duration_us, 2'100'000);
  bench.scan(Request::pause);
  bench.run(20);
  bench.scan(Request::resume);
  bench.run();
  // One second before the pause, then 2.1 s from the resume.
  EXPECT_NEAR(seconds_of(bench.summary("b").duration_us), 1.0 + 2.2, 0.11);
  expect_reproducible(bench);
}

TEST(Windows, PassOverSamplesThatCannotBeBelieved) {
  const auto program =
      program_of("[[step]]\nname = \"r\"\nrest = {}\nuntil = [\"avg(voltage, 2 s) > 3.5 V\", \"time >= 1 min\"]\n");
  Bench bench(program);
  for (int i = 0; i < 200; ++i) {
    const bool bad = i % 2 == 0;
    bench.feed(
        sample_at(0.1 * i, bad ? 100.0 : 3.4, bad ? (i % 4 == 0 ? base::flag::kInvalid : base::flag::kSettling) : 0));
  }
  EXPECT_TRUE(bench.steps.empty());
}

TEST(Windows, AreRefusedWhereThereIsNothingToLookBackOn) {
  const auto code_of = [](const std::string& body) {
    const Compiled c = compile_body(body);
    EXPECT_FALSE(c.program);
    return c.codes().empty() ? std::string() : c.codes().front();
  };
  const std::string rest = "rest = {}\nuntil = ";
  EXPECT_EQ(code_of("[[step]]\nwhen = \"avg(voltage, 1 s) > 4 V\"\n" + rest + "\"time >= 1 s\"\n"), "P026");
  EXPECT_EQ(code_of("[[step]]\nhold = { voltage = \"avg(voltage, 1 s)\" }\nuntil = \"time >= 1 s\"\n"), "P026");
  EXPECT_EQ(code_of("[[step]]\nrepeat = { count = 2, until = \"avg(voltage, 1 s) > 4 V\" }\n[[step.steps]]\n" + rest +
                    "\"time >= 1 s\"\n"),
            "P026");
  EXPECT_EQ(code_of("[[step]]\n" + rest + "[\"rate(voltage, 199 ms) > 1 V/s\", \"time >= 1 s\"]\n"), "P052");
  EXPECT_TRUE(compile_body("[[step]]\n" + rest + "[\"rate(voltage, 200 ms) > 1 V/s\", \"time >= 1 s\"]\n").program);
  EXPECT_TRUE(compile_body("[[step]]\n" + rest + "[\"rate(voltage, 24 h) > 1 V/s\", \"time >= 1 s\"]\n").program);
  EXPECT_EQ(code_of("[[step]]\n" + rest + "[\"rate(voltage, 24.01 h) > 1 V/s\", \"time >= 1 s\"]\n"), "P052");
  EXPECT_EQ(code_of("[[step]]\n" + rest + "[\"rate(voltage, time) > 1 V/s\", \"time >= 1 s\"]\n"), "P052");
  std::string many;
  for (int i = 1; i <= 9; ++i)
    many += (i > 1 ? " or " : "") + std::string("avg(voltage, ") + std::to_string(i) + " s) > 4 V";
  EXPECT_EQ(code_of("[[step]]\n" + rest + "[\"" + many + "\", \"time >= 1 s\"]\n"), "P028");
}

TEST(Records, CapacityEnergyAndPowerKeepRows) {
  const auto rows = [](const std::string& rule) {
    Bench bench(program_of("[record]\nevery = \"0 s\"\n" + rule +
                           "\n[[step]]\ndischarge = { current = \"1 C\" }\nuntil = \"time >= 100 s\"\n"));
    bench.run();
    return replay(*bench.program, bench.inputs).rows.size();
  };
  // 500 A s, about 1830 J: the step's two first rows and the last come on top.
  EXPECT_EQ(rows(""), 3u);
  EXPECT_EQ(rows("capacity = \"100 As\""), 3u + 4u) << "99.75 A s at 20 s, so at 20.1 s and so on: four before the end";
  EXPECT_NEAR(static_cast<double>(rows("energy = \"100 J\"")), 3.0 + 17.0, 1.0);
  EXPECT_EQ(rows("power = \"100 W\""), 3u);
  EXPECT_GT(rows("power = \"20 mW\""), 3u);
}

}  // namespace
}  // namespace cyclerd::profiles::test
