// Names that steps make: variables, marks, procedures; and the steps that use them, `set` and `call`.
#include <fmt/format.h>

#include <algorithm>

#include "profiles/codes.hpp"
#include "profiles/executor_state.hpp"
#include "profiles/parse_parts.hpp"

namespace cyclerd::profiles {
namespace {

constexpr const char* kMark = "mark";
constexpr const char* kMeasuredCapacity = "measured_capacity";

struct Assigned {
  const std::string* name;
  const text::TomlNode* value;
};

// Every `name = value` of every `set`, in the order of the file.
void collect(const text::TomlNode& steps, Names& names, std::vector<Assigned>& assigned, std::size_t depth) {
  if (!steps.is_array() || depth > kMaxNesting) return;
  for (const text::TomlNode& item : steps.items) {
    if (!item.is_table()) continue;
    if (const text::TomlNode* set = item.find("set"); set != nullptr && set->is_table()) {
      for (const auto& [name, value] : set->members) {
        if (name == kMark && value.is_string()) names.marks.insert(value.string);
        if (name != kMark && name != kMeasuredCapacity) assigned.push_back({&name, &value});
      }
    }
    if (const text::TomlNode* inside = item.find("steps")) collect(*inside, names, assigned, depth + 1);
  }
}

bool usable_name(const std::string& name, const Names& names) {
  return valid_identifier(name) && !reserved_word(name) && names.parameters.count(name) == 0;
}

std::vector<StepSyntax> steps_of(text::TableReader& reader, const text::Span& where, ParseContext& context) {
  std::vector<StepSyntax> steps;
  const text::TomlNode* array = reader.optional_array("step");
  if (array != nullptr) parse_steps(*array, steps, 0, context);
  if ((array == nullptr || array->items.empty()) && reader.optional("step") == array) {
    context.diagnostics.error(code::kNoSteps, where, "the procedure has no steps",
                              "add [[procedure.NAME.step]] tables, [[step]] in a file of its own");
  }
  return steps;
}

// Title, parameters and steps.
void parse_body(text::TableReader& reader, ProcedureSyntax& procedure, std::size_t& steps,
                text::Diagnostics& diagnostics) {
  procedure.title = reader.optional_string("title").value_or("");
  if (const text::TomlNode* parameters = reader.optional_table("parameters")) {
    parse_parameters(*parameters, procedure.names, diagnostics);
    if (procedure.names.parameters.count("procedure") != 0) {
      diagnostics.error(code::kParameterDefinition, procedure.names.parameters.at("procedure").where,
                        "a procedure's parameter cannot be named 'procedure': a call names the procedure by that word");
    }
  }
  const text::TomlNode* array = reader.optional("step");
  if (array != nullptr) declare_names(*array, procedure.names, diagnostics);
  ParseContext context{diagnostics, Scope{&procedure.names}, steps};
  procedure.steps = steps_of(reader, procedure.where, context);
  steps = context.steps;
}

}  // namespace

void declare_names(const text::TomlNode& steps, Names& names, text::Diagnostics& diagnostics) {
  std::vector<Assigned> open;
  collect(steps, names, open, 0);
  // A value may use variables that stand further down (a `set` after a goto): again and again until nothing is learnt.
  for (std::size_t before = open.size() + 1; before != open.size();) {
    before = open.size();
    std::vector<Assigned> left;
    for (const Assigned& a : open) {
      if (names.variables.count(*a.name) != 0 || !usable_name(*a.name, names)) continue;
      text::Diagnostics unheard;
      const Expression value = parse_expression(*a.value, Scope{&names}, unheard);
      if (value.ok()) {
        names.variables[*a.name].type = value.top().type;
      } else {
        left.push_back(a);
      }
    }
    open = std::move(left);
  }
  for (const Assigned& a : open) names.variables[*a.name].broken = true;
  if (names.variables.size() > kMaxVariables || names.marks.size() > kMaxMarks) {
    diagnostics.error(code::kTooManyNames, steps.key,
                      fmt::format("{} variables and {} marks; at most {} and {} are possible", names.variables.size(),
                                  names.marks.size(), kMaxVariables, kMaxMarks),
                      "use one name for several purposes, or fewer");
  }
}

void parse_procedures(const text::TomlNode& table, ProfileSyntax& profile, std::size_t& steps,
                      text::Diagnostics& diagnostics) {
  for (const auto& [name, node] : table.members) {
    if (!valid_identifier(name)) {
      diagnostics.error(code::kName, node.key, fmt::format("'{}' cannot be a procedure's name", name),
                        "letters, digits and _, for instance capacity_check");
      continue;
    }
    ProcedureSyntax& procedure = profile.procedures[name];
    procedure.name = name;
    procedure.where = node.key;
    text::TableReader reader(node, fmt::format("procedure '{}'", name), diagnostics);
    if (!node.is_table()) continue;
    parse_body(reader, procedure, steps, diagnostics);
    reader.finish();
  }
}

std::optional<ProcedureSyntax> parse_procedure_file(const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  text::TomlLimits limits;
  limits.depth = 2 * kMaxNesting + 16;
  const auto root = text::parse_toml(source, diagnostics, limits);
  if (!root) return std::nullopt;
  ProcedureSyntax procedure;
  procedure.where = text::Span{source, 1, 1, 1};
  text::TableReader reader(*root, "the procedure's file", diagnostics);
  procedure.name = reader.required_string("procedure");
  if (const text::TomlNode* schema = reader.required("schema")) {
    if (schema->kind != text::TomlNode::Kind::integer || schema->integer != 1) {
      diagnostics.error(code::kSchema, schema->value, "this version reads schema 1 only", "write schema = 1");
    }
  }
  std::size_t steps = 0;
  parse_body(reader, procedure, steps, diagnostics);
  reader.finish();
  return procedure;
}

void parse_set(const text::TomlNode& node, StepSyntax& step, ParseContext& context) {
  step.kind = StepKind::set;
  text::Diagnostics& diagnostics = context.diagnostics;
  text::TableReader reader(node, "set", diagnostics);
  if (!node.is_table()) return;
  if (const text::TomlNode* mark = reader.optional(kMark)) {
    step.mark = reader.optional_string(kMark).value_or("");
    step.mark_where = mark->value;
    if (mark->is_string() && (!valid_identifier(step.mark) || step.mark == "cell")) {
      diagnostics.error(code::kName, mark->value, fmt::format("'{}' cannot be a mark's name", step.mark),
                        "letters, digits and _, for instance mark = \"bol\"");
    }
  }
  for (const auto& [name, value] : node.members) {
    if (name == kMark) continue;
    (void)reader.optional(name);
    const bool measured = name == kMeasuredCapacity;
    if (!measured && !usable_name(name, *context.scope.names)) {
      diagnostics.error(code::kName, value.key, fmt::format("'{}' cannot be a variable's name", name),
                        "names are letters, digits and _, and no unit, function, live quantity or parameter");
      continue;
    }
    AssignmentSyntax assignment{name, {}, value.key};
    const std::size_t before = diagnostics.error_count();
    assignment.value = parse_expression(value, context.scope, diagnostics);
    const auto variable = context.scope.names->variables.find(name);
    if (!assignment.value.ok() && diagnostics.error_count() == before &&
        variable != context.scope.names->variables.end()) {
      diagnostics.error(code::kUnknownName, value.value, fmt::format("'{}' gets its value only from itself", name),
                        fmt::format("set it to a value first, for instance set = {{ {} = 0 }}", name));
    }
    if (measured || (variable != context.scope.names->variables.end() && !variable->second.broken)) {
      if (!expect_type(assignment.value, measured ? type::kCapacity : variable->second.type,
                       fmt::format("variable '{}'", name), diagnostics)) {
        assignment.value.root = -1;
      }
    }
    step.assignments.push_back(std::move(assignment));
  }
  reader.finish();
  std::sort(step.assignments.begin(), step.assignments.end(),
            [](const AssignmentSyntax& a, const AssignmentSyntax& b) { return a.name < b.name; });
  if (node.members.empty()) {
    diagnostics.error(code::kCombination, node.key, "set sets nothing", "set = { n = 0 }, or set = { mark = \"bol\" }");
  }
}

void parse_call(const text::TomlNode& node, StepSyntax& step, ParseContext& context) {
  step.kind = StepKind::repeat_begin;
  text::TableReader reader(node, "call", context.diagnostics);
  if (!node.is_table()) return;
  if (const text::TomlNode* name = reader.required("procedure")) step.procedure_where = name->value;
  step.procedure = reader.optional_string("procedure").value_or("");
  for (const auto& [name, value] : node.members) {
    if (name == "procedure") continue;
    (void)reader.optional(name);
    step.assignments.push_back({name, parse_expression(value, context.scope, context.diagnostics), value.key});
  }
  reader.finish();
  std::sort(step.assignments.begin(), step.assignments.end(),
            [](const AssignmentSyntax& a, const AssignmentSyntax& b) { return a.name < b.name; });
}

}  // namespace cyclerd::profiles
