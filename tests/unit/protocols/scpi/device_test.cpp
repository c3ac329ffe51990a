// A whole instrument over a fake connection in virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "protocols/scpi/text_client.hpp"
#include "protocols/scpi/text_device.hpp"
#include "tests/unit/protocols/scpi/example.hpp"
#include "tests/unit/protocols/scpi/fake_stream.hpp"

namespace cyclerd::scpi {
namespace {

using testing::Contains;
using testing::HasSubstr;

class TextDevice : public testing::TestWithParam<bool> {
 protected:
  TextDevice() {
    instrument_.answer = [this](const std::string& m) { return state_.answer(m); };
    text::Diagnostics diagnostics;
    description_ = loaded(manual_example(), diagnostics);
    if (!description_) ADD_FAILURE() << diagnostics.render();
  }
  std::unique_ptr<device::Device> make() {
    line_ = std::make_shared<TextLine>(std::make_unique<FakeStream>(instrument_, GetParam(), clock_), clock_);
    return make_text_device(description_, line_, {}, device::default_site(*description_), clock_);
  }
  static base::Setpoint charge(double current_A) {
    base::Setpoint s;
    s.control = base::Control::current;
    s.current_A = current_A;
    s.voltage_max_V = 4.2;
    s.voltage_min_V = 2.5;
    return s;
  }

  base::VirtualClock clock_;
  ExampleInstrument state_;
  FakeInstrument instrument_;
  std::shared_ptr<const device::Description> description_;
  std::shared_ptr<TextLine> line_;
};

TEST_P(TextDevice, OpensMeasuresChargesAndIsMadeSafe) {
  const auto d = make();
  const base::Status opened = d->open();
  ASSERT_TRUE(opened) << opened.error().text();
  EXPECT_EQ(d->identity().model.view(), "MT-1");
  EXPECT_EQ(d->identity().serial.view(), "4711");
  EXPECT_EQ(std::count(instrument_.heard.begin(), instrument_.heard.end(), "*IDN?"), 1) << "one query for all fields";
  const base::Status applied = d->apply(charge(1.25));
  ASSERT_TRUE(applied) << applied.error().text();
  EXPECT_EQ(state_.volt, 4.2);
  EXPECT_EQ(state_.limit, 1.25);
  EXPECT_TRUE(state_.output);
  base::Reading r;
  ASSERT_TRUE(d->read(r));
  EXPECT_EQ(r.voltage_V, 3.7);
  EXPECT_EQ(r.current_A, -1.25);
  EXPECT_EQ(r.output_on, 1);
  EXPECT_EQ(r.regulation, base::Regulation::current);
  ASSERT_TRUE(d->make_safe());
  EXPECT_FALSE(state_.output);
}

TEST_P(TextDevice, ARefusalInTheErrorQueueIsAnErrorAndTheLineStaysInStep) {
  const auto d = make();
  ASSERT_TRUE(d->open());
  const auto plain = instrument_.answer;
  instrument_.answer = [&](const std::string& m) {
    if (!m.starts_with(":VOLT ")) return plain(m);
    state_.error = "-222,\"Data out of range\"";
    return std::string{};
  };
  const base::Status applied = d->apply(charge(1.0));
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, base::ErrorCode::refused);
  EXPECT_THAT(applied.error().text(), HasSubstr("-222 Data out of range"));
  base::Reading r;
  EXPECT_TRUE(d->read(r));
}

// The heart of it: whatever question is answered late, no later question gets that answer.
TEST_P(TextDevice, ALateReplyAtAnyPositionIsNeverAnotherAnswer) {
  for (const int late_ms : {300, 700, 999}) {
    std::size_t messages = 0;
    for (std::size_t position = 0; position == 0 || position < messages; ++position) {
      state_ = {};
      instrument_.heard.clear();
      instrument_.delays = {{position, base::milliseconds(late_ms)}};
      const auto d = make();
      for (int tries = 0; tries < 3 && !d->is_open(); ++tries) (void)d->open();
      ASSERT_TRUE(d->is_open()) << position;
      for (int k = 0; k < 4; ++k) {
        base::Reading r;
        if (const base::Status read = d->read(r); read) {
          EXPECT_EQ(r.voltage_V, 3.7) << "late at " << position;
          EXPECT_EQ(r.current_A, -1.25) << "late at " << position;
          EXPECT_EQ(r.output_on, state_.output ? 1 : 0) << "late at " << position;
        }
        if (const base::Status done = d->apply(charge(1.0 + k)); done) {
          EXPECT_EQ(state_.limit, 1.0 + k) << "late at " << position;
          EXPECT_TRUE(state_.output) << "late at " << position;
        }
        // A mismatch after a late reply asks for open(); nothing may have been believed.
        for (int tries = 0; tries < 3 && !d->is_open(); ++tries) (void)d->open();
      }
      bool safe = false;
      for (int tries = 0; tries < 3 && !safe; ++tries) safe = d->make_safe().has_value();
      EXPECT_TRUE(safe) << position;
      EXPECT_FALSE(state_.output) << position;
      messages = instrument_.heard.size();
      // Not for ever: afterwards it works again.
      base::Reading r;
      bool reads = false;
      for (int tries = 0; tries < 3 && !reads; ++tries) reads = d->read(r).has_value();
      EXPECT_TRUE(reads) << position;
    }
    EXPECT_GT(messages, 60U);
  }
}

TEST_P(TextDevice, MakeSafeIsNotHeldBackByADoubt) {
  const auto d = make();
  ASSERT_TRUE(d->open());
  ASSERT_TRUE(d->apply(charge(1.0)));
  instrument_.delays = {{instrument_.heard.size(), base::milliseconds(900)}};
  base::Reading r;
  ASSERT_FALSE(d->read(r));
  const base::MonoTime before = clock_.now();
  const std::size_t heard = instrument_.heard.size();
  const auto plain = instrument_.answer;
  base::MonoTime off_at;
  instrument_.answer = [&](const std::string& m) {
    if (m.starts_with(":OUTP OFF") && off_at.us == 0) off_at = clock_.now();
    return plain(m);
  };
  EXPECT_TRUE(d->make_safe());
  EXPECT_EQ(instrument_.heard[heard], ":OUTP OFF, (@2)") << "the first message";
  EXPECT_LE((off_at - before).us, 30'000);
  EXPECT_FALSE(state_.output);
}

TEST_P(TextDevice, GarbageIsNoValueAndPutsTheLineOutOfStep) {
  const auto d = make();
  ASSERT_TRUE(d->open());
  const auto plain = instrument_.answer;
  int asked = 0;
  instrument_.answer = [&](const std::string& m) {
    if (m == ":MEAS:VOLT? (@2)" && asked++ == 0) return std::string{"3.7?\n"};
    return plain(m);
  };
  base::Reading r;
  const base::Status first = d->read(r);
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, base::ErrorCode::protocol);
  const std::size_t heard = instrument_.heard.size();
  EXPECT_TRUE(d->read(r));
  EXPECT_EQ(instrument_.heard[heard], "*CLS");
  EXPECT_EQ(instrument_.heard[heard + 1], "*OPC?");
  EXPECT_EQ(instrument_.heard[heard + 2], "*IDN?") << "the canary";
}

TEST_P(TextDevice, AReplyLongerThanTheBufferIsRefused) {
  const auto d = make();
  ASSERT_TRUE(d->open());
  instrument_.answer = [](const std::string&) { return std::string(kLongestReply + 1, '1'); };
  base::Reading r;
  const base::Status read = d->read(r);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().text(), HasSubstr("longer than"));
}

TEST_P(TextDevice, NotANumberIsAbsentNotData) {
  const auto d = make();
  ASSERT_TRUE(d->open());
  const auto plain = instrument_.answer;
  instrument_.answer = [&](const std::string& m) { return m == ":MEAS:VOLT? (@2)" ? "9.91E37\n" : plain(m); };
  base::Reading r;
  ASSERT_TRUE(d->read(r));
  EXPECT_TRUE(std::isnan(r.voltage_V));
  EXPECT_NE(r.flags & base::flag::kInvalid, 0U);
}

INSTANTIATE_TEST_SUITE_P(Wires, TextDevice, testing::Bool(),
                         [](const auto& test) { return test.param ? "serial" : "tcp"; });

TEST(SharedLine, TheChannelIsSelectedOnlyWhenItChanges) {
  base::VirtualClock clock;
  FakeInstrument instrument;
  std::string selected = "0";
  instrument.answer = [&](const std::string& m) -> std::string {
    if (m.starts_with("INST:NSEL ")) return selected = m.substr(10), "";
    if (m == "*OPC?") return "1\n";
    if (m == ":MEAS:VOLT?") return selected + ".5\n";
    return "";
  };
  auto line = std::make_shared<TextLine>(std::make_unique<FakeStream>(instrument, false, clock), clock);
  const auto manners = [](const char* channel) {
    TextManners m;
    m.channel = channel;
    m.layer.select = {{device::TextPiece::Kind::literal, "INST:NSEL ", -1, {}},
                      {device::TextPiece::Kind::channel, "", -1, {}}};
    return m;
  };
  TextClient one(line, manners("1"), clock);
  TextClient two(line, manners("2"), clock);
  ASSERT_TRUE(one.connect());
  ASSERT_TRUE(two.connect());
  EXPECT_EQ(one.ask(":MEAS:VOLT?").value(), "1.5");
  EXPECT_EQ(one.ask(":MEAS:VOLT?").value(), "1.5");
  EXPECT_EQ(two.ask(":MEAS:VOLT?").value(), "2.5");
  EXPECT_EQ(one.ask(":MEAS:VOLT?").value(), "1.5");
  EXPECT_EQ(std::count(instrument.heard.begin(), instrument.heard.end(), "INST:NSEL 1"), 2);
  EXPECT_EQ(std::count(instrument.heard.begin(), instrument.heard.end(), "INST:NSEL 2"), 1);
  // What one doubts is renewed for both, and the channel is not known any more.
  EXPECT_FALSE(one.ask("NONSENSE?"));
  EXPECT_FALSE(two.is_connected());
  ASSERT_TRUE(two.connect());
  EXPECT_EQ(two.ask(":MEAS:VOLT?").value(), "2.5");
}

TEST(Acknowledge, IsJudgedAndARefusalIsOne) {
  base::VirtualClock clock;
  FakeInstrument instrument;
  std::string reply = "OK\r";
  instrument.terminator = "\r";
  instrument.answer = [&](const std::string& m) { return m == "IDN?" ? "LAMBDA\r" : reply; };
  auto line = std::make_shared<TextLine>(std::make_unique<FakeStream>(instrument, true, clock), clock);
  TextManners m;
  m.layer.terminator = m.layer.reply_terminator = "\r";
  m.layer.refused = {"E0*", "C0*"};
  TextClient client(line, m, clock);
  ASSERT_TRUE(client.connect());
  ASSERT_TRUE(client.ask("IDN?"));
  EXPECT_TRUE(client.tell("PV 4.2", "OK", {}));
  reply = "C01\r";
  const base::Status refused = client.tell("PV 99", "OK", {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::refused);
  EXPECT_TRUE(client.is_connected());
  reply = "4.2\r";
  EXPECT_EQ(client.tell("PV 4.2", "OK", {}).error().code, base::ErrorCode::protocol);
  EXPECT_FALSE(client.is_connected());
}

struct Damage {
  const char* what;
  const char* old;
  const char* replacement;
  const char* code;
};
class DamagedText : public testing::TestWithParam<Damage> {};

TEST_P(DamagedText, IsRefusedWithItsCode) {
  text::Diagnostics diagnostics;
  EXPECT_FALSE(loaded(with(manual_example(), GetParam().old, GetParam().replacement), diagnostics));
  EXPECT_THAT(diagnostics.render(), HasSubstr(GetParam().code)) << GetParam().what;
}

INSTANTIATE_TEST_SUITE_P(All, DamagedText,
                         testing::Values(Damage{"place", "{value:.4f}", "{valve:.4f}", "D080"},
                                         Damage{"format", "{value:.4f}", "{value:.4q}", "D080"},
                                         Damage{"open", "{value:.4f}", "{value:.4f", "D080"},
                                         Damage{"constant_set", ":FUNC {value}", ":FUNC CURR", "D080"},
                                         Damage{"terminator", "terminator = \"\\n\"", "terminator = \"\"", "D081"},
                                         Damage{"words", "words = { CURR = 1, VOLT = 2 }", "", "D083"},
                                         Damage{"two_questions", ":MEAS:VOLT? (@{channel})", ":MEAS:VOLT?;:MEAS:CURR?",
                                                "D089"},
                                         Damage{"channel", "channel = \"$channel\"", "", "D085"},
                                         Damage{"command", "send = \"clear\"", "send = \"clean\"", "D087"}),
                         [](const auto& test) { return test.param.what; });

}  // namespace
}  // namespace cyclerd::scpi
