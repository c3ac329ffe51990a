#include "protocols/base/result.hpp"

namespace cyclerd::base {

std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::none: return "none";
    case ErrorCode::timeout: return "timeout";
    case ErrorCode::disconnected: return "disconnected";
    case ErrorCode::protocol: return "protocol";
    case ErrorCode::refused: return "refused";
    case ErrorCode::mismatch: return "mismatch";
    case ErrorCode::invalid: return "invalid";
    case ErrorCode::not_found: return "not found";
    case ErrorCode::permission: return "permission";
    case ErrorCode::io: return "input/output";
    case ErrorCode::busy: return "busy";
    case ErrorCode::unsupported: return "unsupported";
  }
  return "unknown";
}

std::string Error::text() const {
  std::string s{subject.view()};
  if (!s.empty()) s += ": ";
  s += detail.view();
  s += " (";
  s += to_string(code);
  s += ")";
  return s;
}

}  // namespace cyclerd::base
