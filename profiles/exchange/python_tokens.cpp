#include "profiles/exchange/python_tokens.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "profiles/exchange/exchange_codes.hpp"
#include "profiles/exchange/json_text.hpp"
#include "profiles/exchange/pybamm_experiment.hpp"

namespace cyclerd::exchange {
namespace {

constexpr std::size_t kMaxTokens = 400'000;

bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool digit(char c) {
  return c >= '0' && c <= '9';
}

class Lexer {
 public:
  Lexer(const text::SourcePtr& source, text::Diagnostics& diagnostics)
      : source_(source), text_(source->text), diagnostics_(diagnostics) {}

  std::optional<std::vector<PyToken>> run() {
    while (good_ && at_ < text_.size()) step();
    if (!good_) return std::nullopt;
    for (int i = 0; i < 2; ++i) push(PyToken::Kind::end, text_.size(), text_.size());
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  PyToken& push(PyToken::Kind kind, std::size_t from, std::size_t to) {
    PyToken token;
    token.kind = kind;
    token.offset = from;
    token.text = text_.substr(from, to - from);
    tokens_.push_back(std::move(token));
    return tokens_.back();
  }
  void fail(std::size_t offset, const char* code, std::string message) {
    diagnostics_.error(code, place_in(source_, offset, 1), std::move(message));
    good_ = false;
  }

  void step();
  void name();
  void number();
  void string(std::size_t from, bool raw, bool formatted);
  bool prefixed_string();

  const text::SourcePtr& source_;
  std::string_view text_;
  text::Diagnostics& diagnostics_;
  std::vector<PyToken> tokens_;
  std::size_t at_ = 0;
  int brackets_ = 0;
  bool good_ = true;
};

void Lexer::step() {
  if (tokens_.size() > kMaxTokens) return fail(at_, code::kTooMuch, "the text is too long for an experiment");
  const char c = peek();
  if (c == '#') {
    at_ = std::min(text_.find('\n', at_), text_.size());
  } else if (c == '\n' || c == ';') {
    if (brackets_ == 0) push(PyToken::Kind::newline, at_, at_ + 1);
    ++at_;
  } else if (c == '\\' && (peek(1) == '\n' || (peek(1) == '\r' && peek(2) == '\n'))) {
    at_ += peek(1) == '\n' ? 2 : 3;
  } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
    ++at_;
  } else if (c == '"' || c == '\'') {
    string(at_, false, false);
  } else if (letter(c)) {
    if (!prefixed_string()) name();
  } else if (digit(c) || (c == '.' && digit(peek(1)))) {
    number();
  } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
    fail(at_, code::kPython, "a control character stands here");
  } else {
    if (std::string_view("([{").find(c) != std::string_view::npos) ++brackets_;
    if (std::string_view(")]}").find(c) != std::string_view::npos) brackets_ = std::max(0, brackets_ - 1);
    const std::size_t length = peek(1) == '=' && std::string_view("+-*/=<>!").find(c) != std::string_view::npos ? 2 : 1;
    push(PyToken::Kind::sign, at_, at_ + length);
    at_ += length;
  }
}

void Lexer::name() {
  const std::size_t from = at_;
  while (letter(peek()) || digit(peek()) || (peek() == '.' && letter(peek(1)))) ++at_;
  push(PyToken::Kind::name, from, at_);
}

void Lexer::number() {
  const std::size_t from = at_;
  while (digit(peek()) || peek() == '.' || peek() == '_' || letter(peek()) ||
         ((peek() == '+' || peek() == '-') && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E'))) {
    ++at_;
  }
  const auto value = pybamm::python_float(text_.substr(from, at_ - from));
  if (!value) return fail(from, code::kPython, fmt::format("'{}' is not a number", text_.substr(from, at_ - from)));
  push(PyToken::Kind::number, from, at_).value = *value;
}

// r"...", f"...", u"...", in both cases of letters and their pairs.
bool Lexer::prefixed_string() {
  std::size_t length = 0;
  bool raw = false;
  bool formatted = false;
  while (length < 2 && std::string_view("rRfFuUbB").find(peek(length)) != std::string_view::npos && peek(length) != 0) {
    raw = raw || peek(length) == 'r' || peek(length) == 'R';
    formatted = formatted || peek(length) == 'f' || peek(length) == 'F';
    ++length;
  }
  if (length == 0 || (peek(length) != '"' && peek(length) != '\'')) return false;
  const std::size_t from = at_;
  at_ += length;
  string(from, raw, formatted);
  return true;
}

void Lexer::string(std::size_t from, bool raw, bool formatted) {
  const char quote = peek();
  const bool triple = peek(1) == quote && peek(2) == quote;
  const std::size_t quotes = triple ? 3 : 1;
  at_ += quotes;
  PyToken token;
  token.kind = PyToken::Kind::text;
  token.offset = from;
  token.content_offset = at_;
  token.exact = true;
  for (;;) {
    if (at_ >= text_.size() || (!triple && peek() == '\n')) return fail(from, code::kPython, "the string does not end");
    if (peek() == quote && (!triple || (peek(1) == quote && peek(2) == quote))) break;
    if (peek() == '\\' && !raw && at_ + 1 < text_.size()) {
      token.exact = false;
      ++at_;
      const char c = peek();
      if (c != '\n') token.content += c == 'n' ? '\n' : c == 't' ? '\t' : c;
    } else {
      token.content += peek();
    }
    ++at_;
  }
  at_ += quotes;
  token.text = text_.substr(from, at_ - from);
  token.formatted = formatted && token.content.find('{') != std::string::npos;
  tokens_.push_back(std::move(token));
}

}  // namespace

text::Span place_in(const text::SourcePtr& source, std::size_t offset, std::size_t length) {
  const std::string& text = source->text;
  if (offset >= text.size() && !text.empty()) {
    offset = text.find_last_not_of(" \t\r\n");
    offset = offset == std::string::npos ? 0 : offset;
    length = 1;
  }
  return span_at(source, offset, length);
}

std::optional<std::vector<PyToken>> python_tokens(const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  return Lexer(source, diagnostics).run();
}

}  // namespace cyclerd::exchange
