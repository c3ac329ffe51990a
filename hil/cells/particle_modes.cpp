// Surface minus mean of a sphere with inward flux g: modes that decay at l^2 D / R^2, each driven by 2 g / R, with
// tan l = l; what modes beyond the lumps add follows the flux at once.
#include "hil/cells/particle_modes.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cyclerd::hil {
namespace {

// Diffusivity is rounded to this share, so that a slow change of temperature does not cost forty exponentials a step.
// The rounding depends on nothing but the value: the same state always goes on in the same way.
constexpr double kGrain = 1e-3;

// Each lump reaches that much further than the one before.
constexpr double kLumpReach = 1.6;

struct Spectrum {
  std::array<double, kModes> squared{};  // decay rate over D / R^2
  std::array<double, kModes> weight{};   // 1 / l^2 of one mode, the sum of that over the modes of a lump
  double remainder = 0.1;                // 1/10 - sum of the weights
};

Spectrum make_spectrum() {
  Spectrum s;
  for (std::size_t k = 0; k < kExactModes; ++k) {
    const double above = (static_cast<double>(k) + 1.5) * std::numbers::pi;
    double l = above - 1.0 / above;
    for (int i = 0; i < 20; ++i) l -= (std::sin(l) - l * std::cos(l)) / (l * std::sin(l));
    s.squared[k] = l * l;
    s.weight[k] = 1.0 / (l * l);
    s.remainder -= s.weight[k];
  }
  // From here the modes lie a pi apart: the sum of 1/l^2 from `begin` on is 1 / (pi begin).
  double begin = 1.0 / (std::numbers::pi * s.remainder);
  for (std::size_t k = kExactModes; k < kModes; ++k) {
    const double end = kLumpReach * begin;
    s.squared[k] = begin * end;
    s.weight[k] = (1.0 / begin - 1.0 / end) / std::numbers::pi;
    s.remainder -= s.weight[k];
    begin = end;
  }
  return s;
}

const Spectrum kSpectrum = make_spectrum();

}  // namespace

ParticleModes::ParticleModes(const Electrode& electrode)
    : radius_m_(electrode.radius_m), diffusivity_(electrode.diffusivity_m2_per_s) {}

double ParticleModes::diffusivity(double mean, double scale) noexcept {
  const double asked = diffusivity_.at(mean) * scale;
  if (asked != asked_m2_per_s_) {
    asked_m2_per_s_ = asked;
    rounded_m2_per_s_ =
        diffusivity_.constant() && scale == 1.0 ? asked : std::exp(kGrain * std::round(std::log(asked) / kGrain));
  }
  return rounded_m2_per_s_;
}

const ParticleModes::Factors& ParticleModes::factors(double dt_s, double diffusivity) noexcept {
  for (const Factors& f : cache_) {
    if (f.dt_s == dt_s && f.diffusivity == diffusivity) return f;
  }
  Factors& f = cache_[next_in_cache_];
  next_in_cache_ = (next_in_cache_ + 1) % cache_.size();
  f.dt_s = dt_s;
  f.diffusivity = diffusivity;
  const double rate = diffusivity * dt_s / (radius_m_ * radius_m_);
  for (std::size_t k = 0; k < kModes; ++k) {
    const double x = kSpectrum.squared[k] * rate;
    const double gone = -std::expm1(-x);
    // 1 - (1 - e^-x)/x: the share of the end flux; a series where the difference would cancel.
    const double end = x < 1e-3 ? x * (0.5 - x * (1.0 / 6.0 - x / 24.0)) : 1.0 - gone / x;
    const double final_value = 2.0 * radius_m_ / diffusivity * kSpectrum.weight[k];
    f.decay[k] = 1.0 - gone;
    f.weight_end[k] = final_value * end;
    f.weight_start[k] = final_value * (gone - end);
  }
  return f;
}

bool ParticleModes::advance(ModeState& modes, double start, double end, double diffusivity_scale,
                            double dt_s) noexcept {
  const double moved = 1.5 * (start + end) * dt_s / radius_m_;
  double taken = 1.0;
  const double reached = modes.mean + moved;
  if (reached < kStoichiometryMin || reached > kStoichiometryMax) {
    const double bound = reached > kStoichiometryMax ? kStoichiometryMax : kStoichiometryMin;
    taken = std::clamp((bound - modes.mean) / moved, 0.0, 1.0);
  }
  const Factors& f = factors(dt_s, diffusivity(modes.mean, diffusivity_scale));
  const double from = taken * start, to = taken * end;
  for (std::size_t k = 0; k < kModes; ++k)
    modes.deviation[k] = f.decay[k] * modes.deviation[k] + f.weight_start[k] * from + f.weight_end[k] * to;
  modes.mean += taken * moved;
  return taken == 1.0;
}

Surface ParticleModes::surface(const ModeState& modes, double diffusivity_scale) noexcept {
  double sum = 0.0;
  for (double d : modes.deviation) sum += d;
  return {modes.mean + sum, 2.0 * kSpectrum.remainder * radius_m_ / diffusivity(modes.mean, diffusivity_scale)};
}

double ParticleModes::response_s_per_m(const ModeState& modes, double diffusivity_scale, double dt_s) noexcept {
  const Factors& f = factors(dt_s, diffusivity(modes.mean, diffusivity_scale));
  double sum = 1.5 * dt_s / radius_m_;
  for (double w : f.weight_end) sum += w;
  return sum;
}

}  // namespace cyclerd::hil
