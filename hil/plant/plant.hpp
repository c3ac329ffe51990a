// One cell at the terminals of one cycler's output stage, with the instruments that look at it. Time moves only by
// advance_to(): the caller has the clock. One thread; nothing allocates after construction.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "hil/cells/cell.hpp"
#include "hil/cells/drive.hpp"
#include "hil/plant/instrument.hpp"
#include "hil/plant/leads.hpp"
#include "hil/plant/meter.hpp"
#include "hil/plant/probe.hpp"
#include "hil/plant/stage.hpp"
#include "protocols/base/command.hpp"
#include "protocols/base/sample.hpp"
#include "protocols/base/time.hpp"

namespace cyclerd::hil {

struct PlantConfig {
  StageConfig stage;
  AccuracyConfig voltage_accuracy;
  AccuracyConfig current_accuracy;
  base::Duration range_gap;  // the output is open for so long while it changes its current range
  LeadsConfig leads;
  MeterConfig voltage;           // V
  MeterConfig current;           // A
  MeterConfig temperature;       // K
  ProbeConfig probe;             // on the cell's surface
  base::Duration sampling;       // readings are taken on this grid and kept in between; 0: whenever asked
  base::Duration current_delay;  // the current shown is this much older than the voltage
  double instrument_degC = 25.0;
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
  base::MonoTime time;  // of the voltage
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
  DriveOutcome outcome = DriveOutcome::held;  // of the last step
  double voltage_V = 0.0;                     // at the cell's terminals
  double terminal_V = 0.0;                    // at the cycler's
  double sensed_V = 0.0;                      // where the voltage is held and read
  double current_A = 0.0;
  double charge_C = 0.0;      // net, since the start
  double energy_J = 0.0;      // net, into the cell
  double mode_since_s = 0.0;  // of the held bound, seconds since the start, to fractions of a microsecond
  double contact_Ohm = 0.0;
  std::size_t voltage_range = 0, current_range = 0;
  base::MonoTime output_changed;
  base::MonoTime lie_shown;  // see SensorFaults; 0: not yet
  CellReadout cell;
};

struct PlantSnapshot {
  static constexpr std::uint32_t kVersion = 2;
  std::uint32_t version = 0;
  std::uint32_t alarms = 0;
  CellSnapshot cell;
  Stepper::State stepper{};
  StageRequest request;
  StageMode mode = StageMode::off;
  SenseFault sense = SenseFault::none;
  ProbeFault probe = ProbeFault::none;
  bool settled = true;
  base::MonoTime time, start, output_changed;
  double mode_since_s = 0.0, overshoot_V = 0.0, gap_s = 0.0, contact_Ohm = 0.0, joint_Ohm = 0.0, floating_V = 0.0;
  double probe_lagged_degC = 0.0, probe_last_degC = 0.0, instrument_degC = 25.0;
  std::size_t voltage_range = 0, current_range = 0;
  Protection protection;
  base::Duration watchdog;
  base::MonoTime fed;
  std::uint64_t noise_state = 0;
  std::int64_t sampled = -1;
  Measurement last;
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

  // Faults of the rig, from now on. Resistances below 0 and values that are no number are ignored (false).
  bool set_sense_fault(SenseFault fault) noexcept;  // false: two wires have no sense wires
  bool set_contact(double ohm) noexcept;
  bool set_joint(double ohm) noexcept;
  bool set_instrument_temperature(double degC) noexcept;
  [[nodiscard]] Probe& probe() noexcept { return probe_; }

  [[nodiscard]] Measurement measure() noexcept;  // advances the noise
  [[nodiscard]] Truth truth() const noexcept;
  [[nodiscard]] base::MonoTime now() const noexcept { return time_; }
  [[nodiscard]] const StageRequest& request() const noexcept { return request_; }
  [[nodiscard]] const PlantConfig& config() const noexcept { return config_; }
  [[nodiscard]] Cell& cell() noexcept { return *cell_; }
  [[nodiscard]] const Cell& cell() const noexcept { return *cell_; }
  [[nodiscard]] SensorFaults& faults() noexcept { return faults_; }

  [[nodiscard]] PlantSnapshot snapshot() const;
  // False, and nothing changed, when version or cell do not fit.
  [[nodiscard]] bool restore(const PlantSnapshot& snapshot) noexcept;

 private:
  void move_to(base::MonoTime t) noexcept;
  double substep(double h_s) noexcept;
  double rise(double h_s) noexcept;
  double wait_for_range(double h_s) noexcept;
  double go_blind(double h_s) noexcept;
  [[nodiscard]] double longest_substep_s() const noexcept;
  [[nodiscard]] StageRequest law(double ahead_s) const noexcept;
  [[nodiscard]] Operating operate_now() const noexcept;
  [[nodiscard]] Drive drive_of(StageMode mode, double ahead_s) const noexcept;
  [[nodiscard]] Excess excess_after(double ahead_s, const DrivePoint& end) const noexcept;
  double locate(double h_s, Excess& at_end) noexcept;
  void take(const DrivePoint& point, double h_s) noexcept;
  void hold(StageMode mode) noexcept;
  void start_request() noexcept;
  void begin_request() noexcept;
  void choose_ranges() noexcept;
  void apply_errors() noexcept;
  void check_protection() noexcept;
  [[nodiscard]] double sensed_V(double current_A, double cell_V) const noexcept;
  [[nodiscard]] double terminal_V() const noexcept;
  // What was so at a moment of the last fraction of a second.
  struct Past {
    double elapsed_s = 0.0;
    double current_A = 0.0;
    double sensed_V = 0.0;
  };
  void remember() noexcept;
  [[nodiscard]] Past past_at(double elapsed_s) const noexcept;

  std::unique_ptr<Cell> cell_;
  PlantConfig config_;
  Noise noise_;
  Ranges voltage_ranges_, current_ranges_;
  std::size_t voltage_range_ = 0, current_range_ = 0;
  SetErrors set_errors_;
  MeterConfig voltage_meter_, current_meter_;
  Stepper stepper_;
  StageRequest request_;   // as asked
  StageRequest executed_;  // as carried out
  StageMode mode_ = StageMode::off;
  DriveOutcome outcome_ = DriveOutcome::held;
  bool settled_ = true;
  int switches_here_ = 0;  // changes of the held bound without time passing
  base::MonoTime start_, time_, output_changed_;
  double mode_since_s_ = 0.0;
  double overshoot_V_ = 0.0;  // signed, of the voltage loop since mode_since_s_
  double gap_s_ = 0.0;        // left of a change of range
  double contact_Ohm_ = 0.0;
  SenseFault sense_ = SenseFault::none;
  SenseView view_;
  double floating_V_ = 0.0;
  Protection protection_;
  std::uint32_t alarms_ = 0;
  base::Duration watchdog_;
  base::MonoTime fed_;
  SensorFaults faults_;
  Probe probe_;
  std::vector<Past> past_;  // only with a sampling grid or a current delay
  std::size_t past_next_ = 0;
  std::int64_t sampled_ = -1;  // number of the sample in last_
  Measurement last_;
};

}  // namespace cyclerd::hil
