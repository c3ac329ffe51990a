// An Arbin schedule as read, and the meaning of its quantities.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/exchange/import_parts.hpp"
#include "profiles/exchange/ini_text.hpp"
#include "profiles/exchange/unit_expression.hpp"

namespace cyclerd::exchange {

// "left sign right"; up to three are ANDed to a limit.
struct ArbinEquation {
  std::string left, sign, right;
};

struct ArbinLimit {
  std::uint32_t line = 0;
  bool ends_step = false;
  bool logs = false;
  std::string target;  // "Next Step", "End Test", a label
  std::vector<ArbinEquation> equations;
};

struct ArbinStep {
  std::uint32_t line = 0;
  std::string label, control, value, extra1, extra2;
  std::vector<ArbinLimit> limits;
};

struct ArbinSchedule {
  IniSection head;  // [Schedule]
  std::vector<ArbinStep> steps;
  std::map<std::string, std::string, std::less<>> formulas;  // by label
  std::vector<IniSection> user_safety;                       // that are switched on
};

// Findings go to `import`.
[[nodiscard]] ArbinSchedule read_arbin(Import& import);

// A `Set Variable(s)` step: what it resets to zero, and what it counts up or down. One bit a variable.
struct ArbinMasks {
  std::uint32_t reset_capacities = 0;         // charge, discharge capacity, charge, discharge energy
  std::uint32_t reset = 0, up = 0, down = 0;  // bit 0 the cycle, bits 1 to 4 the counters
  [[nodiscard]] bool known() const { return unknown == 0; }
  std::uint32_t unknown = 0;
};
[[nodiscard]] std::optional<ArbinMasks> arbin_masks(const ArbinStep& step);

// Whether capacities of the file begin anew with each of our cycles: then they are those of the cycle; else they are
// counted from marks.
struct ArbinMeaning {
  bool capacities_by_cycle = true;
  const ArbinSchedule* schedule = nullptr;  // for its formulas
  int depth = 0;                            // of formulas within formulas
};

// A quantity of the file, or a formula over such, in our words; nullopt: not known.
[[nodiscard]] std::optional<UnitText> arbin_quantity(std::string_view name, const ArbinMeaning& meaning);

// The side of an equation, or a control value: a number with `unit`, or an expression of known quantities.
[[nodiscard]] std::optional<std::string> arbin_value(std::string_view text, std::string_view unit,
                                                     const ArbinMeaning& meaning);

// A step that only sets variables, or that the loop it closes is passed so often.
struct ArbinLoop {
  std::size_t first = 0, last = 0;
  std::optional<std::int64_t> count;  // passes, where the counter tells
  std::uint32_t counter = 0;          // bit of the counter that counts them
};
[[nodiscard]] bool sets_variables(const ArbinStep& step);
[[nodiscard]] std::optional<std::size_t> arbin_step_named(const ArbinSchedule& schedule, std::string_view label);
// The steps that go back to an earlier one by a single condition, nothing from outside leading into their middle.
[[nodiscard]] std::vector<ArbinLoop> arbin_loops(const ArbinSchedule& schedule);

}  // namespace cyclerd::exchange
