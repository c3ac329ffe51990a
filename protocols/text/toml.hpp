// TOML with a place for every key and value. The only room that knows the TOML library, guarded against its crashes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/base/result.hpp"
#include "protocols/text/diagnostics.hpp"
#include "protocols/text/quantity.hpp"

namespace cyclerd::text {

// One value of a TOML document. Tables keep the order of the file.
struct TomlNode {
  enum class Kind : std::uint8_t { string, integer, floating, boolean, array, table };
  // Defined where the type is complete: clang refuses a vector of pairs with an incomplete type otherwise.
  TomlNode();
  TomlNode(const TomlNode&);
  TomlNode(TomlNode&&) noexcept;
  TomlNode& operator=(const TomlNode&);
  TomlNode& operator=(TomlNode&&) noexcept;
  ~TomlNode();

  Kind kind = Kind::table;
  Span key;    // the key this value stands under (for array items: the item)
  Span value;  // the value itself; for a string the span covers the text between the quotes
  std::string string;
  std::int64_t integer = 0;
  double floating = 0.0;
  bool boolean = false;
  std::vector<TomlNode> items;                            // array
  std::vector<std::pair<std::string, TomlNode>> members;  // table

  [[nodiscard]] const TomlNode* find(std::string_view name) const noexcept;
  [[nodiscard]] bool is_table() const noexcept { return kind == Kind::table; }
  [[nodiscard]] bool is_array() const noexcept { return kind == Kind::array; }
  [[nodiscard]] bool is_string() const noexcept { return kind == Kind::string; }
  [[nodiscard]] bool is_number() const noexcept { return kind == Kind::integer || kind == Kind::floating; }
  [[nodiscard]] double number() const noexcept {
    return kind == Kind::integer ? static_cast<double>(integer) : floating;
  }
};

// Limits against hostile input; see profiles/README.md.
struct TomlLimits {
  std::size_t bytes = 256 * 1024;
  std::size_t depth = 64;
  std::size_t dots_per_key = 32;
};

// Reads a whole file. Errors: not_found, permission, io, invalid (larger than `max_bytes`).
[[nodiscard]] base::Result<SourcePtr> read_source(const std::string& path, std::size_t max_bytes = 16 * 1024 * 1024);

// Parses; syntax errors and breaches of the limits go to `diagnostics` (code T001..) and give nullopt. NaN, infinity
// and date values are errors. Never throws, never aborts, whatever the bytes.
[[nodiscard]] std::optional<TomlNode> parse_toml(const SourcePtr& source, Diagnostics& diagnostics,
                                                 const TomlLimits& limits = {});

// Reads the members of one table by name and type, reports what is missing or of the wrong kind, and finally every key
// that nobody asked for, with the nearest name that was asked for. `what` names the table in messages ("[safety]").
class TableReader {
 public:
  TableReader(const TomlNode& table, std::string what, Diagnostics& diagnostics);

  // Reports unread keys. Call once, at the end.
  void finish();

  [[nodiscard]] const TomlNode* optional(std::string_view key);
  [[nodiscard]] const TomlNode* required(std::string_view key);
  [[nodiscard]] const TomlNode* optional_table(std::string_view key);
  [[nodiscard]] const TomlNode* required_table(std::string_view key);
  [[nodiscard]] const TomlNode* optional_array(std::string_view key);
  [[nodiscard]] std::optional<std::string> optional_string(std::string_view key);
  [[nodiscard]] std::string required_string(std::string_view key);  // "" after reporting
  [[nodiscard]] std::optional<bool> optional_bool(std::string_view key);
  [[nodiscard]] std::optional<std::int64_t> optional_integer(std::string_view key, std::int64_t min, std::int64_t max);
  [[nodiscard]] std::optional<std::int64_t> required_integer(std::string_view key, std::int64_t min, std::int64_t max);
  [[nodiscard]] std::optional<double> optional_number(std::string_view key);
  // One of `words`; anything else is reported with the nearest.
  [[nodiscard]] std::optional<std::string> optional_word(std::string_view key, const std::vector<std::string>& words);
  [[nodiscard]] std::optional<std::string> required_word(std::string_view key, const std::vector<std::string>& words);
  // A constant with a unit of dimension `dimension` ("4.2 V"), in the base unit. A bare number is an error that says
  // which unit to write, unless the dimension is none.
  [[nodiscard]] std::optional<double> optional_quantity(std::string_view key, Dimension dimension);
  [[nodiscard]] std::optional<double> required_quantity(std::string_view key, Dimension dimension);

  [[nodiscard]] const TomlNode& node() const noexcept { return table_; }
  [[nodiscard]] const std::string& what() const noexcept { return what_; }
  [[nodiscard]] Diagnostics& diagnostics() noexcept { return diagnostics_; }
  [[nodiscard]] Span where() const { return table_.key.source ? table_.key : table_.value; }

 private:
  const TomlNode& table_;
  std::string what_;
  Diagnostics& diagnostics_;
  std::vector<std::string> asked_;
};

}  // namespace cyclerd::text
