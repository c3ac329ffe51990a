// Charge and energy as one deterministic fold over (time, voltage, current). Defined here and nowhere else: live
// counters, recovery and exports all run this code, so they agree bit for bit.
#pragma once

#include <cstdint>

#include "profiles/record.hpp"
#include "protocols/base/rt.hpp"

namespace cyclerd::profiles {

// A sum with its rounding error carried along (Neumaier).
struct CompensatedSum {
  double sum = 0.0;
  double compensation = 0.0;

  void add(double x) noexcept RT_NONBLOCKING;
  [[nodiscard]] double value() const noexcept RT_NONBLOCKING { return sum + compensation; }
};

struct ThroughputSum {
  CompensatedSum charge_C, discharge_C, charge_J, discharge_J;
  [[nodiscard]] Throughput value() const noexcept RT_NONBLOCKING;
};

// Trapezoid between consecutive valid samples; an interval in which the current changes sign is split at the zero
// crossing, so charge never cancels discharge inside a scan. Over a gap (invalid samples, an outage, longer than
// kMaxInterval) nothing is integrated.
struct Fold {
  static constexpr std::int64_t kMaxInterval_us = 10'000'000;

  std::int64_t last_us = INT64_MIN;
  double last_voltage_V = 0.0;
  double last_current_A = 0.0;
  ThroughputSum test, step, cycle;

  void add(std::int64_t time_us, double voltage_V, double current_A) noexcept RT_NONBLOCKING;
  void break_here() noexcept RT_NONBLOCKING { last_us = INT64_MIN; }  // the next interval is not integrated
  void begin_step() noexcept RT_NONBLOCKING { step = {}; }
  void begin_cycle() noexcept RT_NONBLOCKING { cycle = {}; }
};

}  // namespace cyclerd::profiles
