#include "hil/plant/instrument.hpp"

#include <algorithm>
#include <cmath>

namespace cyclerd::hil {
namespace {

constexpr double kReference_degC = 25.0;

}  // namespace

Ranges::Ranges(const AccuracyConfig& config, double rating, Noise& draw)
    : drift_per_K_(config.drift_per_K), step_of_full_scale_(config.step_of_full_scale) {
  std::vector<double> scales = config.ranges;
  if (scales.empty() || scales.back() < rating) scales.push_back(rating);
  for (double full_scale : scales) {
    Range range{full_scale, {}, {}};
    for (Error* error : {&range.setting, &range.reading}) {
      error->gain = config.class_of_full_scale * draw.either_way();
      error->offset = 0.5 * config.class_of_full_scale * full_scale * draw.either_way();
    }
    ranges_.push_back(range);
  }
}

std::size_t Ranges::range_for(double most) const noexcept {
  for (std::size_t i = 0; i + 1 < ranges_.size(); ++i) {
    if (std::abs(most) <= ranges_[i].full_scale) return i;
  }
  return ranges_.size() - 1;
}

MeterConfig Ranges::with(const Error& error, double full_scale, const MeterConfig& base, double degC) const noexcept {
  MeterConfig m = base;
  m.gain *= (1.0 + error.gain) * (1.0 + drift_per_K_ * (degC - kReference_degC));
  m.offset += error.offset;
  m.step = std::max(m.step, step_of_full_scale_ * full_scale);
  return m;
}

MeterConfig Ranges::setting(std::size_t range, const MeterConfig& base, double degC) const noexcept {
  return with(ranges_[range].setting, ranges_[range].full_scale, base, degC);
}

MeterConfig Ranges::reading(std::size_t range, const MeterConfig& base, double degC) const noexcept {
  return with(ranges_[range].reading, ranges_[range].full_scale, base, degC);
}

}  // namespace cyclerd::hil
