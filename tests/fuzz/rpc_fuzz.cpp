// One line of the local socket, and its answer.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "daemon/control/rpc.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = cyclerd::control::parse_request(std::string_view(reinterpret_cast<const char*>(data), size));
  if (const auto* request = std::get_if<cyclerd::control::Request>(&parsed)) {
    (void)cyclerd::control::response_line(request->id, cyclerd::control::Answer::ok(request->params));
  } else {
    const auto& error = std::get<cyclerd::control::RequestError>(parsed);
    (void)cyclerd::control::error_line(error.id, error.code, error.message);
  }
  return 0;
}
