// The limits of the language at their edge and one beyond, and what the largest profiles cost. Times are of the
// thread's own CPU and generous: they find work that grows with the square, not a slow machine.
#include <gtest/gtest.h>

#include <ctime>

#include "profiles/expand.hpp"
#include "tests/unit/profiles/language/bench.hpp"

namespace cyclerd::profiles::test {
namespace {

constexpr double kLongest_s = 2.0;  // of a check, as promised in the manual
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
constexpr double kSlowBuild = 15.0;
#else
constexpr double kSlowBuild = 1.0;
#endif

double cpu_s() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Compiles within the time allowed; all that is made of the program, too.
Compiled within_time(const std::string& text) {
  const double before_s = cpu_s();
  Compiled c = compile(text);
  const double compiled_s = cpu_s() - before_s;
  EXPECT_LT(compiled_s, kLongest_s * kSlowBuild) << text.substr(0, 300);
  (void)c.diagnostics.render();
  text::Diagnostics findings;
  const auto expansion = expand_profile(source_of(text), roomy_launch(), findings);
  EXPECT_EQ(expansion.has_value(), c.program != nullptr);
  if (expansion) (void)to_text(*expansion);
  EXPECT_LT(cpu_s() - before_s, 3 * kLongest_s * kSlowBuild) << "with its expansion";
  return c;
}

std::string repeated(const std::string& text, std::size_t count) {
  std::string all;
  all.reserve(text.size() * count);
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

bool accepted(const Compiled& c) {
  EXPECT_EQ(c.program != nullptr, !c.diagnostics.has_errors());
  return c.program != nullptr;
}

TEST(Limits, BytesOfAFile) {
  const std::string step = "[[step]]\nrest={}\nuntil=\"time>=1 s\"\n";
  const std::string text = kHead + step + "#";
  const std::size_t most = text::TomlLimits{}.bytes;
  EXPECT_EQ(most, 256U * 1024U);
  EXPECT_TRUE(accepted(compile(text + std::string(most - text.size() - 1, 'x'))));
  EXPECT_TRUE(accepted(compile(text + std::string(most - text.size(), 'x'))));
  const Compiled above = compile(text + std::string(most - text.size() + 1, 'x'));
  EXPECT_FALSE(accepted(above));
  EXPECT_NE(above.find("T001"), nullptr);
}

// As steps of an inline array, the only way to have so many in so few bytes.
std::string rests(std::size_t count, const char* name = "step") {
  return std::string(name) + "=[" + repeated("{pause={}},", count) + "]\n";
}

TEST(Limits, Steps) {
  EXPECT_TRUE(accepted(within_time(kHead + rests(9'999))));
  const Compiled at = within_time(kHead + rests(10'000));
  EXPECT_TRUE(accepted(at)) << at.diagnostics.render().substr(0, 500);
  EXPECT_EQ(at.program->steps.size(), 10'001U);
  const Compiled above = within_time(kHead + rests(10'001));
  EXPECT_FALSE(accepted(above));
  EXPECT_NE(above.find("P013"), nullptr);
}

// Steps that the checker must look at one by one: conditions, names, jumps.
TEST(Limits, ManyStepsWithNamesAndConditions) {
  std::string text = kHead;
  for (int i = 0; text.size() < 250'000; ++i) {
    text += "[[step]]\nname=\"s" + std::to_string(i) +
            "\"\ncharge={current=\"C/9\"}\nuntil=[\"voltage>=4 V\",{when=\"time>=1 h\",then=\"goto s" +
            std::to_string(i == 0 ? 0 : i - 1) + "\"}]\n";
  }
  (void)within_time(text);
}

TEST(Limits, ManyResultsAndVariables) {
  std::string text =
      kHead + "[[step]]\nname=\"a\"\ndischarge={current=\"C/9\"}\nuntil=[\"voltage<=3 V\",\"time>=1 h\"]\n";
  for (int i = 0; i < 64; ++i) text += "[[step]]\nset={v" + std::to_string(i) + "=\"a.capacity\"}\n";
  EXPECT_TRUE(accepted(within_time(text + "[[step]]\npause={}\n")));
  EXPECT_FALSE(accepted(within_time(text + "[[step]]\nset={w=1}\n"))) << "65 variables";
  std::string results =
      kHead + "[[step]]\nrepeat={count=3}\nsteps=[{name=\"a\",discharge={current=\"C/9\"},until=\"time>=1 h\"}]\n";
  std::string slots = results;
  for (int i = 1; i <= 256; ++i)
    slots += "[[step]]\nrest={}\nuntil=[\"a.capacity[" + std::to_string(i) + "]>1 Ah\",\"time>=1 s\"]\n";
  EXPECT_TRUE(accepted(within_time(slots)));
  EXPECT_FALSE(accepted(within_time(slots + "[[step]]\nrest={}\nuntil=[\"a.capacity[257]>1 Ah\",\"time>=1 s\"]\n")));
}

std::string nested(int depth) {
  std::string text = "{rest={},until=\"time>=1 s\"}";
  for (int i = 0; i < depth; ++i) text = "{repeat={count=1000000000},steps=[" + text + "]}";
  return kHead + "step=[" + text + "]\n";
}

TEST(Limits, NestedRepeats) {
  EXPECT_TRUE(accepted(within_time(nested(63))));
  EXPECT_TRUE(accepted(within_time(nested(64))));
  EXPECT_FALSE(accepted(within_time(nested(65))));
}

std::string sum(std::size_t terms) {  // of `terms` numbers: 2 terms - 1 parts, and 2 more for the comparison
  return "time>=1 s" + repeated("+1 s", terms - 1);
}

TEST(Limits, PartsOfAnExpression) {
  const auto step = [](const std::string& until) {
    return kHead + "[[step]]\nrest={}\nuntil=[\"" + until + "\",\"time>=9 h\"]\n";
  };
  EXPECT_TRUE(accepted(within_time(step(sum(498)))));  // 997
  EXPECT_TRUE(accepted(within_time(step(sum(499)))));  // 999
  EXPECT_TRUE(accepted(within_time(step("-(-(time))>=-(-1 s)" + repeated("+1 s", 496)))));
  EXPECT_FALSE(accepted(within_time(step(sum(500)))));  // 1001
  EXPECT_NE(within_time(step(sum(500))).find("P027"), nullptr);
  EXPECT_TRUE(accepted(within_time(step(std::string(60, '(') + "time" + std::string(60, ')') + ">=1 s"))));
  EXPECT_FALSE(accepted(within_time(step(std::string(65, '(') + "time" + std::string(65, ')') + ">=1 s"))));
  EXPECT_FALSE(accepted(within_time(step(std::string(100'000, '(')))));
  EXPECT_FALSE(accepted(within_time(step(std::string(100'000, '-') + "1"))));
  EXPECT_FALSE(accepted(within_time(step(repeated("not ", 30'000) + "time>1 s"))));
  EXPECT_FALSE(accepted(within_time(step(repeated("min(", 20'000)))));
}

// A thousand parts in each of many conditions: all that the text has room for.
TEST(Limits, ManyLongExpressions) {
  std::string text = kHead;
  while (text.size() < 230'000) {
    text += "[[step]]\nrest={}\nuntil=[" + repeated("\"" + sum(490) + "\",", 8) + "\"time>=9 h\"]\n";
  }
  (void)within_time(text);
}

TEST(Limits, Parameters) {
  const auto with = [](int count) {
    std::string text = kHead + "[parameters]\n";
    for (int i = 0; i < count; ++i)
      text += "p" + std::to_string(i) + "={default=\"min(1 C,cell.charge_current_max)\",min=\"0 A\"}\n";
    text += "[[step]]\ncharge={current=\"p0\"}\nuntil=[\"voltage>=4.1 V\",\"time>=1 h\"]\n";
    return text;
  };
  EXPECT_TRUE(accepted(within_time(with(255))));
  EXPECT_TRUE(accepted(within_time(with(256))));
  const Compiled above = within_time(with(257));
  EXPECT_FALSE(accepted(above));
  EXPECT_NE(above.find("P028"), nullptr) << above.diagnostics.render();
}

TEST(Limits, ConditionsOfAStep) {
  const auto with = [](std::size_t count) {
    return kHead + "[[step]]\nrest={}\nuntil=[" + repeated("\"time>=1 h\",", count) + "]\n";
  };
  EXPECT_TRUE(accepted(compile(with(16))));
  EXPECT_FALSE(accepted(compile(with(17))));
}

// Calls that double at each level: the steps are counted before they are written out.
std::string doubling(int levels, std::size_t leaf) {
  std::string text = kHead;
  for (int i = 0; i < levels; ++i) {
    const std::string next = "p" + std::to_string(i + 1);
    text += "[procedure.p" + std::to_string(i) + "]\nstep=[{call={procedure=\"" + next + "\"}},{call={procedure=\"" +
            next + "\"}}]\n";
  }
  if (leaf > 0) text += "[procedure.p" + std::to_string(levels) + "]\n" + rests(leaf);
  return text + "[[step]]\ncall={procedure=\"p0\"}\n";
}

TEST(Limits, StepsThatCallsWriteOut) {
  // p0 ... p9 are 1023 calls, p10 1024 leaves of `leaf` steps in a block each: 2 x 2047 + 1024 x leaf, and the end.
  const Compiled below = within_time(doubling(10, 15));
  ASSERT_TRUE(accepted(below)) << below.diagnostics.render().substr(0, 500);
  EXPECT_EQ(below.program->steps.size(), 2U * 2047U + 1024U * 15U + 1U);
  const Compiled above = within_time(doubling(10, 16));
  EXPECT_FALSE(accepted(above));
  EXPECT_FALSE(accepted(within_time(doubling(60, 1)))) << "2^60 calls";
}

TEST(Limits, CallsNestAsDeepAsRepeats) {
  const auto chain = [](int depth) {
    std::string text = kHead;
    for (int i = 1; i < depth; ++i)
      text += "[[procedure.p" + std::to_string(i) + ".step]]\ncall={procedure=\"p" + std::to_string(i + 1) + "\"}\n";
    text += "[[procedure.p" + std::to_string(depth) + ".step]]\npause={}\n";
    return text + "[[step]]\ncall={procedure=\"p1\"}\n";
  };
  EXPECT_TRUE(accepted(within_time(chain(64))));
  EXPECT_FALSE(accepted(within_time(chain(65))));
  EXPECT_FALSE(accepted(within_time(chain(2'000))));
}

TEST(Limits, ManyFindingsAreNotSlow) {
  std::string text = kHead;
  while (text.size() < 250'000) text += "[[step]]\nrset={}\nunitl=\"tmie>=1 h\"\n";
  const Compiled c = within_time(text);
  EXPECT_GT(c.diagnostics.error_count(), 1000U);
}

TEST(Limits, ManyFindingsOnOneLine) {
  const Compiled c = within_time(kHead + "step=[" + repeated("{rset={}},", 24'000) + "]\n");
  EXPECT_GT(c.diagnostics.error_count(), 9'000U);
  const Compiled texts = within_time(kHead + "title=[" + repeated("\"a\",", 60'000) + "]\n");
  EXPECT_FALSE(accepted(texts));
}

// Long conditions in a procedure, called over and over.
TEST(Limits, PartsThatCallsWriteOut) {
  const auto called = [](int levels) {
    std::string text = doubling(levels, 0);
    const std::string condition = "\"time" + repeated("+time", 489) + ">=1 s\",";  // 981 parts
    text += "[[procedure.p" + std::to_string(levels) + ".step]]\nrest={}\nuntil=[" + repeated(condition, 10) +
            "\"time>=9 h\"]\n";
    return text;
  };
  EXPECT_TRUE(accepted(within_time(called(6)))) << "64 x 9 813 parts";
  const Compiled above = within_time(called(7));
  EXPECT_FALSE(accepted(above));
  EXPECT_NE(above.find("P027"), nullptr) << above.diagnostics.render().substr(0, 500);
}

TEST(Limits, ManyKeysAndDots) {
  std::string text = kHead;
  for (int i = 0; text.size() < 250'000; ++i) text += "k" + std::to_string(i) + "=1\n";
  EXPECT_FALSE(accepted(within_time(text)));
  const auto dots = [](std::size_t count) {
    return compile(kHead + "a" + repeated(".a", count) + "=1\n").find("T004") == nullptr;
  };
  EXPECT_TRUE(dots(32));
  EXPECT_FALSE(dots(33));
  std::string headers = kHead;
  for (int i = 0; headers.size() < 250'000; ++i) headers += "[t" + std::to_string(i) + repeated(".x", 30) + "]\n";
  EXPECT_FALSE(accepted(within_time(headers)));
}

}  // namespace
}  // namespace cyclerd::profiles::test
