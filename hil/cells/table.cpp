#include "hil/cells/table.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "hil/cells/cell.hpp"
#include "protocols/base/check.hpp"

namespace cyclerd::hil {

Axis::Axis(std::vector<double> knots) : knots_(std::move(knots)) {
  ENSURE(!knots_.empty(), "an axis without knots; the loader must have refused it");
  if (knots_.size() < 2) return;
  double spacing = (knots_.back() - knots_.front()) / static_cast<double>(knots_.size() - 1);
  for (std::size_t i = 0; i + 1 < knots_.size(); ++i) {
    ENSURE(knots_[i + 1] > knots_[i], "an axis that does not increase; the loader must have refused it");
    if (std::abs(knots_[i] - (knots_.front() + spacing * static_cast<double>(i))) > 1e-9 * std::abs(spacing))
      spacing = 0.0;
  }
  if (spacing > 0.0) {
    inverse_spacing_ = 1.0 / spacing;
  } else if (knots_.size() > 16) {
    make_buckets();
  }
}

void Axis::make_buckets() {
  const std::size_t count = 2 * knots_.size();
  const double width = (knots_.back() - knots_.front()) / static_cast<double>(count);
  inverse_bucket_ = 1.0 / width;
  bucket_.reserve(count + 1);
  std::uint32_t knot = 0;
  for (std::size_t i = 0; i <= count; ++i) {
    // A hair early: rounding must not put a bucket's first knot right of a value inside it.
    const double begin = knots_.front() + width * (static_cast<double>(i) - 1e-6);
    while (knot + 2 < knots_.size() && knots_[knot + 1] <= begin) ++knot;
    bucket_.push_back(knot);
  }
}

std::size_t Axis::search(double x) const noexcept {
  const std::size_t last = knots_.size() - 2;
  std::size_t left = 0;
  if (bucket_.empty()) {
    // A handful of knots is counted faster than halved: no branch depends on x.
    for (std::size_t i = 1; i <= last; ++i) left += knots_[i] <= x ? 1 : 0;
    return left;
  }
  if (!(x > knots_.front())) return 0;
  if (x >= knots_[last]) return last;
  left = bucket_[static_cast<std::size_t>((x - knots_.front()) * inverse_bucket_)];
  while (knots_[left + 1] <= x) ++left;
  return left;
}

Curve::Curve(Axis axis, std::vector<double> values) : axis_(std::move(axis)), values_(std::move(values)) {
  ENSURE(values_.size() == axis_.size(),
         "a curve with more or fewer values than knots; the loader must have refused it");
}

StateMap::StateMap(Axis soc, Axis temperature_degC, std::vector<double> values, double activation_K, double reference_K)
    : soc_(std::move(soc)),
      temperature_degC_(std::move(temperature_degC)),
      values_(std::move(values)),
      activation_K_(activation_K),
      reference_K_(reference_K) {
  ENSURE(values_.size() == soc_.size() * temperature_degC_.size(),
         "a table with more or fewer values than knots; the loader must have refused it");
}

double StateMap::slope(Axis::Place column, Axis::Place row) const noexcept {
  if (soc_.size() == 1) return 0.0;
  const double* left = values_.data() + row.index() * soc_.size() + column.index();
  double rise = left[1] - left[0];
  if (temperature_degC_.size() > 1) {
    const double* above = left + soc_.size();
    rise += row.fraction * (above[1] - above[0] - rise);
  }
  return rise / soc_.width(column.index());
}

double StateMap::activation(double temperature_now_degC) const noexcept {
  if (activation_K_ == 0.0) return 1.0;
  return std::exp(activation_K_ * (1.0 / (temperature_now_degC + 273.15) - 1.0 / reference_K_));
}

double StateMap::at(double soc_now, double temperature_now_degC, std::uint32_t& flags) const noexcept {
  const Axis::Place column = soc_.locate(soc_now, false);
  const Axis::Place row = temperature_degC_.locate(temperature_now_degC, false);
  if (column.outside() || row.outside()) flags |= cell_flag::kTableClamped;
  const double value = at(column, row);
  return activation_K_ != 0.0 ? value * activation(temperature_now_degC) : value;
}

bool StateMap::zero() const noexcept {
  return std::ranges::all_of(values_, [](double y) { return y == 0.0; });
}

}  // namespace cyclerd::hil
