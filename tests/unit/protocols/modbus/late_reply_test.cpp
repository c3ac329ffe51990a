// The late-reply fault of libmodbus 3.1.6: with one reply later than its time-out, a bare RTU loop takes each reply for
// the answer to the next question, for ever. Injected here at every position of a series of reads.
#include <gtest/gtest.h>
#include <modbus.h>

#include <array>

#include "protocols/modbus/rtu_client.hpp"
#include "tests/unit/protocols/modbus/fake_rtu.hpp"
#include "tests/unit/protocols/modbus/fake_server.hpp"

namespace cyclerd::modbus {
namespace {

using namespace testing_support;
using Reply = FakeRtuBus::Reply;

constexpr int kReads = 10;
constexpr auto kResponse = base::milliseconds(120);  // and no reply comes later than 240 ms, so it is said

// Two registers in turn, read the same way: RTU has nothing but time to tell their replies apart.
std::uint16_t register_of(int read) {
  return read % 2 == 0 ? 100 : 200;
}

struct Outcome {
  int good = 0;
  int failed = 0;
  int wrong = 0;
  bool last_good = false;
};

void count(Outcome& o, bool done, std::uint16_t asked, std::uint16_t got) {
  o.last_good = done && got == 1000 + asked;
  o.good += o.last_good ? 1 : 0;
  o.failed += done ? 0 : 1;
  o.wrong += done && got != 1000 + asked ? 1 : 0;
}

Outcome read_in_turn(Client& client, int reads) {
  Outcome o;
  for (int i = 0; i < reads; ++i) {
    std::array<std::uint16_t, 1> value{};
    if (!client.is_connected()) (void)client.connect();
    const bool done = client.read_registers(Function::holding, register_of(i), value).has_value();
    count(o, done, register_of(i), value[0]);
  }
  return o;
}

// The n-th request is answered late, all others at once.
FakeRtuBus::Slaves late_at(int position, milliseconds delay) {
  return [position, delay, n = 0](const Bytes& r) mutable {
    return std::vector<Reply>{{n++ == position ? delay : milliseconds(0), plain_reply(r)}};
  };
}

TEST(LateReply, TheInjectionFoolsTheBareLibrary) {
  FakeRtuBus bus(late_at(2, milliseconds(180)));
  modbus_t* m = modbus_new_rtu(bus.path().c_str(), 115200, 'N', 8, 1);
  ASSERT_EQ(modbus_connect(m), 0);
  modbus_set_slave(m, 1);
  modbus_set_response_timeout(m, 0, static_cast<std::uint32_t>(kResponse.us));
  Outcome o;
  for (int i = 0; i < kReads; ++i) {
    std::uint16_t value = 0;
    const bool done = modbus_read_registers(m, register_of(i), 1, &value) == 1;
    count(o, done, register_of(i), value);
  }
  modbus_close(m);
  modbus_free(m);
  EXPECT_GT(o.wrong, 0) << "the late reply did not arrive where it harms";
}

struct Lateness {
  int position;
  int delay_ms;
};
void PrintTo(const Lateness& l, std::ostream* out) {
  *out << "request " << l.position << " answered after " << l.delay_ms << " ms";
}

std::vector<Lateness> every_lateness() {
  std::vector<Lateness> all;
  // While the next attempt waits; just as it is over; in the middle of the questions that follow; much later.
  for (const int delay_ms : {160, 250, 400}) {
    for (int position = 0; position < kReads + 3; ++position) all.push_back({position, delay_ms});
  }
  return all;
}

class LateOnRtu : public testing::TestWithParam<Lateness> {};

TEST_P(LateOnRtu, NeverAnswersAnotherQuestion) {
  FakeRtuBus bus(late_at(GetParam().position, milliseconds(GetParam().delay_ms)));
  base::SystemClock clock;
  const auto line = std::make_shared<RtuLine>(bus.path(), transport::SerialSettings{115200}, clock);
  RtuSlave facts;
  facts.response_timeout = kResponse;
  facts.probes = {{Function::holding, 0, 1}, {Function::holding, 10, 2}};
  RtuClient client(line, facts, clock);
  const Outcome o = read_in_turn(client, kReads);
  EXPECT_EQ(o.wrong, 0);
  EXPECT_GT(o.failed, 0) << "nothing was late";
  const Outcome after = read_in_turn(client, 6);
  EXPECT_EQ(after.wrong, 0);
  EXPECT_TRUE(after.last_good) << "the line did not recover";
}

INSTANTIATE_TEST_SUITE_P(EveryPosition, LateOnRtu, testing::ValuesIn(every_lateness()));

// Several replies late at once, each by another time: what a slave with a full queue does.
TEST(LateReply, AQueueOfLateRepliesIsOutlastedToo) {
  FakeRtuBus bus([n = 0](const Bytes& r) mutable {
    ++n;
    const bool late = n >= 5 && n < 9;
    return std::vector<Reply>{{milliseconds(late ? 150 + 40 * (9 - n) : 0), plain_reply(r)}};
  });
  base::SystemClock clock;
  RtuSlave facts;
  facts.response_timeout = kResponse;
  facts.probes = {{Function::holding, 0, 1}, {Function::holding, 10, 2}};
  RtuClient client(std::make_shared<RtuLine>(bus.path(), transport::SerialSettings{115200}, clock), facts, clock);
  const Outcome o = read_in_turn(client, 20);
  EXPECT_EQ(o.wrong, 0);
  EXPECT_TRUE(o.last_good);
}

// A late reply of one slave is nobody else's answer, and the others need not wait for it.
TEST(LateReply, OtherSlavesGoOn) {
  FakeRtuBus bus([n = 0](const Bytes& r) mutable {
    const bool late = r[0] == 1 && n++ == 5;
    return std::vector<Reply>{{milliseconds(late ? 160 : 0), plain_reply(r)}};
  });
  base::SystemClock clock;
  const auto line = std::make_shared<RtuLine>(bus.path(), transport::SerialSettings{115200}, clock);
  RtuSlave facts;
  facts.response_timeout = kResponse;
  facts.probes = {{Function::holding, 0, 1}, {Function::holding, 10, 2}};
  RtuClient first(line, facts, clock);
  facts.unit = 2;
  RtuClient second(line, facts, clock);
  Outcome one;
  Outcome two;
  for (int i = 0; i < 40; ++i) {
    const Outcome a = read_in_turn(first, 2);
    const Outcome b = read_in_turn(second, 2);
    one.wrong += a.wrong;
    one.failed += a.failed;
    two.wrong += b.wrong;
    two.failed += b.failed;
    two.good += b.good;
  }
  EXPECT_EQ(one.wrong, 0);
  EXPECT_GT(one.failed, 0);
  EXPECT_EQ(two.wrong, 0);
  EXPECT_GE(two.good, 78) << "at most the read that the late reply ran into is lost";
}

class LateOnTcp : public testing::TestWithParam<Lateness> {};

TEST_P(LateOnTcp, NeverAnswersAnotherQuestion) {
  FakeServer server([n = 0](FakeServer& s) mutable {
    for (int fd = s.accept(); fd >= 0; fd = s.accept()) {
      Peer peer(fd);
      for (Bytes r = peer.request(); !r.empty(); r = peer.request()) {
        const auto reply = registers_reply(r, {static_cast<std::uint16_t>(1000 + (r[8] << 8 | r[9]))});
        if (n++ == GetParam().position) (void)peer.closed_within_ms(GetParam().delay_ms);
        peer.send(reply);
      }
    }
  });
  base::SystemClock clock;
  TcpEndpoint endpoint;
  endpoint.port = server.port();
  endpoint.response_timeout = kResponse;
  TcpClient client(endpoint, clock);
  const Outcome o = read_in_turn(client, kReads);
  EXPECT_EQ(o.wrong, 0);
  EXPECT_GT(o.failed, 0) << "nothing was late";
  EXPECT_TRUE(read_in_turn(client, 3).last_good);
}

std::vector<Lateness> every_tcp_lateness() {
  std::vector<Lateness> all;
  for (int position = 0; position < kReads; ++position) all.push_back({position, 160});
  return all;
}
INSTANTIATE_TEST_SUITE_P(EveryPosition, LateOnTcp, testing::ValuesIn(every_tcp_lateness()));

}  // namespace
}  // namespace cyclerd::modbus
