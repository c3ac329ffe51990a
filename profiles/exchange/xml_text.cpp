#include "profiles/exchange/xml_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cyclerd::exchange {

XmlText::XmlText(Import& import) {
  const std::string& text = import.source()->text;
  line_starts_.push_back(0);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') line_starts_.push_back(static_cast<std::ptrdiff_t>(i + 1));
  }
  if (trimmed(text).empty()) {
    import.error(code::kUnreadable, 0, "the file is empty");
    return;
  }
  const pugi::xml_parse_result result =
      document_.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!result) {
    import.error(code::kUnreadable, line_at(result.offset), fmt::format("not XML: {}", result.description()),
                 "export the file again; it may be cut off");
    document_.reset();
  } else if (!shallow()) {
    import.error(code::kTooDeep, 0, fmt::format("elements are nested deeper than {}", kMaxXmlDepth));
    document_.reset();
  }
}

// Walks without recursion: the depth is what is in doubt.
bool XmlText::shallow() const {
  std::size_t depth = 0;
  pugi::xml_node node = document_.first_child();
  while (node) {
    if (depth >= kMaxXmlDepth) return false;
    if (node.first_child()) {
      node = node.first_child();
      ++depth;
      continue;
    }
    while (node && !node.next_sibling()) {
      node = node.parent();
      if (depth == 0 || node == document_) return true;
      --depth;
    }
    node = node.next_sibling();
  }
  return true;
}

std::uint32_t XmlText::line_at(std::ptrdiff_t offset) const {
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  return static_cast<std::uint32_t>(std::max<std::ptrdiff_t>(after - line_starts_.begin(), 1));
}

std::uint32_t XmlText::line_of(const pugi::xml_node& node) const {
  return line_at(node.offset_debug());
}

std::string_view child_text(const pugi::xml_node& node, const char* child) {
  return trimmed(node.child(child).text().get());
}

}  // namespace cyclerd::exchange
