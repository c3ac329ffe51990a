#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "hil/peers/ea_psb_twin.hpp"
#include "hil/peers/modbus_answer.hpp"
#include "hil/peers/modbus_server.hpp"
#include "hil/peers/virtual_chamber_twin.hpp"
#include "hil/peers/virtual_cycler_twin.hpp"
#include "protocols/base/clock.hpp"
#include "tests/unit/hil/golden.hpp"

namespace cyclerd::hil {
namespace {

using Bytes = std::vector<std::uint8_t>;

// A twin and a hand that writes raw requests. Bytes are spelled out here, by hand, against the specification.
struct Bench {
  base::VirtualClock clock;
  SharedWorld world;

  static World make(const PlantConfig& config) {
    World w;
    ChamberConfig chamber;
    chamber.start_degC = 24.0;
    w.add_chamber(chamber);
    w.add_plant(test::shipped("linear-closed-form").make({0.5, 25.0}), config, 0);
    return w;
  }
  explicit Bench(const PlantConfig& config = {}) : world(make(config), clock) {}

  static Bytes ask(RegisterMap& map, const Bytes& request) {
    std::array<std::uint8_t, kMaxPdu> reply{};
    const std::size_t n = answer_pdu(request, map, reply);
    return {reply.begin(), reply.begin() + static_cast<std::ptrdiff_t>(n)};
  }
  static Bytes head(std::uint8_t function, unsigned first, unsigned second) {
    return {function, static_cast<std::uint8_t>(first >> 8), static_cast<std::uint8_t>(first),
            static_cast<std::uint8_t>(second >> 8), static_cast<std::uint8_t>(second)};
  }
  // 0: accepted, else the exception code
  static int coil(RegisterMap& map, unsigned address, bool on) {
    const Bytes reply = ask(map, head(5, address, on ? 0xFF00 : 0));
    return reply.size() == 2 ? reply[1] : 0;
  }
  static int word(RegisterMap& map, unsigned address, unsigned value) {
    const Bytes reply = ask(map, head(6, address, value));
    return reply.size() == 2 ? reply[1] : 0;
  }
  static int real(RegisterMap& map, unsigned address, double value, bool low_first = false) {
    const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
    const unsigned high = bits >> 16, low = bits & 0xFFFF;
    const unsigned a = low_first ? low : high, b = low_first ? high : low;
    Bytes request = head(16, address, 2);
    for (unsigned x : {4U, a >> 8, a & 0xFF, b >> 8, b & 0xFF}) request.push_back(static_cast<std::uint8_t>(x));
    const Bytes reply = ask(map, request);
    return reply.size() == 2 ? reply[1] : 0;
  }
  static std::vector<unsigned> words(RegisterMap& map, std::uint8_t function, unsigned first, unsigned count) {
    const Bytes reply = ask(map, head(function, first, count));
    std::vector<unsigned> out;
    for (std::size_t i = 2; i + 1 < reply.size(); i += 2) out.push_back(reply[i] * 256U + reply[i + 1]);
    return out;
  }
  static double real_at(RegisterMap& map, std::uint8_t function, unsigned address, bool low_first = false) {
    const auto w = words(map, function, address, 2);
    const std::uint32_t bits = low_first ? (w.at(1) << 16 | w.at(0)) : (w.at(0) << 16 | w.at(1));
    return static_cast<double>(std::bit_cast<float>(bits));
  }
  static std::string text_at(RegisterMap& map, std::uint8_t function, unsigned address, unsigned count) {
    std::string s;
    for (unsigned w : words(map, function, address, count))
      for (unsigned c : {w >> 8, w & 0xFF})
        if (c != 0) s += static_cast<char>(c);
    return s;
  }
};

unsigned share(double value, double nominal) {
  return static_cast<unsigned>(std::lround(value / nominal * 52428.0));
}

struct EaBench : Bench {
  EaPsbTwin twin{world, 0, {"123", WordOrder::high_first}};
  // Remote, and a charge with 2.5 A to 4.2 V; 20 V, 40 A, 800 W nominal.
  void start_charge() {
    ASSERT_EQ(coil(twin, 402, true), 0);
    ASSERT_EQ(word(twin, 499, 0), 0);
    ASSERT_EQ(word(twin, 500, share(4.2, 20.0)), 0);
    ASSERT_EQ(word(twin, 501, share(2.5, 40.0)), 0);
    ASSERT_EQ(word(twin, 502, 0xD0E5), 0);
    ASSERT_EQ(coil(twin, 405, true), 0);
  }
  std::uint32_t state() {
    const auto w = words(twin, 3, 505, 2);
    return w.at(0) << 16 | w.at(1);
  }
};

TEST(EaPsb, SaysWhoItIsAndItsNominals) {
  EaBench b;
  EXPECT_EQ(Bench::text_at(b.twin, 3, 21, 20), "EA Elektro-Automatik");
  EXPECT_TRUE(Bench::text_at(b.twin, 3, 1, 20).starts_with("PSB 9020-40"));
  EXPECT_EQ(Bench::text_at(b.twin, 3, 151, 20), "123");
  EXPECT_EQ(Bench::real_at(b.twin, 3, 121), 20.0);
  EXPECT_EQ(Bench::real_at(b.twin, 3, 123), 40.0);
  EXPECT_EQ(Bench::real_at(b.twin, 3, 125), 800.0);
}

TEST(EaPsb, ObeysOnlyInRemoteControl) {
  EaBench b;
  EXPECT_EQ(Bench::word(b.twin, 500, 100), 4);
  EXPECT_EQ(Bench::coil(b.twin, 405, true), 4);
  EXPECT_EQ(b.state() & (1U << 11), 0U);
  EXPECT_EQ(Bench::coil(b.twin, 402, true), 0);
  EXPECT_NE(b.state() & (1U << 11), 0U);
  EXPECT_EQ(Bench::word(b.twin, 500, 100), 0);
}

TEST(EaPsb, SetPointsEndAt102Percent) {
  EaBench b;
  ASSERT_EQ(Bench::coil(b.twin, 402, true), 0);
  for (unsigned address : {498U, 499U, 500U, 501U, 502U}) {
    EXPECT_EQ(Bench::word(b.twin, address, 0xD0E4), 0) << address;
    EXPECT_EQ(Bench::word(b.twin, address, 0xD0E5), 0) << address;
    EXPECT_EQ(Bench::word(b.twin, address, 0xD0E6), 3) << address;
    EXPECT_EQ(Bench::words(b.twin, 3, address, 1).at(0), 0xD0E5U) << address;
  }
}

TEST(EaPsb, LimitsBoundTheSetPoints) {
  EaBench b;
  ASSERT_EQ(Bench::coil(b.twin, 402, true), 0);
  ASSERT_EQ(Bench::word(b.twin, 9000, 1000), 0);
  EXPECT_EQ(Bench::word(b.twin, 500, 1000), 0);
  EXPECT_EQ(Bench::word(b.twin, 500, 1001), 3);
  ASSERT_EQ(Bench::word(b.twin, 9008, 500), 0);
  EXPECT_EQ(Bench::word(b.twin, 499, 501), 3);
}

TEST(EaPsb, ChargesThenHoldsTheVoltage) {
  EaBench b;
  b.start_charge();
  EXPECT_EQ(b.state() & 0x80U, 0x80U);
  EXPECT_EQ((b.state() >> 9) & 3U, 2U);  // CC
  EXPECT_EQ((b.state() >> 12) & 1U, 0U);
  b.clock.advance(base::seconds(60));
  const auto actual = Bench::words(b.twin, 3, 507, 3);
  EXPECT_EQ(actual.at(1), share(2.5, 40.0));
  EXPECT_NEAR(actual.at(0) * 20.0 / 52428.0, 3.6 + 0.05 + 0.025 * (1 - std::exp(-2.0)) + 0.01, 1e-3);
  b.clock.advance(base::seconds(3600));
  EXPECT_EQ((b.state() >> 9) & 3U, 0U);  // CV
  EXPECT_NEAR(Bench::words(b.twin, 3, 507, 1).at(0) * 20.0 / 52428.0, 4.2, 4e-4);
}

TEST(EaPsb, SinksWithUnsignedCurrentAndABitThatSaysSo) {
  EaBench b;
  ASSERT_EQ(Bench::coil(b.twin, 402, true), 0);
  ASSERT_EQ(Bench::word(b.twin, 501, 0), 0);
  ASSERT_EQ(Bench::word(b.twin, 500, share(3.0, 20.0)), 0);
  ASSERT_EQ(Bench::word(b.twin, 499, share(5.0, 40.0)), 0);
  ASSERT_EQ(Bench::coil(b.twin, 405, true), 0);
  EXPECT_EQ((b.state() >> 12) & 1U, 1U);
  EXPECT_EQ(Bench::words(b.twin, 3, 508, 1).at(0), share(5.0, 40.0));
}

TEST(EaPsb, ASlipOfTheSinkCurrentReversesTheCurrent) {
  EaBench b;  // what the order of writes in a driver is there to prevent
  ASSERT_EQ(Bench::coil(b.twin, 402, true), 0);
  ASSERT_EQ(Bench::word(b.twin, 500, share(3.0, 20.0)), 0);
  ASSERT_EQ(Bench::coil(b.twin, 405, true), 0);
  EXPECT_EQ((b.state() >> 12) & 1U, 1U);
  EXPECT_GT(Bench::words(b.twin, 3, 508, 1).at(0), share(15.0, 40.0));
}

TEST(EaPsb, OverVoltageLatchesAnAlarm) {
  EaBench b;
  b.start_charge();
  ASSERT_EQ(Bench::word(b.twin, 550, share(3.5, 20.0)), 0);
  b.clock.advance(base::seconds(1));
  EXPECT_EQ(b.state() & 0x8080U, 0x8000U);  // alarm, output off
  EXPECT_EQ(Bench::coil(b.twin, 405, true), 4);
  ASSERT_EQ(Bench::word(b.twin, 550, 0xE147), 0);
  ASSERT_EQ(Bench::coil(b.twin, 411, true), 0);
  EXPECT_EQ(Bench::coil(b.twin, 405, true), 0);
  EXPECT_EQ(b.state() & 0x8080U, 0x0080U);
}

TEST(EaPsb, WordOrderOfTheStateIsAChoice) {
  Bench b;
  EaPsbTwin twin(b.world, 0, {"1", WordOrder::low_first});
  ASSERT_EQ(Bench::coil(twin, 402, true), 0);
  EXPECT_EQ(Bench::words(twin, 3, 505, 2).at(0), 1U << 11);
}

TEST(EaPsb, GivingRemoteBackOpensTheOutput) {
  EaBench b;
  b.start_charge();
  ASSERT_EQ(Bench::coil(b.twin, 402, false), 0);
  EXPECT_EQ(b.state() & 0x80U, 0U);
}

struct CyclerBench : Bench {
  VirtualCyclerTwin twin{world, 0, {"VC-7"}};
  unsigned state() { return words(twin, 4, 8, 1).at(0); }
  void start_charge() {
    ASSERT_EQ(coil(twin, 0, true), 0);
    ASSERT_EQ(real(twin, 110, 4.2), 0);
    ASSERT_EQ(real(twin, 102, 2.5), 0);
    ASSERT_EQ(word(twin, 100, 1), 0);
    ASSERT_EQ(coil(twin, 1, true), 0);
  }
};

TEST(VirtualCycler, ChargesLikeTheClosedForm) {
  CyclerBench b;
  b.start_charge();
  b.clock.advance(base::milliseconds(3149'900));
  EXPECT_EQ((b.state() >> 4) & 7U, 1U);
  b.clock.advance(base::milliseconds(200));
  EXPECT_EQ((b.state() >> 4) & 7U, 2U);
  b.clock.advance(base::milliseconds(299'900));
  EXPECT_NEAR(Bench::real_at(b.twin, 4, 2), 1.2722208, 1e-5);  // 4.2 V as float32 is 190 nV low
}

TEST(VirtualCycler, TheWatchdogOpensTheOutputAndLatches) {
  CyclerBench b;
  ASSERT_EQ(Bench::coil(b.twin, 0, true), 0);
  ASSERT_EQ(Bench::word(b.twin, 150, 500), 0);
  b.start_charge();
  for (int k = 0; k < 5; ++k) {
    b.clock.advance(base::milliseconds(400));
    ASSERT_EQ(Bench::word(b.twin, 151, 1), 0);
  }
  EXPECT_EQ(b.state() & 1U, 1U);
  b.clock.advance(base::milliseconds(499));
  EXPECT_EQ(b.state() & 1U, 1U);
  b.clock.advance(base::milliseconds(1));
  EXPECT_EQ(b.state() & 0xDU, 0xCU);
  EXPECT_EQ(Bench::coil(b.twin, 1, true), 4);
  ASSERT_EQ(Bench::coil(b.twin, 2, true), 0);
  EXPECT_EQ(Bench::coil(b.twin, 1, true), 0);
}

TEST(VirtualCycler, ValuesOutsideTheRatingsAreRefused) {
  CyclerBench b;
  ASSERT_EQ(Bench::coil(b.twin, 0, true), 0);
  EXPECT_EQ(Bench::real(b.twin, 102, 40.0), 0);
  EXPECT_EQ(Bench::real(b.twin, 102, 40.01), 3);
  EXPECT_EQ(Bench::real(b.twin, 102, -40.0), 0);
  EXPECT_EQ(Bench::real(b.twin, 102, std::numeric_limits<double>::quiet_NaN()), 3);
  EXPECT_EQ(Bench::real(b.twin, 114, -1.0), 3);
  EXPECT_EQ(Bench::word(b.twin, 100, 0), 3);
  EXPECT_EQ(Bench::word(b.twin, 100, 5), 3);
  EXPECT_EQ(Bench::word(b.twin, 120, 5), 2);
  EXPECT_EQ(Bench::real_at(b.twin, 3, 102), -40.0);
}

TEST(VirtualCycler, NotRemoteItObeysOnlyOff) {
  CyclerBench b;
  EXPECT_EQ(Bench::real(b.twin, 102, 1.0), 4);
  EXPECT_EQ(Bench::coil(b.twin, 1, true), 4);
  EXPECT_EQ(Bench::coil(b.twin, 1, false), 0);
}

TEST(VirtualCycler, ProtectionTripsBeyondItsBound) {
  CyclerBench b;
  b.start_charge();
  ASSERT_EQ(Bench::real(b.twin, 134, 2.5), 0);
  b.clock.advance(base::seconds(1));
  EXPECT_EQ(b.state() & 1U, 1U);  // at the bound
  ASSERT_EQ(Bench::real(b.twin, 134, 2.49), 0);
  b.clock.advance(base::seconds(1));
  EXPECT_EQ(b.state() & 0x205U, 0x204U);
}

TEST(VirtualChamber, RunsToItsSetPoint) {
  Bench b;
  VirtualChamberTwin twin(b.world, 0, {"VT-3", 0});
  EXPECT_EQ(Bench::text_at(twin, 4, 116, 16), "VT-240");
  EXPECT_EQ(Bench::real_at(twin, 4, 200, true), -40.0);
  ASSERT_EQ(Bench::real(twin, 2, 0.0, true), 0);
  ASSERT_EQ(Bench::real(twin, 0, 45.0, true), 0);
  EXPECT_EQ(Bench::words(twin, 4, 6, 1).at(0), 2U);
  ASSERT_EQ(Bench::coil(twin, 0, true), 0);
  EXPECT_EQ(Bench::words(twin, 4, 6, 1).at(0), 3U);
  b.clock.advance(base::seconds(3600));
  EXPECT_NEAR(Bench::real_at(twin, 4, 0, true), 45.0, 0.3);
  EXPECT_EQ(Bench::real_at(twin, 4, 2, true), 45.0);
  EXPECT_EQ(Bench::real(twin, 0, 130.0, true), 3);
  ASSERT_EQ(Bench::coil(twin, 0, false), 0);
  EXPECT_EQ(Bench::words(twin, 4, 6, 1).at(0), 2U);
}

TEST(VirtualChamber, WithoutASensorThereIsNoTemperature) {
  Bench b;
  VirtualChamberTwin twin(b.world, 0, {"VT-3", std::nullopt});
  EXPECT_TRUE(std::isnan(Bench::real_at(twin, 4, 4, true)));
  EXPECT_EQ(Bench::words(twin, 4, 7, 1).at(0), 4U);
}

TEST(ModbusAnswer, WrongRequestsGetTheirException) {
  EaBench b;
  EXPECT_EQ(Bench::ask(b.twin, {}), (Bytes{0x80, 1}));
  EXPECT_EQ(Bench::ask(b.twin, {0x2B, 0x0E, 1, 0}), (Bytes{0xAB, 1}));
  EXPECT_EQ(Bench::ask(b.twin, {4, 0, 0, 0, 1}), (Bytes{0x84, 1}));
  EXPECT_EQ(Bench::ask(b.twin, {3, 0, 0, 0, 0}), (Bytes{0x83, 3}));
  EXPECT_EQ(Bench::ask(b.twin, {3, 0, 0, 0, 126}), (Bytes{0x83, 3}));
  EXPECT_EQ(Bench::ask(b.twin, {3, 0, 0, 0, 42}), (Bytes{0x83, 2}));
  EXPECT_EQ(Bench::ask(b.twin, {3, 0xFF, 0xFF, 0, 2}), (Bytes{0x83, 2}));
  EXPECT_EQ(Bench::ask(b.twin, {3, 0, 0}), (Bytes{0x83, 3}));
  EXPECT_EQ(Bench::ask(b.twin, {5, 1, 0x92, 0x12, 0x34}), (Bytes{0x85, 3}));
  EXPECT_EQ(Bench::ask(b.twin, {5, 0, 1, 0xFF, 0}), (Bytes{0x85, 2}));
  EXPECT_EQ(Bench::ask(b.twin, {16, 1, 0xF4, 0, 2, 3, 0, 0, 0}), (Bytes{0x90, 3}));
}

TEST(ModbusAnswer, AnyBytesGetAnAnswerAndDoNoHarm) {
  EaBench ea;
  CyclerBench vc;
  Bench vt;
  VirtualChamberTwin chamber(vt.world, 0, {"1", 0});
  std::mt19937 random(5);
  for (int k = 0; k < 60'000; ++k) {
    Bytes request(random() % 30);
    for (auto& byte : request) byte = static_cast<std::uint8_t>(random());
    if (!request.empty() && k % 2 == 0) request[0] = static_cast<std::uint8_t>(random() % 18);
    if (request.size() > 2 && k % 4 == 0) request[1] = static_cast<std::uint8_t>(random() % 3);
    for (RegisterMap* map : {static_cast<RegisterMap*>(&ea.twin), static_cast<RegisterMap*>(&vc.twin),
                             static_cast<RegisterMap*>(&chamber)}) {
      EXPECT_GE(Bench::ask(*map, request).size(), 2U);
    }
    if (k % 100 == 0) vc.clock.advance(base::milliseconds(10)), ea.clock.advance(base::milliseconds(10));
  }
  EXPECT_TRUE(std::isfinite(Bench::real_at(vc.twin, 4, 0)));
}

TEST(ModbusAnswer, FramesAreCutByTheirLength) {
  const Bytes good{0, 7, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1};
  for (std::size_t n = 0; n < good.size(); ++n)
    EXPECT_EQ(next_frame(std::span(good).first(n)).state, Frame::State::incomplete) << n;
  EXPECT_EQ(next_frame(good).state, Frame::State::complete);
  EXPECT_EQ(next_frame(good).length, 12U);
  for (Bytes bad :
       {Bytes{0, 7, 0, 1, 0, 6}, Bytes{0, 7, 0, 0, 0, 1}, Bytes{0, 7, 0, 0, 0, 255}, Bytes{0, 7, 0, 0, 1, 0}})
    EXPECT_EQ(next_frame(bad).state, Frame::State::broken);
  EXPECT_EQ(next_frame(Bytes{0, 7, 0, 0, 0, 254}).state, Frame::State::incomplete);
}

// One client, the server's work done on this thread between its calls.
struct Client {
  asio::io_context& io;
  asio::ip::tcp::socket socket{io};

  Client(asio::io_context& context, std::uint16_t port) : io(context) {
    socket.connect({asio::ip::address_v4::loopback(), port});
  }
  void send(const Bytes& bytes) { asio::write(socket, asio::buffer(bytes)); }
  // What comes within a second, or nothing.
  Bytes receive(std::size_t count) {
    Bytes in(count);
    bool done = false, failed = false;
    asio::async_read(socket, asio::buffer(in),
                     [&](std::error_code error, std::size_t) { done = true, failed = bool(error); });
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    while (!done && std::chrono::steady_clock::now() < end) io.run_one_for(std::chrono::milliseconds(10));
    if (!done) {
      socket.cancel();
      while (!done) io.run_one();
    }
    return failed ? Bytes{} : in;
  }
};

const Bytes kReadClass{0, 7, 0, 0, 0, 6, 1, 3, 0, 121, 0, 2};

TEST(ModbusServer, ServesSeveralClientsAndSurvivesGarbage) {
  EaBench b;
  asio::io_context io;
  auto server = ModbusServer::listen(io, 0, b.twin);
  ASSERT_TRUE(server.has_value());
  Client first(io, (*server)->port()), second(io, (*server)->port()), vandal(io, (*server)->port());
  vandal.send({'G', 'E', 'T', ' ', '/', ' ', 'H', 'T', 'T', 'P', '\r', '\n'});
  EXPECT_TRUE(vandal.receive(1).empty());
  const Bytes expected{0, 7, 0, 0, 0, 7, 1, 3, 4, 0x41, 0xA0, 0, 0};
  first.send(kReadClass);
  second.send(kReadClass);
  EXPECT_EQ(first.receive(13), expected);
  EXPECT_EQ(second.receive(13), expected);
  // in pieces, and two in one
  first.send({0, 7, 0, 0});
  io.poll();
  first.send(Bytes(kReadClass.begin() + 4, kReadClass.end()));
  EXPECT_EQ(first.receive(13), expected);
  Bytes twice = kReadClass;
  twice.insert(twice.end(), kReadClass.begin(), kReadClass.end());
  first.send(twice);
  EXPECT_EQ(first.receive(13), expected);
  EXPECT_EQ(first.receive(13), expected);
}

TEST(ModbusServer, MuteItReadsAndSaysNothing) {
  EaBench b;
  asio::io_context io;
  auto server = ModbusServer::listen(io, 0, b.twin);
  ASSERT_TRUE(server.has_value());
  Client client(io, (*server)->port());
  (*server)->set_mute(true);
  client.send(kReadClass);
  EXPECT_TRUE(client.receive(13).empty());
  (*server)->set_mute(false);
  client.send(kReadClass);
  EXPECT_EQ(client.receive(13).size(), 13U);
}

TEST(ModbusServer, ATakenPortIsReported) {
  EaBench b;
  asio::io_context io;
  auto server = ModbusServer::listen(io, 0, b.twin);
  ASSERT_TRUE(server.has_value());
  auto again = ModbusServer::listen(io, (*server)->port(), b.twin);
  ASSERT_FALSE(again.has_value());
  EXPECT_NE(again.error().text().find("choose another port"), std::string::npos);
}

}  // namespace
}  // namespace cyclerd::hil
