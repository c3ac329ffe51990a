// The shells thin out towards the surface in a geometric row, so that the first tenth of a second after a change of
// current is resolved as well as the hours after. Distances between neighbours and the extrapolation to the surface
// are chosen so that a parabola, the shape that a constant current ends in, is exact on any such grid.
#include "hil/cells/particle_shells.hpp"

#include <cmath>

#include "hil/cells/tridiagonal.hpp"

namespace cyclerd::hil {
namespace {

// Each shell that much thicker than its outer neighbour; the outermost is then 0.0009 of the radius.
constexpr double kGrowth = 1.35;

struct Grid {
  std::array<double, kShells> volume{};       // over R^3, of a full turn / 4 pi: they sum to 1/3
  std::array<double, kShells> conductance{};  // face area over distance, between i and i+1, over R
  // surface = w_last x[last] + w_before x[before] + w_gradient (dx/dr R)
  double w_last = 1.0, w_before = 0.0, w_gradient = 0.0;
};

double power_mean(double inner, double outer, int power) {
  // mean of r^power over the shell
  const double n = power + 3.0;
  return 3.0 / n * (std::pow(outer, n) - std::pow(inner, n)) / (std::pow(outer, 3) - std::pow(inner, 3));
}

Grid make_grid() {
  std::array<double, kShells + 1> face{};
  double thickness = 1.0;
  double depth = 0.0;
  for (std::size_t i = kShells; i-- > 0;) {
    depth += thickness;
    thickness *= kGrowth;
    face[i] = depth;
  }
  for (double& f : face) f = 1.0 - f / depth;
  Grid grid;
  for (std::size_t i = 0; i < kShells; ++i) grid.volume[i] = (std::pow(face[i + 1], 3) - std::pow(face[i], 3)) / 3.0;
  for (std::size_t i = 0; i + 1 < kShells; ++i) {
    const double f = face[i + 1];
    // x = r^2 has the gradient 2 f at the face.
    const double distance = (power_mean(f, face[i + 2], 2) - power_mean(face[i], f, 2)) / (2.0 * f);
    grid.conductance[i] = f * f / distance;
  }
  // x = s + a (r - 1) + b (r - 1)^2 with the gradient a known: two shell means give s and b.
  auto moments = [&face](std::size_t i) {
    const double first = power_mean(face[i], face[i + 1], 1), second = power_mean(face[i], face[i + 1], 2);
    return std::array{first - 1.0, second - 2.0 * first + 1.0};
  };
  const auto last = moments(kShells - 1), before = moments(kShells - 2);
  const double determinant = before[1] - last[1];
  grid.w_last = before[1] / determinant;
  grid.w_before = -last[1] / determinant;
  grid.w_gradient = -(before[1] * last[0] - last[1] * before[0]) / determinant;
  return grid;
}

const Grid kGrid = make_grid();

}  // namespace

ParticleShells::ParticleShells(const Electrode& electrode)
    : radius_m_(electrode.radius_m), diffusivity_(electrode.diffusivity_m2_per_s) {}

double ParticleShells::mean(const ShellState& shells) noexcept {
  double sum = 0.0;
  for (std::size_t i = 0; i < kShells; ++i) sum += kGrid.volume[i] * shells[i];
  return 3.0 * sum;
}

// For the change of each shell, not its content: a uniform particle stays uniform to the last bit, and what is stored
// changes by the flux alone.
void ParticleShells::solve(ShellState& shells, double flux, double dt_over_R2, double dt_over_R) const noexcept {
  std::array<double, kShells> off;
  std::array<double, kShells> diagonal = kGrid.volume;
  std::array<double, kShells> change;
  if (diffusivity_.constant()) {
    const double scale = dt_over_R2 * diffusivity_.at(0.0);
    for (std::size_t i = 0; i + 1 < kShells; ++i) off[i] = scale * kGrid.conductance[i];
  } else {
    for (std::size_t i = 0; i + 1 < kShells; ++i)
      off[i] = dt_over_R2 * kGrid.conductance[i] * diffusivity_.at(0.5 * (shells[i] + shells[i + 1]));
  }
  double inflow = 0.0;
  for (std::size_t i = 0; i + 1 < kShells; ++i) {
    const double outflow = off[i] * (shells[i] - shells[i + 1]);
    change[i] = inflow - outflow;
    inflow = outflow;
    diagonal[i] += off[i];
    diagonal[i + 1] += off[i];
  }
  change[kShells - 1] = inflow + flux * dt_over_R;
  solve_tridiagonal(kShells, diagonal, off, change);
  for (std::size_t i = 0; i < kShells; ++i) shells[i] += change[i];
}

// The extremes sit at the surface and, seldom, at the centre.
bool ParticleShells::in_bounds(const ShellState& shells) noexcept {
  const double surface = shells[kShells - 1];
  return surface >= kStoichiometryMin && surface <= kStoichiometryMax;
}

bool ParticleShells::advance(ShellState& shells, double flux_m_per_s, double diffusivity_scale,
                             double dt_s) const noexcept {
  const ShellState before = shells;
  const double dt_over_R2 = dt_s * diffusivity_scale / (radius_m_ * radius_m_);
  const double dt_over_R = dt_s / radius_m_;
  solve(shells, flux_m_per_s, dt_over_R2, dt_over_R);
  if (in_bounds(shells)) return true;
  // The step is linear in the flux: what part of it leads just to the bound?
  ShellState without = before;
  solve(without, 0.0, dt_over_R2, dt_over_R);
  const double at = without[kShells - 1];
  const double reached = shells[kShells - 1];
  const double bound = reached > kStoichiometryMax ? kStoichiometryMax : kStoichiometryMin;
  const double taken = std::fmin(std::fmax((bound - at) / (reached - at), 0.0), 1.0);
  for (std::size_t i = 0; i < kShells; ++i) shells[i] = without[i] + taken * (shells[i] - without[i]);
  return false;
}

Surface ParticleShells::surface(const ShellState& shells, double diffusivity_scale) const noexcept {
  Surface s;
  s.at_rest = kGrid.w_last * shells[kShells - 1] + kGrid.w_before * shells[kShells - 2];
  s.per_flux_s_per_m = kGrid.w_gradient * radius_m_ / (diffusivity_.at(shells[kShells - 1]) * diffusivity_scale);
  return s;
}

double ParticleShells::response_s_per_m(const ShellState& shells, double diffusivity_scale,
                                        double dt_s) const noexcept {
  const double diffusivity = diffusivity_.at(shells[kShells - 1]) * diffusivity_scale;
  // Of a sphere over one implicit step: R/D / (l coth l - 1).
  const double l = radius_m_ / std::sqrt(diffusivity * dt_s);
  const double denominator = l < 1e-2 ? l * l / 3.0 : l / std::tanh(l) - 1.0;
  return radius_m_ / (diffusivity * denominator);
}

}  // namespace cyclerd::hil
