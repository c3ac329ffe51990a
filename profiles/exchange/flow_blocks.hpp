// From a list of numbered steps with jumps, as cyclers' own files are written, to nested blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "profiles/exchange/import_parts.hpp"

namespace cyclerd::exchange {

// One way out of a step.
struct FlowEnd {
  enum class Go : std::uint8_t { next, step, end, fail, pause };
  ConditionText text;  // `then` is filled in here
  Go go = Go::next;
  std::size_t target = 0;  // Go::step: index of a step
  // "voltage beyond this" and nothing else: what tells a guard from a cut-off.
  std::optional<double> voltage_max_V, voltage_min_V;
  bool safety = false;  // the file itself calls it a safety limit
};

// One step of the other file.
struct FlowStep {
  std::string where;  // "step 4"
  std::uint32_t line = 0;
  std::string label;              // wanted name; may be empty
  std::vector<StepText> texts;    // what it becomes; empty: only a place to jump to
  std::vector<FlowEnd> ends;      // of the last of `texts`
  bool ends_test = false;         // the test is over here
  bool ends_itself = false;       // the last of `texts` needs no condition
  std::optional<double> level_V;  // voltage that the step regulates to
  int sign = 0;                   // charge +1, discharge -1, rest 0
};

// A block that is passed more than once.
struct FlowLoop {
  std::size_t first = 0, last = 0;  // steps inside, both included; the step that closes the loop may be one of them
  std::size_t entry = 0;            // jumping here begins the loop anew, from inside too; == first: from outside only
  std::string where;
  std::uint32_t line = 0;
  std::string arguments;             // of the repeat
  std::vector<ConditionText> until;  // of the repeat
  std::optional<std::size_t> then;   // the step after the last pass, when it is not the following one
};

struct Flow {
  std::vector<FlowStep> steps;
  std::vector<FlowLoop> loops;
};

// Voltage ends that lie beyond everything that the steps work at become `fail`, or [safety] when every step has the
// same. What is changed is told.
void settle_guards(Flow& flow, SafetyBox& safety, Import& import);

// The blocks. Steps that nothing leads to are left out, and told. Findings: loops that cross, jumps into the middle
// of a loop, too many ends.
[[nodiscard]] std::vector<StepText> to_blocks(Flow& flow, Import& import);

}  // namespace cyclerd::exchange
