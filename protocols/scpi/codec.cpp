#include "protocols/scpi/codec.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

// std::to_chars and std::from_chars neither allocate nor lock for these types; the analysis cannot see into the
// library.
#if defined(__clang__) && __clang_major__ >= 20
#pragma clang diagnostic ignored "-Wfunction-effects"
#endif

namespace cyclerd::scpi {

using device::NumberFormat;
using device::TextItem;
using device::TextPiece;

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kLargestInteger = std::int64_t{1} << 53;  // what a double holds exactly

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

std::optional<std::int64_t> digits(std::string_view text, int radix) noexcept {
  std::int64_t value = 0;
  if (text.empty() || text.front() == '-' || text.front() == '+') return std::nullopt;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), value, radix);
  if (r.ec != std::errc{} || r.ptr != text.data() + text.size() || value > kLargestInteger) return std::nullopt;
  return value;
}

// #HFF, #Q17, #B101.
std::optional<std::int64_t> based(std::string_view text) noexcept {
  if (text.size() < 3 || text[0] != '#') return std::nullopt;
  const char base = lower(text[1]);
  const int radix = base == 'h' ? 16 : base == 'q' ? 8 : base == 'b' ? 2 : 0;
  if (radix == 0) return std::nullopt;
  return digits(text.substr(2), radix);
}

// What from_chars takes is wider than NRf: words and hexadecimal floats are not numbers here.
bool looks_like_number(std::string_view text) noexcept {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  bool digit = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    digit = digit || is_digit(c);
    const bool in_exponent = i > 0 && (text[i - 1] == 'e' || text[i - 1] == 'E');
    if (is_digit(c) || c == '.' || ((c == 'e' || c == 'E') && digit) || ((c == '+' || c == '-') && in_exponent))
      continue;
    return false;
  }
  return digit;
}

}  // namespace

bool is_no_value(double number) noexcept RT_NONBLOCKING {
  // Everything from 9.9E37 on: instruments round the two numbers in their own ways.
  return !(std::abs(number) < kInfinity * (1 - 1e-6));
}

std::string_view trimmed(std::string_view text) noexcept RT_NONBLOCKING {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view unquoted(std::string_view text) noexcept RT_NONBLOCKING {
  if (text.size() < 2 || (text.front() != '"' && text.front() != '\'') || text.back() != text.front()) return text;
  return text.substr(1, text.size() - 2);
}

bool same_word(std::string_view a, std::string_view b) noexcept RT_NONBLOCKING {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<double> parse_number(std::string_view text) noexcept RT_NONBLOCKING {
  text = trimmed(text);
  if (const auto integer = based(text)) return static_cast<double>(*integer);
  if (!text.empty() && text.front() == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text.front() == '-') return std::nullopt;
  }
  if (!looks_like_number(text)) return std::nullopt;
  double value = 0.0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), value);
  if (r.ptr != text.data() + text.size()) return std::nullopt;
  if (r.ec != std::errc{} || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_integer(std::string_view text, int radix) noexcept RT_NONBLOCKING {
  text = trimmed(text);
  if (const auto integer = based(text)) return integer;
  const bool negative = !text.empty() && text.front() == '-';
  if (!text.empty() && (negative || text.front() == '+')) text.remove_prefix(1);
  const auto value = digits(text, radix);
  if (!value) return std::nullopt;
  return negative ? -*value : *value;
}

std::optional<std::string_view> field(std::string_view text, std::string_view separator,
                                      int index) noexcept RT_NONBLOCKING {
  if (index < 0 || separator.empty()) return std::nullopt;
  const bool blanks = separator == " ";
  bool quoted = false;
  std::size_t begin = 0;
  std::size_t i = 0;
  if (blanks) {
    while (i < text.size() && text[i] == ' ') ++i;
    begin = i;
  }
  while (i < text.size()) {
    if (text[i] == '"') quoted = !quoted;
    if (quoted || text.substr(i, separator.size()) != separator) {
      ++i;
      continue;
    }
    if (index == 0) return text.substr(begin, i - begin);
    --index;
    i += separator.size();
    while (blanks && i < text.size() && text[i] == ' ') ++i;
    begin = i;
  }
  if (index != 0 || (blanks && begin == text.size())) return std::nullopt;
  return text.substr(begin);
}

std::optional<ErrorEntry> parse_error(std::string_view text) noexcept RT_NONBLOCKING {
  text = trimmed(text);
  const std::size_t comma = text.find(',');
  const auto number = parse_integer(text.substr(0, comma));
  if (!number || *number < -32768 || *number > 1'000'000) return std::nullopt;
  ErrorEntry entry;
  entry.number = static_cast<std::int32_t>(*number);
  if (comma != std::string_view::npos) entry.text = unquoted(trimmed(text.substr(comma + 1)));
  return entry;
}

Framing frame(std::string_view bytes, std::string_view terminator) noexcept RT_NONBLOCKING {
  Framing f;
  while (f.begin < bytes.size() && (bytes[f.begin] == '\n' || bytes[f.begin] == '\r')) ++f.begin;
  const std::string_view reply = bytes.substr(f.begin);
  std::size_t data = 0;
  if (reply.size() >= 2 && reply[0] == '#' && is_digit(reply[1])) {
    const auto width = static_cast<std::size_t>(reply[1] - '0');
    if (width == 0) return {Framing::State::garbage, 0, 0, 0};
    if (reply.size() < 2 + width) return f;
    const auto length = digits(reply.substr(2, width), 10);
    if (!length) return {Framing::State::garbage, 0, 0, 0};
    f.begin += 2 + width;
    f.size = static_cast<std::size_t>(*length);
    if (bytes.size() < f.begin + f.size) return f;
    data = f.begin + f.size;
  }
  const std::size_t end = bytes.find(terminator, data != 0 ? data : f.begin);
  if (end == std::string_view::npos) return f;
  if (data != 0 && !trimmed(bytes.substr(data, end - data)).empty()) return {Framing::State::garbage, 0, 0, 0};
  f.used = end + terminator.size();
  if (data == 0) {
    f.size = end - f.begin;
    if (terminator == "\n" && f.size > 0 && bytes[end - 1] == '\r') --f.size;
  }
  f.state = Framing::State::complete;
  return f;
}

std::optional<std::size_t> format_number(double value, const NumberFormat& format,
                                         std::span<char> into) noexcept RT_NONBLOCKING {
  using Notation = NumberFormat::Notation;
  if (!std::isfinite(value)) return std::nullopt;
  char buffer[340] = {};
  char* const end = buffer + sizeof buffer;
  const double magnitude = std::abs(value);
  std::to_chars_result r{};
  if (format.notation == Notation::integer || format.notation == Notation::hex) {
    if (magnitude > static_cast<double>(kLargestInteger)) return std::nullopt;
    r = std::to_chars(buffer, end, std::llround(magnitude), format.notation == Notation::hex ? 16 : 10);
  } else if (format.notation == Notation::shortest) {
    r = std::to_chars(buffer, end, magnitude, std::chars_format::general, 9);
  } else {
    const auto how = format.notation == Notation::fixed      ? std::chars_format::fixed
                     : format.notation == Notation::exponent ? std::chars_format::scientific
                                                             : std::chars_format::general;
    r = std::to_chars(buffer, end, magnitude, how, format.decimals);
  }
  if (r.ec != std::errc{}) return std::nullopt;
  const std::string_view text(buffer, static_cast<std::size_t>(r.ptr - buffer));
  // What rounds to zero has no sign: "-0.00" is refused by some instruments.
  const bool negative =
      value < 0.0 && text.substr(0, text.find('e')).find_first_of("123456789abcdef") != std::string_view::npos;
  const std::size_t length = text.size() + (negative ? 1 : 0);
  const std::size_t padding = format.width > length ? format.width - length : 0;
  if (length + padding > into.size()) return std::nullopt;
  std::size_t n = 0;
  for (std::size_t i = 0; !format.zero_padded && i < padding; ++i) into[n++] = ' ';
  if (negative) into[n++] = '-';
  for (std::size_t i = 0; format.zero_padded && i < padding; ++i) into[n++] = '0';
  for (const char c : text)
    into[n++] = format.notation == Notation::hex && c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  return n;
}

namespace {

// A value as its word where it has one.
std::optional<std::size_t> render_value(double value, const TextItem* item, const NumberFormat& format,
                                        std::span<char> into) noexcept {
  if (item != nullptr && !item->words.empty()) {
    for (const auto& [word, number] : item->words) {
      if (number != value) continue;
      if (word.size() > into.size()) return std::nullopt;
      std::copy(word.begin(), word.end(), into.begin());
      return word.size();
    }
    return std::nullopt;
  }
  return format_number(value, format, into);
}

}  // namespace

std::optional<std::size_t> render(const device::TextTemplate& text, const Places& places,
                                  std::span<char> into) noexcept RT_NONBLOCKING {
  std::size_t n = 0;
  for (const TextPiece& piece : text) {
    const auto rest = into.subspan(n);
    std::string_view literal = piece.literal;
    switch (piece.kind) {
      case TextPiece::Kind::channel: literal = places.channel; [[fallthrough]];
      case TextPiece::Kind::literal:
        if (literal.size() > rest.size()) return std::nullopt;
        std::copy(literal.begin(), literal.end(), rest.begin());
        n += literal.size();
        break;
      case TextPiece::Kind::value:
      case TextPiece::Kind::item: {
        const auto at = static_cast<std::size_t>(piece.item);
        const bool own = piece.kind == TextPiece::Kind::value;
        if (!own && (piece.item < 0 || at >= places.items.size())) return std::nullopt;
        const TextItem* item = own ? places.item : at < places.layouts.size() ? places.layouts[at] : nullptr;
        const auto size = render_value(own ? places.value : places.items[at], item, piece.format, rest);
        if (!size) return std::nullopt;
        n += *size;
        break;
      }
    }
  }
  return n;
}

std::optional<std::string_view> parse_text(std::string_view reply, const TextItem& item) noexcept RT_NONBLOCKING {
  std::string_view text = reply;
  if (item.field >= 0) {
    const auto part = field(trimmed(text), item.separator, item.field);
    if (!part) return std::nullopt;
    text = *part;
  }
  text = trimmed(text);
  if (!item.prefix.empty() && text.starts_with(item.prefix)) text.remove_prefix(item.prefix.size());
  if (!item.suffix.empty() && text.ends_with(item.suffix)) text.remove_suffix(item.suffix.size());
  text = trimmed(text);
  if (item.character >= 0) {
    if (static_cast<std::size_t>(item.character) >= text.size()) return std::nullopt;
    text = text.substr(static_cast<std::size_t>(item.character), 1);
  }
  return unquoted(text);
}

std::optional<double> parse_value(std::string_view reply, const TextItem& item, Shape shape) noexcept RT_NONBLOCKING {
  const auto text = parse_text(reply, item);
  if (!text || text->empty()) return std::nullopt;
  for (const auto& [word, number] : item.words) {
    if (same_word(*text, word)) return number;
  }
  switch (shape) {
    case Shape::word: return std::nullopt;
    case Shape::boolean: {
      const auto number = parse_number(*text);
      if (!number || (*number != 0.0 && *number != 1.0)) return std::nullopt;
      return number;
    }
    case Shape::integer: {
      if (const auto integer = parse_integer(*text, item.radix)) return static_cast<double>(*integer);
      // Some instruments send whole numbers as "+1.28000E+02".
      const auto number = item.radix == 10 ? parse_number(*text) : std::nullopt;
      if (number && is_no_value(*number)) return kNone;
      if (!number || *number != std::round(*number) || std::abs(*number) > static_cast<double>(kLargestInteger))
        return std::nullopt;
      return number;
    }
    case Shape::number: break;
  }
  // Without the sign that from_chars would take as part of the word.
  if (same_word(*text, "NAN") || same_word(*text, "INF") || same_word(*text, "+INF") || same_word(*text, "-INF"))
    return kNone;
  const auto number = parse_number(*text);
  if (!number) return std::nullopt;
  if (is_no_value(*number)) return kNone;
  for (const double none : item.invalid) {
    if (*number == none || std::abs(*number - none) <= std::abs(none) * 1e-6) return kNone;
  }
  return number;
}

}  // namespace cyclerd::scpi
