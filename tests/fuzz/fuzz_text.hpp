// The common body of the targets that read a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "protocols/text/diagnostics.hpp"

namespace cyclerd::fuzz {

inline text::SourcePtr source_of(std::string text) {
  return std::make_shared<const text::Source>(text::Source{"fuzz", std::move(text)});
}

// `read(source, findings)`; what it found must be printable, too.
template <class Read>
int read_text(const std::uint8_t* data, std::size_t size, Read&& read) {
  text::Diagnostics findings;
  read(source_of(std::string(reinterpret_cast<const char*>(data), size)), findings);
  (void)findings.render();
  (void)findings.json();
  return 0;
}

// A promise of the code, kept for every input.
inline void promise(bool kept, const char* what, const std::string& seen = {}) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n%s\n", what, seen.c_str());
  std::abort();
}

}  // namespace cyclerd::fuzz
