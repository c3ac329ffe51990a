// JSON as a tree that knows where each part stands in its file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/text/diagnostics.hpp"

namespace cyclerd::exchange {

// Offsets and lengths are in bytes of the source.
struct JsonValue {
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
  // Defined where the type is complete: clang refuses a vector of pairs with an incomplete type otherwise.
  JsonValue();
  JsonValue(const JsonValue&);
  JsonValue(JsonValue&&) noexcept;
  JsonValue& operator=(const JsonValue&);
  JsonValue& operator=(JsonValue&&) noexcept;
  ~JsonValue();

  Kind kind = Kind::null;
  bool boolean = false;
  double number = 0.0;
  std::string text;  // string
  std::vector<JsonValue> items;
  std::vector<std::pair<std::string, JsonValue>> members;  // in the order of the file, each name once
  std::uint32_t offset = 0;
  std::uint32_t length = 1;
  std::uint32_t key_offset = 0, key_length = 1;  // of a member: where its name stands

  [[nodiscard]] const JsonValue* find(std::string_view key) const noexcept;
  [[nodiscard]] bool is(Kind wanted) const noexcept { return kind == wanted; }
};

// "a number", "a list", ...
[[nodiscard]] const char* kind_name(JsonValue::Kind kind) noexcept;

// A stretch of bytes as a place in the file, cut at the end of its line.
[[nodiscard]] text::Span span_at(const text::SourcePtr& source, std::size_t offset, std::size_t length);

inline constexpr int kMaxJsonDepth = 32;
inline constexpr std::size_t kMaxJsonValues = 400'000;

// nullopt after a finding: not JSON, a name twice in one object, deeper than kMaxJsonDepth, more values than
// kMaxJsonValues. The source must be within kMaxImportBytes.
[[nodiscard]] std::optional<JsonValue> read_json(const text::SourcePtr& source, text::Diagnostics& diagnostics);

}  // namespace cyclerd::exchange
