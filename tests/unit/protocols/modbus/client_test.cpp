#include "protocols/modbus/client.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <array>
#include <atomic>

#include "protocols/modbus/tcp_line.hpp"
#include "tests/unit/protocols/modbus/fake_server.hpp"

namespace cyclerd::modbus {
namespace {

using base::ErrorCode;
using namespace testing_support;
using testing::HasSubstr;

class TcpLink : public testing::Test {
 protected:
  TcpClient& client(const FakeServer& server, base::Duration response_timeout = base::seconds(5)) {
    TcpEndpoint endpoint;
    endpoint.port = server.port();
    endpoint.unit = 7;
    endpoint.response_timeout = response_timeout;
    client_ = std::make_unique<TcpClient>(endpoint, clock_);
    return *client_;
  }
  base::SystemClock clock_;
  std::unique_ptr<TcpClient> client_;
};

// One connection whose requests are all answered by `answer`.
FakeServer::Script answering(std::function<void(Peer&, const Bytes&)> answer) {
  return [answer = std::move(answer)](FakeServer& server) {
    for (int fd = server.accept(); fd >= 0; fd = server.accept()) {
      Peer peer(fd);
      for (Bytes request = peer.request(); !request.empty(); request = peer.request()) answer(peer, request);
    }
  };
}

TEST_F(TcpLink, RequestsAreSpelledAsTheStandardSays) {
  std::vector<Bytes> seen;
  FakeServer server(answering([&seen](Peer& peer, const Bytes& r) {
    seen.emplace_back(r.begin() + 6, r.end());
    switch (r[7]) {
      case 1:
      case 2: peer.send(reply_to(r, {r[7], 1, 0x05})); break;
      case 3:
      case 4: peer.send(registers_reply(r, {0x1234, 0xABCD})); break;
      case 23: peer.send(registers_reply(r, {9})); break;
      default: peer.send(reply_to(r, Bytes(r.begin() + 7, r.begin() + 12))); break;
    }
  }));
  auto& c = client(server, base::seconds(5));
  ASSERT_TRUE(c.connect());
  std::array<std::uint8_t, 3> bits{};
  ASSERT_TRUE(c.read_bits(Function::coil, 0x0102, bits));
  EXPECT_THAT(bits, testing::ElementsAre(1, 0, 1));
  ASSERT_TRUE(c.read_bits(Function::discrete, 2, bits));
  std::array<std::uint16_t, 2> registers{};
  ASSERT_TRUE(c.read_registers(Function::holding, 0x1000, registers));
  EXPECT_THAT(registers, testing::ElementsAre(0x1234, 0xABCD));
  ASSERT_TRUE(c.read_registers(Function::input, 5, registers));
  ASSERT_TRUE(c.write_coil(402, true));
  ASSERT_TRUE(c.write_coil(402, false));
  ASSERT_TRUE(c.write_register(500, 0xBEEF));
  ASSERT_TRUE(c.write_registers(102, registers));
  std::array<std::uint16_t, 1> one{};
  ASSERT_TRUE(c.write_and_read_registers(1, registers, 2, one));
  EXPECT_EQ(one[0], 9);
  const std::vector<Bytes> expected{
      {7, 1, 0x01, 0x02, 0, 3},
      {7, 2, 0, 2, 0, 3},
      {7, 3, 0x10, 0, 0, 2},
      {7, 4, 0, 5, 0, 2},
      {7, 5, 0x01, 0x92, 0xFF, 0},
      {7, 5, 0x01, 0x92, 0, 0},
      {7, 6, 0x01, 0xF4, 0xBE, 0xEF},
      {7, 16, 0, 102, 0, 2, 4, 0x12, 0x34, 0xAB, 0xCD},
      {7, 23, 0, 2, 0, 1, 0, 1, 0, 2, 4, 0x12, 0x34, 0xAB, 0xCD},
  };
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(c.transactions(), 9U);
  EXPECT_LE(c.sent(), c.received());
}

TEST_F(TcpLink, NobodyListeningIsSaidPlainly) {
  std::uint16_t port = 0;
  { port = FakeServer(nullptr).port(); }
  TcpClient c({"127.0.0.1", port, 1, base::seconds(1), base::milliseconds(100), {}}, clock_);
  const auto done = c.connect();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::disconnected);
  EXPECT_THAT(done.error().text(), HasSubstr("refused"));
  EXPECT_THAT(done.error().text(), HasSubstr(std::to_string(port)));
}

TEST_F(TcpLink, UnknownHostIsSaidPlainly) {
  TcpClient c({"no-such-host.invalid", 502, 1, base::milliseconds(200), base::milliseconds(100), {}}, clock_);
  const auto done = c.connect();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::not_found);
}

TEST_F(TcpLink, SilenceTimesOutAndClosesTheLink) {
  FakeServer server(answering([](Peer&, const Bytes&) {}));
  auto& c = client(server, base::milliseconds(60));
  ASSERT_TRUE(c.connect());
  std::array<std::uint16_t, 1> value{};
  const auto start = clock_.now();
  const auto done = c.read_registers(Function::holding, 5, value);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::timeout);
  EXPECT_THAT(done.error().text(), HasSubstr("read holding registers 5"));
  EXPECT_GE(clock_.now() - start, base::milliseconds(59));
  EXPECT_FALSE(c.is_connected());
  EXPECT_EQ(c.read_registers(Function::holding, 5, value).error().code, ErrorCode::disconnected);
}

TEST_F(TcpLink, TricklingBytesDoNotStretchTheDeadline) {
  // A reply whose bytes come one by one for five seconds: a timeout that began anew with each byte would take it.
  FakeServer server(answering([](Peer& peer, const Bytes& r) {
    for (const auto byte : registers_reply(r, std::vector<std::uint16_t>(120, 0xDEAD))) {
      peer.send({byte});
      if (peer.closed_within_ms(20)) return;
    }
  }));
  auto& c = client(server, base::milliseconds(300));
  ASSERT_TRUE(c.connect());
  std::array<std::uint16_t, 120> values{};
  EXPECT_EQ(c.read_registers(Function::holding, 5, values).error().code, ErrorCode::timeout);
  EXPECT_FALSE(c.is_connected());
}

// The late reply of one question arrives while the next one waits. It must never become the answer to it.
TEST_F(TcpLink, LateReplyNeverAnswersALaterQuestion) {
  std::atomic<int> connections{0};
  FakeServer server([&connections](FakeServer& s) {
    Bytes late;
    for (int fd = s.accept(); fd >= 0; fd = s.accept()) {
      ++connections;
      Peer peer(fd);
      for (Bytes r = peer.request(); !r.empty(); r = peer.request()) {
        if (late.empty()) {
          late = registers_reply(r, {0xDEAD});  // held back until the client has given up
        } else {
          peer.send(registers_reply(r, {r[9]}));
        }
      }
      peer.send(late);  // on the old connection, after the client closed it
    }
  });
  auto& c = client(server, base::seconds(1));
  ASSERT_TRUE(c.connect());
  std::array<std::uint16_t, 1> value{};
  EXPECT_EQ(c.read_registers(Function::holding, 1, value).error().code, ErrorCode::timeout);
  ASSERT_TRUE(c.connect());
  for (std::uint16_t address = 2; address < 50; ++address) {
    ASSERT_TRUE(c.read_registers(Function::holding, address, value));
    EXPECT_EQ(value[0], address);
  }
  EXPECT_EQ(connections.load(), 2);
}

// Two units behind one gateway: unit 9 is dead, and the gateway says nothing for it.
TEST_F(TcpLink, UnitsShareAConnectionAndLoseItTogether) {
  std::atomic<int> connections{0};
  FakeServer server([&connections](FakeServer& s) {
    for (int fd = s.accept(); fd >= 0; fd = s.accept()) {
      ++connections;
      Peer peer(fd);
      for (Bytes r = peer.request(); !r.empty(); r = peer.request()) {
        if (r[6] != 9) peer.send(registers_reply(r, {r[6]}));
      }
    }
  });
  const auto line = std::make_shared<TcpLine>("127.0.0.1", server.port());
  TcpClient three(line, 3, base::seconds(5), {}, clock_);
  TcpClient four(line, 4, base::seconds(5), {}, clock_);
  TcpClient dead(line, 9, base::milliseconds(40), {}, clock_);
  std::array<std::uint16_t, 1> value{};
  for (TcpClient* c : {&three, &four, &dead}) ASSERT_TRUE(c->connect());
  ASSERT_TRUE(three.read_registers(Function::holding, 5, value));
  EXPECT_EQ(value[0], 3);
  ASSERT_TRUE(four.read_registers(Function::holding, 5, value));
  EXPECT_EQ(value[0], 4);
  EXPECT_EQ(connections.load(), 1);

  EXPECT_EQ(dead.read_registers(Function::holding, 5, value).error().code, ErrorCode::timeout);
  for (TcpClient* c : {&three, &four, &dead}) {
    EXPECT_FALSE(c->is_connected());
    EXPECT_EQ(c->read_registers(Function::holding, 5, value).error().code, ErrorCode::disconnected);
  }
  ASSERT_TRUE(three.connect());
  EXPECT_FALSE(four.is_connected()) << "a connection that somebody else renewed is not yet believed";
  ASSERT_TRUE(four.connect());
  ASSERT_TRUE(three.read_registers(Function::holding, 5, value));
  ASSERT_TRUE(four.read_registers(Function::holding, 5, value));
  EXPECT_EQ(value[0], 4);
  EXPECT_EQ(connections.load(), 2);
  four.close();
  EXPECT_TRUE(three.is_connected()) << "one that leaves takes nobody along";
}

TEST_F(TcpLink, ReplyOfAnotherTransactionIsRefused) {
  FakeServer server(answering([](Peer& peer, const Bytes& r) {
    Bytes reply = registers_reply(r, {0xDEAD});
    reply[1] = static_cast<std::uint8_t>(reply[1] + 1);
    peer.send(reply);
  }));
  auto& c = client(server);
  ASSERT_TRUE(c.connect());
  std::array<std::uint16_t, 1> value{};
  EXPECT_EQ(c.read_registers(Function::holding, 1, value).error().code, ErrorCode::protocol);
  EXPECT_FALSE(c.is_connected());
}

TEST_F(TcpLink, SecondReplyToOneQuestionIsNoticedBeforeTheNext) {
  FakeServer server(answering([](Peer& peer, const Bytes& r) {
    Bytes twice = registers_reply(r, {1});
    const Bytes again = registers_reply(r, {0xDEAD});
    twice.insert(twice.end(), again.begin(), again.end());
    peer.send(twice);
  }));
  auto& c = client(server);
  ASSERT_TRUE(c.connect());
  std::array<std::uint16_t, 1> value{};
  ASSERT_TRUE(c.read_registers(Function::holding, 1, value));
  EXPECT_EQ(value[0], 1);
  const auto next = c.read_registers(Function::holding, 2, value);
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, ErrorCode::disconnected);
  EXPECT_FALSE(c.is_connected());
}

struct Foul {
  const char* name;
  Bytes (*reply)(const Bytes& request);
  ErrorCode code;
};
void PrintTo(const Foul& foul, std::ostream* out) {
  *out << foul.name;
}

class FoulReply : public TcpLink, public testing::WithParamInterface<Foul> {};

TEST_P(FoulReply, IsAnErrorAndEndsTheConnection) {
  FakeServer server(answering([](Peer& peer, const Bytes& r) {
    const Bytes reply = GetParam().reply(r);
    if (reply.empty())
      peer.close();
    else
      peer.send(reply);
  }));
  auto& c = client(server, GetParam().code == ErrorCode::timeout ? base::milliseconds(200) : base::seconds(5));
  ASSERT_TRUE(c.connect());
  std::array<std::uint16_t, 2> values{0x5555, 0x5555};
  const auto done = c.read_registers(Function::holding, 1, values);
  ASSERT_FALSE(done) << "a foul reply was believed: " << values[0];
  EXPECT_EQ(done.error().code, GetParam().code) << done.error().text();
  EXPECT_FALSE(c.is_connected());
}

INSTANTIATE_TEST_SUITE_P(All, FoulReply,
                         testing::Values(Foul{"fewer_registers", [](const Bytes& r) { return registers_reply(r, {1}); },
                                              ErrorCode::protocol},
                                         Foul{"more_registers",
                                              [](const Bytes& r) {
                                                return registers_reply(r, {1, 2, 3});
                                              },
                                              ErrorCode::protocol},
                                         Foul{"other_function",
                                              [](const Bytes& r) {
                                                return reply_to(r, {4, 4, 0, 1, 0, 2});
                                              },
                                              ErrorCode::protocol},
                                         Foul{"wrong_byte_count",
                                              [](const Bytes& r) {
                                                return reply_to(r, {3, 2, 0, 1, 0, 2});
                                              },
                                              ErrorCode::protocol},
                                         Foul{"cut_short",
                                              [](const Bytes& r) {
                                                return reply_to(r, {3, 4, 0});
                                              },
                                              ErrorCode::timeout},
                                         Foul{"garbage",
                                              [](const Bytes&) {
                                                return Bytes{'H', 'T', 'T', 'P', '/', '1',  '.',
                                                             '1', ' ', '4', '0', '0', '\r', '\n'};
                                              },
                                              ErrorCode::protocol},
                                         Foul{"closed", [](const Bytes&) { return Bytes{}; }, ErrorCode::disconnected}),
                         [](const auto& test) { return std::string{test.param.name}; });

TEST_F(TcpLink, ExceptionsAreNamedAndKeepTheConnection) {
  FakeServer server(answering([](Peer& peer, const Bytes& r) { peer.send(exception_reply(r, r[9])); }));
  auto& c = client(server, base::milliseconds(300));
  ASSERT_TRUE(c.connect());
  std::array<std::uint16_t, 1> value{};
  for (const auto& [code, kind] : {std::pair<std::uint16_t, ErrorCode>{1, ErrorCode::refused},
                                   {2, ErrorCode::refused},
                                   {3, ErrorCode::refused},
                                   {4, ErrorCode::refused},
                                   {5, ErrorCode::busy},
                                   {6, ErrorCode::busy},
                                   {10, ErrorCode::refused},
                                   {11, ErrorCode::refused}}) {
    const auto done = c.read_registers(Function::holding, code, value);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, kind);
    EXPECT_THAT(done.error().text(), HasSubstr("exception " + std::to_string(code)));
    EXPECT_TRUE(c.is_connected());
  }
  EXPECT_EQ(c.read_registers(Function::holding, 99, value).error().code, ErrorCode::protocol);
}

// Busy and acknowledge mean "ask again": until the response timeout has gone by, and no longer.
TEST_F(TcpLink, ABusyInstrumentIsAskedAgainUntilItAnswers) {
  for (const std::uint8_t code : {std::uint8_t{5}, std::uint8_t{6}}) {
    std::atomic<int> requests{0};
    FakeServer server(answering([&requests, code](Peer& peer, const Bytes& r) {
      peer.send(++requests < 4 ? exception_reply(r, code) : registers_reply(r, {77}));
    }));
    auto& c = client(server, base::seconds(5));
    ASSERT_TRUE(c.connect());
    std::array<std::uint16_t, 1> value{};
    ASSERT_TRUE(c.read_registers(Function::holding, 1, value));
    EXPECT_EQ(value[0], 77);
    EXPECT_EQ(requests.load(), 4);
    EXPECT_EQ(c.transactions(), 4U);
  }
}

TEST_F(TcpLink, AnInstrumentThatStaysBusyIsToldWithinTheDeadline) {
  FakeServer server(answering([](Peer& peer, const Bytes& r) { peer.send(exception_reply(r, 6)); }));
  auto& c = client(server, base::milliseconds(100));
  ASSERT_TRUE(c.connect());
  std::array<std::uint16_t, 1> value{};
  const auto start = clock_.now();
  EXPECT_EQ(c.read_registers(Function::holding, 1, value).error().code, ErrorCode::busy);
  EXPECT_GT(clock_.now() - start, base::milliseconds(20));
  EXPECT_GT(c.transactions(), 1U);
  EXPECT_LE(c.transactions(), 6U);
  EXPECT_TRUE(c.is_connected());
}

TEST_F(TcpLink, HalfClosedPeerIsADisconnection) {
  FakeServer server([](FakeServer& s) {
    Peer peer(s.accept());
    (void)peer.request();
    peer.half_close();
    peer.await_close();
  });
  auto& c = client(server, base::seconds(5));
  ASSERT_TRUE(c.connect());
  std::array<std::uint16_t, 1> value{};
  EXPECT_EQ(c.read_registers(Function::holding, 1, value).error().code, ErrorCode::disconnected);
}

TEST_F(TcpLink, SizesAreHeldBeforeAnythingIsSent) {
  std::atomic<int> requests{0};
  FakeServer server(answering([&requests](Peer& peer, const Bytes& r) {
    ++requests;
    peer.send(registers_reply(r, std::vector<std::uint16_t>(static_cast<std::size_t>(r[10] << 8 | r[11]))));
  }));
  auto& c = client(server, base::seconds(5));
  ASSERT_TRUE(c.connect());
  std::vector<std::uint16_t> most(125);
  EXPECT_TRUE(c.read_registers(Function::holding, 0, most));
  most.resize(126);
  EXPECT_EQ(c.read_registers(Function::holding, 0, most).error().code, ErrorCode::invalid);
  EXPECT_EQ(c.read_registers(Function::holding, 0, {}).error().code, ErrorCode::invalid);
  EXPECT_EQ(c.read_registers(Function::coil, 0, std::span(most).first(1)).error().code, ErrorCode::invalid);
  most.resize(124);
  EXPECT_EQ(c.write_registers(0, most).error().code, ErrorCode::invalid);
  std::vector<std::uint8_t> bits(2001);
  EXPECT_EQ(c.read_bits(Function::coil, 0, bits).error().code, ErrorCode::invalid);
  EXPECT_EQ(requests.load(), 1);
  EXPECT_TRUE(c.is_connected());
}

TEST_F(TcpLink, DescriptorsThatSelectCannotHoldAreRefused) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < 1100) GTEST_SKIP() << "not enough descriptors allowed";
  limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, 1100);
  setrlimit(RLIMIT_NOFILE, &limit);
  FakeServer server(answering([](Peer& peer, const Bytes& r) { peer.send(registers_reply(r, {1})); }));
  std::vector<int> taken;
  for (int fd = dup(0); fd >= 0 && fd < 1024; fd = dup(0)) taken.push_back(fd);
  auto& c = client(server);
  const auto done = c.connect();
  for (const int fd : taken) close(fd);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::io);
  EXPECT_THAT(done.error().text(), HasSubstr("descriptor"));
  EXPECT_TRUE(c.connect());
}

TEST_F(TcpLink, GapBetweenRequestsIsKeptByTheClock) {
  FakeServer server(answering([](Peer& peer, const Bytes& r) { peer.send(registers_reply(r, {1})); }));
  base::VirtualClock clock(base::MonoTime{1'000'000});
  TcpClient c({"127.0.0.1", server.port(), 1, base::seconds(1), base::seconds(5), base::milliseconds(30)}, clock);
  ASSERT_TRUE(c.connect());
  std::array<std::uint16_t, 1> value{};
  ASSERT_TRUE(c.read_registers(Function::holding, 1, value));
  EXPECT_EQ(clock.now(), base::MonoTime{1'000'000});
  ASSERT_TRUE(c.read_registers(Function::holding, 1, value));
  EXPECT_EQ(clock.now(), base::MonoTime{1'030'000});
}

}  // namespace
}  // namespace cyclerd::modbus
