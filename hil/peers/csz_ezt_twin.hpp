// Stands in for a Cincinnati Sub-Zero EZT-570i: one loop, tenths of a degree, pauses that it insists on, and no
// exception replies. Registers and their provenance: protocols/devices/csz-ezt-570i.toml.
#pragma once

#include "hil/peers/holding_twin.hpp"

namespace cyclerd::hil {

struct CszEztOptions {
  bool fahrenheit = false;
  base::Duration pause = base::milliseconds(203);     // silence that ends a frame, 3.5 characters and its own 200 ms
  base::Duration exchange = base::milliseconds(500);  // least time between two exchanges
};

class CszEztTwin final : public HoldingTwin {
 public:
  CszEztTwin(SharedWorld& world, std::size_t chamber, const CszEztOptions& options);

  Answer read_words(Table table, std::uint16_t first, std::span<std::uint16_t> out) override;
  Answer write_words(std::uint16_t first, std::span<const std::uint16_t> values) override;

 private:
  void refresh(World& world) override;
  Answer read(World& world, std::uint16_t first, std::span<std::uint16_t> out) override;
  Answer write(World& world, std::uint16_t first, std::span<const std::uint16_t> values) override;
  [[nodiscard]] bool ready(World& world);

  CszEztOptions options_;
  base::MonoTime last_;
  bool asked_ = false;
  std::uint16_t other_events_ = 0;
  std::uint16_t customer_events_ = 0;
};

}  // namespace cyclerd::hil
