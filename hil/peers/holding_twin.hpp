// A twin that lives in holding registers alone, and in front of a chamber: image refreshed at every question, writes
// handed on register by register or as a whole.
#pragma once

#include "hil/peers/chamber_face.hpp"
#include "hil/peers/register_map.hpp"
#include "hil/peers/shared_world.hpp"
#include "hil/peers/word_image.hpp"

namespace cyclerd::hil {

class HoldingTwin : public RegisterMap {
 public:
  Answer read_bits(Table, std::uint16_t, std::span<bool>) override { return Answer::illegal_function; }
  Answer write_bits(std::uint16_t, std::span<const bool>) override { return Answer::illegal_function; }
  Answer read_words(Table table, std::uint16_t first, std::span<std::uint16_t> out) override {
    if (table != Table::holding) return Answer::illegal_function;
    return world_.now([&](World& w) {
      refresh(w);
      return read(w, first, out);
    });
  }
  Answer write_words(std::uint16_t first, std::span<const std::uint16_t> values) override {
    return world_.now([&](World& w) { return write(w, first, values); });
  }

 protected:
  HoldingTwin(SharedWorld& world, std::size_t chamber, bool fahrenheit) : world_(world), face_(chamber, fahrenheit) {}

  // Brings image_ to the world's present state.
  virtual void refresh(World& world) = 0;
  virtual Answer read(World&, std::uint16_t first, std::span<std::uint16_t> out) { return image_.read(first, out); }
  virtual Answer write(World& world, std::uint16_t first, std::span<const std::uint16_t> values) = 0;

  SharedWorld& world_;
  ChamberFace face_;
  WordImage image_;
};

// A number as a controller's 16-bit register holds it.
[[nodiscard]] std::uint16_t to_i16(double value) noexcept;
[[nodiscard]] double from_i16(std::uint16_t word) noexcept;

}  // namespace cyclerd::hil
