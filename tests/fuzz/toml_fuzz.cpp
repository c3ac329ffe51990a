// The guard in front of the TOML library.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "protocols/text/toml.hpp"

namespace {

cyclerd::text::SourcePtr source_of(const std::uint8_t* data, std::size_t size) {
  return std::make_shared<const cyclerd::text::Source>(
      cyclerd::text::Source{"fuzz", std::string(reinterpret_cast<const char*>(data), size)});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cyclerd::text::Diagnostics findings;
  (void)cyclerd::text::parse_toml(source_of(data, size), findings);
  (void)findings.render();
  return 0;
}
