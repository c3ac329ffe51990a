#include "profiles/exchange/detect.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

namespace cyclerd::exchange {
namespace {

constexpr std::size_t kLook = 64 * 1024;  // bytes at the beginning that are looked at

bool blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  return text;
}

// UTF-16 with a mark at its beginning, which some cyclers write: enough of it for names in ASCII.
std::string narrowed(std::string_view text) {
  std::string out;
  const bool wide = text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (const char c : text.substr(wide ? 2 : 0, kLook)) {
    if (!wide || c != '\0') out += c;
  }
  return out;
}

// The name of the first element of an XML text.
std::string_view root_element(std::string_view text) {
  for (text = trimmed(text); text.starts_with("<?") || text.starts_with("<!"); text = trimmed(text)) {
    const bool comment = text.starts_with("<!--");
    const std::size_t end = comment ? text.find("-->") : text.find('>');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + (comment ? 3 : 1));
  }
  if (!text.starts_with('<')) return {};
  text.remove_prefix(1);
  return text.substr(0, text.find_first_of(" \t\r\n/>"));
}

// The keys of a JSON text's outermost object.
std::set<std::string, std::less<>> top_keys(std::string_view text) {
  std::set<std::string, std::less<>> keys;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (c != '"') continue;
    std::size_t end = i + 1;
    while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
    if (end >= text.size()) break;
    if (depth == 1 && trimmed(text.substr(end + 1)).starts_with(':')) keys.emplace(text.substr(i + 1, end - i - 1));
    i = end;
  }
  return keys;
}

std::optional<Format> detect_json(std::string_view text) {
  if (text.starts_with('[')) return Format::pybamm;  // a list of strings or steps
  const auto keys = top_keys(text);
  const auto has = [&keys](std::string_view key) { return keys.find(key) != keys.end(); };
  if (has("unicycler") || has("method")) return Format::unicycler;
  if (has("cycles") || has("steps")) return Format::pybamm;
  return std::nullopt;
}

// A line that opens a section of an Arbin schedule, or that an experiment of PyBaMM could hold.
std::optional<Format> detect_lines(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    line = trimmed(line);
    if (line.starts_with("[Schedule") || line.starts_with("[Version Section]")) return Format::arbin;
    while (!line.empty() && (line.front() == '"' || line.front() == '\'' || line.front() == '(' ||
                             line.front() == '-' || blank(line.front()))) {
      line.remove_prefix(1);
    }
    for (const std::string_view word : {"Charge at ", "Discharge at ", "Hold at ", "Rest for ", "Rest until "}) {
      if (line.starts_with(word)) return Format::pybamm;
    }
  }
  return std::nullopt;
}

}  // namespace

const char* format_name(Format format) noexcept {
  for (const FormatName& known : kFormats) {
    if (known.format == format) return known.name;
  }
  return "?";
}

std::optional<Format> find_format(std::string_view name) noexcept {
  for (const FormatName& known : kFormats) {
    if (name == known.name) return known.format;
  }
  return std::nullopt;
}

std::optional<Format> detect_format(std::string_view bytes) {
  const std::string narrow = narrowed(bytes);
  const std::string_view text = trimmed(narrow);
  if (text.starts_with('<')) {
    const std::string_view root = root_element(text);
    if (root == "MaccorTestProcedure") return Format::maccor;
    if (root == "root" && text.find("Step_Info") != std::string_view::npos) return Format::neware;
    if (root == "root" && text.find("Step File") != std::string_view::npos) return Format::neware;
    return std::nullopt;
  }
  if (text.starts_with('{')) return detect_json(text);
  // "[Schedule]" of an INI file is no list.
  if (const auto lines = detect_lines(text)) return lines;
  return text.starts_with('[') ? detect_json(text) : std::nullopt;
}

}  // namespace cyclerd::exchange
