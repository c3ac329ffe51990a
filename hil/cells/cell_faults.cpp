#include "hil/cells/cell_faults.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "protocols/base/check.hpp"

namespace cyclerd::hil {
namespace {

constexpr double kCurrentMax_A = 1e6, kStepMax_s = 1e7, kHeatMax_W = 1e9;
constexpr double kOpen_Ohm = 1e6;  // input of a voltmeter
constexpr double kLeastShort_Ohm = 1e-6;
constexpr int kMaxRounds = 12, kMaxLongRounds = 60;
// A short that moves more of the charge in one step is taken with the current of the step's end: a straight line from
// its first current would empty the cell twice.
constexpr double kLongStep = 0.02;

bool usable(double x, double bound) {
  return std::isfinite(x) && std::abs(x) <= bound;
}

bool sensible(const CellFaults& f) {
  auto at_least = [](double x, double least) { return std::isfinite(x) && x >= least; };
  const ShortCircuit& s = f.short_circuit;
  return s.resistance_Ohm >= kLeastShort_Ohm && at_least(s.first_Ohm, 0.0) && at_least(s.growth_s, 0.0) &&
         at_least(s.onset_s, 0.0) && at_least(s.onset_charge_C, 0.0) && at_least(f.contact_Ohm, 0.0) &&
         f.contact_Ohm <= 1e6 && at_least(f.capacity_factor, 1e-3) && f.capacity_factor <= 10.0 &&
         at_least(f.resistance_growth, 0.0) && f.resistance_growth <= 1e3;
}

// Exponential with this mean; a step of splitmix64 makes a uniform number of the seed.
double drawn(double mean, std::uint64_t seed) {
  if (seed == 0) return mean;
  std::uint64_t x = seed + 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  x ^= x >> 31;
  return -mean * std::log((static_cast<double>(x >> 11) + 0.5) * 0x1p-53);
}

double mean_square(double start, double end) {
  return (start * start + start * end + end * end) / 3.0;
}

double charged_C(double start_A, double end_A, double dt_s) {
  if (start_A >= 0.0 && end_A >= 0.0) return 0.5 * (start_A + end_A) * dt_s;
  if (start_A <= 0.0 && end_A <= 0.0) return 0.0;
  const double top_A = std::max(start_A, end_A);
  return 0.5 * top_A * top_A / std::abs(end_A - start_A) * dt_s;
}

}  // namespace

FaultyCell::FaultyCell(std::unique_ptr<Cell> cell, const CellFaults& faults, const std::optional<RunawaySet>& runaway)
    : cell_(std::move(cell)), runaway_(runaway) {
  ENSURE(cell_ != nullptr, "faults of no cell");
  if (runaway_) state_.runaway = fresh(*runaway_);
  set_faults(faults);
}

void FaultyCell::set_faults(const CellFaults& faults) noexcept {
  if (!sensible(faults)) {
    state_.flags |= cell_flag::kBadInput;
    return;
  }
  faults_ = faults;
  onset_C_ = drawn(faults.short_circuit.onset_charge_C, faults.short_circuit.seed);
  state_.short_since_s = -1.0;
  age(state_, 0.0, 0.0, 0.0);
  proposed_ = state_;
}

bool FaultyCell::start_runaway() noexcept {
  if (!runaway_) return false;
  state_.runaway.collapsed = true;
  state_.flags |= cell_flag::kRunaway;
  proposed_ = state_;
  return true;
}

bool FaultyCell::healthy() const noexcept {
  return state_.short_S == 0.0 && !disconnected(state_) && faults_.contact_Ohm == 0.0 &&
         faults_.capacity_factor == 1.0 && faults_.resistance_growth == 0.0;
}

FaultyCell::Around FaultyCell::around() const noexcept {
  Around a;
  a.short_S = state_.short_S;
  a.contact_Ohm = faults_.contact_Ohm;
  a.share = faults_.capacity_factor;
  if (faults_.resistance_growth > 0.0)
    a.series_Ohm = faults_.resistance_growth * cell_->terminal(0.0).resistance_Ohm / a.share;
  return a;
}

Affine FaultyCell::seen_from_outside(const Affine& cell, const Around& a) noexcept {
  const double stack_Ohm = cell.resistance_Ohm / a.share + a.series_Ohm;
  const double divider = 1.0 / (1.0 + stack_Ohm * a.short_S);
  return {cell.emf_V * divider, stack_Ohm * divider + a.contact_Ohm};
}

Affine FaultyCell::disconnected_terminal() const noexcept {
  return {0.0, faults_.open || !runaway_ ? kOpen_Ohm : runaway_->collapsed_Ohm};
}

// Current through electrodes and grown resistance at this instant; the rest goes through the short.
double FaultyCell::stack_A(double outer_A, const Around& a) const noexcept {
  if (a.short_S == 0.0) return outer_A;
  double current_A = outer_A;
  for (int round = 0; round < kMaxRounds; ++round) {
    const Affine cell = cell_->terminal(current_A / a.share);
    const double stack_Ohm = cell.resistance_Ohm / a.share + a.series_Ohm;
    const double voltage_V = (cell.emf_V + stack_Ohm * outer_A) / (1.0 + stack_Ohm * a.short_S);
    const double next_A = outer_A - voltage_V * a.short_S;
    if (std::abs(next_A - current_A) <= 1e-12 * (1.0 + std::abs(next_A))) return next_A;
    current_A = next_A;
  }
  return current_A;
}

Affine FaultyCell::terminal(double near_A) const noexcept {
  if (disconnected(state_)) return disconnected_terminal();
  if (healthy()) return cell_->terminal(near_A);
  const Around a = around();
  if (!usable(near_A, kCurrentMax_A)) near_A = 0.0;
  return seen_from_outside(cell_->terminal(stack_A(near_A, a) / a.share), a);
}

Affine FaultyCell::terminal_after(double start_A, double near_A, double dt_s) noexcept {
  if (disconnected(state_)) return disconnected_terminal();
  if (healthy()) return cell_->terminal_after(start_A, near_A, dt_s);
  const Around a = around();
  if (!usable(start_A, kCurrentMax_A) || !usable(near_A, kCurrentMax_A)) return terminal(0.0);
  const double begun_A = stack_A(start_A, a) / a.share;
  return seen_from_outside(cell_->terminal_after(begun_A, stack_A(near_A, a) / a.share, dt_s), a);
}

double FaultyCell::propose_around(double start_A, double end_A, double dt_s, const Around& a,
                                  double reaction_W) noexcept {
  const bool apart = disconnected(state_);
  const double outer_start_A = apart ? 0.0 : start_A, outer_end_A = apart ? 0.0 : end_A;
  const double begun_A = stack_A(outer_start_A, a);
  const Affine before = cell_->terminal(begun_A / a.share);
  const double begun_V = before.voltage_V(begun_A / a.share) + a.series_Ohm * begun_A;
  const CellReadout inside = cell_->readout();
  const bool one_current =
      a.short_S > 0.0 && std::abs(begun_V) * a.short_S * dt_s > kLongStep * inside.capacity_C * a.share;
  // The faded cell carries 1/share of the current and of its own heat; the rest of that heat is taken back.
  const double not_there_W = (a.share - 1.0) * inside.heat_W;
  double end_stack_A = a.short_S == 0.0 ? outer_end_A : begun_A + (outer_end_A - outer_start_A);
  double voltage_V = begun_V, slope = 1.0 + a.short_S * (before.resistance_Ohm / a.share + a.series_Ohm);
  double last_A = 0.0, last_error_A = 0.0;
  double low_A = -kCurrentMax_A, high_A = kCurrentMax_A;  // the voltage rises with the current: one zero between them
  const int rounds = one_current ? kMaxLongRounds : kMaxRounds;
  for (int round = 0; round < rounds; ++round) {
    const double first_A = one_current ? end_stack_A : begun_A;
    proposed_.heat_W = mean_square(begun_V, voltage_V) * a.short_S + mean_square(first_A, end_stack_A) * a.series_Ohm +
                       not_there_W + reaction_W;
    cell_->set_extra_heat(std::clamp(extra_heat_W_ + proposed_.heat_W, -kHeatMax_W, kHeatMax_W));
    const double inner_V = cell_->propose(first_A / a.share, end_stack_A / a.share, dt_s);
    voltage_V = inner_V + a.series_Ohm * end_stack_A;
    if (a.short_S == 0.0) break;
    const double error_A = end_stack_A - outer_end_A + voltage_V * a.short_S;
    if (std::abs(error_A) <= 1e-12 * (1.0 + std::abs(end_stack_A))) break;
    if (round > 0 && end_stack_A != last_A) {
      const double secant = (error_A - last_error_A) / (end_stack_A - last_A);
      if (secant > 0.0) slope = secant;
    }
    (error_A > 0.0 ? high_A : low_A) = end_stack_A;
    last_A = end_stack_A;
    last_error_A = error_A;
    if (round + 1 == rounds) break;
    const double next_A = end_stack_A - error_A / slope;
    const bool bracketed = low_A > -kCurrentMax_A && high_A < kCurrentMax_A;
    const bool halve = next_A <= low_A || next_A >= high_A || (bracketed && round % 3 == 2);
    end_stack_A = halve ? 0.5 * (low_A + high_A) : next_A;
  }
  cell_->set_extra_heat(extra_heat_W_);
  return voltage_V + a.contact_Ohm * outer_end_A;
}

double FaultyCell::propose(double start_A, double end_A, double dt_s) noexcept {
  proposed_ = state_;
  const bool fits =
      usable(start_A, kCurrentMax_A) && usable(end_A, kCurrentMax_A) && usable(dt_s, kStepMax_s) && dt_s >= 0.0;
  if (!fits) {
    proposed_.flags |= cell_flag::kBadInput;
    (void)cell_->propose(0.0, 0.0, 0.0);
    return terminal(0.0).emf_V;
  }
  double reaction_J = 0.0;
  if (runaway_ && dt_s > 0.0) {
    const CellReadout inside = cell_->readout();
    reaction_J = react(*runaway_, proposed_.runaway, inside.core_degC, inside.surface_degC, dt_s);
    if (proposed_.runaway.collapsed) proposed_.flags |= cell_flag::kRunaway;
  }
  double voltage_V = 0.0;
  if (healthy() && reaction_J == 0.0) {
    proposed_.heat_W = 0.0;
    voltage_V = cell_->propose(start_A, end_A, dt_s);
  } else {
    const double reaction_W = dt_s > 0.0 ? reaction_J / dt_s : 0.0;
    voltage_V = propose_around(start_A, end_A, dt_s, around(), reaction_W);
    proposed_.heat_W += mean_square(start_A, end_A) * (disconnected(state_) ? 0.0 : faults_.contact_Ohm);
    proposed_.heat_J += proposed_.heat_W * dt_s;
  }
  age(proposed_, start_A, end_A, dt_s);
  if (disconnected(proposed_)) voltage_V = disconnected_terminal().voltage_V(end_A);
  return voltage_V;
}

void FaultyCell::age(State& next, double start_A, double end_A, double dt_s) const noexcept {
  next.age_s += dt_s;
  next.charged_C += charged_C(start_A, end_A, dt_s);
  const ShortCircuit& s = faults_.short_circuit;
  next.short_S = 0.0;
  if (!std::isfinite(s.resistance_Ohm)) return;
  if (next.short_since_s < 0.0) {
    if (next.age_s < s.onset_s || next.charged_C < onset_C_) return;
    next.short_since_s = next.age_s;
  }
  double ohm = s.resistance_Ohm;
  if (s.first_Ohm > 0.0 && s.growth_s > 0.0)
    ohm += (s.first_Ohm - ohm) * std::exp(-(next.age_s - next.short_since_s) / s.growth_s);
  next.short_S = 1.0 / std::max(ohm, kLeastShort_Ohm);
}

void FaultyCell::commit() noexcept {
  cell_->commit();
  state_ = proposed_;
}

void FaultyCell::set_extra_heat(double heat_W) noexcept {
  if (usable(heat_W, kHeatMax_W)) extra_heat_W_ = heat_W;
  cell_->set_extra_heat(heat_W);  // which flags what is absurd
}

CellReadout FaultyCell::readout() const noexcept {
  CellReadout out = cell_->readout();
  out.capacity_C *= faults_.capacity_factor;
  out.heat_W += state_.heat_W;
  out.heat_J += state_.heat_J;
  out.resistance_growth = (1.0 + out.resistance_growth) * (1.0 + faults_.resistance_growth) - 1.0;
  out.flags |= state_.flags;
  return out;
}

void FaultyCell::clear_flags() noexcept {
  cell_->clear_flags();
  state_.flags = 0;
}

void FaultyCell::reset(const CellStart& start) noexcept {
  cell_->reset(start);
}

namespace {

constexpr std::uint32_t kModel = 0x464C5431;  // "FLT1"
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kOwnValues = 25;

}  // namespace

CellSnapshot FaultyCell::snapshot() const {
  const CellSnapshot inside = cell_->snapshot();
  const ShortCircuit& f = faults_.short_circuit;
  const RunawayState& r = state_.runaway;
  CellSnapshot s;
  s.model = kModel;
  s.version = kVersion;
  s.set_fingerprint = inside.set_fingerprint;
  s.flags = state_.flags;
  s.value = {static_cast<double>(inside.model),
             static_cast<double>(inside.version),
             static_cast<double>(inside.flags),
             std::isfinite(f.resistance_Ohm) ? f.resistance_Ohm : 0.0,
             f.first_Ohm,
             f.growth_s,
             f.onset_s,
             f.onset_charge_C,
             onset_C_,
             faults_.open ? 1.0 : 0.0,
             faults_.contact_Ohm,
             faults_.capacity_factor,
             faults_.resistance_growth,
             extra_heat_W_,
             state_.age_s,
             state_.charged_C,
             state_.short_since_s,
             state_.short_S,
             state_.heat_W,
             state_.heat_J,
             r.sei,
             r.anode,
             r.film,
             r.cathode,
             r.collapsed ? 1.0 : 0.0};
  s.value.insert(s.value.end(), inside.value.begin(), inside.value.end());
  return s;
}

bool FaultyCell::restore(const CellSnapshot& s) noexcept {
  if (s.model != kModel || s.version != kVersion || s.value.size() <= kOwnValues) return false;
  for (double x : s.value) {
    if (!std::isfinite(x)) return false;
  }
  const std::vector<double>& v = s.value;
  for (std::size_t k : {0, 1, 2}) {
    if (!(v[k] >= 0.0 && v[k] <= 4294967295.0)) return false;
  }
  CellSnapshot inside;
  inside.model = static_cast<std::uint32_t>(v[0]);
  inside.version = static_cast<std::uint32_t>(v[1]);
  inside.flags = static_cast<std::uint32_t>(v[2]);
  inside.set_fingerprint = s.set_fingerprint;
  inside.value.assign(v.begin() + kOwnValues, v.end());
  CellFaults faults;
  faults.short_circuit = {v[3] > 0.0 ? v[3] : std::numeric_limits<double>::infinity(), v[4], v[5], v[6], v[7], 0};
  faults.open = v[9] != 0.0;
  faults.contact_Ohm = v[10];
  faults.capacity_factor = v[11];
  faults.resistance_growth = v[12];
  const bool collapsed = v[24] != 0.0;
  if (!sensible(faults) || (collapsed && !runaway_) || !cell_->restore(inside)) return false;
  faults_ = faults;
  onset_C_ = v[8];
  extra_heat_W_ = v[13];
  state_.age_s = v[14];
  state_.charged_C = v[15];
  state_.short_since_s = v[16];
  state_.short_S = v[17];
  state_.heat_W = v[18];
  state_.heat_J = v[19];
  state_.runaway = {v[20], v[21], v[22], v[23], collapsed};
  state_.flags = s.flags;
  proposed_ = state_;
  return true;
}

}  // namespace cyclerd::hil
