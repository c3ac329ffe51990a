// XML that anybody may have written, read within bounds.
#pragma once

#include <cstdint>
#include <pugixml.hpp>
#include <string_view>
#include <vector>

#include "profiles/exchange/import_parts.hpp"

namespace cyclerd::exchange {

inline constexpr std::size_t kMaxXmlDepth = 64;

class XmlText {
 public:
  // Findings go to `import`; then the document is empty. Entities that a file defines itself are not replaced.
  explicit XmlText(Import& import);

  [[nodiscard]] const pugi::xml_document& document() const noexcept { return document_; }
  [[nodiscard]] std::uint32_t line_of(const pugi::xml_node& node) const;

 private:
  [[nodiscard]] std::uint32_t line_at(std::ptrdiff_t offset) const;
  [[nodiscard]] bool shallow() const;

  pugi::xml_document document_;
  std::vector<std::ptrdiff_t> line_starts_;
};

// The text inside of a child element, without the spaces around it.
[[nodiscard]] std::string_view child_text(const pugi::xml_node& node, const char* child);

}  // namespace cyclerd::exchange
