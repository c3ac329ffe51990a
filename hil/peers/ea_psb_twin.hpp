// Stands in for an EA PSB 9000/10000 over Modbus TCP. Registers and their provenance: hil/README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "hil/peers/register_map.hpp"
#include "hil/peers/shared_world.hpp"
#include "hil/peers/word_image.hpp"

namespace cyclerd::hil {

struct EaPsbOptions {
  std::string serial = "0000000000";
  WordOrder state_order = WordOrder::high_first;  // of register 505; sources disagree
};

class EaPsbTwin final : public RegisterMap {
 public:
  EaPsbTwin(SharedWorld& world, std::size_t plant, const EaPsbOptions& options);

  Answer read_bits(Table table, std::uint16_t first, std::span<bool> out) override;
  Answer read_words(Table table, std::uint16_t first, std::span<std::uint16_t> out) override;
  Answer write_bits(std::uint16_t first, std::span<const bool> values) override;
  Answer write_words(std::uint16_t first, std::span<const std::uint16_t> values) override;

 private:
  struct Limit;
  void refresh(Plant& plant);
  [[nodiscard]] Answer write_coil(Plant& plant, std::uint16_t address, bool on);
  [[nodiscard]] Answer write_word(Plant& plant, std::uint16_t address, std::uint16_t value);
  [[nodiscard]] Answer follow(Plant& plant);
  [[nodiscard]] double value_of(std::uint16_t address, double nominal) const noexcept;
  void set_protection(Plant& plant) const noexcept;

  SharedWorld& world_;
  std::size_t plant_;
  WordOrder state_order_;
  double nominal_V_, nominal_A_, nominal_W_;
  WordImage image_;
  bool remote_ = false;
  bool output_wanted_ = false;
};

}  // namespace cyclerd::hil
