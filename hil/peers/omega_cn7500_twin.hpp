// Stands in for an Omega CN7500 temperature controller (the map of the Delta DTB): tenths of a degree, run by a bit
// that is written with function 5 and read with function 2. Registers: protocols/devices/omega-cn7500.toml.
#pragma once

#include "hil/peers/holding_twin.hpp"

namespace cyclerd::hil {

struct OmegaCn7500Options {
  bool fahrenheit = false;
  std::uint16_t control_mode = 0;  // 0 PID, 1 on/off, 2 tuning, 3 program
};

class OmegaCn7500Twin final : public HoldingTwin {
 public:
  OmegaCn7500Twin(SharedWorld& world, std::size_t chamber, const OmegaCn7500Options& options);

  Answer read_bits(Table table, std::uint16_t first, std::span<bool> out) override;
  Answer write_bits(std::uint16_t first, std::span<const bool> values) override;

 private:
  void refresh(World& world) override;
  Answer write(World& world, std::uint16_t first, std::span<const std::uint16_t> values) override;

  std::uint16_t control_mode_;
};

}  // namespace cyclerd::hil
