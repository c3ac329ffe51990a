// From a profile's text to a program, with and without a cell; its canonical form; and what a reviewer reads of it.
#include "profiles/expand.hpp"
#include "tests/fuzz/fuzz_bench.hpp"
#include "tests/fuzz/fuzz_text.hpp"

namespace {

using namespace cyclerd;

// The canonical form is a profile that does the same, and is its own canonical form.
void hold_canonical(const profiles::Program& program, const profiles::Launch& launch) {
  constexpr std::size_t kMostRead = 256 * 1024;  // of a profile: what is longer is not read back
  if (program.canonical.size() > kMostRead) return;
  text::Diagnostics findings;
  const auto again = profiles::compile_profile(fuzz::source_of(program.canonical), launch, findings);
  fuzz::promise(again != nullptr, "the canonical form compiles", findings.render() + program.canonical);
  fuzz::promise(again->canonical == program.canonical, "the canonical form is its own",
                program.canonical + "\n----\n" + again->canonical);
  fuzz::promise(again->compiled_sha256 == program.compiled_sha256, "it is the same program", program.canonical);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const profiles::Launch launch = fuzz::roomy_launch();
  return fuzz::read_text(data, size, [](const text::SourcePtr& source, text::Diagnostics& findings) {
    const auto program = profiles::compile_profile(source, launch, findings);
    if (program != nullptr) hold_canonical(*program, launch);
    const auto expansion = profiles::expand_profile(source, launch, findings);
    fuzz::promise(expansion.has_value() == (program != nullptr), "what compiles can be expanded");
    if (expansion) (void)profiles::to_text(*expansion);
    // As an editor sees it: no cell.
    text::Diagnostics others;
    const profiles::ProfileFiles files{launch.waveforms, "", ""};
    if (const auto written = profiles::expand_profile(source, files, others)) (void)profiles::to_text(*written);
    const auto canonical = profiles::canonical_profile(source, files, others);
    if (canonical && program != nullptr)
      fuzz::promise(canonical->text == program->canonical, "the canonical form knows no cell", canonical->text);
  });
}
