// The guard in front of the TOML library.
#include "protocols/text/toml.hpp"
#include "tests/fuzz/fuzz_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cyclerd;
  return fuzz::read_text(data, size, [](const text::SourcePtr& source, text::Diagnostics& findings) {
    (void)text::parse_toml(source, findings);
  });
}
