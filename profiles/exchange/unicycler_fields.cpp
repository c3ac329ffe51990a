#include "profiles/exchange/unicycler_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "profiles/exchange/exchange_codes.hpp"
#include "profiles/exchange/pybamm_experiment.hpp"

namespace cyclerd::exchange {
namespace {

constexpr std::size_t kMostFindings = 50;
constexpr double kLargest = 1e9;  // in any of the units; nothing of a cell is larger

using pybamm::python_float;

bool blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos;
}

// "C/5", "3D / 2", "1/20": at most one letter, before the slash.
std::optional<double> fraction(std::string_view text) {
  std::string packed;
  std::copy_if(text.begin(), text.end(), std::back_inserter(packed), [](char c) { return c != ' '; });
  const std::size_t slash = packed.find('/');
  if (slash == std::string::npos || packed.find('/', slash + 1) != std::string::npos) return std::nullopt;
  std::string above = packed.substr(0, slash);
  double sign = 1.0;
  if (const std::size_t letter = above.find_first_of("CD"); letter != std::string::npos) {
    sign = above[letter] == 'D' ? -1.0 : 1.0;
    above.erase(letter, 1);
    if (above.empty()) above = "1";
  }
  const auto over = python_float(above);
  const auto under = python_float(packed.substr(slash + 1));
  if (!over || !under || *under == 0.0) return std::nullopt;
  return sign * *over / *under;
}

}  // namespace

void UnicyclerFields::error(const char* code, const JsonValue& at, std::string message, std::string help) {
  failed_ = true;
  if (++errors_ > kMostFindings) return;
  diagnostics_.error(code, span_at(source_, at.offset, at.length), std::move(message), std::move(help));
}

void UnicyclerFields::missing(const JsonValue& object, std::string_view key, const std::string& why) {
  if (failed_ && object.find(key) != nullptr && !object.find(key)->is(JsonValue::Kind::null)) return;  // said already
  error(code::kKey, object, fmt::format("'{}' is missing: {}", key, why));
}

bool UnicyclerFields::object(const JsonValue& value, const std::string& what, const std::vector<std::string>& keys) {
  if (!value.is(JsonValue::Kind::object)) {
    error(code::kKind, value, fmt::format("{} is an object, this is {}", what, kind_name(value.kind)));
    return false;
  }
  bool good = true;
  for (const auto& [name, member] : value.members) {
    if (std::find(keys.begin(), keys.end(), name) != keys.end()) continue;
    JsonValue at;
    at.offset = member.key_offset;
    at.length = member.key_length;
    const std::string near = text::nearest(name, keys);
    error(code::kKey, at, fmt::format("'{}' is not a key of {}", name, what),
          near.empty() ? "" : fmt::format("'{}'?", near));
    good = false;
  }
  return good;
}

std::optional<std::string> UnicyclerFields::text(const JsonValue& object, std::string_view key) {
  const JsonValue* const value = object.find(key);
  if (value == nullptr || value->is(JsonValue::Kind::null)) return std::nullopt;
  if (value->is(JsonValue::Kind::string)) return value->text;
  error(code::kKind, *value, fmt::format("'{}' is a text, this is {}", key, kind_name(value->kind)));
  return std::nullopt;
}

std::optional<double> UnicyclerFields::number(const JsonValue& object, std::string_view key) {
  const JsonValue* const value = object.find(key);
  if (value == nullptr || value->is(JsonValue::Kind::null)) return std::nullopt;
  std::optional<double> read;
  if (value->is(JsonValue::Kind::number)) read = value->number;
  if (value->is(JsonValue::Kind::string)) {
    if (blank(value->text)) return std::nullopt;
    read = python_float(value->text);
  }
  if (!read) {
    error(code::kKind, *value,
          value->is(JsonValue::Kind::string)
              ? fmt::format("'{}' is a number, this is '{}'", key, value->text)
              : fmt::format("'{}' is a number, this is {}", key, kind_name(value->kind)));
    return std::nullopt;
  }
  const bool tiny = *read != 0.0 && std::abs(*read) < 1e-12;
  if (std::abs(*read) > kLargest || tiny) {
    error(code::kRange, *value, fmt::format("{} = {} is no value for a cell", key, *read));
    return std::nullopt;
  }
  return read;
}

std::optional<double> UnicyclerFields::rate(const JsonValue& object, std::string_view key) {
  const JsonValue* const value = object.find(key);
  if (value == nullptr || !value->is(JsonValue::Kind::string) || blank(value->text) || python_float(value->text)) {
    return number(object, key);
  }
  const auto read = fraction(value->text);
  if (!read || std::abs(*read) > kLargest || (*read != 0.0 && std::abs(*read) < 1e-12)) {
    error(code::kQuantity, *value, fmt::format("{} = '{}' is not a C-rate", key, value->text),
          "a number, \"C/5\" to charge, \"D/2\" to discharge");
    return std::nullopt;
  }
  return read;
}

bool UnicyclerFields::above_zero(const JsonValue& object, std::string_view key, double value) {
  if (value > 0.0) return true;
  const JsonValue* const at = object.find(key);
  error(code::kRange, at != nullptr ? *at : object, fmt::format("'{}' must be above 0, this is {}", key, value));
  return false;
}

}  // namespace cyclerd::exchange
