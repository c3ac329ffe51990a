#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "protocols/modbus/rtu_client.hpp"
#include "tests/unit/protocols/modbus/fake_rtu.hpp"

namespace cyclerd::modbus {
namespace {

using base::ErrorCode;
using namespace testing_support;
using testing::HasSubstr;
using Reply = FakeRtuBus::Reply;

std::vector<Reply> at_once(Bytes bytes) {
  return {Reply{milliseconds(0), std::move(bytes)}};
}

class Rtu : public testing::Test {
 protected:
  std::shared_ptr<RtuLine> line(const FakeRtuBus& bus, std::uint32_t baud = 115200) {
    return std::make_shared<RtuLine>(bus.path(), transport::SerialSettings{baud, transport::Parity::none, 8, 1},
                                     clock_);
  }
  std::unique_ptr<RtuClient> slave(std::shared_ptr<RtuLine> line, std::uint8_t unit,
                                   base::Duration response = base::seconds(5)) {
    RtuSlave facts;
    facts.unit = unit;
    facts.response_timeout = response;
    facts.probes = {{Function::holding, 0, 1}, {Function::holding, 10, 2}};
    return std::make_unique<RtuClient>(std::move(line), std::move(facts), clock_);
  }
  base::SystemClock clock_;
  std::array<std::uint16_t, 1> one_{};
};

TEST(RtuGap, IsThreeAndAHalfCharactersAndFixedAbove19200) {
  using transport::Parity;
  EXPECT_EQ(frame_gap({9600, Parity::none, 8, 1}).us, 3647);
  EXPECT_EQ(frame_gap({9600, Parity::even, 8, 1}).us, 4011);
  EXPECT_EQ(frame_gap({19200, Parity::none, 8, 1}).us, 1824);
  EXPECT_EQ(frame_gap({19201, Parity::none, 8, 1}).us, 1750);
  EXPECT_EQ(frame_gap({115200, Parity::none, 8, 1}).us, 1750);
}

TEST_F(Rtu, RequestsAreFramedAsTheStandardSays) {
  FakeRtuBus bus([](const Bytes& r) { return at_once(plain_reply(r)); });
  auto c = slave(line(bus), 17);
  ASSERT_TRUE(c->connect());
  std::array<std::uint16_t, 2> two{};
  ASSERT_TRUE(c->read_registers(Function::holding, 107, two));
  EXPECT_THAT(two, testing::ElementsAre(1107, 1108));
  ASSERT_TRUE(c->read_registers(Function::input, 8, one_));
  EXPECT_EQ(one_[0], 1008);
  std::array<std::uint8_t, 3> bits{1, 1, 1};
  ASSERT_TRUE(c->read_bits(Function::coil, 2, bits));
  EXPECT_THAT(bits, testing::ElementsAre(0, 0, 0));
  ASSERT_TRUE(c->write_coil(402, true));
  ASSERT_TRUE(c->write_register(500, 0xBEEF));
  ASSERT_TRUE(c->write_registers(1, two));
  const auto seen = bus.seen();
  // Three questions come first: one heard in the raw, two of different lengths.
  ASSERT_EQ(seen.size(), 9U);
  // The example of the standard's annex: 11 03 00 6B 00 03 would end in 76 87; here two registers.
  EXPECT_EQ(seen[3].bytes, framed({17, 3, 0, 107, 0, 2}));
  EXPECT_EQ(crc_of({0x11, 0x03, 0x00, 0x6B, 0x00, 0x03}), 0x8776);
  EXPECT_EQ(seen[4].bytes, framed({17, 4, 0, 8, 0, 1}));
  EXPECT_EQ(seen[5].bytes, framed({17, 1, 0, 2, 0, 3}));
  EXPECT_EQ(seen[6].bytes, framed({17, 5, 0x01, 0x92, 0xFF, 0}));
  EXPECT_EQ(seen[7].bytes, framed({17, 6, 0x01, 0xF4, 0xBE, 0xEF}));
  EXPECT_EQ(seen[8].bytes, framed({17, 16, 0, 1, 0, 2, 4, 0x04, 0x53, 0x04, 0x54}));
}

TEST_F(Rtu, SeveralSlavesShareOneLineEachWithItsUnit) {
  FakeRtuBus bus([](const Bytes& r) {
    return at_once(rtu_registers(r, std::vector<std::uint16_t>(static_cast<std::size_t>(count_of(r)), r[0])));
  });
  const auto shared = line(bus);
  std::vector<std::unique_ptr<RtuClient>> clients;
  for (std::uint8_t unit = 1; unit <= 8; ++unit) clients.push_back(slave(shared, unit));
  for (auto& c : clients) ASSERT_TRUE(c->connect());
  for (int round = 0; round < 3; ++round) {
    for (std::uint8_t unit = 1; unit <= 8; ++unit) {
      ASSERT_TRUE(clients[unit - 1U]->read_registers(Function::holding, 5, one_));
      EXPECT_EQ(one_[0], unit);
    }
  }
}

TEST_F(Rtu, ALineThatIsTakenNamesTheDevice) {
  FakeRtuBus bus([](const Bytes& r) { return at_once(plain_reply(r)); });
  auto first = slave(line(bus), 1);
  ASSERT_TRUE(first->connect());
  auto second = slave(line(bus), 1);
  const auto done = second->connect();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::busy);
  EXPECT_THAT(done.error().text(), HasSubstr(bus.path()));
}

TEST_F(Rtu, UnitsThatALineDoesNotHaveAreRefused) {
  FakeRtuBus bus([](const Bytes& r) { return at_once(plain_reply(r)); });
  const auto shared = line(bus);
  EXPECT_TRUE(slave(shared, 0)->connect());
  EXPECT_TRUE(slave(shared, 247)->connect());
  EXPECT_EQ(slave(shared, 248)->connect().error().code, ErrorCode::invalid);
  const auto other = slave(shared, 1);
  const auto everybody = slave(shared, 0)->connect();
  ASSERT_FALSE(everybody);
  EXPECT_THAT(everybody.error().text(), HasSubstr("alone on its line"));
}

// The gap is measured by the other side: from when its reply went out to when the next request was whole.
TEST_F(Rtu, NoRequestComesBeforeTheGapsAreOver) {
  FakeRtuBus bus([](const Bytes& r) { return at_once(plain_reply(r)); });
  const auto shared = line(bus, 1200);
  RtuSlave facts;
  facts.unit = 1;
  facts.response_timeout = base::seconds(5);
  auto plain = std::make_unique<RtuClient>(shared, facts, clock_);
  facts.unit = 2;
  facts.min_gap = base::milliseconds(60);
  auto slow = std::make_unique<RtuClient>(shared, facts, clock_);
  facts.unit = 3;
  facts.min_gap = {};
  facts.request_gap = base::milliseconds(120);
  auto lazy = std::make_unique<RtuClient>(shared, facts, clock_);
  for (auto* c : {plain.get(), slow.get(), lazy.get()}) ASSERT_TRUE(c->connect());
  const std::vector<RtuClient*> order{plain.get(), plain.get(), slow.get(), plain.get(), lazy.get(),
                                      plain.get(), lazy.get(),  slow.get(), plain.get()};
  for (auto* c : order) ASSERT_TRUE(c->read_registers(Function::holding, 5, one_));
  const auto seen = bus.seen();
  const auto sent = bus.sent();
  ASSERT_EQ(seen.size(), sent.size());
  const auto frame = std::chrono::microseconds(frame_gap(shared->settings()).us);
  std::map<int, Steady::time_point> last_of;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const int unit = seen[i].bytes[0];
    const auto gap = unit == 2 ? std::chrono::microseconds(60'000) : frame;
    if (i > 0) {
      EXPECT_GE(seen[i].at - sent[i - 1], gap) << i;
    }
    if (unit == 3 && last_of.contains(3)) {
      EXPECT_GE(seen[i].at - last_of[3], milliseconds(120)) << i;
    }
    last_of[unit] = sent[i];
  }
  EXPECT_EQ(frame.count(), 29169);
}

TEST_F(Rtu, AnEchoingAdapterIsFoundBeforeAnythingIsBelieved) {
  // Nobody is on the line: the echo alone would acknowledge every write.
  FakeRtuBus bus([](const Bytes&) { return std::vector<Reply>{}; });
  bus.echo(true);
  auto c = slave(line(bus), 1, base::milliseconds(200));
  ASSERT_TRUE(c->connect());
  const auto done = c->read_registers(Function::holding, 5, one_);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::io);
  EXPECT_THAT(done.error().text(), HasSubstr("local echo"));
  EXPECT_FALSE(c->is_connected());
}

TEST_F(Rtu, AnEchoInFrontOfARealReplyIsFoundToo) {
  FakeRtuBus bus([](const Bytes& r) { return at_once(plain_reply(r)); });
  bus.echo(true);
  auto c = slave(line(bus), 1, base::milliseconds(500));
  ASSERT_TRUE(c->connect());
  const auto done = c->read_registers(Function::holding, 5, one_);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), HasSubstr("local echo"));
  // Switched off at the adapter: the next attempt finds a good line.
  bus.echo(false);
  ASSERT_TRUE(c->connect());
  ASSERT_TRUE(c->read_registers(Function::holding, 5, one_));
  EXPECT_EQ(one_[0], 1005);
}

TEST_F(Rtu, AWriteGoesOutAtOnceWhereAReadWouldWait) {
  std::atomic<bool> silent{false};
  FakeRtuBus bus([&silent](const Bytes& r) { return silent ? std::vector<Reply>{} : at_once(plain_reply(r)); });
  auto c = slave(line(bus), 1, base::milliseconds(400));
  ASSERT_TRUE(c->connect());
  ASSERT_TRUE(c->read_registers(Function::holding, 5, one_));
  silent = true;
  EXPECT_EQ(c->read_registers(Function::holding, 5, one_).error().code, ErrorCode::timeout);
  silent = false;
  ASSERT_TRUE(c->connect());
  const auto start = clock_.now();
  ASSERT_TRUE(c->write_coil(1, false));
  // The worst response is 800 ms after the lost request, 400 of which have gone.
  EXPECT_LT(clock_.now() - start, base::milliseconds(300));
  ASSERT_TRUE(c->read_registers(Function::holding, 6, one_));
  EXPECT_EQ(one_[0], 1006);
  EXPECT_GE(clock_.now() - start, base::milliseconds(350));
}

TEST_F(Rtu, GarbageFromASlaveIsAnErrorAndNeverAValue) {
  struct Foul {
    Bytes (*reply)(const Bytes&);
    ErrorCode code;
  };
  const std::vector<Foul> all{{[](const Bytes& r) {
                                 return framed({9, 3, 2, r[4], r[5]});
                               },
                               ErrorCode::protocol},  // another unit
                              {[](const Bytes& r) {
                                 Bytes b = plain_reply(r);
                                 b[4] ^= 1;
                                 return b;
                               },
                               ErrorCode::protocol},  // bit error
                              {[](const Bytes& r) {
                                 return rtu_registers(r, {1, 2, 3});
                               },
                               ErrorCode::protocol},  // longer
                              {[](const Bytes& r) {
                                 return framed({r[0], 4, 2, 0, 1});
                               },
                               ErrorCode::protocol},  // other function
                              {[](const Bytes& r) {
                                 return Bytes{r[0], 3, 2};
                               },
                               ErrorCode::timeout},  // cut short
                              {[](const Bytes&) {
                                 return Bytes{0xFF, 0x00, 0xFF, 0xFF, 0x00};
                               },
                               ErrorCode::protocol}};  // wrong baud rate
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::atomic<bool> foul{false};
    FakeRtuBus bus([&](const Bytes& r) { return at_once(foul ? all[i].reply(r) : plain_reply(r)); });
    auto c = slave(line(bus), 1, base::milliseconds(200));
    ASSERT_TRUE(c->connect());
    ASSERT_TRUE(c->read_registers(Function::holding, 5, one_)) << i;
    foul = true;
    const auto done = c->read_registers(Function::holding, 7, one_);
    ASSERT_FALSE(done) << i << ": believed " << one_[0];
    EXPECT_EQ(done.error().code, all[i].code) << i << done.error().text();
    EXPECT_FALSE(c->is_connected());
    EXPECT_EQ(c->read_registers(Function::holding, 7, one_).error().code, ErrorCode::disconnected);
    foul = false;
    ASSERT_TRUE(c->connect());
    ASSERT_TRUE(c->read_registers(Function::holding, 8, one_)) << i;
    EXPECT_EQ(one_[0], 1008);
  }
}

TEST_F(Rtu, ExceptionsKeepTheSlaveInStepAndBusyIsAskedAgain) {
  std::atomic<int> busy{0};
  FakeRtuBus bus([&busy](const Bytes& r) {
    if (address_of(r) == 99) return at_once(rtu_exception(r, 2));
    return at_once(busy-- > 0 ? rtu_exception(r, 6) : plain_reply(r));
  });
  auto c = slave(line(bus), 1);
  ASSERT_TRUE(c->connect());
  EXPECT_EQ(c->read_registers(Function::holding, 99, one_).error().code, ErrorCode::refused);
  EXPECT_TRUE(c->is_connected());
  busy = 3;
  ASSERT_TRUE(c->read_registers(Function::holding, 5, one_));
  EXPECT_EQ(one_[0], 1005);
}

TEST_F(Rtu, AnUnpluggedAdapterDisconnectsEverySlaveAndComesBack) {
  auto bus = std::make_unique<FakeRtuBus>([](const Bytes& r) { return at_once(plain_reply(r)); });
  const auto shared = line(*bus);
  auto a = slave(shared, 1);
  auto b = slave(shared, 2);
  for (auto* c : {a.get(), b.get()}) {
    ASSERT_TRUE(c->connect());
    ASSERT_TRUE(c->read_registers(Function::holding, 5, one_));
  }
  const std::string path = bus->path();
  bus.reset();
  const auto gone = a->read_registers(Function::holding, 5, one_);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::disconnected) << gone.error().text();
  EXPECT_FALSE(a->is_connected());
  EXPECT_FALSE(b->is_connected());
  EXPECT_FALSE(shared->is_open());
  const auto again = b->connect();
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().text(), HasSubstr(path));
}

}  // namespace
}  // namespace cyclerd::modbus
