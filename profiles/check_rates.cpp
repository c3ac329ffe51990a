// Records against the samples that there are to keep.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "profiles/codes.hpp"
#include "profiles/compile_parts.hpp"

namespace cyclerd::profiles {
namespace {

void every(Compiler& compiler, const Expression& written) {
  const auto every_s = compiler.value(written);
  // The scan of a dry run is a choice, made for its speed.
  const double scan_s = compiler.launch->simulated ? 0.0 : compiler.launch->scan.seconds();
  const double device_s = compiler.launch->cycler.min_scan.seconds();
  const double fastest_s = std::max(scan_s, device_s);
  if (!every_s || *every_s <= 0.0 || *every_s >= fastest_s) return;
  const bool device = device_s > scan_s;
  compiler.diagnostics.warning(
      code::kRecordRate, written.where,
      fmt::format("a row every {} is asked for, but {} {}: rows come no faster",
                  text::format_quantity(*every_s, text::dimension::kTime),
                  device ? "the cycler has a new reading only every" : "the channel is sampled every",
                  text::format_quantity(fastest_s, text::dimension::kTime)),
      fmt::format("write {} or more{}", text::format_quantity(fastest_s, text::dimension::kTime),
                  device ? ", or use a faster cycler" : ", or set a shorter scan for the channel"));
}

}  // namespace

void check_rates(Compiler& compiler) {
  if (compiler.launch == nullptr) return;
  every(compiler, compiler.profile.record.every);
  for (std::size_t i = 0; i < compiler.syntax.size(); ++i) {
    const StepSyntax* step = compiler.syntax[i];
    if (step == nullptr || !step->record.every.given) continue;
    compiler.enter(i);
    every(compiler, step->record.every);
  }
}

}  // namespace cyclerd::profiles
