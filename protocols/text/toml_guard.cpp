#include "protocols/text/toml_guard.hpp"

#include <fmt/format.h>

namespace cyclerd::text {

namespace {

bool is_key_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '"' || c == '\'';
}

// Bytes of the valid UTF-8 character at the front, 0 when it is not valid (RFC 3629: no overlong forms, no surrogates).
std::size_t utf8_length(std::string_view s) {
  auto byte = [&s](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  auto tail = [&](std::size_t i, unsigned lo = 0x80, unsigned hi = 0xBF) {
    return i < s.size() && byte(i) >= lo && byte(i) <= hi;
  };
  const unsigned a = byte(0);
  if (a < 0x80) return 1;
  if (a >= 0xC2 && a <= 0xDF) return tail(1) ? 2 : 0;
  if (a >= 0xE0 && a <= 0xEF) return tail(1, a == 0xE0 ? 0xA0 : 0x80, a == 0xED ? 0x9F : 0xBF) && tail(2) ? 3 : 0;
  if (a >= 0xF0 && a <= 0xF4)
    return tail(1, a == 0xF0 ? 0x90 : 0x80, a == 0xF4 ? 0x8F : 0xBF) && tail(2) && tail(3) ? 4 : 0;
  return 0;
}

class Guard {
 public:
  Guard(const SourcePtr& source, Diagnostics& diagnostics, const TomlLimits& limits)
      : source_(source), text_(without_bom(source->text)), diagnostics_(diagnostics), limits_(limits) {}

  bool run() {
    while (good_ && at_ < text_.size()) token();
    return good_;
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void refuse(const char* code, std::uint32_t length, std::string message, std::string help) {
    good_ = false;
    diagnostics_.error(code, Span{source_, line_, column_, length}, std::move(message), std::move(help));
  }

  // Moves over one character of any kind; false when it is not allowed here.
  bool advance(bool inside_text) {
    const char c = text_[at_];
    if (c == '\n') {
      ++at_;
      ++line_;
      column_ = 1;
      return true;
    }
    const auto code = static_cast<unsigned char>(c);
    if ((code < 0x20 && c != '\t' && !(c == '\r' && peek(1) == '\n')) || code == 0x7F) {
      refuse("T002", 1, fmt::format("control character 0x{:02X} in the file", code),
             "remove it; in strings write it as \\uXXXX");
      return false;
    }
    const std::size_t n = utf8_length(text_.substr(at_));
    if (n == 0) {
      refuse("T002", 1, fmt::format("byte 0x{:02X} is not valid UTF-8", code), "save the file as UTF-8");
      return false;
    }
    if (n > 1 && !inside_text) {
      refuse("T002", 1, fmt::format("character '{}' outside strings and comments", text_.substr(at_, n)),
             "names are ASCII letters, digits, '_' and '-'; put other text in quotes");
      return false;
    }
    at_ += n;
    ++column_;
    return true;
  }

  void comment() {
    while (good_ && at_ < text_.size() && text_[at_] != '\n') advance(true);
  }

  void quoted(char quote) {
    const bool multiline = peek(1) == quote && peek(2) == quote;
    const std::size_t marks = multiline ? 3 : 1;
    for (std::size_t i = 0; i < marks; ++i) advance(true);
    while (good_ && at_ < text_.size()) {
      if (peek() == '\n' && !multiline) return;  // unterminated: the library says so
      if (peek() == '\\' && quote == '"') {
        advance(true);
        if (at_ < text_.size()) advance(true);
        continue;
      }
      if (peek() == quote && (!multiline || (peek(1) == quote && peek(2) == quote))) {
        for (std::size_t i = 0; i < marks; ++i) advance(true);
        // Up to two more quotes may belong to the end of a multi-line string.
        while (multiline && peek() == quote) advance(true);
        return;
      }
      advance(true);
    }
  }

  [[nodiscard]] std::size_t depth() const { return header_depth_ + dots_ + 1 + nested_; }

  void check_depth() {
    if (good_ && depth() > limits_.depth) {
      refuse("T003", 1, fmt::format("nested deeper than {} levels", limits_.depth), "flatten the file");
    }
  }

  void open_bracket() {
    opened_.push_back(dots_ + 1);
    nested_ += dots_ + 1;
    dots_ = 0;
    advance(false);
    check_depth();
  }

  void close_bracket() {
    if (!opened_.empty()) {
      nested_ -= opened_.back();
      opened_.pop_back();
    }
    dots_ = 0;
    advance(false);
  }

  // "[" or "[[" at the beginning of a statement.
  void header() {
    const std::uint32_t column = column_;
    advance(false);
    if (peek() == '[') advance(false);
    while (peek() == ' ' || peek() == '\t') advance(false);
    if (!is_key_start(peek())) {
      const std::uint32_t length = column_ - column;
      column_ = column;
      refuse("T005", length, "a table header must name a table", "write [name] or [[name]]");
      return;
    }
    in_header_ = true;
    header_depth_ = 0;
    dots_ = 0;
  }

  void end_of_line() {
    if (in_header_) {
      header_depth_ = dots_ + 1;
      in_header_ = false;
    }
    dots_ = 0;
    if (opened_.empty()) at_start_ = true;
    advance(false);
  }

  void dot() {
    ++dots_;
    if (dots_ > limits_.dots_per_key) {
      refuse("T004", 1, fmt::format("more than {} dots in one key", limits_.dots_per_key),
             "use fewer levels of tables");
      return;
    }
    advance(false);
    check_depth();
  }

  void token() {
    const char c = text_[at_];
    if (c == '\n') return end_of_line();
    if (c == ' ' || c == '\t' || c == '\r') {
      advance(false);
      return;
    }
    if (c == '#') return comment();
    const bool start = at_start_;
    at_start_ = false;
    if (start && c == '[') return header();
    if (c == '"' || c == '\'') return quoted(c);
    if (c == '.') return dot();
    if (in_header_) {
      advance(false);
      return;
    }
    if (c == '[' || c == '{') return open_bracket();
    if (c == ']' || c == '}') return close_bracket();
    if (c == ',') dots_ = 0;
    // '=' does not reset the dots: those of the key deepen what the value holds.
    advance(false);
  }

  const SourcePtr& source_;
  std::string_view text_;
  Diagnostics& diagnostics_;
  const TomlLimits& limits_;
  std::vector<std::size_t> opened_;  // levels that each open bracket added
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  std::uint32_t column_ = 1;
  std::size_t header_depth_ = 0;
  std::size_t dots_ = 0;  // since the last separator
  std::size_t nested_ = 0;
  bool at_start_ = true;
  bool in_header_ = false;
  bool good_ = true;
};

}  // namespace

std::string_view without_bom(std::string_view text) noexcept {
  return text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text;
}

bool guard_toml(const SourcePtr& source, Diagnostics& diagnostics, const TomlLimits& limits) {
  if (source->text.size() > limits.bytes) {
    diagnostics.error("T001", Span{source, 0, 0, 1},
                      fmt::format("the file has {} bytes; at most {} are read", source->text.size(), limits.bytes),
                      "split it, or move data to a CSV file");
    return false;
  }
  return Guard(source, diagnostics, limits).run();
}

}  // namespace cyclerd::text
