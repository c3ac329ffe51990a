// How a cell is driven: by current, voltage, power or a resistor, over steps whose lengths are chosen here, up to the
// moment at which the first limit is reached. Charge current is positive. Nothing allocates but where it says so.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "hil/cells/cell.hpp"

namespace cyclerd::hil {

enum class DriveKind : std::uint8_t { current = 0, voltage, power, resistance };

struct Drive {
  DriveKind kind = DriveKind::current;
  double value = 0.0;       // A; V; W into the cell; Ohm of a resistor across it (> 0)
  double series_Ohm = 0.0;  // leads between the cell and the place where voltage, power or resistor is held
  double offset_V = 0.0;    // what a voltage looks like too much there
  double current_limit_A = 1e6;

  [[nodiscard]] static Drive open() noexcept { return {}; }
  [[nodiscard]] static Drive current(double current_A) noexcept { return {DriveKind::current, current_A}; }
  [[nodiscard]] static Drive voltage(double voltage_V) noexcept { return {DriveKind::voltage, voltage_V}; }
  [[nodiscard]] static Drive power(double power_W) noexcept { return {DriveKind::power, power_W}; }
  [[nodiscard]] static Drive resistance(double resistance_Ohm) noexcept {
    return {DriveKind::resistance, resistance_Ohm};
  }
};

// How far the drive got its will.
enum class DriveOutcome : std::uint8_t {
  held = 0,
  power_not_available,  // more than the cell can give: the most it can, at half its emf
  current_limited,      // held at current_limit_A
  not_solved,           // the bounded search ended away from its target: the nearest point found
  bad_input             // a value that is no finite number, or a resistor of 0 Ohm or less: no current
};
[[nodiscard]] const char* to_string(DriveOutcome outcome) noexcept;

struct DrivePoint {
  double current_A = 0.0;
  double voltage_V = 0.0;  // at the cell's own terminals
  DriveOutcome outcome = DriveOutcome::held;
};

// The point that the drive holds at this instant. Bounded: tangents, kept between brackets.
[[nodiscard]] DrivePoint point_now(const Cell& cell, const Drive& drive, double near_A) noexcept;

// Steps one cell. A regulated current is straight within a step, laid so that the charge and the first moment of the
// curve through the last nodes are kept: third order in the step, and longer steps where the current bends less.
class Stepper {
 public:
  explicit Stepper(Cell& cell) noexcept;

  // From now on this drive: the current jumps to what it asks for.
  DrivePoint begin(const Drive& drive) noexcept;
  // The same for a current that somebody else has chosen.
  void begin_at(double current_A) noexcept;
  // A bound was handed over: no jump, but the course of the current has a corner here.
  void corner() noexcept { course_.steps = 0, course_.reach = 0; }

  // The end of a step of h_s under `drive`. Nothing that can be seen changes; take() makes it so.
  DrivePoint propose(const Drive& drive, double h_s) noexcept;
  void take() noexcept;
  // Step that the course so far allows.
  [[nodiscard]] double longest_s(DriveKind kind) const noexcept;

  [[nodiscard]] double current_A() const noexcept { return current_A_; }
  [[nodiscard]] double voltage_V() const noexcept { return voltage_V_; }  // at the cell's terminals
  [[nodiscard]] double charge_C() const noexcept { return charge_C_; }    // net, since the start
  [[nodiscard]] double energy_J() const noexcept { return energy_J_; }    // net, into the cell
  [[nodiscard]] double elapsed_s() const noexcept { return elapsed_s_; }
  void set_elapsed(double elapsed_s) noexcept { elapsed_s_ = elapsed_s; }
  // Charge that the last proposal would move, C.
  [[nodiscard]] double proposed_charge_C() const noexcept;

  // Everything but the cell: with the cell's own snapshot, a stepper goes on bit for bit.
  static constexpr std::size_t kStateSize = 14;
  using State = std::array<double, kStateSize>;
  [[nodiscard]] State state() const noexcept;
  [[nodiscard]] bool restore(const State& state) noexcept;

 private:
  // Of current and power through the last nodes.
  struct Course {
    double slope_A_per_s = 0.0, bend_A_per_s2 = 0.0;
    double slope_W_per_s = 0.0, bend_W_per_s2 = 0.0;
    double middle_s = 0.0;  // when the slopes were so
    double length_s = 0.0;  // of the step that they are of
    int steps = 0;          // since the last corner; 2 give a bend
    int reach = 0;          // rung of the ladder of step lengths
  };
  struct Trial {
    double start_A = 0.0, end_A = 0.0, sag_A = 0.0, end_V = 0.0, h_s = 0.0;
    DriveKind kind = DriveKind::current;
  };
  [[nodiscard]] double sag_A(double h_s) const noexcept;
  DrivePoint solve(const Drive& drive, double h_s, double sag_A) noexcept;
  void learn() noexcept;

  Cell* cell_;
  double one_C_A_;  // current that fills the cell in an hour: the scale of "small"
  double current_A_ = 0.0, voltage_V_ = 0.0;
  double charge_C_ = 0.0, energy_J_ = 0.0, elapsed_s_ = 0.0;
  Course course_;
  Trial trial_;
};

// ---- events

enum class Watched : std::uint8_t { voltage_V = 0, current_A, soc, surface_degC, charge_C };  // charge since the call

struct Limit {
  Watched quantity = Watched::voltage_V;
  bool falling = false;  // fires at or below the value; otherwise at or above
  double value = 0.0;
};
inline constexpr std::size_t kMaxLimits = 32;

struct Event {
  double time_s = 0.0;                        // of the event, or the horizon
  std::uint32_t crossed = 0;                  // bit i: limit i; 0: the horizon came first
  bool at_start = false;                      // was so already when the call began
  DriveOutcome outcome = DriveOutcome::held;  // the worst on the way
  DrivePoint point;
};

inline constexpr double kEventTolerance_s = 1e-8;  // of the search
inline constexpr double kTogether_s = 1e-6;        // limits reached within this are one event
inline constexpr double kLeastProgress_s = 1e-3;   // of whoever hands over between limits

// Drives the cell until the earliest limit or for horizon_s, and leaves it there. The moment is found to less than 1 us
// inside a step; all limits reached at it are listed. A limit that holds already fires at 0 s and nothing moves. Limits
// that are no number never fire. At most kMaxLimits are looked at. With limits of soc or temperature each step takes a
// snapshot of the cell, which allocates.
Event run_to_event(Stepper& stepper, Cell& cell, const Drive& drive, std::span<const Limit> limits, double horizon_s);

// The same without moving the cell: for those who plan. Allocates.
[[nodiscard]] Event next_event(Cell& cell, const Drive& drive, std::span<const Limit> limits, double horizon_s);

// One step from rest or from any drive before it; inside it as many as accuracy asks for. The charge and energy moved
// come back in `moved` when it is given.
struct Moved {
  double charge_C = 0.0;
  double energy_J = 0.0;
};
DrivePoint step(Cell& cell, const Drive& drive, double dt_s, Moved* moved = nullptr) noexcept;

}  // namespace cyclerd::hil
