// How true a cycler's channel is: accuracy class, ranges, resolution, drift. The errors of one channel are drawn from a
// seed and stay with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hil/plant/meter.hpp"

namespace cyclerd::hil {

// Of one quantity. Class a: gain within +-a, offset within +-a/2 of full scale, for set-points and readings each.
struct AccuracyConfig {
  double class_of_full_scale = 0.0;  // 0.001: 0.1 % of full scale
  double drift_per_K = 0.0;          // of the gain, from 25 degC on
  double step_of_full_scale = 0.0;   // resolution
  std::vector<double> ranges;        // full scales, rising; none: the rating is the only one
};

// The errors of each range of one quantity.
class Ranges {
 public:
  // `rating` ends the list when no range reaches it.
  Ranges(const AccuracyConfig& config, double rating, Noise& draw);

  [[nodiscard]] std::size_t count() const noexcept { return ranges_.size(); }
  // The smallest range that holds `most`; the last for more than that.
  [[nodiscard]] std::size_t range_for(double most) const noexcept;
  [[nodiscard]] double full_scale(std::size_t range) const noexcept { return ranges_[range].full_scale; }
  // `base` with the errors of a range added to it, at the instrument's own temperature.
  [[nodiscard]] MeterConfig setting(std::size_t range, const MeterConfig& base, double degC) const noexcept;
  [[nodiscard]] MeterConfig reading(std::size_t range, const MeterConfig& base, double degC) const noexcept;

 private:
  struct Error {
    double gain = 0.0, offset = 0.0;
  };
  struct Range {
    double full_scale = 0.0;
    Error setting, reading;
  };
  [[nodiscard]] MeterConfig with(const Error& error, double full_scale, const MeterConfig& base,
                                 double degC) const noexcept;
  double drift_per_K_, step_of_full_scale_;
  std::vector<Range> ranges_;
};

}  // namespace cyclerd::hil
