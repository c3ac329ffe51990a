#include "hil/peers/word_image.hpp"

#include <algorithm>

#include "protocols/base/check.hpp"

namespace cyclerd::hil {

const std::uint16_t* WordImage::find(std::uint16_t first, std::size_t count) const noexcept {
  for (const Block& block : blocks_) {
    if (first >= block.first && first + count <= block.first + block.words.size()) {
      return block.words.data() + (first - block.first);
    }
  }
  return nullptr;
}

void WordImage::set_word(std::uint16_t address, std::uint16_t value) noexcept {
  auto* place = const_cast<std::uint16_t*>(find(address, 1));
  ENSURE(place != nullptr, "a twin writes a register that it did not declare");
  *place = value;
}

void WordImage::set_u32(std::uint16_t address, std::uint32_t value, WordOrder order) noexcept {
  const TwoWords words = split32(value, order);
  set_word(address, words.first);
  set_word(static_cast<std::uint16_t>(address + 1), words.second);
}

void WordImage::set_f32(std::uint16_t address, double value, WordOrder order) noexcept {
  set_u32(address, std::bit_cast<std::uint32_t>(static_cast<float>(value)), order);
}

void WordImage::set_text(std::uint16_t address, std::uint16_t words, std::string_view text) noexcept {
  for (std::uint16_t i = 0; i < words; ++i) {
    auto at = [&](std::size_t k) -> unsigned { return k < text.size() ? static_cast<unsigned char>(text[k]) : 0U; };
    const std::size_t k = 2U * i;
    set_word(static_cast<std::uint16_t>(address + i), static_cast<std::uint16_t>((at(k) << 8U) | at(k + 1)));
  }
}

std::uint16_t WordImage::word(std::uint16_t address) const noexcept {
  const std::uint16_t* place = find(address, 1);
  return place != nullptr ? *place : 0;
}

double WordImage::f32(std::uint16_t address, WordOrder order) const noexcept {
  const TwoWords words{word(address), word(static_cast<std::uint16_t>(address + 1))};
  return static_cast<double>(std::bit_cast<float>(join32(words, order)));
}

Answer WordImage::read(std::uint16_t first, std::span<std::uint16_t> out) const noexcept {
  const std::uint16_t* words = find(first, out.size());
  if (words == nullptr) return Answer::illegal_address;
  std::copy_n(words, out.size(), out.begin());
  return Answer::ok;
}

}  // namespace cyclerd::hil
