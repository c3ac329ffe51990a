// Laws after O'Kane et al., Phys. Chem. Chem. Phys. 24 (2022) 7909, and Yang et al., J. Power Sources 360 (2017) 28
// (EC). Pores do not fill up.
#include "hil/cells/side_reactions.hpp"

#include <algorithm>
#include <cmath>

namespace cyclerd::hil {
namespace {

// e^x of a driving force: beyond 40 (a volt) the models say nothing any more.
double boosted(double x) {
  return std::exp(std::clamp(x, -40.0, 40.0));
}

}  // namespace

SideReactions::SideReactions(const ElectrochemicalSet& set, const Electrode& negative)
    : sei_(set.sei), plating_(set.plating), surface_m2_(negative.surface_m2) {
  if (set.foil) return;
  surface_per_m_ = set.negative.surface_per_m;
  plated_mol_per_m3_per_C_ = 1.0 / (kFaraday_C_per_mol * set.negative.thickness_m * set.area_m2);
}

Ageing SideReactions::fresh() const noexcept {
  Ageing a;
  if (sei_) a.sei_m = sei_->initial_thickness_m;
  return a;
}

double SideReactions::sei_activation_K() const noexcept {
  return sei_ ? sei_->activation_J_per_mol / kGas_J_per_mol_K : 0.0;
}

double SideReactions::plating_activation_K() const noexcept {
  return plating_ ? plating_->activation_J_per_mol / kGas_J_per_mol_K : 0.0;
}

double SideReactions::density_per_speed() const noexcept {
  return -sei_->lithium_per_sei * kFaraday_C_per_mol / sei_->molar_volume_m3_per_mol;
}

SideReactions::Growth SideReactions::growth(const Conditions& at, double surface_V) const noexcept {
  const SeiSet& s = *sei_;
  const double over_V = surface_V - s.potential_V;
  // as a current density: numerator / (flat + per_m L)
  Growth g;
  double numerator = 0.0;
  switch (s.law) {
    case SeiLaw::kReaction:
      numerator = s.exchange_A_per_m2 * boosted(-s.transfer_coefficient * at.F_RT_per_V * over_V);
      break;
    case SeiLaw::kSolventDiffusion:
      numerator = s.solvent_diffusivity_m2_per_s * s.solvent_mol_per_m3 * kFaraday_C_per_mol;
      g = {0.0, 0.0, 1.0};
      break;
    case SeiLaw::kEcReaction: {
      const double rate = s.ec_rate_m_per_s * boosted(-s.transfer_coefficient * at.F_RT_per_V * over_V);
      numerator = kFaraday_C_per_mol * s.ec_mol_per_m3 * rate;
      g.per_m = rate / s.ec_diffusivity_m2_per_s;
      break;
    }
    case SeiLaw::kInterstitial:
      numerator = s.interstitial_diffusivity_m2_per_s * s.interstitial_mol_per_m3 * kFaraday_C_per_mol *
                  boosted(-at.F_RT_per_V * surface_V);
      g = {0.0, 0.0, 1.0};
      break;
    case SeiLaw::kElectronMigration:
      numerator = s.electron_conductivity_S_per_m * std::max(-over_V, 0.0);
      g = {0.0, 0.0, 1.0};
      break;
  }
  g.speed = -numerator * at.sei_scale / density_per_speed();
  return g;
}

SideReactions::Rate SideReactions::sei_rate(const Ageing& a, const Conditions& at, double surface_V) const noexcept {
  if (!sei_) return {};
  const Growth g = growth(at, surface_V);
  const double denominator = g.flat + g.per_m * a.sei_m;
  Rate r;
  r.density = density_per_speed() * g.speed / denominator;
  switch (sei_->law) {
    case SeiLaw::kReaction:
    case SeiLaw::kEcReaction:
      r.slope = -sei_->transfer_coefficient * at.F_RT_per_V * r.density * g.flat / denominator;
      break;
    case SeiLaw::kInterstitial: r.slope = -at.F_RT_per_V * r.density; break;
    case SeiLaw::kElectronMigration:
      if (r.density < 0.0) r.slope = sei_->electron_conductivity_S_per_m * at.sei_scale / a.sei_m;
      break;
    case SeiLaw::kSolventDiffusion: break;
  }
  return r;
}

SideReactions::Rate SideReactions::plating_rate(const Ageing& a, const Conditions& at,
                                                double surface_V) const noexcept {
  if (!plating_) return {};
  const PlatingSet& p = *plating_;
  const double k = kFaraday_C_per_mol * p.rate_m_per_s * at.plating_scale;
  const double strip_per_V = (1.0 - p.transfer_plating) * at.F_RT_per_V;
  const double plate_per_V = p.transfer_plating * at.F_RT_per_V;
  const double stripped = k * plated_mol_per_m3_per_C_ * a.plated_C * boosted(strip_per_V * surface_V);
  const double plated = k * at.electrolyte_mol_per_m3 * boosted(-plate_per_V * surface_V);
  return {stripped - plated, strip_per_V * stripped + plate_per_V * plated};
}

SideReactions::Split SideReactions::split(const Electrode& negative, const Surface& surface, const Kinetics& kinetics,
                                          const Ageing& ageing, const Conditions& at, double density,
                                          std::uint32_t& flags) const noexcept {
  Split out;
  double inserted = density;
  out.electrode = potential(negative, surface, kinetics, inserted, flags);
  double side_slope = 0.0;
  if (!none()) {
    auto side = [&](double surface_V) {
      const Rate sei = sei_rate(ageing, at, surface_V), plating = plating_rate(ageing, at, surface_V);
      side_slope = sei.slope + plating.slope;
      return sei.density + plating.density;
    };
    double now = side(out.electrode.potential_V);
    // inserted + side(inserted) = density; the left side rises, and the root lies between these two.
    double low = std::min(density, density - now), high = std::max(density, density - now);
    for (int i = 0; i < 40; ++i) {
      const double excess = inserted + now - density;
      (excess > 0.0 ? high : low) = inserted;
      double next = inserted - excess / (1.0 + side_slope * out.electrode.slope_Ohm_m2);
      if (!(next >= low && next <= high)) next = 0.5 * (low + high);
      const bool near = std::abs(next - inserted) <= 1e-10 * (std::abs(density) + 1e-3);
      inserted = next;
      out.electrode = potential(negative, surface, kinetics, inserted, flags);
      if (near) break;
      now = side(out.electrode.potential_V);
    }
  }
  out.inserted_A_per_m2 = inserted;
  out.surface_V = out.electrode.potential_V;
  const double film = film_Ohm_m2(ageing);
  out.electrode.slope_Ohm_m2 = out.electrode.slope_Ohm_m2 / (1.0 + side_slope * out.electrode.slope_Ohm_m2) + film;
  out.electrode.potential_V += film * density;
  return out;
}

double SideReactions::advance(Ageing& a, const Conditions& at, double surface_V, double dt_s) const noexcept {
  double moved_C_per_m2 = 0.0;  // outward
  const double area_m2 = surface_m2_ * a.negative_share;
  if (sei_) {
    // flat L + per_m L^2 / 2 grows by speed dt
    const Growth g = growth(at, surface_V);
    const double b = g.flat + g.per_m * a.sei_m;
    const double grown = 2.0 * g.speed * dt_s / (b + std::sqrt(b * b + 2.0 * g.per_m * g.speed * dt_s));
    a.sei_m += grown;
    const double density_s = density_per_speed() * grown;
    a.sei_C -= density_s * area_m2;
    moved_C_per_m2 += density_s;
  }
  if (plating_) {
    const PlatingSet& p = *plating_;
    const double k = p.rate_m_per_s * at.plating_scale;
    const double plate = k * at.electrolyte_mol_per_m3 * boosted(-p.transfer_plating * at.F_RT_per_V * surface_V);
    const double strip = k * boosted((1.0 - p.transfer_plating) * at.F_RT_per_V * surface_V);
    double dying_per_s = p.dead_rate_per_s;
    if (sei_) dying_per_s *= sei_->initial_thickness_m / a.sei_m;
    // implicit in the plated lithium: it cannot go below nothing
    const double plate_C_per_s = kFaraday_C_per_mol * plate * area_m2;
    const double strip_per_s = strip * surface_per_m_ * a.negative_share;
    const double before_C = a.plated_C;
    const double after_C = (before_C + dt_s * plate_C_per_s) / (1.0 + dt_s * (strip_per_s + dying_per_s));
    const double died_C = dt_s * dying_per_s * after_C;
    a.plated_C = after_C;
    a.dead_C += died_C;
    moved_C_per_m2 -= (after_C - before_C + died_C) / area_m2;
  }
  return moved_C_per_m2 / dt_s;
}

}  // namespace cyclerd::hil
