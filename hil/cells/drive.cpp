#include "hil/cells/drive.hpp"

#include <algorithm>
#include <cmath>

namespace cyclerd::hil {
namespace {

constexpr int kMaxTangents = 24;
constexpr int kMaxTrials = 16;
// A voltage, power or resistor counts as held within this (V, W, V); near it without getting there, as solved.
constexpr double kHeld = 5e-12;
constexpr double kNearly = 1e-6;
// Lengths of steps. Few and equal down to the last bit, so that a cell finds its exponentials again.
constexpr std::array<double, 10> kLadder_s = {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0};
constexpr int kConstantRung = 6;   // a constant current: tables limit it to 1 s
constexpr int kRegulatedRung = 8;  // 5 s
constexpr int kOpenRung = 9;       // 10 s
constexpr int kBentRung = 3;       // no bend asks for less than 0.1 s
// How far a regulated current may bend away from the chord of its step, relative to the current.
constexpr double kBend = 2.5e-7;
constexpr double kSmallCurrent_C = 1e-3;  // of the current that fills the cell in an hour: below, absolute

bool usable(const Drive& d) {
  if (!std::isfinite(d.value) || !std::isfinite(d.series_Ohm) || !std::isfinite(d.offset_V)) return false;
  if (std::isnan(d.current_limit_A) || d.current_limit_A < 0.0 || d.series_Ohm < 0.0) return false;
  return d.kind != DriveKind::resistance || d.value > 0.0;
}

// The drive as an equation f(I) = 0 that rises with I on the branch that is wanted.
double miss(const Drive& d, double current_A, double held_V) {
  switch (d.kind) {
    case DriveKind::current: return current_A - d.value;
    case DriveKind::voltage: return held_V - d.value;
    case DriveKind::power: return held_V * current_A - d.value;
    case DriveKind::resistance: return held_V + current_A * d.value;
  }
  return 0.0;
}

double slope_of_miss(const Drive& d, double current_A, double held_V, double ohm) {
  switch (d.kind) {
    case DriveKind::current: return 1.0;
    case DriveKind::voltage: return ohm;
    case DriveKind::power: return held_V + current_A * ohm;
    case DriveKind::resistance: return ohm + d.value;
  }
  return 1.0;
}

struct Root {
  double current_A = 0.0;
  DriveOutcome outcome = DriveOutcome::held;
};

// Solved for a terminal that is a straight line.
Root root_of(const Drive& d, const Affine& line) {
  switch (d.kind) {
    case DriveKind::current: return {d.value};
    case DriveKind::voltage: return {(d.value - line.emf_V) / line.resistance_Ohm};
    case DriveKind::resistance: return {-line.emf_V / (d.value + line.resistance_Ohm)};
    case DriveKind::power: break;
  }
  const double discriminant = line.emf_V * line.emf_V + 4.0 * line.resistance_Ohm * d.value;
  if (discriminant < 0.0) return {-0.5 * line.emf_V / line.resistance_Ohm, DriveOutcome::power_not_available};
  const double sum = line.emf_V + std::sqrt(discriminant);
  // An emf of nothing has no smaller root: the larger then is the only one.
  return {std::abs(sum) > 1e-12 ? 2.0 * d.value / sum : std::sqrt(std::max(0.0, d.value / line.resistance_Ohm))};
}

Affine seen_through_leads(const Drive& d, Affine line) {
  line.emf_V += d.offset_V;
  line.resistance_Ohm += d.series_Ohm;
  return line;
}

// Narrows the place of a zero of a rising function, whoever proposes the next point.
struct Bracket {
  double low, high;
  bool low_seen = false, high_seen = false;
  void narrow(double at, double value) {
    (value > 0.0 ? high : low) = at;
    (value > 0.0 ? high_seen : low_seen) = true;
  }
  [[nodiscard]] double inside(double wanted) const {
    if (wanted >= low && wanted <= high) return wanted;
    if (low_seen && high_seen) return 0.5 * (low + high);
    // Only one side is known, and the wish lies beyond it: as far on the other side.
    return wanted > high ? std::max(low, 2.0 * high - wanted) : std::min(high, 2.0 * low - wanted);
  }
};

double held_scale(const Drive& d) {
  return d.kind == DriveKind::power ? std::max(1.0, std::abs(d.value)) : 1.0;
}

}  // namespace

const char* to_string(DriveOutcome outcome) noexcept {
  switch (outcome) {
    case DriveOutcome::held: return "held";
    case DriveOutcome::power_not_available: return "the cell cannot give this power; it gives the most it can";
    case DriveOutcome::current_limited: return "the current is at its limit";
    case DriveOutcome::not_solved: return "no current was found that holds the drive";
    case DriveOutcome::bad_input: return "the drive is no finite number, or a resistor of nothing";
  }
  return "?";
}

DrivePoint point_now(const Cell& cell, const Drive& drive, double near_A) noexcept {
  if (!usable(drive)) return {0.0, cell.terminal(0.0).emf_V, DriveOutcome::bad_input};
  const double most = drive.current_limit_A;
  const bool bracketed = drive.kind != DriveKind::power;  // beyond half the emf a power turns back
  Bracket bracket{-most, most};
  double i = std::clamp(std::isfinite(near_A) ? near_A : 0.0, -most, most);
  DriveOutcome outcome = DriveOutcome::not_solved;
  for (int round = 0; round < kMaxTangents; ++round) {
    const Affine line = seen_through_leads(drive, cell.terminal(i));
    const Root root = root_of(drive, line);
    outcome = std::abs(root.current_A) > most ? DriveOutcome::current_limited : root.outcome;
    double next = std::clamp(root.current_A, -most, most);
    const bool same = std::abs(next - i) <= 1e-13 * (1e-3 + std::abs(next));
    if (bracketed && !same) {
      bracket.narrow(i, miss(drive, i, line.voltage_V(i)));
      next = bracket.inside(next);
    }
    i = next;
    if (same) break;
  }
  const Affine line = cell.terminal(i);
  if (outcome == DriveOutcome::held &&
      std::abs(miss(drive, i, seen_through_leads(drive, line).voltage_V(i))) > kNearly * held_scale(drive))
    outcome = DriveOutcome::not_solved;
  return {i, line.voltage_V(i), outcome};
}

Stepper::Stepper(Cell& cell) noexcept : cell_(&cell), one_C_A_(std::max(1e-9, cell.readout().capacity_C / 3600.0)) {
  voltage_V_ = cell.terminal(0.0).emf_V;
}

DrivePoint Stepper::begin(const Drive& drive) noexcept {
  const DrivePoint point = point_now(*cell_, drive, current_A_);
  current_A_ = point.current_A;
  voltage_V_ = point.voltage_V;
  corner();
  return point;
}

void Stepper::begin_at(double current_A) noexcept {
  current_A_ = current_A;
  voltage_V_ = cell_->terminal(current_A).voltage_V(current_A);
  corner();
}

// How far the straight current of a step is laid below the nodes of a convex course, so that it moves the same charge
// at the same mean time: h^2/12 of the second derivative.
double Stepper::sag_A(double h_s) const noexcept {
  if (course_.steps < 2) return 0.0;
  const double bound = 0.05 * std::abs(course_.slope_A_per_s) * h_s;  // a corner of a table is no curve
  return std::clamp(course_.bend_A_per_s2 * h_s * h_s / 12.0, -bound, bound);
}

double Stepper::longest_s(DriveKind kind) const noexcept {
  int rung = course_.reach;
  if (kind == DriveKind::current) {
    rung = std::min(rung, current_A_ == 0.0 ? kOpenRung : kConstantRung);
  } else {
    rung = std::min(rung, kRegulatedRung);
    if (course_.steps >= 2 && course_.bend_A_per_s2 != 0.0) {
      const double room = kBend * (std::abs(current_A_) + kSmallCurrent_C * one_C_A_);
      const double wanted_s = std::sqrt(12.0 * room / std::abs(course_.bend_A_per_s2));
      while (rung > kBentRung && kLadder_s[static_cast<std::size_t>(rung)] > wanted_s) --rung;
    }
  }
  return kLadder_s[static_cast<std::size_t>(rung)];
}

DrivePoint Stepper::propose(const Drive& drive, double h_s) noexcept {
  DrivePoint point;
  trial_ = {current_A_, 0.0, 0.0, 0.0, h_s, drive.kind};
  if (!usable(drive)) {
    trial_.start_A = 0.0;
    point = {0.0, cell_->propose(0.0, 0.0, h_s), DriveOutcome::bad_input};
  } else if (drive.kind == DriveKind::current) {
    const double i = std::clamp(drive.value, -drive.current_limit_A, drive.current_limit_A);
    point = {i, cell_->propose(current_A_, i, h_s),
             i == drive.value ? DriveOutcome::held : DriveOutcome::current_limited};
  } else {
    trial_.sag_A = sag_A(h_s);
    point = solve(drive, h_s, trial_.sag_A);
  }
  trial_.end_A = point.current_A;
  trial_.end_V = point.voltage_V;
  return point;
}

// End current of a step in which voltage, power or a resistor is held: the cell's straight-line answer, then secants
// kept between brackets. A linear cell needs one trial.
DrivePoint Stepper::solve(const Drive& drive, double h_s, double sag) noexcept {
  const double most = drive.current_limit_A;
  const double ohm_now = sag == 0.0 ? 0.0 : cell_->terminal(current_A_).resistance_Ohm;
  auto voltage_at = [&](double i) { return cell_->propose(current_A_ - sag, i - sag, h_s) + ohm_now * sag; };
  double near = current_A_;
  Affine line;
  Root root;
  for (int round = 0; round < 4; ++round) {
    line = seen_through_leads(drive, cell_->terminal_after(current_A_, near, h_s));
    // Start and end of the step are laid lower alike; what is not ohmic of the answer follows both.
    if (sag != 0.0) line.emf_V -= 2.0 * (line.resistance_Ohm - drive.series_Ohm - ohm_now) * sag;
    root = root_of(drive, line);
    if (root.outcome == DriveOutcome::held) break;
    near = std::clamp(root.current_A, -most, most);  // the most a cell can give, by tangents nearer and nearer to it
  }
  double i = std::clamp(root.current_A, -most, most);
  double v = voltage_at(i);
  if (root.outcome != DriveOutcome::held) return {i, v, root.outcome};
  Bracket bracket{-most, most};
  // Beyond half the emf more current gives less power.
  if (drive.kind == DriveKind::power) bracket.low = std::max(-most, -0.5 * line.emf_V / line.resistance_Ohm);
  double value = miss(drive, i, v + drive.series_Ohm * i + drive.offset_V);
  double slope = slope_of_miss(drive, i, v + drive.series_Ohm * i + drive.offset_V, line.resistance_Ohm);
  const double held = kHeld * held_scale(drive);
  for (int trial = 1; trial < kMaxTrials && std::abs(value) > held; ++trial) {
    bracket.narrow(i, value);
    if (!(bracket.low < bracket.high)) break;
    const double next = bracket.inside(slope > 0.0 ? i - value / slope : most);
    if (next == i) break;
    const double before = value;
    const double moved = next - i;
    i = next;
    v = voltage_at(i);
    value = miss(drive, i, v + drive.series_Ohm * i + drive.offset_V);
    const double secant = (value - before) / moved;
    if (secant > 0.0) slope = secant;
  }
  if (std::abs(value) <= kNearly * held_scale(drive)) return {i, v, DriveOutcome::held};
  return {i, v, std::abs(i) >= most * (1.0 - 1e-9) ? DriveOutcome::current_limited : DriveOutcome::not_solved};
}

double Stepper::proposed_charge_C() const noexcept {
  return (0.5 * (trial_.start_A + trial_.end_A) - trial_.sag_A) * trial_.h_s;
}

void Stepper::take() noexcept {
  const double h = trial_.h_s;
  const double start_W = trial_.start_A * voltage_V_;
  const double end_W = trial_.end_A * trial_.end_V;
  charge_C_ += proposed_charge_C();
  energy_J_ += 0.5 * (start_W + end_W) * h;
  if (course_.steps >= 2) {
    const double bound = 0.05 * std::abs(course_.slope_W_per_s) * h;
    energy_J_ -= std::clamp(course_.bend_W_per_s2 * h * h / 12.0, -bound, bound) * h;
  }
  cell_->commit();
  learn();
  current_A_ = trial_.end_A;
  voltage_V_ = trial_.end_V;
  elapsed_s_ += h;
}

// The course of current and power through the node that was just taken.
void Stepper::learn() noexcept {
  const double h = trial_.h_s;
  const double rung_s = kLadder_s[static_cast<std::size_t>(course_.reach)];
  const bool full = h >= rung_s * (1.0 - 1e-9);
  if (full && course_.reach + 1 < static_cast<int>(kLadder_s.size())) ++course_.reach;
  // Too short for a slope: rounding would be all it shows. Unless it is the course itself that asks for short steps: it
  // would stand still, and go on asking.
  if (course_.steps > 0 && h < 0.05 * course_.length_s && h < longest_s(trial_.kind)) return;
  if (h <= 1e-6) return;
  const double slope_A = (trial_.end_A - trial_.start_A) / h;
  const double slope_W = (trial_.end_A * trial_.end_V - trial_.start_A * voltage_V_) / h;
  const double middle_s = elapsed_s_ + 0.5 * h;
  if (course_.steps > 0) {
    const double apart_s = middle_s - course_.middle_s;
    // A bend that changes its sign is a corner of a table or a ripple, not a curve to be followed.
    auto follow = [apart_s](double before, double change) {
      const double now = change / apart_s;
      return now * before < 0.0 ? 0.0 : now;
    };
    course_.bend_A_per_s2 = follow(course_.bend_A_per_s2, slope_A - course_.slope_A_per_s);
    course_.bend_W_per_s2 = follow(course_.bend_W_per_s2, slope_W - course_.slope_W_per_s);
  }
  course_.slope_A_per_s = slope_A;
  course_.slope_W_per_s = slope_W;
  course_.middle_s = middle_s;
  course_.length_s = h;
  course_.steps = std::min(course_.steps + 1, 2);
}

Stepper::State Stepper::state() const noexcept {
  return {current_A_,
          voltage_V_,
          charge_C_,
          energy_J_,
          elapsed_s_,
          course_.slope_A_per_s,
          course_.bend_A_per_s2,
          course_.slope_W_per_s,
          course_.bend_W_per_s2,
          course_.middle_s,
          course_.length_s,
          static_cast<double>(course_.steps),
          static_cast<double>(course_.reach),
          one_C_A_};
}

bool Stepper::restore(const State& s) noexcept {
  for (double x : s) {
    if (!std::isfinite(x)) return false;
  }
  if (s[11] < 0.0 || s[11] > 2.0 || s[12] < 0.0 || s[12] >= static_cast<double>(kLadder_s.size())) return false;
  current_A_ = s[0];
  voltage_V_ = s[1];
  charge_C_ = s[2];
  energy_J_ = s[3];
  elapsed_s_ = s[4];
  course_ = {s[5], s[6], s[7], s[8], s[9], s[10], static_cast<int>(s[11]), static_cast<int>(s[12])};
  one_C_A_ = s[13];
  trial_ = {};
  return true;
}

DrivePoint step(Cell& cell, const Drive& drive, double dt_s, Moved* moved) noexcept {
  Stepper stepper(cell);
  DrivePoint point = stepper.begin(drive);
  if (!std::isfinite(dt_s) || dt_s < 0.0) {
    point.outcome = DriveOutcome::bad_input;
    return point;
  }
  double done_s = 0.0;
  while (dt_s - done_s > 1e-12) {
    const double h = std::min(stepper.longest_s(drive.kind), dt_s - done_s);
    const DriveOutcome worst = point.outcome;
    point = stepper.propose(drive, h);
    point.outcome = std::max(point.outcome, worst);
    stepper.take();
    done_s += h;
  }
  if (moved != nullptr) *moved = {stepper.charge_C(), stepper.energy_J()};
  return point;
}

}  // namespace cyclerd::hil
