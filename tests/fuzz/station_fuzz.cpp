// A station file.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "daemon/app/station_file.hpp"

namespace {

cyclerd::text::SourcePtr source_of(const std::uint8_t* data, std::size_t size) {
  return std::make_shared<const cyclerd::text::Source>(
      cyclerd::text::Source{"fuzz", std::string(reinterpret_cast<const char*>(data), size)});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cyclerd::text::Diagnostics findings;
  cyclerd::app::LoadOptions options;
  options.descriptions = {CYCLERD_SOURCE_DIR "/protocols/devices"};
  (void)cyclerd::app::load_station(source_of(data, size), options, findings);
  (void)findings.render();
  return 0;
}
