// What is wrong with a user's file: all findings at once, each with place, reason, bound and the way out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cyclerd::text {

// A file's text as read, kept for showing the offending line. `name` is what the user typed.
struct Source {
  std::string name;
  std::string text;
};
using SourcePtr = std::shared_ptr<const Source>;

// A stretch of one line of a source. Line and column count from 1, columns in characters (UTF-8 code points);
// line 0: the whole file.
struct Span {
  SourcePtr source;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t length = 1;
};

enum class Severity : std::uint8_t { error, warning, note };

struct Diagnostic {
  Severity severity = Severity::error;
  std::string code;     // stable, e.g. "P041"; documented in the folder's README
  std::string message;  // what is wrong, with the value and the bound
  Span where;
  std::string label;  // short text under the caret; may be empty
  std::string help;   // what to write instead; may be empty
  Span related;       // where the violated bound was set; line 0 and no source: none
  std::string related_label;
};

// Collects findings. Not for real-time paths.
class Diagnostics {
 public:
  Diagnostic& error(std::string code, Span where, std::string message, std::string help = {});
  Diagnostic& warning(std::string code, Span where, std::string message, std::string help = {});
  Diagnostic& note(std::string code, Span where, std::string message, std::string help = {});

  [[nodiscard]] bool has_errors() const noexcept { return errors_ != 0; }
  [[nodiscard]] std::size_t error_count() const noexcept { return errors_; }
  [[nodiscard]] std::size_t warning_count() const noexcept { return warnings_; }
  [[nodiscard]] const std::vector<Diagnostic>& all() const noexcept { return items_; }
  void append(Diagnostics other);

  // Compiler-style text, findings in order of file and place, closed by a line that counts them. `colour`: ANSI
  // escapes.
  [[nodiscard]] std::string render(bool colour = false) const;
  // JSON array of {severity, code, file, line, column, length, message, label, help, related}.
  [[nodiscard]] std::string json() const;

 private:
  std::vector<Diagnostic> items_;
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
};

// The candidate nearest to `name` (edit distance, at most a third of the name), or empty.
[[nodiscard]] std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace cyclerd::text
