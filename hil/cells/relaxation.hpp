// First-order lags driven by a straight line, solved exactly, and a sphere as a sum of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace cyclerd::hil {

// v' = (g - v) / tau over a step in which g runs straight: v = decay v + start g_start + end g_end.
struct Relaxation {
  double decay = 1.0;
  double start = 0.0;
  double end = 0.0;
};
// x = dt / tau
[[nodiscard]] Relaxation relaxation(double x) noexcept;

// A sphere with constant D that is filled evenly at rate r: its surface runs ahead of its mean by tau/15 r, tau =
// R^2/D, as a sum of modes with weights 10/lambda_k^2 and times tau/lambda_k^2 (tan lambda = lambda). Higher modes are
// gathered in groups: 0.7 % off after 1e-3 tau, 3 % after 1e-4 tau, and nothing is instantaneous.
inline constexpr std::size_t kSphereModes = 9;
struct SphereRelaxation {
  std::array<double, kSphereModes> decay{};
  std::array<double, kSphereModes> start{};  // weights included
  std::array<double, kSphereModes> end{};
  double start_sum = 0.0, end_sum = 0.0;
};
[[nodiscard]] SphereRelaxation sphere_relaxation(double x) noexcept;  // x = dt / tau

// A time constant that depends on the state is held to 1 part in 2000 for the decays (never for amplitudes), so that
// they need no exponential in every step and still are a function of the state alone.
class TimeBucket {
 public:
  explicit TimeBucket(double tau_s) noexcept;
  [[nodiscard]] double tau_s() const noexcept;
  bool operator==(const TimeBucket&) const = default;

 private:
  std::uint64_t bits_;
};

}  // namespace cyclerd::hil
