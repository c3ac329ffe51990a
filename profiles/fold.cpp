#include "profiles/fold.hpp"

#include <cmath>

namespace cyclerd::profiles {

namespace {

// The trapezoid of one interval in which the current keeps its sign, or of one side of a zero crossing.
void add_to(ThroughputSum& total, double charge_C, double energy_J) noexcept RT_NONBLOCKING {
  if (charge_C > 0) total.charge_C.add(charge_C);
  if (charge_C < 0) total.discharge_C.add(-charge_C);
  if (energy_J > 0) total.charge_J.add(energy_J);
  if (energy_J < 0) total.discharge_J.add(-energy_J);
}

}  // namespace

void CompensatedSum::add(double x) noexcept RT_NONBLOCKING {
  const double next = sum + x;
  compensation += std::fabs(sum) >= std::fabs(x) ? (sum - next) + x : (x - next) + sum;
  sum = next;
}

Throughput ThroughputSum::value() const noexcept RT_NONBLOCKING {
  return {charge_C.value(), discharge_C.value(), charge_J.value(), discharge_J.value()};
}

void Fold::add(std::int64_t time_us, double voltage_V, double current_A) noexcept RT_NONBLOCKING {
  const bool joined = last_us != INT64_MIN && time_us > last_us && time_us - last_us <= kMaxInterval_us;
  if (joined) {
    const double half_s = static_cast<double>(time_us - last_us) / 2e6;
    const double before_W = last_voltage_V * last_current_A;
    const double after_W = voltage_V * current_A;
    if ((last_current_A > 0 && current_A < 0) || (last_current_A < 0 && current_A > 0)) {
      // The current is taken as a straight line: it is zero after this part of the interval, and so is the power.
      const double first_half_s = half_s * (last_current_A / (last_current_A - current_A));
      const double second_half_s = half_s - first_half_s;
      for (ThroughputSum* total : {&test, &step, &cycle}) {
        add_to(*total, last_current_A * first_half_s, before_W * first_half_s);
        add_to(*total, current_A * second_half_s, after_W * second_half_s);
      }
    } else {
      const double charge_C = (last_current_A + current_A) * half_s;
      const double energy_J = (before_W + after_W) * half_s;
      for (ThroughputSum* total : {&test, &step, &cycle}) add_to(*total, charge_C, energy_J);
    }
  }
  last_us = time_us;
  last_voltage_V = voltage_V;
  last_current_A = current_A;
}

}  // namespace cyclerd::profiles
