#include "profiles/exchange/unit_expression.hpp"

#include <fmt/format.h>

#include <cctype>

#include "profiles/exchange/import_parts.hpp"

namespace cyclerd::exchange {
namespace {

constexpr int kMostDepth = 24;
constexpr std::size_t kLongestFormula = 1000;

struct Part {
  std::string text;
  std::string unit;
  std::optional<double> number;  // not yet with a unit
  bool sum = false;              // needs parentheses as a factor
};

std::string spelled(const Part& part, std::string_view unit) {
  if (!part.number) return part.text;
  if (unit == "A") return current_text(*part.number);
  if (unit == "s") return time_text(*part.number);
  return unit_text(*part.number, unit);
}

std::string as_factor(const Part& part) {
  const std::string text = spelled(part, part.unit);
  return part.sum ? "(" + text + ")" : text;
}

class Reader {
 public:
  Reader(std::string_view text, const NameMeaning& meaning) : text_(text), meaning_(meaning) {}

  std::optional<Part> whole() {
    auto part = sum(0);
    skip();
    if (!part || at_ != text_.size()) return std::nullopt;
    return part;
  }

 private:
  void skip() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  bool take(char c) {
    skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::optional<Part> sum(int depth) {
    auto left = product(depth);
    while (left) {
      const bool plus = take('+');
      if (!plus && !take('-')) return left;
      const auto right = product(depth);
      if (!right) return std::nullopt;
      left = add(*left, *right, plus);
    }
    return left;
  }

  static std::optional<Part> add(const Part& a, const Part& b, bool plus) {
    if (a.number && b.number) {
      Part both;
      both.number = *a.number + (plus ? *b.number : -*b.number);
      return both;
    }
    const std::string& unit = a.number ? b.unit : a.unit;
    if (!a.number && !b.number && a.unit != b.unit) return std::nullopt;
    const std::string right = spelled(b, unit);
    Part both;
    both.text = fmt::format("{} {} {}", spelled(a, unit), plus ? "+" : "-", b.sum ? "(" + right + ")" : right);
    both.unit = unit;
    both.sum = true;
    return both;
  }

  std::optional<Part> product(int depth) {
    auto left = factor(depth);
    while (left) {
      const bool times = take('*');
      if (!times && !take('/')) return left;
      const auto right = factor(depth);
      if (!right) return std::nullopt;
      left = times ? multiply(*left, *right) : divide(*left, *right);
    }
    return left;
  }

  static std::optional<Part> multiply(const Part& a, const Part& b) {
    Part both;
    if (a.number && b.number) {
      both.number = *a.number * *b.number;
      return both;
    }
    if (!a.unit.empty() && !b.unit.empty()) return std::nullopt;
    both.text = fmt::format("{} * {}", as_factor(a), as_factor(b));
    both.unit = a.unit.empty() ? b.unit : a.unit;
    return both;
  }

  static std::optional<Part> divide(const Part& a, const Part& b) {
    Part both;
    if (a.number && b.number) {
      if (*b.number == 0.0) return std::nullopt;
      both.number = *a.number / *b.number;
      return both;
    }
    if (!b.unit.empty() && a.unit != b.unit) return std::nullopt;
    // What is divided by a product or quotient keeps its parentheses.
    const std::string right = as_factor(b);
    both.text = fmt::format("{} / {}", as_factor(a), b.number || b.sum ? right : "(" + right + ")");
    both.unit = b.unit.empty() ? a.unit : "";
    return both;
  }

  std::optional<Part> factor(int depth) {
    if (depth > kMostDepth) return std::nullopt;
    if (take('-')) {
      auto part = factor(depth + 1);
      if (!part) return std::nullopt;
      if (part->number) {
        part->number = -*part->number;
      } else {
        part->text = "-" + as_factor(*part);
        part->sum = true;
      }
      return part;
    }
    if (take('(')) {
      auto part = sum(depth + 1);
      if (!take(')')) return std::nullopt;
      return part;
    }
    skip();
    return at_ < text_.size() && (std::isdigit(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '.')
               ? number()
               : name();
  }

  std::optional<Part> number() {
    const std::size_t start = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '.' ||
            ((text_[at_] == '-' || text_[at_] == '+') && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E')))) {
      ++at_;
    }
    Part part;
    part.number = number_of(text_.substr(start, at_ - start));
    if (!part.number) return std::nullopt;
    if (take('%')) part.number = *part.number / 100.0;
    return part;
  }

  std::optional<Part> name() {
    const std::size_t start = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_' ||
                                  text_[at_] == '[' || text_[at_] == ']')) {
      ++at_;
    }
    if (at_ == start) return std::nullopt;
    const auto known = meaning_(text_.substr(start, at_ - start));
    if (!known) return std::nullopt;
    Part part;
    part.text = known->text;
    part.unit = known->unit;
    part.sum = known->text.find(' ') != std::string::npos;
    part.number = number_of(known->text);
    return part;
  }

  std::string_view text_;
  const NameMeaning& meaning_;
  std::size_t at_ = 0;
};

}  // namespace

std::optional<UnitText> unit_expression(std::string_view text, const NameMeaning& meaning) {
  if (text.size() > kLongestFormula) return std::nullopt;
  const auto part = Reader(text, meaning).whole();
  if (!part) return std::nullopt;
  return UnitText{spelled(*part, part->unit), part->unit};
}

std::optional<std::string> expression_in(std::string_view text, std::string_view unit, const NameMeaning& meaning) {
  if (text.size() > kLongestFormula) return std::nullopt;
  const auto part = Reader(text, meaning).whole();
  if (!part || (!part->number && part->unit != unit)) return std::nullopt;
  return spelled(*part, unit);
}

}  // namespace cyclerd::exchange
