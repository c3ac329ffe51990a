// A port allocates nothing once its devices are open: counted by replacing operator new in this test program.
#include "tests/support/allocation_count.hpp"
#include "tests/unit/daemon/io/port_fixture.hpp"

namespace cyclerd::io {
namespace {

class PortAllocation : public PortFixture {
 protected:
  void drive(base::Duration d) {
    const MonoTime end = clock.now() + d;
    base::Reading reading;
    Notice notice;
    while (clock.now() < end) {
      const MonoTime next = port->run_once();
      clock.wait_until(std::min(next, end), lanes.to_port);
      while (lanes.readings.pop(reading)) {
      }
      while (lanes.notices.pop(notice)) ++told;
    }
  }
  std::uint64_t told = 0;
};

TEST_F(PortAllocation, NothingInPollsCommandsTripsLossesAndProbes) {
  FakeDevice& cycler = add();
  FakeDevice& chamber = add(DeviceKind::chamber);
  cycler.journal = chamber.journal = nullptr;
  cycler.mutable_capability().watchdog = device::WatchdogKind::fixed;
  cycler.mutable_capability().watchdog_timeout = seconds(2);
  limits.tighten(Cause::voltage_high, 4.25, {});
  build();
  drive(milliseconds(50));
  ASSERT_EQ(health(0).link, LinkState::open);

  const std::uint64_t before = test::allocations();
  LimitUpdate update;
  update.table = limits;
  lanes.limits.push(update);
  send(0, charge());
  send(1, base::ChamberSetpoint{.run = 1, .temperature_degC = 40.0});
  drive(seconds(2));
  cycler.values.voltage_V = 4.3;
  drive(seconds(1));
  send(0, charge(), 2);
  drive(seconds(1));
  cycler.values.voltage_V = 3.7;
  channels[0].latch.clear();
  send(0, charge(), 3);
  drive(seconds(1));
  cycler.die(milliseconds(10));
  drive(seconds(30));
  cycler.revive();
  drive(seconds(60));
  const std::uint64_t during = test::allocations() - before;

  EXPECT_EQ(during, 0U);
  EXPECT_EQ(cause(), Cause::device_lost);
  EXPECT_GE(told, 8U) << "the paths above were taken";
  EXPECT_EQ(health(0).link, LinkState::open);
}

TEST_F(PortAllocation, TheCounterCounts) {
  const std::uint64_t before = test::allocations();
  std::vector<int> something(1000);
  ASSERT_FALSE(something.empty());
  EXPECT_GT(test::allocations(), before);
}

}  // namespace
}  // namespace cyclerd::io
