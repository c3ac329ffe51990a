// A station in miniature: makes frames as the cycle does, in virtual time, into a folder of its own.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "daemon/record/recorder.hpp"
#include "profiles/fold.hpp"
#include "profiles/record.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/base/ring.hpp"

namespace cyclerd::record::testing {

namespace fs = std::filesystem;

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "cyclerd-record-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::string path() const { return path_; }

 private:
  std::string path_;
};

inline constexpr std::uint64_t kTest = 1'763'911'266'000'000;  // 2025-11-23 15:21:06 UTC
inline constexpr const char* kTestFolder = "/tests/20251123-152106-rack1-ch2";
inline const char* const kMetadata = R"({"institution":"Lab","channel":{"index":1,"name":"rack1-ch2"},
  "cell":{"name":"A0001"},"profile":{"name":"demo","title":"Demo","text":"profile = \"demo\"\n",
  "steps":[{"name":"charge","type":"CCCV_CHG"},{"name":"rest","type":"REST"},{"name":"discharge","type":"CC_DCH"}]}})";

// Pushes the frames of one test, numbered without holes, and remembers what it pushed.
class Producer {
 public:
  Producer(base::FrameRing& ring, base::VirtualClock& clock, std::uint64_t test = kTest, std::uint32_t channel = 1)
      : ring_(ring), clock_(clock), test_(test), channel_(channel) {}

  template <class T>
  bool push(profiles::RecordKind kind, const T& value, std::string_view tail = {}) {
    profiles::RecordHeader header;
    header.kind = kind;
    header.channel = channel_;
    header.test = test_;
    header.sequence = sequence_ + 1;
    std::vector<std::byte> frame(sizeof header + sizeof value + tail.size());
    std::memcpy(frame.data(), &header, sizeof header);
    std::memcpy(frame.data() + sizeof header, static_cast<const void*>(&value), sizeof value);
    if (!tail.empty()) std::memcpy(frame.data() + sizeof header + sizeof value, tail.data(), tail.size());
    if (!ring_.push(frame)) return false;
    ++sequence_;
    return true;
  }
  bool begin(std::string_view metadata = kMetadata) {
    profiles::TestBegin b;
    b.time = clock_.now();
    b.wall = clock_.wall();
    b.metadata_bytes = static_cast<std::uint32_t>(metadata.size());
    return push(profiles::RecordKind::test_begin, b, metadata);
  }
  bool end(profiles::TestOutcome outcome = profiles::TestOutcome::completed) {
    profiles::TestEnd e;
    e.time = clock_.now();
    e.wall = clock_.wall();
    e.outcome = outcome;
    e.reason = "all steps done";
    return push(profiles::RecordKind::test_end, e);
  }
  bool event(base::EventKind kind, const char* text = "") {
    base::Event e;
    e.time = clock_.now();
    e.wall = clock_.wall();
    e.kind = kind;
    e.text = text;
    return push(profiles::RecordKind::event, e);
  }
  // One scan: its input and its row, in a current that wanders through charge and discharge.
  bool scan() {
    clock_.advance(base::milliseconds(100) + base::microseconds(static_cast<std::int64_t>(random_() % 40)));
    const double t = static_cast<double>(clock_.now().us) * 1e-6;
    profiles::Input input;
    input.sample.time = clock_.now();
    input.sample.wall = clock_.wall();
    input.sample.uncertainty_us = 150;
    input.sample.voltage_V = std::round((3.6 + 0.3 * std::sin(t / 40)) * 1e4) / 1e4;
    input.sample.current_A = std::round(2.5 * std::sin(t / 10) * 1e3) / 1e3;
    input.sample.temperature_degC = rows.size() % 3 == 0 ? base::kAbsent : 25.0 + std::sin(t / 100);
    input.sample.chamber_degC = 25.0;
    fold_.add(input.sample.time.us, input.sample.voltage_V, input.sample.current_A);
    profiles::Row row;
    row.record_index = rows.size() + 1;
    row.test_time_us = input.sample.time.us;
    row.unix_time_us = input.sample.wall.us;
    row.step_time_us = input.sample.time.us % 60'000'000;
    row.uncertainty_us = 150;
    row.step_count = static_cast<std::uint32_t>(1 + input.sample.time.us / 60'000'000);
    row.step_index = (row.step_count - 1) % 3;
    row.cycle_count = 1;
    row.control = base::Control::current;
    row.regulation = base::Regulation::current;
    row.voltage_V = input.sample.voltage_V;
    row.current_A = input.sample.current_A;
    row.temperature_degC = input.sample.temperature_degC;
    row.chamber_degC = input.sample.chamber_degC;
    row.setpoint = row.current_A;
    row.test = fold_.test.value();
    row.step = fold_.step.value();
    row.cycle = fold_.cycle.value();
    if (!push(profiles::RecordKind::input, input)) return false;
    if (!push(profiles::RecordKind::row, row)) return false;
    inputs.push_back(input);
    rows.push_back(row);
    return true;
  }
  [[nodiscard]] std::uint64_t frames() const { return sequence_; }

  std::vector<profiles::Input> inputs;
  std::vector<profiles::Row> rows;

 private:
  base::FrameRing& ring_;
  base::VirtualClock& clock_;
  std::uint64_t test_;
  std::uint32_t channel_;
  std::uint64_t sequence_ = 0;
  profiles::Fold fold_;
  std::mt19937_64 random_{7};
};

// A ring, a clock and a recorder on a folder; the recorder can be dropped as a crash does.
struct Bench {
  explicit Bench(std::string state_dir) {
    config.state_dir = std::move(state_dir);
    config.segment_bytes = 1U << 20;
    config.ballast_bytes = 1U << 16;
    config.batch_rows = 50;
  }
  void open() {
    auto opened = Recorder::open(config, ring, clock);
    ASSERT_TRUE(opened.has_value()) << opened.error().text();
    recorder = std::move(*opened);
  }
  RecorderConfig config;
  base::FrameRing ring{1U << 22};
  base::VirtualClock clock;
  std::unique_ptr<Recorder> recorder;
};

}  // namespace cyclerd::record::testing
