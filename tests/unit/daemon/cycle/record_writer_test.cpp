#include "daemon/cycle/record_writer.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <utility>

namespace cyclerd::cycle {
namespace {

TEST(FrameRingParts, are_joined_for_the_consumer) {
  base::FrameRing ring(4096);
  const char a[] = {'a', 'b', 'c'};
  const char b[] = {'d'};
  const std::span<const std::byte> parts[] = {std::as_bytes(std::span{a}), {}, std::as_bytes(std::span{b})};
  ASSERT_TRUE(ring.push_parts(parts));
  const auto frame = ring.peek();
  ASSERT_EQ(frame.size(), 4u);
  EXPECT_EQ(std::memcmp(frame.data(), "abcd", 4), 0);
}

TEST(RecordWriter, numbers_frames_by_stream_and_counts_all) {
  base::FrameRing ring(1U << 16);
  RecordWriter writer(ring, true);
  RecordStream one{1, 11};
  RecordStream two{2, 22};
  const profiles::TestEnd end;
  EXPECT_TRUE(writer.put(one, profiles::RecordKind::test_end, end));
  EXPECT_TRUE(writer.put(two, profiles::RecordKind::test_end, end));
  EXPECT_TRUE(writer.put(one, profiles::RecordKind::test_end, end));
  EXPECT_EQ(writer.frames(), 3u);
  EXPECT_EQ(one.sequence, 2u);
  EXPECT_EQ(two.sequence, 1u);
}

TEST(RecordWriter, without_a_journal_hands_over_what_files_hold_under_the_same_numbers) {
  using enum profiles::RecordKind;
  base::FrameRing with_ring(1U << 16);
  base::FrameRing without_ring(1U << 16);
  RecordWriter with(with_ring, true);
  RecordWriter without(without_ring, false);
  RecordStream a{1, 11};
  RecordStream b{1, 11};
  const auto put_all = [](RecordWriter& writer, RecordStream& stream) {
    EXPECT_TRUE(writer.put(stream, input, profiles::Input{}));
    EXPECT_TRUE(writer.put(stream, row, profiles::Row{}));
    EXPECT_TRUE(writer.put(stream, command, base::Command{}));
    EXPECT_TRUE(writer.put(stream, checkpoint, profiles::Checkpoint{}));
    EXPECT_TRUE(writer.put(stream, step_summary, profiles::StepSummary{}));
  };
  put_all(with, a);
  put_all(without, b);
  EXPECT_EQ(a.sequence, b.sequence);
  EXPECT_EQ(with.frames(), 5u);
  EXPECT_EQ(without.frames(), 2u);  // what the recorder counts
  for (const auto& [kind, sequence] : {std::pair{row, 2U}, std::pair{step_summary, 5U}}) {
    profiles::RecordHeader header;
    ASSERT_GE(without_ring.peek().size(), sizeof header);
    std::memcpy(&header, without_ring.peek().data(), sizeof header);
    EXPECT_EQ(header.kind, kind);
    EXPECT_EQ(header.sequence, sequence);
    without_ring.release();
  }
}

TEST(RecordWriter, lost_frames_are_counted_then_told_once) {
  base::FrameRing ring(4096);
  RecordWriter writer(ring, true);
  RecordStream stream{0, 5};
  const base::Event event;
  while (writer.put(stream, profiles::RecordKind::event, event)) {
  }
  EXPECT_FALSE(writer.put(stream, profiles::RecordKind::event, event));
  EXPECT_EQ(stream.lost, 2u);
  const std::uint64_t before = stream.sequence;
  while (!ring.peek().empty()) ring.release();
  EXPECT_TRUE(writer.put(stream, profiles::RecordKind::event, event));
  EXPECT_EQ(stream.lost, 0u);
  EXPECT_EQ(stream.sequence, before + 2);  // the gap event and the frame
  base::Event gap;
  const auto frame = ring.peek();
  std::memcpy(static_cast<void*>(&gap), frame.data() + sizeof(profiles::RecordHeader), sizeof gap);
  EXPECT_EQ(gap.kind, base::EventKind::gap);
  EXPECT_EQ(gap.value, 2.0);
}

}  // namespace
}  // namespace cyclerd::cycle
