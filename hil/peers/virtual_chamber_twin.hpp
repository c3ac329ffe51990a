// The virtual lab's own thermal chamber over Modbus TCP: float32, low word first. Registers: hil/README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "hil/peers/register_map.hpp"
#include "hil/peers/shared_world.hpp"
#include "hil/peers/word_image.hpp"

namespace cyclerd::hil {

struct VirtualChamberOptions {
  std::string serial = "VT-0001";
  std::optional<std::size_t> sensor_on;  // plant whose cell carries the sensor; none: the input is open
};

class VirtualChamberTwin final : public RegisterMap {
 public:
  VirtualChamberTwin(SharedWorld& world, std::size_t chamber, const VirtualChamberOptions& options);

  Answer read_bits(Table table, std::uint16_t first, std::span<bool> out) override;
  Answer read_words(Table table, std::uint16_t first, std::span<std::uint16_t> out) override;
  Answer write_bits(std::uint16_t first, std::span<const bool> values) override;
  Answer write_words(std::uint16_t first, std::span<const std::uint16_t> values) override;

 private:
  void refresh(World& world);
  [[nodiscard]] Answer follow(Chamber& chamber, const WordImage& settings, bool run);

  SharedWorld& world_;
  std::size_t chamber_;
  VirtualChamberOptions options_;
  WordImage inputs_;
  WordImage settings_;
};

}  // namespace cyclerd::hil
