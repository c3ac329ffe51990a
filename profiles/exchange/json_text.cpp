#include "profiles/exchange/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "profiles/exchange/exchange_codes.hpp"

namespace cyclerd::exchange {
namespace {

// Fills the tree from the library's events. The library tells no places, so the text is walked along: between two
// values stand only spaces, commas and colons.
class TreeBuilder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  TreeBuilder(const text::SourcePtr& source, text::Diagnostics& diagnostics)
      : source_(source), diagnostics_(diagnostics) {}

  bool null() override { return scalar({}); }
  bool boolean(bool value) override {
    JsonValue made;
    made.kind = JsonValue::Kind::boolean;
    made.boolean = value;
    return scalar(std::move(made));
  }
  bool number_integer(number_integer_t value) override { return number(static_cast<double>(value)); }
  bool number_unsigned(number_unsigned_t value) override { return number(static_cast<double>(value)); }
  bool number_float(number_float_t value, const string_t&) override { return number(value); }
  bool string(string_t& value) override {
    JsonValue made;
    made.kind = JsonValue::Kind::string;
    made.text = std::move(value);
    return scalar(std::move(made));
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(JsonValue::Kind::object); }
  bool start_array(std::size_t) override { return open(JsonValue::Kind::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& value) override {
    const auto [offset, length] = next_token();
    if (!names_.back().insert(value).second) {
      return refuse(offset, length, fmt::format("the name '{}' stands twice in one object", value),
                    "keep one of the two");
    }
    open_.back()->members.emplace_back(value, JsonValue{});
    key_offset_ = offset;
    key_length_ = length;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    const std::string what = error.what();
    constexpr std::string_view kBefore = "parse error at line ";
    const std::size_t at = what.find("syntax error while parsing");
    const std::string said = at == std::string::npos && what.find(kBefore) == std::string::npos
                                 ? what.substr(std::min(what.find("] ") + 2, what.size()))
                                 : what.substr(at == std::string::npos ? 0 : at);
    std::string clean;  // the message repeats the last bytes read, whatever they are
    for (const char c : said.substr(0, 200)) {
      clean += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E ? '?' : c;
    }
    return refuse(position == 0 ? 0 : position - 1, 1, "this is not JSON: " + clean, "");
  }

  [[nodiscard]] bool good() const noexcept { return good_ && open_.empty(); }
  [[nodiscard]] JsonValue take() { return std::move(root_); }

 private:
  bool number(double value) {
    JsonValue made;
    made.kind = JsonValue::Kind::number;
    made.number = value;
    return scalar(std::move(made));
  }

  // Where the value that was just read stands; moves on behind it.
  std::pair<std::size_t, std::size_t> next_token() {
    const std::string& text = source_->text;
    while (at_ < text.size() && std::string_view(" \t\r\n,:\xEF\xBB\xBF").find(text[at_]) != std::string_view::npos)
      ++at_;
    const std::size_t begin = at_;
    if (at_ < text.size() && text[at_] == '"') {
      ++at_;
      while (at_ < text.size() && text[at_] != '"') at_ += text[at_] == '\\' ? 2 : 1;
      ++at_;
    } else if (at_ < text.size() && std::string_view("{}[]").find(text[at_]) != std::string_view::npos) {
      ++at_;
    } else {
      while (at_ < text.size() && std::string_view(" \t\r\n,:{}[]").find(text[at_]) == std::string_view::npos) ++at_;
    }
    return {begin, std::max<std::size_t>(at_ - begin, 1)};
  }

  bool refuse(std::size_t offset, std::size_t length, std::string message, std::string help) {
    if (good_) {
      diagnostics_.error(code::kJson, span_at(source_, offset, length), std::move(message), std::move(help));
    }
    good_ = false;
    return false;
  }

  bool scalar(JsonValue made) { return place(std::move(made)) != nullptr; }

  bool open(JsonValue::Kind kind) {
    JsonValue made;
    made.kind = kind;
    JsonValue* const value = place(std::move(made));
    if (value == nullptr) return false;
    if (open_.size() >= static_cast<std::size_t>(kMaxJsonDepth)) {
      return refuse(value->offset, 1, fmt::format("nested deeper than {} levels", kMaxJsonDepth), "");
    }
    open_.push_back(value);
    names_.emplace_back();
    return true;
  }

  bool close() {
    (void)next_token();
    open_.pop_back();
    names_.pop_back();
    return true;
  }

  JsonValue* place(JsonValue made) {
    const auto [offset, length] = next_token();
    if (++values_ > kMaxJsonValues) {
      refuse(offset, length, fmt::format("more than {} values", kMaxJsonValues), "");
      return nullptr;
    }
    made.offset = static_cast<std::uint32_t>(offset);
    made.length = static_cast<std::uint32_t>(length);
    JsonValue* target = &root_;
    if (!open_.empty() && open_.back()->is(JsonValue::Kind::array)) {
      target = &open_.back()->items.emplace_back();
    } else if (!open_.empty()) {
      target = &open_.back()->members.back().second;
      made.key_offset = static_cast<std::uint32_t>(key_offset_);
      made.key_length = static_cast<std::uint32_t>(key_length_);
    }
    *target = std::move(made);
    return target;
  }

  const text::SourcePtr& source_;
  text::Diagnostics& diagnostics_;
  JsonValue root_;
  // Values that are being filled. They stay where they are: only the last one of a list grows.
  std::vector<JsonValue*> open_;
  std::vector<std::set<std::string>> names_;
  std::size_t at_ = 0, values_ = 0, key_offset_ = 0, key_length_ = 0;
  bool good_ = true;
};

}  // namespace

JsonValue::JsonValue() = default;
JsonValue::JsonValue(const JsonValue&) = default;
JsonValue::JsonValue(JsonValue&&) noexcept = default;
JsonValue& JsonValue::operator=(const JsonValue&) = default;
JsonValue& JsonValue::operator=(JsonValue&&) noexcept = default;
JsonValue::~JsonValue() = default;

const JsonValue* JsonValue::find(std::string_view key) const noexcept {
  for (const auto& [name, value] : members) {
    if (name == key) return &value;
  }
  return nullptr;
}

const char* kind_name(JsonValue::Kind kind) noexcept {
  switch (kind) {
    case JsonValue::Kind::null: return "null";
    case JsonValue::Kind::boolean: return "true or false";
    case JsonValue::Kind::number: return "a number";
    case JsonValue::Kind::string: return "a text";
    case JsonValue::Kind::array: return "a list";
    case JsonValue::Kind::object: return "an object";
  }
  return "";
}

text::Span span_at(const text::SourcePtr& source, std::size_t offset, std::size_t length) {
  const std::string& text = source->text;
  offset = std::min(offset, text.size());
  const std::size_t line_begin = offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;  // npos + 1 is 0
  const auto characters = [&text](std::size_t from, std::size_t to) {
    return static_cast<std::uint32_t>(
        std::count_if(text.begin() + static_cast<std::ptrdiff_t>(from), text.begin() + static_cast<std::ptrdiff_t>(to),
                      [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
  };
  text::Span span;
  span.source = source;
  span.line = 1 + static_cast<std::uint32_t>(
                      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(line_begin), '\n'));
  span.column = 1 + characters(line_begin, offset);
  const std::size_t line_end = std::min(text.find('\n', offset), text.size());
  span.length = std::max<std::uint32_t>(1, characters(offset, std::min(offset + length, line_end)));
  return span;
}

std::optional<JsonValue> read_json(const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  TreeBuilder builder(source, diagnostics);
  if (!nlohmann::json::sax_parse(source->text, &builder) || !builder.good()) return std::nullopt;
  return builder.take();
}

}  // namespace cyclerd::exchange
