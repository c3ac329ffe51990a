#include "hil/cells/uniform_curve.hpp"

#include <cmath>

namespace cyclerd::hil {
namespace {

constexpr std::size_t kKnots = 4001;

bool equally_spaced(const Axis& axis) {
  const double spacing = (axis.back() - axis.front()) / static_cast<double>(axis.size() - 1);
  for (std::size_t i = 0; i + 1 < axis.size(); ++i) {
    if (std::abs(axis.width(i) - spacing) > 1e-6 * spacing) return false;
  }
  return true;
}

}  // namespace

UniformCurve::UniformCurve(const Curve& curve) : low_(curve.axis().front()), high_(curve.axis().back()) {
  const Axis& axis = curve.axis();
  if (axis.size() == 1) {
    y_ = {curve.values()[0], curve.values()[0]};
    return;
  }
  if (equally_spaced(axis)) {
    y_ = curve.values();
  } else {
    y_.resize(kKnots);
    for (std::size_t i = 0; i < kKnots; ++i)
      y_[i] = curve.clamped(low_ + (high_ - low_) * static_cast<double>(i) / static_cast<double>(kKnots - 1));
  }
  last_ = static_cast<double>(y_.size() - 1);
  per_x_ = last_ / (high_ - low_);
  y_.push_back(y_.back());
}

}  // namespace cyclerd::hil
