#include "hil/peers/holding_twin.hpp"

#include <algorithm>
#include <cmath>

namespace cyclerd::hil {

std::uint16_t to_i16(double value) noexcept {
  return static_cast<std::uint16_t>(static_cast<std::int16_t>(std::lround(std::clamp(value, -32768.0, 32767.0))));
}

double from_i16(std::uint16_t word) noexcept {
  return static_cast<std::int16_t>(word);
}

}  // namespace cyclerd::hil
