#include "daemon/control/rpc.hpp"

#include <gtest/gtest.h>

#include <random>

namespace cyclerd::control {
namespace {

const RequestError& error_of(const std::variant<Request, RequestError>& v) {
  return std::get<RequestError>(v);
}

TEST(ParseRequest, TakesMethodParamsAndId) {
  const auto parsed = parse_request(R"({"jsonrpc":"2.0","id":7,"method":"stop","params":{"channel":"ch1"}})");
  const auto& request = std::get<Request>(parsed);
  EXPECT_EQ(request.id, 7);
  EXPECT_TRUE(request.wants_answer);
  EXPECT_EQ(request.method, "stop");
  EXPECT_EQ(request.params["channel"], "ch1");
}

TEST(ParseRequest, WithoutIdIsANotification) {
  const auto parsed = parse_request(R"({"jsonrpc":"2.0","method":"status"})");
  EXPECT_FALSE(std::get<Request>(parsed).wants_answer);
}

TEST(ParseRequest, NamesWhatIsWrong) {
  EXPECT_EQ(error_of(parse_request("{")).code, rpc::kParseError);
  EXPECT_EQ(error_of(parse_request("[]")).code, rpc::kInvalidRequest);
  EXPECT_EQ(error_of(parse_request("1")).code, rpc::kInvalidRequest);
  EXPECT_EQ(error_of(parse_request(R"({"id":1,"method":"status"})")).code, rpc::kInvalidRequest);
  EXPECT_EQ(error_of(parse_request(R"({"jsonrpc":"2.0","id":{},"method":"status"})")).code, rpc::kInvalidRequest);
  EXPECT_EQ(error_of(parse_request(R"({"jsonrpc":"2.0","id":1,"method":3})")).code, rpc::kInvalidRequest);
  const auto params = parse_request(R"({"jsonrpc":"2.0","id":"a","method":"stop","params":["ch1"]})");
  EXPECT_EQ(error_of(params).code, rpc::kInvalidParams);
  EXPECT_EQ(error_of(params).id, "a");
}

TEST(ParseRequest, RefusesNestingJustAboveTheLimit) {
  const auto nested = [](int depth) {
    return R"({"jsonrpc":"2.0","id":1,"method":"status","params":{"x":)" +
           std::string(static_cast<std::size_t>(depth - 2), '[') +
           std::string(static_cast<std::size_t>(depth - 2), ']') + "}}";
  };
  EXPECT_TRUE(std::holds_alternative<Request>(parse_request(nested(rpc::kMaxDepth))));
  EXPECT_EQ(error_of(parse_request(nested(rpc::kMaxDepth + 1))).code, rpc::kParseError);
  EXPECT_EQ(error_of(parse_request(std::string(1'000'000, '['))).code, rpc::kParseError);
}

TEST(ParseRequest, RefusesJustMoreValuesThanTheLimit) {
  const auto listed = [](int values) {
    std::string line = R"({"jsonrpc":"2.0","id":1,"method":"status","params":{"x":[0)";
    for (int i = 5; i <= values; ++i) line += ",0";
    return line + "]}}";
  };
  EXPECT_TRUE(std::holds_alternative<Request>(parse_request(listed(rpc::kMaxValues))));
  EXPECT_EQ(error_of(parse_request(listed(rpc::kMaxValues + 1))).code, rpc::kParseError);
  const auto text = parse_request(R"({"jsonrpc":"2.0","id":1,"method":"check","params":{"profile":")" +
                                  std::string(2 * rpc::kMaxValues, ',') + R"("}})");
  EXPECT_TRUE(std::holds_alternative<Request>(text)) << "commas of a text are no values";
}

TEST(ParseRequest, BracketsInsideStringsDoNotCount) {
  const auto parsed = parse_request(R"({"jsonrpc":"2.0","id":1,"method":"check","params":{"profile":"\"[[[)" +
                                    std::string(200, '[') + R"("}})");
  EXPECT_TRUE(std::holds_alternative<Request>(parsed));
}

TEST(ParseRequest, SurvivesArbitraryBytesAndAnswersEachWithOneLine) {
  std::mt19937 random(1);  // NOLINT: the same bytes in every run
  const std::string seed = R"({"jsonrpc":"2.0","id":1,"method":"stop","params":{"channel":"ch1"}})";
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string line = seed;
    for (int k = 0; k < 3; ++k) line[random() % line.size()] = static_cast<char>(random() % 256);
    const auto parsed = parse_request(line);
    if (const auto* error = std::get_if<RequestError>(&parsed)) {
      ++refused;
      const std::string out = error_line(error->id, error->code, error->message);
      ASSERT_EQ(out.find('\n'), out.size() - 1);
      ASSERT_TRUE(Json::accept(out));
    }
  }
  EXPECT_GT(refused, 10'000);
}

TEST(Response, CarriesResultOrErrorWithExitCode) {
  EXPECT_EQ(Json::parse(response_line(3, Answer::ok({{"test", 42}})))["result"]["test"], 42);
  const Json busy = Json::parse(response_line("x", Answer::error(Failure::busy, "ch1 is running")));
  EXPECT_EQ(busy["id"], "x");
  EXPECT_EQ(busy["error"]["code"], -32005);
  EXPECT_EQ(busy["error"]["data"]["exit_code"], 5);
  EXPECT_EQ(busy["error"]["message"], "ch1 is running");
}

TEST(Response, ReplacesBytesThatAreNotUtf8) {
  const std::string line = response_line(1, Answer::ok("\xff\xfe"));
  EXPECT_TRUE(Json::accept(line));
}

TEST(Response, FailureSurvivesTheRoundTrip) {
  for (const Failure f : {Failure::failed, Failure::usage, Failure::invalid, Failure::unreachable, Failure::busy,
                          Failure::permission, Failure::refused, Failure::device, Failure::timeout}) {
    const Json line = Json::parse(response_line(1, Answer::error(f, "no")));
    EXPECT_EQ(failure_of(line["error"]), f);
  }
  EXPECT_EQ(failure_of(Json::parse(error_line(1, rpc::kMethodNotFound, "no"))["error"]), Failure::usage);
  EXPECT_EQ(failure_of(Json::parse(error_line(1, rpc::kInternalError, "no"))["error"]), Failure::failed);
}

}  // namespace
}  // namespace cyclerd::control
