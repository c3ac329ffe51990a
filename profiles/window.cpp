#include "profiles/window.hpp"

#include <algorithm>

namespace cyclerd::profiles {

void WindowState::add(std::int64_t time_us, double value, std::int64_t length_us) noexcept RT_NONBLOCKING {
  if (start_us == INT64_MIN) start_us = time_us;
  const std::int64_t part_us = std::max<std::int64_t>(1, length_us / kParts);
  const std::int64_t part = (time_us - start_us) / part_us;
  for (std::int64_t skipped = std::max(newest + 1, part - kParts); skipped <= part; ++skipped)
    parts[static_cast<std::size_t>(skipped % (kParts + 1))] = {};
  newest = part;
  last_us = time_us;
  Part& filled = parts[static_cast<std::size_t>(part % (kParts + 1))];
  filled.count += 1.0;
  filled.time_s += static_cast<double>(time_us - start_us) / 1e6;
  filled.value += value;
}

double WindowState::mean(std::int64_t length_us) const noexcept RT_NONBLOCKING {
  if (start_us == INT64_MIN || last_us - start_us < length_us) return base::kAbsent;
  double count = 0.0;
  double sum = 0.0;
  for (const Part& p : parts) {
    count += p.count;
    sum += p.value;
  }
  return sum / count;
}

double WindowState::rate(std::int64_t length_us) const noexcept RT_NONBLOCKING {
  if (start_us == INT64_MIN || last_us - start_us < length_us) return base::kAbsent;
  double count = 0.0;
  double time_s = 0.0;
  double sum = 0.0;
  for (const Part& p : parts) {
    count += p.count;
    time_s += p.time_s;
    sum += p.value;
  }
  const double middle_s = time_s / count;
  const double mean_value = sum / count;
  double together = 0.0;
  double spread = 0.0;
  for (const Part& p : parts) {
    if (!(p.count > 0)) continue;
    const double off_s = p.time_s / p.count - middle_s;
    together += p.count * off_s * (p.value / p.count - mean_value);
    spread += p.count * off_s * off_s;
  }
  return together / spread;
}

}  // namespace cyclerd::profiles
