// Laws and numbers of the BLAST-Lite collection (NREL, BSD-3-Clause): K. Smith, P. Gasper et al.; each law names its
// paper. Only numbers are taken; where a published form can turn negative it is held at zero.
#include "hil/cells/ageing.hpp"

#include <algorithm>
#include <cmath>

namespace cyclerd::hil {
namespace {

constexpr double kGas = 8.314462618;

double positive(double k) {
  return std::isfinite(k) ? std::max(k, 0.0) : 0.0;
}

// Potential of the graphite against lithium that a state of charge means, V.
double graphite_V(double soc) {
  const double x = 0.0085 + std::clamp(soc, 0.0, 1.0) * (0.78 - 0.0085);
  return 0.6379 + 0.5416 * std::exp(-305.5309 * x) + 0.044 * std::tanh(-(x - 0.1958) / 0.1088) -
         0.1978 * std::tanh((x - 1.0571) / 0.0854) - 0.6875 * std::tanh((x + 0.0117) / 0.0529) -
         0.0175 * std::tanh((x - 0.5692) / 0.0875);
}

// Schmalstieg et al., J. Power Sources 257 (2014) 325: Sanyo UR18650E, NMC111/graphite. The cycle terms are over Ah
// of that cell: 2 EFC times its capacity.
constexpr double kSanyo_Ah = 2.05;
double schmalstieg_loss_days(const Stress& s) {
  return positive((7.543 * s.voltage_rms_V - 23.75) * 1e6 * std::exp(-6976.0 / s.temperature_K));
}
double schmalstieg_loss_cycles(const Stress& s) {
  const double off = s.voltage_rms_V - 3.667;
  return positive((7.348e-3 * off * off + 7.6e-4 + 4.081e-3 * s.depth) * std::sqrt(2.0 * kSanyo_Ah));
}
double schmalstieg_growth_days(const Stress& s) {
  return positive((5.27 * s.voltage_rms_V - 16.32) * 1e5 * std::exp(-5986.0 / s.temperature_K));
}
double schmalstieg_growth_cycles(const Stress& s) {
  const double off = s.voltage_rms_V - 3.725;
  return positive((2.153e-4 * off * off - 1.521e-5 + 2.798e-4 * s.depth) * 2.0 * kSanyo_Ah);
}

// 250 Ah prismatic LFP/graphite.
double lfp250_loss_days(const Stress& s) {
  return 8.37e4 * std::exp(-5210.0 / s.temperature_K) * std::exp(-3560.0 * graphite_V(s.soc) / s.temperature_K);
}
double lfp250_loss_cycles(const Stress& s) {
  return (4.38e-8 + 1.55e-8 * s.depth + 1.68e-7 * s.rate_per_h) *
         (std::exp(2190.0 / s.temperature_K) + std::exp(-1.55e5 / s.temperature_K));
}

// Naumann et al., J. Energy Storage 17 (2018) 153 and J. Power Sources 451 (2020) 227666: Sony/Murata US26650FTC1.
double naumann_growth_days(const Stress& s) {
  const double off = s.soc - 0.5;
  const double per_s = 3.4194e-10 * std::exp(-71827.0 / kGas * (1.0 / s.temperature_K - 1.0 / 298.15)) *
                       (-3.3903 * off * off * off + 1.5604);
  return positive(per_s * 86400.0);
}
double naumann_growth_cycles(const Stress& s) {
  const double off = s.depth - 0.5;
  return positive((-0.002 * s.rate_per_h + 0.0021) * (6.8477 * off * off * off + 0.91882) / 100.0);
}
double naumann_loss_cycles(const Stress& s) {
  // y = (q5 x)^p: k = q5^p
  const double c3 = s.rate_per_h * s.rate_per_h * s.rate_per_h;
  const double q5 = -6.8126e-6 + 2.59616e-5 * s.depth + 2.1156e-6 * std::exp(std::min(s.depth * s.depth * c3, 20.0));
  return std::pow(positive(q5), 1.12848);
}

// LG M50 (NMC811/graphite-SiOx); x is counted in units of 1e4 days and 1e4 EFC.
double lgm50_loss_days(const Stress& s) {
  const double t = s.temperature_K / 308.15, t3 = t * t * t;
  const double u = graphite_V(s.soc) / 0.123;
  const double z = std::clamp(s.soc, 0.0, 1.0);
  const double k = -2.39157 + 2.44205 * std::exp(t3 * std::pow(u, -1.0 / 3.0)) - 4.45998 * t3 / std::sqrt(u) +
                   0.44814 * std::exp(std::sqrt(z) / (t * t)) - 0.185338 * std::exp(z * z * z);
  return positive(k * std::pow(1e-4, 0.651698));
}
double lgm50_loss_cycles(const Stress& s) {
  const double t = s.temperature_K / 308.15;
  const double c = std::min(s.discharge_per_h, 5.0);
  return 0.181235 * std::exp(-0.123779 * c * c * c) * std::exp(1.244595 * t * t * t * std::sqrt(c)) *
         std::pow(1e-4, 0.441997);
}

// Nissan Leaf, LMO/graphite.
double leaf_loss_days(const Stress& s) {
  return 3.25e8 * std::exp(-7580.0 / s.temperature_K) * std::exp(162.0 * s.soc / s.temperature_K);
}

AgeingPart published(AgeingEffect effect, bool over_cycles, double exponent, double (*law)(const Stress&)) {
  AgeingPart part;
  part.effect = effect;
  part.over_cycles = over_cycles;
  part.exponent = exponent;
  part.rate = 1.0;
  part.law = law;
  return part;
}

constexpr std::array<std::string_view, 5> kLaws = {"nmc111-schmalstieg", "lfp-naumann", "lfp-250ah", "nmc811-lg-m50",
                                                   "lmo-leaf"};

}  // namespace

std::span<const std::string_view> ageing_laws() noexcept {
  return kLaws;
}

std::vector<AgeingPart> ageing_law(std::string_view word) {
  constexpr auto loss = AgeingEffect::capacity_loss;
  constexpr auto growth = AgeingEffect::resistance_growth;
  if (word == "nmc111-schmalstieg") {
    return {published(loss, false, 0.75, schmalstieg_loss_days), published(loss, true, 0.5, schmalstieg_loss_cycles),
            published(growth, false, 0.75, schmalstieg_growth_days),
            published(growth, true, 1.0, schmalstieg_growth_cycles)};
  }
  if (word == "lfp-naumann") {
    return {published(loss, true, 1.12848, naumann_loss_cycles), published(growth, false, 1.0, naumann_growth_days),
            published(growth, true, 1.0, naumann_growth_cycles)};
  }
  if (word == "lfp-250ah")
    return {published(loss, false, 0.526, lfp250_loss_days), published(loss, true, 0.828, lfp250_loss_cycles)};
  if (word == "nmc811-lg-m50")
    return {published(loss, false, 0.651698, lgm50_loss_days), published(loss, true, 0.441997, lgm50_loss_cycles)};
  if (word == "lmo-leaf") {
    AgeingPart cycles = published(loss, true, 1.08, nullptr);
    cycles.rate = 7.58e-5;
    return {published(loss, false, 0.464, leaf_loss_days), cycles};
  }
  return {};
}

double AgeingPart::factor(const Stress& s) const noexcept {
  if (law != nullptr) return rate * law(s);
  double k = rate;
  if (activation_K != 0.0) k *= std::exp(-activation_K * (1.0 / s.temperature_K - 1.0 / reference_K));
  if (soc_slope != 0.0) k *= std::exp(soc_slope * (s.soc - 0.5));
  if (depth_exponent != 0.0) k *= std::pow(s.depth, depth_exponent);
  if (rate_slope != 0.0) k *= std::exp(rate_slope * (s.rate_per_h - 1.0));
  return positive(k);
}

double advance_power_law(double y, double k, double exponent, double dx) noexcept {
  if (!(k > 0.0) || !(dx > 0.0)) return y;
  const double x = (y > 0.0 ? std::pow(y / k, 1.0 / exponent) : 0.0) + dx;
  const double next = k * std::pow(x, exponent);
  return std::isfinite(next) ? std::max(next, y) : y;
}

namespace {

constexpr double kDay_s = 86400.0;
constexpr double kTurn = 0.02;
// An update costs a microsecond: once in ten minutes of rest or 1/200 of a cycle.
constexpr double kWindow_days = 600.0 / kDay_s, kWindow_cycles = 0.005;

void follow_half_cycle(AgeingState& state, double soc) noexcept {
  if (state.direction == 0.0) {
    if (state.turn_soc < 0.0) state.turn_soc = soc;
    state.extreme_soc = soc;
    if (std::abs(soc - state.turn_soc) > kTurn) state.direction = soc > state.turn_soc ? 1.0 : -1.0;
    return;
  }
  const double beyond = (soc - state.extreme_soc) * state.direction;
  if (beyond > 0.0) state.extreme_soc = soc;
  if (beyond > -kTurn) return;
  state.last_swing = std::abs(state.extreme_soc - state.turn_soc);
  state.turn_soc = state.extreme_soc;
  state.extreme_soc = soc;
  state.direction = -state.direction;
  state.previous = state.present;
  state.present = {};
}

Stress stress_of(const AgeingState& state, double capacity_C) noexcept {
  Stress s;
  s.soc = state.window_soc_s / state.window_s;
  s.temperature_K = state.window_K_s / state.window_s;
  s.depth = std::clamp(std::max(state.last_swing, std::abs(state.extreme_soc - state.turn_soc)), 0.0, 1.0);
  const auto& a = state.present;
  const auto& b = state.previous;
  s.voltage_rms_V = std::sqrt((a.square_V2s + b.square_V2s) / (a.time_s + b.time_s));
  const double charge = a.charge_C + b.charge_C, discharge = a.discharge_C + b.discharge_C;
  if (charge > 0.0) s.rate_per_h = 3600.0 * (a.square_A2s + b.square_A2s) / charge / capacity_C;
  if (discharge > 0.0)
    s.discharge_per_h = 3600.0 * (a.discharge_square_A2s + b.discharge_square_A2s) / discharge / capacity_C;
  return s;
}

}  // namespace

void age(AgeingState& state, const AgeingSet& set, double capacity_C, const AgeingStep& step) noexcept {
  if (!(step.dt_s > 0.0) || !(set.acceleration > 0.0)) return;
  const double charge_C = std::abs(step.mean_A) * step.dt_s;
  auto& half = state.present;
  half.time_s += step.dt_s;
  half.square_V2s += step.voltage_V * step.voltage_V * step.dt_s;
  half.charge_C += charge_C;
  half.square_A2s += std::abs(step.mean_A) * charge_C;
  if (step.mean_A < 0.0) {
    half.discharge_C += charge_C;
    half.discharge_square_A2s += std::abs(step.mean_A) * charge_C;
  }
  state.window_s += step.dt_s;
  state.window_soc_s += step.soc * step.dt_s;
  state.window_K_s += step.temperature_K * step.dt_s;
  state.window_days += set.acceleration * step.dt_s / kDay_s;
  state.window_cycles += set.acceleration * charge_C / (2.0 * capacity_C);
  follow_half_cycle(state, step.soc);
  if (state.window_days < kWindow_days && state.window_cycles < kWindow_cycles) return;
  const Stress stress = stress_of(state, capacity_C);
  for (std::size_t i = 0; i < std::min(set.parts.size(), kMaxAgeingParts); ++i) {
    const AgeingPart& part = set.parts[i];
    const double dx = part.over_cycles ? state.window_cycles : state.window_days;
    state.part[i] = advance_power_law(state.part[i], part.factor(stress), part.exponent, dx);
  }
  state.days += state.window_days;
  state.cycles += state.window_cycles;
  state.window_days = state.window_cycles = state.window_s = state.window_soc_s = state.window_K_s = 0.0;
}

double aged_capacity_factor(const AgeingState& state, const AgeingSet& set) noexcept {
  double factor = 1.0;
  for (std::size_t i = 0; i < std::min(set.parts.size(), kMaxAgeingParts); ++i) {
    if (set.parts[i].effect == AgeingEffect::capacity_loss) factor -= state.part[i];
    if (set.parts[i].effect == AgeingEffect::capacity_gain) factor += state.part[i];
  }
  return std::clamp(factor, 0.05, 2.0);
}

double aged_resistance_factor(const AgeingState& state, const AgeingSet& set) noexcept {
  double factor = 1.0;
  for (std::size_t i = 0; i < std::min(set.parts.size(), kMaxAgeingParts); ++i) {
    if (set.parts[i].effect == AgeingEffect::resistance_growth) factor += state.part[i];
  }
  return std::min(factor, 100.0);
}

}  // namespace cyclerd::hil
