// Stands in for a Riden RD60xx over Modbus RTU: a supply that only sources. Registers and their provenance:
// hil/README.md.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hil/peers/register_map.hpp"
#include "hil/peers/shared_world.hpp"
#include "hil/peers/word_image.hpp"

namespace cyclerd::hil {

struct RidenOptions {
  std::uint16_t model_id = 60062;
  std::uint32_t serial = 1234;
};

class RidenTwin final : public RegisterMap {
 public:
  RidenTwin(SharedWorld& world, std::size_t plant, const RidenOptions& options);

  Answer read_bits(Table table, std::uint16_t first, std::span<bool> out) override;
  Answer read_words(Table table, std::uint16_t first, std::span<std::uint16_t> out) override;
  Answer write_bits(std::uint16_t first, std::span<const bool> values) override;
  Answer write_words(std::uint16_t first, std::span<const std::uint16_t> values) override;

  // The range switch of an RD6012P's panel: what is set and shown keeps its value and changes its numbers.
  void switch_range(std::uint16_t range);
  // Somebody read or wrote the calibration: a real one would be spoilt.
  [[nodiscard]] bool calibration_touched() const noexcept { return calibration_touched_; }

 private:
  struct Steps {
    double per_volt = 100.0;
    double per_ampere = 1000.0;
  };
  [[nodiscard]] Steps steps() const noexcept;
  void refresh(Plant& plant);
  [[nodiscard]] Answer write_word(Plant& plant, std::uint16_t address, std::uint16_t value);
  [[nodiscard]] Answer follow(Plant& plant);
  void set_protection(Plant& plant) const noexcept;
  [[nodiscard]] bool touches_calibration(std::uint16_t first, std::size_t count) noexcept;

  SharedWorld& world_;
  std::size_t plant_;
  std::uint16_t model_id_;
  WordImage image_;
  bool calibration_touched_ = false;
};

}  // namespace cyclerd::hil
