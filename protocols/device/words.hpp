// The words of the description language and what they mean: one table for the loader, the drivers and the manual's
// test.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocols/device/description.hpp"

namespace cyclerd::device {

[[nodiscard]] std::string_view to_string(SequenceId id) noexcept;
[[nodiscard]] std::string_view to_string(Field field) noexcept;
[[nodiscard]] std::string_view to_string(Mark mark) noexcept;
[[nodiscard]] std::string_view to_string(Function function) noexcept;

struct FieldFacts {
  std::string_view name;
  text::Dimension dimension;
  double factor;  // from the field's unit to SI
};
[[nodiscard]] const FieldFacts& facts(Field field) noexcept;

// Which fields a sequence may use, and for which kinds of instruments it is needed.
struct SequenceFacts {
  std::string_view name;
  std::uint32_t fields;  // bit per Field
  bool cycler_needs;
  bool chamber_needs;
};
[[nodiscard]] const SequenceFacts& facts(SequenceId id) noexcept;
[[nodiscard]] constexpr std::uint32_t bit(Field field) noexcept {
  return 1U << static_cast<unsigned>(field);
}

// '*' stands for any text, also none. For [identify] match and for replies.
[[nodiscard]] bool matches_pattern(std::string_view text, std::string_view pattern) noexcept;

[[nodiscard]] std::vector<std::string> sequence_names();
[[nodiscard]] std::vector<std::string> field_names();

}  // namespace cyclerd::device
