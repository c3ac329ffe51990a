#include "profiles/compile.hpp"

#include <cmath>

#include "profiles/compile_parts.hpp"

namespace cyclerd::profiles {
namespace {

std::unique_ptr<const Program> run(const text::SourcePtr& source, const Launch* launch,
                                   text::Diagnostics& diagnostics) {
  const std::size_t errors_before = diagnostics.error_count();
  const auto profile = parse_profile(source, diagnostics);
  if (!profile) return nullptr;
  Compiler compiler{*profile, launch, diagnostics};
  Program& program = *compiler.program;
  program.name = profile->name;
  program.title = profile->title;
  program.source_text = source->text;
  if (launch != nullptr) {
    program.nominal_capacity_C = launch->cell.nominal_capacity_C;
    program.initial_soc = launch->initial_soc;
    program.scan = launch->scan;
  }
  bind_parameters(compiler);
  check_cell(compiler);
  compile_limits(compiler);
  compile_steps(compiler);
  check_setpoints(compiler);
  check_conditions(compiler);
  check_flow(compiler);
  if (diagnostics.error_count() != errors_before) return nullptr;
  estimate_worst_case(compiler);
  write_canonical(*profile, program);
  return std::move(compiler.program);
}

}  // namespace

std::unique_ptr<const Program> compile_profile(const text::SourcePtr& source, const Launch& launch,
                                               text::Diagnostics& diagnostics) {
  return run(source, &launch, diagnostics);
}

void check_profile(const text::SourcePtr& source, text::Diagnostics& diagnostics) {
  (void)run(source, nullptr, diagnostics);
}

}  // namespace cyclerd::profiles
