// The virtual lab's own cycler over Modbus TCP: float32 in SI units, signed current, programmable watchdog. Registers:
// hil/README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "hil/peers/register_map.hpp"
#include "hil/peers/shared_world.hpp"
#include "hil/peers/word_image.hpp"

namespace cyclerd::hil {

struct VirtualCyclerOptions {
  std::string serial = "VC-0001";
};

class VirtualCyclerTwin final : public RegisterMap {
 public:
  VirtualCyclerTwin(SharedWorld& world, std::size_t plant, const VirtualCyclerOptions& options);

  Answer read_bits(Table table, std::uint16_t first, std::span<bool> out) override;
  Answer read_words(Table table, std::uint16_t first, std::span<std::uint16_t> out) override;
  Answer write_bits(std::uint16_t first, std::span<const bool> values) override;
  Answer write_words(std::uint16_t first, std::span<const std::uint16_t> values) override;

 private:
  void refresh(Plant& plant);
  [[nodiscard]] Answer write_coil(Plant& plant, std::uint16_t address, bool on);
  // Writes into `next` and says whether the values are allowed.
  [[nodiscard]] Answer check_settings(const WordImage& next, const StageConfig& stage) const;
  [[nodiscard]] static base::Setpoint setpoint_of(const WordImage& settings);

  SharedWorld& world_;
  std::size_t plant_;
  WordImage inputs_;
  WordImage settings_;  // holding registers
  bool remote_ = false;
  bool output_after_power_up_ = false;
};

}  // namespace cyclerd::hil
