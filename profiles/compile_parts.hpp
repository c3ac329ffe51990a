// The rooms of the compiler. One Compiler is one run over one profile.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "profiles/compile.hpp"
#include "profiles/expression.hpp"
#include "profiles/syntax.hpp"

namespace cyclerd::profiles {

// The values that something can take.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

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

// Where a flat step comes from. Checks look at it with the names of its own call: Compiler::enter().
struct Origin {
  const StepSyntax* syntax = nullptr;  // nullptr: made by the compiler (end of a block, end of the program)
  const Binding* binding = nullptr;
  const Expression* value = nullptr;   // of a `set`
  const text::Span* called = nullptr;  // the call that brought it in; nullptr at the top
};

struct Compiler {
  const ProfileSyntax& profile;
  const Launch* launch;  // nullptr: an editor's check, nothing is known of cell and device
  text::Diagnostics& diagnostics;
  Binding binding{};  // in force: of the profile itself, or of the flat step that was entered
  SetpointBounds bounds{};
  std::unique_ptr<Program> program = std::make_unique<Program>();
  std::vector<const StepSyntax*> syntax{};           // of each flat step; nullptr for repeat_end and end
  std::vector<Origin> origins{};                     // of each flat step
  std::deque<Binding> bindings{};                    // what origins point to
  std::map<std::string, ProcedureSyntax> library{};  // procedures read from the shipped files
  std::string procedure_library{};                   // their folder; empty: not known
  References references{};
  std::map<std::string, std::uint32_t> step_names{};  // full names, to flat steps
  std::vector<char> setpoint_wrong{};                 // per flat step: a set-point has an error
  std::vector<Range> variable_values{};               // by number, what the sets can make of it
  // Per flat step: the condition can never fire; 2: and that was told as an error, so that nothing follows from it.
  std::vector<std::vector<char>> condition_dead{};
  std::map<std::string, std::uint32_t> strings{};

  [[nodiscard]] std::optional<double> value(const Expression& expression) const {
    return constant_value(expression, binding);
  }
  [[nodiscard]] std::uint32_t intern(const std::string& text);
  // Makes the names of a flat step those in force.
  void enter(std::size_t index) {
    if (origins[index].binding != nullptr) binding = *origins[index].binding;
  }
};

// A whole run; nullptr after errors. `finished` sees the compiler when there were none, before it goes. compile.cpp
[[nodiscard]] std::unique_ptr<const Program> run_compiler(const text::SourcePtr& source, const Launch* launch,
                                                          const std::string& procedure_library,
                                                          text::Diagnostics& diagnostics,
                                                          const std::function<void(Compiler&)>& finished = {});

// In the order of a run. Each reports what it finds and goes on.
void bind_parameters(Compiler& compiler);   // compile_parameters.cpp
void compile_limits(Compiler& compiler);    // compile_limits.cpp: safety, envelope, bounds of set-points
void check_cell(Compiler& compiler);        // compile_limits.cpp
void compile_steps(Compiler& compiler);     // compile_steps.cpp: the flat program
void check_setpoints(Compiler& compiler);   // check_setpoints.cpp
void check_conditions(Compiler& compiler);  // check_conditions.cpp
void check_rates(Compiler& compiler);       // check_rates.cpp: records that come faster than samples
void check_flow(Compiler& compiler);        // check_flow.cpp
void check_loops(Compiler& compiler);       // check_loops.cpp: what bounds them
void check_existence(Compiler& compiler);   // check_existence.cpp: results, variables, marks exist when they are read
void estimate_worst_case(Compiler& compiler);  // estimate.cpp
void estimate_expected(Compiler& compiler);    // expected.cpp
void check_disk(Compiler& compiler);           // estimate.cpp
// Rows that a step of this length keeps, by its rules.
[[nodiscard]] double rows_of(const Program& program, std::size_t index, double seconds);
void write_canonical(const Compiler& compiler);  // canonical.cpp, and the three hashes

// A parameter's default on this cell, in its own unit: C for a C-rate, else SI. NaN: unknown. compile_parameters.cpp
[[nodiscard]] double default_value(const Parameter& parameter, const Binding& binding);
// `value` is in that unit, `what` names it: "argument 'rate'".
void check_bounds(Compiler& compiler, const Binding& binding, const Parameter& parameter, const std::string& what,
                  double value, const text::Span& where);

// The step's waveform with C-rates multiplied out and speed applied, or kNoStep after a finding. compile_waveforms.cpp
[[nodiscard]] std::uint32_t compile_waveform(Compiler& compiler, const StepSyntax& step);

// The procedure of a call, from the profile or the shipped library; nullptr after a finding. compile_calls.cpp
[[nodiscard]] const ProcedureSyntax* find_procedure(Compiler& compiler, const StepSyntax& call);
// The names inside a call: parameters with the values of the arguments. An argument that is known only in the test
// gets a variable, and stands in `late` for the step that sets it.
struct LateArgument {
  const Expression* value;
  std::uint32_t variable;
};
[[nodiscard]] Binding bind_call(Compiler& compiler, const Binding& caller, const StepSyntax& call,
                                const ProcedureSyntax& procedure, const std::string& prefix,
                                std::vector<LateArgument>& late);

// compile_step_parts.cpp
[[nodiscard]] base::Duration duration_of(double seconds);
[[nodiscard]] double constant_or(Compiler& compiler, const Expression& expression, double otherwise, const char* what);
[[nodiscard]] RecordRule record_rule(Compiler& compiler, const RecordSyntax& syntax, RecordRule rule);
[[nodiscard]] ExpressionRef always_false(Program& program);
[[nodiscard]] ExpressionRef compile_expression(Compiler& compiler, const Expression& expression);
[[nodiscard]] bool follows_level(const StepSyntax& syntax);  // a voltage that somebody must hold
void compile_shape(Compiler& compiler, const StepSyntax& syntax, Step& step);
void check_independent(Compiler& compiler, const StepSyntax& set);  // no value depends on what another one changes
void place_results(Compiler& compiler);                             // slots of results; counts of names

// Steps that end without a condition.
[[nodiscard]] bool ends_by_itself(StepKind kind) noexcept;

// How a step is called in messages: "step 'charge'" or "the rest of line 12".
[[nodiscard]] std::string step_label(const StepSyntax& step);

// The shortest time after which a condition that looks only at time fires; infinity when it does not.
[[nodiscard]] double time_bound_s(const Compiler& compiler, const Expression& when);

// A clamp stands this far outside the cell's rating, so that a limit at the rating itself can be reached; at most half
// of the way to the trip.
inline constexpr double kClampMargin_V = 0.010;

}  // namespace cyclerd::profiles
