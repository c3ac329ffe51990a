// A journal segment, as the newest and as an older one.
#include <cstddef>
#include <cstdint>
#include <span>

#include "daemon/record/journal_reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  for (const bool last : {false, true}) {
    (void)cyclerd::record::scan_segment(bytes, 1, last, [](const cyclerd::record::JournalFrame& frame) {
      // Touches what the reader promises, so that the sanitizer sees it.
      volatile std::size_t sum = 0;
      for (const std::byte b : frame.payload) sum = sum + static_cast<std::size_t>(b);
    });
  }
  return 0;
}
