#include "hil/plant/meter.hpp"

#include <array>

namespace cyclerd::hil {
namespace {

// The half bell curve under kLayers strips of equal area: `edge[i]` is the right end of strip i, `height[i]` the curve
// there. Strip 0 is the base with the tail beyond kTail; constants of Marsaglia and Tsang (2000) for 128 strips.
constexpr std::size_t kLayers = 128;
constexpr double kTail = 3.442619855899;
constexpr double kArea = 9.91256303526217e-3;

struct Strips {
  std::array<double, kLayers + 1> edge{}, height{};

  Strips() noexcept {
    height[1] = std::exp(-0.5 * kTail * kTail);
    edge[0] = kArea / height[1];  // as wide as the base with its tail laid flat would be
    edge[1] = kTail;
    for (std::size_t i = 2; i < kLayers; ++i) {
      height[i] = height[i - 1] + kArea / edge[i - 1];
      edge[i] = std::sqrt(-2.0 * std::log(height[i]));
    }
    height[kLayers] = 1.0;
  }
};
const Strips kStrips;

}  // namespace

double Noise::normal() noexcept {
  for (;;) {
    const std::uint64_t word = bits();
    const std::size_t i = word % kLayers;
    const double sign = (word & kLayers) != 0 ? -1.0 : 1.0;
    const double u = static_cast<double>(word >> 11U) * 0x1.0p-53;
    const double x = u * kStrips.edge[i];
    if (x < kStrips.edge[i + 1]) return sign * x;  // wholly under the curve
    if (i == 0) {
      double beyond = 0.0;
      double other = 0.0;
      do {
        beyond = -std::log(1.0 - uniform()) / kTail;
        other = -std::log(1.0 - uniform());
      } while (2.0 * other < beyond * beyond);
      return sign * (kTail + beyond);
    }
    if (kStrips.height[i] + uniform() * (kStrips.height[i + 1] - kStrips.height[i]) < std::exp(-0.5 * x * x))
      return sign * x;
  }
}

}  // namespace cyclerd::hil
