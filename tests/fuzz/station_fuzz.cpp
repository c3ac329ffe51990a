// A station file, with the shipped device descriptions.
#include "daemon/app/station_file.hpp"
#include "tests/fuzz/fuzz_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cyclerd;
  return fuzz::read_text(data, size, [](const text::SourcePtr& source, text::Diagnostics& findings) {
    app::LoadOptions options;
    options.descriptions = {CYCLERD_SOURCE_DIR "/protocols/devices"};
    (void)app::load_station(source, options, findings);
  });
}
