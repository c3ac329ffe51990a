#include "protocols/device/composite_device.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "protocols/base/latch.hpp"

namespace cyclerd::device {
namespace {

using base::milliseconds;
using base::seconds;
using base::Status;
using testing::ElementsAre;
using testing::HasSubstr;

// How a call goes wrong: nothing happens and it says so; it happens and it says that it did not; it says that it
// happened and it did not.
enum class Fault { none, refuses, doubts, lies };

// What all parts see: the order of calls, and what conducts after each.
struct Bench {
  base::VirtualClock clock{base::MonoTime{}};
  std::vector<std::string> log;
  bool source_on = false;
  bool sink_on = false;
  bool both = false;  // for one moment at least
  int calls = 0;
  int fault_at = -1;  // the call that goes wrong, counted over all parts
  Fault fault = Fault::none;

  Fault next(const std::string& what) {
    log.push_back(what);
    return calls++ == fault_at ? fault : Fault::none;
  }
  void look() { both = both || (source_on && sink_on); }
};

class FakePart final : public Device {
 public:
  FakePart(Bench& bench, Part part) : bench_(bench), part_(part) {
    capability_.kind = part == Part::voltmeter || part == Part::shunt ? DeviceKind::sensor : DeviceKind::cycler;
    capability_.off_means = OffMeans::open;
    capability_.voltage_max_V = part == Part::source ? 60.0 : 150.0;
    capability_.voltage_min_V = part == Part::source ? 0.0 : 0.5;
    capability_.can_charge = part == Part::source ? 1 : 0;
    capability_.can_discharge = part == Part::sink ? 1 : 0;
    capability_.current_max_A = part == Part::source ? 10.0 : 0.0;
    capability_.current_min_A = part == Part::sink ? -20.0 : 0.0;
    values.voltage_V = 3.7;
    values.current_A = 0.0;
    identity_.maker = "Fake";
    identity_.model = to_string(part);
    identity_.serial = to_string(part);
  }

  Status open() override {
    return act("open", [this] { turn(false); });
  }
  void close() noexcept override {}
  [[nodiscard]] bool is_open() const noexcept override { return true; }
  Status read(base::Reading& reading) override {
    const Fault fault = bench_.next(name("read"));
    bench_.clock.advance(read_cost);
    if (fault != Fault::none) return failed();
    reading = values;
    reading.output_on = on ? 1 : 0;
    if (!on && part_ != Part::shunt) reading.current_A = 0.0;
    reading.sent = bench_.clock.now() - read_cost;
    reading.received = bench_.clock.now();
    return {};
  }
  Status apply(const base::Setpoint& s) override {
    const bool rest = s.control == base::Control::rest;
    return act(rest ? "off" : "on", [&] {
      setpoint = s;
      values.current_A = s.current_A;
      turn(!rest);
    });
  }
  Status apply(const base::ChamberSetpoint&) override { return failed(); }
  Status make_safe() override {
    return act("safe", [this] { turn(false); });
  }
  Status protect(const Protections& p) override {
    protections = p;
    return act("protect", [] {});
  }
  Status feed_watchdog() override {
    return act("feed", [] {});
  }
  Status release() override {
    return act("release", [] {});
  }
  [[nodiscard]] const Capability& capability() const noexcept override { return capability_; }
  [[nodiscard]] const Identity& identity() const noexcept override { return identity_; }

  Capability capability_;
  Identity identity_;
  base::Reading values;
  base::Setpoint setpoint;
  Protections protections;
  base::Duration read_cost;
  bool on = false;

 private:
  [[nodiscard]] std::string name(const char* what) const { return std::string{to_string(part_)} + " " + what; }
  static Status failed() { return base::failure(base::ErrorCode::timeout, "fake", "as the test wants it"); }
  template <class Do>
  Status act(const char* what, Do&& happens) {
    const Fault fault = bench_.next(name(what));
    if (fault != Fault::refuses && fault != Fault::lies) happens();
    bench_.look();
    return fault == Fault::refuses || fault == Fault::doubts ? failed() : Status{};
  }
  void turn(bool is_on) {
    on = is_on;
    if (part_ == Part::source) bench_.source_on = on;
    if (part_ == Part::sink) bench_.sink_on = on;
  }

  Bench& bench_;
  Part part_;
};

struct CompositeTest : testing::Test {
  void make(bool relay = false, bool voltmeter = false, bool shunt = false) {
    CompositeParts devices;
    const auto add = [&](Part part, bool wanted, FakePart*& fake) {
      if (!wanted) return;
      auto device = std::make_unique<FakePart>(bench, part);
      fake = device.get();
      devices[part] = std::move(device);
    };
    add(Part::source, true, source);
    add(Part::sink, true, sink);
    add(Part::relay, relay, relay_part);
    add(Part::voltmeter, voltmeter, meter);
    add(Part::shunt, shunt, shunt_part);
    composite = make_composite_device(std::move(devices), options, bench.clock);
  }
  void open() {
    ASSERT_TRUE(composite->open());
    bench.clock.advance(seconds(10));
    bench.log.clear();
  }
  Status current(double current_A) {
    base::Setpoint s;
    s.control = base::Control::current;
    s.current_A = current_A;
    s.voltage_max_V = 4.2;
    s.voltage_min_V = 2.5;
    return composite->apply(s);
  }
  Status rest() { return composite->apply(base::Setpoint{}); }
  base::Reading read() {
    base::Reading r;
    const Status status = composite->read(r);
    EXPECT_TRUE(status) << status.error().text();
    return r;
  }

  Bench bench;
  CompositeOptions options;
  FakePart* source = nullptr;
  FakePart* sink = nullptr;
  FakePart* relay_part = nullptr;
  FakePart* meter = nullptr;
  FakePart* shunt_part = nullptr;
  std::unique_ptr<Device> composite;
};

TEST_F(CompositeTest, TheOtherSideIsOffAndReadBackBeforeOneIsSwitchedOn) {
  make();
  open();
  ASSERT_TRUE(current(2.0));
  EXPECT_THAT(bench.log, ElementsAre("sink read", "source on"));
  bench.log.clear();
  ASSERT_TRUE(current(-3.0));
  EXPECT_THAT(bench.log, ElementsAre("source off", "source read", "sink on"));
  bench.log.clear();
  ASSERT_TRUE(current(-4.0));  // the same side: one set-point
  EXPECT_THAT(bench.log, ElementsAre("sink on"));
  EXPECT_DOUBLE_EQ(sink->setpoint.current_A, -4.0);
  bench.log.clear();
  ASSERT_TRUE(rest());
  EXPECT_THAT(bench.log, ElementsAre("sink off", "sink read", "source off", "source read"));
  EXPECT_FALSE(bench.both);
}

TEST_F(CompositeTest, DeadTimeLiesBetweenVerifiedOffAndTheOtherSidesOn) {
  options.dead_time = milliseconds(100);
  make();
  open();
  ASSERT_TRUE(current(2.0));
  const base::MonoTime before = bench.clock.now();
  ASSERT_TRUE(current(-2.0));
  EXPECT_EQ((bench.clock.now() - before).us, 100'000);
}

TEST_F(CompositeTest, DeadTimeCountsFromTheVerifiedOffOfARest) {
  options.dead_time = milliseconds(100);
  make();
  for (const auto& [waited_us, left_us] : {std::pair{99'999, 1}, {100'000, 0}, {100'001, 0}, {0, 100'000}}) {
    open();
    ASSERT_TRUE(current(2.0));
    ASSERT_TRUE(rest());
    bench.clock.advance(base::microseconds(waited_us));
    const base::MonoTime before = bench.clock.now();
    ASSERT_TRUE(current(-2.0));
    EXPECT_EQ((bench.clock.now() - before).us, left_us) << "after a rest of " << waited_us;
  }
}

TEST_F(CompositeTest, ASecondRestDoesNotBeginTheDeadTimeAnew) {
  make();
  open();
  ASSERT_TRUE(current(2.0));
  ASSERT_TRUE(rest());
  bench.clock.advance(milliseconds(90));
  ASSERT_TRUE(rest());
  const base::MonoTime before = bench.clock.now();
  ASSERT_TRUE(current(-2.0));
  EXPECT_EQ((bench.clock.now() - before).us, 10'000);
}

TEST_F(CompositeTest, ATripDuringTheDeadTimeKeepsTheOtherSideOff) {
  base::Latch latch;
  options.latch = &latch;
  make();
  open();
  ASSERT_TRUE(current(2.0));
  latch.trip(1);
  const Status done = current(-2.0);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, base::ErrorCode::refused);
  EXPECT_FALSE(bench.sink_on);
}

TEST_F(CompositeTest, ASideThatStaysOnForbidsTheOther) {
  make();
  open();
  ASSERT_TRUE(current(2.0));
  bench.fault = Fault::lies;
  bench.fault_at = bench.calls;  // the source's off
  const Status done = current(-2.0);
  ASSERT_FALSE(done);
  EXPECT_THAT(std::string{done.error().detail.view()}, HasSubstr("source reads back on"));
  EXPECT_FALSE(bench.both);
  EXPECT_FALSE(bench.sink_on);
}

TEST_F(CompositeTest, ASideThatAPanelSwitchedOnForbidsTheOther) {
  make();
  open();
  sink->on = true;
  ASSERT_FALSE(current(2.0));
  EXPECT_FALSE(bench.source_on);
}

TEST_F(CompositeTest, BothOnIsAnAlarm) {
  make();
  open();
  ASSERT_TRUE(current(2.0));
  sink->on = true;
  const base::Reading r = read();
  EXPECT_EQ(r.alarm, 1);
  EXPECT_NE(r.status & composite_status::kBothOn, 0U);
}

TEST_F(CompositeTest, MakeSafeTriesEveryPartAndReportsTheFirstFailure) {
  make(true);
  open();
  ASSERT_TRUE(current(-2.0));
  bench.log.clear();
  ASSERT_TRUE(composite->make_safe());
  EXPECT_THAT(bench.log, ElementsAre("sink safe", "source safe", "relay safe"));
  for (int failing = 0; failing < 3; ++failing) {
    ASSERT_TRUE(composite->open());
    bench.clock.advance(seconds(1));
    ASSERT_TRUE(current(2.0));
    bench.log.clear();
    bench.fault = Fault::refuses;
    bench.fault_at = bench.calls + failing;
    EXPECT_FALSE(composite->make_safe());
    EXPECT_THAT(bench.log, ElementsAre("source safe", "sink safe", "relay safe")) << failing;
    bench.fault_at = -1;
    EXPECT_TRUE(composite->make_safe());
  }
}

TEST_F(CompositeTest, TheRelayClosesBeforeTheCurrentAndOpensAfterIt) {
  make(true);
  open();
  ASSERT_TRUE(current(2.0));
  EXPECT_THAT(bench.log, ElementsAre("sink read", "relay on", "relay read", "source on"));
  EXPECT_NE(read().status & composite_status::kRelayClosed, 0U);
  bench.log.clear();
  ASSERT_TRUE(current(-2.0));  // stays closed between the sides
  EXPECT_THAT(bench.log, ElementsAre("source off", "source read", "sink on"));
  bench.log.clear();
  ASSERT_TRUE(rest());
  EXPECT_THAT(bench.log, ElementsAre("sink off", "sink read", "source off", "source read", "relay off", "relay read"));
}

// Whatever single call goes wrong, in whatever way: never do both conduct, what reports safe is safe, and what was
// demanded after it still works.
TEST_F(CompositeTest, NoSingleFailureLetsBothConduct) {
  for (const Fault fault : {Fault::refuses, Fault::doubts, Fault::lies}) {
    int longest = 1;
    for (int at = 0; at < longest; ++at) {
      bench = Bench{};
      make(true, true, true);
      bench.fault = fault;
      bench.fault_at = at;
      const auto safe = [&] {
        // Off reported by a part that lies is found by the next reading at the latest, as the port does.
        for (int attempt = 0; attempt < 3; ++attempt) {
          base::Reading r;
          if (composite->make_safe() && composite->read(r) && r.output_on == 0) return;
        }
        ADD_FAILURE() << "not safe after three attempts, fault at call " << at;
      };
      if (!composite->open()) {
        ASSERT_TRUE(composite->open());
      }
      for (const double wish_A : {2.0, -2.0, 2.0, 0.0, -2.0, -3.0, 2.0}) {
        const Status done = wish_A == 0.0 ? rest() : current(wish_A);
        if (!done) safe();
        EXPECT_FALSE(bench.both) << "fault at call " << at << ": " << bench.log.back();
        base::Reading r;
        if (!composite->read(r)) safe();
        if (done && r.alarm == 0 && wish_A > 0.0) {
          EXPECT_FALSE(bench.sink_on) << at;
        }
        if (done && r.alarm == 0 && wish_A < 0.0) {
          EXPECT_FALSE(bench.source_on) << at;
        }
      }
      safe();
      EXPECT_FALSE(bench.source_on || bench.sink_on);
      EXPECT_FALSE(bench.both);
      longest = std::max(longest, bench.calls);
    }
    EXPECT_GT(longest, 40);
  }
}

TEST_F(CompositeTest, BothSidesAreOpenedAlthoughOneFails) {
  make(true, true, true);
  bench.fault = Fault::refuses;
  bench.fault_at = 0;
  const Status opened = composite->open();
  ASSERT_FALSE(opened);
  EXPECT_THAT(std::string{opened.error().detail.view()}, HasSubstr("source"));
  EXPECT_THAT(bench.log, ElementsAre("source open", "sink open"));
  EXPECT_FALSE(composite->is_open());
  EXPECT_FALSE(current(1.0));
}

TEST_F(CompositeTest, SourceAndSinkMayNotBeOneInstrument) {
  make();
  sink->identity_ = source->identity_;
  const Status opened = composite->open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, base::ErrorCode::mismatch);
}

TEST_F(CompositeTest, OneSignedReadingOfBoth) {
  make();
  open();
  ASSERT_TRUE(current(2.0));
  source->values.voltage_V = 3.81;
  base::Reading r = read();
  EXPECT_DOUBLE_EQ(r.current_A, 2.0);
  EXPECT_DOUBLE_EQ(r.voltage_V, 3.81);
  EXPECT_EQ(r.output_on, 1);
  ASSERT_TRUE(current(-1.5));
  sink->values.voltage_V = 3.59;
  sink->values.regulation = base::Regulation::current;
  r = read();
  EXPECT_DOUBLE_EQ(r.current_A, -1.5);
  EXPECT_DOUBLE_EQ(r.voltage_V, 3.59);
  EXPECT_EQ(r.regulation, base::Regulation::current);
  ASSERT_TRUE(rest());
  r = read();
  EXPECT_DOUBLE_EQ(r.voltage_V, 3.59);  // a load senses the cell when it is off, too
  EXPECT_EQ(r.output_on, 0);
  EXPECT_EQ(r.regulation, base::Regulation::off);
}

TEST_F(CompositeTest, TheReadingsMomentsSpanThoseOfItsParts) {
  make(false, true, true);
  open();
  for (FakePart* part : {source, sink, meter, shunt_part}) part->read_cost = milliseconds(3);
  const base::MonoTime before = bench.clock.now();
  const base::Reading r = read();
  EXPECT_EQ(r.sent, before);
  EXPECT_EQ((r.received - r.sent).us, 12'000);
}

TEST_F(CompositeTest, VoltmeterAndShuntGoBeforeTheInstrumentsOwnMeters) {
  make(false, true, true);
  open();
  ASSERT_TRUE(current(2.0));
  meter->values.voltage_V = 3.651;
  shunt_part->values.current_A = 1.993;
  const base::Reading r = read();
  EXPECT_DOUBLE_EQ(r.voltage_V, 3.651);
  EXPECT_DOUBLE_EQ(r.current_A, 1.993);
}

TEST_F(CompositeTest, AFailingPartFailsTheReading) {
  make(false, true);
  open();
  for (int i = 0; i < 3; ++i) {
    bench.fault = Fault::refuses;
    bench.fault_at = bench.calls + i;
    base::Reading r;
    EXPECT_FALSE(composite->read(r)) << i;
  }
}

TEST_F(CompositeTest, AWrongSignInADescriptionIsFound) {
  make();
  open();
  ASSERT_TRUE(current(-2.0));
  base::Reading r;
  sink->values.current_A = 0.40;  // 2 % of 20 A: noise at the most
  EXPECT_TRUE(composite->read(r));
  sink->values.current_A = 0.41;
  const Status wrong = composite->read(r);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(std::string{wrong.error().detail.view()}, HasSubstr("sign"));
}

struct Agreements : CompositeTest {
  // True when the reading carries the alarm after the difference has lasted for `lasted`.
  bool alarms(double difference_V, base::Duration lasted) {
    meter->values.voltage_V = source->values.voltage_V;
    read();
    meter->values.voltage_V = source->values.voltage_V + difference_V;
    read();
    bench.clock.advance(lasted);
    const base::Reading r = read();
    disagreed = (r.status & composite_status::kVoltageDisagrees) != 0;
    return r.alarm != 0;
  }
  void SetUp() override {
    options.voltage.tolerance = 0.0625;  // exact in binary
    options.voltage.dwell = seconds(2);
  }
  void charge() {
    make(false, true);
    open();
    ASSERT_TRUE(current(2.0));
    source->values.voltage_V = 3.75;
  }
  bool disagreed = false;
};

TEST_F(Agreements, VoltagesThatDisagreeAlarmBeyondToleranceAndDwell) {
  charge();
  EXPECT_FALSE(alarms(0.0625, seconds(10)));         // at the tolerance
  EXPECT_FALSE(alarms(0.0626, milliseconds(1999)));  // beyond, not long enough
  EXPECT_TRUE(alarms(0.0626, milliseconds(2000)));
  EXPECT_TRUE(alarms(-0.0626, milliseconds(2000)));
  EXPECT_FALSE(alarms(0.0, seconds(10)));
}

TEST_F(Agreements, AWarningIsAStatusBitAndNoAlarm) {
  options.disagreement_alarms = false;
  charge();
  EXPECT_FALSE(alarms(0.1, seconds(3)));
  EXPECT_TRUE(disagreed);
}

TEST_F(Agreements, AtRestNothingIsCompared) {
  charge();
  ASSERT_TRUE(rest());
  EXPECT_FALSE(alarms(1.0, seconds(10)));
  EXPECT_FALSE(disagreed);
}

TEST_F(Agreements, WithoutAVoltmeterTheLoadSensesWhatTheSupplyFeeds) {
  make();
  open();
  ASSERT_TRUE(current(2.0));
  sink->values.voltage_V = source->values.voltage_V + 1.0;
  read();
  bench.clock.advance(seconds(2));
  EXPECT_EQ(read().alarm, 1);
  ASSERT_TRUE(current(-2.0));  // an idle supply's voltage says nothing
  read();
  bench.clock.advance(seconds(5));
  EXPECT_EQ(read().alarm, 0);
}

TEST_F(Agreements, AShuntIsHeldAgainstTheSumOfTheParts) {
  options.current.tolerance = 0.125;
  make(false, false, true);
  open();
  ASSERT_TRUE(current(2.0));
  shunt_part->values.current_A = 1.5;
  read();
  bench.clock.advance(seconds(2));
  const base::Reading r = read();
  EXPECT_EQ(r.alarm, 1);
  EXPECT_NE(r.status & composite_status::kCurrentDisagrees, 0U);
}

TEST_F(CompositeTest, ZeroCurrentChangesNoSides) {
  make();
  open();
  ASSERT_TRUE(current(-2.0));
  bench.log.clear();
  ASSERT_TRUE(current(0.0));
  EXPECT_THAT(bench.log, ElementsAre("sink on"));
  EXPECT_LT(sink->setpoint.current_A, 0.0);  // a load knows no charge sequence
  EXPECT_GT(sink->setpoint.current_A, -1e-9);
}

TEST_F(CompositeTest, TheSideFollowsThePowerTheResistanceAndTheVoltageAsked) {
  make();
  open();
  base::Setpoint s;
  s.control = base::Control::power;
  s.power_W = -5.0;
  ASSERT_TRUE(composite->apply(s));
  EXPECT_TRUE(bench.sink_on);
  s.control = base::Control::voltage;
  s.voltage_V = 4.0;
  s.current_max_A = 2.0;
  s.current_min_A = 0.0;
  ASSERT_TRUE(composite->apply(s));
  EXPECT_TRUE(bench.source_on);
  s.current_min_A = -2.0;
  s.voltage_V = 3.0;  // below the cell's 3.7 V: only a discharge gets there
  read();
  ASSERT_TRUE(composite->apply(s));
  EXPECT_TRUE(bench.sink_on);
  s.control = base::Control::resistance;
  ASSERT_TRUE(composite->apply(s));
  EXPECT_TRUE(bench.sink_on);
  EXPECT_FALSE(bench.both);
}

TEST_F(CompositeTest, FeedProtectAndReleaseReachEveryPart) {
  make(true);
  open();
  EXPECT_TRUE(composite->feed_watchdog());
  EXPECT_THAT(bench.log, ElementsAre("source feed", "sink feed", "relay feed"));
  bench.fault = Fault::refuses;
  bench.fault_at = bench.calls;
  bench.log.clear();
  EXPECT_FALSE(composite->feed_watchdog());
  EXPECT_THAT(bench.log, ElementsAre("source feed", "sink feed", "relay feed"));
  EXPECT_TRUE(
      composite->protect({.voltage_max_V = 4.3, .voltage_min_V = 2.0, .current_max_A = 3, .current_min_A = -3}));
  EXPECT_DOUBLE_EQ(source->protections.voltage_max_V, 4.3);
  EXPECT_DOUBLE_EQ(sink->protections.current_min_A, -3);
  EXPECT_TRUE(composite->release());
}

TEST(MergedCapability, ChargesAsTheSourceAndDischargesAsTheSink) {
  Capability source;
  source.voltage_min_V = 0.0;
  source.voltage_max_V = 60.0;
  source.current_max_A = 10.0;
  source.can_charge = 1;
  source.native_cv = 1;
  source.off_means = OffMeans::open;
  source.watchdog = WatchdogKind::programmable;
  source.watchdog_timeout = seconds(5);
  Capability sink;
  sink.voltage_min_V = 0.5;
  sink.voltage_max_V = 150.0;
  sink.current_min_A = -20.0;
  sink.can_discharge = 1;
  sink.off_means = OffMeans::zero_ampere;
  sink.watchdog = WatchdogKind::fixed;
  sink.watchdog_timeout = seconds(10);
  sink.min_scan = milliseconds(50);
  Capability both = merge_capability(source, sink, false);
  EXPECT_DOUBLE_EQ(both.voltage_min_V, 0.5);
  EXPECT_DOUBLE_EQ(both.voltage_max_V, 60.0);
  EXPECT_DOUBLE_EQ(both.current_max_A, 10.0);
  EXPECT_DOUBLE_EQ(both.current_min_A, -20.0);
  EXPECT_EQ(both.native_cv, 0);
  EXPECT_EQ(both.off_means, OffMeans::zero_ampere);
  EXPECT_EQ(both.watchdog_timeout, seconds(5));
  EXPECT_EQ(both.min_scan, milliseconds(50));
  EXPECT_EQ(merge_capability(source, sink, true).off_means, OffMeans::open);
  sink.native_cv = 1;
  sink.voltage_min_V = base::kAbsent;
  both = merge_capability(source, sink, false);
  EXPECT_EQ(both.native_cv, 1);
  EXPECT_TRUE(std::isnan(both.voltage_min_V));
}

}  // namespace
}  // namespace cyclerd::device
