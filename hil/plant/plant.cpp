#include "hil/plant/plant.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "hil/cells/bracket.hpp"
#include "protocols/base/check.hpp"

namespace cyclerd::hil {
namespace {

constexpr int kMaxSwitchesHere = 4;
constexpr int kMaxTangents = 16;
constexpr double kComparator = 1e-3;  // V, A: what a protection can tell from its bound
constexpr double kSlewStep_s = 1e-2;
constexpr double kBlindStep_s = 1e-2, kBlindIdleStep_s = 0.1;
constexpr double kOvershootGone_V = 1e-7;
constexpr double kBlindOhm = 1e-9;  // of a sensed voltage that does not answer to the current
constexpr std::size_t kPast = 1024;

std::unique_ptr<Cell> given(std::unique_ptr<Cell> cell) {
  ENSURE(cell != nullptr, "a plant without a cell");
  return cell;
}

}  // namespace

Plant::Plant(std::unique_ptr<Cell> cell, const PlantConfig& config, base::MonoTime start)
    : cell_(given(std::move(cell))),
      config_(config),
      noise_(config.seed),
      voltage_ranges_(config.voltage_accuracy, config.stage.voltage_max_V, noise_),
      current_ranges_(config.current_accuracy, std::max(config.stage.current_max_A, -config.stage.current_min_A),
                      noise_),
      stepper_(*cell_),
      start_(start),
      time_(start),
      output_changed_(start),
      contact_Ohm_(config.leads.contact_Ohm),
      probe_(config.probe, cell_->readout().surface_degC) {
  if (config.sampling.us > 0 || config.current_delay.us > 0) past_.resize(kPast);
  view_ = view_of(config_.leads, contact_Ohm_, sense_);
  choose_ranges();
  begin_request();
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
  stepper_.set_elapsed((t - start_).seconds());
  if (probe_.lags()) probe_.follow(cell_->readout().surface_degC, total_s);
}

double Plant::longest_substep_s() const noexcept {
  if (gap_s_ > 0.0) return gap_s_;
  if (!settled_) {
    return config_.stage.rise_time_constant_s > 0.0 ? config_.stage.rise_time_constant_s / 5.0 : kSlewStep_s;
  }
  const double usual_s = stepper_.longest_s(drive_of(mode_, 0.0).kind);
  if (view_.blind && mode_ != StageMode::off) {
    return std::min(usual_s, std::abs(floating_V_) > kComparator ? kBlindStep_s : kBlindIdleStep_s);
  }
  if (mode_ == StageMode::voltage && overshoot_V_ != 0.0) return std::min(usual_s, config_.stage.voltage_loop_s / 5.0);
  return usual_s;
}

// ---- the law

// The request as it stands `ahead_s` from now: a late voltage loop lets the voltage past its set-point at first.
StageRequest Plant::law(double ahead_s) const noexcept {
  StageRequest r = executed_;
  const double most_V = config_.stage.voltage_overshoot_V;
  if (most_V <= 0.0) return r;
  switch (mode_) {
    case StageMode::off: break;
    case StageMode::voltage:
      r.voltage_V +=
          overshoot_V_ * std::exp(-(stepper_.elapsed_s() + ahead_s - mode_since_s_) / config_.stage.voltage_loop_s);
      break;
    case StageMode::current_high:
    case StageMode::power_high: r.voltage_V += most_V; break;
    default: r.voltage_V -= most_V;
  }
  return r;
}

double Plant::sensed_V(double current_A, double cell_V) const noexcept {
  if (view_.blind) {
    return sense_ == SenseFault::swapped ? -(cell_V + view_.ohm * current_A) : floating_V_;
  }
  return cell_V + view_.ohm * current_A + view_.bias_V;
}

double Plant::terminal_V() const noexcept {
  const double ohm = config_.leads.joint_Ohm + config_.leads.lead_Ohm + contact_Ohm_;
  return stepper_.voltage_V() + ohm * stepper_.current_A();
}

// What the law asks for at this instant. A cell whose resistance depends on its current is taken by tangents, each at
// the current that the one before gave; the second half of them half-way, for those that swing.
Operating Plant::operate_now() const noexcept {
  const StageRequest r = law(0.0);
  Operating point{mode_, stepper_.current_A()};
  if (view_.blind) {
    const Operating blind = operate(r, {sensed_V(point.current_A, stepper_.voltage_V()), kBlindOhm});
    return blind.mode == StageMode::voltage ? point : blind;
  }
  for (int round = 0; round < kMaxTangents; ++round) {
    Affine line = cell_->terminal(point.current_A);
    line.emf_V += view_.bias_V;
    line.resistance_Ohm += view_.ohm;
    Operating next = operate(r, line);
    const bool same = std::abs(next.current_A - point.current_A) <= 1e-12 * (1e-3 + std::abs(next.current_A));
    if (!same && round > kMaxTangents / 2) next.current_A = 0.5 * (next.current_A + point.current_A);
    point = next;
    if (same) break;
  }
  return point;
}

// The held bound as a drive of the cell, at the end of a step of `ahead_s`.
Drive Plant::drive_of(StageMode mode, double ahead_s) const noexcept {
  Drive d;
  switch (mode) {
    case StageMode::off: {
      const StageConfig& s = config_.stage;
      const double drain_A = stepper_.voltage_V() > 0.0 ? s.reverse_drain_A : 0.0;
      if (s.bleeder_Ohm <= 0.0) return Drive::current(-drain_A);
      d = Drive::resistance(s.bleeder_Ohm);
      d.series_Ohm = config_.leads.joint_Ohm + config_.leads.lead_Ohm + contact_Ohm_;
      d.offset_V = s.bleeder_Ohm * drain_A;
      return d;
    }
    case StageMode::current_high: return Drive::current(executed_.current_max_A);
    case StageMode::current_low: return Drive::current(executed_.current_min_A);
    case StageMode::voltage: d = Drive::voltage(law(ahead_s).voltage_V); break;
    case StageMode::power_high: d = Drive::power(executed_.power_max_W); break;
    case StageMode::power_low: d = Drive::power(executed_.power_min_W); break;
    case StageMode::resistance: d = Drive::resistance(executed_.resistance_Ohm); break;
  }
  d.series_Ohm = view_.ohm;
  d.offset_V = view_.bias_V;
  d.current_limit_A = 10.0 * std::max(config_.stage.current_max_A, -config_.stage.current_min_A);
  return d;
}

Excess Plant::excess_after(double ahead_s, const DrivePoint& end) const noexcept {
  if (mode_ == StageMode::off) return {};
  return excess_of(law(ahead_s), mode_, end.current_A, sensed_V(end.current_A, end.voltage_V));
}

// ---- steps

void Plant::take(const DrivePoint& point, double h_s) noexcept {
  stepper_.take();
  outcome_ = point.outcome;
  if (config_.leads.contact_Ohm_per_h > 0.0) {
    contact_Ohm_ += config_.leads.contact_Ohm_per_h * h_s / 3600.0;
    view_ = view_of(config_.leads, contact_Ohm_, sense_);
  }
  if (sense_ == SenseFault::floating) floating_V_ *= std::exp(-h_s / kSenseFloat_s);
  if (overshoot_V_ != 0.0 && mode_ == StageMode::voltage &&
      std::abs(law(0.0).voltage_V - executed_.voltage_V) < kOvershootGone_V) {
    overshoot_V_ = 0.0;
  }
  remember();
}

void Plant::hold(StageMode mode) noexcept {
  if (mode == mode_) return;
  // The loop takes over where the other bound let the voltage get to.
  overshoot_V_ = mode == StageMode::voltage ? law(0.0).voltage_V - executed_.voltage_V : 0.0;
  mode_ = mode;
  mode_since_s_ = stepper_.elapsed_s();
  stepper_.corner();
}

// The moment inside the step at which the first other bound is reached; `at_end` becomes the bound found there.
double Plant::locate(double h_s, Excess& at_end) noexcept {
  auto excess_at = [&](double t_s) {
    if (t_s <= 0.0) return excess_after(0.0, {stepper_.current_A(), stepper_.voltage_V()});
    return excess_after(t_s, stepper_.propose(drive_of(mode_, t_s), t_s));
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
  if (gap_s_ > 0.0) return wait_for_range(h_s);
  if (!settled_) return rise(h_s);
  if (view_.blind && mode_ != StageMode::off) return go_blind(h_s);
  DrivePoint end = stepper_.propose(drive_of(mode_, h_s), h_s);
  Excess excess = excess_after(h_s, end);
  if (excess.amount > 0.0 && switches_here_ < kMaxSwitchesHere) {
    const double event_s = locate(h_s, excess);
    if (event_s > 0.0) {
      end = stepper_.propose(drive_of(mode_, event_s), event_s);
      take(end, event_s);
    }
    hold(excess.next);
    switches_here_ = event_s > 10.0 * kEventTolerance_s ? 0 : switches_here_ + 1;
    return event_s;
  }
  if (excess.amount > 0.0) {
    // Two bounds hold each other: go on a little between them instead of changing for ever.
    h_s = std::min(h_s, kLeastProgress_s);
    const Operating point = operate_now();
    end = stepper_.propose(Drive::current(point.current_A), h_s);
    hold(point.mode);
  }
  switches_here_ = 0;
  take(end, h_s);
  check_protection();
  return h_s;
}

// The current runs towards its target like e^(-t/tau), no faster than the slew limit. Never past it, so a voltage bound
// is not overshot.
double Plant::rise(double h_s) noexcept {
  const StageConfig& s = config_.stage;
  const Operating target = operate_now();
  hold(target.mode);
  const double now_A = stepper_.current_A();
  double change_A = target.current_A - now_A;
  if (s.rise_time_constant_s > 0.0) change_A *= -std::expm1(-h_s / s.rise_time_constant_s);
  if (s.slew_A_per_s > 0.0) {
    const double most_A = s.slew_A_per_s * h_s;
    // Without a time constant the ramp ends inside the step.
    if (s.rise_time_constant_s <= 0.0 && std::abs(change_A) < most_A && change_A != 0.0)
      h_s = std::max(std::abs(change_A) / s.slew_A_per_s, 1e-9);
    change_A = std::clamp(change_A, -most_A, most_A);
  }
  take(stepper_.propose(Drive::current(now_A + change_A), h_s), h_s);
  const Operating now = operate_now();
  if (std::abs(stepper_.current_A() - now.current_A) <= 1e-6 * (1e-3 + std::abs(now.current_A))) {
    settled_ = true;
    hold(now.mode);
    stepper_.begin_at(now.current_A);
  }
  check_protection();
  return h_s;
}

// Between two ranges the output is open.
double Plant::wait_for_range(double h_s) noexcept {
  const double h = std::min(h_s, gap_s_);
  take(stepper_.propose(drive_of(StageMode::off, h), h), h);
  gap_s_ -= h;
  if (gap_s_ <= 1e-12) {
    gap_s_ = 0.0;
    begin_request();
  }
  return h;
}

// The sensed voltage does not answer: the loop runs against one of its limits, or rests at zero.
double Plant::go_blind(double h_s) noexcept {
  const Operating point = operate_now();
  hold(point.mode);
  if (point.current_A != stepper_.current_A()) stepper_.begin_at(point.current_A);
  take(stepper_.propose(Drive::current(point.current_A), h_s), h_s);
  check_protection();
  return h_s;
}

// ---- requests

void Plant::apply_errors() noexcept {
  const SetErrors base = set_errors_of(config_.stage);
  const double degC = config_.instrument_degC;
  set_errors_ = {voltage_ranges_.setting(voltage_range_, base.voltage, degC),
                 current_ranges_.setting(current_range_, base.current, degC)};
  voltage_meter_ = voltage_ranges_.reading(voltage_range_, config_.voltage, degC);
  current_meter_ = current_ranges_.reading(current_range_, config_.current, degC);
  executed_ = as_executed(request_, config_.stage, set_errors_);
}

void Plant::choose_ranges() noexcept {
  if (request_.output_on) {
    voltage_range_ = voltage_ranges_.range_for(std::max(request_.voltage_V, stepper_.voltage_V()));
    const std::size_t range = current_ranges_.range_for(std::max(request_.current_max_A, -request_.current_min_A));
    if (range != current_range_ && mode_ != StageMode::off) gap_s_ = config_.range_gap.seconds();
    current_range_ = range;
  }
  apply_errors();
}

void Plant::start_request() noexcept {
  choose_ranges();
  if (!request_.output_on) gap_s_ = 0.0;
  if (gap_s_ > 0.0) {
    remember();
    stepper_.begin_at(0.0);
    remember();
    return;
  }
  begin_request();
}

void Plant::begin_request() noexcept {
  const StageConfig& s = config_.stage;
  remember();
  overshoot_V_ = 0.0;
  switches_here_ = 0;
  const StageMode before = mode_;
  if (executed_.output_on && s.voltage_overshoot_V > 0.0) {
    // From which side the voltage will be met.
    mode_ = StageMode::voltage;
    mode_ = operate_now().current_A >= 0.0 ? StageMode::current_high : StageMode::current_low;
  }
  const Operating target = operate_now();
  if (target.mode == StageMode::voltage) overshoot_V_ = law(0.0).voltage_V - executed_.voltage_V;
  mode_ = target.mode;
  mode_since_s_ = stepper_.elapsed_s();
  settled_ = (s.rise_time_constant_s <= 0.0 && s.slew_A_per_s <= 0.0) || !executed_.output_on;
  if (mode_ == StageMode::off) {
    stepper_.begin(drive_of(mode_, 0.0));
  } else if (settled_) {
    stepper_.begin_at(target.current_A);
  } else {
    stepper_.begin_at(before == StageMode::off ? 0.0 : stepper_.current_A());
  }
  remember();
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
  output_changed_ = start_ + base::microseconds(static_cast<std::int64_t>(std::llround(stepper_.elapsed_s() * 1e6)));
  if (output_changed_ < time_) output_changed_ = time_;
  start_request();
}

void Plant::check_protection() noexcept {
  if (!request_.output_on) return;
  const double sensed_now_V = sensed_V(stepper_.current_A(), stepper_.voltage_V());
  const double current_A = stepper_.current_A();
  std::uint32_t bits = 0;
  if (sensed_now_V > protection_.voltage_max_V + kComparator) bits |= alarm::kOverVoltage;
  if (sensed_now_V < protection_.voltage_min_V - kComparator) bits |= alarm::kUnderVoltage;
  if (current_A > protection_.current_max_A + kComparator) bits |= alarm::kOverCurrent;
  if (current_A < protection_.current_min_A - kComparator) bits |= alarm::kOverCurrent;
  const StageConfig& s = config_.stage;
  if (s.ovp_margin > 0.0 && settled_) {
    // At the stage's own terminals, whatever the sense wires say. Who only discharges has the rating as his limit.
    const double limit_V = request_.current_max_A > 0.0 ? request_.voltage_V : s.voltage_max_V;
    if (std::max(sensed_now_V, terminal_V()) > limit_V * (1.0 + s.ovp_margin) + kComparator)
      bits |= alarm::kOverVoltage;
  }
  if (s.ocp_margin > 0.0 && settled_) {
    if (current_A > request_.current_max_A * (1.0 + s.ocp_margin) + kComparator) bits |= alarm::kOverCurrent;
    if (current_A < request_.current_min_A * (1.0 + s.ocp_margin) - kComparator) bits |= alarm::kOverCurrent;
  }
  if (bits != 0) trip(bits);
}

}  // namespace cyclerd::hil
