#include "hil/peers/scpi_header.hpp"

#include <cctype>
#include <charconv>

namespace cyclerd::hil {
namespace {

bool same(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::toupper(static_cast<unsigned char>(a[i])) != std::toupper(static_cast<unsigned char>(b[i]))) return false;
  }
  return true;
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

std::optional<int> whole(std::string_view s) {
  s = trimmed(s);
  int n = 0;
  const auto r = std::from_chars(s.data(), s.data() + s.size(), n);
  if (r.ec != std::errc{} || r.ptr != s.data() + s.size() || n < 0) return std::nullopt;
  return n;
}

// "(@1,3:5)"
bool read_channels(std::string_view list, std::vector<int>& out) {
  list.remove_prefix(2);
  if (list.empty() || list.back() != ')') return false;
  list.remove_suffix(1);
  for (const std::string& piece : split_outside(list, ',')) {
    const std::size_t colon = piece.find(':');
    const auto first = whole(std::string_view(piece).substr(0, colon));
    const auto last = colon == std::string::npos ? first : whole(std::string_view(piece).substr(colon + 1));
    if (!first || !last || *last < *first || *last - *first > 100) return false;
    for (int c = *first; c <= *last; ++c) out.push_back(c);
  }
  return !out.empty();
}

}  // namespace

bool is_mnemonic(std::string_view pattern, std::string_view word) noexcept {
  std::size_t capitals = 0;
  while (capitals < pattern.size() && std::islower(static_cast<unsigned char>(pattern[capitals])) == 0) ++capitals;
  return same(pattern, word) || same(pattern.substr(0, capitals), word);
}

ScpiPattern::ScpiPattern(std::string_view pattern) {
  if (!pattern.empty() && pattern.back() == '?') {
    query_ = true;
    pattern.remove_suffix(1);
  }
  Node node;
  bool optional = false;
  auto close = [&] {
    if (!node.name.empty()) nodes_.push_back(node);
    node = {};
    node.optional = optional;
  };
  for (char c : pattern) {
    if (c == '[' || c == ']' || c == ':') {
      if (c != ':') optional = c == '[';
      close();
    } else if (c == '#') {
      node.suffix = true;
    } else {
      node.name += c;
    }
  }
  close();
}

std::optional<std::vector<int>> ScpiPattern::match(std::string_view header) const {
  const bool query = !header.empty() && header.back() == '?';
  if (query != query_) return std::nullopt;
  if (query) header.remove_suffix(1);
  const std::vector<std::string> words = split_outside(header, ':');
  std::vector<int> suffixes;
  std::size_t at = 0;
  for (const Node& node : nodes_) {
    std::string_view word = at < words.size() ? std::string_view(words[at]) : std::string_view();
    std::string_view digits;
    if (node.suffix) {
      const std::size_t end = word.find_last_not_of("0123456789");
      const std::size_t length = end == std::string_view::npos ? 0 : end + 1;
      digits = word.substr(length);
      word = word.substr(0, length);
    }
    const bool here = !word.empty() && is_mnemonic(node.name, word);
    if (!here && !node.optional) return std::nullopt;
    if (node.suffix) suffixes.push_back(here && !digits.empty() ? whole(digits).value_or(-1) : 1);
    if (here) ++at;
  }
  if (at != words.size()) return std::nullopt;
  return suffixes;
}

std::vector<std::string> split_outside(std::string_view text, char separator) {
  std::vector<std::string> pieces;
  char quote = 0;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : separator;
    const bool end = i == text.size() || (c == separator && quote == 0 && depth == 0);
    if (end) {
      pieces.emplace_back(trimmed(text.substr(begin, i - begin)));
      begin = i + 1;
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && depth > 0) {
      --depth;
    }
  }
  return pieces;
}

std::vector<ScpiUnit> read_message(std::string_view message) {
  std::vector<ScpiUnit> units;
  std::string level;  // "SOUR:VOLT:" of the header before
  for (const std::string& piece : split_outside(message, ';')) {
    if (piece.empty()) continue;
    ScpiUnit unit;
    const std::size_t gap = piece.find_first_of(" \t");
    std::string header = piece.substr(0, gap);
    if (header.front() == '*') {
      unit.header = header;  // common commands keep the level
    } else {
      unit.header = header.front() == ':' ? header.substr(1) : level + header;
      const std::size_t colon = unit.header.rfind(':');
      level = colon == std::string::npos ? "" : unit.header.substr(0, colon + 1);
    }
    if (gap != std::string::npos) {
      for (std::string& p : split_outside(trimmed(std::string_view(piece).substr(gap)), ',')) {
        if (p.starts_with("(@")) {
          unit.bad_channels = !read_channels(p, unit.channels) || unit.bad_channels;
        } else {
          unit.parameters.push_back(std::move(p));
        }
      }
    }
    units.push_back(std::move(unit));
  }
  return units;
}

}  // namespace cyclerd::hil
