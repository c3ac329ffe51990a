// Python text as tokens.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocols/text/diagnostics.hpp"

namespace cyclerd::exchange {

struct PyToken {
  enum class Kind : std::uint8_t { name, number, text, sign, newline, end };  // newline: outside of brackets
  Kind kind = Kind::end;
  std::string_view text;  // as written; names with their dots: "pybamm.step.rest"
  double value = 0.0;     // number
  std::string content;    // text, without quotes and escapes
  std::size_t offset = 0;
  std::size_t content_offset = 0;
  bool exact = false;      // text: no escapes
  bool formatted = false;  // text: f"...{...}"

  [[nodiscard]] bool is(std::string_view what) const noexcept {
    return (kind == Kind::sign || kind == Kind::name) && text == what;
  }
};

// Ends with two `end` tokens. nullopt after a finding.
[[nodiscard]] std::optional<std::vector<PyToken>> python_tokens(const text::SourcePtr& source,
                                                                text::Diagnostics& diagnostics);

// Bytes of the source as a place; the end of the text is its last character.
[[nodiscard]] text::Span place_in(const text::SourcePtr& source, std::size_t offset, std::size_t length);

}  // namespace cyclerd::exchange
