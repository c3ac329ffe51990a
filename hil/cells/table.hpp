// Tables with linear interpolation, as parameter sets use them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cyclerd::hil {

// Strictly increasing knots, at least one.
class Axis {
 public:
  Axis() = default;
  explicit Axis(std::vector<double> knots);

  struct Place {
    std::size_t index = 0;  // left knot
    double fraction = 0.0;  // 0..1 inside; beyond when extrapolating
    bool outside = false;
  };
  // Beyond the ends: the fraction is held at 0 or 1, or runs on with `extrapolate`.
  [[nodiscard]] Place locate(double x, bool extrapolate) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return knots_.size(); }
  [[nodiscard]] double front() const noexcept { return knots_.front(); }
  [[nodiscard]] double back() const noexcept { return knots_.back(); }
  [[nodiscard]] double width(std::size_t index) const noexcept { return knots_[index + 1] - knots_[index]; }

 private:
  [[nodiscard]] std::size_t left_of(double x) const noexcept;
  void make_buckets();

  std::vector<double> knots_{0.0};
  double inverse_spacing_ = 0.0;  // > 0: the knots are equally spaced and found without a search
  // Many knots at unequal distances: for each of equally wide buckets the knot at or left of its begin, so that the
  // search is over a handful.
  std::vector<std::uint32_t> bucket_;
  double inverse_bucket_ = 0.0;
};

// y(x). One knot: constant.
class Curve {
 public:
  Curve() = default;
  Curve(Axis axis, std::vector<double> values);

  [[nodiscard]] double at(Axis::Place place) const noexcept {
    if (values_.size() == 1) return values_[0];
    double left = values_[place.index];
    return left + place.fraction * (values_[place.index + 1] - left);
  }
  [[nodiscard]] double clamped(double x) const noexcept { return at(axis_.locate(x, false)); }
  [[nodiscard]] double slope(Axis::Place place) const noexcept {
    if (values_.size() == 1) return 0.0;
    return (values_[place.index + 1] - values_[place.index]) / axis_.width(place.index);
  }
  [[nodiscard]] const Axis& axis() const noexcept { return axis_; }
  [[nodiscard]] const std::vector<double>& values() const noexcept { return values_; }

 private:
  Axis axis_;
  std::vector<double> values_{0.0};
};

// Resistance over state of charge and temperature, clamped; optionally scaled by e^(activation (1/T - 1/T_ref)).
struct ResistanceMap {
  Axis soc;
  Axis temperature_degC;          // one knot: no table over temperature
  std::vector<double> value_Ohm;  // temperature major
  double activation_K = 0.0;
  double reference_K = 298.15;

  [[nodiscard]] double at(double soc_now, double temperature_now_degC, std::uint32_t& flags) const noexcept;
};

}  // namespace cyclerd::hil
