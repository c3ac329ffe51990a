// The manual, profiles/README.md, against the code: every word of the language has its row, and every example works.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "profiles/expression.hpp"
#include "profiles/parse_parts.hpp"
#include "tests/unit/profiles/language/bench.hpp"

namespace cyclerd::profiles::test {
namespace {

std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

const std::string& manual() {
  static const std::string text = slurp(CYCLERD_SOURCE_DIR "/profiles/README.md");
  return text;
}

// The words between backticks; escaped pipes do not occur.
std::vector<std::string> code_in(const std::string& cell) {
  std::vector<std::string> words;
  for (std::size_t at = cell.find('`'); at != std::string::npos; at = cell.find('`', at + 1)) {
    const std::size_t end = cell.find('`', at + 1);
    if (end == std::string::npos) break;
    words.push_back(cell.substr(at + 1, end - at - 1));
    at = end;
  }
  return words;
}

struct Row {
  std::string section;  // the heading above the table
  std::string table;    // its first column's title
  std::vector<std::string> words;
  std::vector<std::string> examples;
};

// Every row of every table whose last column is called "example".
std::vector<Row> rows() {
  std::vector<Row> all;
  std::istringstream lines(manual());
  std::string line;
  std::string section;
  std::string table;
  bool with_examples = false;
  for (bool in_table = false; std::getline(lines, line);) {
    if (line.rfind('#', 0) == 0) section = line.substr(line.find(' ') + 1);
    if (line.rfind("| ", 0) != 0) {
      in_table = in_table && line.rfind("|", 0) == 0;
      continue;
    }
    std::vector<std::string> cells;
    std::istringstream parts(line.substr(1));
    for (std::string cell; std::getline(parts, cell, '|');) cells.push_back(cell);
    if (!in_table) {
      in_table = true;
      table = cells.front().substr(1, cells.front().size() - 2);
      with_examples = cells.back().find("example") != std::string::npos;
    } else if (with_examples && line.find("---") == std::string::npos) {
      all.push_back({section, table, code_in(cells.front()), code_in(cells.back())});
    }
  }
  return all;
}

std::vector<std::string> words_of(const std::string& table) {
  std::vector<std::string> words;
  for (const Row& row : rows()) {
    if (row.table == table) words.insert(words.end(), row.words.begin(), row.words.end());
  }
  return words;
}

template <class List>
void expect_rows(const std::string& table, const List& wanted) {
  const auto words = words_of(table);
  for (const auto& word : wanted) {
    EXPECT_THAT(words, testing::Contains(std::string(word))) << "no row in the table '" << table << "'";
  }
}

// What stands around an example: names that it may use, before it and after it, and a loop that it may leave.
const char* const kBefore = R"(
[parameters]
level = { default = "4.15 V" }
rate = { default = "0.5 C" }
[[step]]
name = "check"
discharge = { current = "1 C", voltage = "3 V" }
until = ["abs(current) < 0.1 C", "time >= 1 h"]
[[step]]
name = "dcir"
impedance = { dcir = { current = "-1 C", time = "10 s" } }
[[step]]
set = { n = 0, mark = "bol" }
[[step]]
set = { measured_capacity = "check.discharge_capacity" }
[[step]]
name = "loop"
repeat = { count = 2 }
  [[step.steps]]
  rest = {}
  until = "time >= 1 s"
[[step]]
repeat = { count = 2 }
)";
const char* const kAfter = R"(
  [[step.steps]]
  name = "recharge"
  rest = {}
  until = "time >= 1 s"
)";

std::string in_loop(const std::string& step) {
  return kBefore + std::string("  [[step.steps]]\n") + step + "\n" + kAfter;
}

std::string as_condition(const std::string& expression) {
  return in_loop("charge = { current = \"C/2\", voltage = \"4.2 V\" }\nuntil = [\"" + expression +
                 "\", \"time >= 20 d\"]");
}

// A step kind's example, completed by what the kind still needs.
std::string as_step(const std::string& example) {
  const std::string word = example.substr(0, example.find(' '));
  std::string more;
  if (word == "charge" || word == "discharge" || word == "rest" || word == "hold") more = "\nuntil = \"time >= 1 s\"";
  if (word == "repeat") more = "\nsteps = [{ rest = {}, until = \"time >= 1 s\" }]";
  return in_loop(example + more);
}

std::string beside_step(const Row& row, const std::string& example) {
  const std::string& key = row.words.front();
  if (key == "steps") return in_loop("repeat = { count = 2 }\n" + example);
  const std::string until = key == "until" ? "" : "\nuntil = \"time >= 1 s\"";
  return in_loop("discharge = { current = \"1 C\" }\n" + example + until);
}

std::string completed(const Row& row, const std::string& example) {
  const std::string rest = "\n[[step]]\nrest = {}\nuntil = \"time >= 1 s\"\n";
  if (row.section == "Top keys") {
    const bool head = row.words.front() == "profile" || row.words.front() == "schema";
    const std::string other = row.words.front() == "profile" ? "schema = 1\n" : "profile = \"p\"\n";
    return (head ? other : kHead) + example + rest;
  }
  if (row.section == "`[cell]`") return kHead + "[cell]\n" + example + rest;
  if (row.section == "`[safety]`") return kHead + "[safety]\n" + example + rest;
  if (row.section.rfind("`[record]`", 0) == 0) return kHead + "[record]\n" + example + rest;
  if (row.section == "Conditions")
    return kHead + in_loop("when = \"soc > 10 %\"\ndischarge = { current = \"1 C\" }\n" + example);
  if (row.section == "Expressions") return kHead + as_condition(example);
  return kHead + (row.table == "key" && row.words.front() != "name" && example.find(" = {") != std::string::npos &&
                          row.words.front() != "record" && row.words.front() != "steps"
                      ? as_step(example)
                      : beside_step(row, example));
}

TEST(Manual, EveryExampleOfATableWorks) {
  int examples = 0;
  for (const Row& row : rows()) {
    if (row.words.empty() && row.examples.empty()) continue;
    for (const std::string& example : row.examples) {
      const Compiled c = compile(completed(row, example));
      EXPECT_TRUE(c.program) << row.section << ": " << example << "\n"
                             << completed(row, example) << c.diagnostics.render();
      ++examples;
    }
  }
  EXPECT_GE(examples, 100);
}

TEST(Manual, EveryTomlBlockWorks) {
  const std::regex block("```toml\n([^`]*)```");
  int blocks = 0;
  for (auto it = std::sregex_iterator(manual().begin(), manual().end(), block); it != std::sregex_iterator();
       ++it, ++blocks) {
    std::string text = (*it)[1];
    if (text.find("profile ") == std::string::npos && text.find("[step") == std::string::npos) {
      text = kHead + "[parameters]\n" + text + "[[step]]\nrest = {}\nuntil = \"time >= 1 s\"\n";
    } else if (text.find("schema ") == std::string::npos) {
      text = kHead + text;
    }
    const Compiled c = compile(text);
    EXPECT_TRUE(c.program) << text << c.diagnostics.render();
  }
  EXPECT_GE(blocks, 3);
}

TEST(Manual, EveryWordHasItsRow) {
  expect_rows("key", control_words());
  expect_rows("`then`", outcome_words());
  expect_rows("units", text::unit_names());
  expect_rows("function", std::vector<std::string>{"abs", "min", "max", "mod", "rate", "avg"});
  std::vector<std::string> names;
  for (const LiveName& name : live_names()) names.emplace_back(name.name);
  expect_rows("live quantity", names);
  names.clear();
  for (const RatingName& name : rating_names()) names.push_back(std::string("cell.") + name.name);
  expect_rows("rating", names);
  EXPECT_EQ(words_of("rating"), names);
  names.clear();
  for (const ResultName& name : result_names()) names.emplace_back(name.name);
  expect_rows("result", names);
}

// And nothing that is not there: the rows name no function, quantity, unit or step that the code does not know.
TEST(Manual, NamesNothingThatIsNotThere) {
  const auto controls = control_words();
  for (const Row& row : rows()) {
    for (const std::string& word : row.words) {
      EXPECT_TRUE(row.table != "units" || text::find_unit(word)) << word;
      if (row.section == "Steps" && row.table == "key" && row.examples.size() == 1 &&
          row.examples[0].rfind(word + " = {", 0) == 0 && word != "record" && word != "until") {
        EXPECT_THAT(controls, testing::Contains(std::string_view(word)));
      }
    }
  }
}

// Every key that the parser asks a table for stands in the manual with an example of its use.
TEST(Manual, EveryKeyHasAnExample) {
  const std::regex asks(
      "(?:read_expression|read_constant|parse_bound)\\(\\w+, \"(\\w+)\"|(?:optional|required)(?:_\\w+)?\\(\"(\\w+)\"");
  int keys = 0;
  for (const char* file : {"parse_steps.cpp", "parse_tables.cpp", "parse_shapes.cpp", "parse_procedures.cpp"}) {
    const std::string source = slurp(std::filesystem::path(CYCLERD_SOURCE_DIR "/profiles") / file);
    for (auto it = std::sregex_iterator(source.begin(), source.end(), asks); it != std::sregex_iterator();
         ++it, ++keys) {
      const std::string key = (*it)[1].matched ? (*it)[1] : (*it)[2];
      // A spectrum cannot be run, so it has no example that works; it is named.
      if (key == "sweep" || key == "amplitude" || key == "points") {
        EXPECT_NE(manual().find(key), std::string::npos) << key;
        continue;
      }
      const std::regex used("[`{, \\n\\[.]" + key + "[\\]`]* *(= |\\n)|\\[" + key + "|[.]" + key + "\\]");
      EXPECT_TRUE(std::regex_search(manual(), used)) << "no example of the key '" << key << "' of " << file;
    }
  }
  EXPECT_GT(keys, 60);
}

}  // namespace
}  // namespace cyclerd::profiles::test
