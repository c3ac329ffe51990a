// Stands in for a Binder MKFT with MB2 controller: set-points are written in one place and read in another, and the run
// bit means idle. Registers: protocols/devices/binder-mb2.toml.
#pragma once

#include "hil/peers/holding_twin.hpp"

namespace cyclerd::hil {

class BinderMb2Twin final : public HoldingTwin {
 public:
  BinderMb2Twin(SharedWorld& world, std::size_t chamber);

 private:
  void refresh(World& world) override;
  Answer write(World& world, std::uint16_t first, std::span<const std::uint16_t> values) override;

  std::uint16_t other_bits_ = 0;  // of the operation word: humidity off, anti-condensation
};

}  // namespace cyclerd::hil
