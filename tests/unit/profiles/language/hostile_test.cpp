// Texts that want to hurt: nothing crashes, everything is a finding.
#include <gtest/gtest.h>

#include "tests/unit/profiles/language/bench.hpp"

namespace cyclerd::profiles::test {
namespace {

void survives(const std::string& text) {
  text::Diagnostics diagnostics;
  const auto program = compile_profile(source_of(text), roomy_launch(), diagnostics);
  EXPECT_TRUE(program != nullptr || diagnostics.has_errors()) << text.substr(0, 200);
  text::Diagnostics again;
  check_profile(source_of(text), again);
}

TEST(Hostile, KnownCrashersOfTheTomlLibrary) {
  for (const std::string text :
       {"[=3,2]\n", "[[[1]]]\n", "[[=", "\xEF\xBA\xBF", "[[step]]\n[step]\n", "\0\0\0", "a.b.c.d = {",
        "[[step]]\nrest = {\n", "step = 1\n", "step = [1, 2]\n", "[step]\nrest = {}\n", "x = \"\\u0000\""}) {
    survives(text);
    survives(kHead + text);
  }
  survives(kHead + std::string(200'000, '.') + " = 1\n");
  survives(kHead + "x = " + std::string(100'000, '['));
}

TEST(Hostile, WrongKindsUnderEveryKey) {
  const std::vector<std::string> values = {"1",           "-1",      "1.5",  "true", "\"\"",      "\"x\"",
                                           "[]",          "{}",      "[[]]", "[{}]", "{ a = 1 }", "9223372036854775807",
                                           "\"1e400 V\"", "\"\\\"\""};
  for (const char* key :
       {"profile", "schema", "title", "description", "parameters", "cell", "safety", "record", "step", "procedure"}) {
    for (const auto& value : values) survives(std::string(key) + " = " + value + "\n");
  }
  for (const char* key : {"name",          "charge",   "discharge", "rest", "hold",  "follow",      "chamber", "repeat",
                          "advance_cycle", "operator", "pause",     "when", "until", "temperature", "record",  "steps",
                          "ramp",          "pulse",    "impedance", "call", "set",   "capacity"}) {
    for (const auto& value : values) survives(kHead + "[[step]]\n" + key + " = " + value + "\n");
  }
  for (const char* inside :
       {"charge", "hold", "follow", "chamber", "repeat", "ramp", "pulse", "impedance", "call", "set"}) {
    for (const char* key : {"current", "voltage", "waveform", "scale", "speed", "repeat", "soak", "count", "until",
                            "temperature", "ramp", "from", "to", "pulses", "dcir", "sweep", "procedure", "mark", "n"}) {
      for (const auto& value : values) {
        survives(kHead + "[[step]]\n" + inside + " = { " + key + " = " + value + " }\nuntil = \"time > 1 s\"\n");
      }
    }
  }
  for (const char* key : {"voltage", "current", "capacity", "sensor_loss"}) {
    for (const auto& value : values) survives(kHead + "[safety]\n" + key + " = " + value + "\n");
  }
}

TEST(Hostile, EveryPrefixOfAShippedProfile) {
  const auto source = text::read_source(CYCLERD_SOURCE_DIR "/profiles/library/cycle-life.toml");
  ASSERT_TRUE(source);
  for (std::size_t n = 0; n < (*source)->text.size(); n += 7) survives((*source)->text.substr(0, n));
}

TEST(Hostile, EveryPrefixOfTheFuzzersSeeds) {
  for (const char* name : {"procedures", "shapes"}) {
    const auto source =
        text::read_source(CYCLERD_SOURCE_DIR "/tests/fuzz/corpus/profile/" + std::string(name) + ".toml");
    ASSERT_TRUE(source);
    for (std::size_t n = 0; n <= (*source)->text.size(); ++n) survives((*source)->text.substr(0, n));
    std::string text = (*source)->text;
    for (std::size_t i = 0; i < text.size(); i += 3) {
      std::string changed = text;
      changed[i] = "\"[{=.(-9x"[i % 9];
      survives(changed);
    }
  }
}

TEST(Hostile, EveryByteOfAProfileTurnedIntoAnother) {
  const std::string text = kHead +
                           "[[step]]\nname = \"a\"\ncharge = { current = \"C/2\", voltage = \"4.2 V\" }\n"
                           "until = [\"abs(current) <= 0.05 C\", { when = \"time >= 4 h\", then = \"fail\" }]\n";
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (char c : {'\0', '"', '[', '{', '=', '.', '(', '-', '\x80', '9'}) {
      std::string changed = text;
      changed[i] = c;
      survives(changed);
    }
  }
}

TEST(Hostile, DeepNestingIsRefused) {
  std::string path = "step";
  std::string text = kHead;
  for (int i = 0; i < 40; ++i) {
    text += "[[" + path + "]]\nrepeat = { count = 2 }\n";
    path += ".steps";
  }
  text += "[[" + path + "]]\nrest = {}\nuntil = \"time > 1 s\"\n";
  const Compiled c = compile(text);
  EXPECT_FALSE(c.program);
  std::string inline_text = "rest = {}, until = \"time > 1 s\"";
  for (int i = 0; i < 60; ++i) inline_text = "repeat = { count = 2 }, steps = [{ " + inline_text + " }]";
  survives(kHead + "step = [{ " + inline_text + " }]\n");
}

TEST(Hostile, NestingOfTheLanguageIsBounded) {
  const auto nested = [](int depth) {
    std::string text = "rest = {}, until = \"time > 1 s\"";
    for (int i = 0; i < depth; ++i) text = "repeat = { count = 1 }, steps = [{ " + text + " }]";
    return compile(kHead + "step = [{ " + text + " }]\n");
  };
  EXPECT_TRUE(nested(63).program) << nested(63).diagnostics.render();
  EXPECT_TRUE(nested(64).program) << nested(64).diagnostics.render();
  EXPECT_FALSE(nested(65).program);
  EXPECT_NE(nested(65).find("P014"), nullptr) << nested(65).diagnostics.render();
}

}  // namespace
}  // namespace cyclerd::profiles::test
