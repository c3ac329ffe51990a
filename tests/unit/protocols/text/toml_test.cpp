#include "protocols/text/toml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <random>

#include "protocols/text/toml_guard.hpp"

namespace cyclerd::text {
namespace {

SourcePtr source(std::string text) {
  return std::make_shared<const Source>(Source{"test.toml", std::move(text)});
}

struct Parsed {
  std::optional<TomlNode> node;
  Diagnostics diagnostics;
  SourcePtr src;
};

Parsed parse(std::string text, TomlLimits limits = {}) {
  Parsed p;
  p.src = source(std::move(text));
  p.node = parse_toml(p.src, p.diagnostics, limits);
  return p;
}

std::string code_of(const Parsed& p) {
  return p.diagnostics.all().empty() ? "" : p.diagnostics.all().front().code;
}

std::string text_at(const Span& span) {
  std::string_view rest = span.source->text;
  for (std::uint32_t i = 1; i < span.line; ++i) rest.remove_prefix(rest.find('\n') + 1);
  return std::string{rest.substr(span.column - 1, span.length)};
}

TEST(Toml, TablesKeepTheOrderOfTheFile) {
  const auto p = parse("zebra = 1\napple = 2\n[middle]\nx = 1\n[beta]\n");
  ASSERT_TRUE(p.node) << p.diagnostics.render();
  std::vector<std::string> names;
  for (const auto& [name, node] : p.node->members) names.push_back(name);
  EXPECT_THAT(names, testing::ElementsAre("zebra", "apple", "middle", "beta"));
}

TEST(Toml, EveryKindOfValueIsKept) {
  const auto p = parse("s = 'q'\ni = -0x0F\nf = 2.5\nb = true\na = [1, 'two']\nt = { k = 1 }\n");
  ASSERT_FALSE(p.node);  // TOML knows no signed hexadecimal numbers
  const auto q = parse("s = 'q'\ni = 0x0F\nf = 2.5\nb = true\na = [1, 'two']\nt = { k = 1 }\n");
  ASSERT_TRUE(q.node) << q.diagnostics.render();
  EXPECT_EQ(q.node->find("s")->string, "q");
  EXPECT_EQ(q.node->find("i")->integer, 15);
  EXPECT_DOUBLE_EQ(q.node->find("i")->number(), 15.0);
  EXPECT_DOUBLE_EQ(q.node->find("f")->floating, 2.5);
  EXPECT_TRUE(q.node->find("b")->boolean);
  ASSERT_EQ(q.node->find("a")->items.size(), 2U);
  EXPECT_EQ(q.node->find("a")->items[1].string, "two");
  EXPECT_EQ(q.node->find("t")->find("k")->integer, 1);
  EXPECT_EQ(q.node->find("nothing"), nullptr);
}

TEST(Toml, SpansOfKeysAndValuesPointAtTheirText) {
  const auto p = parse("a = 1\n  voltage   = \"4.2 V\"  # why\nlist = [ 'x', 22 ]\n\"quoted\" = 'y'\nsub.key = true\n");
  ASSERT_TRUE(p.node) << p.diagnostics.render();
  const auto* voltage = p.node->find("voltage");
  EXPECT_EQ(text_at(voltage->key), "voltage");
  EXPECT_EQ(text_at(voltage->value), "4.2 V");
  EXPECT_EQ(text_at(p.node->find("list")->items[0].value), "x");
  EXPECT_EQ(text_at(p.node->find("list")->items[1].value), "22");
  EXPECT_EQ(text_at(p.node->find("quoted")->key), "\"quoted\"");
  EXPECT_EQ(text_at(p.node->find("quoted")->value), "y");
  EXPECT_EQ(text_at(p.node->find("sub")->find("key")->key), "key");
}

TEST(Toml, ColumnsCountCharactersNotBytes) {
  const auto p = parse(
      "a = { t = '\xC3\xA9\xC3\xA9', u = \"\xC2\xB0"
      "C\" }\n");
  ASSERT_TRUE(p.node) << p.diagnostics.render();
  const auto* u = p.node->find("a")->find("u");
  EXPECT_EQ(u->key.column, 17U);
  EXPECT_EQ(u->value.column, 22U);
  EXPECT_EQ(u->value.length, 2U);
}

TEST(Toml, MultiLineStringSpanStartsAfterItsQuotes) {
  const auto p = parse("m = '''ab\ncd'''\n");
  ASSERT_TRUE(p.node);
  EXPECT_EQ(p.node->find("m")->string, "ab\ncd");
  EXPECT_EQ(p.node->find("m")->value.column, 8U);
}

TEST(Toml, ItemsOfTableArraysStandAtTheirHeaders) {
  const auto p = parse("[[step]]\nname = 'a'\n  [[step.steps]]\n  rest = {}\n[[step]]\nname = 'b'\n");
  ASSERT_TRUE(p.node);
  const auto* steps = p.node->find("step");
  ASSERT_EQ(steps->items.size(), 2U);
  EXPECT_EQ(steps->items[1].key.line, 5U);
  EXPECT_EQ(steps->items[0].find("steps")->items[0].key.line, 3U);
}

TEST(Toml, ByteOrderMarkIsSkipped) {
  const auto p = parse(
      "\xEF\xBB\xBF"
      "a = 1\n");
  ASSERT_TRUE(p.node) << p.diagnostics.render();
  EXPECT_EQ(p.node->find("a")->key.column, 1U);
}

TEST(Toml, DuplicateKeyIsAnErrorAtItsPlace) {
  const auto p = parse("a = 1\na = 2\n");
  ASSERT_FALSE(p.node);
  EXPECT_EQ(code_of(p), "T006");
  EXPECT_EQ(p.diagnostics.all().front().where.line, 2U);
}

TEST(Toml, NanInfinityAndDatesAreErrorsAndAllAreReported) {
  const auto p = parse("a = nan\nb = -inf\nc = 2024-01-01\nd = 07:30:00\n");
  ASSERT_FALSE(p.node);
  ASSERT_EQ(p.diagnostics.error_count(), 4U) << p.diagnostics.render();
  EXPECT_EQ(p.diagnostics.all()[0].code, "T007");
  EXPECT_EQ(p.diagnostics.all()[3].code, "T008");
  EXPECT_EQ(p.diagnostics.all()[3].where.line, 4U);
}

TEST(Toml, IntegerBeyond64BitsIsAnError) {
  EXPECT_EQ(code_of(parse("a = 99999999999999999999\n")), "T006");
  EXPECT_EQ(code_of(parse("a = 0xFFFFFFFFFFFFFFFFF\n")), "T006");
  EXPECT_EQ(code_of(parse("a = 9223372036854775808\n")), "T006");
  EXPECT_TRUE(parse("a = 9223372036854775807\n").node);
}

// Inputs known to abort, overflow or reach undefined behaviour in the library.
TEST(TomlGuard, KnownKillersAreOrdinaryErrors) {
  EXPECT_EQ(code_of(parse("[=3,2]\n")), "T005");
  EXPECT_EQ(code_of(parse("[[[1]]]\n")), "T005");
  EXPECT_EQ(code_of(parse("[[=")), "T005");
  EXPECT_EQ(code_of(parse("[")), "T005");
  EXPECT_EQ(code_of(parse("[]")), "T005");
  EXPECT_EQ(code_of(parse("\xEF\xBA\xBF")), "T002");  // U+FEBF
  EXPECT_EQ(code_of(parse("\xEF\xBA\xBF = 1\n")), "T002");
}

std::string repeated(const std::string& part, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += part;
  return out;
}

TEST(TomlGuard, LongDottedKeysAreRefused) {
  const TomlLimits large{.bytes = 4 * 1024 * 1024, .depth = 64, .dots_per_key = 32};
  EXPECT_EQ(code_of(parse(repeated("a.", 200'000) + "a = 1\n", large)), "T004");
  EXPECT_EQ(code_of(parse("[" + repeated("a.", 200'000) + "a]\n", large)), "T004");
  EXPECT_EQ(code_of(parse("[[" + repeated("a.", 200'000) + "a]]\n", large)), "T004");
  EXPECT_EQ(code_of(parse("k = {" + repeated("a.", 200'000) + "a = 1}\n", large)), "T004");
}

TEST(TomlGuard, DotsPerKeyLimitIsExact) {
  EXPECT_TRUE(parse(repeated("a.", 32) + "a = 1\n").node);
  EXPECT_EQ(code_of(parse(repeated("a.", 33) + "a = 1\n")), "T004");
  EXPECT_TRUE(parse("k = ['" + repeated(".", 100) + "']  # " + repeated(".", 100) + "\n").node);
}

TEST(TomlGuard, DepthLimitIsExactAndCountsDottedKeys) {
  const TomlLimits limits{.bytes = 262144, .depth = 8, .dots_per_key = 32};
  EXPECT_TRUE(parse("k = " + repeated("[", 7) + repeated("]", 7) + "\n", limits).node);
  EXPECT_EQ(code_of(parse("k = " + repeated("[", 8) + repeated("]", 8) + "\n", limits)), "T003");
  EXPECT_EQ(code_of(parse("[a.b.c]\nd.e = [[[[1]]]]\n", limits)), "T003");
  EXPECT_EQ(code_of(parse("k = { a.b.c = { d.e.f = { g.h = 1 } } }\n", limits)), "T003");
}

TEST(TomlGuard, DeepNestingIsRefusedOnASmallBudget) {
  EXPECT_EQ(code_of(parse("a = " + repeated("[", 100'000) + "\n")), "T003");
  EXPECT_EQ(code_of(parse("a = " + repeated("{a=", 50'000) + "\n")), "T003");
}

TEST(TomlGuard, NestingIsForgottenWhenClosed) {
  EXPECT_TRUE(parse("a = [" + repeated("[1], ", 500) + "]\n" + repeated("", 1)).node);
  std::string many;
  for (int i = 0; i < 300; ++i) many += "[t" + std::to_string(i) + "]\nx = [[1.5], { a.b = 2 }]\n";
  EXPECT_TRUE(parse(many).node);
}

TEST(TomlGuard, ControlBytesAndInvalidUtf8AreRefusedWithTheirPlace) {
  const auto nul = parse(std::string("a = 1\nb = \"x\0y\"\n", 17));
  EXPECT_EQ(code_of(nul), "T002");
  EXPECT_EQ(nul.diagnostics.all().front().where.line, 2U);
  EXPECT_EQ(nul.diagnostics.all().front().where.column, 7U);
  EXPECT_EQ(code_of(parse(std::string("\0", 1))), "T002");
  EXPECT_EQ(code_of(parse("a = \"\x80\"\n")), "T002");
  EXPECT_EQ(code_of(parse("# \xC0\xAF\n")), "T002");          // overlong
  EXPECT_EQ(code_of(parse("# \xED\xA0\x80\n")), "T002");      // surrogate
  EXPECT_EQ(code_of(parse("# \xF4\x90\x80\x80\n")), "T002");  // beyond U+10FFFF
  EXPECT_EQ(code_of(parse("a = \"\xC3")), "T002");            // cut
  EXPECT_EQ(code_of(parse("\xC3\xA9 = 1\n")), "T002");
  EXPECT_EQ(code_of(parse("a = 1 \x1B[31m\n")), "T002");
  EXPECT_EQ(code_of(parse("a = 1\rb = 2\n")), "T002");
  EXPECT_TRUE(parse("a = 1\r\nb = '\xC3\xA9' # \xC3\xA9\r\n").node);
}

TEST(TomlGuard, SizeLimitIsExact) {
  const TomlLimits limits{.bytes = 10, .depth = 64, .dots_per_key = 32};
  EXPECT_TRUE(parse("a = 1\n####", limits).node);
  EXPECT_EQ(code_of(parse("a = 1\n#####", limits)), "T001");
}

TEST(TomlGuard, QuotesAndCommentsHideNothing) {
  EXPECT_TRUE(parse("a = \"\"\"x\\\"\"\"\"\"\nb = ''''q'''''\nc = \"\\\"[[[\" # [=\n").node);
  EXPECT_EQ(code_of(parse("a = 'x'\n[=3,2]\n")), "T005");
  EXPECT_EQ(code_of(parse("a = \"\"\"\n\"\"\"\n[=3,2]\n")), "T005");
  EXPECT_EQ(code_of(parse("a = '\\'\n[=3,2]\n")), "T005");
}

// Bytes at random, weighted towards the grammar's own characters, and damaged copies of a good file: whatever the
// bytes, the answer is a table or an error.
TEST(TomlGuard, RandomBytesNeverCrash) {
  std::mt19937 random(20240611);
  const std::string alphabet = "[]{}=.,#\"'\\\n \ta1-+_e:TZ\xEF\xBA\xBF";
  const std::string good = "[a.b]\nx = { y = 1.5, z = [ 'a', \"b\\n\" ] }\n[[c]]\nd = '''\nq'''\ne.f = 0x1F\n";
  std::size_t refused = 0;
  for (int round = 0; round < 30'000; ++round) {
    std::string text;
    if (round % 2 == 0) {
      const std::size_t n = random() % 24;
      for (std::size_t i = 0; i < n; ++i) text += alphabet[random() % alphabet.size()];
    } else {
      text = good;
      for (int k = 0; k < 3; ++k) text[random() % text.size()] = alphabet[random() % alphabet.size()];
    }
    const auto p = parse(text);
    EXPECT_EQ(p.node.has_value(), !p.diagnostics.has_errors());
    refused += p.node ? 0 : 1;
    if (!p.node) {
      EXPECT_FALSE(p.diagnostics.render().empty());
    }
  }
  EXPECT_GT(refused, 10'000U);
}

TEST(ReadSource, MissingFileSaysSo) {
  const auto r = read_source("/nonexistent/x.toml");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, base::ErrorCode::not_found);
  EXPECT_THAT(r.error().text(), testing::HasSubstr("x.toml"));
}

TEST(ReadSource, ReadsAllBytesAndHoldsTheLimit) {
  const std::string path = testing::TempDir() + "read_source_test.toml";
  std::ofstream(path, std::ios::binary) << std::string(100'000, 'x');
  const auto all = read_source(path);
  ASSERT_TRUE(all);
  EXPECT_EQ((*all)->text.size(), 100'000U);
  EXPECT_EQ((*all)->name, path);
  EXPECT_TRUE(read_source(path, 100'000));
  const auto cut = read_source(path, 99'999);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, base::ErrorCode::invalid);
  std::remove(path.c_str());
}

TEST(ReadSource, FolderIsAnErrorNotAnEmptyFile) {
  EXPECT_FALSE(read_source("/tmp"));
}

}  // namespace
}  // namespace cyclerd::text
