#include "hil/plant/meter.hpp"

#include <gtest/gtest.h>

#include <array>

namespace cyclerd::hil {
namespace {

TEST(Noise, is_normal) {
  Noise noise(7);
  constexpr int kDraws = 2'000'000;
  constexpr int kBins = 16;  // half a standard deviation each, from -4 to 4
  std::array<double, kBins> seen{};
  double sum = 0.0, squares = 0.0, fourths = 0.0;
  int beyond = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = noise.normal();
    sum += x;
    squares += x * x;
    fourths += x * x * x * x;
    if (std::abs(x) > 3.442619855899) ++beyond;
    const double bin = std::floor((x + 4.0) * 2.0);
    if (bin >= 0.0 && bin < kBins) ++seen[static_cast<std::size_t>(bin)];
  }
  const double n = kDraws;
  EXPECT_NEAR(sum / n, 0.0, 5.0 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 1.0, 5.0 * std::sqrt(2.0 / n));
  EXPECT_NEAR(fourths / n, 3.0, 5.0 * std::sqrt(96.0 / n));
  const double tail = n * std::erfc(3.442619855899 / std::sqrt(2.0));  // the ziggurat's own branch
  EXPECT_NEAR(beyond, tail, 5.0 * std::sqrt(tail));
  double chi_square = 0.0;
  for (std::size_t k = 0; k < kBins; ++k) {
    const double left = -4.0 + 0.5 * static_cast<double>(k);
    const double share = 0.5 * (std::erfc(left / std::sqrt(2.0)) - std::erfc((left + 0.5) / std::sqrt(2.0)));
    chi_square += (seen[k] - n * share) * (seen[k] - n * share) / (n * share);
  }
  EXPECT_LT(chi_square, 39.3);  // 15 degrees of freedom, 1 in 1700
}

TEST(Noise, goes_on_from_a_saved_state) {
  Noise noise(3);
  for (int i = 0; i < 100; ++i) (void)noise.normal();
  Noise other(1);
  other.set_state(noise.state());
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(noise.normal(), other.normal());
}

}  // namespace
}  // namespace cyclerd::hil
