#include "hil/plant/chamber.hpp"

#include <algorithm>
#include <cmath>

namespace cyclerd::hil {
namespace {

// The controller's own beat, and the step of the heat balance (fastest time constant: 40 s).
constexpr base::Duration kTick = base::milliseconds(250);
constexpr double kTick_s = 0.25;
constexpr double kTemperatureMin_degC = -100.0, kTemperatureMax_degC = 400.0;
// Frost on the cooler halves its power after four hours below 0 degC; above, it thaws ten times as fast.
constexpr double kFrost_s = 4.0 * 3600.0;
constexpr double kThaw = 10.0;
constexpr double kFrostLeft = 0.5;
// Moisture: through an open door in half a minute, through the seals in hours; the cooler, some kelvins colder than the
// air, dries it in minutes; ice that thaws gives it back.
constexpr double kDoorMixing_s = 30.0, kSeals_s = 6.0 * 3600.0, kDrying_s = 180.0, kThawing_s = 120.0;
constexpr double kCoolerBelowAir_K = 6.0;

}  // namespace

double dew_point_degC(double air_degC, double relative_humidity) noexcept {
  const double g = std::log(std::clamp(relative_humidity, 1e-3, 1.0)) + 17.625 * air_degC / (243.04 + air_degC);
  return 243.04 * g / (17.625 - g);
}

Chamber::Chamber(const ChamberConfig& config, base::MonoTime start) : config_(config), noise_(config.seed) {
  state_.time = start;
  state_.tick_time = start;
  state_.air_degC = config.start_degC;
  state_.wall_degC = config.start_degC;
  state_.load_degC = config.start_degC;
  state_.coldest_degC = config.start_degC;
  state_.sensor_offset_K = config.sensor_offset_K;
  state_.lagged_degC = config.start_degC;
  room_dew_degC_ = dew_point_degC(config.room_degC, config.room_humidity);
  state_.dew_degC = std::min(room_dew_degC_, config.start_degC);
  state_.compressor_stopped = start - config.compressor_rest;
  lag_ = config.sensor_lag_s > 0.0 ? -std::expm1(-kTick_s / config.sensor_lag_s) : 1.0;
  state_.setpoint_degC = std::clamp(config.start_degC, config.setpoint_min_degC, config.setpoint_max_degC);
  state_.setpoint_in_force_degC = state_.setpoint_degC;
  state_.delayed_degC.fill(config.start_degC);
  const auto ticks =
      std::clamp<std::int64_t>(config.sensor_dead_time.us / kTick.us, 0, ChamberSnapshot::kDeadTicks - 1);
  dead_ticks_ = static_cast<std::size_t>(ticks);
  air_K_per_J_ = 1.0 / config.air_J_per_K;
  wall_K_per_J_ = 1.0 / config.wall_J_per_K;
  load_K_per_J_ = config.load_J_per_K > 0.0 ? 1.0 / config.load_J_per_K : 0.0;
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
  state_.lagged_degC += lag_ * (state_.delayed_degC[then] + state_.sensor_offset_K - state_.lagged_degC);

  if (state_.air_degC > config_.thermostat_degC) state_.tripped = true;
  control(reading_fault_degC_.value_or(state_.lagged_degC));
  move_heat();
  follow_frost();
  follow_moisture();
}

// Heat balance by the midpoint rule; the true air, wall and load, no sensor.
void Chamber::move_heat() noexcept {
  const double to_room = state_.door_open ? config_.door_W_per_K : 0.0;
  const double to_load = config_.load_J_per_K > 0.0 ? config_.load_W_per_K : 0.0;
  struct Nodes {
    double air, wall, load;
  };
  auto rates = [&](const Nodes& n) {
    const double wall_W = config_.air_to_wall_W_per_K * (n.air - n.wall);
    const double load_W = to_load * (n.air - n.load);
    const double door_W = to_room * (n.air - config_.room_degC);
    return Nodes{(state_.power_W + state_.load_W - wall_W - load_W - door_W) * air_K_per_J_,
                 (wall_W - config_.wall_to_room_W_per_K * (n.wall - config_.room_degC)) * wall_K_per_J_,
                 load_W * load_K_per_J_};
  };
  const Nodes now{state_.air_degC, state_.wall_degC, state_.load_degC};
  Nodes r = rates(now);
  constexpr double kHalf_s = 0.5 * kTick_s;
  r = rates({now.air + kHalf_s * r.air, now.wall + kHalf_s * r.wall, now.load + kHalf_s * r.load});
  state_.air_degC = std::clamp(now.air + kTick_s * r.air, kTemperatureMin_degC, kTemperatureMax_degC);
  state_.wall_degC = std::clamp(now.wall + kTick_s * r.wall, kTemperatureMin_degC, kTemperatureMax_degC);
  state_.load_degC = std::clamp(now.load + kTick_s * r.load, kTemperatureMin_degC, kTemperatureMax_degC);
  if (to_load <= 0.0) state_.load_degC = state_.air_degC;
}

void Chamber::follow_frost() noexcept {
  if (state_.air_degC < 0.0) {
    state_.cold_s = std::min(state_.cold_s + kTick_s, kFrost_s);
    if (state_.cold_s >= kFrost_s) state_.frosted = true;
  } else {
    state_.cold_s = std::max(state_.cold_s - kThaw * kTick_s, 0.0);
    if (state_.cold_s <= 0.0) state_.frosted = false;
  }
}

// The dew point follows whatever gives or takes water, the fastest first.
void Chamber::follow_moisture() noexcept {
  auto towards = [this](double degC, double tau_s) { state_.dew_degC += kTick_s / tau_s * (degC - state_.dew_degC); };
  const double cooler_degC = state_.air_degC - kCoolerBelowAir_K;
  if (state_.door_open) towards(room_dew_degC_, kDoorMixing_s);
  if (state_.power_W < 0.0 && state_.dew_degC > cooler_degC) towards(cooler_degC, kDrying_s);
  const bool thaws = state_.cold_s > 0.0 && state_.air_degC > 0.0;
  if (thaws && state_.power_W >= 0.0) towards(std::min(state_.air_degC, room_dew_degC_), kThawing_s);
  towards(room_dew_degC_, kSeals_s);
  state_.dew_degC = std::min(state_.dew_degC, state_.air_degC);  // more than saturated air holds is mist and runs off
}

// The most the refrigeration gives when `wanted_W` is asked for.
double Chamber::cooling_W(double wanted_W) noexcept {
  const double most_W =
      std::clamp(config_.cooling_at_20_degC_W + config_.cooling_slope_W_per_K * (state_.air_degC - 20.0), 0.0,
                 config_.cooling_max_W) *
      (state_.frosted ? kFrostLeft : 1.0);
  const bool asked = wanted_W < 0.0 && !state_.compressor_tripped;
  if (state_.cooling && !asked) state_.compressor_stopped = state_.tick_time;
  if (!state_.cooling && asked && state_.tick_time - state_.compressor_stopped < config_.compressor_rest) return 0.0;
  state_.cooling = asked;
  return asked ? most_W : 0.0;
}

void Chamber::control(double measured_degC) noexcept {
  if (!state_.running || state_.tripped) {
    state_.power_W = 0.0;
    state_.integral_W = 0.0;
    (void)cooling_W(0.0);
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
  state_.power_W = std::clamp(wanted, -cooling_W(wanted), config_.heating_W);
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

bool Chamber::set_sensor_offset(double offset_K) noexcept {
  if (!std::isfinite(offset_K)) return false;
  state_.sensor_offset_K = offset_K;
  return true;
}

void Chamber::restart() noexcept {
  state_.setpoint_degC = std::clamp(config_.stored_degC, config_.setpoint_min_degC, config_.setpoint_max_degC);
  state_.setpoint_in_force_degC = state_.setpoint_degC;
  state_.ramp_K_per_s = 0.0;
  state_.integral_W = 0.0;
  state_.running = true;
}

ChamberReadout Chamber::readout() noexcept {
  ChamberReadout out;
  out.time = state_.time;
  out.air_degC = state_.air_degC;
  out.wall_degC = state_.wall_degC;
  out.load_degC = state_.load_degC;
  out.reading_degC = metered(state_.lagged_degC, config_.reading, noise_);
  switch (state_.report) {
    case ChamberReport::actual: break;
    case ChamberReport::setpoint: out.reading_degC = state_.setpoint_in_force_degC; break;
    case ChamberReport::fahrenheit: out.reading_degC = 32.0 + 1.8 * out.reading_degC; break;
    case ChamberReport::tenfold: out.reading_degC *= 10.0; break;
  }
  if (reading_fault_degC_) out.reading_degC = *reading_fault_degC_;
  out.setpoint_degC = state_.setpoint_degC;
  out.setpoint_in_force_degC = state_.setpoint_in_force_degC;
  out.power_W = state_.power_W;
  out.running = state_.running;
  out.thermostat_tripped = state_.tripped;
  out.door_open = state_.door_open;
  out.compressor_tripped = state_.compressor_tripped;
  out.frosted = state_.frosted;
  out.dew_point_degC = state_.dew_degC;
  out.condensation = std::min(state_.coldest_degC, state_.load_degC) < state_.dew_degC;
  return out;
}

ChamberSnapshot Chamber::snapshot() const noexcept {
  ChamberSnapshot s = state_;
  s.noise_state = noise_.state();
  return s;
}

bool Chamber::restore(const ChamberSnapshot& snapshot) noexcept {
  if (snapshot.version != ChamberSnapshot::kVersion) return false;
  for (double x :
       {snapshot.air_degC, snapshot.wall_degC, snapshot.lagged_degC, snapshot.setpoint_degC,
        snapshot.setpoint_in_force_degC, snapshot.ramp_K_per_s, snapshot.integral_W, snapshot.power_W, snapshot.load_W,
        snapshot.load_degC, snapshot.sensor_offset_K, snapshot.cold_s, snapshot.dew_degC, snapshot.coldest_degC}) {
    if (!std::isfinite(x)) return false;
  }
  state_ = snapshot;
  noise_.set_state(snapshot.noise_state);
  return true;
}

}  // namespace cyclerd::hil
