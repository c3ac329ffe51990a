// The ramp of a chamber whose controller has none: small set-points, one after the other. Pure; time comes from
// outside.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>

#include "protocols/base/time.hpp"

namespace cyclerd::device {

class HostRamp {
 public:
  // Set-points are not written more often than this: a controller's memory and a slow wire want to be spared.
  static constexpr base::Duration kPeriod = base::seconds(5);

  void begin(double from_degC, double to_degC, double rate_K_per_s, base::MonoTime now) noexcept {
    from_degC_ = from_degC;
    to_degC_ = to_degC;
    rate_K_per_s_ = rate_K_per_s;
    begun_ = now;
    written_ = now;
    active_ = true;
  }
  void stop() noexcept { active_ = false; }
  [[nodiscard]] bool active() const noexcept { return active_; }
  // Where the ramp has got to.
  [[nodiscard]] double at(base::MonoTime now) const noexcept {
    const double way_K = rate_K_per_s_ * (now - begun_).seconds();
    return std::abs(to_degC_ - from_degC_) <= way_K ? to_degC_
                                                    : from_degC_ + std::copysign(way_K, to_degC_ - from_degC_);
  }
  // The set-point to write now, if any; the last one is the target itself and ends the ramp.
  [[nodiscard]] std::optional<double> due(base::MonoTime now) noexcept {
    if (!active_ || now - written_ < kPeriod) return std::nullopt;
    written_ = now;
    const double next_degC = at(now);
    active_ = next_degC != to_degC_;
    return next_degC;
  }

 private:
  double from_degC_ = 0.0, to_degC_ = 0.0, rate_K_per_s_ = 0.0;
  base::MonoTime begun_, written_;
  bool active_ = false;
};

}  // namespace cyclerd::device
