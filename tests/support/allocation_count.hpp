// Counts heap allocations of the whole test program: link allocation_count.cpp.
#pragma once

#include <cstdint>

namespace cyclerd::test {

[[nodiscard]] std::uint64_t allocations() noexcept;

}  // namespace cyclerd::test
