#include "hil/peers/rtu_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "hil/peers/word_image.hpp"
#include "tests/support/pty.hpp"
#include "tests/unit/protocols/modbus/fake_rtu.hpp"

namespace cyclerd::hil {
namespace {

using testing_support::Bytes;
using testing_support::framed;

// Sixteen holding registers that keep what is written.
class Words final : public RegisterMap {
 public:
  Words() { image_.add_block(0, 16); }
  Answer read_bits(Table, std::uint16_t, std::span<bool>) override { return Answer::illegal_function; }
  Answer read_words(Table table, std::uint16_t first, std::span<std::uint16_t> out) override {
    return table == Table::holding ? image_.read(first, out) : Answer::illegal_function;
  }
  Answer write_bits(std::uint16_t, std::span<const bool>) override { return Answer::illegal_function; }
  Answer write_words(std::uint16_t first, std::span<const std::uint16_t> values) override {
    if (!image_.has(first, values.size())) return Answer::illegal_address;
    for (std::size_t i = 0; i < values.size(); ++i) image_.set_word(static_cast<std::uint16_t>(first + i), values[i]);
    return Answer::ok;
  }

 private:
  WordImage image_;
};

// A line with two slaves, and a bare descriptor on its other end.
class Line {
 public:
  explicit Line(const RtuManners& manners = {}) {
    auto opened = RtuServer::open(io_, clock_, manners);
    if (!opened) throw std::runtime_error(opened.error().text());
    server_ = std::move(*opened);
    server_->add(1, one_);
    server_->add(7, seven_);
    fd_ = ::open(server_->path().c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Line() {
    io_.stop();
    thread_.join();
    ::close(fd_);
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  void send(const Bytes& bytes) { ASSERT_EQ(::write(fd_, bytes.data(), bytes.size()), std::ssize(bytes)); }
  Bytes receive(std::size_t most, int silence_ms) {
    Bytes got;
    while (got.size() < most) {
      pollfd waiting{fd_, POLLIN, 0};
      if (poll(&waiting, 1, silence_ms) <= 0) break;
      std::uint8_t buffer[256];
      const ssize_t n = ::read(fd_, buffer, sizeof buffer);
      if (n <= 0) break;
      got.insert(got.end(), buffer, buffer + n);
    }
    return got;
  }
  Bytes ask(const Bytes& request, std::size_t reply) {
    send(request);
    return receive(reply, 2000);
  }
  RtuServer& server() { return *server_; }

 private:
  asio::io_context io_;
  base::SystemClock clock_;
  Words one_, seven_;
  std::unique_ptr<RtuServer> server_;
  int fd_ = -1;
  std::thread thread_;
};

TEST(RtuFrame, TheChecksumIsThatOfTheStandard) {
  // Modbus over serial line 1.02, appendix B: 02 07 gives 1241 hex, low byte first.
  const Bytes two{0x02, 0x07};
  EXPECT_EQ(rtu_checksum(two), 0x1241);
  EXPECT_EQ(testing_support::crc_of(two), 0x1241);
}

TEST(RtuFrame, OnlyWholeFramesOpen) {
  const Bytes good = framed({1, 3, 0, 0, 0, 1});
  const auto opened = open_rtu_frame(good);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->unit, 1);
  EXPECT_EQ(opened->pdu.size(), 5U);
  for (std::size_t n = 0; n < good.size(); ++n) EXPECT_FALSE(open_rtu_frame(std::span(good).first(n))) << n;
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_FALSE(open_rtu_frame(bad)) << bit;
  }
  EXPECT_TRUE(open_rtu_frame(framed(Bytes(254, 1))));
  EXPECT_FALSE(open_rtu_frame(framed(Bytes(255, 1))));
}

TEST(RtuServer, EachUnitIsASlaveOfItsOwn) {
  Line line;
  EXPECT_EQ(line.ask(framed({1, 6, 0, 3, 0, 11}), 8), framed({1, 6, 0, 3, 0, 11}));
  EXPECT_EQ(line.ask(framed({7, 16, 0, 3, 0, 1, 2, 0, 77}), 8), framed({7, 16, 0, 3, 0, 1}));
  EXPECT_EQ(line.ask(framed({1, 3, 0, 3, 0, 1}), 7), framed({1, 3, 2, 0, 11}));
  EXPECT_EQ(line.ask(framed({7, 3, 0, 3, 0, 1}), 7), framed({7, 3, 2, 0, 77}));
  EXPECT_EQ(line.ask(framed({7, 3, 0, 16, 0, 1}), 5), framed({7, 0x83, 2}));
  EXPECT_EQ(line.server().requests(), 5U);
}

TEST(RtuServer, NobodyAnswersForAnotherUnitOrToEverybody) {
  Line line;
  line.send(framed({2, 3, 0, 3, 0, 1}));
  EXPECT_TRUE(line.receive(1, 50).empty());
  line.send(framed({0, 6, 0, 3, 0, 5}));
  EXPECT_TRUE(line.receive(1, 50).empty());
  EXPECT_EQ(line.ask(framed({1, 3, 0, 3, 0, 1}), 7), framed({1, 3, 2, 0, 5}));
  EXPECT_EQ(line.ask(framed({7, 3, 0, 3, 0, 1}), 7), framed({7, 3, 2, 0, 5}));
}

TEST(RtuServer, AFrameMayComeInPiecesButNotInHalves) {
  Line line({.frame_end = base::milliseconds(200), .least_gap = {}, .reply_delay = {}, .echo = false});
  const Bytes request = framed({1, 3, 0, 3, 0, 1});
  line.send(Bytes(request.begin(), request.begin() + 3));
  line.send(Bytes(request.begin() + 3, request.end()));
  EXPECT_EQ(line.receive(7, 2000), framed({1, 3, 2, 0, 0}));
  line.send(Bytes(request.begin(), request.begin() + 3));
  EXPECT_TRUE(line.receive(1, 500).empty());
  line.send(Bytes(request.begin() + 3, request.end()));
  EXPECT_TRUE(line.receive(1, 500).empty());
  EXPECT_EQ(line.server().ignored(), 2U);
}

TEST(RtuServer, GarbageIsHeardAndForgotten) {
  Line line;
  line.send(Bytes(1000, 0x55));
  EXPECT_TRUE(line.receive(1, 50).empty());
  EXPECT_EQ(line.ask(framed({1, 3, 0, 3, 0, 1}), 7), framed({1, 3, 2, 0, 0}));
}

TEST(RtuServer, WhatComesTooSoonIsNotSeen) {
  Line line(
      {.frame_end = base::milliseconds(2), .least_gap = base::milliseconds(400), .reply_delay = {}, .echo = false});
  const Bytes request = framed({1, 3, 0, 3, 0, 1});
  EXPECT_EQ(line.ask(request, 7).size(), 7U);
  line.send(request);
  EXPECT_TRUE(line.receive(1, 450).empty());
  EXPECT_EQ(line.server().ignored(), 1U);
  EXPECT_EQ(line.ask(request, 7).size(), 7U);
}

TEST(RtuServer, RepliesComeWhenTheyAreDue) {
  Line line(
      {.frame_end = base::milliseconds(2), .least_gap = {}, .reply_delay = base::milliseconds(150), .echo = false});
  const auto start = testing_support::Steady::now();
  EXPECT_EQ(line.ask(framed({1, 3, 0, 3, 0, 1}), 7).size(), 7U);
  EXPECT_GE(testing_support::Steady::now() - start, testing_support::milliseconds(150));
}

TEST(RtuServer, AnEchoingAdapterReturnsWhatIsSent) {
  Line line({.frame_end = base::milliseconds(2), .least_gap = {}, .reply_delay = {}, .echo = true});
  const Bytes request = framed({9, 6, 0, 3, 0, 1});
  EXPECT_EQ(line.ask(request, 8), request) << "nobody has unit 9; the echo alone looks like an acknowledgement";
}

TEST(RtuServer, AMuteSlaveSaysAndDoesNothing) {
  Line line;
  line.server().set_mute(7, true);
  line.send(framed({7, 6, 0, 3, 0, 9}));
  EXPECT_TRUE(line.receive(1, 50).empty());
  EXPECT_EQ(line.ask(framed({1, 3, 0, 3, 0, 1}), 7).size(), 7U);
  line.server().set_mute(7, false);
  EXPECT_EQ(line.ask(framed({7, 3, 0, 3, 0, 1}), 7), framed({7, 3, 2, 0, 0}));
}

TEST(PseudoTerminal, HasALastingNameThatReplacesOnlyItsOwnKind) {
  const auto folder = std::filesystem::temp_directory_path() / ("pty-" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  const std::string link = folder / "line";
  {
    const auto first = PseudoTerminal::open(link);
    ASSERT_TRUE(first) << first.error().text();
    EXPECT_EQ(first->path(), link);
    const auto second = PseudoTerminal::open(link);
    ASSERT_TRUE(second) << "a link that a twin left behind is replaced";
  }
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::symlink_status(link)));
  std::filesystem::create_symlink("/dev/null", link);
  EXPECT_FALSE(PseudoTerminal::open(link));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace cyclerd::hil
