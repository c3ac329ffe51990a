// Registers of a twin as blocks of words, and the ways values are laid out in them. The twins' own encoders: shared
// with no client, so that a mistake cannot cancel out.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "hil/peers/register_map.hpp"

namespace cyclerd::hil {

enum class WordOrder : std::uint8_t { high_first, low_first };  // ABCD, CDAB

struct TwoWords {
  std::uint16_t first = 0, second = 0;
};
[[nodiscard]] constexpr TwoWords split32(std::uint32_t bits, WordOrder order) noexcept {
  const auto high = static_cast<std::uint16_t>(bits >> 16U);
  const auto low = static_cast<std::uint16_t>(bits & 0xFFFFU);
  return order == WordOrder::high_first ? TwoWords{high, low} : TwoWords{low, high};
}
[[nodiscard]] constexpr std::uint32_t join32(TwoWords words, WordOrder order) noexcept {
  const std::uint32_t high = order == WordOrder::high_first ? words.first : words.second;
  const std::uint32_t low = order == WordOrder::high_first ? words.second : words.first;
  return (high << 16U) | low;
}

// Blocks of readable words. An address in no block does not exist.
class WordImage {
 public:
  void add_block(std::uint16_t first, std::uint16_t count) {
    blocks_.push_back({first, std::vector<std::uint16_t>(count)});
  }
  [[nodiscard]] bool has(std::uint16_t first, std::size_t count) const noexcept {
    return find(first, count) != nullptr;
  }

  void set_word(std::uint16_t address, std::uint16_t value) noexcept;
  void set_u32(std::uint16_t address, std::uint32_t value, WordOrder order) noexcept;
  void set_f32(std::uint16_t address, double value, WordOrder order) noexcept;
  // Two characters a word, the first in the high byte, padded with NUL.
  void set_text(std::uint16_t address, std::uint16_t words, std::string_view text) noexcept;

  [[nodiscard]] std::uint16_t word(std::uint16_t address) const noexcept;
  [[nodiscard]] double f32(std::uint16_t address, WordOrder order) const noexcept;
  [[nodiscard]] Answer read(std::uint16_t first, std::span<std::uint16_t> out) const noexcept;

 private:
  struct Block {
    std::uint16_t first = 0;
    std::vector<std::uint16_t> words;
  };
  [[nodiscard]] const std::uint16_t* find(std::uint16_t first, std::size_t count) const noexcept;

  std::vector<Block> blocks_;
};

}  // namespace cyclerd::hil
