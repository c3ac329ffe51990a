// A profile as written: the parsed tree, every part with its place. Nothing here knows a cell, a device or a launch.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "profiles/program.hpp"
#include "protocols/text/diagnostics.hpp"
#include "protocols/text/quantity.hpp"

namespace cyclerd::profiles {

// What an expression yields. `absolute`: a temperature on the Celsius scale, not a difference.
struct Type {
  text::Dimension dimension;
  bool boolean = false;
  bool absolute = false;
  bool operator==(const Type&) const = default;
};

// One node of an expression's tree. Children are indices into Expression::nodes.
struct ExpressionNode {
  enum class Kind : std::uint8_t { number, live, rating, parameter, variable, result, mark, window, operation };
  Kind kind = Kind::number;
  Op op = Op::constant;  // window: rate or mean of `live` over the time at `left`
  Live live = Live::voltage;
  bool c_rate = false;      // number: multiples of the nominal capacity per hour
  double value = 0.0;       // number: SI
  std::uint8_t rating = 0;  // index in rating_names()
  Type type;
  std::string name;  // parameter, variable, mark; of a result the step: "check_up", "check_up.discharge"
  ResultOf quantity = ResultOf::capacity;  // result, mark
  ResultPick pick = ResultPick::last;      // result
  std::uint32_t nth = 0;
  int left = -1;
  int right = -1;
  std::uint32_t offset = 0;  // bytes, in the text
  std::uint32_t length = 1;
};

struct Expression {
  std::string text;
  text::Span where;
  std::vector<ExpressionNode> nodes;
  int root = -1;
  bool given = false;  // the key is there, even when the expression is wrong

  [[nodiscard]] bool ok() const noexcept { return root >= 0; }
  [[nodiscard]] const ExpressionNode& top() const noexcept { return nodes[static_cast<std::size_t>(root)]; }
  [[nodiscard]] const ExpressionNode& at(int index) const noexcept { return nodes[static_cast<std::size_t>(index)]; }
};

struct Parameter {
  Type type;
  bool c_rate = false;  // its default is a plain C-rate
  bool broken = false;  // its definition has findings; uses of it are not judged
  // Constants: numbers, nominal_capacity, ratings of the cell. A bound may be a C-rate where the default is a current,
  // and the other way round.
  Expression value, min, max;
  std::string help;
  text::Span where;
};

// Something that a `set` gives a value; its type is that of what it is first set to.
struct Variable {
  Type type;
  bool broken = false;  // nothing tells its type; uses of it are not judged
};

// What names mean in one profile or one procedure.
struct Names {
  std::map<std::string, Parameter> parameters;
  std::map<std::string, Variable> variables;
  std::set<std::string> marks;
};

// name = value: of a `set`, or an argument of a `call`.
struct AssignmentSyntax {
  std::string name;
  Expression value;
  text::Span where;
};

// What a C in a step is a multiple of. `inherit`: as the block around it.
enum class CapacityBase : std::uint8_t { inherit, nominal, measured };

struct ConditionSyntax {
  Expression when;
  Expression dwell;
  Then then = Then::next;
  std::string target;
  text::Span target_where;
  std::string reason;
};

// Rules of [record]; absent ones are inherited.
struct RecordSyntax {
  Expression every, voltage, current, power, temperature, capacity, energy, pretrigger;
  bool given = false;
};

struct PulseSyntax {
  Expression current, power;  // one of the two
  Expression time;
  text::Span where;
};

struct StepSyntax {
  StepKind kind = StepKind::rest;
  int sign = 0;
  std::string word;  // the key that gave the kind: "charge", "rest", ...
  std::string name;  // as written; empty when the step has none
  text::Span where;  // the control key
  text::Span name_where;
  bool broken = false;  // has findings already; not judged further
  Expression when, current, voltage, power, resistance;
  Expression count;  // repeat, follow
  Expression temperature, chamber_ramp, soak_within, soak_for;
  std::string waveform;
  text::Span waveform_where;
  Expression scale, speed;
  Expression ramp_from, ramp_to, ramp_rate, ramp_over;
  std::vector<PulseSyntax> pulses;
  Expression pulse_time;  // impedance
  ResistanceMethod method = ResistanceMethod::end;
  bool sweep = false;  // impedance: a spectrum instead of a pulse
  Resample resample = Resample::hold;
  bool clamp_to_envelope = false;
  std::string message;
  std::vector<AssignmentSyntax> assignments;  // set, in the order of names; call: its arguments
  std::string mark;                           // set
  text::Span mark_where;
  std::string procedure;  // call
  text::Span procedure_where;
  CapacityBase capacity = CapacityBase::inherit;
  std::vector<ConditionSyntax> until;
  RecordSyntax record;
  std::vector<StepSyntax> steps;  // of a repeat
};

struct BoundSyntax {
  Expression min, max, dwell;
  text::Span where;
  bool given = false;
};

struct SafetySyntax {
  BoundSyntax voltage, current, power, temperature, chamber, capacity;
  Expression sensor_loss;
};

// Steps with parameters of their own, for `call`.
struct ProcedureSyntax {
  std::string name, title;
  text::Span where;
  Names names;
  std::vector<StepSyntax> steps;
};

struct ProfileSyntax {
  text::SourcePtr source;
  std::string name, title, description;
  text::Span where;
  Names names;
  std::map<std::string, ProcedureSyntax> procedures;
  std::vector<std::string> chemistries;  // empty: any
  text::Span chemistry_where;
  Expression nominal_capacity;  // [cell]: what the profile is written for
  SafetySyntax safety;
  RecordSyntax record;
  std::vector<StepSyntax> steps;
};

// Reads the tree. Findings go to `diagnostics`; nullopt when the text is not TOML or not a profile at all.
[[nodiscard]] std::optional<ProfileSyntax> parse_profile(const text::SourcePtr& source, text::Diagnostics& diagnostics);
// A file with one procedure: `procedure = "name"` in place of `profile`.
[[nodiscard]] std::optional<ProcedureSyntax> parse_procedure_file(const text::SourcePtr& source,
                                                                  text::Diagnostics& diagnostics);

}  // namespace cyclerd::profiles
