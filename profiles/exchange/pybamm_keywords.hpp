// What stands beside the value of a PyBaMM step, from Python and from JSON alike.
#pragma once

#include <string>

#include "profiles/exchange/pybamm_experiment.hpp"

namespace cyclerd::exchange::pybamm {

// A keyword's value: none, a yes or no, a number or a text.
struct Scalar {
  enum class Kind : std::uint8_t { none, boolean, number, text, other };
  Kind kind = Kind::none;
  bool boolean = false;
  double number = 0.0;
  std::string text;
  TextPlace place;
};

// Sets duration, period, temperature, start_time, description, direction or skip_ok of a step. False after a finding;
// `known` says whether the name is one of them.
[[nodiscard]] bool set_keyword(Step& step, const std::string& name, const Scalar& value, bool& known);

// A time in s or with its unit; a temperature in K or with its unit. nullopt after a finding, and for none.
[[nodiscard]] std::optional<double> scalar_time(const std::string& name, const Scalar& value);
[[nodiscard]] std::optional<double> scalar_temperature(const Scalar& value);

// The words of one end: "voltage", "current", "c-rate"; the operator "<", ">" or empty. nullopt after a finding.
[[nodiscard]] std::optional<Termination> make_termination(const std::string& type, const Scalar& value,
                                                          const std::string& op);

// Times from 0, rising; a voltage above 0. False after a finding.
[[nodiscard]] bool check_drive_cycle(const Step& step, text::Diagnostics& diagnostics);

}  // namespace cyclerd::exchange::pybamm
