#include "protocols/transport/slcan.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "tests/support/pty.hpp"

namespace cyclerd::transport {
namespace {

using base::ErrorCode;
using base::milliseconds;
using testing_support::Pty;

base::SystemClock& system_clock() {
  static base::SystemClock clock;
  return clock;
}

CanFrame frame_of(std::uint32_t id, bool extended, std::initializer_list<int> bytes) {
  CanFrame frame;
  frame.id = id;
  frame.extended = extended;
  for (const int byte : bytes) frame.data[frame.length++] = static_cast<std::uint8_t>(byte);
  return frame;
}

std::string written(const CanFrame& frame) {
  std::array<char, kMaxSlcanLine> line{};
  return {line.data(), write_slcan(frame, line)};
}

TEST(SlcanCodec, WritesWhatAdaptersRead) {
  EXPECT_EQ(written(frame_of(0x351, false, {0x01, 0xAB})), "t351201AB\r");
  EXPECT_EQ(written(frame_of(0x02A33FF0, true, {})), "T02A33FF00\r");
  CanFrame remote = frame_of(0x7FF, false, {});
  remote.remote = true;
  remote.length = 8;
  EXPECT_EQ(written(remote), "r7FF8\r");
  remote.extended = true;
  remote.id = 0x1FFFFFFF;
  EXPECT_EQ(written(remote), "R1FFFFFFF8\r");
}

TEST(SlcanCodec, RefusesWhatTheBusCannotCarry) {
  EXPECT_EQ(written(frame_of(0x800, false, {})), "");
  EXPECT_EQ(written(frame_of(0x20000000, true, {})), "");
  CanFrame frame = frame_of(1, false, {});
  frame.length = 9;
  EXPECT_EQ(written(frame), "");
  frame.length = 8;
  frame.flexible_rate = true;
  EXPECT_EQ(written(frame), "");
}

TEST(SlcanCodec, ReadsFramesWithAndWithoutTheirStamp) {
  CanFrame frame;
  ASSERT_TRUE(read_slcan("t351201ab", frame));
  EXPECT_EQ(frame.id, 0x351U);
  EXPECT_EQ(frame.length, 2);
  EXPECT_EQ(frame.data[1], 0xAB);
  ASSERT_TRUE(read_slcan("T02A33FF081122334455667788EA5F", frame));
  EXPECT_TRUE(frame.extended);
  EXPECT_EQ(frame.id, 0x02A33FF0U);
  EXPECT_EQ(frame.data[7], 0x88);
  ASSERT_TRUE(read_slcan("r0012", frame));
  EXPECT_TRUE(frame.remote);
  EXPECT_EQ(frame.length, 2);
}

TEST(SlcanCodec, TakesNothingThatIsNoFrame) {
  CanFrame frame = frame_of(5, false, {1});
  for (const char* line : {"", "t", "t35", "t3512", "t35120", "t3512011", "t351201AB0", "t351201AB00000", "t3519",
                           "t8000", "tG010", "T2000000000", "T1FFFFFF", "z", "Z", "V1013", "F00", "x", "t0011ZZ"}) {
    EXPECT_FALSE(read_slcan(line, frame)) << line;
  }
  EXPECT_EQ(frame.id, 5U) << "what was no frame changes none";
}

TEST(SlcanCodec, Rates) {
  EXPECT_EQ(slcan_rate(10'000), '0');
  EXPECT_EQ(slcan_rate(500'000), '6');
  EXPECT_EQ(slcan_rate(1'000'000), '8');
  EXPECT_EQ(slcan_rate(83'333), std::nullopt);
}

TEST(SlcanCodec, Flags) {
  const auto flags = read_slcan_flags("FA4");
  ASSERT_TRUE(flags);
  EXPECT_TRUE(flags->bus_error);
  EXPECT_TRUE(flags->passive);
  EXPECT_TRUE(flags->warning);
  EXPECT_FALSE(flags->overrun);
  EXPECT_FALSE(read_slcan_flags("F"));
  EXPECT_FALSE(read_slcan_flags("F0"));
  EXPECT_FALSE(read_slcan_flags("FXX"));
}

// An adapter on the other end of a pty: answers commands as told, notes what it was asked.
class Adapter {
 public:
  explicit Adapter(std::string refuses = {}, bool silent = false)
      : refuses_(std::move(refuses)), silent_(silent), thread_([this] { serve(); }) {}
  ~Adapter() {
    stop_ = true;
    thread_.join();
  }
  [[nodiscard]] std::string path() const { return pty_.path(); }
  void say(const std::string& text) const { pty_.send(std::vector<std::uint8_t>(text.begin(), text.end())); }
  // What it was asked, commands separated by spaces.
  [[nodiscard]] std::string asked_after(const char* last) {
    for (int i = 0; i < 200; ++i) {
      {
        const std::lock_guard lock(mutex_);
        if (asked_.ends_with(last)) return asked_;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  void serve() {
    std::string line;
    while (!stop_) {
      for (const std::uint8_t byte : pty_.receive(1, std::chrono::milliseconds(5))) {
        if (byte != '\r') {
          line += static_cast<char>(byte);
          continue;
        }
        if (!line.empty()) {
          const std::lock_guard lock(mutex_);
          asked_ += (asked_.empty() ? "" : " ") + line;
        }
        if (!silent_ && line != "F" && line[0] != 't') say(!line.empty() && line == refuses_ ? "\a" : "\r");
        line.clear();
      }
    }
  }
  Pty pty_;
  std::string refuses_;
  bool silent_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::string asked_;
  std::thread thread_;
};

SlcanOptions on(const Adapter& adapter) {
  SlcanOptions options;
  options.line = adapter.path();
  options.bitrate = 250'000;
  return options;
}

TEST(SlcanBus, OpensTheChannelAtItsRate) {
  Adapter adapter;
  SlcanBus bus(on(adapter), system_clock());
  ASSERT_TRUE(bus.open());
  EXPECT_EQ(adapter.asked_after("O"), "C S5 O");
  bus.close();
  EXPECT_EQ(adapter.asked_after("O C"), "C S5 O C");
}

TEST(SlcanBus, AnAdapterThatAnswersNothingIsOpenedToo) {
  Adapter adapter({}, true);
  SlcanBus bus(on(adapter), system_clock());
  ASSERT_TRUE(bus.open());
  EXPECT_EQ(adapter.asked_after("O"), "C S5 O");
}

TEST(SlcanBus, ARefusedCommandIsSaid) {
  for (const char* command : {"S5", "O"}) {
    Adapter adapter(command);
    SlcanBus bus(on(adapter), system_clock());
    const auto opened = bus.open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::refused);
    EXPECT_NE(opened.error().text().find(command), std::string::npos) << opened.error().text();
    EXPECT_FALSE(bus.is_open());
  }
  Adapter adapter("C");
  SlcanBus bus(on(adapter), system_clock());
  EXPECT_TRUE(bus.open()) << "a channel that is closed already may refuse to be closed";
}

TEST(SlcanBus, CarriesFramesBothWays) {
  Adapter adapter;
  SlcanBus bus(on(adapter), system_clock());
  ASSERT_TRUE(bus.open());
  ASSERT_TRUE(bus.send(frame_of(0x305, false, {0, 0}), system_clock().now() + milliseconds(100)));
  EXPECT_EQ(adapter.asked_after("t30520000"), "C S5 O t30520000");
  adapter.say("z\rt35");
  adapter.say("120102\rT1806E5F4411223344\r");
  CanFrame frame;
  ASSERT_TRUE(bus.receive(frame, system_clock().now() + milliseconds(500)).value());
  EXPECT_EQ(frame.id, 0x351U);
  ASSERT_TRUE(bus.receive(frame, system_clock().now() + milliseconds(500)).value());
  EXPECT_EQ(frame.id, 0x1806E5F4U);
  EXPECT_EQ(frame.data[3], 0x44);
  EXPECT_GT(frame.received.us, 0);
  EXPECT_FALSE(bus.receive(frame, system_clock().now() + milliseconds(20)).value());
  EXPECT_EQ(bus.health().received, 2U);
  EXPECT_EQ(bus.health().sent, 1U);
  EXPECT_EQ(bus.health().foul, 0U);
}

TEST(SlcanBus, FoulLinesAreCountedAndCostNoFrame) {
  Adapter adapter;
  SlcanBus bus(on(adapter), system_clock());
  ASSERT_TRUE(bus.open());
  adapter.say("t35\rnonsense\r" + std::string(300, 't') + "\r\aF24\rt35110A\r");
  CanFrame frame;
  ASSERT_TRUE(bus.receive(frame, system_clock().now() + milliseconds(500)).value());
  EXPECT_EQ(frame.data[0], 0x0A);
  EXPECT_EQ(bus.health().foul, 3U);
  EXPECT_EQ(bus.health().unacknowledged, 1U);
  EXPECT_EQ(bus.health().state, CanState::passive);
}

TEST(SlcanBus, WithoutARateOrALineItDoesNotOpen) {
  SlcanOptions options;
  options.line = "/nonexistent/adapter";
  SlcanBus nobody(options, system_clock());
  EXPECT_EQ(nobody.open().error().code, ErrorCode::not_found);
  options.bitrate = 33'333;
  SlcanBus odd(options, system_clock());
  EXPECT_EQ(odd.open().error().code, ErrorCode::invalid);
  CanFrame frame;
  EXPECT_EQ(odd.receive(frame, system_clock().now()).error().code, ErrorCode::disconnected);
  EXPECT_EQ(odd.send(frame, system_clock().now()).error().code, ErrorCode::disconnected);
}

}  // namespace
}  // namespace cyclerd::transport
