#include "profiles/compile.hpp"

#include <cmath>
#include <set>
#include <tuple>

#include "profiles/compile_parts.hpp"

namespace cyclerd::profiles {
namespace {

// The steps of a procedure are looked at once for each call; what is wrong with the procedure itself is said once.
void append_once(const text::Diagnostics& findings, text::Diagnostics& diagnostics) {
  std::set<std::tuple<std::string, const text::Source*, std::uint32_t, std::uint32_t, std::string>> seen;
  for (const text::Diagnostic& d : findings.all()) {
    if (!seen.emplace(d.code, d.where.source.get(), d.where.line, d.where.column, d.message).second) continue;
    text::Diagnostic& copy = d.severity == text::Severity::error ? diagnostics.error(d.code, d.where, d.message, d.help)
                             : d.severity == text::Severity::warning
                                 ? diagnostics.warning(d.code, d.where, d.message, d.help)
                                 : diagnostics.note(d.code, d.where, d.message, d.help);
    copy.label = d.label;
    copy.related = d.related;
    copy.related_label = d.related_label;
  }
}

std::unique_ptr<const Program> compile(const text::SourcePtr& source, const Launch* launch,
                                       const std::string& procedure_library, text::Diagnostics& diagnostics,
                                       const std::function<void(Compiler&)>& finished) {
  const auto profile = parse_profile(source, diagnostics);
  if (!profile) return nullptr;
  Compiler compiler{*profile, launch, diagnostics};
  compiler.binding.references = &compiler.references;
  compiler.procedure_library = procedure_library;
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
  check_rates(compiler);
  check_flow(compiler);
  check_loops(compiler);
  check_existence(compiler);
  if (diagnostics.has_errors()) return nullptr;
  estimate_worst_case(compiler);
  estimate_expected(compiler);
  check_disk(compiler);
  if (diagnostics.has_errors()) return nullptr;
  write_canonical(compiler);
  if (finished) finished(compiler);
  return std::move(compiler.program);
}

}  // namespace

std::unique_ptr<const Program> run_compiler(const text::SourcePtr& source, const Launch* launch,
                                            const std::string& procedure_library, text::Diagnostics& diagnostics,
                                            const std::function<void(Compiler&)>& finished) {
  text::Diagnostics findings;
  auto program = compile(source, launch, procedure_library, findings, finished);
  append_once(findings, diagnostics);
  return program;
}

std::unique_ptr<const Program> compile_profile(const text::SourcePtr& source, const Launch& launch,
                                               text::Diagnostics& diagnostics) {
  return run_compiler(source, &launch, launch.procedure_library, diagnostics);
}

void check_profile(const text::SourcePtr& source, text::Diagnostics& diagnostics, const ProfileFiles& files) {
  (void)run_compiler(source, nullptr, files.procedure_library, diagnostics);
}

std::optional<CanonicalForm> canonical_profile(const text::SourcePtr& source, const ProfileFiles& files,
                                               text::Diagnostics& diagnostics) {
  const auto program = run_compiler(source, nullptr, files.procedure_library, diagnostics);
  if (program == nullptr) return std::nullopt;
  return CanonicalForm{program->canonical, program->source_sha256, program->canonical_sha256};
}

}  // namespace cyclerd::profiles
