// The rooms of the compiler. One Compiler is one run over one profile.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "profiles/compile.hpp"
#include "profiles/expression.hpp"
#include "profiles/syntax.hpp"

namespace cyclerd::profiles {

// How far a set-point may go, and who said so.
struct Ceiling {
  double value = std::numeric_limits<double>::infinity();
  std::string set_by;  // "the cell's rating"
  const char* code = nullptr;
  text::Span where;  // line 0: nowhere to show

  void lower(double bound, std::string who, const char* error_code, const text::Span& at) {
    if (!(bound < value)) return;  // also when the bound is absent
    value = bound;
    set_by = std::move(who);
    code = error_code;
    where = at;
  }
};

// Bounds of set-points; the lower ones are kept negated, so that every one is a ceiling.
struct SetpointBounds {
  Ceiling voltage_max_V, negated_voltage_min_V;
  Ceiling charge_A, discharge_A;
  Ceiling charge_W, discharge_W;
  Ceiling chamber_max_degC, negated_chamber_min_degC;
};

struct Compiler {
  const ProfileSyntax& profile;
  const Launch* launch;  // nullptr: an editor's check, nothing is known of cell and device
  text::Diagnostics& diagnostics;
  Binding binding{};
  SetpointBounds bounds{};
  std::unique_ptr<Program> program = std::make_unique<Program>();
  std::vector<const StepSyntax*> syntax{};          // of each flat step; nullptr for repeat_end and end
  std::vector<std::vector<char>> condition_dead{};  // per flat step: the condition can never fire
  std::map<std::string, std::uint32_t> strings{};

  [[nodiscard]] std::optional<double> value(const Expression& expression) const {
    return constant_value(expression, binding);
  }
  [[nodiscard]] std::uint32_t intern(const std::string& text);
};

// In the order of a run. Each reports what it finds and goes on.
void bind_parameters(Compiler& compiler);      // compile_limits.cpp
void compile_limits(Compiler& compiler);       // compile_limits.cpp: safety, envelope, bounds of set-points
void check_cell(Compiler& compiler);           // compile_limits.cpp
void compile_steps(Compiler& compiler);        // compile_steps.cpp: the flat program
void check_setpoints(Compiler& compiler);      // check_setpoints.cpp
void check_conditions(Compiler& compiler);     // check_conditions.cpp
void check_flow(Compiler& compiler);           // check_flow.cpp
void estimate_worst_case(Compiler& compiler);  // estimate.cpp
void write_canonical(const ProfileSyntax& profile, Program& program);  // canonical.cpp, and the three hashes

// The step's waveform with C-rates multiplied out and speed applied, or kNoStep after a finding. compile_waveforms.cpp
[[nodiscard]] std::uint32_t compile_waveform(Compiler& compiler, const StepSyntax& step);

// How a step is called in messages: "step 'charge'" or "the rest of line 12".
[[nodiscard]] std::string step_label(const StepSyntax& step);

// The shortest time after which a condition that looks only at time fires; infinity when it does not.
[[nodiscard]] double time_bound_s(const Compiler& compiler, const Expression& when);

// A clamp stands this far outside the cell's rating, so that a limit at the rating itself can be reached; at most half
// of the way to the trip.
inline constexpr double kClampMargin_V = 0.010;

}  // namespace cyclerd::profiles
