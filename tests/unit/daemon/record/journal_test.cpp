// The journal: a cut at any byte loses nothing that was acknowledged and is reported; a flipped bit is found.
#include <gtest/gtest.h>

#include "daemon/record/journal_reader.hpp"
#include "daemon/record/journal_writer.hpp"
#include "daemon/record/recover.hpp"
#include "tests/unit/daemon/record/fixture.hpp"

namespace cyclerd::record {
namespace {

using testing::TemporaryFolder;
namespace fs = std::filesystem;

struct Written {
  std::vector<std::byte> bytes;           // of the one segment
  std::vector<std::uint64_t> group_ends;  // offsets where a commit was done
  std::vector<std::uint64_t> frames_in_group;
};

// `groups` commits of `per_group` frames with payloads of odd sizes.
Written write_small(const std::string& folder, int groups, int per_group, bool close) {
  Written out;
  auto writer = JournalWriter::open({folder, 8192, 1, 1, nullptr}, {1'700'000'000'000'000});
  EXPECT_TRUE(writer.has_value()) << writer.error().text();
  std::uint64_t sequence = 0;
  for (int g = 0; g < groups; ++g) {
    for (int i = 0; i < per_group; ++i) {
      ++sequence;
      const std::vector<std::byte> payload(1 + sequence * 7 % 41, static_cast<std::byte>(sequence));
      profiles::RecordHeader header{profiles::RecordKind::audit, 1, 0, 5, sequence};
      EXPECT_TRUE(writer->add(header, payload, {}).has_value());
    }
    EXPECT_TRUE(writer->commit().has_value());
    const auto bytes = *read_bytes(folder + "/" + segment_name(1));
    out.group_ends.push_back(scan_segment(bytes, 1, true, {}).used_bytes);
    out.frames_in_group.push_back(static_cast<std::uint64_t>(per_group));
  }
  EXPECT_TRUE(!close || writer->close({}).has_value());
  out.bytes = *read_bytes(folder + "/" + segment_name(1));
  return out;
}

TEST(Journal, LayoutIsTheOneOnThePage) {
  const TemporaryFolder folder;
  const Written w = write_small(folder.path() + "/journal", 1, 1, false);
  EXPECT_EQ(std::memcmp(w.bytes.data(), "CYCLJRNL", 8), 0);
  const auto u8 = [&](std::size_t at) { return std::to_integer<unsigned>(w.bytes[at]); };
  EXPECT_EQ(u8(8), 1U);   // version
  EXPECT_EQ(u8(24), 1U);  // segment
  EXPECT_EQ(std::memcmp(&w.bytes[64], "CYF1", 4), 0);
  EXPECT_EQ(u8(64 + 8), 8U);    // payload bytes: 1 + 7
  EXPECT_EQ(u8(64 + 12), 1U);   // segment
  EXPECT_EQ(u8(64 + 16), 10U);  // kind: audit
  EXPECT_EQ(u8(64 + 24), 5U);   // test
  EXPECT_EQ(u8(64 + 32), 1U);   // sequence
  EXPECT_EQ(u8(64 + 40), 1U);   // group
}

TEST(Journal, ACutAtEveryByteLosesNothingWholeAndIsReported) {
  const TemporaryFolder folder;
  const Written w = write_small(folder.path() + "/journal", 4, 3, false);
  const std::uint64_t used = w.group_ends.back();
  for (std::uint64_t cut = 64; cut <= used; ++cut) {
    std::vector<std::uint64_t> sequences;
    const auto report = scan_segment(std::span(w.bytes).first(cut), 1, true,
                                     [&](const JournalFrame& f) { sequences.push_back(f.header.sequence); });
    std::uint64_t acknowledged = 0;
    for (std::size_t g = 0; g < w.group_ends.size(); ++g) {
      if (w.group_ends[g] <= cut) acknowledged += w.frames_in_group[g];
    }
    ASSERT_GE(sequences.size(), acknowledged) << cut;
    for (std::size_t i = 0; i < sequences.size(); ++i) ASSERT_EQ(sequences[i], i + 1) << cut;
    ASSERT_TRUE(report.damage.empty()) << cut;
    ASSERT_GE(report.used_bytes + report.dropped_bytes + 8, cut) << "all but trailing zeros is accounted for";
  }
}

// Torn as a disk tears: the end of the last group is there, its beginning is not.
TEST(Journal, AHoleInTheLastGroupCutsTheGroup) {
  const TemporaryFolder folder;
  Written w = write_small(folder.path() + "/journal", 3, 3, false);
  const std::uint64_t from = w.group_ends[1];
  std::fill_n(w.bytes.begin() + static_cast<std::ptrdiff_t>(from), 24, std::byte{0});
  const auto report = scan_segment(w.bytes, 1, true, {});
  EXPECT_EQ(report.frames, 6U);
  EXPECT_EQ(report.used_bytes, from);
  EXPECT_GT(report.dropped_bytes, 0U);
}

TEST(Journal, EveryFlippedBitIsFoundAndCostsOneFrameAtMost) {
  const TemporaryFolder folder;
  Written w = write_small(folder.path() + "/journal", 3, 2, true);
  const auto before = scan_segment(w.bytes, 1, true, {});
  ASSERT_EQ(before.frames, 7U);  // the closing mark too
  ASSERT_TRUE(before.damage.empty() && before.dropped_bytes == 0);
  for (std::size_t bit = 0; bit < 8 * before.used_bytes; ++bit) {
    w.bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    const auto report = scan_segment(w.bytes, 1, true, {});
    ASSERT_TRUE(!report.damage.empty() || report.dropped_bytes != 0) << "bit " << bit;
    ASSERT_GE(report.frames, 6U) << "bit " << bit;
    w.bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

TEST(Journal, HostileBytesAreHarmless) {
  const TemporaryFolder folder;
  const Written w = write_small(folder.path() + "/journal", 4, 4, true);
  std::mt19937_64 random(5);
  for (int round = 0; round < 3000; ++round) {
    auto bytes = w.bytes;
    for (std::uint64_t i = 0; i < 1 + random() % 10; ++i) bytes[random() % 2000] = static_cast<std::byte>(random());
    if (random() % 3 == 0) bytes.resize(random() % bytes.size());
    ASSERT_LE(scan_segment(bytes, 1, random() % 2 == 0, {}).frames, 17U);
  }
}

TEST(Journal, RecoveryCutsTheTornTailForGood) {
  const TemporaryFolder folder;
  const std::string journal = folder.path() + "/journal";
  Written w = write_small(journal, 3, 3, false);
  w.bytes[w.group_ends[2] - 20] ^= std::byte{1};  // in the last frame
  ASSERT_TRUE(
      write_atomically(journal + "/" + segment_name(1), {reinterpret_cast<const char*>(w.bytes.data()), w.bytes.size()})
          .has_value());
  FolderOptions options;
  options.storage = &Storage::system();
  const base::VirtualClock clock;
  const auto first = recover(folder.path(), options, clock);
  ASSERT_TRUE(first.has_value()) << first.error().text();
  ASSERT_GE(first->report.size(), 1U);
  EXPECT_NE(first->report[0].find("torn tail of"), std::string::npos) << first->report[0];
  EXPECT_EQ(first->next_segment, 2U);
  EXPECT_EQ(first->next_group, 4U);
  const auto second = scan_journal(journal, {});
  EXPECT_TRUE(second->texts().empty());
}

TEST(Journal, AFrameLargerThanASegmentGetsASegmentOfItsSize) {
  const TemporaryFolder folder;
  const std::string journal = folder.path() + "/journal";
  auto writer = JournalWriter::open({journal, 8192, 1, 1, nullptr}, {});
  const std::vector<std::byte> giant(100'000, std::byte{9});
  const profiles::RecordHeader header{profiles::RecordKind::test_begin, 1, 0, 5, 1};
  ASSERT_TRUE(writer->add(header, giant, {}).has_value());
  ASSERT_TRUE(writer->commit().has_value());
  std::size_t size = 0;
  const auto report = scan_journal(journal, [&](const JournalFrame& f) { size = f.payload.size(); });
  EXPECT_EQ(size, giant.size());
  EXPECT_TRUE(report->texts().empty());
}

}  // namespace
}  // namespace cyclerd::record
