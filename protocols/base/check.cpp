#include "protocols/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace cyclerd::base {

void ensure_failed(const char* expression, const char* message, const char* file, int line) noexcept {
  std::fprintf(stderr, "cyclerd: internal error: %s (%s) at %s:%d\n", message, expression, file, line);
  std::abort();
}

}  // namespace cyclerd::base
