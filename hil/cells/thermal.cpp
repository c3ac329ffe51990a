#include "hil/cells/thermal.hpp"

#include <cmath>
#include <cstddef>

namespace cyclerd::hil {
namespace {

using Matrix3 = std::array<std::array<double, 3>, 3>;

// Makes a[p][q] zero by a rotation in that plane; `vectors` holds the eigenvectors as rows.
void rotate(Matrix3& a, Matrix3& vectors, std::size_t p, std::size_t q) noexcept {
  if (a[p][q] == 0.0) return;
  const double theta = 0.5 * (a[q][q] - a[p][p]) / a[p][q];
  const double t = (theta >= 0.0 ? 1.0 : -1.0) / (std::abs(theta) + std::sqrt(theta * theta + 1.0));
  const double c = 1.0 / std::sqrt(t * t + 1.0);
  const double s = t * c;
  for (std::size_t k = 0; k < 3; ++k) {
    const double kp = a[k][p], kq = a[k][q];
    a[k][p] = c * kp - s * kq;
    a[k][q] = s * kp + c * kq;
  }
  for (std::size_t k = 0; k < 3; ++k) {
    const double pk = a[p][k], qk = a[q][k];
    a[p][k] = c * pk - s * qk;
    a[q][k] = s * pk + c * qk;
    const double vp = vectors[p][k], vq = vectors[q][k];
    vectors[p][k] = c * vp - s * vq;
    vectors[q][k] = s * vp + c * vq;
  }
  a[p][q] = a[q][p] = 0.0;
}

}  // namespace

ThermalFactors thermal_factors(const ThermalSet& set, double dt_s) noexcept {
  const double a = -set.core_to_surface_W_per_K / set.core_J_per_K;
  const double b = -a;
  const double c = set.core_to_surface_W_per_K / set.surface_J_per_K;
  const double d = -(set.core_to_surface_W_per_K + set.surface_to_ambient_W_per_K) / set.surface_J_per_K;
  // Eigenvalues are real, negative and distinct because b c > 0.
  const double half_trace = 0.5 * (a + d);
  const double root = std::sqrt(0.25 * (a - d) * (a - d) + b * c);
  const double fast = half_trace - root;
  const double slow = half_trace + root;
  const double e_fast = std::exp(fast * dt_s);
  // (e^slow - e^fast) / (slow - fast), without cancellation in short steps and without 0 times infinity in long ones.
  const double apart = (slow - fast) * dt_s;
  const double mix = (apart < 1.0 ? e_fast * std::expm1(apart) : std::exp(slow * dt_s) - e_fast) / (slow - fast);
  return {e_fast + (a - fast) * mix, b * mix, c * mix, e_fast + (d - fast) * mix};
}

Temperatures thermal_step(const ThermalSet& set, const ThermalFactors& factors, Temperatures now, double heat_W,
                          double ambient_degC) noexcept {
  const double surface_rest = ambient_degC + heat_W / set.surface_to_ambient_W_per_K;
  const double core_rest = surface_rest + heat_W / set.core_to_surface_W_per_K;
  const double core = now.core_degC - core_rest;
  const double surface = now.surface_degC - surface_rest;
  return {core_rest + factors.core_core * core + factors.core_surface * surface,
          surface_rest + factors.surface_core * core + factors.surface_surface * surface,
          surface_rest + factors.surface_core * core + factors.surface_surface * surface};
}

ThermalModes thermal_modes(const ThermalSet& set) noexcept {
  ThermalModes modes;
  const double inner = set.core_to_surface_W_per_K;
  const double outer = set.surface_to_ambient_W_per_K;
  const double clamp = set.surface_to_fixture_W_per_K;
  const double rest = set.fixture_to_ambient_W_per_K;
  modes.root_capacity = {std::sqrt(set.core_J_per_K), std::sqrt(set.surface_J_per_K), std::sqrt(set.fixture_J_per_K)};
  const auto& root = modes.root_capacity;
  // Symmetric and positive definite: Jacobi's rotations, which keep small rates exact beside large ones.
  Matrix3 a{};
  a[0][0] = inner / set.core_J_per_K;
  a[1][1] = (inner + outer + clamp) / set.surface_J_per_K;
  a[2][2] = (clamp + rest) / set.fixture_J_per_K;
  a[0][1] = a[1][0] = -inner / (root[0] * root[1]);
  a[1][2] = a[2][1] = -clamp / (root[1] * root[2]);
  modes.vector = {{{1.0, 0.0, 0.0}, {0.0, 1.0, 0.0}, {0.0, 0.0, 1.0}}};
  for (int sweep = 0; sweep < 30; ++sweep) {
    for (std::size_t p = 0; p < 2; ++p) {
      for (std::size_t q = p + 1; q < 3; ++q) rotate(a, modes.vector, p, q);
    }
  }
  for (std::size_t k = 0; k < 3; ++k) modes.rate_per_s[k] = a[k][k];
  // All heat leaves through the surface: its rise is that of the two ways out in parallel.
  const double through_fixture = clamp > 0.0 ? clamp * rest / (clamp + rest) : 0.0;
  const double surface = 1.0 / (outer + through_fixture);
  modes.rise_K_per_W = {surface + 1.0 / inner, surface, surface * clamp / (clamp + rest)};
  return modes;
}

ThermalFactors thermal_factors(const ThermalModes& modes, double dt_s) noexcept {
  ThermalFactors factors;
  for (std::size_t k = 0; k < 3; ++k) {
    const double decay = std::exp(-modes.rate_per_s[k] * dt_s);
    const auto& v = modes.vector[k];
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j)
        factors.all[i][j] += v[i] * decay * v[j] * modes.root_capacity[j] / modes.root_capacity[i];
    }
  }
  return factors;
}

Temperatures thermal_step(const ThermalModes& modes, const ThermalFactors& factors, Temperatures now, double heat_W,
                          double ambient_degC) noexcept {
  std::array<double, 3> steady{}, off{}, next{};
  const std::array<double, 3> present{now.core_degC, now.surface_degC, now.fixture_degC};
  for (std::size_t i = 0; i < 3; ++i) {
    steady[i] = ambient_degC + heat_W * modes.rise_K_per_W[i];
    off[i] = present[i] - steady[i];
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& row = factors.all[i];
    next[i] = steady[i] + row[0] * off[0] + row[1] * off[1] + row[2] * off[2];
  }
  return {next[0], next[1], next[2]};
}

double heat_to_ambient_W(const ThermalSet& set, Temperatures now, double ambient_degC) noexcept {
  double heat = set.surface_to_ambient_W_per_K * (now.surface_degC - ambient_degC);
  if (set.has_fixture()) heat += set.fixture_to_ambient_W_per_K * (now.fixture_degC - ambient_degC);
  return heat;
}

}  // namespace cyclerd::hil
