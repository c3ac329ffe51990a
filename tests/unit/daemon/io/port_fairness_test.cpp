// One dead slave of eight on a serial line leaves the others their rate: whether the line has time to spare or not, and
// whether the dead one was lost under way or never answered.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/daemon/io/port_fixture.hpp"

namespace cyclerd::io {
namespace {

struct Wire {
  const char* name;
  base::Duration scan;     // poll period of each slave
  base::Duration read;     // what a poll costs on the line
  base::Duration timeout;  // what the dead one costs whenever it is asked
  bool dead_from_the_start;
};
void PrintTo(const Wire& wire, std::ostream* out) {
  *out << wire.name;
}

class OneDeadOfEight : public PortFixture, public testing::WithParamInterface<Wire> {
 protected:
  static constexpr std::uint32_t kSlaves = 8;
  static constexpr std::uint32_t kDead = 3;
  static constexpr base::Duration kLong = seconds(1200);

  // Good readings of each slave in twenty minutes.
  std::vector<double> rates() {
    std::vector<double> counts(kSlaves);
    readings.clear();
    const MonoTime end = clock.now() + kLong;
    while (clock.now() < end) {
      run_for(seconds(1));
      for (const base::Reading& r : readings) counts[r.device] += (r.flags & base::flag::kInvalid) == 0 ? 1 : 0;
      readings.clear();
      notices.clear();
    }
    return counts;
  }
};

TEST_P(OneDeadOfEight, LeavesTheOthersAtNinetyFivePercentOfTheirRate) {
  const Wire& w = GetParam();
  std::vector<FakeDevice*> slaves;
  for (std::uint32_t i = 0; i < kSlaves; ++i) {
    FakeDevice& d = add(DeviceKind::chamber, w.scan, i);
    d.journal = nullptr;
    d.on_read.cost = w.read;
    d.on_open.cost = w.read * 10;
    slaves.push_back(&d);
  }
  if (w.dead_from_the_start) slaves[kDead]->die(w.timeout);
  build();
  run_for(seconds(10));
  // Before: what each got from the line with eight alive (or seven, where the eighth never was).
  std::vector<double> before(kSlaves, kLong.seconds() / w.scan.seconds());
  if (!w.dead_from_the_start) before = rates();
  slaves[kDead]->die(w.timeout);
  run_for(w.timeout * 4);  // three time-outs until it counts as lost
  const std::vector<double> after = rates();
  for (std::uint32_t i = 0; i < kSlaves; ++i) {
    if (i == kDead) continue;
    EXPECT_GT(before[i], 0.0);
    EXPECT_GE(after[i], 0.95 * before[i]) << "slave " << i;
  }
  EXPECT_EQ(after[kDead], 0.0);
  // And it is found when it comes back.
  slaves[kDead]->revive();
  run_for(kLong);
  EXPECT_EQ(health(kDead).link, LinkState::open);
}

INSTANTIATE_TEST_SUITE_P(
    Wires, OneDeadOfEight,
    testing::Values(Wire{"fast", milliseconds(100), milliseconds(5), milliseconds(200), false},
                    Wire{"nearly_full", milliseconds(100), milliseconds(12), milliseconds(520), false},
                    Wire{"overloaded", milliseconds(100), milliseconds(20), milliseconds(520), false},
                    Wire{"slow_line", milliseconds(1000), milliseconds(60), milliseconds(1100), false},
                    Wire{"patient_timeout", milliseconds(500), milliseconds(30), milliseconds(10'000), false},
                    Wire{"never_answered", milliseconds(100), milliseconds(12), milliseconds(520), true}),
    [](const auto& wire) { return std::string(wire.param.name); });

}  // namespace
}  // namespace cyclerd::io
