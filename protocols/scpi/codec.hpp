// Lines of text to values and back. Pure: no I/O, no state, no locale, no allocation; the whole input is used, or it is
// an error.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "protocols/base/rt.hpp"
#include "protocols/device/text_item.hpp"

namespace cyclerd::scpi {

// SCPI's numbers that are none: 9.9E37 stands for infinity, 9.91E37 for "not a number".
inline constexpr double kInfinity = 9.9e37;
inline constexpr double kNotANumber = 9.91e37;
[[nodiscard]] bool is_no_value(double number) noexcept RT_NONBLOCKING;

// NR1, NR2 and NR3 ("5", "+4.2", "-1.5E-3", ".5", "5.") and #H, #Q, #B. Blanks around it are allowed, nothing else is.
// Values beyond double are none.
[[nodiscard]] std::optional<double> parse_number(std::string_view text) noexcept RT_NONBLOCKING;
// Digits of the radix with an optional sign, or #H, #Q, #B. At most 53 bits.
[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text, int radix = 10) noexcept RT_NONBLOCKING;

[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept RT_NONBLOCKING;
// Without the quotes around it, '"' or '\''; the text itself when it has none. Doubled quotes inside stay doubled.
[[nodiscard]] std::string_view unquoted(std::string_view text) noexcept RT_NONBLOCKING;
// Field `index`, from 0. Separators inside double quotes do not count; a blank as separator stands for any number of
// them. nullopt: there are fewer.
[[nodiscard]] std::optional<std::string_view> field(std::string_view text, std::string_view separator,
                                                    int index) noexcept RT_NONBLOCKING;
// Letters without regard to case.
[[nodiscard]] bool same_word(std::string_view a, std::string_view b) noexcept RT_NONBLOCKING;

// An entry of the error queue: -113,"Undefined header".
struct ErrorEntry {
  std::int32_t number = 0;
  std::string_view text;  // without quotes
};
[[nodiscard]] std::optional<ErrorEntry> parse_error(std::string_view text) noexcept RT_NONBLOCKING;

// Where a reply ends in what has arrived.
struct Framing {
  enum class State : std::uint8_t { incomplete, complete, garbage };
  State state = State::incomplete;
  std::size_t begin = 0;  // of the reply's text (of a block: its data), in the bytes
  std::size_t size = 0;   // of it
  std::size_t used = 0;   // bytes up to and with the terminator
};
// A line up to `terminator` (one CR before an LF is not part of it), or a definite-length block #<n><length><data> and
// its terminator. An indefinite block (#0) has no end on a stream: garbage. Empty lines before the reply are skipped.
[[nodiscard]] Framing frame(std::string_view bytes, std::string_view terminator) noexcept RT_NONBLOCKING;

// What a message is made of beside its template. `items`: raw values by item, for frames.
struct Places {
  double value = 0.0;
  const device::TextItem* item = nullptr;  // whose words the value may have
  std::string_view channel;
  std::span<const double> items;
  std::span<const device::TextItem* const> layouts;  // of the items
};

// Writes a number; nullopt when it is not finite or does not fit in.
[[nodiscard]] std::optional<std::size_t> format_number(double value, const device::NumberFormat& format,
                                                       std::span<char> into) noexcept RT_NONBLOCKING;
// Writes a template; nullopt when a value cannot be written or there is too little room.
[[nodiscard]] std::optional<std::size_t> render(const device::TextTemplate& text, const Places& places,
                                                std::span<char> into) noexcept RT_NONBLOCKING;

// What kind of value a reply holds.
enum class Shape : std::uint8_t { number, integer, word, boolean };

// The raw number that `reply` holds for an item. NaN where the instrument says "no value"; nullopt when the reply does
// not fit the item.
[[nodiscard]] std::optional<double> parse_value(std::string_view reply, const device::TextItem& item,
                                                Shape shape) noexcept RT_NONBLOCKING;
// The same for text items.
[[nodiscard]] std::optional<std::string_view> parse_text(std::string_view reply,
                                                         const device::TextItem& item) noexcept RT_NONBLOCKING;

}  // namespace cyclerd::scpi
