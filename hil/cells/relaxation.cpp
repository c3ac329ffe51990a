#include "hil/cells/relaxation.hpp"

#include <bit>
#include <cmath>

namespace cyclerd::hil {
namespace {

constexpr std::array<double, kSphereModes - 1> kLambda = {4.493409457909064,  7.725251836937707,  10.904121659428899,
                                                          14.066193912831473, 17.220755271930768, 20.371302959287561,
                                                          23.519452498689007, 26.666054258812675};
constexpr int kDropped = 42;  // of 52 bits of mantissa: 10 are left

struct Mode {
  double weight;
  double rate;  // 1/tau
};

// sum 1/lambda^2 = 1/10 and sum 1/lambda^4 = 1/350 over all modes give the rest's weight and mean time.
constexpr std::array<Mode, kSphereModes> modes() {
  std::array<Mode, kSphereModes> out{};
  double squares = 0.1, fourths = 1.0 / 350.0;
  for (std::size_t k = 0; k < kLambda.size(); ++k) {
    const double square = kLambda[k] * kLambda[k];
    out[k] = {10.0 / square, square};
    squares -= 1.0 / square;
    fourths -= 1.0 / (square * square);
  }
  out.back() = {10.0 * squares, squares / fourths};
  return out;
}

constexpr std::array<Mode, kSphereModes> kModes = modes();

}  // namespace

Relaxation relaxation(double x) noexcept {
  const double gone = -std::expm1(-x);
  // 1 - (1 - e^-x)/x: the share of the end; a series where the difference would cancel.
  const double end = x < 1e-3 ? x * (0.5 - x * (1.0 / 6.0 - x / 24.0)) : 1.0 - gone / x;
  return {1.0 - gone, gone - end, end};
}

SphereRelaxation sphere_relaxation(double x) noexcept {
  SphereRelaxation out;
  for (std::size_t k = 0; k < kSphereModes; ++k) {
    const Relaxation r = relaxation(kModes[k].rate * x);
    out.decay[k] = r.decay;
    out.start[k] = kModes[k].weight * r.start;
    out.end[k] = kModes[k].weight * r.end;
    out.start_sum += out.start[k];
    out.end_sum += out.end[k];
  }
  return out;
}

TimeBucket::TimeBucket(double tau_s) noexcept : bits_(std::bit_cast<std::uint64_t>(tau_s) >> kDropped) {}

double TimeBucket::tau_s() const noexcept {
  return std::bit_cast<double>((bits_ << kDropped) | (std::uint64_t{1} << (kDropped - 1)));
}

}  // namespace cyclerd::hil
