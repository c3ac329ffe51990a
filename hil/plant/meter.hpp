// From a true value to what an instrument says: gain, offset, noise, resolution.
#pragma once

#include <cmath>
#include <cstdint>

namespace cyclerd::hil {

struct MeterConfig {
  double gain = 1.0;
  double offset = 0.0;  // in the unit of the quantity
  double noise = 0.0;   // standard deviation
  double step = 0.0;    // resolution; 0: none
};

// Normal deviates from a seed, the same on every machine with IEEE arithmetic and the same libm. The state is one word
// and part of snapshots. Ziggurat of Marsaglia and Tsang (2000): 49 of 50 deviates cost a product and a comparison.
class Noise {
 public:
  explicit Noise(std::uint64_t seed = 1) noexcept : state_(seed) {}
  [[nodiscard]] double normal() noexcept;
  // Even between -1 and 1.
  [[nodiscard]] double either_way() noexcept { return 2.0 * uniform() - 1.0; }
  [[nodiscard]] std::uint64_t state() const noexcept { return state_; }
  void set_state(std::uint64_t state) noexcept { state_ = state; }

 private:
  // SplitMix64 (Steele, Lea, Flood 2014).
  std::uint64_t bits() noexcept {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }
  double uniform() noexcept { return static_cast<double>(bits() >> 11U) * 0x1.0p-53; }

  std::uint64_t state_;
};

[[nodiscard]] inline double quantised(double x, double step) noexcept {
  return step > 0.0 ? std::round(x / step) * step : x;
}

[[nodiscard]] inline double metered(double true_value, const MeterConfig& meter, Noise& noise) noexcept {
  double x = meter.gain * true_value + meter.offset;
  if (meter.noise > 0.0) x += meter.noise * noise.normal();
  return quantised(x, meter.step);
}

}  // namespace cyclerd::hil
