#include "protocols/text/diagnostics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

namespace cyclerd::text {

namespace {

constexpr std::size_t kSnippetColumns = 140;  // longer lines are shown around the place that matters

std::string_view word(Severity severity) {
  switch (severity) {
    case Severity::error: return "error";
    case Severity::warning: return "warning";
    case Severity::note: return "note";
  }
  return "note";
}

std::string_view escape_of(Severity severity) {
  switch (severity) {
    case Severity::error: return "\033[1;31m";
    case Severity::warning: return "\033[1;33m";
    case Severity::note: return "\033[1;36m";
  }
  return "";
}

// Bytes of the character at the front of `line`, and whether it may be shown.
struct Character {
  std::size_t bytes = 1;
  bool shown = true;
};
Character character_at(std::string_view line) {
  const auto lead = static_cast<unsigned char>(line[0]);
  const std::size_t n = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  bool good = n != 0 && n <= line.size();
  for (std::size_t k = 1; good && k < n; ++k) good = (static_cast<unsigned char>(line[k]) & 0xC0U) == 0x80U;
  const bool control =
      lead < 0x20 || lead == 0x7F || (lead == 0xC2 && good && static_cast<unsigned char>(line[1]) < 0xA0);
  return {good ? n : 1, good && !control};
}

// A tab becomes a blank, what a terminal would act upon or could not show becomes U+FFFD.
std::string printable_column(std::string_view line) {
  if (line[0] == '\t') return " ";
  const Character c = character_at(line);
  return c.shown ? std::string(line.substr(0, c.bytes)) : "\xEF\xBF\xBD";
}

struct Snippet {
  std::string text;
  std::size_t caret = 0;   // blanks before the caret
  std::size_t length = 1;  // of the caret line
};

// Lines and columns of the files that findings point into, each counted once: a file may have one line, and thousands
// of findings on it.
class Places {
 public:
  Snippet cut(const Span& where) {
    const Line& line = line_of(*where.source, where.line);
    const std::size_t columns = line.columns.size();
    Snippet s;
    const std::size_t column = where.column == 0 ? 0 : where.column - 1;
    std::size_t from = 0;
    std::size_t to = columns;
    if (columns > kSnippetColumns) {
      from = column > kSnippetColumns / 2 ? std::min(column - kSnippetColumns / 2, columns - kSnippetColumns) : 0;
      to = std::min(columns, from + kSnippetColumns);
    }
    if (from > 0) s.text += "...";
    s.caret = s.text.size() + (column > from ? column - from : 0);
    for (std::size_t i = from; i < to; ++i) s.text += printable_column(line.text.substr(line.columns[i]));
    if (to < columns) s.text += "...";
    const std::size_t room = to > column ? to - column : 1;
    s.length = std::clamp<std::size_t>(where.length, 1, room);
    return s;
  }

 private:
  struct Line {
    std::string_view text;
    std::vector<std::uint32_t> columns;  // where each begins, in bytes
  };

  static std::vector<std::string_view> lines_of(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    std::vector<std::string_view> lines;
    for (std::size_t end = 0; end != std::string_view::npos;) {
      end = text.find('\n');
      std::string_view line = text.substr(0, end);
      if (line.ends_with('\r')) line.remove_suffix(1);
      lines.push_back(line);
      if (end != std::string_view::npos) text.remove_prefix(end + 1);
    }
    return lines;
  }

  const Line& line_of(const Source& source, std::uint32_t number) {
    const auto [known, added] = columns_.try_emplace({&source, number});
    if (!added) return known->second;
    auto lines = lines_.find(&source);
    if (lines == lines_.end()) lines = lines_.emplace(&source, lines_of(source.text)).first;
    Line& line = known->second;
    if (number > lines->second.size()) return line;
    line.text = lines->second[number - 1];
    for (std::size_t at = 0; at < line.text.size(); at += character_at(line.text.substr(at)).bytes)
      line.columns.push_back(static_cast<std::uint32_t>(at));
    return line;
  }

  std::map<const Source*, std::vector<std::string_view>> lines_;
  std::map<std::pair<const Source*, std::uint32_t>, Line> columns_;
};

std::string place(const Span& where) {
  if (!where.source) return "";
  if (where.line == 0) return where.source->name;
  return fmt::format("{}:{}:{}", where.source->name, where.line, where.column);
}

std::size_t digits(std::uint32_t n) {
  return fmt::format("{}", n).size();
}

class Painter {
 public:
  explicit Painter(bool colour) : colour_(colour) {}
  [[nodiscard]] std::string paint(std::string_view escape, std::string_view text) const {
    return colour_ && !text.empty() ? fmt::format("{}{}\033[0m", escape, text) : std::string{text};
  }

 private:
  bool colour_;
};

constexpr std::string_view kBlue = "\033[1;34m";
constexpr std::string_view kBold = "\033[1m";

void render_snippet(std::string& out, const Painter& painter, Places& places, const Span& where, std::size_t gutter,
                    char mark, std::string_view escape, const std::string& label) {
  const Snippet s = places.cut(where);
  out += fmt::format("{} {}\n", painter.paint(kBlue, fmt::format("{:>{}} |", where.line, gutter)), s.text);
  out += fmt::format("{} {}{}\n", painter.paint(kBlue, std::string(gutter + 1, ' ') + "|"), std::string(s.caret, ' '),
                     painter.paint(escape, std::string(s.length, mark) + (label.empty() ? "" : " " + label)));
}

void render_one(std::string& out, const Painter& painter, Places& places, const Diagnostic& d) {
  const std::string code = d.code.empty() ? "" : "[" + d.code + "]";
  out += painter.paint(escape_of(d.severity), std::string(word(d.severity)) + code);
  out += painter.paint(kBold, ": " + d.message) + "\n";
  const bool has_related = d.related.source != nullptr;
  const std::size_t gutter =
      std::max(d.where.source ? digits(d.where.line) : 1, has_related ? digits(d.related.line) : 1);
  const std::string pad(gutter, ' ');
  if (d.where.source) {
    out += fmt::format("{}{} {}\n", pad, painter.paint(kBlue, "-->"), place(d.where));
    if (d.where.line != 0) {
      out += painter.paint(kBlue, pad + " |") + "\n";
      render_snippet(out, painter, places, d.where, gutter, '^', escape_of(d.severity), d.label);
    }
  }
  if (has_related) {
    out += painter.paint(kBlue, pad + " |") + "\n";
    out += fmt::format("{}{} {}\n", pad, painter.paint(kBlue, ":::"), place(d.related));
    if (d.related.line != 0) render_snippet(out, painter, places, d.related, gutter, '-', kBlue, d.related_label);
  }
  if (!d.help.empty()) out += fmt::format("{} {} help: {}\n", pad, painter.paint(kBlue, "="), d.help);
  out += "\n";
}

std::string counted(std::size_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

// Optimal string alignment: insertion, deletion, substitution and the swap of neighbours cost one each.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

Diagnostic& Diagnostics::error(std::string code, Span where, std::string message, std::string help) {
  ++errors_;
  items_.push_back(
      {Severity::error, std::move(code), std::move(message), std::move(where), {}, std::move(help), {}, {}});
  return items_.back();
}

Diagnostic& Diagnostics::warning(std::string code, Span where, std::string message, std::string help) {
  ++warnings_;
  items_.push_back(
      {Severity::warning, std::move(code), std::move(message), std::move(where), {}, std::move(help), {}, {}});
  return items_.back();
}

Diagnostic& Diagnostics::note(std::string code, Span where, std::string message, std::string help) {
  items_.push_back(
      {Severity::note, std::move(code), std::move(message), std::move(where), {}, std::move(help), {}, {}});
  return items_.back();
}

void Diagnostics::append(Diagnostics other) {
  for (auto& item : other.items_) items_.push_back(std::move(item));
  errors_ += other.errors_;
  warnings_ += other.warnings_;
}

std::string Diagnostics::render(bool colour) const {
  if (items_.empty()) return {};
  std::vector<std::string> files;  // in order of first mention
  auto rank = [&files](const Diagnostic& d) {
    const std::string name = d.where.source ? d.where.source->name : "";
    const auto it = std::find(files.begin(), files.end(), name);
    if (it != files.end()) return static_cast<std::size_t>(it - files.begin());
    files.push_back(name);
    return files.size() - 1;
  };
  std::vector<std::pair<std::size_t, const Diagnostic*>> order;
  order.reserve(items_.size());
  for (const auto& d : items_) order.emplace_back(rank(d), &d);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::tuple(a.first, a.second->where.line, a.second->where.column) <
           std::tuple(b.first, b.second->where.line, b.second->where.column);
  });
  const Painter painter{colour};
  Places places;
  std::string out;
  for (const auto& [file, d] : order) render_one(out, painter, places, *d);
  std::string summary;
  const std::size_t notes = items_.size() - errors_ - warnings_;
  for (const auto& [n, what] : {std::pair{errors_, "error"}, {warnings_, "warning"}, {notes, "note"}}) {
    if (n != 0) summary += (summary.empty() ? "" : ", ") + counted(n, what);
  }
  out += summary + "\n";
  return out;
}

std::string Diagnostics::json() const {
  auto list = nlohmann::json::array();
  for (const auto& d : items_) {
    nlohmann::json j{{"severity", word(d.severity)},
                     {"code", d.code},
                     {"file", d.where.source ? d.where.source->name : ""},
                     {"line", d.where.line},
                     {"column", d.where.column},
                     {"length", d.where.length},
                     {"message", d.message},
                     {"label", d.label},
                     {"help", d.help}};
    j["related"] = nullptr;
    if (d.related.source) {
      j["related"] = {{"file", d.related.source->name},
                      {"line", d.related.line},
                      {"column", d.related.column},
                      {"length", d.related.length},
                      {"label", d.related_label}};
    }
    list.push_back(std::move(j));
  }
  return list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string nearest(std::string_view name, const std::vector<std::string>& candidates) {
  constexpr std::size_t kLongest = 64;  // of a name worth comparing
  if (name.empty() || name.size() > kLongest) return {};
  std::size_t best = std::max<std::size_t>(1, name.size() / 3) + 1;
  std::string found;
  for (const auto& candidate : candidates) {
    if (candidate.empty() || candidate.size() > kLongest) continue;
    const std::size_t distance = edit_distance(name, candidate);
    // A name that is replaced completely is not near, however short it is.
    if (distance < best && distance < std::max(name.size(), candidate.size())) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

}  // namespace cyclerd::text
