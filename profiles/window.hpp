// A look back over the step that runs: mean and slope of a quantity over a declared time, in a bounded memory.
#pragma once

#include <array>
#include <cstdint>

#include "protocols/base/rt.hpp"
#include "protocols/base/sample.hpp"

namespace cyclerd::profiles {

// The window moves on in sixteenths of its length: it holds the last 16 whole ones and the one that is being filled.
// Part of the executor's state: a plain value.
struct WindowState {
  static constexpr std::int64_t kParts = 16;
  struct Part {
    double count = 0.0;
    double time_s = 0.0;  // sums over the samples
    double value = 0.0;
  };
  std::int64_t start_us = INT64_MIN;  // of the first sample; INT64_MIN: none yet
  std::int64_t newest = 0;            // number of the part that is being filled, from 0
  std::int64_t last_us = 0;
  std::array<Part, kParts + 1> parts{};

  void add(std::int64_t time_us, double value, std::int64_t length_us) noexcept RT_NONBLOCKING;
  // NaN until samples span the whole length.
  [[nodiscard]] double mean(std::int64_t length_us) const noexcept RT_NONBLOCKING;
  // Per second: the least-squares line through the means of the parts, weighted by their samples.
  [[nodiscard]] double rate(std::int64_t length_us) const noexcept RT_NONBLOCKING;
};

}  // namespace cyclerd::profiles
