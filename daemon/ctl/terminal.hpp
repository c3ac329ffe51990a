// Where a command writes, what the terminal can do, and text that fits into it.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace cyclerd::ctl {

// Result to `out`, messages to `err`. Tests put memory streams here.
struct Io {
  std::FILE* out = nullptr;
  std::FILE* err = nullptr;
  std::FILE* in = nullptr;
  bool out_is_terminal = false;
  bool in_is_terminal = false;
  bool colour = false;
  int width = 100;                                 // columns
  const std::atomic<bool>* interrupted = nullptr;  // Ctrl-C was pressed; may be null

  [[nodiscard]] bool was_interrupted() const { return interrupted != nullptr && interrupted->load(); }
};

enum class Tone : std::uint8_t { plain, bold, dim, good, warning, bad, alarm };
[[nodiscard]] std::string paint(Tone tone, std::string_view text, bool colour);

// Colour belongs on a terminal that can show it and to a person who has not said no (no-color.org).
[[nodiscard]] bool wants_colour(bool out_is_terminal, bool no_color_option, const char* no_color_env, const char* term);

// Control characters, among them escapes that a device's name might carry, become '?'.
[[nodiscard]] std::string printable(std::string_view text);
// Columns a text takes: code points; escapes of paint() count nothing.
[[nodiscard]] int display_width(std::string_view text);
// Cut with an ellipsis, or padded, to exactly `width` columns. Not for painted text.
[[nodiscard]] std::string fit(std::string_view text, int width, bool right = false);

// "0.3 s", "8 min 32 s", "1 h 02 min", "3 d 04 h".
[[nodiscard]] std::string duration_text(double time_s);
// "2026-11-23 15:33:47" in local time; "-" for 0.
[[nodiscard]] std::string wall_text(std::int64_t unix_us);

// Columns as wide as they need; numbers right. Never wider than the terminal: the widest text columns give way.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}
  void add(std::vector<std::string> row, Tone tone = Tone::plain);
  [[nodiscard]] std::string render(int width, bool colour) const;
  // Tab-separated, without header: for scripts.
  [[nodiscard]] std::string plain() const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
  std::vector<Tone> tones_;
};

}  // namespace cyclerd::ctl
