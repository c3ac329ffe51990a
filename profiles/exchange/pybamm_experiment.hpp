// A PyBaMM experiment as its own constructor would hold it: signs as in PyBaMM, discharge positive.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocols/text/diagnostics.hpp"

namespace cyclerd::exchange::pybamm {

enum class Quantity : std::uint8_t { current, c_rate, voltage, power, resistance };  // A, C, V, W, Ohm

struct Value {
  Quantity quantity = Quantity::current;
  double number = 0.0;
};

// The end of a step. `op` 0: none was written, the step's direction decides.
struct Termination {
  Value value;
  char op = 0;
  text::Span where;
};

enum class Direction : std::uint8_t { none, charge, discharge, rest };

struct Step {
  Value value;
  std::vector<std::pair<double, double>> drive_cycle;  // s, value; empty: `value` is constant
  std::optional<double> duration_s;
  std::vector<Termination> terminations;
  std::optional<double> period_s;
  std::optional<double> temperature_K;
  Direction direction = Direction::none;  // as given
  bool skip_ok = true;
  std::string start_time;
  std::string description;  // the experiment string, where the step was one
  std::string tags;
  text::Span where;

  // What PyBaMM takes the step for: the sign of its value, or for a voltage what was given.
  [[nodiscard]] Direction runs() const noexcept;
};

// A cycle is a run of steps, of which stretches may be repeated; an experiment is a run of cycles in the same way.
// One shape serves both: a part is a step, or parts that are passed `count` times.
struct Part {
  std::optional<Step> step;
  std::vector<Part> parts;
  std::int64_t count = 1;
  bool cycle = false;  // the parts are one cycle
};

// "80% capacity", "4 Ah capacity", "2.5 V", "10 h"
struct Stop {
  enum class Kind : std::uint8_t { capacity_share, capacity_Ah, voltage_V, time_s };
  Kind kind = Kind::time_s;
  double value = 0.0;
  std::string text;
};

struct Experiment {
  std::vector<Part> cycles;
  std::optional<double> period_s;
  std::optional<double> temperature_K;
  std::vector<Stop> stops;
  std::vector<std::pair<std::string, std::string>> ignored;  // place and name of keys that PyBaMM passes over
  text::Span where;
};

// Texts of PyBaMM. Each reports what PyBaMM would refuse, and what no cycler could do; nullopt then.
struct TextPlace {
  const text::SourcePtr& source;
  std::size_t offset = 0;  // of the text, in bytes
  bool exact = true;       // the text stands there letter by letter (no escapes): its parts can be shown
  std::size_t length = 1;  // of the whole, when it is not exact
  text::Diagnostics& diagnostics;

  [[nodiscard]] text::Span span(std::size_t at, std::size_t size) const;
};
// Keywords given beside an experiment string.
struct StringOptions {
  bool period_given = false;
};
[[nodiscard]] std::optional<Step> read_step(const std::string& text, const TextPlace& place,
                                            StringOptions options = {});
[[nodiscard]] std::optional<double> read_time(const std::string& text, const TextPlace& place, std::size_t at = 0);
[[nodiscard]] std::optional<double> read_temperature(const std::string& text, const TextPlace& place);
[[nodiscard]] std::optional<Termination> read_termination(const std::string& text, const TextPlace& place,
                                                          std::size_t at = 0);
[[nodiscard]] std::optional<Stop> read_stop(const std::string& text, const TextPlace& place);
// float() of Python, finite.
[[nodiscard]] std::optional<double> python_float(std::string_view text);
// False after a finding: a voltage below zero, no drive cycle, ...
[[nodiscard]] bool check_step(Step& step, text::Diagnostics& diagnostics);

[[nodiscard]] std::optional<Experiment> read_lines(const text::SourcePtr& source, text::Diagnostics& diagnostics);
[[nodiscard]] std::optional<Experiment> read_python(const text::SourcePtr& source, text::Diagnostics& diagnostics);
[[nodiscard]] std::optional<Experiment> read_config(const text::SourcePtr& source, text::Diagnostics& diagnostics);

}  // namespace cyclerd::exchange::pybamm
