// An Arbin schedule as read, and the meaning of its quantities.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "profiles/exchange/import_parts.hpp"
#include "profiles/exchange/ini_text.hpp"

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
  const ArbinSchedule* schedule = nullptr;
};

// A quantity or formula of the file in our words, with the unit its numbers have; nullopt: not known.
struct ArbinQuantity {
  std::string text;
  std::string unit;
};
[[nodiscard]] std::optional<ArbinQuantity> arbin_quantity(std::string_view name, const ArbinMeaning& meaning);

// The side of an equation, or a control value: a number with `unit`, or an expression of known quantities.
[[nodiscard]] std::optional<std::string> arbin_value(std::string_view text, std::string_view unit,
                                                     const ArbinMeaning& meaning);

}  // namespace cyclerd::exchange
