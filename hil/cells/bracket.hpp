// A zero between two places of different sign: the Illinois variant of false position, bounded.
#pragma once

namespace cyclerd::hil {

// f is negative at 0 and positive at `end`. Returns a place where f >= 0, not further than `tolerance` behind the zero.
template <class Function>
[[nodiscard]] double first_zero(Function&& f, double at_start, double at_end, double end, double tolerance) noexcept {
  double low = 0.0, high = end;
  double f_low = at_start, f_high = at_end;
  int side = 0;
  for (int round = 0; round < 80 && high - low > tolerance; ++round) {
    double middle = round < 50 ? high - f_high * (high - low) / (f_high - f_low) : 0.5 * (low + high);
    if (!(middle > low && middle < high)) middle = 0.5 * (low + high);
    const double value = f(middle);
    if (value == 0.0) return middle;
    if (value > 0.0) {
      high = middle;
      f_high = value;
      if (side == 1) f_low *= 0.5;
      side = 1;
    } else {
      low = middle;
      f_low = value;
      if (side == -1) f_high *= 0.5;
      side = -1;
    }
  }
  return high;
}

}  // namespace cyclerd::hil
