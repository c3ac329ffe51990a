// Stands in for a Watlow F4T over Modbus: floats low word first, control loops 160 registers apart, words as numbers of
// Watlow's own list. Registers: protocols/devices/watlow-f4t.toml.
#pragma once

#include <array>

#include "hil/peers/holding_twin.hpp"

namespace cyclerd::hil {

struct WatlowF4tOptions {
  bool fahrenheit = false;
  unsigned loop = 1;        // 1..4: the one that holds the chamber's temperature
  unsigned run_output = 1;  // event 1..4: the chamber runs only while it is on
  unsigned limit_slot = 5;  // where the limit module sits
  WordOrder order = WordOrder::low_first;
};

class WatlowF4tTwin final : public HoldingTwin {
 public:
  WatlowF4tTwin(SharedWorld& world, std::size_t chamber, const WatlowF4tOptions& options);

 private:
  void refresh(World& world) override;
  Answer write(World& world, std::uint16_t first, std::span<const std::uint16_t> values) override;
  [[nodiscard]] std::uint16_t at_loop(std::uint16_t address) const noexcept;
  void follow(World& world);

  WatlowF4tOptions options_;
  std::uint16_t mode_;  // written; the one in force follows
  std::array<std::uint16_t, 4> events_;
};

}  // namespace cyclerd::hil
