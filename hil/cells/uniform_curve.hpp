// A curve on equally spaced knots, for the inner loops: no search, no division, clamped at its ends.
#pragma once

#include <cstddef>
#include <vector>

#include "hil/cells/table.hpp"

namespace cyclerd::hil {

class UniformCurve {
 public:
  UniformCurve() = default;
  // A curve whose knots are not equally spaced is read off on 4001 knots over the same range.
  explicit UniformCurve(const Curve& curve);

  struct Point {
    double y = 0.0;
    double slope = 0.0;
    int side = 0;  // -1: below the range, 1: above
  };

  [[nodiscard]] bool constant() const noexcept { return last_ == 0.0; }
  [[nodiscard]] double low() const noexcept { return low_; }
  [[nodiscard]] double high() const noexcept { return high_; }

  [[nodiscard]] double at(double x) const noexcept {
    double position = (x - low_) * per_x_;
    position = position > 0.0 ? position : 0.0;
    position = position < last_ ? position : last_;
    const auto i = static_cast<std::size_t>(position);
    const double left = y_[i];
    return left + (position - static_cast<double>(i)) * (y_[i + 1] - left);
  }
  [[nodiscard]] Point point(double x) const noexcept {
    double position = (x - low_) * per_x_;
    const int side = position < 0.0 ? -1 : position > last_ ? 1 : 0;
    position = position > 0.0 ? position : 0.0;
    position = position < last_ ? position : last_;
    auto i = static_cast<std::size_t>(position);
    if (last_ > 0.0 && static_cast<double>(i) >= last_) i = static_cast<std::size_t>(last_) - 1;
    const double left = y_[i];
    const double step = y_[i + 1] - left;
    return {left + (position - static_cast<double>(i)) * step, step * per_x_, constant() ? 0 : side};
  }

 private:
  double low_ = 0.0;
  double high_ = 0.0;
  double per_x_ = 0.0;
  double last_ = 0.0;                // position of the last knot
  std::vector<double> y_{0.0, 0.0};  // the last one twice
};

}  // namespace cyclerd::hil
