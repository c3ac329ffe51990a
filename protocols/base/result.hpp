// Failures of the world (a time-out, a refused write, a full disk) as values. Never for bugs, never for danger.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "protocols/base/fixed_text.hpp"

namespace cyclerd::base {

enum class ErrorCode : std::uint8_t {
  none = 0,
  timeout,       // no answer within the deadline: what follows on the wire is not to be believed until resynchronised
  disconnected,  // the link is down or was closed by the peer
  protocol,      // an answer that does not fit the question
  refused,       // the peer understood and said no (exception code, error reply)
  mismatch,      // a read-back differs from what was written, or the wrong instrument answered
  invalid,       // a value outside what the peer or the file allows
  not_found,     // a file, an address, a name
  permission,    // the operating system or a role forbids it
  io,            // disk or socket failure reported by the operating system
  busy,          // owned by somebody else
  unsupported,
};

[[nodiscard]] std::string_view to_string(ErrorCode code) noexcept;

// Who failed, what was tried and seen, in words for the technician. Never allocates: usable on port threads.
struct Error {
  ErrorCode code = ErrorCode::none;
  FixedText<48> subject;  // device, wire, file
  FixedText<200> detail;  // what was tried, what was seen, what to do

  [[nodiscard]] std::string text() const;
};

template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

using Status = Result<void>;

[[nodiscard]] inline std::unexpected<Error> failure(ErrorCode code, std::string_view subject, std::string_view detail) {
  return std::unexpected<Error>(Error{code, subject, detail});
}

}  // namespace cyclerd::base

// Returns the error of an expression that yields a Result, or goes on. For statements.
#define TRY(expression)                                                       \
  do {                                                                        \
    auto try_result_ = (expression);                                          \
    if (!try_result_) return std::unexpected(std::move(try_result_).error()); \
  } while (false)

#define TRY_CONCAT_INNER(a, b) a##b
#define TRY_CONCAT(a, b) TRY_CONCAT_INNER(a, b)
// TRY_ASSIGN(auto x, f()): declares x from the value of f(), or returns its error.
#define TRY_ASSIGN(declaration, expression)                                       \
  auto TRY_CONCAT(try_assign_, __LINE__) = (expression);                          \
  if (!TRY_CONCAT(try_assign_, __LINE__))                                         \
    return std::unexpected(std::move(TRY_CONCAT(try_assign_, __LINE__)).error()); \
  declaration = std::move(*TRY_CONCAT(try_assign_, __LINE__))
