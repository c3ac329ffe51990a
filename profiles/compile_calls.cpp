// Calls: which procedure, with which values for its parameters.
#include <fmt/format.h>

#include <algorithm>

#include "profiles/codes.hpp"
#include "profiles/compile_parts.hpp"
#include "profiles/parse_parts.hpp"

namespace cyclerd::profiles {
namespace {

constexpr double kSecondsPerHour = 3600.0;

const ProcedureSyntax* find_shipped(Compiler& compiler, const std::string& name) {
  const auto known = compiler.library.find(name);
  if (known != compiler.library.end()) return &known->second;
  if (compiler.procedure_library.empty() || !valid_identifier(name)) return nullptr;
  const auto source = text::read_source(compiler.procedure_library + "/" + name + ".toml", 256 * 1024);
  if (!source) return nullptr;
  auto procedure = parse_procedure_file(*source, compiler.diagnostics);
  if (!procedure) return nullptr;
  procedure->name = name;
  return &compiler.library.emplace(name, std::move(*procedure)).first->second;
}

// Unknown only because this is a check without a cell.
bool waits_for_launch(const Expression& value, const Binding& caller) {
  return is_constant(value) && std::none_of(value.nodes.begin(), value.nodes.end(), [&](const ExpressionNode& node) {
           return node.kind == ExpressionNode::Kind::parameter && caller.parameters->late.count(node.name) != 0;
         });
}

}  // namespace

const ProcedureSyntax* find_procedure(Compiler& compiler, const StepSyntax& call) {
  if (call.procedure.empty()) return nullptr;  // said by the parser
  const auto own = compiler.profile.procedures.find(call.procedure);
  if (own != compiler.profile.procedures.end()) return &own->second;
  if (const ProcedureSyntax* shipped = find_shipped(compiler, call.procedure)) return shipped;
  // An editor's check may know no library.
  if (compiler.launch == nullptr && compiler.procedure_library.empty() && valid_identifier(call.procedure)) {
    return nullptr;
  }
  std::vector<std::string> known;
  for (const auto& [name, unused] : compiler.profile.procedures) known.push_back(name);
  const std::string near = text::nearest(call.procedure, known);
  compiler.diagnostics.error(code::kProcedure, call.procedure_where,
                             fmt::format("there is no procedure '{}'", call.procedure),
                             near.empty() ? "write [procedure.NAME], or name a shipped one: profiles/library/procedures"
                                          : fmt::format("did you mean {}?", near));
  return nullptr;
}

Binding bind_call(Compiler& compiler, const Binding& caller, const StepSyntax& call, const ProcedureSyntax& procedure,
                  const std::string& prefix, std::vector<LateArgument>& late) {
  Binding inside;
  inside.nominal_capacity_C = caller.nominal_capacity_C;
  inside.cell = caller.cell;
  inside.measured = caller.measured;
  inside.references = caller.references;
  inside.prefix = prefix;
  const double one_C_A = caller.nominal_capacity_C / kSecondsPerHour;
  for (const auto& [name, parameter] : procedure.names.parameters) {
    if (parameter.broken) continue;
    const double value = default_value(parameter, caller);
    inside.parameters->known[name] = parameter.c_rate ? value * one_C_A : value;
    const bool given = std::any_of(call.assignments.begin(), call.assignments.end(),
                                   [&name = name](const AssignmentSyntax& a) { return a.name == name; });
    if (!given) check_bounds(compiler, caller, parameter, fmt::format("parameter '{}'", name), value, parameter.where);
  }
  Binding nominal = caller;  // a constant C-rate stays a C-rate: it is multiplied out where it is used
  nominal.measured = false;
  std::vector<std::string> known;
  for (const auto& [name, unused] : procedure.names.parameters) known.push_back(name);
  for (const AssignmentSyntax& argument : call.assignments) {
    const auto parameter = procedure.names.parameters.find(argument.name);
    if (parameter == procedure.names.parameters.end()) {
      const std::string near = text::nearest(argument.name, known);
      compiler.diagnostics.error(code::kProcedure, argument.where,
                                 fmt::format("the procedure '{}' has no parameter '{}'", procedure.name, argument.name),
                                 !near.empty()   ? fmt::format("did you mean {}?", near)
                                 : known.empty() ? "it takes no arguments"
                                                 : fmt::format("parameters are: {}", fmt::join(known, ", ")));
      continue;
    }
    if (parameter->second.broken) continue;
    if (!expect_type(argument.value, parameter->second.type, fmt::format("argument '{}'", argument.name),
                     compiler.diagnostics)) {
      continue;
    }
    const bool keeps_rate = parameter->second.c_rate;
    const auto value = constant_value(argument.value, keeps_rate ? nominal : caller);
    if (value) {
      inside.parameters->known[argument.name] = *value;
      const bool rate = parameter->second.c_rate;
      check_bounds(compiler, caller, parameter->second, fmt::format("argument '{}'", argument.name),
                   rate ? *value / one_C_A : *value, argument.value.where);
    } else if (compiler.launch == nullptr && waits_for_launch(argument.value, caller)) {
      inside.parameters->known[argument.name] = base::kAbsent;
    } else {
      inside.parameters->known.erase(argument.name);
      const std::uint32_t variable = caller.references->variable(prefix + argument.name);
      inside.parameters->late[argument.name] = variable;
      late.push_back({&argument.value, variable});
    }
  }
  return inside;
}

}  // namespace cyclerd::profiles
