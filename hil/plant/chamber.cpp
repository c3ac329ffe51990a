#include "hil/plant/chamber.hpp"

#include <algorithm>
#include <cmath>

namespace cyclerd::hil {
namespace {

// The controller's own beat, and the step of the heat balance (fastest time constant: 40 s).
constexpr base::Duration kTick = base::milliseconds(250);
constexpr double kTick_s = 0.25;

}  // namespace

Chamber::Chamber(const ChamberConfig& config, base::MonoTime start) : config_(config), noise_(config.seed) {
  state_.time = start;
  state_.tick_time = start;
  state_.air_degC = config.start_degC;
  state_.wall_degC = config.start_degC;
  state_.lagged_degC = config.start_degC;
  state_.setpoint_degC = std::clamp(config.start_degC, config.setpoint_min_degC, config.setpoint_max_degC);
  state_.setpoint_in_force_degC = state_.setpoint_degC;
  state_.delayed_degC.fill(config.start_degC);
  const auto ticks =
      std::clamp<std::int64_t>(config.sensor_dead_time.us / kTick.us, 0, ChamberSnapshot::kDeadTicks - 1);
  dead_ticks_ = static_cast<std::size_t>(ticks);
}

void Chamber::advance_to(base::MonoTime t) noexcept {
  if (t <= state_.time) return;
  while (state_.tick_time + kTick <= t) {
    tick();
    state_.tick_time = state_.tick_time + kTick;
  }
  state_.time = t;
}

void Chamber::tick() noexcept {
  // Sensor: dead time, then first-order lag.
  state_.delayed_degC[state_.delayed_next % ChamberSnapshot::kDeadTicks] = state_.air_degC;
  const std::size_t then =
      (state_.delayed_next + ChamberSnapshot::kDeadTicks - dead_ticks_) % ChamberSnapshot::kDeadTicks;
  ++state_.delayed_next;
  const double lag = config_.sensor_lag_s > 0.0 ? -std::expm1(-kTick_s / config_.sensor_lag_s) : 1.0;
  state_.lagged_degC += lag * (state_.delayed_degC[then] - state_.lagged_degC);

  if (state_.air_degC > config_.thermostat_degC) state_.tripped = true;
  control(reading_fault_degC_.value_or(state_.lagged_degC));

  // Heat balance by the midpoint rule; the true air and wall, no sensor.
  auto rates = [this](double air, double wall, double& air_rate, double& wall_rate) {
    const double to_wall = config_.air_to_wall_W_per_K * (air - wall);
    air_rate = (state_.power_W + state_.load_W - to_wall) / config_.air_J_per_K;
    wall_rate = (to_wall - config_.wall_to_room_W_per_K * (wall - config_.room_degC)) / config_.wall_J_per_K;
  };
  double air_rate = 0.0, wall_rate = 0.0;
  rates(state_.air_degC, state_.wall_degC, air_rate, wall_rate);
  rates(state_.air_degC + 0.5 * kTick_s * air_rate, state_.wall_degC + 0.5 * kTick_s * wall_rate, air_rate, wall_rate);
  state_.air_degC = std::clamp(state_.air_degC + kTick_s * air_rate, -100.0, 400.0);
  state_.wall_degC = std::clamp(state_.wall_degC + kTick_s * wall_rate, -100.0, 400.0);
}

void Chamber::control(double measured_degC) noexcept {
  if (!state_.running || state_.tripped) {
    state_.power_W = 0.0;
    state_.integral_W = 0.0;
    return;
  }
  if (state_.ramp_K_per_s > 0.0) {
    const double most = state_.ramp_K_per_s * kTick_s;
    state_.setpoint_in_force_degC += std::clamp(state_.setpoint_degC - state_.setpoint_in_force_degC, -most, most);
  } else {
    state_.setpoint_in_force_degC = state_.setpoint_degC;
  }
  const double error = state_.setpoint_in_force_degC - measured_degC;
  const double wanted = config_.gain_W_per_K * error + state_.integral_W;
  const double cooling =
      std::clamp(config_.cooling_at_20_degC_W + config_.cooling_slope_W_per_K * (state_.air_degC - 20.0), 0.0,
                 config_.cooling_max_W);
  state_.power_W = std::clamp(wanted, -cooling, config_.heating_W);
  // Back-calculation: a saturated actuator leads the integral back instead of letting it grow.
  state_.integral_W += kTick_s * (config_.gain_W_per_K / config_.integral_time_s * error +
                                  (state_.power_W - wanted) / config_.anti_windup_time_s);
}

bool Chamber::apply(const base::ChamberSetpoint& setpoint) noexcept {
  if (!std::isfinite(setpoint.temperature_degC) || !std::isfinite(setpoint.ramp_K_per_min) ||
      setpoint.ramp_K_per_min < 0.0)
    return false;
  if (setpoint.temperature_degC < config_.setpoint_min_degC || setpoint.temperature_degC > config_.setpoint_max_degC)
    return false;
  const double ramp_K_per_s = setpoint.ramp_K_per_min / 60.0;
  const bool was_running = state_.running;
  state_.running = setpoint.run != 0;
  state_.ramp_K_per_s = ramp_K_per_s;
  // A ramp begins where the air is now; a new target of a running ramp goes on from where the ramp has got to.
  if (ramp_K_per_s > 0.0 && !was_running) state_.setpoint_in_force_degC = state_.lagged_degC;
  if (ramp_K_per_s <= 0.0) state_.setpoint_in_force_degC = setpoint.temperature_degC;
  state_.setpoint_degC = setpoint.temperature_degC;
  return true;
}

void Chamber::stop() noexcept {
  state_.running = false;
  state_.power_W = 0.0;
  state_.integral_W = 0.0;
}

ChamberReadout Chamber::readout() noexcept {
  ChamberReadout out;
  out.time = state_.time;
  out.air_degC = state_.air_degC;
  out.wall_degC = state_.wall_degC;
  out.reading_degC = reading_fault_degC_ ? *reading_fault_degC_ : metered(state_.lagged_degC, config_.reading, noise_);
  out.setpoint_degC = state_.setpoint_degC;
  out.setpoint_in_force_degC = state_.setpoint_in_force_degC;
  out.power_W = state_.power_W;
  out.running = state_.running;
  out.thermostat_tripped = state_.tripped;
  return out;
}

ChamberSnapshot Chamber::snapshot() const noexcept {
  ChamberSnapshot s = state_;
  s.noise_state = noise_.state();
  return s;
}

bool Chamber::restore(const ChamberSnapshot& snapshot) noexcept {
  if (snapshot.version != ChamberSnapshot::kVersion) return false;
  for (double x : {snapshot.air_degC, snapshot.wall_degC, snapshot.lagged_degC, snapshot.setpoint_degC,
                   snapshot.setpoint_in_force_degC, snapshot.ramp_K_per_s, snapshot.integral_W, snapshot.power_W,
                   snapshot.load_W}) {
    if (!std::isfinite(x)) return false;
  }
  state_ = snapshot;
  noise_.set_state(snapshot.noise_state);
  return true;
}

}  // namespace cyclerd::hil
