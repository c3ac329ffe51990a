#include "tests/unit/daemon/app/library_runs.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>

#include "daemon/app/resources.hpp"
#include "daemon/record/record_json.hpp"
#include "daemon/record/storage.hpp"
#include "hil/cells/cell_set.hpp"
#include "protocols/text/toml.hpp"

namespace cyclerd::app {
namespace {

constexpr std::size_t kLongestPass = 400;  // steps of a pass that is folded, folded ones within counted once

LibraryRun read_run_row(const text::TomlNode& node, text::Diagnostics& diagnostics) {
  text::TableReader reader(node, "[[run]]", diagnostics);
  LibraryRun run;
  run.profile = reader.required_string("profile");
  run.cell = reader.optional_string("cell").value_or("");
  run.cell_model = reader.optional_string("cell_model").value_or("");
  run.name = reader.optional_string("name").value_or(
      fmt::format("{}.{}", run.profile, run.cell.empty() ? run.cell_model : run.cell));
  run.add = reader.optional_string("add").value_or("");
  run.soc = reader.optional_quantity("soc", text::dimension::kNone).value_or(0.5);
  run.ambient_degC = reader.optional_quantity("ambient", text::dimension::kTemperature).value_or(25.0);
  run.scan_s = reader.optional_quantity("scan", text::dimension::kTime).value_or(1.0);
  if (const text::TomlNode* set = reader.optional_table("set")) {
    for (const auto& [key, value] : set->members) {
      if (!value.is_string()) diagnostics.error("GOLD", value.value, "a parameter is written in quotes", "");
      run.set[key] = value.string;
    }
  }
  reader.finish();
  return run;
}

// A set of its own in `folder`: the shipped one and what the row adds to it.
std::string write_set(const LibraryRun& run, const std::string& folder) {
  const std::string file = hil::find_cell_set(run.cell_model.empty() ? run.cell : run.cell_model);
  const auto source = text::read_source(file);
  if (!source) throw std::runtime_error(fmt::format("{}: no virtual cell to add to: {}", run.name, file));
  std::string path = folder + "/cell-set.toml";
  std::ofstream(path) << (*source)->text << "\n" << run.add;
  return path;
}

std::string words_of_end(const record::Json& step) {
  const std::string end = step.value("end", "");
  const std::string text = step.value("end_text", "");
  if (end == "condition") {
    const std::size_t measured = std::min(text.find("; rms "), text.size());  // how well a waveform was followed
    return fmt::format("condition \"{}\"{}", text.substr(0, measured), text.substr(measured));
  }
  return text.empty() ? end : text.starts_with(end) ? text : fmt::format("{}: {}", end, text);
}

// A step, or a run of passes: folded from the inside out.
struct Item {
  std::string key;  // equal for what counts as equal
  RunStep step;     // of a leaf
  double longest_s = 0.0;
  std::size_t passes = 0;  // 0: a leaf
  std::vector<Item> items;
};

// Numbers that were measured stand in the words of a step's own end: what is folded is told by the words around them.
std::string without_numbers(const std::string& words) {
  if (words.find('"') != std::string::npos) return words;
  std::string out;
  for (const char c : words) {
    const bool digit = (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+';
    if (!digit) {
      out += c;
    } else if (out.empty() || out.back() != '#') {
      out += '#';
    }
  }
  return out;
}

Item leaf(const RunStep& step) {
  return {fmt::format("{}|{}|{}", step.name, step.type, without_numbers(step.end)), step, step.duration_s, 0, {}};
}

// The lengths of both passes, the shortest and the longest.
void widen(Item& into, const Item& other) {
  into.step.duration_s = std::min(into.step.duration_s, other.step.duration_s);
  into.longest_s = std::max(into.longest_s, other.longest_s);
  for (std::size_t i = 0; i < into.items.size(); ++i) widen(into.items[i], other.items[i]);
}

bool equal_range(const std::vector<Item>& items, std::size_t a, std::size_t b, std::size_t length) {
  if (b + length > items.size()) return false;
  for (std::size_t i = 0; i < length; ++i) {
    if (items[a + i].key != items[b + i].key) return false;
  }
  return true;
}

std::vector<Item> fold_passes_of(const std::vector<Item>& items, std::size_t length) {
  std::vector<Item> out;
  for (std::size_t at = 0; at < items.size();) {
    std::size_t passes = 1;
    while (equal_range(items, at, at + passes * length, length)) ++passes;
    if (passes == 1) {
      out.push_back(items[at++]);
      continue;
    }
    Item block;
    block.passes = passes;
    block.items.assign(items.begin() + static_cast<std::ptrdiff_t>(at),
                       items.begin() + static_cast<std::ptrdiff_t>(at + length));
    for (std::size_t pass = 1; pass < passes; ++pass) {
      for (std::size_t i = 0; i < length; ++i) widen(block.items[i], items[at + pass * length + i]);
    }
    block.key = fmt::format("{}x(", passes);
    for (const Item& item : block.items) block.key += item.key + ";";
    block.key += ")";
    at += passes * length;
    out.push_back(std::move(block));
  }
  return out;
}

std::string number(double value) {
  return value == 0.0 ? "0" : fmt::format("{:.6g}", value);
}

void write_items(const std::vector<Item>& items, std::size_t depth, std::size_t& count, std::string& out) {
  const std::string indent(2 * depth, ' ');
  for (const Item& item : items) {
    if (item.passes > 0) {
      out += fmt::format("{}x {} times:\n", indent, item.passes);
      const std::size_t before = count;
      write_items(item.items, depth + 1, count, out);
      count = before + item.passes * (count - before);
      continue;
    }
    std::string time = number(item.step.duration_s) + " s";
    if (item.longest_s > item.step.duration_s) time += fmt::format(" .. {} s", number(item.longest_s));
    out += fmt::format("{}{} {} {} {} ended by: {}\n", indent, ++count, item.step.name.empty() ? "-" : item.step.name,
                       item.step.type, time, item.step.end);
  }
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Words of a line; what stands in quotes is one word, with its quotes.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (c == ' ' && !quoted) {
      if (!word.empty()) words.push_back(std::move(word));
      word.clear();
    } else {
      word += c;
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

std::optional<double> as_number(const std::string& word) {
  char* end = nullptr;
  const double value = std::strtod(word.c_str(), &end);
  if (word.empty() || *end != '\0' || !std::isfinite(value)) return std::nullopt;
  return value;
}

struct Tolerance {
  const char* unit;
  double relative;
  double absolute;
};
// By the unit that follows the number; library_runs/README.md says why so much.
constexpr Tolerance kTolerances[] = {{"s", 0.01, 2.0},   {"Ah", 0.005, 1e-6},  {"Wh", 0.005, 1e-6}, {"V", 0.0, 0.005},
                                     {"mV", 0.0, 5.0},   {"mOhm", 0.02, 0.02}, {"Ohm", 0.02, 2e-5}, {"A", 0.005, 1e-4},
                                     {"W", 0.005, 1e-3}, {"%", 0.0, 0.5}};

// The first unit behind a number: "0.5 A", and in "-0.0188 of -0.0185 Ah" that of both.
const Tolerance* unit_after(const std::vector<std::string>& words, std::size_t at) {
  for (std::size_t i = at + 1; i < std::min(at + 4, words.size()); ++i) {
    const std::string_view word = std::string_view(words[i]).substr(0, words[i].find_last_not_of(",;") + 1);
    for (const Tolerance& t : kTolerances) {
      if (word == t.unit) return &t;
    }
  }
  return nullptr;
}

bool within(const std::string& golden, const std::string& found, const Tolerance* allowed) {
  const auto a = as_number(golden);
  const auto b = as_number(found);
  return a && b && allowed != nullptr && std::abs(*a - *b) <= allowed->absolute + allowed->relative * std::abs(*a);
}

bool same_line(const std::string& golden, const std::string& found) {
  const auto a = words_of(golden);
  const auto b = words_of(found);
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) continue;
    if (!within(a[i], b[i], unit_after(a, i))) return false;
  }
  return true;
}

}  // namespace

std::vector<LibraryRun> read_library_runs(const std::string& path) {
  text::Diagnostics diagnostics;
  std::vector<LibraryRun> runs;
  const auto source = text::read_source(path);
  if (!source) throw std::runtime_error(source.error().text());
  if (const auto document = text::parse_toml(*source, diagnostics)) {
    text::TableReader reader(*document, "the table of runs", diagnostics);
    if (const text::TomlNode* rows = reader.optional_array("run")) {
      for (const text::TomlNode& row : rows->items) runs.push_back(read_run_row(row, diagnostics));
    }
    reader.finish();
  }
  if (diagnostics.has_errors()) throw std::runtime_error(diagnostics.render());
  return runs;
}

SimulationResult run_library_profile(const LibraryRun& run, const std::string& folder) {
  SimulationConfig config;
  config.out = folder;
  const std::string path = fmt::format("{}/{}.toml", find_resources().profiles, run.profile);
  const auto source = text::read_source(path);
  if (!source) throw std::runtime_error(source.error().text());
  config.launch.profile = (*source)->text;
  config.launch.profile_name = run.profile + ".toml";
  config.launch.cell_name = run.cell;
  config.launch.parameters = run.set;
  config.launch.soc = run.soc;
  config.initial_soc = run.soc;
  config.ambient_degC = run.ambient_degC;
  config.scan = base::microseconds(std::llround(run.scan_s * 1e6));
  config.cell_set = run.add.empty() ? run.cell_model : write_set(run, folder);
  return simulate(config);
}

RunRecord read_run(const SimulationResult& result) {
  RunRecord out;
  out.outcome = profiles::to_string(result.outcome);
  out.reason = result.reason;
  out.test_s = result.virtual_s;
  for (const ModelNote& note : result.notes) out.notes.push_back(note.words);
  for (const record::Json& step : record::read_lines(result.folder + "/steps.jsonl")) {
    out.steps.push_back(
        {step.value("name", ""), step.value("type", ""), words_of_end(step), step.value("duration_s", 0.0)});
  }
  for (const record::Json& cycle : record::read_lines(result.folder + "/cycles.jsonl"))
    out.cycles.push_back({cycle.value("charging_capacity_Ah", 0.0), cycle.value("discharging_capacity_Ah", 0.0)});
  return out;
}

std::string golden_text(const LibraryRun& run, const RunRecord& record) {
  std::string out = fmt::format("profile {} on cell {}", run.profile, run.cell.empty() ? run.cell_model : run.cell);
  for (const auto& [name, value] : run.set) out += fmt::format(" \"{}={}\"", name, value);
  out += fmt::format("\n{} after {} s: {}\n", record.outcome, number(record.test_s), record.reason);
  for (const std::string& note : record.notes) out += fmt::format("the virtual cell says: {}\n", note);
  out += "\nsteps\n";
  std::vector<Item> items;
  for (const RunStep& step : record.steps) items.push_back(leaf(step));
  // What was folded may be part of a pass as long as a shorter one was.
  for (std::size_t length = 1; length <= std::min(kLongestPass, items.size() / 2); ++length) {
    const std::size_t before = items.size();
    items = fold_passes_of(items, length);
    if (items.size() < before) length = 0;
  }
  std::size_t count = 0;
  write_items(items, 0, count, out);
  out += "\ncycles\n";
  for (std::size_t i = 0; i < record.cycles.size(); ++i) {
    out += fmt::format("{} charge {} Ah discharge {} Ah\n", i + 1, number(record.cycles[i].charge_Ah),
                       number(record.cycles[i].discharge_Ah));
  }
  return out;
}

std::string golden_difference(const std::string& golden, const std::string& found) {
  const auto a = lines_of(golden);
  const auto b = lines_of(found);
  std::string out;
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    if (i < a.size() && i < b.size() && same_line(a[i], b[i])) continue;
    if (i < a.size()) out += fmt::format("line {}: - {}\n", i + 1, a[i]);
    if (i < b.size()) out += fmt::format("line {}: + {}\n", i + 1, b[i]);
  }
  return out;
}

}  // namespace cyclerd::app
