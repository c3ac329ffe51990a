// Files that were cut, or in which a byte was changed: a result or findings, never anything else.
#include "tests/unit/profiles/exchange/exchange_bench.hpp"

namespace cyclerd::exchange::test {
namespace {

struct Example {
  const char* file;
  Importer importer;
};
const Example kExamples[] = {{"pybamm/lines.txt", &import_pybamm},
                             {"pybamm/experiment.py", &import_pybamm},
                             {"pybamm/config.json", &import_pybamm},
                             {"unicycler/formation.json", &import_unicycler}};

void expect_result_or_findings(const Example& example, const std::string& text) {
  const Imported made = import_text(example.importer, text, example.file);
  ASSERT_EQ(made.translation.has_value(), !made.findings.has_errors()) << example.file << "\n" << made.all();
  for (const text::Diagnostic& finding : made.findings.all()) {
    EXPECT_NE(finding.code, "X053") << "a profile that does not parse was made of " << example.file << "\n"
                                    << made.findings.render();
  }
}

TEST(Damage, the_examples_are_whole) {
  for (const Example& example : kExamples) {
    const Imported made = import_text(example.importer, foreign_text(example.file), example.file);
    ASSERT_TRUE(made.translation) << example.file << made.findings.render();
    text::Diagnostics findings;
    EXPECT_NE(compiled(*made.translation, findings), nullptr) << findings.render() << made.translation->text;
  }
}

TEST(Damage, cut_at_every_byte) {
  for (const Example& example : kExamples) {
    const std::string text = foreign_text(example.file);
    for (std::size_t length = 0; length < text.size(); ++length) {
      expect_result_or_findings(example, text.substr(0, length));
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Damage, each_byte_changed) {
  for (const Example& example : kExamples) {
    const std::string text = foreign_text(example.file);
    for (std::size_t at = 0; at < text.size(); ++at) {
      for (const char other :
           {static_cast<char>(text[at] ^ 0x01), static_cast<char>(text[at] ^ 0x80), '\0', '"', '9'}) {
        std::string changed = text;
        changed[at] = other;
        expect_result_or_findings(example, changed);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(Damage, deep_long_and_strange_files) {
  const Example json[] = {kExamples[2], kExamples[3]};
  for (const Example& example : json) {
    for (const std::string& text :
         {std::string(1'000'000, '['), "{\"cycles\":" + std::string(1'000'000, '['),
          "{\"method\":" + std::string(100'000, '{'), std::string("{\"cycles\": [[") + std::string(1'000'000, ' '),
          std::string("\xEF\xBB\xBF{}"), std::string("{} {}"), std::string("{\"cycles\": \"\xFF\xFE\"}"),
          std::string("null"), std::string("\0\0\0", 3), std::string(" \n\t ")}) {
      const Imported made = import_text(example.importer, text, "x.json");
      EXPECT_FALSE(made.translation) << text.substr(0, 40);
      EXPECT_EQ(made.findings.error_count(), 1U) << text.substr(0, 40) << made.findings.render();
    }
    const Imported large = import_text(example.importer, std::string(kMaxImportBytes + 1, ' '));
    EXPECT_FALSE(large.translation);
    EXPECT_EQ(large.findings.error_count(), 1U);
  }
  std::string numbers = "{\"cycles\": [";
  for (int i = 0; i < 500'000; ++i) numbers += "1,";
  const Imported many = import_text(&import_pybamm, numbers + "1]}", "x.json");
  ASSERT_EQ(many.findings.error_count(), 1U);
  EXPECT_EQ(many.findings.all().front().code, "X001");
}

TEST(Damage, a_finding_in_json_has_line_and_column) {
  const Imported made =
      import_text(&import_unicycler, "{\n  \"record\": {\"time_s\": 1},\n  \"method\": [,]\n}", "x.json");
  ASSERT_EQ(made.findings.error_count(), 1U);
  EXPECT_EQ(made.findings.all().front().where.line, 3U);
  EXPECT_EQ(made.findings.all().front().where.column, 14U);
}

}  // namespace
}  // namespace cyclerd::exchange::test
