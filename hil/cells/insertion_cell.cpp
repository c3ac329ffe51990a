#include "hil/cells/insertion_cell.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "protocols/base/check.hpp"

namespace cyclerd::hil {
namespace {

constexpr double kKelvin = 273.15;
// Of the active material, the last is never lost: a current must flow somewhere.
constexpr double kShareMin = 0.01;

double activation_K(double J_per_mol) {
  return J_per_mol / kGas_J_per_mol_K;
}

SideReactions::Conditions conditions(const Instant& now) noexcept {
  return {2.0 / now.warmth.two_RT_F_V, now.warmth.sei, now.warmth.plating, now.salt.negative_mol_per_m3};
}

Kinetics kinetics(const Instant& now, double by_temperature, double by_salt) noexcept {
  return {now.warmth.two_RT_F_V, by_temperature * by_salt, now.warmth.above_reference_K};
}

}  // namespace

InsertionParameters::InsertionParameters(ElectrochemicalSet given)
    : set(std::move(given)),
      negative(negative_electrode(set)),
      positive(positive_electrode(set)),
      side(set, negative),
      half_gap_V(set.hysteresis ? UniformCurve(set.hysteresis->half_gap_V) : UniformCurve()),
      capacity_C(set.capacity_C()),
      one_C_A(capacity_C / 3600.0) {
  empty_V = hil::open_circuit_V(positive, positive.empty, 0.0) - hil::open_circuit_V(negative, negative.empty, 0.0);
  full_V = hil::open_circuit_V(positive, positive.full, 0.0) - hil::open_circuit_V(negative, negative.full, 0.0);
  auto loses = [](const ActiveLoss& l) { return l.per_s != 0.0 || l.per_full_throughput != 0.0; };
  ages = !side.none() || loses(negative.loss) || loses(positive.loss);
}

Warmth warmth_at(const InsertionParameters& p, double core_degC) noexcept {
  Warmth w;
  w.core_degC = core_degC;
  w.kelvin = core_degC + kKelvin;
  const double x = 1.0 / p.set.reference_K - 1.0 / w.kelvin;
  w.diffusivity_negative = arrhenius(p.negative.diffusivity_activation_K, x);
  w.diffusivity_positive = arrhenius(p.positive.diffusivity_activation_K, x);
  w.exchange_negative = arrhenius(p.negative.exchange_activation_K, x);
  w.exchange_positive = arrhenius(p.positive.exchange_activation_K, x);
  w.salt_diffusivity = arrhenius(activation_K(p.set.electrolyte.diffusivity_activation_J_per_mol), x);
  w.conductivity = arrhenius(activation_K(p.set.electrolyte.conductivity_activation_J_per_mol), x);
  w.electronic_Ohm = p.set.contact_resistance_Ohm +
                     p.negative.solid_Ohm / arrhenius(p.negative.conductivity_activation_K, x) +
                     p.positive.solid_Ohm / arrhenius(p.positive.conductivity_activation_K, x);
  w.two_RT_F_V = 2.0 * kGas_J_per_mol_K * w.kelvin / kFaraday_C_per_mol;
  w.above_reference_K = w.kelvin - p.set.potential_reference_K;
  // 25 degC is not exactly 298.15 K in binary: do not read entropy tables for a rounding.
  if (std::abs(w.above_reference_K) < 1e-9) w.above_reference_K = 0.0;
  w.sei = arrhenius(p.side.sei_activation_K(), x);
  w.plating = arrhenius(p.side.plating_activation_K(), x);
  return w;
}

TerminalAnswer answer_at(const InsertionParameters& p, const Ageing& ageing, const Instant& now, double gap_V,
                         double current_A, std::uint32_t& flags) noexcept {
  const double negative_per_A = p.negative.density_per_A / ageing.negative_share;
  const double positive_per_A = p.positive.density_per_A / ageing.positive_share;
  const SideReactions::Split negative =
      p.side.split(p.negative, now.negative, kinetics(now, now.warmth.exchange_negative, now.salt.exchange_negative),
                   ageing, conditions(now), negative_per_A * current_A, flags);
  const ElectrodePotential positive =
      potential(p.positive, now.positive, kinetics(now, now.warmth.exchange_positive, now.salt.exchange_positive),
                positive_per_A * current_A, flags);
  const double series_Ohm = now.salt.resistance_Ohm + now.warmth.electronic_Ohm;
  TerminalAnswer a;
  a.voltage_V =
      positive.potential_V - negative.electrode.potential_V + now.salt.concentration_V + gap_V + series_Ohm * current_A;
  a.resistance_Ohm =
      positive.slope_Ohm_m2 * positive_per_A - negative.electrode.slope_Ohm_m2 * negative_per_A + series_Ohm;
  a.per_negative_V = -negative.electrode.per_stoichiometry_V;
  a.per_positive_V = positive.per_stoichiometry_V;
  return a;
}

double negative_flux(const InsertionParameters& p, const Ageing& ageing, double current_A) noexcept {
  return p.negative.flux_per_density * p.negative.density_per_A / ageing.negative_share * current_A;
}

double positive_flux(const InsertionParameters& p, const Ageing& ageing, double current_A) noexcept {
  return p.positive.flux_per_density * p.positive.density_per_A / ageing.positive_share * current_A;
}

double react(const InsertionParameters& p, Ageing& ageing, const Instant& now, double mean_A, double dt_s) noexcept {
  const double density = p.negative.density_per_A / ageing.negative_share * mean_A;
  std::uint32_t ignored = 0;
  const SideReactions::Conditions at = conditions(now);
  const SideReactions::Split split =
      p.side.split(p.negative, now.negative, kinetics(now, now.warmth.exchange_negative, now.salt.exchange_negative),
                   ageing, at, density, ignored);
  const double side = p.side.advance(ageing, at, split.surface_V, dt_s);
  return p.negative.flux_per_density * (density - side);
}

void lose_material(const InsertionParameters& p, Ageing& ageing, double kelvin, double negative_mean,
                   double positive_mean, double mean_A, double dt_s) noexcept {
  const double x = 1.0 / p.set.reference_K - 1.0 / kelvin;
  auto lose = [&](const Electrode& e, double& share, double mean) {
    if (e.loss.per_s == 0.0 && e.loss.per_full_throughput == 0.0) return;
    const double rate_per_s = e.loss.per_s * arrhenius(activation_K(e.loss.activation_J_per_mol), x) +
                              e.loss.per_full_throughput * std::abs(mean_A) / e.capacity_C;
    const double left = std::max(share * std::exp(-rate_per_s * dt_s), std::min(share, kShareMin));
    const double gone = share - left;
    share = left;
    ageing.lost_C += e.capacity_C * gone * mean;
  };
  lose(p.negative, ageing.negative_share, negative_mean);
  lose(p.positive, ageing.positive_share, positive_mean);
}

StoichiometryWindow present_window(const InsertionParameters& p, const Ageing& ageing, double negative_mean,
                                   double positive_mean) noexcept {
  if (!p.ages) return {p.negative.empty, p.positive.empty, p.negative.full, p.positive.full};
  const double positive_C = p.positive.capacity_C * ageing.positive_share;
  const double negative_C = p.negative.capacity_C * ageing.negative_share;
  const double per_positive = p.negative.foil ? 0.0 : positive_C / negative_C;
  auto negative_at = [&](double y) { return negative_mean + per_positive * (positive_mean - y); };
  auto voltage = [&](double y) {
    return open_circuit_V(p.positive, y, 0.0) - open_circuit_V(p.negative, negative_at(y), 0.0);
  };
  // Falls with y. Held where an electrode is full or empty.
  double low = 0.0, high = 1.0;
  if (per_positive > 0.0) {
    low = std::clamp(positive_mean - (1.0 - negative_mean) / per_positive, 0.0, 1.0);
    high = std::clamp(positive_mean + negative_mean / per_positive, low, 1.0);
  }
  auto root = [&](double target_V) {
    double a = low, b = high;
    for (int i = 0; i < 60; ++i) {
      const double middle = 0.5 * (a + b);
      (voltage(middle) > target_V ? a : b) = middle;
    }
    return 0.5 * (a + b);
  };
  const double full = root(p.full_V);
  const double empty = std::max(root(p.empty_V), full + 1e-6);
  return {negative_at(empty), empty, negative_at(full), full};
}

double hysteresis_after(const InsertionParameters& p, double hysteresis, double start_A, double end_A,
                        double dt_s) noexcept {
  if (!p.set.hysteresis || p.set.hysteresis->rate == 0.0) return hysteresis;
  // Of charge moved only, so exact for any current that keeps its sign; one that crosses zero is taken in two parts.
  auto move = [&p](double from, double charge_C) {
    const double keep = std::exp(-p.set.hysteresis->rate * std::abs(charge_C) / p.capacity_C);
    return charge_C >= 0.0 ? 1.0 - (1.0 - from) * keep : -1.0 + (1.0 + from) * keep;
  };
  if (start_A * end_A >= 0.0) return move(hysteresis, 0.5 * (start_A + end_A) * dt_s);
  const double crossing_s = dt_s * start_A / (start_A - end_A);
  return move(move(hysteresis, 0.5 * start_A * crossing_s), 0.5 * end_A * (dt_s - crossing_s));
}

}  // namespace cyclerd::hil
