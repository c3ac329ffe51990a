#include "hil/identify/csv_columns.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

namespace cyclerd::hil {
namespace {

constexpr double kKelvin = 273.15;

struct Unit {
  ColumnRole role;
  std::string_view word;  // lower case
  double factor;
  double offset = 0.0;
};
constexpr std::array kUnits = {
    Unit{ColumnRole::time, "s", 1.0},
    Unit{ColumnRole::time, "sec", 1.0},
    Unit{ColumnRole::time, "seconds", 1.0},
    Unit{ColumnRole::time, "ms", 1e-3},
    Unit{ColumnRole::time, "min", 60.0},
    Unit{ColumnRole::time, "minutes", 60.0},
    Unit{ColumnRole::time, "h", 3600.0},
    Unit{ColumnRole::time, "hr", 3600.0},
    Unit{ColumnRole::time, "hrs", 3600.0},
    Unit{ColumnRole::time, "hours", 3600.0},
    Unit{ColumnRole::time, "d", 86400.0},
    Unit{ColumnRole::current, "a", 1.0},
    Unit{ColumnRole::current, "amps", 1.0},
    Unit{ColumnRole::current, "ma", 1e-3},
    Unit{ColumnRole::current, "\u00b5a", 1e-6},
    Unit{ColumnRole::current, "\u03bca", 1e-6},
    Unit{ColumnRole::current, "ua", 1e-6},
    Unit{ColumnRole::voltage, "v", 1.0},
    Unit{ColumnRole::voltage, "volts", 1.0},
    Unit{ColumnRole::voltage, "mv", 1e-3},
    Unit{ColumnRole::temperature, "degc", 1.0},
    Unit{ColumnRole::temperature, "\u00b0c", 1.0},
    Unit{ColumnRole::temperature, "\u2103", 1.0},
    Unit{ColumnRole::temperature, "c", 1.0},
    Unit{ColumnRole::temperature, "celsius", 1.0},
    Unit{ColumnRole::temperature, "k", 1.0, -kKelvin},
    Unit{ColumnRole::temperature, "kelvin", 1.0, -kKelvin},
};

struct Name {
  ColumnRole role;
  std::string_view words;  // lower case, one blank between words, without unit and sign
  int preference;
};
// The first that fits a header exactly wins. Times of a step or of the day are not the time of the test.
constexpr std::array kNames = {
    Name{ColumnRole::time, "test time", 0},
    Name{ColumnRole::time, "testtime", 0},
    Name{ColumnRole::time, "total time", 1},
    Name{ColumnRole::time, "elapsed time", 1},
    Name{ColumnRole::time, "run time", 1},
    Name{ColumnRole::time, "time", 2},
    Name{ColumnRole::time, "t", 3},
    Name{ColumnRole::current, "current", 0},
    Name{ColumnRole::current, "cell current", 0},
    Name{ColumnRole::current, "i", 1},
    Name{ColumnRole::current, "amps", 1},
    Name{ColumnRole::current, "i cell", 1},
    Name{ColumnRole::current, "i batt", 1},
    Name{ColumnRole::voltage, "voltage", 0},
    Name{ColumnRole::voltage, "cell voltage", 0},
    Name{ColumnRole::voltage, "terminal voltage", 0},
    Name{ColumnRole::voltage, "v", 1},
    Name{ColumnRole::voltage, "u", 1},
    Name{ColumnRole::voltage, "volts", 1},
    Name{ColumnRole::voltage, "ecell", 1},
    Name{ColumnRole::voltage, "v cell", 1},
    Name{ColumnRole::voltage, "u cell", 1},
    Name{ColumnRole::voltage, "u batt", 1},
    Name{ColumnRole::voltage, "e", 2},
    Name{ColumnRole::soc, "soc", 0},
    Name{ColumnRole::cell, "cell", 0},
    Name{ColumnRole::cell, "cell id", 0},
    Name{ColumnRole::mode, "mode", 0},
    Name{ColumnRole::mode, "state", 1},
    Name{ColumnRole::mode, "status", 1},
    Name{ColumnRole::mode, "md", 2},

};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

bool word_letter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || (static_cast<unsigned char>(c) & 0x80U) != 0;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  for (const char c : lower(text)) {
    if (word_letter(c)) {
      word += c;
    } else if (!word.empty()) {
      out.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) out.push_back(std::move(word));
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

const Unit* unit_of(std::string_view word, ColumnRole role) {
  for (const Unit& unit : kUnits) {
    if (unit.role == role && unit.word == word) return &unit;
  }
  return nullptr;
}

const Unit* temperature_unit(std::string_view word) {
  return unit_of(word, ColumnRole::temperature);
}

// "Current [mA]" and "Voltage / mV" to name and unit; the unit is empty where there is none in these ways.
std::pair<std::string_view, std::string> name_and_unit(std::string_view header) {
  for (const auto& [open, close] : {std::pair{'[', ']'}, std::pair{'(', ')'}}) {
    const std::size_t from = header.find(open);
    if (from == std::string_view::npos || from == 0) continue;
    const std::size_t to = header.find(close, from);
    const std::size_t length = to == std::string_view::npos ? header.size() - from - 1 : to - from - 1;
    return {trimmed(header.substr(0, from)), lower(trimmed(header.substr(from + 1, length)))};
  }
  const std::size_t slash = header.rfind('/');
  if (slash != std::string_view::npos && slash > 0) {
    return {trimmed(header.substr(0, slash)), lower(trimmed(header.substr(slash + 1)))};
  }
  return {header, {}};
}

// Takes "dis pos", "discharge positive" or "chg pos" off the end of a name.
CurrentSign take_sign(std::vector<std::string>& words) {
  if (words.size() < 3 || (words.back() != "pos" && words.back() != "positive")) return CurrentSign::automatic;
  const std::string& what = words[words.size() - 2];
  CurrentSign sign = CurrentSign::automatic;
  if (what.starts_with("dis") || what == "dch" || what == "dchg") sign = CurrentSign::discharge_positive;
  if (what.starts_with("ch")) sign = CurrentSign::charge_positive;
  if (sign != CurrentSign::automatic) words.resize(words.size() - 2);
  return sign;
}

bool any_word(const std::vector<std::string>& words, std::initializer_list<std::string_view> starts) {
  return std::ranges::any_of(words, [&](const std::string& word) {
    return std::ranges::any_of(starts, [&](std::string_view start) { return word.starts_with(start); });
  });
}

bool set_temperature(Column& column, std::vector<std::string> words, const std::string& bracket_unit,
                     std::string_view raw_name) {
  const Unit* unit = temperature_unit(bracket_unit);
  if (unit == nullptr && bracket_unit.empty() && words.size() > 1 && words.back() != "c" && words.back() != "k") {
    unit = temperature_unit(words.back());
  }
  const bool named = any_word(words, {"temp"}) || raw_name == "T" || raw_name == "T_cell" || raw_name == "T_surf";
  if (unit == nullptr && named && bracket_unit.empty() && words.size() > 1) unit = temperature_unit(words.back());
  if (unit == nullptr && !named) return false;
  const bool air = any_word(words, {"ambient", "amb", "chamber", "air", "oven", "environment"});
  column.role = air ? ColumnRole::ambient : ColumnRole::temperature;
  if (unit != nullptr) {
    column.factor = unit->factor;
    column.offset = unit->offset;
  } else if (!bracket_unit.empty()) {
    column.unknown_unit = bracket_unit;
  }
  column.preference = any_word(words, {"surface", "mid", "cell", "can", "skin"}) ? 0 : 1;
  return true;
}

}  // namespace

std::vector<std::string_view> split_fields(std::string_view line, char separator) {
  std::vector<std::string_view> out;
  std::size_t from = 0;
  bool quoted = false;
  for (std::size_t i = 0; i <= line.size(); ++i) {
    if (i < line.size() && line[i] == '"') quoted = !quoted;
    if (i < line.size() && (quoted || line[i] != separator)) continue;
    std::string_view field = trimmed(line.substr(from, i - from));
    if (field.size() >= 2 && field.front() == '"' && field.back() == '"') field = field.substr(1, field.size() - 2);
    out.push_back(trimmed(field));
    from = i + 1;
  }
  return out;
}

Column column_of(std::string_view header) {
  Column column;
  column.name = std::string(header);
  while (!header.empty() && (header.front() == '~' || header.front() == '#' || header.front() == '<' ||
                             std::isspace(static_cast<unsigned char>(header.front())) != 0)) {
    header.remove_prefix(1);
  }
  auto [name, unit_word] = name_and_unit(header);
  std::vector<std::string> words = words_of(name);
  if (words.empty()) return column;
  if (set_temperature(column, words, unit_word, name)) return column;
  const CurrentSign sign = take_sign(words);
  for (const bool unit_in_name : {false, true}) {
    if (unit_in_name && (words.size() < 2 || !unit_word.empty())) break;
    std::vector<std::string> bare = words;
    if (unit_in_name) bare.pop_back();
    const std::string text = joined(bare);
    const auto* found = std::ranges::find(kNames, text, &Name::words);
    if (found == kNames.end()) continue;
    if (found->role == ColumnRole::soc) {
      column.factor = unit_word == "%" ? 0.01 : 1.0;
    } else if (found->role != ColumnRole::cell && found->role != ColumnRole::mode) {
      const std::string& word = unit_in_name ? words.back() : unit_word;
      const Unit* unit = unit_of(word, found->role);
      if (unit != nullptr) column.factor = unit->factor;
      column.clock = found->role == ColumnRole::time && word.find(':') != std::string::npos;
      if (unit == nullptr && !column.clock && unit_in_name) continue;
      if (unit == nullptr && !column.clock && !word.empty()) column.unknown_unit = word;
    }
    column.role = found->role;
    column.preference = found->preference;
    column.sign = sign;
    return column;
  }
  return column;
}

std::optional<double> number_of(std::string_view field, bool decimal_comma) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  if (field.empty() || field == "-") return kNone;
  if (field.front() == '+') field.remove_prefix(1);
  std::array<char, 64> buffer{};
  if (field.size() >= buffer.size()) return std::nullopt;
  std::size_t n = 0;
  const std::size_t point = field.rfind('.');
  const std::size_t comma = field.rfind(',');
  const bool comma_decides =
      decimal_comma && comma != std::string_view::npos && (point == std::string_view::npos || point < comma);
  for (const char c : field) {
    if (comma_decides && c == '.') continue;                                      // 1.234,5
    if (!comma_decides && c == ',' && point != std::string_view::npos) continue;  // "1,234.5"
    buffer[n++] = c == ',' ? '.' : c;
  }
  double value = 0.0;
  const auto [end, error] = std::from_chars(buffer.data(), buffer.data() + n, value);
  if (error == std::errc() && end == buffer.data() + n) return std::isinf(value) ? kNone : value;
  const std::string word = lower(field);
  if (word == "nan" || word == "na" || word == "n/a" || word == "null" || word == "none") return kNone;
  return std::nullopt;
}

std::optional<double> clock_of(std::string_view field, bool decimal_comma) {
  double seconds = 0.0;
  while (true) {
    const std::size_t colon = field.find(':');
    const auto part = number_of(trimmed(field.substr(0, colon)), decimal_comma);
    if (!part) return std::nullopt;
    seconds = seconds * 60.0 + *part;
    if (colon == std::string_view::npos) return seconds;
    field.remove_prefix(colon + 1);
  }
}

}  // namespace cyclerd::hil
