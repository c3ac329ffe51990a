#include "hil/plant/plant.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "hil/cells/bracket.hpp"
#include "hil/cells/drive.hpp"
#include "protocols/base/check.hpp"

namespace cyclerd::hil {
namespace {

// Longest steps. At constant current the circuit is exact, so only tables limit; a regulated current is taken as
// straight within a step, and bends most just after the bound was reached.
constexpr double kOffStep_s = 10.0;
constexpr double kConstantCurrentStep_s = 1.0;
constexpr int kMaxSwitchesHere = 4;
constexpr int kMaxTangents = 8;
constexpr double kComparator = 1e-3;  // V, A: what a protection can tell from its bound

double regulated_step(double since_s) {
  return since_s < 5.0 ? 0.01 : since_s < 60.0 ? 0.05 : 0.2;
}

}  // namespace

Plant::Plant(std::unique_ptr<Cell> cell, const PlantConfig& config, base::MonoTime start)
    : cell_(std::move(cell)),
      config_(config),
      start_(start),
      time_(start),
      output_changed_(start),
      noise_(config.seed) {
  ENSURE(cell_ != nullptr, "a plant without a cell");
  executed_ = as_executed(request_, config_.stage);
  voltage_V_ = cell_->terminal(0.0).emf_V;
}

void Plant::advance_to(base::MonoTime t) noexcept {
  if (watchdog_.us > 0 && request_.output_on && fed_ + watchdog_ <= t) {
    move_to(fed_ + watchdog_);
    trip(alarm::kWatchdog);
  }
  move_to(t);
}

void Plant::set_watchdog(base::Duration timeout) noexcept {
  watchdog_ = timeout;
  fed_ = time_;
}

void Plant::move_to(base::MonoTime t) noexcept {
  if (t <= time_) return;
  const double total_s = (t - time_).seconds();
  double done_s = 0.0;
  while (total_s - done_s > 1e-12) {
    const double longest = longest_substep_s();
    const double left = total_s - done_s;
    // Equal lengths down to the last bit find their exponentials in the cell's cache.
    done_s += substep(left < longest - 1e-12 ? left : longest);
  }
  time_ = t;
  elapsed_s_ = (t - start_).seconds();
}

double Plant::longest_substep_s() const noexcept {
  if (!settled_) return config_.stage.rise_time_constant_s / 5.0;
  switch (mode_) {
    case StageMode::off: return kOffStep_s;
    case StageMode::current_high:
    case StageMode::current_low: return kConstantCurrentStep_s;
    default: return regulated_step(elapsed_s_ - mode_since_s_);
  }
}

// What the law asks for at this instant. A cell whose resistance depends on its current is taken by tangents, each at
// the current that the one before gave.
Operating Plant::operate_now() const noexcept {
  Operating point{mode_, current_A_};
  for (int round = 0; round < kMaxTangents; ++round) {
    const Operating next = operate(executed_, cell_->terminal(point.current_A));
    const bool same = std::abs(next.current_A - point.current_A) <= 1e-9 * (1.0 + std::abs(next.current_A));
    point = next;
    if (same) break;
  }
  return point;
}

void Plant::take(const Trial& trial, double h_s) noexcept {
  charge_C_ += 0.5 * (current_A_ + trial.current_A) * h_s;
  energy_J_ += 0.5 * (current_A_ * voltage_V_ + trial.current_A * trial.voltage_V) * h_s;
  cell_->commit();
  current_A_ = trial.current_A;
  voltage_V_ = trial.voltage_V;
  elapsed_s_ += h_s;
  if (config_.current_delay.us > 0) {
    past_[past_next_] = {elapsed_s_, current_A_};
    past_next_ = (past_next_ + 1) % past_.size();
  }
}

void Plant::hold(StageMode mode) noexcept {
  if (mode == mode_) return;
  mode_ = mode;
  mode_since_s_ = elapsed_s_;
}

Plant::Trial Plant::propose(StageMode mode, double h_s) noexcept {
  switch (mode) {
    case StageMode::off: return {0.0, cell_->propose(0.0, 0.0, h_s)};
    case StageMode::current_high: {
      const double i = executed_.current_max_A;
      return {i, cell_->propose(current_A_, i, h_s)};
    }
    case StageMode::current_low: {
      const double i = executed_.current_min_A;
      return {i, cell_->propose(current_A_, i, h_s)};
    }
    default: return solve(mode, h_s);
  }
}

// End current of a step in which voltage, power or a resistor is held: the affine answer of the cell, then corrections
// for what is not affine (tables). Bounded; a linear cell needs none.
Plant::Trial Plant::solve(StageMode mode, double h_s) noexcept {
  const StageRequest& r = executed_;
  const Affine end = cell_->terminal_after(current_A_, current_A_, h_s);
  double i = current_A_;
  switch (mode) {
    case StageMode::voltage: i = (r.voltage_V - end.emf_V) / end.resistance_Ohm; break;
    case StageMode::resistance: i = -end.emf_V / (r.resistance_Ohm + end.resistance_Ohm); break;
    default: {
      const double power_W = mode == StageMode::power_high ? r.power_max_W : r.power_min_W;
      const double discriminant = end.emf_V * end.emf_V + 4.0 * end.resistance_Ohm * power_W;
      // No root: more than the cell can give. Its best is at half the emf.
      i = discriminant >= 0.0 ? 2.0 * power_W / (end.emf_V + std::sqrt(discriminant))
                              : -0.5 * end.emf_V / end.resistance_Ohm;
    }
  }
  i = std::clamp(i, config_.stage.current_min_A * 10.0, config_.stage.current_max_A * 10.0);
  double v = cell_->propose(current_A_, i, h_s);
  for (int round = 0; round < 6; ++round) {
    double error = 0.0, slope = 1.0;
    if (mode == StageMode::voltage) {
      error = v - r.voltage_V;
      slope = end.resistance_Ohm;
    } else if (mode == StageMode::resistance) {
      error = v + i * r.resistance_Ohm;
      slope = end.resistance_Ohm + r.resistance_Ohm;
    } else {
      error = v * i - (mode == StageMode::power_high ? r.power_max_W : r.power_min_W);
      slope = v + i * end.resistance_Ohm;
    }
    if (std::abs(error) < 1e-12 || std::abs(slope) < 1e-9) break;
    i = std::clamp(i - error / slope, config_.stage.current_min_A * 10.0, config_.stage.current_max_A * 10.0);
    v = cell_->propose(current_A_, i, h_s);
  }
  return {i, v};
}

// The moment inside the step at which the first other bound is reached; `at_end` becomes the bound found there.
double Plant::locate(double h_s, Excess& at_end) noexcept {
  auto excess_at = [&](double t_s) {
    if (t_s <= 0.0) return excess_of(executed_, mode_, current_A_, voltage_V_);
    const Trial trial = propose(mode_, t_s);
    return excess_of(executed_, mode_, trial.current_A, trial.voltage_V);
  };
  const Excess at_start = excess_at(0.0);
  if (at_start.amount >= 0.0) {
    at_end = at_start;
    return 0.0;
  }
  const double t_s =
      first_zero([&](double t) { return excess_at(t).amount; }, at_start.amount, at_end.amount, h_s, kEventTolerance_s);
  const Excess found = excess_at(t_s);
  if (found.next != StageMode::off) at_end = found;
  return t_s;
}

double Plant::substep(double h_s) noexcept {
  if (!settled_) return settle(h_s);
  Trial trial = propose(mode_, h_s);
  Excess excess = mode_ == StageMode::off ? Excess{} : excess_of(executed_, mode_, trial.current_A, trial.voltage_V);
  if (excess.amount > 0.0 && switches_here_ < kMaxSwitchesHere) {
    const double event_s = locate(h_s, excess);
    if (event_s > 0.0) {
      trial = propose(mode_, event_s);
      take(trial, event_s);
    }
    hold(excess.next);
    switches_here_ = event_s > kEventTolerance_s ? 0 : switches_here_ + 1;
    return event_s;
  }
  if (excess.amount > 0.0) {
    // Two bounds hold each other: go on a little between them instead of changing for ever.
    h_s = std::min(h_s, kLeastProgress_s);
    const Operating point = operate_now();
    trial = {point.current_A, cell_->propose(current_A_, point.current_A, h_s)};
    hold(point.mode);
  }
  switches_here_ = 0;
  take(trial, h_s);
  check_protection();
  return h_s;
}

// The current runs towards its target like e^(-t/tau). Never past it, so a voltage bound is not overshot.
double Plant::settle(double h_s) noexcept {
  const Operating target = operate_now();
  hold(target.mode);
  const double keep = std::exp(-h_s / config_.stage.rise_time_constant_s);
  Trial trial;
  trial.current_A = target.current_A + (current_A_ - target.current_A) * keep;
  trial.voltage_V = cell_->propose(current_A_, trial.current_A, h_s);
  take(trial, h_s);
  const Operating now = operate_now();
  if (std::abs(current_A_ - now.current_A) <= 1e-6 * (1.0 + std::abs(now.current_A))) {
    settled_ = true;
    hold(now.mode);
    current_A_ = now.current_A;
    voltage_V_ = cell_->terminal(current_A_).voltage_V(current_A_);
  }
  check_protection();
  return h_s;
}

void Plant::start_request() noexcept {
  executed_ = as_executed(request_, config_.stage);
  const Operating target = operate_now();
  settled_ = config_.stage.rise_time_constant_s <= 0.0 || !executed_.output_on;
  if (settled_) current_A_ = target.current_A;
  mode_ = target.mode;
  mode_since_s_ = elapsed_s_;
  switches_here_ = 0;
  voltage_V_ = cell_->terminal(current_A_).voltage_V(current_A_);
  check_protection();
}

Refusal Plant::apply(const base::Setpoint& setpoint) noexcept {
  StageRequest request;
  const Refusal refusal = request_of(setpoint, config_.stage, request);
  return refusal == Refusal::none ? apply(request) : refusal;
}

Refusal Plant::apply(const StageRequest& request) noexcept {
  const Refusal refusal = check_request(request, config_.stage);
  if (refusal != Refusal::none) return refusal;
  StageRequest next = request;
  if (alarms_ != 0) next.output_on = false;
  if (next == request_) return Refusal::none;
  if (next.output_on != request_.output_on) output_changed_ = time_;
  if (next.output_on && !request_.output_on) fed_ = time_;
  request_ = next;
  start_request();
  return Refusal::none;
}

void Plant::open_output() noexcept {
  if (!request_.output_on) return;
  request_.output_on = false;
  output_changed_ = time_;
  start_request();
}

void Plant::trip(std::uint32_t alarm_bits) noexcept {
  alarms_ |= alarm_bits;
  if (!request_.output_on) return;
  // May be called inside a step: the moment is the one reached so far.
  request_.output_on = false;
  output_changed_ = start_ + base::microseconds(static_cast<std::int64_t>(std::llround(elapsed_s_ * 1e6)));
  if (output_changed_ < time_) output_changed_ = time_;
  start_request();
}

void Plant::check_protection() noexcept {
  if (!request_.output_on) return;
  std::uint32_t bits = 0;
  if (voltage_V_ > protection_.voltage_max_V + kComparator) bits |= alarm::kOverVoltage;
  if (voltage_V_ < protection_.voltage_min_V - kComparator) bits |= alarm::kUnderVoltage;
  if (current_A_ > protection_.current_max_A + kComparator) bits |= alarm::kOverCurrent;
  if (current_A_ < protection_.current_min_A - kComparator) bits |= alarm::kOverCurrent;
  if (bits != 0) trip(bits);
}

}  // namespace cyclerd::hil
