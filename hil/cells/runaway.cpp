#include "hil/cells/runaway.hpp"

#include <algorithm>
#include <cmath>

namespace cyclerd::hil {
namespace {

constexpr double kKelvin = 273.15;
// Colder, nothing reacts in the years that a test lasts (60 degC: 1e-6 of the SEI in a second).
constexpr double kReactsAbove_degC = 60.0;
constexpr double kHottest_degC = 1500.0;
constexpr double kInner_K = 1.0;
constexpr int kMaxInner = 2000;

struct Rates {
  double sei = 0.0, anode = 0.0, cathode = 0.0;  // 1/s, of what is left (cathode: of a (1 - a))
};

Rates rates(const RunawaySet& set, const RunawayState& s, double core_degC) {
  const double inverse_K = 1.0 / (core_degC + kKelvin);
  auto arrhenius = [inverse_K](const RunawaySet::Reaction& r) {
    return r.frequency_per_s * std::exp(-r.activation_K * inverse_K);
  };
  return {arrhenius(set.sei), arrhenius(set.anode) * std::exp(-s.film / set.film_scale), arrhenius(set.cathode)};
}

double power_W(const RunawaySet& set, const RunawayState& s, const Rates& r) {
  return set.sei.heat_J * s.sei * r.sei + set.anode.heat_J * s.anode * r.anode +
         set.cathode.heat_J * s.cathode * (1.0 - s.cathode) * r.cathode;
}

// Exact at constant temperature and film.
double burn(const RunawaySet& set, RunawayState& s, const Rates& r, double h_s) {
  const double sei = s.sei * -std::expm1(-r.sei * h_s);
  const double anode = s.anode * -std::expm1(-r.anode * h_s);
  const double grown = std::exp(std::min(r.cathode * h_s, 700.0));
  const double cathode_end = s.cathode >= 1.0 ? 1.0 : s.cathode * grown / (1.0 + s.cathode * (grown - 1.0));
  const double cathode = cathode_end - s.cathode;
  s.sei -= sei;
  s.anode -= anode;
  s.film += anode;
  s.cathode = cathode_end;
  return set.sei.heat_J * sei + set.anode.heat_J * anode + set.cathode.heat_J * cathode;
}

}  // namespace

RunawayState fresh(const RunawaySet& set) noexcept {
  return {set.sei_start, set.anode_start, set.film_start, set.cathode_start, false};
}

double heating_W(const RunawaySet& set, const RunawayState& state, double core_degC) noexcept {
  if (!(core_degC > kReactsAbove_degC)) return 0.0;
  return power_W(set, state, rates(set, state, std::min(core_degC, kHottest_degC)));
}

double react(const RunawaySet& set, RunawayState& s, double core_degC, double surface_degC, double dt_s) noexcept {
  double heat_J = 0.0, done_s = 0.0;
  for (int round = 0; round < kMaxInner && done_s < dt_s && core_degC > kReactsAbove_degC; ++round) {
    const Rates now = rates(set, s, core_degC);
    const double q_W = power_W(set, s, now);
    if (q_W / set.core_J_per_K >= set.collapse_K_per_s) s.collapsed = true;
    const double out_W = set.core_to_surface_W_per_K * (core_degC - surface_degC);
    const double slope = (q_W - out_W) / set.core_J_per_K;
    // Neither the temperature nor what is left may change much; a reaction that is over limits nothing.
    double fastest = std::abs(slope) / kInner_K + 1e-12;
    auto limit = [&](double rate, double heat) {
      if (heat > 0.1) fastest = std::max(fastest, rate / 0.1);
    };
    limit(now.sei, set.sei.heat_J * s.sei);
    limit(now.anode, set.anode.heat_J * s.anode);
    limit(now.cathode, set.cathode.heat_J * s.cathode * (1.0 - s.cathode));
    const double h_s = std::min(dt_s - done_s, 1.0 / fastest);
    const double set_free_J = burn(set, s, now, h_s);
    heat_J += set_free_J;
    const double keep = std::exp(-set.core_to_surface_W_per_K / set.core_J_per_K * h_s);
    core_degC = surface_degC + (core_degC - surface_degC) * keep + set_free_J / set.core_J_per_K;
    core_degC = std::min(core_degC, kHottest_degC);
    done_s += h_s;
  }
  if (done_s < dt_s && s.collapsed) heat_J += burn(set, s, rates(set, s, core_degC), dt_s - done_s);
  return heat_J;
}

}  // namespace cyclerd::hil
