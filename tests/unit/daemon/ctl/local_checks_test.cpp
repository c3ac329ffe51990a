#include "daemon/ctl/local_checks.hpp"

#include <gtest/gtest.h>

namespace cyclerd::ctl {
namespace {

Machine good_machine() {
  Machine machine;
  machine.kernel = "#1 SMP PREEMPT_RT Debian 6.1";
  machine.rtprio_limit = kNeededRtPriority;
  machine.memlock_limit = kNeededMemlock_bytes;
  machine.dma_latency_exists = machine.dma_latency_writable = true;
  machine.governor = "performance";
  machine.clock_synchronized = true;
  machine.sync_folder = "/var/lib/cyclerd";
  machine.disk_sync_ms = {1.0, 2.0, 3.0};
  return machine;
}

Verdict verdict(const Machine& machine, const std::string& check) {
  for (const Finding& finding : judge_machine(machine)) {
    if (finding.check == check) return finding.verdict;
  }
  ADD_FAILURE() << "no check " << check;
  return Verdict::bad;
}

TEST(JudgeMachine, AGoodMachineHasNothingToMend) {
  for (const Finding& finding : judge_machine(good_machine())) {
    EXPECT_EQ(finding.verdict, Verdict::ok) << finding.check;
    EXPECT_EQ(finding.fix, "") << finding.check;
  }
}

TEST(JudgeMachine, EveryWarningSaysHowToMendIt) {
  Machine machine;
  machine.kernel = "#1 SMP PREEMPT_DYNAMIC";
  machine.dma_latency_exists = true;
  machine.governor = "powersave";
  machine.clock_synchronized = false;
  machine.disk_sync_ms = {500.0};
  int warnings = 0;
  for (const Finding& finding : judge_machine(machine)) {
    if (finding.verdict == Verdict::ok) continue;
    ++warnings;
    EXPECT_NE(finding.fix, "") << finding.check;
  }
  EXPECT_EQ(warnings, 7);
}

TEST(JudgeMachine, LimitsJustBelowAndAt) {
  Machine machine = good_machine();
  machine.rtprio_limit = kNeededRtPriority - 1;
  EXPECT_EQ(verdict(machine, "real-time priority"), Verdict::warning);
  machine.root = true;
  EXPECT_EQ(verdict(machine, "real-time priority"), Verdict::ok);
  machine = good_machine();
  machine.memlock_limit = kNeededMemlock_bytes - 1;
  EXPECT_EQ(verdict(machine, "locked memory"), Verdict::warning);
  machine.memlock_limit = UINT64_MAX;
  EXPECT_EQ(verdict(machine, "locked memory"), Verdict::ok);
}

TEST(JudgeMachine, DiskIsJudgedByItsMedian) {
  Machine machine = good_machine();
  machine.disk_sync_ms = {1.0, kGoodDiskSync_ms, 900.0};
  EXPECT_EQ(verdict(machine, "disk sync"), Verdict::ok);
  machine.disk_sync_ms = {1.0, kGoodDiskSync_ms + 0.1, 900.0};
  EXPECT_EQ(verdict(machine, "disk sync"), Verdict::warning);
  machine.disk_sync_ms = {1.0, kSlowDiskSync_ms, 900.0};
  EXPECT_EQ(verdict(machine, "disk sync"), Verdict::warning);
  machine.disk_sync_ms = {1.0, kSlowDiskSync_ms + 0.1, 900.0};
  EXPECT_EQ(verdict(machine, "disk sync"), Verdict::bad);
}

TEST(LookAtMachine, TimesTheDiskAndLeavesNothingBehind) {
  char folder[] = "/tmp/doctor-test-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const Machine machine = look_at_machine(folder);
  EXPECT_FALSE(machine.disk_sync_ms.empty());
  EXPECT_EQ(machine.sync_folder, folder);
  EXPECT_FALSE(machine.kernel.empty());
  EXPECT_EQ(rmdir(folder), 0);
  EXPECT_TRUE(look_at_machine("/no/such/folder").disk_sync_ms.empty());
}

}  // namespace
}  // namespace cyclerd::ctl
