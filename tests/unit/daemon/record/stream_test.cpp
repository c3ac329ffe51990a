// The live stream: what was written is read back bit for bit; no cut and no flip goes unseen.
#include <gtest/gtest.h>

#include "daemon/record/row_stream.hpp"
#include "daemon/record/stream_reader.hpp"
#include "tests/unit/daemon/record/fixture.hpp"

namespace cyclerd::record {
namespace {

using testing::Producer;
using testing::TemporaryFolder;
namespace fs = std::filesystem;

std::vector<profiles::Row> some_rows(std::size_t n) {
  base::FrameRing ring(1U << 24);
  base::VirtualClock clock;
  Producer producer(ring, clock);
  for (std::size_t i = 0; i < n; ++i) producer.scan();
  return producer.rows;
}

void write_stream(const std::string& path, const std::vector<profiles::Row>& rows, std::size_t batch, bool finish) {
  std::vector<std::string> report;
  auto stream = RowStream::open(path, {{"cyclerd.test", "1"}}, batch, base::seconds(5), Storage::system(), report);
  ASSERT_TRUE(stream.has_value()) << stream.error().text();
  ASSERT_TRUE(report.empty());
  std::uint64_t sequence = 0;
  for (const auto& row : rows) {
    sequence += 2;  // an input frame lies between rows
    ASSERT_TRUE(stream->push(row, sequence, {}).has_value());
  }
  ASSERT_TRUE((finish ? stream->finish() : stream->flush()).has_value());
}

TEST(LiveStream, ReadsBackBitForBit) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/rows.arrows";
  const auto rows = some_rows(1234);
  write_stream(path, rows, 100, true);
  const auto content = read_stream_file(path);
  ASSERT_TRUE(content.has_value());
  EXPECT_TRUE(content->report.ended);
  EXPECT_TRUE(content->report.damage.empty());
  EXPECT_EQ(content->report.last_sequence, 2 * rows.size());
  ASSERT_EQ(content->rows.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_TRUE(identical(content->rows[i], to_table(rows[i]))) << i;
}

TEST(LiveStream, AbsentMeasurementsComeBackAbsent) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/rows.arrows";
  auto rows = some_rows(20);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i % 7 == 0) rows[i].voltage_V = base::kAbsent;
    rows[i].chamber_degC = base::kAbsent;
  }
  write_stream(path, rows, 8, true);
  const auto content = read_stream_file(path);
  ASSERT_TRUE(content.has_value());
  ASSERT_EQ(content->rows.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(std::isnan(content->rows[i].voltage_V), i % 7 == 0);
    EXPECT_TRUE(std::isnan(content->rows[i].chamber_degC));
  }
}

// Cut at every byte: whole batches before the cut are there, and a cut inside one is reported and mended.
TEST(LiveStream, CutAtEveryByteKeepsWholeBatches) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/rows.arrows";
  const auto rows = some_rows(30);
  write_stream(path, rows, 10, true);
  const std::vector<std::byte> whole = *read_bytes(path);
  std::vector<std::uint64_t> ends;  // of whole messages
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    std::uint64_t seen = 0;
    bool same = true;
    const auto report = read_stream(std::span(whole).first(cut), [&](std::span<const TableRow> batch) {
      for (const TableRow& row : batch) same = same && identical(row, to_table(rows[seen++]));
    });
    ASSERT_TRUE(same) << cut;
    ASSERT_EQ(seen % 10, 0U) << cut;
    ASSERT_FALSE(report.ended);
    ASSERT_TRUE(report.damage.empty()) << cut << ": " << report.damage.front();
    ASSERT_EQ(report.good_bytes + report.torn_bytes, cut) << "every byte is either good or reported";
    if (report.torn_bytes == 0) ends.push_back(cut);
  }
  EXPECT_EQ(ends.size(), 5U) << "empty, behind the schema, behind each of 3 batches";
}

TEST(LiveStream, EveryFlippedBitIsFound) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/rows.arrows";
  write_stream(path, some_rows(6), 3, true);
  std::vector<std::byte> bytes = *read_bytes(path);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    const auto report = read_stream(bytes, {});
    ASSERT_TRUE(!report.damage.empty() || report.torn_bytes != 0 || !report.ended) << "bit " << bit;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

TEST(LiveStream, RowsBehindADamagedBatchAreStillRead) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/rows.arrows";
  write_stream(path, some_rows(30), 10, true);
  std::vector<std::byte> bytes = *read_bytes(path);
  const auto before = read_stream(bytes, {});
  bytes[bytes.size() / 2] ^= std::byte{4};
  const auto report = read_stream(bytes, {});
  EXPECT_EQ(before.rows, 30U);
  EXPECT_EQ(report.rows, 20U);
  EXPECT_EQ(report.damage.size(), 1U);
  EXPECT_TRUE(report.ended);
}

TEST(LiveStream, HostileBytesAreHarmless) {
  std::mt19937_64 random(11);
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/rows.arrows";
  write_stream(path, some_rows(12), 4, true);
  const std::vector<std::byte> good = *read_bytes(path);
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::byte> bytes = good;
    const auto changes = 1 + random() % 12;
    for (std::uint64_t i = 0; i < changes; ++i) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    if (random() % 3 == 0) bytes.resize(random() % bytes.size());
    const auto report = read_stream(bytes, {});
    ASSERT_LE(report.rows, 12U);
    ASSERT_LE(report.good_bytes, bytes.size());
  }
}

TEST(LiveStream, GoesOnBehindATornTailWithoutDuplicates) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/rows.arrows";
  const auto rows = some_rows(100);
  write_stream(path, {rows.begin(), rows.begin() + 40}, 10, false);
  fs::resize_file(path, fs::file_size(path) - 5);
  std::vector<std::string> report;
  auto stream = RowStream::open(path, {}, 10, base::seconds(5), Storage::system(), report);
  ASSERT_TRUE(stream.has_value());
  EXPECT_EQ(report.size(), 1U);
  EXPECT_EQ(stream->rows(), 30U);
  for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_TRUE(stream->push(rows[i], 2 * (i + 1), {}).has_value());
  ASSERT_TRUE(stream->finish().has_value());
  const auto content = read_stream_file(path);
  ASSERT_EQ(content->rows.size(), 100U);
  for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_TRUE(identical(content->rows[i], to_table(rows[i])));
}

TEST(LiveStream, AYoungBatchWaitsAndAnOldOneIsWritten) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/rows.arrows";
  std::vector<std::string> report;
  auto stream = RowStream::open(path, {}, 1000, base::seconds(5), Storage::system(), report);
  const auto rows = some_rows(3);
  for (std::size_t i = 0; i < 3; ++i) ASSERT_TRUE(stream->push(rows[i], i + 1, {}).has_value());
  ASSERT_TRUE(stream->write_due({4'999'999}).has_value());
  EXPECT_EQ(read_stream_file(path)->rows.size(), 0U);
  ASSERT_TRUE(stream->write_due({5'000'000}).has_value());
  EXPECT_EQ(read_stream_file(path)->rows.size(), 3U);
}

}  // namespace
}  // namespace cyclerd::record
