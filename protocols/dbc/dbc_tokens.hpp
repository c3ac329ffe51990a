// The words of a DBC file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/text/diagnostics.hpp"

namespace cyclerd::dbc {

struct Token {
  enum class Kind : std::uint8_t { word, number, string, mark, end };
  Kind kind = Kind::end;
  std::string_view text;  // of a string: what is between the quotes
  double number = 0.0;
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  bool first = false;  // of its line

  [[nodiscard]] bool is(std::string_view what) const noexcept { return kind != Kind::string && text == what; }
};

// All of it, an `end` last. The views point into `text`. A string without its end, or a sign that means nothing here,
// is reported (D090) and passed over.
[[nodiscard]] std::vector<Token> tokens_of(const text::SourcePtr& source, text::Diagnostics& diagnostics);

}  // namespace cyclerd::dbc
