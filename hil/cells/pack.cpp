#include "hil/cells/pack.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "protocols/base/check.hpp"

namespace cyclerd::hil {
namespace {

constexpr double kCurrentMax_A = 1e6, kStepMax_s = 1e7;
constexpr int kMaxRounds = 10;
constexpr double kSame_V = 1e-11;
constexpr double kBleedHysteresis_V = 0.005;

bool usable(double x, double bound) {
  return std::isfinite(x) && std::abs(x) <= bound;
}

double mean_square(double start, double end) {
  return (start * start + start * end + end * end) / 3.0;
}

// Normal numbers out of splitmix64, none beyond three deviations; the same on every machine of an architecture.
class Spread {
 public:
  explicit Spread(std::uint64_t seed) : state_(seed) {}
  double next() {
    for (;;) {
      const double z = std::sqrt(-2.0 * std::log(uniform())) * std::cos(2.0 * std::numbers::pi * uniform());
      if (std::abs(z) <= 3.0) return z;
    }
  }

 private:
  double uniform() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t x = state_;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    x ^= x >> 31;
    return (static_cast<double>(x >> 11) + 0.5) * 0x1p-53;
  }
  std::uint64_t state_;
};

}  // namespace

PackCell::PackCell(std::shared_ptr<const PackSet> set, const CellStart& start) : set_(std::move(set)) {
  ENSURE(set_ && set_->cell && set_->series > 0 && set_->parallel > 0, "a pack that the loader must refuse");
  const std::size_t count = set_->series * set_->parallel;
  Spread spread(set_->seed);
  for (std::size_t k = 0; k < count; ++k) {
    CellFaults faults = set_->faults;
    faults.capacity_factor *= 1.0 + set_->capacity_spread * spread.next();
    faults.resistance_growth += set_->resistance_spread * std::abs(spread.next());
    if (faults.short_circuit.seed != 0) faults.short_circuit.seed += k;
    soc_offset_.push_back(set_->soc_spread * spread.next());
    temperature_offset_K_.push_back(set_->temperature_spread_K * spread.next());
    members_.push_back(std::make_unique<FaultyCell>(set_->cell->make(start), faults, set_->runaway));
  }
  current_A_.resize(count);
  proposed_A_.resize(count);
  for (auto* v : {&begun_A_, &affine_V_, &affine_Ohm_, &scratch_A_}) v->resize(set_->parallel);
  group_V_.resize(set_->series);
  proposed_group_V_.resize(set_->series);
  bleeding_.resize(set_->series);
  reset(start);
}

void PackCell::reset(const CellStart& start) noexcept {
  if (!usable(start.soc, 2.0) || !usable(start.temperature_degC, 1000.0)) {
    flags_ |= cell_flag::kBadInput;
    return;
  }
  for (std::size_t k = 0; k < members_.size(); ++k) {
    CellStart one = start;
    one.soc += soc_offset_[k];
    one.temperature_degC += temperature_offset_K_[k];
    members_[k]->reset(one);
  }
  std::fill(bleeding_.begin(), bleeding_.end(), static_cast<unsigned char>(0));
  for (std::size_t g = 0; g < set_->series; ++g)
    group_V_[g] = share_now(g, 0.0, &current_A_[g * set_->parallel]).voltage_V;
  heat_W_ = 0.0;
}

double PackCell::bleed_S(std::size_t group) const noexcept {
  return bleeding_[group] != 0 ? 1.0 / set_->bleed_Ohm : 0.0;
}

// Tangents of all members, each at the current that the round before gave it.
PackCell::Solved PackCell::share_now(std::size_t group, double total_A, double* share_A) const noexcept {
  const std::size_t p = set_->parallel, first = group * p;
  const double bleed = bleed_S(group);
  Solved out;
  if (p == 1 && bleed == 0.0) {
    share_A[0] = total_A;
    out.outside = members_[first]->terminal(total_A);
    out.outside.resistance_Ohm += set_->contact_Ohm;
    out.voltage_V = out.outside.voltage_V(total_A);
    return out;
  }
  for (std::size_t k = 0; k < p; ++k) share_A[k] = total_A / static_cast<double>(p);
  for (int round = 0; round < kMaxRounds; ++round) {
    double conductance = bleed, source_A = total_A;
    for (std::size_t k = 0; k < p; ++k) {
      const Affine cell = members_[first + k]->terminal(share_A[k]);
      const double ohm = cell.resistance_Ohm + set_->contact_Ohm;
      conductance += 1.0 / ohm;
      source_A += cell.emf_V / ohm;
    }
    out.voltage_V = source_A / conductance;
    out.outside = {(source_A - total_A) / conductance, 1.0 / conductance};
    double change_A = 0.0;
    for (std::size_t k = 0; k < p; ++k) {
      const Affine cell = members_[first + k]->terminal(share_A[k]);
      const double next_A = (out.voltage_V - cell.emf_V) / (cell.resistance_Ohm + set_->contact_Ohm);
      change_A = std::max(change_A, std::abs(next_A - share_A[k]));
      share_A[k] = next_A;
    }
    if (change_A <= 1e-12 * (1.0 + std::abs(total_A))) break;
  }
  return out;
}

double PackCell::share_step(std::size_t group, double start_A, double end_A, double dt_s) noexcept {
  const std::size_t p = set_->parallel, first = group * p;
  const double bleed = bleed_S(group);
  const double start_V = share_now(group, start_A, begun_A_.data()).voltage_V;
  double voltage_V = 0.0;
  if (p == 1 && bleed == 0.0) {
    proposed_A_[first] = end_A;
    voltage_V = members_[first]->propose(start_A, end_A, dt_s) + set_->contact_Ohm * end_A;
  } else {
    for (std::size_t k = 0; k < p; ++k) {
      const double near_A = begun_A_[k] + (end_A - start_A) / static_cast<double>(p);
      const Affine end = members_[first + k]->terminal_after(begun_A_[k], near_A, dt_s);
      affine_V_[k] = end.emf_V;
      affine_Ohm_[k] = end.resistance_Ohm + set_->contact_Ohm;
    }
    for (int round = 0; round < kMaxRounds; ++round) {
      double conductance = bleed, source_A = end_A, apart_V = 0.0;
      for (std::size_t k = 0; k < p; ++k) {
        conductance += 1.0 / affine_Ohm_[k];
        source_A += affine_V_[k] / affine_Ohm_[k];
      }
      voltage_V = source_A / conductance;
      for (std::size_t k = 0; k < p; ++k) {
        const double share_A = std::clamp((voltage_V - affine_V_[k]) / affine_Ohm_[k], -kCurrentMax_A, kCurrentMax_A);
        const double at_V = members_[first + k]->propose(begun_A_[k], share_A, dt_s) + set_->contact_Ohm * share_A;
        proposed_A_[first + k] = share_A;
        apart_V = std::max(apart_V, std::abs(at_V - voltage_V));
        affine_V_[k] += at_V - (affine_V_[k] + affine_Ohm_[k] * share_A);
      }
      if (apart_V <= kSame_V) break;
    }
  }
  proposed_group_V_[group] = voltage_V;
  for (std::size_t k = 0; k < p; ++k)
    proposed_heat_W_ += mean_square(begun_A_[k], proposed_A_[first + k]) * set_->contact_Ohm;
  proposed_heat_W_ += mean_square(start_V, voltage_V) * bleed;
  return voltage_V;
}

Affine PackCell::terminal(double near_A) const noexcept {
  if (!usable(near_A, kCurrentMax_A)) near_A = 0.0;
  Affine all{0.0, set_->busbar_Ohm};
  for (std::size_t g = 0; g < set_->series; ++g) {
    const Affine one = share_now(g, near_A, scratch_A_.data()).outside;
    all.emf_V += one.emf_V;
    all.resistance_Ohm += one.resistance_Ohm;
  }
  return all;
}

Affine PackCell::terminal_after(double start_A, double near_A, double dt_s) noexcept {
  if (!usable(start_A, kCurrentMax_A) || !usable(near_A, kCurrentMax_A) || !usable(dt_s, kStepMax_s) || dt_s <= 0.0)
    return terminal(near_A);
  const std::size_t p = set_->parallel;
  Affine all{0.0, set_->busbar_Ohm};
  for (std::size_t g = 0; g < set_->series; ++g) {
    share_now(g, start_A, begun_A_.data());
    share_now(g, near_A, scratch_A_.data());
    double conductance = bleed_S(g), source_A = 0.0;
    if (p == 1 && conductance == 0.0) {
      const Affine end = members_[g]->terminal_after(start_A, near_A, dt_s);
      all.emf_V += end.emf_V;
      all.resistance_Ohm += end.resistance_Ohm + set_->contact_Ohm;
      continue;
    }
    for (std::size_t k = 0; k < p; ++k) {
      const Affine end = members_[g * p + k]->terminal_after(begun_A_[k], scratch_A_[k], dt_s);
      const double ohm = end.resistance_Ohm + set_->contact_Ohm;
      conductance += 1.0 / ohm;
      source_A += end.emf_V / ohm;
    }
    all.emf_V += source_A / conductance;
    all.resistance_Ohm += 1.0 / conductance;
  }
  return all;
}

// Between neighbours heat flows by the surfaces at the start of the step, no more than would make them equal.
void PackCell::set_members_heat(double neighbours_dt_s) noexcept {
  const double count = static_cast<double>(members_.size());
  const bool coupled = set_->neighbour_W_per_K > 0.0 && neighbours_dt_s > 0.0;
  const double x = set_->neighbour_W_per_K / set_->cell_J_per_K * neighbours_dt_s;
  const double conductance = coupled ? set_->neighbour_W_per_K * -std::expm1(-4.0 * x) / (4.0 * x) : 0.0;
  double last_degC = 0.0, from_last_W = 0.0;
  for (std::size_t k = 0; k < members_.size(); ++k) {
    double heat_W = extra_heat_W_ / count;
    if (coupled) {
      const double here_degC = k == 0 ? members_[0]->readout().surface_degC : last_degC;
      heat_W += from_last_W;
      if (k + 1 < members_.size()) {
        last_degC = members_[k + 1]->readout().surface_degC;
        from_last_W = conductance * (here_degC - last_degC);
        heat_W -= from_last_W;
      }
    }
    members_[k]->set_extra_heat(heat_W);
  }
}

double PackCell::propose(double start_A, double end_A, double dt_s) noexcept {
  proposed_flags_ = flags_;
  proposed_heat_W_ = 0.0;
  const bool fits =
      usable(start_A, kCurrentMax_A) && usable(end_A, kCurrentMax_A) && usable(dt_s, kStepMax_s) && dt_s >= 0.0;
  if (!fits) {
    proposed_flags_ |= cell_flag::kBadInput;
    proposed_heat_W_ = heat_W_;
    proposed_heat_J_ = heat_J_;
    proposed_A_ = current_A_;
    proposed_group_V_ = group_V_;
    for (auto& member : members_) (void)member->propose(0.0, 0.0, 0.0);
    return terminal(0.0).emf_V;
  }
  const bool coupled = set_->neighbour_W_per_K > 0.0;
  if (coupled) set_members_heat(dt_s);
  double voltage_V = set_->busbar_Ohm * end_A;
  for (std::size_t g = 0; g < set_->series; ++g) voltage_V += share_step(g, start_A, end_A, dt_s);
  if (coupled) set_members_heat(0.0);
  proposed_heat_W_ += mean_square(start_A, end_A) * set_->busbar_Ohm;
  proposed_heat_J_ = heat_J_ + proposed_heat_W_ * dt_s;
  return voltage_V;
}

void PackCell::commit() noexcept {
  for (auto& member : members_) member->commit();
  current_A_ = proposed_A_;
  group_V_ = proposed_group_V_;
  heat_W_ = proposed_heat_W_;
  heat_J_ = proposed_heat_J_;
  flags_ = proposed_flags_;
  choose_bleeding();
}

void PackCell::choose_bleeding() noexcept {
  if (set_->bleed_Ohm <= 0.0) return;
  const double lowest_V = *std::min_element(group_V_.begin(), group_V_.end());
  for (std::size_t g = 0; g < set_->series; ++g) {
    const bool was = bleeding_[g] != 0;
    const double above_V = set_->bleed_above_V - (was ? kBleedHysteresis_V : 0.0);
    const double gap_V = set_->bleed_gap_V * (was ? 0.5 : 1.0);
    bleeding_[g] = group_V_[g] > above_V && group_V_[g] >= lowest_V + gap_V ? 1 : 0;
  }
}

}  // namespace cyclerd::hil
