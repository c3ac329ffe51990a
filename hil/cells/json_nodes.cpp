#include "hil/cells/json_nodes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace cyclerd::hil {
namespace {

using text::TomlNode;

constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxValues = 1000000;

// Tells how far the library has read: that is where the token ends which it reports.
class Counting {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Counting(const char* at, const char** farthest) : at_(at), farthest_(farthest) {}
  reference operator*() const { return *at_; }
  Counting& operator++() {
    ++at_;
    *farthest_ = at_;
    return *this;
  }
  Counting operator++(int) {
    Counting before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Counting& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  const char** farthest_;
};

// Lines and columns of offsets that only grow.
class Places {
 public:
  explicit Places(text::SourcePtr source) : source_(std::move(source)) {}

  text::Span at(std::size_t offset, std::size_t length) {
    const std::string& all = source_->text;
    offset = std::min(offset, all.size());
    if (offset < seen_) {  // only for a document's last finding
      seen_ = 0;
      line_ = column_ = 1;
    }
    for (; seen_ < offset; ++seen_) {
      if (all[seen_] == '\n') {
        ++line_;
        column_ = 1;
      } else if ((static_cast<unsigned char>(all[seen_]) & 0xC0U) != 0x80U) {
        ++column_;  // a character, not a byte
      }
    }
    return {source_, line_, column_, static_cast<std::uint32_t>(std::clamp<std::size_t>(length, 1, 100000))};
  }

 private:
  text::SourcePtr source_;
  std::size_t seen_ = 0;
  std::uint32_t line_ = 1;
  std::uint32_t column_ = 1;
};

class Builder {
 public:
  Builder(const text::SourcePtr& source, text::Diagnostics& diagnostics)
      : text_(source->text), places_(source), diagnostics_(diagnostics), farthest_(text_.data()) {}

  const char** farthest() { return &farthest_; }
  TomlNode take() { return std::move(root_); }

  // What the library calls.
  bool null() {
    const std::size_t end = offset();
    return refuse(end - std::min<std::size_t>(end, 4), 4, "null is no value", "leave the field out instead");
  }
  bool boolean(bool value) {
    const std::size_t length = value ? 4 : 5;
    TomlNode* node = add(TomlNode::Kind::boolean, offset() - std::min(offset(), length), length);
    if (node != nullptr) node->boolean = value;
    return node != nullptr;
  }
  bool number_integer(std::int64_t value) {
    TomlNode* node = add_number(TomlNode::Kind::integer);
    if (node != nullptr) node->integer = value;
    return node != nullptr;
  }
  bool number_unsigned(std::uint64_t value) {
    if (value <= static_cast<std::uint64_t>(INT64_MAX)) return number_integer(static_cast<std::int64_t>(value));
    return number_float(static_cast<double>(value), {});
  }
  bool number_float(double value, const std::string&) {
    TomlNode* node = add_number(TomlNode::Kind::floating);
    if (node != nullptr) node->floating = value;
    return node != nullptr;
  }
  bool string(std::string& value) {
    const auto [begin, length] = quoted();
    TomlNode* node = add(TomlNode::Kind::string, begin, length);
    if (node != nullptr) node->string = std::move(value);
    return node != nullptr;
  }
  bool binary(nlohmann::json::binary_t&) { return false; }  // does not occur in text
  bool start_object(std::size_t) { return open(TomlNode::Kind::table); }
  bool start_array(std::size_t) { return open(TomlNode::Kind::array); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    const auto [begin, length] = quoted();
    key_ = std::move(name);
    key_span_ = places_.at(begin, length);
    if (stack_.back()->find(key_) == nullptr) return true;
    diagnostics_.error("C030", key_span_, fmt::format("\"{}\" is given twice", key_), "keep one of them");
    refused_ = true;
    return false;
  }
  bool parse_error(std::size_t position, const std::string& token, const nlohmann::detail::exception& error) {
    if (refused_) return false;
    const std::size_t at = position > 0 ? position - 1 : 0;
    const bool range = error.id / 100 == 4;
    const bool end = !range && at + 1 >= text_.size();
    std::string message = range ? fmt::format("the number {} is too large", token)
                          : end ? std::string("the file ends in the middle of its JSON")
                                : std::string("this is no JSON here");
    diagnostics_.error("C030", places_.at(at, 1), std::move(message),
                       range ? "" : "look for a missing comma, quote or brace just before this place");
    return false;
  }

 private:
  [[nodiscard]] std::size_t offset() const { return static_cast<std::size_t>(farthest_ - text_.data()); }

  // The text between the quotes of the string that was just read; an inner quote has an odd number of backslashes.
  [[nodiscard]] std::pair<std::size_t, std::size_t> quoted() const {
    const std::size_t end = offset() - 1;
    std::size_t begin = end;
    while (begin > 0) {
      --begin;
      if (text_[begin] != '"') continue;
      std::size_t slashes = 0;
      while (slashes < begin && text_[begin - 1 - slashes] == '\\') ++slashes;
      if (slashes % 2 == 0) break;
    }
    return {begin + 1, end - begin - 1};
  }

  TomlNode* add_number(TomlNode::Kind kind) {
    auto part = [](char c) {
      return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
    };
    std::size_t end = offset();  // one too far, but at the end of the text
    while (end > 0 && !part(text_[end - 1])) --end;
    std::size_t begin = end;
    while (begin > 0 && part(text_[begin - 1])) --begin;
    return add(kind, begin, end - begin);
  }

  TomlNode* add(TomlNode::Kind kind, std::size_t begin, std::size_t length) {
    if (++count_ > kMaxValues) {
      refuse(begin, length, fmt::format("more than {} values", kMaxValues), "this is no cell set");
      return nullptr;
    }
    TomlNode* node = &root_;
    if (!stack_.empty() && stack_.back()->is_table()) {
      node = &stack_.back()->members.emplace_back(std::move(key_), TomlNode()).second;
    } else if (!stack_.empty()) {
      node = &stack_.back()->items.emplace_back();
    }
    node->kind = kind;
    node->value = places_.at(begin, length);
    node->key = !stack_.empty() && stack_.back()->is_table() ? key_span_ : node->value;
    return node;
  }

  bool open(TomlNode::Kind kind) {
    TomlNode* node = add(kind, offset() - 1, 1);
    if (node == nullptr) return false;
    if (stack_.size() >= kMaxDepth)
      return refuse(offset() - 1, 1, fmt::format("nested deeper than {} levels", kMaxDepth), "");
    // A pointer into a growing list stays good: only the innermost open node grows.
    stack_.push_back(node);
    return true;
  }
  bool close() {
    stack_.pop_back();
    return true;
  }

  bool refuse(std::size_t begin, std::size_t length, std::string message, std::string help) {
    diagnostics_.error("C030", places_.at(begin, length), std::move(message), std::move(help));
    refused_ = true;
    return false;
  }

  const std::string& text_;
  Places places_;
  text::Diagnostics& diagnostics_;
  const char* farthest_;
  TomlNode root_;
  std::vector<TomlNode*> stack_;
  std::string key_;
  text::Span key_span_;
  std::size_t count_ = 0;
  bool refused_ = false;
};

}  // namespace

std::optional<TomlNode> parse_json(const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  Builder builder(source, diagnostics);
  const std::string& all = source->text;
  const Counting begin(all.data(), builder.farthest()), end(all.data() + all.size(), builder.farthest());
  if (!nlohmann::json::sax_parse(begin, end, &builder)) return std::nullopt;
  TomlNode root = builder.take();
  if (root.is_table()) return root;
  diagnostics.error("C030", root.value, "the file must be one JSON object", "{ \"Header\": { ... }, ... }");
  return std::nullopt;
}

}  // namespace cyclerd::hil
