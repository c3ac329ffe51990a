// Recovers what crash_writer left and compares it with what it must have written: crash_check <state_dir> <test>
// <acked>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "daemon/record/journal_reader.hpp"
#include "daemon/record/storage.hpp"
#include "daemon/record/stream_reader.hpp"
#include "daemon/record/test_folder.hpp"
#include "tests/unit/daemon/record/fixture.hpp"

using namespace cyclerd;

namespace {

int lost(const char* what, unsigned long long at) {
  std::fprintf(stderr, "LOST: %s (%llu)\n", what, at);
  return 1;
}

int check(const std::string& state_dir, std::uint64_t test, std::uint64_t acked) {
  base::FrameRing ring(1U << 20);
  base::SystemClock clock;
  record::RecorderConfig config;
  config.state_dir = state_dir;
  config.segment_bytes = 512 << 10;
  config.ballast_bytes = 1 << 16;
  auto recorder = record::Recorder::open(config, ring, clock);
  if (!recorder) return lost(recorder.error().text().c_str(), 0);
  for (const std::string& text : (*recorder)->recovery_report()) std::fprintf(stderr, "  %s\n", text.c_str());
  const auto journal = record::read_test_journal(state_dir, test);
  if (!journal || !journal->report.empty()) return lost("the journal does not check after recovery", 0);
  if (journal->last_sequence < acked) return lost("acknowledged frames, up to", journal->last_sequence);
  if (journal->missing_sequences != 0) return lost("frames in the middle", journal->missing_sequences);
  const auto stream = record::read_stream_file(record::find_test_folder(state_dir, test) + "/rows.arrows");
  if (!stream || !stream->report.damage.empty() || stream->report.torn_bytes != 0) return lost("a whole stream", 0);
  if (stream->rows.size() != journal->rows.size()) return lost("rows of the stream", stream->rows.size());

  base::FrameRing scratch(1U << 16);
  base::VirtualClock test_clock;
  record::testing::Producer producer(scratch, test_clock, test);
  for (std::size_t i = 0; i < journal->rows.size(); ++i) {
    while (!scratch.peek().empty()) scratch.release();
    producer.rows.clear();
    producer.begin("");
    producer.scan();
    profiles::Row expected = producer.rows.back();
    expected.record_index = journal->rows[i].record_index;  // counted per batch of the writer
    expected.temperature_degC = journal->rows[i].temperature_degC;
    if (std::memcmp(&expected, &journal->rows[i], sizeof expected) != 0) return lost("the values of row", i);
    if (!identical(stream->rows[i], record::to_table(journal->rows[i]))) return lost("the stream's values of row", i);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  return check(argv[1], std::strtoull(argv[2], nullptr, 10), std::strtoull(argv[3], nullptr, 10));
}
