// One cell at the terminals of one cycler's output stage, with the instruments that look at it. Time moves only by
// advance_to(): the caller has the clock. One thread; nothing allocates after construction.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "hil/cells/cell.hpp"
#include "hil/plant/meter.hpp"
#include "hil/plant/stage.hpp"
#include "protocols/base/command.hpp"
#include "protocols/base/sample.hpp"
#include "protocols/base/time.hpp"

namespace cyclerd::hil {

struct PlantConfig {
  StageConfig stage;
  MeterConfig voltage;           // V
  MeterConfig current;           // A
  MeterConfig temperature;       // K
  base::Duration current_delay;  // the current shown is this much older than the voltage
  std::uint64_t seed = 1;
};

// The stage's own protections; a trip opens the output and stays until acknowledged. They act only while the output is
// on, on a value beyond the bound by more than the comparator's resolution (1 mV, 1 mA).
struct Protection {
  double voltage_max_V = std::numeric_limits<double>::infinity();
  double voltage_min_V = -std::numeric_limits<double>::infinity();
  double current_max_A = std::numeric_limits<double>::infinity();
  double current_min_A = -std::numeric_limits<double>::infinity();
};
namespace alarm {
inline constexpr std::uint32_t kOverVoltage = 1U << 0;
inline constexpr std::uint32_t kUnderVoltage = 1U << 1;
inline constexpr std::uint32_t kOverCurrent = 1U << 2;
inline constexpr std::uint32_t kWatchdog = 1U << 3;  // the twin's communication watchdog fired
}  // namespace alarm

// Lies that instruments tell when a test asks for it. The cell and the stage go on as they are.
struct SensorFaults {
  std::optional<double> voltage_V;
  std::optional<double> current_A;
  std::optional<double> temperature_degC;
  base::MonoTime shown;  // the first measurement with a lie in it; 0: none since the last one was asked for
};

// What the cycler's display shows.
struct Measurement {
  base::MonoTime time;
  double voltage_V = 0.0;
  double current_A = 0.0;
  double power_W = 0.0;
  double temperature_degC = 0.0;  // of the cell's surface
  base::Regulation regulation = base::Regulation::off;
  bool output_on = false;
  std::uint32_t alarms = 0;
};

// What is really so.
struct Truth {
  base::MonoTime time;
  bool output_on = false;
  StageMode mode = StageMode::off;
  double voltage_V = 0.0;
  double current_A = 0.0;
  double charge_C = 0.0;      // net, since the start
  double energy_J = 0.0;      // net, into the cell
  double mode_since_s = 0.0;  // of the held bound, seconds since the start, to fractions of a microsecond
  base::MonoTime output_changed;
  base::MonoTime lie_shown;  // see SensorFaults; 0: not yet
  CellReadout cell;
};

struct PlantSnapshot {
  static constexpr std::uint32_t kVersion = 1;
  std::uint32_t version = 0;
  std::uint32_t alarms = 0;
  CellSnapshot cell;
  StageRequest request;
  StageMode mode = StageMode::off;
  bool settled = true;
  base::MonoTime time, start, output_changed;
  double current_A = 0.0, mode_since_s = 0.0, charge_C = 0.0, energy_J = 0.0;
  Protection protection;
  base::Duration watchdog;
  base::MonoTime fed;
  std::uint64_t noise_state = 0;
};

class Plant {
 public:
  Plant(std::unique_ptr<Cell> cell, const PlantConfig& config, base::MonoTime start);

  // Moves to `t`, never back. The set-point in force holds all the while.
  void advance_to(base::MonoTime t) noexcept;

  // From now on. Refused requests change nothing. An alarm keeps the output open (accepted, but without effect) until
  // acknowledged.
  [[nodiscard]] Refusal apply(const base::Setpoint& setpoint) noexcept;
  [[nodiscard]] Refusal apply(const StageRequest& request) noexcept;
  void open_output() noexcept;
  // Fault injection and preparation: the cell is as if it had rested at this state of charge; the set-point goes on.
  void set_soc(double soc) noexcept;

  void set_protection(const Protection& protection) noexcept { protection_ = protection; }
  [[nodiscard]] const Protection& protection() const noexcept { return protection_; }
  void trip(std::uint32_t alarm_bits) noexcept;
  void acknowledge() noexcept { alarms_ = 0; }

  // Communication watchdog: not fed for `timeout` while the output is on, it trips (alarm::kWatchdog), at that very
  // moment. 0: off. Switching the output on feeds it.
  void set_watchdog(base::Duration timeout) noexcept;
  void feed_watchdog() noexcept { fed_ = time_; }
  [[nodiscard]] base::Duration watchdog() const noexcept { return watchdog_; }

  [[nodiscard]] Measurement measure() noexcept;  // advances the noise
  [[nodiscard]] Truth truth() const noexcept;
  [[nodiscard]] base::MonoTime now() const noexcept { return time_; }
  [[nodiscard]] const StageRequest& request() const noexcept { return request_; }
  [[nodiscard]] const PlantConfig& config() const noexcept { return config_; }
  [[nodiscard]] Cell& cell() noexcept { return *cell_; }
  [[nodiscard]] SensorFaults& faults() noexcept { return faults_; }

  [[nodiscard]] PlantSnapshot snapshot() const;
  // False, and nothing changed, when version or cell do not fit.
  [[nodiscard]] bool restore(const PlantSnapshot& snapshot) noexcept;

 private:
  void move_to(base::MonoTime t) noexcept;
  struct Trial {
    double current_A = 0.0;
    double voltage_V = 0.0;
  };
  double substep(double h_s) noexcept;
  double settle(double h_s) noexcept;
  [[nodiscard]] double longest_substep_s() const noexcept;
  [[nodiscard]] Operating operate_now() const noexcept;
  [[nodiscard]] Trial propose(StageMode mode, double h_s) noexcept;
  [[nodiscard]] Trial solve(StageMode mode, double h_s) noexcept;
  double locate(double h_s, Excess& at_end) noexcept;
  void take(const Trial& trial, double h_s) noexcept;
  void hold(StageMode mode) noexcept;
  void start_request() noexcept;
  void check_protection() noexcept;
  [[nodiscard]] double delayed_current_A() const noexcept;

  std::unique_ptr<Cell> cell_;
  PlantConfig config_;
  StageRequest request_;   // as asked
  StageRequest executed_;  // as carried out
  StageMode mode_ = StageMode::off;
  bool settled_ = true;
  int switches_here_ = 0;  // changes of the held bound without time passing
  double current_A_ = 0.0;
  double voltage_V_ = 0.0;
  base::MonoTime start_, time_, output_changed_;
  double elapsed_s_ = 0.0;
  double mode_since_s_ = 0.0;
  double charge_C_ = 0.0;
  double energy_J_ = 0.0;
  Protection protection_;
  std::uint32_t alarms_ = 0;
  base::Duration watchdog_;
  base::MonoTime fed_;
  SensorFaults faults_;
  Noise noise_;
  struct Past {
    double elapsed_s = 0.0;
    double current_A = 0.0;
  };
  std::array<Past, 256> past_{};  // only with a current delay
  std::size_t past_next_ = 0;
};

}  // namespace cyclerd::hil
