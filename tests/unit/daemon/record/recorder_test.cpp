// The recorder from ring to disk: group commits, recovery, disks that fail.
#include "daemon/record/recorder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "daemon/record/journal_reader.hpp"
#include "daemon/record/journal_writer.hpp"
#include "daemon/record/recover.hpp"
#include "daemon/record/stream_reader.hpp"
#include "tests/unit/daemon/record/fixture.hpp"

namespace cyclerd::record {
namespace {

using testing::Bench;
using ::testing::HasSubstr;
using testing::kTest;
using testing::kTestFolder;
using testing::Producer;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

Json about(const std::string& folder) {
  return parse_or_null(*read_text(folder + "/test.json"));
}

TEST(Recorder, AWholeTestIsTheSameInJournalAndStreamAndItsCountersFollowFromItsInputs) {
  const TemporaryFolder folder;
  Bench bench(folder.path());
  bench.open();
  Producer producer(bench.ring, bench.clock);
  producer.begin();
  for (int i = 0; i < 700; ++i) {
    producer.scan();
    if (i % 5 == 0) bench.recorder->run_once();
  }
  producer.event(base::EventKind::note, "half-way");
  profiles::StepSummary step;
  step.step_index = 2;
  step.reason = profiles::EndReason::condition;
  step.reason_text = "voltage <= 2.8 V";
  producer.push(profiles::RecordKind::step_summary, step);
  producer.push(profiles::RecordKind::cycle_summary, profiles::CycleSummary{});
  producer.end();
  bench.recorder->run_once();
  EXPECT_EQ(bench.recorder->durable_frames(), producer.frames());
  EXPECT_EQ(bench.recorder->trouble(), "");
  bench.recorder->finish();

  const std::string test = folder.path() + kTestFolder;
  const auto stream = read_stream_file(test + "/rows.arrows");
  const auto journal = read_test_journal(folder.path(), kTest);
  ASSERT_TRUE(stream.has_value() && journal.has_value());
  EXPECT_TRUE(stream->report.ended);
  EXPECT_TRUE(journal->report.empty()) << journal->report.front();
  EXPECT_EQ(journal->missing_sequences, 0U);
  EXPECT_TRUE(journal->begun && journal->ended);
  ASSERT_EQ(stream->rows.size(), 700U);
  ASSERT_EQ(journal->rows.size(), 700U);
  ASSERT_EQ(journal->inputs.size(), 700U);
  profiles::Fold fold;
  for (std::size_t i = 0; i < 700; ++i) {
    ASSERT_EQ(std::memcmp(&journal->rows[i], &producer.rows[i], sizeof(profiles::Row)), 0);
    ASSERT_TRUE(identical(stream->rows[i], to_table(journal->rows[i])));
    const base::Sample& s = journal->inputs[i].sample;
    fold.add(s.time.us, s.voltage_V, s.current_A);
    const profiles::Throughput t = fold.test.value();
    ASSERT_EQ(std::memcmp(&t, &journal->rows[i].test, sizeof t), 0) << "counters, bit for bit";
  }
  EXPECT_GT(journal->rows.back().test.charge_C, 10.0);
  EXPECT_GT(journal->rows.back().test.discharge_C, 10.0);
  EXPECT_EQ(about(test)["state"], "completed");
  EXPECT_EQ(about(test)["rows"], 700);
  EXPECT_EQ(about(test)["metadata"]["cell"]["name"], "A0001");
  EXPECT_EQ(*read_text(test + "/profile.toml"), "profile = \"demo\"\n");
  const auto steps = read_lines(test + "/steps.jsonl");
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0]["type"], "CC_DCH");
  EXPECT_EQ(steps[0]["end_text"], "voltage <= 2.8 V");
  EXPECT_EQ(read_lines(test + "/events.jsonl").size(), 1U);
  EXPECT_EQ(read_lines(test + "/cycles.jsonl").size(), 1U);
}

TEST(Recorder, CommitsAfterTheIntervalAndAtOnceWhenAnOrderWaits) {
  const TemporaryFolder folder;
  Bench bench(folder.path());
  bench.open();
  Producer producer(bench.ring, bench.clock);
  int commits = 0;
  bench.recorder->on_commit([&] { ++commits; });
  producer.begin();
  bench.recorder->run_once();
  EXPECT_EQ(bench.recorder->durable_frames(), 1U) << "test_begin does not wait";
  producer.event(base::EventKind::note);
  bench.recorder->run_once();
  EXPECT_EQ(bench.recorder->durable_frames(), 1U);
  bench.clock.advance(base::microseconds(199'999));
  bench.recorder->run_once();
  EXPECT_EQ(bench.recorder->durable_frames(), 1U);
  bench.clock.advance(base::microseconds(1));
  bench.recorder->run_once();
  EXPECT_EQ(bench.recorder->durable_frames(), 2U);
  using enum base::EventKind;
  for (const base::EventKind kind : {pause, resume, acknowledge, trip}) {
    producer.event(kind);
    bench.recorder->run_once();
    EXPECT_EQ(bench.recorder->durable_frames(), producer.frames()) << base::to_string(kind);
  }
  producer.push(profiles::RecordKind::checkpoint, profiles::Checkpoint{}, "state");
  bench.recorder->run_once();
  EXPECT_EQ(bench.recorder->durable_frames(), producer.frames());
  EXPECT_EQ(commits, 7);
}

TEST(Recorder, SimulationKeepsTheTestFolderAndNoJournal) {
  const TemporaryFolder folder;
  Bench bench(folder.path());
  bench.config.durable = false;
  bench.open();
  Producer producer(bench.ring, bench.clock, 42);
  producer.begin();
  for (int i = 0; i < 120; ++i) producer.scan();
  producer.end();
  bench.recorder->run_once();
  EXPECT_EQ(bench.recorder->durable_frames(), producer.frames());
  bench.recorder->finish();
  EXPECT_FALSE(fs::exists(folder.path() + "/journal"));
  EXPECT_EQ(read_stream_file(folder.path() + "/tests/42/rows.arrows")->rows.size(), 120U);
}

TEST(Recorder, AnInterruptedTestIsMadeWholeFromTheJournal) {
  const TemporaryFolder folder;
  const std::string test = folder.path() + kTestFolder;
  std::vector<profiles::Row> rows;
  {
    Bench bench(folder.path());
    bench.open();
    Producer producer(bench.ring, bench.clock);
    producer.begin();
    for (int i = 0; i < 137; ++i) producer.scan();
    bench.clock.advance(base::seconds(1));
    producer.event(base::EventKind::pause);
    bench.recorder->run_once();
    rows = producer.rows;
    // The recorder is dropped without finish(): 37 rows are in the journal and in no stream.
  }
  EXPECT_EQ(read_stream_file(test + "/rows.arrows")->rows.size(), 100U);
  fs::resize_file(test + "/rows.arrows", fs::file_size(test + "/rows.arrows") - 3);
  Bench again(folder.path());
  again.open();
  EXPECT_FALSE(again.recorder->recovery_report().empty());
  const auto stream = read_stream_file(test + "/rows.arrows");
  ASSERT_EQ(stream->rows.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_TRUE(identical(stream->rows[i], to_table(rows[i])));
  EXPECT_EQ(about(test)["state"], "interrupted");
  EXPECT_EQ(read_lines(test + "/events.jsonl").size(), 1U);
  EXPECT_THAT(*read_text(folder.path() + "/events.jsonl"), HasSubstr("torn or damaged tail"));

  again.recorder->finish();
  Bench third(folder.path());
  third.open();
  EXPECT_EQ(read_stream_file(test + "/rows.arrows")->rows.size(), rows.size()) << "recovery twice changes nothing";
  EXPECT_EQ(read_lines(test + "/events.jsonl").size(), 1U);
}

TEST(Recorder, ALostFolderIsMadeAgain) {
  const TemporaryFolder folder;
  {
    Bench bench(folder.path());
    bench.open();
    Producer producer(bench.ring, bench.clock);
    producer.begin();
    for (int i = 0; i < 60; ++i) producer.scan();
    producer.event(base::EventKind::trip);
    bench.recorder->run_once();
  }
  fs::remove_all(folder.path() + kTestFolder);
  Bench again(folder.path());
  again.open();
  EXPECT_EQ(read_stream_file(folder.path() + kTestFolder + std::string("/rows.arrows"))->rows.size(), 60U);
  EXPECT_TRUE(fs::exists(folder.path() + kTestFolder + std::string("/profile.toml")));
}

TEST(Recorder, SegmentsAreKeptWhileATestNeedsThemAndRemovedAfterwards) {
  const TemporaryFolder folder;
  Bench bench(folder.path());
  bench.config.segment_bytes = 64 << 10;
  bench.open();
  const auto segments = [&] {
    return std::distance(fs::directory_iterator(folder.path() + "/journal"), fs::directory_iterator());
  };
  Producer producer(bench.ring, bench.clock);
  producer.begin();
  for (int i = 0; i < 1500; ++i) {
    producer.scan();
    bench.recorder->run_once();
  }
  EXPECT_GE(segments(), 8);
  const auto running = read_test_journal(folder.path(), kTest);
  EXPECT_GE(running->rows.size(), 1490U);
  EXPECT_EQ(running->missing_sequences, 0U);
  producer.end();
  bench.recorder->run_once();
  bench.recorder->run_once();
  EXPECT_LE(segments(), 3) << "two kept, perhaps one prepared";
  EXPECT_EQ(read_stream_file(folder.path() + kTestFolder + std::string("/rows.arrows"))->rows.size(), 1500U);
}

// Fails as told.
class BadDisk : public Storage {
 public:
  int write_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset) override {
    if (room >= 0) {
      room -= static_cast<std::int64_t>(bytes.size());
      if (room < 0) {
        room = 0;
        return ENOSPC;
      }
    }
    return Storage::write_at(fd, bytes, offset);
  }
  int sync_data(int fd) override {
    ++syncs;
    return sync_error != 0 ? sync_error : Storage::sync_data(fd);
  }
  std::int64_t room = -1;  // bytes left; -1: without end
  int sync_error = 0;
  int syncs = 0;
};

TEST(Recorder, AFailedSyncKillsTheStoreAndIsNeverRetried) {
  const TemporaryFolder folder;
  BadDisk disk;
  Bench bench(folder.path());
  bench.config.storage = &disk;
  bench.open();
  Producer producer(bench.ring, bench.clock);
  producer.begin();
  bench.recorder->run_once();
  EXPECT_EQ(bench.recorder->durable_frames(), 1U);
  disk.sync_error = EIO;
  producer.event(base::EventKind::pause);
  bench.recorder->run_once();
  EXPECT_EQ(bench.recorder->durable_frames(), 1U) << "never acknowledged";
  EXPECT_THAT(bench.recorder->trouble(), HasSubstr("store is dead"));
  disk.sync_error = 0;
  const int syncs = disk.syncs;
  producer.event(base::EventKind::pause);
  for (int i = 0; i < 5; ++i) {
    bench.clock.advance(base::seconds(2));
    bench.recorder->run_once();
  }
  EXPECT_EQ(disk.syncs, syncs);
  EXPECT_EQ(bench.recorder->durable_frames(), 1U);
  EXPECT_GT(bench.ring.used_bytes(), 0U) << "what cannot be kept stays in the ring, where the cycle sees it";
}

TEST(Recorder, OnAFullDiskTheBallastMakesRoomToSayWhy) {
  const TemporaryFolder folder;
  BadDisk disk;
  Bench bench(folder.path());
  bench.config.storage = &disk;
  bench.config.segment_bytes = 32 << 10;
  bench.config.ballast_bytes = 256 << 10;
  bench.open();
  EXPECT_TRUE(fs::exists(folder.path() + "/ballast.bin"));
  Producer producer(bench.ring, bench.clock);
  producer.begin();
  bench.recorder->run_once();
  disk.room = 20 << 10;  // not enough for another segment
  for (int i = 0; i < 400 && bench.recorder->trouble().empty(); ++i) {
    producer.scan();
    bench.recorder->run_once();
  }
  EXPECT_THAT(bench.recorder->trouble(), HasSubstr("full"));
  EXPECT_FALSE(fs::exists(folder.path() + "/ballast.bin"));
  disk.room = 256 << 10;  // what the ballast gave back
  bench.clock.advance(base::seconds(2));
  producer.event(base::EventKind::pause, "disk");
  bench.recorder->run_once();
  bench.recorder->run_once();
  EXPECT_EQ(bench.recorder->durable_frames(), producer.frames()) << "the orderly pause is on disk";
  const auto journal = read_test_journal(folder.path(), kTest);
  EXPECT_EQ(journal->missing_sequences, 0U);
  EXPECT_EQ(journal->events.back().text.view(), "disk");
  EXPECT_THAT(*read_text(folder.path() + "/events.jsonl"), HasSubstr("the disk is full"));
}

}  // namespace
}  // namespace cyclerd::record
