#include "daemon/control/rpc.hpp"

#include <fmt/format.h>

namespace cyclerd::control {

namespace {

struct Shape {
  int deepest = 0;  // of brackets
  int values = 1;   // at least so many, by their commas
};

// Looks outside strings. The parser does not recurse, but printing and copying a document do; and a list of many small
// values takes the control thread far longer than the same bytes of text.
Shape shape_of(std::string_view line) {
  int depth = 0;
  Shape shape;
  bool in_string = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      shape.deepest = std::max(shape.deepest, ++depth);
    } else if (c == ',') {
      ++shape.values;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return shape;
}

std::string to_line(const Json& message) {
  return message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

int code_of(Failure failure) {
  if (failure == Failure::usage) return rpc::kInvalidParams;
  return rpc::kFailureBase - static_cast<int>(failure);
}

}  // namespace

std::variant<Request, RequestError> parse_request(std::string_view line) {
  const Shape shape = shape_of(line);
  if (shape.values > rpc::kMaxValues) {
    return RequestError{nullptr, rpc::kParseError,
                        fmt::format("more than {} values: no request of this protocol has so many", rpc::kMaxValues)};
  }
  if (shape.deepest > rpc::kMaxDepth) {
    return RequestError{nullptr, rpc::kParseError,
                        fmt::format("nested deeper than {} levels: no request of this protocol is", rpc::kMaxDepth)};
  }
  Json message;
  try {
    message = Json::parse(line);
  } catch (const Json::exception& e) {
    return RequestError{nullptr, rpc::kParseError, fmt::format("not JSON: {}", e.what())};
  }
  if (message.is_array()) {
    return RequestError{nullptr, rpc::kInvalidRequest, "batches are not supported: send one object per line"};
  }
  if (!message.is_object()) return RequestError{nullptr, rpc::kInvalidRequest, "a request is a JSON object"};

  Request request;
  const auto id = message.find("id");
  request.wants_answer = id != message.end();
  if (request.wants_answer) {
    if (!id->is_string() && !id->is_number() && !id->is_null()) {
      return RequestError{nullptr, rpc::kInvalidRequest, "`id` must be a string or a number"};
    }
    request.id = *id;
  }
  const auto version = message.find("jsonrpc");
  if (version == message.end() || *version != "2.0") {
    return RequestError{request.id, rpc::kInvalidRequest, "`jsonrpc` must be \"2.0\""};
  }
  const auto method = message.find("method");
  if (method == message.end() || !method->is_string()) {
    return RequestError{request.id, rpc::kInvalidRequest, "`method` must be a string"};
  }
  request.method = method->get<std::string>();
  const auto params = message.find("params");
  if (params != message.end()) {
    if (!params->is_object()) {
      return RequestError{request.id, rpc::kInvalidParams, "`params` must be an object with named members"};
    }
    request.params = std::move(*params);
  }
  return request;
}

std::string response_line(const Json& id, const Answer& answer) {
  if (answer.failure == Failure::none) return to_line({{"jsonrpc", "2.0"}, {"id", id}, {"result", answer.value}});
  Json data = answer.value.is_object() ? answer.value : Json::object();
  if (!answer.value.is_object() && !answer.value.is_null()) data["details"] = answer.value;
  data["exit_code"] = static_cast<int>(answer.failure);
  return error_line(id, code_of(answer.failure), answer.message, data);
}

std::string error_line(const Json& id, int code, const std::string& message, const Json& data) {
  Json error{{"code", code}, {"message", message}};
  if (!data.is_null()) error["data"] = data;
  return to_line({{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(error)}});
}

std::string notification_line(const std::string& method, const Json& params) {
  return to_line({{"jsonrpc", "2.0"}, {"method", method}, {"params", params}});
}

Failure failure_of(const Json& error) {
  if (!error.is_object()) return Failure::failed;
  const auto code = error.find("code");
  if (code == error.end() || !code->is_number_integer()) return Failure::failed;
  const auto value = code->get<std::int64_t>();
  if (value == rpc::kInvalidParams || value == rpc::kMethodNotFound) return Failure::usage;
  const std::int64_t failure = rpc::kFailureBase - value;
  if (failure >= 1 && failure <= static_cast<int>(Failure::timeout)) return static_cast<Failure>(failure);
  return Failure::failed;
}

}  // namespace cyclerd::control
