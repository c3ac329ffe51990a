// The way between a cell and its cycler: leads, contacts, sense wires and what can be wrong with them.
#pragma once

#include <cstdint>

namespace cyclerd::hil {

struct LeadsConfig {
  bool four_wire = true;           // false: the voltage is held and read at the cycler's own terminals
  double lead_Ohm = 0.0;           // both power leads together
  double contact_Ohm = 0.0;        // of the power leads, at the start
  double contact_Ohm_per_h = 0.0;  // its growth
  double joint_Ohm = 0.0;          // between sense points and cell: seen with four wires too
};

// A fault of the sense wires. Only with four wires.
enum class SenseFault : std::uint8_t {
  none = 0,
  bias_plus,   // a wire is off; the input settles 0.3 V too high
  bias_minus,  // ... 0.1 V too low
  terminal,    // ... and falls back to the cycler's own terminals
  floating,    // ... and decays to nothing: the stage drives against its current limit
  swapped      // + and - are exchanged
};
inline constexpr double kSenseBiasPlus_V = 0.3;
inline constexpr double kSenseBiasMinus_V = -0.1;
inline constexpr double kSenseFloat_s = 2.0;  // time constant of an open input

// How the sensed voltage follows from the cell's: cell + ohm * current + bias. Blind: it does not follow at all.
struct SenseView {
  double ohm = 0.0;
  double bias_V = 0.0;
  bool blind = false;
};

[[nodiscard]] inline SenseView view_of(const LeadsConfig& leads, double contact_Ohm, SenseFault fault) noexcept {
  const double terminal_Ohm = leads.joint_Ohm + leads.lead_Ohm + contact_Ohm;
  if (!leads.four_wire) return {terminal_Ohm, 0.0, false};
  switch (fault) {
    case SenseFault::none: break;
    case SenseFault::bias_plus: return {leads.joint_Ohm, kSenseBiasPlus_V, false};
    case SenseFault::bias_minus: return {leads.joint_Ohm, kSenseBiasMinus_V, false};
    case SenseFault::terminal: return {terminal_Ohm, 0.0, false};
    case SenseFault::floating:
    case SenseFault::swapped: return {leads.joint_Ohm, 0.0, true};
  }
  return {leads.joint_Ohm, 0.0, false};
}

}  // namespace cyclerd::hil
