// A step file of Neware.
#include "tests/fuzz/fuzz_import.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return cyclerd::fuzz::read_foreign(data, size, cyclerd::exchange::import_neware);
}
