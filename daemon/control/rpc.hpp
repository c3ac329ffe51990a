// JSON-RPC 2.0, one object a line: from bytes to a request, from an answer to bytes. Pure; survives any input.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "daemon/control/station_api.hpp"

namespace cyclerd::control {

namespace rpc {
inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;
inline constexpr int kInternalError = -32603;
// A Failure f of the station is the code kFailureBase - f: -32001 failed ... -32009 timeout.
inline constexpr int kFailureBase = -32000;
inline constexpr int kMaxDepth = 64;
// Of members and items together. What is large in a request is text; many small values cost more to build than to send.
inline constexpr int kMaxValues = 10'000;
inline constexpr std::size_t kMaxLine_bytes = std::size_t{2} << 20;  // profile, cell and waveforms in one request
}  // namespace rpc

struct Request {
  Json id;                    // string, number or null
  bool wants_answer = false;  // false: a notification, no id was given
  std::string method;
  Json params = Json::object();
};

struct RequestError {
  Json id;
  int code = rpc::kInvalidRequest;
  std::string message;
};

// One line without its newline. Batches (arrays) are refused.
[[nodiscard]] std::variant<Request, RequestError> parse_request(std::string_view line);

// One line with its newline. Invalid UTF-8 in a text is replaced, not a number becomes null.
[[nodiscard]] std::string response_line(const Json& id, const Answer& answer);
[[nodiscard]] std::string error_line(const Json& id, int code, const std::string& message, const Json& data = nullptr);
[[nodiscard]] std::string notification_line(const std::string& method, const Json& params);

// Which exit-code class an error object of the protocol belongs to.
[[nodiscard]] Failure failure_of(const Json& error);

}  // namespace cyclerd::control
