#include "protocols/dbc/dbc_tokens.hpp"

#include <charconv>
#include <cmath>

namespace cyclerd::dbc {
namespace {

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
bool begins_word(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool continues_character(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

class Lexer {
 public:
  Lexer(const text::SourcePtr& source, text::Diagnostics& diagnostics)
      : source_(source), text_(source->text), diagnostics_(diagnostics) {}

  std::vector<Token> all() {
    std::vector<Token> tokens;
    while (skip_space()) {
      Token token;
      token.line = line_;
      token.column = column_;
      token.first = tokens.empty() || tokens.back().line != line_;
      if (take(token)) tokens.push_back(token);
    }
    Token end;
    end.line = line_;
    end.column = column_;
    end.first = true;
    tokens.push_back(end);
    return tokens;
  }

 private:
  void advance() {
    if (text_[at_] == '\n') {
      ++line_;
      column_ = 1;
    } else if (!continues_character(text_[at_])) {
      ++column_;
    }
    ++at_;
  }
  bool skip_space() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '/' && at_ + 1 < text_.size() && text_[at_ + 1] == '/') {
        while (at_ < text_.size() && text_[at_] != '\n') advance();
      } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        advance();
      } else {
        return true;
      }
    }
    return false;
  }

  bool take(Token& token) {
    const char c = text_[at_];
    if (c == '"') return take_string(token);
    if (begins_word(c)) return take_word(token);
    if (begins_number()) return take_number(token);
    if (std::string_view(":|@+-()[],;").find(c) != std::string_view::npos) {
      token.kind = Token::Kind::mark;
      token.text = text_.substr(at_, 1);
      advance();
      return true;
    }
    report(token, "a sign that means nothing in a DBC file", 1);
    while (at_ < text_.size() && text_[at_] != '\n') advance();  // one finding a line
    return false;
  }

  [[nodiscard]] bool begins_number() const {
    std::size_t i = at_;
    if (text_[i] == '+' || text_[i] == '-') ++i;
    if (i < text_.size() && text_[i] == '.') ++i;
    return i < text_.size() && is_digit(text_[i]);
  }

  bool take_number(Token& token) {
    const std::size_t from = at_;
    const char* begin = text_.data() + at_ + (text_[at_] == '+' ? 1 : 0);
    double value = 0.0;
    const auto parsed = std::from_chars(begin, text_.data() + text_.size(), value);
    const bool good = parsed.ec == std::errc{} && std::isfinite(value);
    const std::size_t length = good ? static_cast<std::size_t>(parsed.ptr - text_.data()) - from : 1;
    while (at_ < from + length) advance();
    if (!good) {
      while (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.')) advance();
      report(token, "a number that cannot be read", at_ - from);
      value = 0.0;
    }
    token.kind = Token::Kind::number;
    token.number = value;
    token.text = text_.substr(from, at_ - from);
    return true;
  }

  bool take_word(Token& token) {
    const std::size_t from = at_;
    while (at_ < text_.size() && (begins_word(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '.')) advance();
    token.kind = Token::Kind::word;
    token.text = text_.substr(from, at_ - from);
    return true;
  }

  bool take_string(Token& token) {
    advance();
    const std::size_t from = at_;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == '"') advance();
      advance();
    }
    if (at_ >= text_.size()) {
      report(token, "the text that begins here does not end", 1);
      return false;
    }
    token.kind = Token::Kind::string;
    token.text = text_.substr(from, at_ - from);
    advance();
    return true;
  }

  void report(const Token& token, const char* what, std::size_t length) {
    diagnostics_.error("D090", {source_, token.line, token.column, static_cast<std::uint32_t>(length)}, what);
  }

  const text::SourcePtr& source_;
  std::string_view text_;
  text::Diagnostics& diagnostics_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  std::uint32_t column_ = 1;
};

}  // namespace

std::vector<Token> tokens_of(const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  return Lexer(source, diagnostics).all();
}

}  // namespace cyclerd::dbc
