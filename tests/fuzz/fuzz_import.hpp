// The common body of the importers' targets: whatever comes in, what comes out is a profile.
#pragma once

#include "profiles/compile.hpp"
#include "profiles/exchange/detect.hpp"
#include "profiles/syntax.hpp"
#include "tests/fuzz/fuzz_text.hpp"

namespace cyclerd::fuzz {

template <class Import>
int read_foreign(const std::uint8_t* data, std::size_t size, Import&& import) {
  return read_text(data, size, [&](const text::SourcePtr& source, text::Diagnostics& findings) {
    (void)exchange::detect_format(source->text);
    const auto translation = import(source, exchange::ImportOptions{}, findings);
    promise(translation.has_value() != findings.has_errors(), "a profile or an error, never both", findings.render());
    if (!translation) return;
    text::Diagnostics others;
    promise(profiles::parse_profile(source_of(translation->text), others).has_value() && !others.has_errors(),
            "what was imported is a profile", others.render() + translation->text);
    profiles::check_profile(source_of(translation->text), others);
  });
}

}  // namespace cyclerd::fuzz
