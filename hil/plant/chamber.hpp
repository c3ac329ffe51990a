// A temperature chamber: air and wall, loads, heating and refrigeration behind a PI controller, a lagging sensor, frost
// and moisture, and an independent thermostat that latches. Time moves only by advance_to(). One thread; nothing
// allocates.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "hil/plant/meter.hpp"
#include "protocols/base/command.hpp"
#include "protocols/base/time.hpp"

namespace cyclerd::hil {

// Default: a standard chamber of 240 litres, 4 to 5 K/min heating, 1.4 to 2.4 K/min cooling.
struct ChamberConfig {
  double air_J_per_K = 6e3;
  double wall_J_per_K = 25e3;
  double air_to_wall_W_per_K = 150.0;
  double wall_to_room_W_per_K = 6.0;
  double heating_W = 2200.0;
  double cooling_at_20_degC_W = 1400.0;
  double cooling_slope_W_per_K = 24.0;  // refrigeration weakens as the air gets colder
  double cooling_max_W = 1700.0;
  double sensor_lag_s = 15.0;
  base::Duration sensor_dead_time = base::seconds(4);  // at most 15 s
  double gain_W_per_K = 180.0;
  double integral_time_s = 240.0;
  double anti_windup_time_s = 60.0;
  double sensor_offset_K = 0.0;    // a controller's sensor in a place that is warmer than the air
  base::Duration compressor_rest;  // once stopped, the compressor does not start again sooner
  double load_J_per_K = 0.0;       // a dead load: shelves, a fixture
  double load_W_per_K = 20.0;      // between it and the air
  double door_W_per_K = 100.0;     // between air and room while the door is open
  double room_degC = 25.0;
  double room_humidity = 0.45;  // relative
  double start_degC = 25.0;
  double stored_degC = 25.0;  // set-point that the controller wakes up with
  double setpoint_min_degC = -40.0;
  double setpoint_max_degC = 120.0;
  double thermostat_degC = 130.0;  // class 2: above it heating, fan and refrigeration stop until reset by hand
  MeterConfig reading;             // K
  std::uint64_t seed = 1;
};

// What the controller shows as its actual temperature.
enum class ChamberReport : std::uint8_t { actual = 0, setpoint, fahrenheit, tenfold };

struct ChamberReadout {
  base::MonoTime time;
  double air_degC = 0.0;  // true
  double wall_degC = 0.0;
  double load_degC = 0.0;
  double reading_degC = 0.0;  // what the controller shows
  double setpoint_degC = 0.0;
  double setpoint_in_force_degC = 0.0;  // where a ramp has got to
  double power_W = 0.0;                 // heating positive
  bool running = false;
  bool thermostat_tripped = false;
  bool door_open = false;
  bool compressor_tripped = false;
  bool frosted = false;         // refrigeration at half its power
  double dew_point_degC = 0.0;  // of the air inside
  bool condensation = false;    // a surface inside is colder than that
};

struct ChamberSnapshot {
  static constexpr std::uint32_t kVersion = 2;
  static constexpr std::size_t kDeadTicks = 64;
  std::uint32_t version = kVersion;
  bool running = false;
  bool tripped = false;
  bool door_open = false, compressor_tripped = false, frosted = false, cooling = false;
  ChamberReport report = ChamberReport::actual;
  base::MonoTime time, tick_time, compressor_stopped;
  double load_degC = 0.0, sensor_offset_K = 0.0;
  double cold_s = 0.0;  // below 0 degC; runs back while it thaws
  double dew_degC = 0.0, coldest_degC = 0.0;
  double air_degC = 0.0, wall_degC = 0.0, lagged_degC = 0.0;
  double setpoint_degC = 0.0, setpoint_in_force_degC = 0.0, ramp_K_per_s = 0.0;
  double integral_W = 0.0, power_W = 0.0, load_W = 0.0;
  std::array<double, kDeadTicks> delayed_degC{};
  std::uint64_t delayed_next = 0;
  std::uint64_t noise_state = 0;
};

// Dew point of air (Magnus; Alduchov and Eskridge 1996).
[[nodiscard]] double dew_point_degC(double air_degC, double relative_humidity) noexcept;

class Chamber {
 public:
  Chamber(const ChamberConfig& config, base::MonoTime start);

  void advance_to(base::MonoTime t) noexcept;
  // False when the set-point is no finite number or outside the chamber's range; nothing changed.
  [[nodiscard]] bool apply(const base::ChamberSetpoint& setpoint) noexcept;
  void stop() noexcept;
  // The way back after the thermostat: a person at the chamber. A set-point never clears it.
  void reset_thermostat() noexcept { state_.tripped = false; }
  // Heat that cells give to the air, W, and the coldest of their surfaces.
  void set_load(double heat_W, double coldest_degC) noexcept {
    state_.load_W = heat_W;
    state_.coldest_degC = coldest_degC;
  }

  // Faults, from now on.
  void set_door(bool open) noexcept { state_.door_open = open; }
  void set_compressor_trip(bool tripped) noexcept { state_.compressor_tripped = tripped; }
  void set_report(ChamberReport report) noexcept { state_.report = report; }
  bool set_sensor_offset(double offset_K) noexcept;  // false: no number
  // The controller loses its mind and comes back running, at the set-point it has stored.
  void restart() noexcept;

  [[nodiscard]] double air_degC() const noexcept { return state_.air_degC; }
  [[nodiscard]] ChamberReadout readout() noexcept;  // advances the noise
  [[nodiscard]] base::MonoTime now() const noexcept { return state_.time; }
  [[nodiscard]] const ChamberConfig& config() const noexcept { return config_; }
  // A sensor that lies, for tests.
  [[nodiscard]] std::optional<double>& reading_fault_degC() noexcept { return reading_fault_degC_; }

  [[nodiscard]] ChamberSnapshot snapshot() const noexcept;
  [[nodiscard]] bool restore(const ChamberSnapshot& snapshot) noexcept;

 private:
  void tick() noexcept;
  void control(double measured_degC) noexcept;
  [[nodiscard]] double cooling_W(double wanted_W) noexcept;
  void follow_frost() noexcept;
  void follow_moisture() noexcept;
  void move_heat() noexcept;

  ChamberConfig config_;
  ChamberSnapshot state_;
  std::size_t dead_ticks_ = 0;
  double lag_ = 1.0;                                                    // of the sensor in one tick
  double air_K_per_J_ = 0.0, wall_K_per_J_ = 0.0, load_K_per_J_ = 0.0;  // load: 0 without one
  double room_dew_degC_ = 0.0;
  Noise noise_;
  std::optional<double> reading_fault_degC_;
};

}  // namespace cyclerd::hil
