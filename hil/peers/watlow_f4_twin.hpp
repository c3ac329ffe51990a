// Stands in for a Watlow F4: raw numbers with as many decimals as its register 606 says, in the unit of register 901,
// switched by an event output that every chamber builder wires in his own way. Registers:
// protocols/devices/watlow-f4.toml.
#pragma once

#include <array>

#include "hil/peers/holding_twin.hpp"

namespace cyclerd::hil {

struct WatlowF4Options {
  bool fahrenheit = false;
  unsigned decimals = 1;
  unsigned run_output = 1;          // event output 1..8
  bool run_at_0 = false;            // the contact runs the chamber while the output is 0
  unsigned limit_input = 1;         // digital input 1..4 that the limit controller is wired to
  std::uint16_t limit_tripped = 1;  // what it reads then
};

class WatlowF4Twin final : public HoldingTwin {
 public:
  WatlowF4Twin(SharedWorld& world, std::size_t chamber, const WatlowF4Options& options);

 private:
  void refresh(World& world) override;
  Answer write(World& world, std::uint16_t first, std::span<const std::uint16_t> values) override;
  [[nodiscard]] Answer write_one(World& world, std::uint16_t address, std::uint16_t value);

  WatlowF4Options options_;
  double steps_per_unit_;
  std::array<std::uint16_t, 8> outputs_{};
};

}  // namespace cyclerd::hil
