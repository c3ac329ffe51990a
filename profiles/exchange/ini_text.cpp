#include "profiles/exchange/ini_text.hpp"

#include "profiles/exchange/import_parts.hpp"

namespace cyclerd::exchange {

std::string_view IniSection::at(std::string_view key) const {
  const auto found = values.find(key);
  return found == values.end() ? std::string_view{} : trimmed(found->second);
}

std::vector<IniSection> read_ini(std::string_view text) {
  std::vector<IniSection> sections;
  std::uint32_t line = 0;
  while (!text.empty()) {
    ++line;
    const std::size_t end = text.find('\n');
    const std::string_view row = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (row.starts_with('[') && row.ends_with(']')) {
      sections.push_back({std::string(row.substr(1, row.size() - 2)), line, {}});
      continue;
    }
    const std::size_t equals = row.find('=');
    if (equals == std::string_view::npos || sections.empty()) continue;
    sections.back().values.insert_or_assign(std::string(trimmed(row.substr(0, equals))),
                                            std::string(row.substr(equals + 1)));
  }
  return sections;
}

}  // namespace cyclerd::exchange
