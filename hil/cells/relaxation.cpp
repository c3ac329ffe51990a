#include "hil/cells/relaxation.hpp"

#include <bit>
#include <cmath>
#include <numbers>

namespace cyclerd::hil {
namespace {

constexpr std::array<double, 8> kLambda = {4.493409457909064,  7.725251836937707,  10.904121659428899,
                                           14.066193912831473, 17.220755271930768, 20.371302959287561,
                                           23.519452498689007, 26.666054258812675};
// Three modes by themselves, then ever more of them in one: that reaches from hours to a tenth of a second, where as
// many modes by themselves would miss 40 % of a pulse's first 1e-4 tau. The last one holds all that is left.
constexpr std::array<std::size_t, kSphereModes - 1> kLastOfGroup = {1, 2, 3, 5, 8, 13, 25, 70};
constexpr int kDropped = 42;  // of 52 bits of mantissa: 10 are left

struct Mode {
  double weight;
  double rate;  // 1/tau
};

// The k-th root of tan lambda = lambda, from 1.
constexpr double lambda(std::size_t k) {
  if (k <= kLambda.size()) return kLambda[k - 1];
  const double m = (static_cast<double>(k) + 0.5) * std::numbers::pi;  // the rest of the series is below 1e-12
  const double i = 1.0 / (m * m);
  return m - (1.0 + i * (2.0 / 3.0 + i * (13.0 / 15.0 + i * 146.0 / 105.0))) / m;
}

// A group keeps the weight and the mean time of its modes; all together have sum 1/lambda^2 = 1/10 and
// sum 1/lambda^4 = 1/350.
constexpr std::array<Mode, kSphereModes> modes() {
  std::array<Mode, kSphereModes> out{};
  double squares_left = 0.1, fourths_left = 1.0 / 350.0;
  std::size_t k = 1;
  for (std::size_t group = 0; group < kLastOfGroup.size(); ++group) {
    double squares = 0.0, fourths = 0.0;
    for (; k <= kLastOfGroup[group]; ++k) {
      const double inverse = 1.0 / (lambda(k) * lambda(k));
      squares += inverse;
      fourths += inverse * inverse;
    }
    out[group] = {10.0 * squares, squares / fourths};
    squares_left -= squares;
    fourths_left -= fourths;
  }
  out.back() = {10.0 * squares_left, squares_left / fourths_left};
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
