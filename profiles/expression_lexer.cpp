#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "profiles/codes.hpp"
#include "profiles/expression.hpp"

namespace cyclerd::profiles {
namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (static_cast<unsigned char>(c) & 0x80U) != 0;
}
bool is_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::size_t code_points(std::string_view s) noexcept {
  return static_cast<std::size_t>(
      std::count_if(s.begin(), s.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

class Lexer {
 public:
  Lexer(std::string_view text, const text::Span& where, text::Diagnostics& diagnostics)
      : text_(text), where_(where), diagnostics_(diagnostics) {}

  std::optional<std::vector<Token>> run() {
    while (true) {
      while (at_ < text_.size() && is_space(text_[at_])) ++at_;
      if (at_ >= text_.size()) break;
      const char c = text_[at_];
      bool good = true;
      if (is_digit(c) || (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) {
        good = number();
      } else if (is_letter(c) || c == '_') {
        name();
      } else {
        good = symbol();
      }
      if (!good) return std::nullopt;
      if (tokens_.size() > 4 * kMaxNodes) {
        diagnostics_.error(code::kExpressionSize, where_,
                           fmt::format("the expression has more than {} parts", kMaxNodes),
                           "split it over several conditions");
        return std::nullopt;
      }
    }
    Token end;
    end.offset = static_cast<std::uint32_t>(text_.size());
    end.length = 1;
    tokens_.push_back(end);
    return std::move(tokens_);
  }

 private:
  Token& push(Token::Kind kind, std::size_t begin) {
    Token token;
    token.kind = kind;
    token.text = text_.substr(begin, at_ - begin);
    token.offset = static_cast<std::uint32_t>(begin);
    token.length = static_cast<std::uint32_t>(at_ - begin);
    tokens_.push_back(token);
    return tokens_.back();
  }

  bool fail(const char* error_code, std::size_t begin, std::size_t length, std::string message, std::string help = {}) {
    diagnostics_.error(error_code, part_of(where_, text_, begin, length), std::move(message), std::move(help));
    return false;
  }

  void name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '_')) ++at_;
    push(Token::Kind::name, begin);
  }

  bool symbol() {
    static constexpr std::array<std::string_view, 15> kSymbols = {"<=", ">=", "==", "!=", "<", ">", "+", "-",
                                                                  "*",  "/",  "(",  ")",  ",", ".", "["};
    for (std::string_view s : kSymbols) {
      if (text_.substr(at_, s.size()) == s) {
        const std::size_t begin = at_;
        at_ += s.size();
        push(Token::Kind::symbol, begin);
        return true;
      }
    }
    if (text_[at_] == ']') {
      ++at_;
      push(Token::Kind::symbol, at_ - 1);
      return true;
    }
    const char c = text_[at_];
    std::string help;
    if (c == '=') help = "write == to compare, or <=, >=";
    if (c == '&') help = "write and";
    if (c == '|') help = "write or";
    if (c == '!') help = "write not";
    if (c == '%') help = "% is a unit and stands after a number: 80 %; for a remainder write mod(a, b)";
    return fail(code::kExpression, at_, 1, fmt::format("'{}' has no meaning here", c), help);
  }

  bool number() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.')) ++at_;
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      std::size_t look = at_ + 1;
      if (look < text_.size() && (text_[look] == '+' || text_[look] == '-')) ++look;
      if (look < text_.size() && is_digit(text_[look])) {
        while (look < text_.size() && is_digit(text_[look])) ++look;
        at_ = look;
      }
    }
    double value = 0.0;
    const auto [end, error] = std::from_chars(text_.data() + begin, text_.data() + at_, value);
    if (error != std::errc{} || end != text_.data() + at_) {
      return fail(code::kExpression, begin, at_ - begin,
                  fmt::format("'{}' is not a number", text_.substr(begin, at_ - begin)));
    }
    return unit(begin, value);
  }

  // The unit behind a number, with or without a space: "4.2 V", "80%", "5 mV/min".
  bool unit(std::size_t begin, double value) {
    const std::size_t number_end = at_;
    std::size_t look = at_;
    while (look < text_.size() && is_space(text_[look])) ++look;
    const std::size_t unit_begin = look;
    if (look < text_.size() && text_[look] == '%') {
      ++look;
    } else {
      while (look < text_.size() && is_letter(text_[look])) ++look;
    }
    const std::string_view word = text_.substr(unit_begin, look - unit_begin);
    if (word.empty() || word == "and" || word == "or" || word == "not") {
      push(Token::Kind::number, begin).value = round_constant(value);
      return true;
    }
    std::size_t unit_end = look;
    std::optional<text::Unit> found = text::find_unit(word);
    if (look + 1 < text_.size() && text_[look] == '/' && is_letter(text_[look + 1])) {
      std::size_t quotient_end = look + 1;
      while (quotient_end < text_.size() && is_letter(text_[quotient_end])) ++quotient_end;
      const auto quotient = text::find_unit(text_.substr(unit_begin, quotient_end - unit_begin));
      if (quotient) {
        found = quotient;
        unit_end = quotient_end;
      }
    }
    if (!found) {
      const std::string near = text::nearest_unit(word);
      at_ = number_end;
      return fail(code::kUnit, unit_begin, word.size(), fmt::format("'{}' is not a unit", word),
                  near.empty() ? "units are V, mV, A, mA, C, W, Ohm, s, min, h, degC, K, Ah, Wh, %"
                               : fmt::format("did you mean {}?", near));
    }
    at_ = unit_end;
    Token& token = push(Token::Kind::number, begin);
    token.unit = *found;
    token.has_unit = true;
    token.value = round_constant(value * found->factor);
    const std::string_view unit_text = text_.substr(unit_begin, unit_end - unit_begin);
    token.absolute = found->dimension == text::dimension::kTemperature && unit_text != "K" && unit_text != "mK";
    return true;
  }

  std::string_view text_;
  const text::Span& where_;
  text::Diagnostics& diagnostics_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

std::optional<std::vector<Token>> tokenize(std::string_view text, const text::Span& where,
                                           text::Diagnostics& diagnostics) {
  return Lexer(text, where, diagnostics).run();
}

text::Span part_of(const text::Span& where, std::string_view text, std::size_t offset, std::size_t length) {
  // With escapes in the string the written text is longer than the value; then the whole string is shown.
  if (where.length != code_points(text)) return where;
  text::Span span = where;
  offset = std::min(offset, text.size());
  length = std::min(length, text.size() - offset);
  span.column = where.column + static_cast<std::uint32_t>(code_points(text.substr(0, offset)));
  span.length = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(code_points(text.substr(offset, length))));
  return span;
}

double round_constant(double value) noexcept {
  std::array<char, 48> buffer{};
  const char* end = fmt::format_to_n(buffer.data(), buffer.size(), "{:.15g}", value).out;
  double rounded = value;
  std::from_chars(buffer.data(), end, rounded);
  return rounded;
}

}  // namespace cyclerd::profiles
