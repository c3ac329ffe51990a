// Tables with linear interpolation, as parameter sets use them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cyclerd::hil {

// Strictly increasing knots, at least one.
class Axis {
 public:
  Axis() = default;
  explicit Axis(std::vector<double> knots);

  // Two words, so that it travels in registers and is never read in other pieces than it was written in.
  struct Place {
    double fraction = 0.0;     // 0..1 inside; beyond when extrapolating
    std::uint64_t packed = 0;  // twice the left knot's index, and 1 outside

    [[nodiscard]] std::size_t index() const noexcept { return packed >> 1; }
    [[nodiscard]] bool outside() const noexcept { return (packed & 1) != 0; }
  };
  // Beyond the ends: the fraction is held at 0 or 1, or runs on with `extrapolate`.
  [[nodiscard]] Place locate(double x, bool extrapolate) const noexcept {
    if (knots_.size() == 1) return {};
    const std::uint64_t outside = x < knots_.front() || x > knots_.back() ? 1 : 0;
    const std::size_t index = left_of(x);
    double fraction = (x - knots_[index]) / width(index);
    if (!extrapolate) fraction = std::clamp(fraction, 0.0, 1.0);
    return {fraction, 2 * index + outside};
  }
  [[nodiscard]] std::size_t size() const noexcept { return knots_.size(); }
  [[nodiscard]] double front() const noexcept { return knots_.front(); }
  [[nodiscard]] double back() const noexcept { return knots_.back(); }
  [[nodiscard]] const std::vector<double>& knots() const noexcept { return knots_; }
  [[nodiscard]] double width(std::size_t index) const noexcept { return knots_[index + 1] - knots_[index]; }

 private:
  [[nodiscard]] std::size_t left_of(double x) const noexcept {
    if (!(inverse_spacing_ > 0.0)) return search(x);
    const std::size_t last = knots_.size() - 2;
    const double position = (x - knots_.front()) * inverse_spacing_;
    if (position <= 0.0) return 0;
    return position >= static_cast<double>(last) ? last : static_cast<std::size_t>(position);
  }
  [[nodiscard]] std::size_t search(double x) const noexcept;
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
    double left = values_[place.index()];
    return left + place.fraction * (values_[place.index() + 1] - left);
  }
  [[nodiscard]] double clamped(double x) const noexcept { return at(axis_.locate(x, false)); }
  [[nodiscard]] double slope(Axis::Place place) const noexcept {
    if (values_.size() == 1) return 0.0;
    return (values_[place.index() + 1] - values_[place.index()]) / axis_.width(place.index());
  }
  [[nodiscard]] const Axis& axis() const noexcept { return axis_; }
  [[nodiscard]] const std::vector<double>& values() const noexcept { return values_; }

 private:
  Axis axis_;
  std::vector<double> values_{0.0};
};

// y over state of charge and temperature: linear between knots, clamped over temperature; optionally scaled by
// e^(activation (1/T - 1/T_ref)). One knot on an axis: no dependence on it.
class StateMap {
 public:
  StateMap() = default;
  StateMap(double constant) : values_{constant} {}  // NOLINT(google-explicit-constructor)
  StateMap(const Curve& over_soc) : soc_(over_soc.axis()), values_(over_soc.values()) {}  // NOLINT
  // `values`: one row over soc for each temperature.
  StateMap(Axis soc, Axis temperature_degC, std::vector<double> values, double activation_K = 0.0,
           double reference_K = 298.15);

  [[nodiscard]] double at(Axis::Place column, Axis::Place row) const noexcept {
    if (values_.size() == 1) return values_[0];
    const double first = along(row.index(), column);
    return temperature_degC_.size() == 1 ? first : first + row.fraction * (along(row.index() + 1, column) - first);
  }
  // dy/dsoc in the interval of the place.
  [[nodiscard]] double slope(Axis::Place column, Axis::Place row) const noexcept;
  // The factor alone.
  [[nodiscard]] double activation(double temperature_now_degC) const noexcept;
  // Found, clamped, scaled; flags kTableClamped.
  [[nodiscard]] double at(double soc_now, double temperature_now_degC, std::uint32_t& flags) const noexcept;

  [[nodiscard]] const Axis& soc() const noexcept { return soc_; }
  [[nodiscard]] const Axis& temperature_degC() const noexcept { return temperature_degC_; }
  [[nodiscard]] const std::vector<double>& values() const noexcept { return values_; }
  [[nodiscard]] bool constant() const noexcept { return values_.size() == 1 && activation_K_ == 0.0; }
  // 0 everywhere: the part that it describes does not exist.
  [[nodiscard]] bool zero() const noexcept;
  [[nodiscard]] double activation_K() const noexcept { return activation_K_; }
  [[nodiscard]] double reference_K() const noexcept { return reference_K_; }

 private:
  [[nodiscard]] double along(std::size_t row, Axis::Place column) const noexcept {
    const std::size_t columns = soc_.size();
    const double* values = values_.data() + row * columns;
    if (columns == 1) return values[0];
    return values[column.index()] + column.fraction * (values[column.index() + 1] - values[column.index()]);
  }

  Axis soc_;
  Axis temperature_degC_;
  std::vector<double> values_{0.0};  // temperature major
  double activation_K_ = 0.0;
  double reference_K_ = 298.15;
};

}  // namespace cyclerd::hil
