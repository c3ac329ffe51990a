// The text server, its manners, and what every SCPI twin does alike.
#include "hil/peers/text_server.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <asio/connect.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <cstdio>
#include <thread>

#include "hil/peers/scpi_instrument.hpp"

namespace cyclerd::hil {
namespace {

class Meter final : public ScpiInstrument {
 public:
  Meter() : ScpiInstrument({.identity = "cyclerd,meter,1,2", .queue_depth = 3}) {
    on("[SOURce#]:VOLTage[:LEVel][:IMMediate][:AMPLitude]", [this](ScpiCall& c) {
      if (auto v = c.number({0.0, 10.0, 1.0}, "V")) volts = *v, source = c.suffix();
    });
    on("[SOURce#]:VOLTage[:LEVel][:IMMediate][:AMPLitude]?", [this](ScpiCall& c) { c.answer(number(volts)); });
    on("[SOURce#]:VOLTage:PROTection?", [](ScpiCall& c) { c.answer("11"); });
    on("OUTPut[:STATe]", [this](ScpiCall& c) {
      if (auto state = c.boolean()) output = *state, channels = c.channels();
    });
    on("FUNCtion", [this](ScpiCall& c) {
      if (auto w = c.word({"VOLTage", "CURRent"})) function = *w;
    });
  }
  void reset() override { volts = 0.0; }
  double volts = 0.0;
  int source = 0;
  bool output = false;
  std::vector<int> channels;
  std::size_t function = 9;
};

TEST(ScpiInstrument, MessagesAndWhatBecomesOfThem) {
  struct Row {
    const char* line;
    const char* reply;  // nullptr: silence
    const char* error;
  };
  const Row rows[] = {
      {"*IDN?", "cyclerd,meter,1,2", "0,\"No error\""},
      {"VOLT 4.2", nullptr, "0,\"No error\""},
      {"volt?", "4.200000E+00", "0,\"No error\""},
      {":SOURCE2:VOLTAGE:LEV:IMM:AMPL 2500 mV;:VOLT?", "2.500000E+00", "0,\"No error\""},
      {"SOUR:VOLT 3;VOLT:PROT?", "11", "0,\"No error\""},  // goes on at SOUR:
      {"SOUR:VOLT?;*OPC?;VOLT?", "3.000000E+00;1;3.000000E+00", "0,\"No error\""},
      {"VOLTA 3", nullptr, "-113,\"Undefined header\""},  // neither the short nor the long form
      {"VOLT? ;FOO?;*IDN?", "3.000000E+00", "-113,\"Undefined header\""},
      {"FOO?", nullptr, "-113,\"Undefined header\""},
      {"VOLT", nullptr, "-109,\"Missing parameter\""},
      {"VOLT high", nullptr, "-104,\"Data type error\""},
      {"VOLT 4 A", nullptr, "-131,\"Invalid suffix\""},
      {"VOLT 10", nullptr, "0,\"No error\""},
      {"VOLT 10.001", nullptr, "-222,\"Data out of range\""},
      {"VOLT MAX;VOLT?", "1.000000E+01", "0,\"No error\""},
      {"FUNC RES", nullptr, "-224,\"Illegal parameter value\""},
      {"OUTP ON,(@1,3:5)", nullptr, "0,\"No error\""},
      {"OUTP ON,(@a)", nullptr, "-104,\"Data type error\""},
  };
  Meter meter;
  for (const Row& row : rows) {
    const auto reply = meter.answer(row.line);
    EXPECT_EQ(reply, row.reply == nullptr ? std::nullopt : std::optional<std::string>(row.reply)) << row.line;
    EXPECT_EQ(meter.answer("SYST:ERR?"), row.error) << row.line;
  }
  EXPECT_EQ(meter.source, 1);
  EXPECT_EQ(meter.channels, (std::vector<int>{1, 3, 4, 5}));
}

TEST(ScpiInstrument, TheErrorQueueIsAQueueThatOverflows) {
  Meter meter;
  for (const char* line : {"FOO", "VOLT 99", "VOLT", "BAR"}) EXPECT_EQ(meter.answer(line), std::nullopt);
  EXPECT_EQ(meter.answer("*STB?"), "4");
  EXPECT_EQ(meter.answer("*ESR?"), "176");  // power on, command and execution error
  EXPECT_EQ(meter.answer("*ESR?"), "0");
  EXPECT_EQ(meter.answer("SYST:ERR:NEXT?"), "-113,\"Undefined header\"");
  EXPECT_EQ(meter.answer("SYST:ERR?"), "-222,\"Data out of range\"");
  EXPECT_EQ(meter.answer("SYST:ERR?"), "-350,\"Queue overflow\"");
  EXPECT_EQ(meter.answer("SYST:ERR?"), "0,\"No error\"");
  EXPECT_EQ(meter.answer("FOO;*CLS"), std::nullopt);
  EXPECT_EQ(meter.answer("*CLS;SYST:ERR?"), "0,\"No error\"");
}

// A server on a thread of its own.
struct Served {
  explicit Served(TextInstrument& instrument, TextManners manners = {}, bool pty = false)
      : server(pty ? TextServer::open(io, clock, instrument, std::move(manners)).value()
                   : TextServer::listen(io, clock, 0, instrument, std::move(manners)).value()),
        thread([this] { io.run(); }) {}
  ~Served() {
    io.stop();
    thread.join();
  }
  base::SystemClock clock;
  asio::io_context io{1};
  std::unique_ptr<TextServer> server;
  std::thread thread;
};

struct Client {
  explicit Client(const Served& served) : socket(io) {
    socket.connect({asio::ip::address_v4::loopback(), served.server->port()});
  }
  void send(const std::string& text) { asio::write(socket, asio::buffer(text)); }
  // Up to the end of a line; "" when the other side closed.
  std::string line(char end = '\n') {
    std::error_code error;
    const std::size_t n = asio::read_until(socket, asio::dynamic_buffer(in), end, error);
    if (error) return {};
    std::string text = in.substr(0, n);
    in.erase(0, n);
    return text;
  }
  asio::io_context io;
  asio::ip::tcp::socket socket;
  std::string in;
};

TEST(TextServer, LinesInPiecesAndSeveralAtOnce) {
  Meter meter;
  Served served(meter);
  Client client(served);
  client.send("*ID");
  client.send("N?\r\nVOLT 2\n\nVOLT?\n");
  EXPECT_EQ(client.line(), "cyclerd,meter,1,2\n");
  EXPECT_EQ(client.line(), "2.000000E+00\n");
  EXPECT_EQ(served.server->requests(), 3U);
}

TEST(TextServer, TakesNoMoreClientsThanItsManners) {
  Meter meter;
  Served served(meter, {.max_clients = 1});
  Client first(served);
  first.send("*OPC?\n");
  EXPECT_EQ(first.line(), "1\n");
  Client second(served);
  EXPECT_EQ(second.line(), "");
  served.server->drop_clients();
  EXPECT_EQ(first.line(), "");
}

TEST(TextServer, MuteLateAndTooSoon) {
  Meter meter;
  Served served(meter, {.line_ends = "\r", .reply_end = "\r", .least_gap = base::seconds(60)});
  Client client(served);
  client.send("*OPC?\rVOLT 5\r*OPC?\r");
  EXPECT_EQ(client.line('\r'), "1\r");
  Served patient(meter);
  Client other(patient);
  patient.server->delay_next(base::milliseconds(30));
  const auto before = patient.clock.now();
  other.send("*OPC?\n");
  EXPECT_EQ(other.line(), "1\n");
  EXPECT_GE((patient.clock.now() - before).us, 30'000);
  EXPECT_EQ(served.server->lost(), 2U);
  patient.server->set_mute(true);
  other.send("VOLT 7;VOLT?\n");
  pollfd silence{other.socket.native_handle(), POLLIN, 0};
  EXPECT_EQ(poll(&silence, 1, 50), 0);
  patient.server->set_mute(false);
  other.send("VOLT?\n");
  EXPECT_EQ(other.line(), "0.000000E+00\n");
}

TEST(TextServer, OnAPty) {
  Meter meter;
  Served served(meter, {}, true);
  const int line = open(served.server->path().c_str(), O_RDWR | O_NOCTTY);
  ASSERT_GE(line, 0);
  ASSERT_EQ(write(line, "VOLT 3;VOLT?\n", 13), 13);
  std::string all;
  while (all.find('\n') == std::string::npos) {
    pollfd ready{line, POLLIN, 0};
    ASSERT_GT(poll(&ready, 1, 5000), 0);
    std::array<char, 64> chunk{};
    const ssize_t n = read(line, chunk.data(), chunk.size());
    ASSERT_GT(n, 0);
    all.append(chunk.data(), static_cast<std::size_t>(n));
  }
  EXPECT_EQ(all, "3.000000E+00\n");
  close(line);
}

std::string shell(const std::string& command) {
  std::string out;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return out;
  std::array<char, 256> chunk{};
  while (fgets(chunk.data(), chunk.size(), pipe) != nullptr) out += chunk.data();
  pclose(pipe);
  return out;
}

TEST(TextServer, ForeignClientsAgree) {
  Meter meter;
  Served served(meter);
  const std::string port = std::to_string(served.server->port());
  int ran = 0;
  if (system("command -v lxi >/dev/null 2>&1") == 0) {
    ++ran;
    EXPECT_EQ(shell("lxi scpi -r -a 127.0.0.1 -p " + port + " '*IDN?'"), "cyclerd,meter,1,2\n");
  }
  if (system("/usr/bin/python3 -c 'import pyvisa, pyvisa_py' >/dev/null 2>&1") == 0) {
    ++ran;
    EXPECT_EQ(shell("/usr/bin/python3 -W ignore -c \"import pyvisa\n"
                    "i = pyvisa.ResourceManager('@py').open_resource('TCPIP::127.0.0.1::" +
                    port +
                    "::SOCKET', read_termination='\\n', write_termination='\\n')\n"
                    "i.write('VOLT 4.25'); print(float(i.query('VOLT?')), i.query('SYST:ERR?'))\""),
              "4.25 0,\"No error\"\n");
  }
  if (ran == 0) GTEST_SKIP() << "neither lxi (lxi-tools) nor python3-pyvisa-py is installed";
}

}  // namespace
}  // namespace cyclerd::hil
