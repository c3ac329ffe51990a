#include <fmt/format.h>

#include <algorithm>

#include "protocols/text/toml.hpp"

namespace cyclerd::text {

namespace {

std::string_view kind_name(const TomlNode& node) {
  switch (node.kind) {
    case TomlNode::Kind::string: return "a string";
    case TomlNode::Kind::integer: return "an integer";
    case TomlNode::Kind::floating: return "a number";
    case TomlNode::Kind::boolean: return "true or false";
    case TomlNode::Kind::array: return "an array";
    case TomlNode::Kind::table: return "a table";
  }
  return "something else";
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& w : words) out += (out.empty() ? "" : ", ") + w;
  return out;
}

}  // namespace

TableReader::TableReader(const TomlNode& table, std::string what, Diagnostics& diagnostics)
    : table_(table), what_(std::move(what)), diagnostics_(diagnostics) {
  if (!table_.is_table()) {
    diagnostics_.error("T011", table_.value, fmt::format("{} must be a table, not {}", what_, kind_name(table_)),
                       "write { key = value, ... } or a [header]");
  }
}

void TableReader::finish() {
  for (const auto& [name, node] : table_.members) {
    if (std::find(asked_.begin(), asked_.end(), name) != asked_.end()) continue;
    const std::string near = nearest(name, asked_);
    diagnostics_.error("T012", node.key, fmt::format("unknown key '{}' in {}", name, what_),
                       !near.empty()        ? fmt::format("did you mean '{}'?", near)
                       : asked_.empty()     ? std::string{"remove it: no key belongs there"}
                       : asked_.size() > 12 ? std::string{"remove it; the folder's README lists the keys"}
                                            : fmt::format("known keys: {}", joined(asked_)));
  }
}

const TomlNode* TableReader::optional(std::string_view key) {
  if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) asked_.emplace_back(key);
  return table_.find(key);
}

const TomlNode* TableReader::required(std::string_view key) {
  const TomlNode* node = optional(key);
  if (!node && table_.is_table()) {
    // A near miss is reported by finish() with its own place; naming the missing key as well says what it is for.
    diagnostics_.error("T010", where(), fmt::format("{} lacks '{}'", what_, key), fmt::format("add {} = ...", key));
  }
  return node;
}

namespace {

bool expect(const TomlNode& node, bool right, std::string_view key, std::string_view wanted, Diagnostics& diagnostics,
            std::string_view help) {
  if (!right) {
    diagnostics.error("T011", node.value, fmt::format("'{}' must be {}, not {}", key, wanted, kind_name(node)),
                      std::string{help});
  }
  return right;
}

}  // namespace

const TomlNode* TableReader::optional_table(std::string_view key) {
  const TomlNode* node = optional(key);
  if (!node || !expect(*node, node->is_table(), key, "a table", diagnostics_, "write { ... } or a [header]"))
    return nullptr;
  return node;
}

const TomlNode* TableReader::required_table(std::string_view key) {
  return required(key) ? optional_table(key) : nullptr;
}

const TomlNode* TableReader::optional_array(std::string_view key) {
  const TomlNode* node = optional(key);
  if (!node || !expect(*node, node->is_array(), key, "an array", diagnostics_, "write [ ..., ... ]")) return nullptr;
  return node;
}

std::optional<std::string> TableReader::optional_string(std::string_view key) {
  const TomlNode* node = optional(key);
  if (!node || !expect(*node, node->is_string(), key, "a string", diagnostics_, "put it in quotes"))
    return std::nullopt;
  return node->string;
}

std::string TableReader::required_string(std::string_view key) {
  return required(key) ? optional_string(key).value_or("") : std::string{};
}

std::optional<bool> TableReader::optional_bool(std::string_view key) {
  const TomlNode* node = optional(key);
  if (!node || !expect(*node, node->kind == TomlNode::Kind::boolean, key, "true or false", diagnostics_, "no quotes")) {
    return std::nullopt;
  }
  return node->boolean;
}

std::optional<std::int64_t> TableReader::optional_integer(std::string_view key, std::int64_t min, std::int64_t max) {
  const TomlNode* node = optional(key);
  if (!node || !expect(*node, node->kind == TomlNode::Kind::integer, key, "an integer", diagnostics_,
                       "no quotes, no decimal point")) {
    return std::nullopt;
  }
  if (node->integer < min || node->integer > max) {
    diagnostics_.error("T013", node->value,
                       fmt::format("'{}' is {}; it must lie between {} and {}", key, node->integer, min, max));
    return std::nullopt;
  }
  return node->integer;
}

std::optional<std::int64_t> TableReader::required_integer(std::string_view key, std::int64_t min, std::int64_t max) {
  return required(key) ? optional_integer(key, min, max) : std::nullopt;
}

std::optional<double> TableReader::optional_number(std::string_view key) {
  const TomlNode* node = optional(key);
  if (!node || !expect(*node, node->is_number(), key, "a number", diagnostics_, "no quotes")) return std::nullopt;
  return node->number();
}

std::optional<std::string> TableReader::optional_word(std::string_view key, const std::vector<std::string>& words) {
  const TomlNode* node = optional(key);
  if (!node || !expect(*node, node->is_string(), key, "a word in quotes", diagnostics_, "one of: " + joined(words))) {
    return std::nullopt;
  }
  if (std::find(words.begin(), words.end(), node->string) != words.end()) return node->string;
  const std::string near = nearest(node->string, words);
  diagnostics_.error(
      "T014", node->value, fmt::format("'{}' cannot be '{}'", key, node->string),
      near.empty() ? "one of: " + joined(words) : fmt::format("did you mean '{}'? One of: {}", near, joined(words)));
  return std::nullopt;
}

std::optional<std::string> TableReader::required_word(std::string_view key, const std::vector<std::string>& words) {
  return required(key) ? optional_word(key, words) : std::nullopt;
}

std::optional<double> TableReader::optional_quantity(std::string_view key, Dimension dimension) {
  const TomlNode* node = optional(key);
  if (!node) return std::nullopt;
  const bool plain_number = dimension == dimension::kNone;
  const std::string example = example_unit(dimension);
  if (plain_number && node->is_number()) return node->number();
  if (node->is_number()) {
    diagnostics_.error("T015", node->value,
                       fmt::format("'{}' needs a unit: it is a {}", key, dimension_name(dimension)),
                       fmt::format("write \"{} {}\"", fmt::format("{}", node->number()), example));
    return std::nullopt;
  }
  const std::string hint =
      plain_number ? "write a number" : fmt::format("write a {} such as \"1 {}\"", dimension_name(dimension), example);
  if (!expect(*node, node->is_string(), key, "a quantity in quotes", diagnostics_, hint)) return std::nullopt;
  QuantityError error;
  const auto quantity = parse_quantity(node->string, error);
  if (!quantity) {
    Span at = node->value;
    at.column += static_cast<std::uint32_t>(error.offset);
    at.length = static_cast<std::uint32_t>(std::max<std::size_t>(1, error.length));
    diagnostics_.error("T015", at, fmt::format("'{}': {}", key, error.message), error.help.empty() ? hint : error.help);
    return std::nullopt;
  }
  if (quantity->dimension != dimension) {
    const std::string written =
        quantity->dimension == dimension::kNone ? "a plain number" : "a " + dimension_name(quantity->dimension);
    diagnostics_.error("T015", node->value,
                       fmt::format("'{}' must be a {}, not {}", key, dimension_name(dimension), written), hint);
    return std::nullopt;
  }
  if (quantity->c_rate) {
    diagnostics_.error("T015", node->value, fmt::format("'{}' cannot be a C-rate: no cell is known here", key),
                       fmt::format("write it in {}", example));
    return std::nullopt;
  }
  return quantity->value;
}

std::optional<double> TableReader::required_quantity(std::string_view key, Dimension dimension) {
  return required(key) ? optional_quantity(key, dimension) : std::nullopt;
}

}  // namespace cyclerd::text
