// Parts of the single-particle models against closed forms: diffusion in a sphere, side reactions, loss of material.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "hil/cells/cell_model.hpp"
#include "hil/cells/particle_modes.hpp"
#include "hil/cells/particle_shells.hpp"
#include "hil/cells/tridiagonal.hpp"
#include "tests/unit/hil/chen2020.hpp"

namespace cyclerd::hil {
namespace {

using test::chen2020;
using test::electrochemical;

// Surface minus mean of a sphere of radius 1 and diffusivity 1 with unit inward flux since t: the whole series.
double exact_rise(double t) {
  constexpr int kTerms = 4000;
  double sum = 2.0 / (M_PI * M_PI * (kTerms + 1.0));  // the terms beyond: all of them are in equilibrium
  for (int k = 1; k <= kTerms; ++k) {
    const double above = (k + 0.5) * M_PI;
    double l = above - 1.0 / above;
    for (int i = 0; i < 6; ++i) l -= (std::sin(l) - l * std::cos(l)) / (l * std::sin(l));
    sum += 2.0 / (l * l) * -std::expm1(-l * l * t);
  }
  return sum;
}

struct Sphere {
  Electrode electrode = positive_electrode(chen2020());
  double flux_m_per_s = 2e-11;
  double radius_m = electrode.radius_m, diffusivity = 4e-15;
  [[nodiscard]] double rise(double t_s) const {
    return flux_m_per_s * radius_m / diffusivity * exact_rise(diffusivity * t_s / (radius_m * radius_m));
  }
};

TEST(ParticleModes, RiseAsTheSeriesDoesAfterAStepOfCurrent) {
  const Sphere s;
  for (double t_s : {0.1, 1.0, 10.0, 100.0, 1000.0, 20000.0}) {
    ParticleModes modes(s.electrode);
    ModeState state;
    ASSERT_TRUE(modes.advance(state, s.flux_m_per_s, s.flux_m_per_s, 1.0, t_s));
    const Surface surface = modes.surface(state, 1.0);
    const double rise = surface.at_rest + surface.per_flux_s_per_m * s.flux_m_per_s - state.mean;
    EXPECT_NEAR(rise / s.rise(t_s), 1.0, t_s <= 1.0 ? 0.01 : 1e-3) << t_s;
    EXPECT_NEAR(state.mean, 0.5 + 3.0 * s.flux_m_per_s * t_s / s.radius_m, 1e-12);
  }
}

TEST(ParticleModes, ARampIsExactInOneStep) {
  const Sphere s;
  ParticleModes one(s.electrode), many(s.electrode);
  ModeState a, b;
  ASSERT_TRUE(one.advance(a, -s.flux_m_per_s, 3.0 * s.flux_m_per_s, 1.0, 500.0));
  for (int k = 0; k < 1000; ++k) {
    const double from = -1.0 + 4e-3 * k, to = from + 4e-3;
    ASSERT_TRUE(many.advance(b, from * s.flux_m_per_s, to * s.flux_m_per_s, 1.0, 0.5));
  }
  EXPECT_NEAR(a.mean, b.mean, 1e-13);
  for (std::size_t k = 0; k < kModes; ++k) EXPECT_NEAR(a.deviation[k], b.deviation[k], 1e-13);
}

TEST(ParticleShells, RiseAsTheSeriesDoesAfterAStepOfCurrent) {
  const Sphere s;
  const ParticleShells shells(s.electrode);
  for (double t_s : {0.1, 1.0, 10.0, 100.0, 1000.0, 20000.0}) {
    ShellState state;
    state.fill(0.5);
    const int steps = 2000;  // so many that the error is the grid's
    for (int k = 0; k < steps; ++k) ASSERT_TRUE(shells.advance(state, s.flux_m_per_s, 1.0, t_s / steps));
    const Surface surface = shells.surface(state, 1.0);
    const double rise = surface.at_rest + surface.per_flux_s_per_m * s.flux_m_per_s - ParticleShells::mean(state);
    EXPECT_NEAR(rise / s.rise(t_s), 1.0, t_s < 1.0 ? 0.02 : t_s < 1000.0 ? 0.01 : 1e-3) << t_s;
    EXPECT_NEAR(ParticleShells::mean(state), 0.5 + 3.0 * s.flux_m_per_s * t_s / s.radius_m, 1e-12);
  }
}

TEST(ParticleShells, AnEvenParticleStaysEvenToTheLastBit) {
  const ParticleShells shells(positive_electrode(chen2020()));
  ShellState state;
  state.fill(0.3);
  for (int k = 0; k < 1000; ++k) ASSERT_TRUE(shells.advance(state, 0.0, 1.0, 30.0));
  for (double x : state) EXPECT_EQ(x, 0.3);
}

TEST(ParticleShells, DiffusivityOverConcentrationKeepsTheLithium) {
  ElectrochemicalSet set = chen2020();
  set.positive.diffusivity_m2_per_s = sampled([](double y) { return 4e-15 * std::exp(-3.0 * y); }, 0.0, 1.0, 101);
  const ParticleShells shells(positive_electrode(set));
  ShellState state;
  state.fill(0.3);
  for (int k = 0; k < 1000; ++k) ASSERT_TRUE(shells.advance(state, 1e-10, 1.0, 3.0));
  EXPECT_NEAR(ParticleShells::mean(state), 0.3 + 3.0 * 1e-10 * 3000.0 / 5.22e-6, 1e-12);
  // In the end the profile carries the flux: D dx/dr = g r / R.
  EXPECT_GT(state[kShells - 1], state[0] + 0.05);
}

TEST(ParticleShells, AreHeldAtTheBoundAndSaySo) {
  const ParticleShells shells(positive_electrode(chen2020()));
  ShellState state;
  state.fill(0.9);
  EXPECT_FALSE(shells.advance(state, 1e-3, 1.0, 60.0));
  for (double x : state) EXPECT_LE(x, kStoichiometryMax + 1e-12);
  EXPECT_NEAR(state[kShells - 1], kStoichiometryMax, 1e-12);
}

TEST(Tridiagonal, SolvesEvenAndOddNumbersOfRows) {
  for (std::size_t n : {2U, 3U, 4U, 7U, 20U}) {
    std::array<double, 20> diagonal{}, off{}, x{}, wanted{}, right{};
    for (std::size_t i = 0; i < n; ++i) wanted[i] = std::sin(1.0 + static_cast<double>(i));
    for (std::size_t i = 0; i < n; ++i) off[i] = 1.0 + 0.3 * static_cast<double>(i);
    for (std::size_t i = 0; i < n; ++i) {
      diagonal[i] = 0.1 + off[i] + (i > 0 ? off[i - 1] : 0.0);
      right[i] = diagonal[i] * wanted[i];
      if (i > 0) right[i] -= off[i - 1] * wanted[i - 1];
      if (i + 1 < n) right[i] -= off[i] * wanted[i + 1];
    }
    x = right;
    solve_tridiagonal(n, diagonal, off, x);
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(x[i], wanted[i], 1e-12) << n << " " << i;
  }
}

ElectrochemicalSet with_sei(SeiLaw law) {
  ElectrochemicalSet set = chen2020();
  set.sei.emplace();
  set.sei->law = law;
  return set;
}

double rested_thickness_m(const ElectrochemicalSet& set, double total_s, double dt_s, double soc = 0.8) {
  auto cell = electrochemical(*make_spme_model(set), {soc, 25.0});
  for (double t = 0.0; t < total_s - 0.5 * dt_s; t += dt_s) step(*cell, 0.0, 0.0, dt_s);
  return cell->inventory().ageing.sei_m;
}

TEST(Sei, LimitedBySolventDiffusionGrowsAsTheRootOfTime) {
  const ElectrochemicalSet set = with_sei(SeiLaw::kSolventDiffusion);
  const SeiSet& s = *set.sei;
  const double k =
      2.0 * s.molar_volume_m3_per_mol / s.lithium_per_sei * s.solvent_diffusivity_m2_per_s * s.solvent_mol_per_m3;
  for (double dt_s : {60.0, 3600.0, 86400.0}) {
    const double expected_m = std::sqrt(s.initial_thickness_m * s.initial_thickness_m + k * 30.0 * 86400.0);
    EXPECT_NEAR(rested_thickness_m(set, 30.0 * 86400.0, dt_s) / expected_m, 1.0, 1e-9) << dt_s;
  }
}

TEST(Sei, LimitedByTheReactionGrowsEvenly) {
  ElectrochemicalSet set = with_sei(SeiLaw::kReaction);
  set.sei->exchange_A_per_m2 = 1.5e-10;  // so slow that the potential stays
  const SeiSet& s = *set.sei;
  auto cell = electrochemical(*make_spme_model(set), {0.8, 25.0});
  const double potential_V = set.negative.ocp_V.clamped(cell->inventory().negative_stoichiometry);
  const double f = kFaraday_C_per_mol / (kGas_J_per_mol_K * 298.15);
  const double per_s = s.molar_volume_m3_per_mol / (s.lithium_per_sei * kFaraday_C_per_mol) * s.exchange_A_per_m2 *
                       std::exp(-0.5 * f * (potential_V - s.potential_V));
  for (int k = 0; k < 240; ++k) step(*cell, 0.0, 0.0, 3600.0);
  EXPECT_NEAR((cell->inventory().ageing.sei_m - s.initial_thickness_m) / (per_s * 240.0 * 3600.0), 1.0, 1e-3);
}

TEST(Sei, EveryLawGrowsAndItsLithiumIsThatOfItsVolume) {
  for (SeiLaw law : {SeiLaw::kReaction, SeiLaw::kSolventDiffusion, SeiLaw::kEcReaction, SeiLaw::kInterstitial,
                     SeiLaw::kElectronMigration}) {
    const ElectrochemicalSet set = with_sei(law);
    auto cell = electrochemical(*make_spme_model(set), {0.8, 25.0});
    const Inventory before = cell->inventory();
    for (int k = 0; k < 200; ++k) step(*cell, 0.0, 0.0, 3600.0);
    const Inventory after = cell->inventory();
    const double grown_m = after.ageing.sei_m - set.sei->initial_thickness_m;
    EXPECT_GT(grown_m, 1e-12) << static_cast<int>(law);
    const double surface_m2 = set.negative.surface_per_m * set.negative.thickness_m * set.area_m2;
    EXPECT_NEAR(after.ageing.sei_C,
                grown_m * surface_m2 * set.sei->lithium_per_sei * kFaraday_C_per_mol / set.sei->molar_volume_m3_per_mol,
                1e-9 * after.ageing.sei_C);
    EXPECT_NEAR(before.negative_C - after.negative_C, after.ageing.sei_C, 1e-6);
    EXPECT_LT(cell->readout().capacity_C, set.capacity_C());
    EXPECT_GT(cell->readout().resistance_growth, 0.0);
  }
}

TEST(Sei, IsAResistanceInSeries) {
  ElectrochemicalSet set = chen2020();
  auto plain = electrochemical(*make_spme_model(set), {0.5, 25.0});
  set = with_sei(SeiLaw::kSolventDiffusion);
  set.sei->solvent_diffusivity_m2_per_s = 1e-40;
  auto film = electrochemical(*make_spme_model(set), {0.5, 25.0});
  const double surface_m2 = set.negative.surface_per_m * set.negative.thickness_m * set.area_m2;
  EXPECT_NEAR(film->terminal(5.0).resistance_Ohm - plain->terminal(5.0).resistance_Ohm, 5e-9 * 2e5 / surface_m2, 1e-9);
}

ElectrochemicalSet with_plating() {
  ElectrochemicalSet set = chen2020();
  set.plating.emplace();
  set.plating->dead_rate_per_s = 0.0;
  return set;
}

TEST(Plating, IsNothingWhenItIsOff) {
  auto cell = electrochemical(*make_spme_model(chen2020()), {0.5, 0.0});
  for (int k = 0; k < 600; ++k) step(*cell, 5.0, 5.0, 1.0);
  const Ageing a = cell->inventory().ageing;
  EXPECT_EQ(a.plated_C, 0.0);
  EXPECT_EQ(a.dead_C, 0.0);
  EXPECT_EQ(a.sei_C, 0.0);
  EXPECT_EQ(a.lost_C, 0.0);
}

TEST(Plating, HappensWhenChargedFastInTheColdAndIsStrippedAfterwards) {
  auto cold = electrochemical(*make_spme_model(with_plating()), {0.6, -5.0});
  auto warm = electrochemical(*make_spme_model(with_plating()), {0.6, 35.0});
  for (int k = 0; k < 600; ++k) {
    step(*cold, 5.0, 5.0, 1.0);
    step(*warm, 5.0, 5.0, 1.0);
  }
  const double plated_C = cold->inventory().ageing.plated_C;
  EXPECT_GT(plated_C, 5.0 * warm->inventory().ageing.plated_C);
  EXPECT_GT(plated_C, 1.0);
  for (int k = 0; k < 3600; ++k) step(*cold, -2.0, -2.0, 1.0);
  EXPECT_LT(cold->inventory().ageing.plated_C, 0.05 * plated_C);
  EXPECT_EQ(cold->inventory().ageing.dead_C, 0.0);
}

TEST(Plating, AtRestMeetsItsEquilibrium) {
  // k (c_Li e^(f alpha_s U) - c_e e^(-f alpha_p U)) = 0: c_Li = c_e e^(-f U)
  const ElectrochemicalSet set = with_plating();
  auto cell = electrochemical(*make_spme_model(set), {0.5, 25.0});
  for (int k = 0; k < 400; ++k) step(*cell, 0.0, 0.0, 3600.0);
  const Inventory i = cell->inventory();
  const double f = kFaraday_C_per_mol / (kGas_J_per_mol_K * 298.15);
  const double plated_mol_per_m3 = i.ageing.plated_C / (kFaraday_C_per_mol * set.negative.thickness_m * set.area_m2);
  EXPECT_NEAR(plated_mol_per_m3 / (1000.0 * std::exp(-f * set.negative.ocp_V.clamped(i.negative_stoichiometry))), 1.0,
              1e-3);
}

TEST(Plating, ACellThatPlatesAnswersTheSameAtOnceAndAfterNoTime) {
  auto cell = electrochemical(*make_spme_model(with_plating()), {0.8, -15.0});
  for (int k = 0; k < 300; ++k) step(*cell, 8.0, 8.0, 1.0);
  for (double current_A : {-8.0, 0.0, 3.0, 12.0}) {
    const Affine now = cell->terminal(current_A);
    EXPECT_NEAR(now.voltage_V(current_A), cell->propose(current_A, current_A, 1e-7), 1e-6) << current_A;
    const double h = 1e-4;
    const double slope = (cell->terminal(current_A + h).voltage_V(current_A + h) -
                          cell->terminal(current_A - h).voltage_V(current_A - h)) /
                         (2.0 * h);
    EXPECT_NEAR(slope / now.resistance_Ohm, 1.0, 1e-4) << current_A;
  }
}

TEST(ActiveMaterial, IsLostExponentiallyWhateverTheSteps) {
  ElectrochemicalSet set = chen2020();
  set.positive.loss = {1e-7, 0.0, 0.0};
  set.negative.loss = {1e-7, 0.0, 50000.0};
  for (double dt_s : {60.0, 7200.0}) {
    auto cell = electrochemical(*make_spme_model(set), {0.5, 25.0});
    const Inventory before = cell->inventory();
    for (double t = 0.0; t < 20.0 * 86400.0; t += dt_s) step(*cell, 0.0, 0.0, dt_s);
    const Inventory after = cell->inventory();
    EXPECT_NEAR(after.ageing.positive_share, std::exp(-1e-7 * 20.0 * 86400.0), 1e-9);
    EXPECT_NEAR(after.ageing.negative_share, std::exp(-1e-7 * 20.0 * 86400.0), 1e-9);
    EXPECT_NEAR(after.lithium_C() / before.lithium_C(), 1.0, 1e-12);
  }
}

TEST(Ageing, IsKeptWhenTheChargeIsSet) {
  ElectrochemicalSet set = with_sei(SeiLaw::kSolventDiffusion);
  set.positive.loss = {1e-8, 0.0, 0.0};
  auto cell = electrochemical(*make_spme_model(set), {1.0, 25.0});
  for (int k = 0; k < 300; ++k) step(*cell, 0.0, 0.0, 86400.0);
  const double lithium_C = cell->inventory().lithium_C();
  const double capacity_C = cell->readout().capacity_C;
  EXPECT_LT(capacity_C, 0.99 * set.capacity_C());
  cell->reset({0.3, 25.0});
  EXPECT_NEAR(cell->readout().soc, 0.3, 1e-6);
  EXPECT_NEAR(cell->readout().capacity_C / capacity_C, 1.0, 1e-6);
  EXPECT_NEAR(cell->inventory().lithium_C() / lithium_C, 1.0, 1e-9);
}

}  // namespace
}  // namespace cyclerd::hil
