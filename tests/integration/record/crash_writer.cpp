// Writes one test for ever, as fast as it can, and says what is durable: "ACK n" on standard output. To be killed.
// crash_writer <state_dir> <test>
#include <cstdio>
#include <cstdlib>

#include "daemon/record/recorder.hpp"
#include "tests/unit/daemon/record/fixture.hpp"

using namespace cyclerd;

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  base::FrameRing ring(1U << 20);
  base::SystemClock clock;
  base::VirtualClock test_clock;  // the rows are the same in every run: the checker makes them again
  record::RecorderConfig config;
  config.state_dir = argv[1];
  config.commit_interval = base::milliseconds(3);
  config.segment_bytes = 512 << 10;
  config.ballast_bytes = 1 << 16;
  config.batch_rows = 100;
  auto recorder = record::Recorder::open(config, ring, clock);
  if (!recorder) {
    std::fprintf(stderr, "%s\n", recorder.error().text().c_str());
    return 1;
  }
  (*recorder)->on_commit([&] {
    std::printf("ACK %llu\n", static_cast<unsigned long long>((*recorder)->durable_frames()));
    std::fflush(stdout);
  });
  record::testing::Producer producer(ring, test_clock, std::strtoull(argv[2], nullptr, 10));
  producer.begin();
  for (;;) {
    for (int i = 0; i < 20; ++i) producer.scan();
    (void)(*recorder)->run_once();
    producer.rows.clear();
    producer.inputs.clear();
    if (!(*recorder)->trouble().empty()) return 1;
  }
}
