#include "daemon/ctl/terminal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

namespace cyclerd::ctl {

namespace {

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

bool looks_numeric(const std::string& text) {
  return !text.empty() && (std::isdigit(static_cast<unsigned char>(text[0])) != 0 || text[0] == '-' || text[0] == '+');
}

}  // namespace

std::string paint(Tone tone, std::string_view text, bool colour) {
  static constexpr std::array<const char*, 7> kCodes{"", "1", "2", "32", "33", "31", "1;37;41"};
  if (!colour || tone == Tone::plain || text.empty()) return std::string(text);
  return fmt::format("\033[{}m{}\033[0m", kCodes.at(static_cast<std::size_t>(tone)), text);
}

bool wants_colour(bool out_is_terminal, bool no_color_option, const char* no_color_env, const char* term) {
  if (!out_is_terminal || no_color_option) return false;
  if (no_color_env != nullptr && *no_color_env != '\0') return false;
  return term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

std::string printable(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080..U+009F are control characters too; in UTF-8 they are C2 80..9F.
    const bool c1 = byte == 0xC2U && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0U;
    if (c1) ++i;
    clean += (byte < 0x20U || byte == 0x7FU || c1) ? '?' : text[i];
  }
  return clean;
}

int display_width(std::string_view text) {
  int columns = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\033') {
      while (i < text.size() && text[i] != 'm') ++i;
    } else if (!is_continuation(text[i])) {
      ++columns;
    }
  }
  return columns;
}

std::string fit(std::string_view text, int width, bool right) {
  const int have = display_width(text);
  if (have <= width) {
    const std::string space(static_cast<std::size_t>(width - have), ' ');
    return right ? space + std::string(text) : std::string(text) + space;
  }
  if (width <= 0) return {};
  std::size_t end = 0;
  for (int columns = 0; end < text.size(); ++end) {
    if (!is_continuation(text[end]) && columns++ == width - 1) break;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string duration_text(double time_s) {
  if (!std::isfinite(time_s)) return "-";
  if (time_s < 0) return "-" + duration_text(-time_s);
  if (time_s < 59.95) return fmt::format("{:.1f} s", time_s);
  const auto whole = static_cast<std::int64_t>(std::llround(time_s));
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  if (whole < 86'400) return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
  return fmt::format("{} d {:02} h", whole / 86'400, whole % 86'400 / 3600);
}

std::string wall_text(std::int64_t unix_us) {
  if (unix_us == 0) return "-";
  const auto seconds = static_cast<std::time_t>(unix_us / 1'000'000);
  std::tm parts{};
  if (localtime_r(&seconds, &parts) == nullptr) return "-";
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
  return {text.data(), size};
}

void Table::add(std::vector<std::string> row, Tone tone) {
  row.resize(header_.size());
  for (auto& cell : row) cell = cell.empty() ? "-" : printable(cell);
  rows_.push_back(std::move(row));
  tones_.push_back(tone);
}

std::string Table::render(int width, bool colour) const {
  const std::size_t columns = header_.size();
  std::vector<int> widths(columns);
  std::vector<bool> numeric(columns, !rows_.empty());
  for (std::size_t c = 0; c < columns; ++c) {
    widths[c] = display_width(header_[c]);
    for (const auto& row : rows_) {
      widths[c] = std::max(widths[c], display_width(row[c]));
      if (!looks_numeric(row[c])) numeric[c] = false;
    }
  }
  int total = 2 * (static_cast<int>(columns) - 1);
  for (const int w : widths) total += w;
  while (total > width) {
    std::size_t widest = columns;
    for (std::size_t c = 0; c < columns; ++c) {
      if (!numeric[c] && widths[c] > 8 && (widest == columns || widths[c] > widths[widest])) widest = c;
    }
    if (widest == columns) break;  // nothing left to give: the terminal wraps
    --widths[widest];
    --total;
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t c = 0; c < columns; ++c)
      text += fit(cells[c], widths[c], numeric[c]) + (c + 1 < columns ? "  " : "");
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  std::string text = paint(Tone::bold, line(header_), colour) + "\n";
  for (std::size_t r = 0; r < rows_.size(); ++r) text += paint(tones_[r], line(rows_[r]), colour) + "\n";
  return text;
}

std::string Table::plain() const {
  std::string text;
  for (const auto& row : rows_) text += fmt::format("{}\n", fmt::join(row, "\t"));
  return text;
}

}  // namespace cyclerd::ctl
