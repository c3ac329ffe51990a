// What values a condition can take in its step: by the step's own control, inside of the box, before its time is up.
#pragma once

#include <limits>
#include <optional>

#include "profiles/compile_parts.hpp"

namespace cyclerd::profiles {

// What is believed besides the step's own control.
struct Reach {
  bool box = false;                                           // [safety], the cell and the station trip at their bounds
  double latest_s = std::numeric_limits<double>::infinity();  // the step has ended by then
};

// Of a condition: {0,0} never, {1,1} always, {0,1} open. `index`: its flat step; of a repeat, looked at between two
// passes, its begin. The names in force must be those of the step.
[[nodiscard]] Range condition_range(const Compiler& compiler, std::size_t index, const Expression& when,
                                    const Reach& reach);

// The most that can flow in a step, without a sign. Infinite where nothing says it.
[[nodiscard]] double most_current_A(const Compiler& compiler, std::size_t index);
[[nodiscard]] double most_voltage_V(const Compiler& compiler, std::size_t index);

// "quantity OP constant", the shape of most conditions; also with the sides swapped, and abs(quantity).
struct Atom {
  Live live = Live::voltage;
  bool magnitude = false;
  bool upwards = false;  // fires when the quantity is high
  bool strict = false;   // not at the bound itself
  double bound = 0.0;
};
[[nodiscard]] std::optional<Atom> atom_at(const Compiler& compiler, const Expression& expression, int index);

// The bound of the box for a quantity, the side on which the atom fires; absent: there is none, or it has a dwell.
[[nodiscard]] double box_bound(const Compiler& compiler, const Atom& atom);

// How long a step lasts that ends by itself; infinite when it does not, or when that is known only in the test.
[[nodiscard]] double own_length_s(const Program& program, std::size_t index);

}  // namespace cyclerd::profiles
