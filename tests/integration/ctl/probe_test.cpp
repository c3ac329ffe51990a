// device probe against a server on loopback that counts what is written to it.
#include <gmock/gmock.h>

#include <array>
#include <asio/executor_work_guard.hpp>
#include <bit>
#include <thread>

#include "daemon/ctl/probe.hpp"
#include "hil/peers/modbus_server.hpp"
#include "protocols/device/library.hpp"
#include "tests/integration/ctl/profile_bench.hpp"

namespace cyclerd::ctl {
namespace {

using testing::HasSubstr;

// An instrument of this test's own: text in holding 0..7, a float, a word, an address that it does not have.
class CountingMap final : public hil::RegisterMap {
 public:
  CountingMap() {
    const std::string model = "MX-60-10";
    for (std::size_t i = 0; i < model.size(); i += 2)
      words[i / 2] = static_cast<std::uint16_t>(model[i] << 8 | model[i + 1]);
    const auto bits = std::bit_cast<std::uint32_t>(48.25F);
    words[20] = static_cast<std::uint16_t>(bits & 0xFFFFU);  // CDAB: the low word first
    words[21] = static_cast<std::uint16_t>(bits >> 16U);
    words[30] = 0x0083;
    words[40] = 6000;
  }
  hil::Answer read_bits(hil::Table, std::uint16_t first, std::span<bool> out) override {
    if (first != 5) return hil::Answer::illegal_address;
    for (bool& bit : out) bit = true;
    return hil::Answer::ok;
  }
  hil::Answer read_words(hil::Table, std::uint16_t first, std::span<std::uint16_t> out) override {
    if (first + out.size() > words.size()) return hil::Answer::illegal_address;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = words[first + i];
    ++reads;
    return hil::Answer::ok;
  }
  hil::Answer write_bits(std::uint16_t, std::span<const bool>) override {
    ++writes;
    return hil::Answer::ok;
  }
  hil::Answer write_words(std::uint16_t, std::span<const std::uint16_t>) override {
    ++writes;
    return hil::Answer::ok;
  }

  std::array<std::uint16_t, 64> words{};
  std::atomic<int> reads{0};
  std::atomic<int> writes{0};
};

struct ProbeTest : ProfileCommands {
  void SetUp() override {
    ProfileCommands::SetUp();
    server = std::move(*hil::ModbusServer::listen(io, 0, map));
    thread = std::thread([this] { io.run(); });
  }
  void TearDown() override {
    io.stop();
    thread.join();
    server.reset();
    ProfileCommands::TearDown();
  }
  [[nodiscard]] std::string port() const { return std::to_string(server->port()); }
  // `voltage_words`: word order of the float. Switchable and writable items are there, so that a write would be easy.
  std::string description(const std::string& match = "MX-*", const std::string& voltage_words = "CDAB") const {
    return write("my-supply.toml", R"(description = "my-supply"
schema = 1
title = "My supply"
kind = "cycler"
dialect = "modbus"
[modbus]
response_timeout = "300 ms"
[site]
half = { default = false, help = "for --set" }
[identify]
maker = { value = "Example" }
model = { item = "model", match = [")" +
                                       match + R"("] }
[item.model]
function = "holding"
address = 0
type = "ascii"
length = 8
mark = "own"
[item.voltage]
function = "holding"
address = 20
type = "f32"
words = ")" + voltage_words + R"("
unit = "V"
mark = "own"
[item.state]
function = "holding"
address = 30
type = "u16"
mark = "own"
[item.current]
function = "holding"
address = 40
type = "u16"
scale = 0.001
unit = "A"
access = "rw"
mark = "own"
[item.missing]
function = "holding"
address = 500
type = "u16"
mark = "own"
[item.output]
function = "coil"
address = 5
type = "bool"
access = "rw"
mark = "own"
[measure]
voltage = "voltage"
current = "current"
[status]
output_on = { item = "state", bit = 7 }
regulation = { item = "state", bits = [0, 1], is = { 3 = "current" } }
[capability]
off = "open"
voltage_min = "0 V"
voltage_max = "60 V"
current_min = "-10 A"
current_max = "10 A"
[watchdog]
kind = "none"
[sequence]
claim = [ { write = "output", value = false } ]
connect = [ { write = "output", value = false, verify = true } ]
charge = [ { write = "current", value = "current_A", verify = true } ]
discharge = [ { write = "current", value = "-current_A", verify = true } ]
rest = [ { write = "output", value = false, verify = true } ]
off = "rest"
make_safe = [ { write = "output", value = false }, { check = "output", is = false, within = "100 ms" } ]
)");
  }
  Ran probe(std::vector<std::string> more = {}, const std::string& match = "MX-*", const std::string& order = "CDAB") {
    std::vector<std::string> arguments{"device", "probe", description(match, order), "--host", "127.0.0.1",
                                       "--port", port()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }

  CountingMap map;
  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  std::unique_ptr<hil::ModbusServer> server;
  std::thread thread;
};

TEST_F(ProbeTest, ShowsRawAndScaledValuesAndWhatTheStatusMeans) {
  const Ran ran = probe();
  EXPECT_EQ(ran.code, 1) << ran.err;  // one item is not there
  EXPECT_THAT(ran.out, HasSubstr("MX-60-10"));
  EXPECT_THAT(ran.out, HasSubstr("48.25 V"));
  EXPECT_THAT(ran.out, HasSubstr("6000"));
  EXPECT_THAT(ran.out, HasSubstr("6 A"));
  EXPECT_THAT(ran.out, HasSubstr("131 (0x83)"));
  EXPECT_THAT(ran.out, HasSubstr("output on"));
  EXPECT_THAT(ran.out, HasSubstr("regulates current"));
  EXPECT_THAT(ran.out, HasSubstr("missing: "));
  EXPECT_THAT(ran.out, HasSubstr("nothing was written"));
}

TEST_F(ProbeTest, NothingIsEverWritten) {
  probe();
  probe({"--json"});
  probe({}, "OTHER-*");
  EXPECT_GT(map.reads, 0);
  EXPECT_EQ(map.writes, 0);
}

// A link that holds no way to a write: even who asks for one finds none.
TEST_F(ProbeTest, ItsLinkRefusesEveryWrite) {
  class Writing final : public device::ItemLink {
   public:
    explicit Writing(int& count) : count_(count) {}
    base::Status connect() override { return {}; }
    void close() noexcept override {}
    [[nodiscard]] bool is_connected() const noexcept override { return true; }
    [[nodiscard]] std::string_view name() const noexcept override { return "writing"; }
    [[nodiscard]] base::Result<double> read_raw(int) override { return 1.0; }
    [[nodiscard]] base::Result<base::FixedText<48>> read_text(int) override { return base::FixedText<48>{"MX-1"}; }
    [[nodiscard]] base::Status write_raw(int, double) override { return count(); }
    [[nodiscard]] base::Status send(int) override { return count(); }
    [[nodiscard]] base::Status finish_sequence() override { return count(); }
    [[nodiscard]] base::Status scan(base::MonoTime&, base::MonoTime&) override { return {}; }
    [[nodiscard]] double scanned(int) const noexcept override { return 1.0; }

   private:
    base::Status count() {
      ++count_;
      return {};
    }
    int& count_;
  };
  text::Diagnostics findings;
  const auto d = device::load_description(*text::read_source(description()), findings);
  ASSERT_NE(d, nullptr) << findings.render();
  int written = 0;
  base::VirtualClock clock;
  Probe probe(d, device::default_site(*d), std::make_unique<Writing>(written), clock);
  EXPECT_EQ(probe.round().failures, 0);
  EXPECT_FALSE(probe.link().write_raw(3, 1.0));
  EXPECT_FALSE(probe.link().send(0));
  EXPECT_TRUE(probe.link().finish_sequence());
  EXPECT_EQ(written, 0);
}

TEST_F(ProbeTest, AnotherInstrumentIsShownAndToldByTheExitCode) {
  const Ran ran = probe({}, "QQ-*");
  EXPECT_EQ(ran.code, 8);
  EXPECT_THAT(ran.out, HasSubstr("the description wants QQ-*"));
  EXPECT_THAT(ran.out, HasSubstr("48.25 V"));
}

TEST_F(ProbeTest, AWrongWordOrderIsSeenInTheNumber) {
  const Ran ran = probe({"--json"}, "MX-*", "ABCD");
  const Json json = Json::parse(ran.out);
  EXPECT_THAT(json["items"][1]["note"].get<std::string>(), HasSubstr("words = \"CDAB\" it would be 48.25 V"));
  EXPECT_EQ(Json::parse(probe({"--json"}).out)["items"][1]["note"], "");
}

TEST_F(ProbeTest, ASilentInstrumentIsGivenUpSoon) {
  server->set_mute(true);
  const Ran ran = probe({"--json"});
  EXPECT_EQ(ran.code, 8);
  EXPECT_LE(Json::parse(ran.out)["items"].size(), 3U);
  EXPECT_EQ(map.writes, 0);
}

TEST_F(ProbeTest, NobodyThereIsADeviceFailure) {
  const Ran ran = run({"device", "probe", description(), "--host", "127.0.0.1", "--port", "1"});
  EXPECT_EQ(ran.code, 8);
  EXPECT_THAT(ran.err, HasSubstr("127.0.0.1:1"));
}

TEST_F(ProbeTest, TheWireMustSuitTheDialect) {
  EXPECT_EQ(run({"device", "probe", description()}).code, 2);
  EXPECT_EQ(run({"device", "probe", description(), "--can", "can0"}).code, 2);
  EXPECT_EQ(run({"device", "probe", description(), "--host", "h", "--serial", "/dev/null"}).code, 2);
}

TEST_F(ProbeTest, SiteParametersAreSetAsInAStation) {
  EXPECT_EQ(probe({"--set", "half=true"}).code, 1);
  const Ran wrong = probe({"--set", "hafl=true"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("half"));
}

TEST_F(ProbeTest, AFileWithErrorsIsNotProbed) {
  const Ran ran = run({"device", "probe", write("bad.toml", "description = 1\n"), "--host", "127.0.0.1"});
  EXPECT_EQ(ran.code, 3);
}

}  // namespace
}  // namespace cyclerd::ctl
