// Two clocks, two types: monotonic decides, wall labels. All times are microseconds.
#pragma once

#include <compare>
#include <cstdint>

namespace cyclerd::base {

struct Duration {
  std::int64_t us = 0;

  constexpr auto operator<=>(const Duration&) const = default;
  constexpr Duration operator+(Duration o) const { return {us + o.us}; }
  constexpr Duration operator-(Duration o) const { return {us - o.us}; }
  constexpr Duration operator*(std::int64_t k) const { return {us * k}; }
  constexpr Duration operator/(std::int64_t k) const { return {us / k}; }
  [[nodiscard]] constexpr double seconds() const { return static_cast<double>(us) * 1e-6; }
};

constexpr Duration microseconds(std::int64_t n) {
  return {n};
}
constexpr Duration milliseconds(std::int64_t n) {
  return {n * 1000};
}
constexpr Duration seconds(std::int64_t n) {
  return {n * 1'000'000};
}
constexpr Duration hours(std::int64_t n) {
  return {n * 3'600'000'000};
}

// Microseconds of CLOCK_MONOTONIC since boot (or since the start of a simulation). Decides everything.
struct MonoTime {
  std::int64_t us = 0;

  constexpr auto operator<=>(const MonoTime&) const = default;
  constexpr Duration operator-(MonoTime o) const { return {us - o.us}; }
  constexpr MonoTime operator+(Duration d) const { return {us + d.us}; }
  constexpr MonoTime operator-(Duration d) const { return {us - d.us}; }
};

// Microseconds since the Unix epoch (UTC). Only labels; never used to decide.
struct WallTime {
  std::int64_t us = 0;

  constexpr auto operator<=>(const WallTime&) const = default;
};

}  // namespace cyclerd::base
