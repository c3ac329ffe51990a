// ENSURE: for our own bugs only. Says what and where, then aborts; the service manager opens every output and restarts.
#pragma once

namespace cyclerd::base {

[[noreturn]] void ensure_failed(const char* expression, const char* message, const char* file, int line) noexcept;

}  // namespace cyclerd::base

#define ENSURE(condition, message) \
  ((condition) ? void(0) : ::cyclerd::base::ensure_failed(#condition, message, __FILE__, __LINE__))
