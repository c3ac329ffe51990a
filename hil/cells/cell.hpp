// What a virtual cell must answer. Charge current is positive. One thread owns a cell; a step allocates nothing.
#pragma once

#include <cstdint>
#include <vector>

namespace cyclerd::hil {

// What a model wants to be known about its answers. Sticky until clear_flags().
namespace cell_flag {
inline constexpr std::uint32_t kSocBelow = 1U << 0;  // state of charge left the OCV table at the bottom: extrapolated
inline constexpr std::uint32_t kSocAbove = 1U << 1;  // ... at the top: extrapolated
inline constexpr std::uint32_t kTableClamped = 1U << 2;      // a resistance table was read outside its range: clamped
inline constexpr std::uint32_t kTemperatureLimit = 1U << 3;  // a temperature was held at the model's bound
inline constexpr std::uint32_t kBadInput = 1U << 4;  // NaN, infinite or absurd current, ambient or duration: ignored
// A state was held at the bound inside which the model means something: an empty particle surface, an electrolyte
// without salt, a circuit far beyond its tables.
inline constexpr std::uint32_t kModelLimit = 1U << 5;
inline constexpr std::uint32_t kRunaway = 1U << 6;  // a self-heating reaction has begun
}  // namespace cell_flag

// Terminal voltage as a function of current: V = emf + R I.
struct Affine {
  double emf_V = 0.0;
  double resistance_Ohm = 0.0;

  [[nodiscard]] double voltage_V(double current_A) const noexcept { return emf_V + resistance_Ohm * current_A; }
};

struct CellReadout {
  double soc = 0.0;         // coulomb count over the present capacity
  double ocv_V = 0.0;       // without hysteresis
  double hysteresis = 0.0;  // -1 after discharge .. 1 after charge
  double core_degC = 0.0;
  double surface_degC = 0.0;
  double heat_W = 0.0;  // mean of the last step
  double heat_J = 0.0;  // since the cell was made
  double heat_to_ambient_W = 0.0;
  double capacity_C = 0.0;         // present, A s
  double resistance_growth = 0.0;  // 0: as new; 1: twice the resistance
  std::uint32_t flags = 0;
};

// The whole state, bit for bit. Restored only into a cell of the same model, version and parameter set.
struct CellSnapshot {
  std::uint32_t model = 0;
  std::uint32_t version = 0;
  std::uint64_t set_fingerprint = 0;
  std::uint32_t flags = 0;
  std::vector<double> value;

  bool operator==(const CellSnapshot&) const = default;
};

// What a new cell starts from.
struct CellStart {
  double soc = 0.5;
  double temperature_degC = 25.0;
  double hysteresis = 0.0;  // -1 rested after a discharge .. 1 after a charge
  // Of the set's conductance to the ambient: rigs cool differently, and models with heat of their own look at it.
  double cooling_factor = 1.0;
};

// A step is proposed and then committed, so that whoever regulates may look at its end before he takes it. In a step
// the current runs in a straight line from start_A to end_A; equal ends are a constant current. Every answer is a
// finite number: bad input is ignored and flagged, a model at its limit is held there and flagged.
class Cell {
 public:
  virtual ~Cell() = default;

  // At this instant: the tangent of the terminal voltage over the current at near_A, exact at near_A itself. Falling or
  // level nowhere: resistance_Ohm > 0.
  [[nodiscard]] virtual Affine terminal(double near_A) const noexcept = 0;
  // The same for the end of a step of dt_s that starts with start_A, over its end current; may be a little off.
  [[nodiscard]] virtual Affine terminal_after(double start_A, double near_A, double dt_s) noexcept = 0;
  // Computes the state at the end of the step and returns its terminal voltage. Changes nothing that can be seen.
  virtual double propose(double start_A, double end_A, double dt_s) noexcept = 0;
  // Makes the last proposal the state.
  virtual void commit() noexcept = 0;

  virtual void set_ambient(double ambient_degC) noexcept = 0;
  // Heat from elsewhere (a short circuit, a reaction, a neighbour) into the core during all steps from now on, W.
  virtual void set_extra_heat(double heat_W) noexcept = 0;
  [[nodiscard]] virtual CellReadout readout() const noexcept = 0;
  // readout().flags; looked at every scan, so a model that has them at hand says them itself.
  [[nodiscard]] virtual std::uint32_t flags() const noexcept { return readout().flags; }
  virtual void clear_flags() noexcept = 0;

  // For fault injection and for the start of a test: moves the state of charge, everything else rested.
  virtual void reset(const CellStart& start) noexcept = 0;

  [[nodiscard]] virtual CellSnapshot snapshot() const = 0;
  // False, and nothing changed, when the snapshot is of another model, version or set or holds a value that is no
  // number.
  [[nodiscard]] virtual bool restore(const CellSnapshot& snapshot) noexcept = 0;
};

inline void step(Cell& cell, double start_A, double end_A, double dt_s) noexcept {
  cell.propose(start_A, end_A, dt_s);
  cell.commit();
}

}  // namespace cyclerd::hil
