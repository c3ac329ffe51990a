// A profile as exporters see it: steps of the kinds that other formats know, numbers in place of expressions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "profiles/exchange/exchange.hpp"
#include "profiles/syntax.hpp"

namespace cyclerd::exchange {

// A constant; `rate`: it was written in C, and `value` is in C, not in A.
struct ExportValue {
  double value = 0.0;
  bool rate = false;
};

struct ExportEnd {
  enum class Of : std::uint8_t { voltage, current, magnitude, time };
  Of of = Of::time;
  bool above = false;  // ends when it is above the value, else below
  ExportValue value;   // V, A or C, s
  bool fails = false;  // ends the test as failed
  std::string text;    // as written
  text::Span where;
};

struct ExportStep {
  profiles::StepKind kind = profiles::StepKind::rest;  // rest, current, power, voltage, resistance, ramp of the voltage
  int sign = 0;                                        // charge +1, discharge -1
  ExportValue level;                                   // A, C, W, V or Ohm
  std::optional<double> then_hold_V;                   // CC-CV, CP-CV
  double ramp_to_V = 0.0, ramp_V_per_s = 0.0;          // from `level`
  std::vector<ExportEnd> ends;
  std::optional<double> temperature_degC;
  profiles::RecordRule record;
  text::Span where;
  std::string label;
};

// A step, a block, or the end of a cycle.
struct ExportNode {
  enum class Kind : std::uint8_t { step, block, advance_cycle };
  Kind kind = Kind::step;
  ExportStep step;
  std::vector<ExportNode> nodes;
  std::int64_t count = 1;
  std::string name;  // of a block; "repeat" when it has none
  text::Span where;
};

struct ExportTree {
  std::string name, title;
  std::vector<ExportNode> nodes;
  profiles::RecordRule record;
  profiles::SafetyLimits safety;   // with the cell's and the station's
  profiles::SafetySyntax written;  // what the profile itself says of it
  double nominal_capacity_Ah = 0.0;
};

// Compiles the profile and takes it apart. What neither format can say is reported with its place; nullopt then.
// `other` names the other format in findings: "PyBaMM".
[[nodiscard]] std::optional<ExportTree> read_for_export(const text::SourcePtr& source, const profiles::Launch& launch,
                                                        const std::string& other, text::Diagnostics& diagnostics);

}  // namespace cyclerd::exchange
