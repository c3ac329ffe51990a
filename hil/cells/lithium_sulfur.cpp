#include "hil/cells/lithium_sulfur.hpp"

#include <algorithm>
#include <cmath>

namespace cyclerd::hil {
namespace {

constexpr double kFaraday = 96485.33212, kGas = 8.314462618;
constexpr double kFourF = 4.0 * kFaraday;
constexpr double kSulfur_g_per_mol = 32.0;
// g of sulfur per A s: S8 to S4; S4 to S2 and S.
constexpr double kHigh = 8.0 * kSulfur_g_per_mol / kFourF;
constexpr double kLow4 = 4.0 * kSulfur_g_per_mol / kFourF;
constexpr double kLow2 = 2.0 * kSulfur_g_per_mol / kFourF;
constexpr double kLow1 = 2.0 * kSulfur_g_per_mol / kFourF;
// Seeds that never dissolve; otherwise a long charge would leave less than a molecule.
constexpr double kLastSeed_g = 1e-12;

// Five stages, order 4, error estimate of order 3, L-stable, the last stage is the result: Hairer and Wanner, Solving
// Ordinary Differential Equations II, table IV.6.5.
constexpr std::size_t kStages = 5;
constexpr double kGamma = 0.25;
constexpr double kNode[kStages] = {1.0 / 4.0, 3.0 / 4.0, 11.0 / 20.0, 1.0 / 2.0, 1.0};
constexpr double kA[kStages][kStages] = {{1.0 / 4.0},
                                         {1.0 / 2.0, 1.0 / 4.0},
                                         {17.0 / 50.0, -1.0 / 25.0, 1.0 / 4.0},
                                         {371.0 / 1360.0, -137.0 / 2720.0, 15.0 / 544.0, 1.0 / 4.0},
                                         {25.0 / 24.0, -49.0 / 48.0, 125.0 / 16.0, -85.0 / 12.0, 1.0 / 4.0}};
constexpr double kEmbedded[kStages] = {59.0 / 48.0, -17.0 / 96.0, 225.0 / 32.0, -85.0 / 12.0, 0.0};

// 1e-5 of a species is 60 nV; less than a picogram decides nothing.
constexpr double kRelative = 1e-5, kAbsolute_g = 1e-12;
constexpr int kMaxNewton = 100;
constexpr int kMaxInner = 2000;
constexpr double kLongestInner_s = 20000.0, kShortestInner_s = 1e-9;
constexpr double kLogMin = -650.0, kLogMax = 10.0;

using Matrix = SulfurChemistry::Matrix;

// Gauss with row pivots; false when singular.
bool solve(Matrix& a, SulfurMasses& x) noexcept {
  for (std::size_t k = 0; k < 5; ++k) {
    std::size_t pivot = k;
    for (std::size_t r = k + 1; r < 5; ++r) {
      if (std::abs(a[r][k]) > std::abs(a[pivot][k])) pivot = r;
    }
    if (!(std::abs(a[pivot][k]) > 0.0)) return false;
    if (pivot != k) {
      std::swap(a[pivot], a[k]);
      std::swap(x[pivot], x[k]);
    }
    for (std::size_t r = k + 1; r < 5; ++r) {
      const double factor = a[r][k] / a[k][k];
      if (factor == 0.0) continue;
      for (std::size_t c = k + 1; c < 5; ++c) a[r][c] -= factor * a[k][c];
      x[r] -= factor * x[k];
    }
  }
  for (std::size_t k = 5; k-- > 0;) {
    for (std::size_t c = k + 1; c < 5; ++c) x[k] -= a[k][c] * x[c];
    x[k] /= a[k][k];
    if (!std::isfinite(x[k])) return false;
  }
  return true;
}

}  // namespace

SulfurChemistry::SulfurChemistry(const SulfurParameters& p) : p_(p) {
  thermal_V_ = kGas * p.temperature_K / kFourF;
  b_per_V_ = 0.5 / thermal_V_;
  const double g_per_L = kSulfur_g_per_mol * p.volume_L;
  high_bias_V_ = p.high_V + thermal_V_ * std::log(16.0 * g_per_L / 8.0);
  low_bias_V_ = p.low_V + thermal_V_ * std::log(2.0 * g_per_L * g_per_L / 4.0);
  high_0_A_ = 2.0 * p.high_A_per_m2 * p.area_m2;
  low_0_A_ = 2.0 * p.low_A_per_m2 * p.area_m2;
  decomposition_V_ = 0.5 * (p.decomposition_low_V + p.decomposition_high_V);
  decomposition_0_A_ = 1.0 / std::sinh(b_per_V_ * (p.decomposition_high_V - decomposition_V_));
  precipitation_ = p.precipitation_per_s / (p.volume_L * p.density_g_per_L);
}

// The voltage at which the partial currents add up: a quadratic in e^(b V), because all have the same b.
SulfurInstant SulfurChemistry::at(const SulfurMasses& m, double current_A) const noexcept {
  SulfurInstant x;
  const double l8 = std::log(m[kS8]), l4 = std::log(m[kS4]), l2 = std::log(m[kS2]), l1 = std::log(m[kS]);
  x.high_V = high_bias_V_ + thermal_V_ * (l8 - 2.0 * l4);
  x.low_V = low_bias_V_ + thermal_V_ * (l4 - l2 - 2.0 * l1);
  const double middle_V = 0.5 * (x.high_V + x.low_V);
  const double e_high = std::exp(-b_per_V_ * (x.high_V - middle_V));
  const double e_low = 1.0 / e_high;
  const double e_other = std::exp(-b_per_V_ * (decomposition_V_ - middle_V));
  const double up = high_0_A_ * e_high + low_0_A_ * e_low + decomposition_0_A_ * e_other;
  const double down = high_0_A_ / e_high + low_0_A_ / e_low + decomposition_0_A_ / e_other;
  const double root = std::sqrt(current_A * current_A + up * down);
  const double e_V = current_A > 0.0 ? down / (current_A + root) : (root - current_A) / up;
  x.voltage_V = middle_V + std::log(e_V) / b_per_V_;
  auto branch = [e_V](double exchange_A, double e, double& partial_A) {
    const double z = e_V * e;
    partial_A = -0.5 * exchange_A * (z - 1.0 / z);
    return 0.5 * exchange_A * (z + 1.0 / z);
  };
  x.high_S = b_per_V_ * branch(high_0_A_, e_high, x.high_A);
  x.low_S = b_per_V_ * branch(low_0_A_, e_low, x.low_A);
  x.all_S = x.high_S + x.low_S + b_per_V_ * branch(decomposition_0_A_, e_other, x.decomposition_A);
  x.resistance_Ohm = 1.0 / x.all_S;
  return x;
}

double SulfurChemistry::shuttle_per_s(double current_A) const noexcept {
  return current_A > 0.0 ? p_.shuttle_discharge_per_s : p_.shuttle_per_s;
}

double SulfurChemistry::shuttle_A(const SulfurMasses& m, double current_A) const noexcept {
  return shuttle_per_s(current_A) * m[kS8] / kHigh;
}

double SulfurChemistry::charge_C(const SulfurMasses& m) const noexcept {
  // S8 first to S4, then all S4 on: one electron, then two more.
  return m[kS8] * (1.0 / kHigh + 1.0 / kLow4) + m[kS4] / kLow4;
}

double SulfurChemistry::precipitation_g_per_s(const SulfurMasses& m) const noexcept {
  const double excess_g = m[kS] - p_.saturation_g;
  const double seeds_g = excess_g >= 0.0 ? m[kPrecipitate] : std::max(m[kPrecipitate] - kLastSeed_g, 0.0);
  return precipitation_ * seeds_g * excess_g;
}

double SulfurChemistry::heat_W(const SulfurMasses& m, double current_A) const noexcept {
  const SulfurInstant x = at(m, current_A);
  const double per_g_J = 4.0 * kFaraday * thermal_V_ / kSulfur_g_per_mol;  // RT/M
  return x.high_A * (x.high_V - x.voltage_V) + x.low_A * (x.low_V - x.voltage_V) + shuttle_A(m, current_A) * x.high_V +
         precipitation_g_per_s(m) * per_g_J * std::log(m[kS] / p_.saturation_g) +
         x.decomposition_A * (decomposition_V_ - x.voltage_V);
}

SulfurMasses SulfurChemistry::rested(double charge_C, const SulfurMasses& like, double seed_g) const noexcept {
  const double total_g = like[kS8] + like[kS4] + like[kS2] + like[kS] + like[kPrecipitate];
  const double tie_g = like[kS] + like[kPrecipitate] - like[kS2];
  const double low_end = std::max(tie_g, -tie_g) + 2.0 * kLastSeed_g;
  const double s8_most_g = total_g - low_end;
  const double most_C = s8_most_g * (1.0 / kHigh + 1.0 / kLow4);
  const double held_C = std::clamp(charge_C, 1e-9 * most_C, (1.0 - 1e-7) * most_C);
  auto with_s8 = [&](double s8_g) {
    SulfurMasses m{};
    m[kS8] = s8_g;
    m[kS4] = kLow4 * held_C - s8_g * (kLow4 / kHigh + 1.0);
    const double rest_g = total_g - m[kS8] - m[kS4];
    m[kS2] = 0.5 * (rest_g - tie_g);
    const double sulfide_g = 0.5 * (rest_g + tie_g);
    const double seed = std::min(seed_g, 0.5 * sulfide_g);
    m[kS] = std::min(sulfide_g - seed, p_.saturation_g);
    m[kPrecipitate] = sulfide_g - m[kS];
    return m;
  };
  // S4 runs out at the upper end, S2 and S at the lower one (when the charge is more than S4 alone can hold).
  const double per_s8 = kLow4 / kHigh + 1.0;
  double high = kLow4 * held_C / per_s8;
  double low = std::max((kLow4 * held_C - s8_most_g) / (per_s8 - 1.0), high * 1e-60);
  // Between them E_H - E_L rises with S8; halved on the finer of both scales.
  for (int round = 0; round < 400 && high - low > 1e-16 * high; ++round) {
    const double middle = high > 4.0 * low ? std::sqrt(high * low) : 0.5 * (high + low);
    const SulfurMasses m = with_s8(middle);
    if (!(m[kS4] > 0.0)) {
      high = middle;
    } else if (!(m[kS2] > 0.0 && m[kS] > 0.0)) {
      low = middle;
    } else {
      const SulfurInstant x = at(m, 0.0);
      (x.high_V > x.low_V ? high : low) = middle;
    }
  }
  SulfurMasses m = with_s8(low);
  for (double& mass : m) mass = std::max(mass, 1e-200);
  return m;
}

// Mass matrix of the logarithms less gamma h times the Jacobian.
SulfurChemistry::Matrix SulfurChemistry::matrix(const SulfurMasses& m, const SulfurInstant& x, double shuttle,
                                                double gamma_h_s) const noexcept {
  // d(partial current)/d(E_k), then over the logarithms: E_H has 1, -2 (S8, S4), E_L 1, -1, -2 (S4, S2, S).
  const double hh = x.high_S * (x.all_S - x.high_S) / x.all_S * thermal_V_;
  const double ll = x.low_S * (x.all_S - x.low_S) / x.all_S * thermal_V_;
  const double hl = -x.high_S * x.low_S / x.all_S * thermal_V_;
  const SulfurMasses high = {hh, hl - 2.0 * hh, -hl, -2.0 * hl, 0.0};
  const SulfurMasses low = {hl, ll - 2.0 * hl, -ll, -2.0 * ll, 0.0};
  const double excess_g = m[kS] - p_.saturation_g;
  const bool dissolving = excess_g < 0.0;
  const double seeds_g = dissolving ? std::max(m[kPrecipitate] - kLastSeed_g, 0.0) : m[kPrecipitate];
  const double by_s = precipitation_ * seeds_g * m[kS];
  const double by_p = seeds_g > 0.0 ? precipitation_ * m[kPrecipitate] * excess_g : 0.0;
  Matrix a{};
  for (std::size_t c = 0; c < 5; ++c) {
    a[kS8][c] = gamma_h_s * kHigh * high[c];
    a[kS4][c] = gamma_h_s * (kLow4 * low[c] - kHigh * high[c]);
    a[kS2][c] = -gamma_h_s * kLow2 * low[c];
    a[kS][c] = -gamma_h_s * kLow1 * low[c];
    a[c][c] += m[c];
  }
  a[kS8][kS8] += gamma_h_s * shuttle * m[kS8];
  a[kS4][kS8] -= gamma_h_s * shuttle * m[kS8];
  a[kS][kS] += gamma_h_s * by_s;
  a[kS][kPrecipitate] += gamma_h_s * by_p;
  a[kPrecipitate][kS] -= gamma_h_s * by_s;
  a[kPrecipitate][kPrecipitate] -= gamma_h_s * by_p;
  return a;
}

// Newton on the logarithms of the masses, which cannot become negative; the residual stays in masses, so that what the
// equations conserve is conserved.
bool SulfurChemistry::solve_stage(Stage& stage, const SulfurMasses& known, double gamma_h_s) const noexcept {
  SulfurMasses& m = stage.mass_g;
  SulfurMasses logs;
  for (std::size_t k = 0; k < 5; ++k) logs[k] = std::log(m[k]);
  const double shuttle = shuttle_per_s(stage.current_A);
  for (int round = 0; round < kMaxNewton; ++round) {
    const SulfurInstant x = at(m, stage.current_A);
    const double precipitating = precipitation_g_per_s(m);
    const SulfurMasses rate = {-kHigh * x.high_A - shuttle * m[kS8],
                               kHigh * x.high_A + shuttle * m[kS8] - kLow4 * x.low_A, kLow2 * x.low_A,
                               kLow1 * x.low_A - precipitating, precipitating};
    SulfurMasses change{};
    for (std::size_t k = 0; k < 5; ++k) change[k] = known[k] + gamma_h_s * rate[k] - m[k];
    Matrix a = matrix(m, x, shuttle, gamma_h_s);
    if (!solve(a, change)) return false;
    double largest = 0.0;
    for (double d : change) largest = std::max(largest, std::abs(d));
    const double damping = largest > 8.0 ? 8.0 / largest : 1.0;
    for (std::size_t k = 0; k < 5; ++k) {
      logs[k] = std::clamp(logs[k] + damping * change[k], kLogMin, kLogMax);
      m[k] = std::exp(logs[k]);
    }
    if (largest <= 1e-8) {
      for (std::size_t k = 0; k < 5; ++k) stage.rate[k] = (m[k] - known[k]) / gamma_h_s;
      return true;
    }
  }
  return false;
}

bool SulfurChemistry::inner_step(SulfurMasses& mass_g, double start_A, double end_A, double h_s, double& error,
                                 double& heat_J, double& decomposed_C) const noexcept {
  std::array<Stage, kStages> stage;
  heat_J = decomposed_C = 0.0;
  for (std::size_t s = 0; s < kStages; ++s) {
    SulfurMasses known = mass_g;
    for (std::size_t k = 0; k < 5; ++k) {
      for (std::size_t j = 0; j < s; ++j) known[k] += h_s * kA[s][j] * stage[j].rate[k];
    }
    stage[s].mass_g = s == 0 ? mass_g : stage[s == 2 ? 0 : s - 1].mass_g;
    stage[s].current_A = start_A + (end_A - start_A) * kNode[s];
    if (!solve_stage(stage[s], known, kGamma * h_s)) return false;
    heat_J += h_s * kA[kStages - 1][s] * heat_W(stage[s].mass_g, stage[s].current_A);
    decomposed_C += h_s * kA[kStages - 1][s] * std::abs(at(stage[s].mass_g, stage[s].current_A).decomposition_A);
  }
  // Of the logarithms, through the matrix of the last stage: what relaxes faster than the step has no error.
  SulfurMasses difference{};
  for (std::size_t k = 0; k < 5; ++k) {
    for (std::size_t s = 0; s < kStages; ++s)
      difference[k] += h_s * (kA[kStages - 1][s] - kEmbedded[s]) * stage[s].rate[k];
  }
  const Stage& last = stage.back();
  Matrix a = matrix(last.mass_g, at(last.mass_g, last.current_A), shuttle_per_s(last.current_A), kGamma * h_s);
  if (!solve(a, difference)) return false;
  error = 0.0;
  for (std::size_t k = 0; k < 5; ++k)
    error = std::max(error, std::abs(difference[k]) / (kRelative + kAbsolute_g / last.mass_g[k]));
  mass_g = stage.back().mass_g;
  return std::isfinite(error);
}

SulfurChemistry::Advance SulfurChemistry::advance(SulfurMasses& mass_g, double& try_s, double start_A, double end_A,
                                                  double dt_s) const noexcept {
  Advance out;
  double done_s = 0.0;
  for (int round = 0; round < kMaxInner && done_s < dt_s; ++round) {
    const double left_s = dt_s - done_s;
    const double wanted_s = std::clamp(try_s, kShortestInner_s, kLongestInner_s);
    // The last one ends the step; two equal ones rather than a long and a tiny one.
    const double h_s = wanted_s >= left_s ? left_s : (2.0 * wanted_s > left_s ? 0.5 * left_s : wanted_s);
    const double slope = (end_A - start_A) / dt_s;
    SulfurMasses next = mass_g;
    double error = 0.0, heat_J = 0.0, decomposed_C = 0.0;
    const bool solved =
        inner_step(next, start_A + slope * done_s, start_A + slope * (done_s + h_s), h_s, error, heat_J, decomposed_C);
    if (!solved || (error > 1.0 && h_s > kShortestInner_s)) {
      try_s = h_s * (solved ? std::clamp(0.9 * std::pow(error, -0.25), 0.1, 0.9) : 0.25);
      if (!solved && h_s <= kShortestInner_s) break;
      continue;
    }
    mass_g = next;
    done_s = h_s == left_s ? dt_s : done_s + h_s;
    out.heat_J += heat_J;
    out.decomposed_C += decomposed_C;
    const double grown_s = h_s * (error > 1e-8 ? std::min(0.9 * std::pow(error, -0.25), 5.0) : 5.0);
    // A step cut short by the end of dt_s says nothing against the longer one.
    try_s = h_s < wanted_s ? std::max(wanted_s, grown_s) : grown_s;
    try_s = std::clamp(try_s, kShortestInner_s, kLongestInner_s);
  }
  out.whole = done_s >= dt_s;
  return out;
}

}  // namespace cyclerd::hil
