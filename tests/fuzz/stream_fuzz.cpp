// The live Arrow stream.
#include <cstddef>
#include <cstdint>
#include <span>

#include "daemon/record/stream_reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)cyclerd::record::read_stream(std::as_bytes(std::span(data, size)),
                                     [](std::span<const cyclerd::record::TableRow>) {});
  return 0;
}
