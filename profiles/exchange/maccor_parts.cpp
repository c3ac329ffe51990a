#include "profiles/exchange/maccor_parts.hpp"

#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "profiles/exchange/import_parts.hpp"

namespace cyclerd::exchange {
namespace {

struct Word {
  const char* type;
  const char* quantity;
  const char* unit;
};
// Temp is of the cell's own sensor. Capacity and Energy are of the step.
constexpr Word kEnds[] = {
    {"Voltage", "voltage", "V"},       {"Current", "abs(current)", "A"}, {"Capacity", "step_capacity", "Ah"},
    {"Amp-hr", "step_capacity", "Ah"}, {"Energy", "step_energy", "Wh"},  {"Watt-hr", "step_energy", "Wh"},
    {"Power", "abs(power)", "W"},      {"Temp", "temperature", "degC"},  {"Cycle Cnt", "cycle", ""},
};
constexpr Word kReports[] = {
    {"Voltage", "voltage", "V"},  {"Current", "current", "A"},  {"Capacity", "capacity", "Ah"},
    {"Amp-hr", "capacity", "Ah"}, {"Energy", "energy", "Wh"},   {"Watt-hr", "energy", "Wh"},
    {"Power", "power", "W"},      {"Temp", "temperature", "K"},
};

// What a formula is worth as start + slope * STIME, in units of `CRATE` or amperes.
struct Linear {
  double constant = 0.0;
  double slope = 0.0;
  bool c_rate = false;
  [[nodiscard]] bool is_number() const { return slope == 0.0 && !c_rate; }
};

class Formula {
 public:
  explicit Formula(std::string_view text) : text_(text) {}

  std::optional<Linear> whole() {
    auto value = sum(0);
    skip();
    if (!value || at_ != text_.size()) return std::nullopt;
    return value;
  }

 private:
  void skip() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(char c) {
    skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::optional<Linear> sum(int depth) {
    auto left = product(depth);
    while (left) {
      const bool plus = take('+');
      if (!plus && !take('-')) return left;
      const auto right = product(depth);
      if (!right || (left->c_rate != right->c_rate && !zero(*left) && !zero(*right))) return std::nullopt;
      left->constant += plus ? right->constant : -right->constant;
      left->slope += plus ? right->slope : -right->slope;
      left->c_rate = left->c_rate || right->c_rate;
    }
    return left;
  }
  static bool zero(const Linear& value) { return value.constant == 0.0 && value.slope == 0.0; }

  std::optional<Linear> product(int depth) {
    auto left = factor(depth);
    while (left) {
      const bool times = take('*');
      if (!times && !take('/')) return left;
      const auto right = factor(depth);
      if (!right) return std::nullopt;
      if (times) {
        left = multiply(*left, *right);
      } else if (right->is_number() && right->constant != 0.0) {
        left->constant /= right->constant;
        left->slope /= right->constant;
      } else {
        return std::nullopt;
      }
    }
    return left;
  }
  static std::optional<Linear> multiply(const Linear& a, const Linear& b) {
    if ((a.slope != 0.0 && b.slope != 0.0) || (a.c_rate && b.c_rate)) return std::nullopt;
    return Linear{a.constant * b.constant, a.constant * b.slope + a.slope * b.constant, a.c_rate || b.c_rate};
  }

  std::optional<Linear> factor(int depth) {
    if (depth > 16) return std::nullopt;
    if (take('-')) {
      auto value = factor(depth + 1);
      if (value) *value = {-value->constant, -value->slope, value->c_rate};
      return value;
    }
    if (take('(')) {
      auto value = sum(depth + 1);
      if (!take(')')) return std::nullopt;
      return value;
    }
    skip();
    const std::size_t start = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '.'))
      ++at_;
    const std::string_view word = text_.substr(start, at_ - start);
    if (word == "STIME") return Linear{0.0, 1.0, false};
    if (word == "CRATE") return Linear{1.0, 0.0, true};
    const auto value = number_of(word);
    if (!value) return std::nullopt;
    return Linear{*value, 0.0, false};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<double> maccor_seconds(std::string_view text) {
  text = trimmed(text);
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t colon = text.find(':');
    parts.push_back(trimmed(text.substr(0, colon)));
    if (colon == std::string_view::npos) break;
    text.remove_prefix(colon + 1);
  }
  if (parts.size() > 4 || (parts.size() == 1 && parts[0].empty())) return std::nullopt;
  constexpr double kSeconds[] = {1.0, 60.0, 3600.0, 86400.0};
  double total = 0.0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string_view part = parts[parts.size() - 1 - i];
    if (part.empty()) continue;
    const auto value = number_of(part);
    if (!value || *value < 0.0) return std::nullopt;
    total += *value * kSeconds[i];
  }
  return total;
}

std::optional<MaccorEnd> maccor_end(std::string_view type, std::string_view compare, std::string_view value, int sign) {
  MaccorEnd end;
  if (type == "StepTime" || type == "TestTime") {
    const auto seconds = maccor_seconds(value);
    if (!seconds || (compare != "=" && compare != ">=" && compare != ">")) return std::nullopt;
    end.text = fmt::format("{} >= {}", type == "StepTime" ? "time" : "test_time", time_text(*seconds));
    return end;
  }
  for (const Word& word : kEnds) {
    if (type != word.type) continue;
    bool c_rate = false;
    if (type == "Current" && value.ends_with('C')) {
      value.remove_suffix(1);
      c_rate = true;
    }
    const auto number = number_of(value);
    if (!number) return std::nullopt;
    // "=" is reached: from below for what grows; voltage and current move with the direction of the step.
    if (compare == "=") {
      const bool falls = (type == "Voltage" && sign < 0) || type == "Current";
      compare = falls ? "<=" : ">=";
    }
    if (compare != ">=" && compare != "<=" && compare != ">" && compare != "<") return std::nullopt;
    end.is_voltage = type == "Voltage";
    end.upper = compare.starts_with('>');
    end.value = *number;
    const std::string bound = c_rate              ? unit_text(*number, "C")
                              : type == "Current" ? current_text(*number)
                                                  : unit_text(*number, word.unit);
    end.text = fmt::format("{} {} {}", word.quantity, compare, bound);
    return end;
  }
  return std::nullopt;
}

std::optional<MaccorReport> maccor_report(std::string_view type, std::string_view value) {
  if (type == "StepTime") {
    const auto seconds = maccor_seconds(value);
    if (!seconds) return std::nullopt;
    if (*seconds == 0.0) return MaccorReport{};
    return MaccorReport{"every", time_text(*seconds), *seconds};
  }
  for (const Word& word : kReports) {
    if (type != word.type) continue;
    const auto number = number_of(value);
    if (!number || *number < 0.0) return std::nullopt;
    if (*number == 0.0) return MaccorReport{};
    const std::string_view unit = word.unit;
    const bool small = (unit == "V" || unit == "A") && *number < 0.1;
    const std::string text = small ? unit_text(*number * 1e3, fmt::format("m{}", unit)) : unit_text(*number, unit);
    return MaccorReport{word.quantity, text, *number};
  }
  return std::nullopt;
}

std::optional<MaccorLine> maccor_line(std::string_view formula) {
  // What stands before the bar is the mode of the formula; only the first form is read.
  const std::size_t bar = formula.find('|');
  if (bar != std::string_view::npos) {
    if (trimmed(formula.substr(0, bar)) != "0") return std::nullopt;
    formula.remove_prefix(bar + 1);
  }
  const auto value = Formula(formula).whole();
  if (!value || value->slope == 0.0 || !std::isfinite(value->slope) || !std::isfinite(value->constant))
    return std::nullopt;
  return MaccorLine{value->constant, value->slope, value->c_rate};
}

}  // namespace cyclerd::exchange
