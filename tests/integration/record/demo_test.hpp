// A believable test in virtual time, through ring and recorder: soak, CC-CV charge, rest, a wild discharge, rest; rows
// as a cell of 5 Ah would give them. Only its looks matter: the files are under test, not the cell.
#pragma once

#include <cmath>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "daemon/record/recorder.hpp"
#include "profiles/fold.hpp"
#include "profiles/record.hpp"
#include "protocols/base/clock.hpp"
#include "protocols/base/ring.hpp"

namespace cyclerd::record::testing {

class DemoTest {
 public:
  DemoTest(std::string state_dir, std::uint64_t test) : state_dir_(std::move(state_dir)), test_(test) {}

  // The test's folder; empty when something failed.
  std::string write(int cycles) {
    RecorderConfig config;
    config.state_dir = state_dir_;
    config.durable = false;
    auto opened = Recorder::open(config, ring_, clock_);
    if (!opened) return {};
    recorder_ = std::move(*opened);
    begin();
    run_step(0, "soak", profiles::EndReason::complete, "chamber within 1 K for 10 min", 900, 0.0);
    for (int c = 0; c < cycles; ++c) run_cycle();
    end();
    recorder_->finish();
    return recorder_->trouble().empty() ? state_dir_ + "/tests/20251123-152106-rack1-ch2" : std::string();
  }

 private:
  void run_cycle() {
    run_step(1, "charge", profiles::EndReason::condition, "abs(current) <= 0.05 C", 4800, 2.5);
    run_step(2, "rest", profiles::EndReason::condition, "time >= 10 min", 600, 0.0);
    run_step(3, "us06", profiles::EndReason::condition, "voltage <= 2.8 V", 3600, -2.37);
    run_step(4, "rest_again", profiles::EndReason::condition, "time >= 20 min", 1200, 0.0);
    profiles::CycleSummary summary;
    summary.cycle_count = cycle_++;
    summary.duration_us = 10'200'000'000;
    summary.throughput = fold_.cycle.value();
    summary.max_temperature_degC = 31.4;
    push(profiles::RecordKind::cycle_summary, summary);
    fold_.begin_cycle();
  }
  template <class T>
  void push(profiles::RecordKind kind, const T& value, const std::string& tail = {}) {
    profiles::RecordHeader header{kind, 1, 1, test_, ++sequence_};
    std::vector<std::byte> frame(sizeof header + sizeof value + tail.size());
    std::memcpy(frame.data(), &header, sizeof header);
    std::memcpy(frame.data() + sizeof header, static_cast<const void*>(&value), sizeof value);
    std::memcpy(frame.data() + sizeof header + sizeof value, tail.data(), tail.size());
    while (!ring_.push(frame)) (void)recorder_->run_once();
  }
  void begin() {
    const std::string metadata =
        R"({"institution":"Lab","channel":{"index":1,"name":"rack1-ch2"},"cell":{"name":"LG-M50-0007"},
            "profile":{"name":"demo","title":"Soak, CC-CV charge, US06 drive cycle","text":"profile = \"demo\"\n",
            "steps":[{"name":"soak","type":"CHAMBER"},{"name":"charge","type":"CCCV_CHG"},{"name":"rest","type":"REST"},
            {"name":"us06","type":"FOLLOW_DCH"},{"name":"rest_again","type":"REST"}]}})";
    push(profiles::RecordKind::test_begin,
         profiles::TestBegin{clock_.now(), clock_.wall(), static_cast<std::uint32_t>(metadata.size()), 0}, metadata);
  }
  void end() {
    profiles::TestEnd e;
    e.time = clock_.now();
    e.wall = clock_.wall();
    e.outcome = profiles::TestOutcome::completed;
    e.reason = "all steps done";
    push(profiles::RecordKind::test_end, e);
  }
  void run_step(std::uint32_t index, const char* name, profiles::EndReason reason, const char* text, int seconds,
                double current_A) {
    fold_.begin_step();
    ++step_count_;
    const std::int64_t start_us = clock_.now().us;
    profiles::StepSummary summary;
    for (int s = 0; s < seconds; ++s) {
      const double t = static_cast<double>(s);
      double i = current_A;
      if (current_A > 0 && s > 3000) i = current_A * std::exp(-(t - 3000) / 550);
      if (current_A < 0) i = current_A * (1.0 + std::sin(t / 9) * std::cos(t / 31) + (s % 400 == 200 ? 3.0 : 0.0));
      soc_ += i / 3600 / 2.9;
      row(index, start_us, i);
      summary.end_current_A = i;
      clock_.advance(base::seconds(1));
    }
    summary.step_count = step_count_;
    summary.step_index = index;
    summary.cycle_count = cycle_;
    summary.reason = reason;
    summary.start_test_time_us = start_us;
    summary.duration_us = clock_.now().us - start_us;
    summary.throughput = fold_.step.value();
    summary.end_voltage_V = voltage_V_;
    summary.max_temperature_degC = temperature_degC_;
    summary.name = name;
    summary.reason_text = text;
    push(profiles::RecordKind::step_summary, summary);
  }
  void row(std::uint32_t index, std::int64_t step_start_us, double current_A) {
    air_degC_ += (25.0 - air_degC_) / 150;
    temperature_degC_ += (air_degC_ - temperature_degC_) / 400 + 0.0013 * current_A * current_A;
    voltage_V_ = 3.3 + 0.8 * soc_ - 0.1 * std::exp(-soc_ * 18) + 0.035 * current_A;
    const base::MonoTime now = clock_.now();
    fold_.add(now.us, voltage_V_, current_A);
    profiles::Row r;
    r.record_index = ++rows_;
    r.test_time_us = now.us;
    r.unix_time_us = clock_.wall().us;
    r.step_time_us = now.us - step_start_us;
    r.uncertainty_us = 180;
    r.step_count = step_count_;
    r.step_index = index;
    r.cycle_count = cycle_;
    r.control = current_A == 0.0 ? base::Control::rest : base::Control::current;
    r.regulation = current_A == 0.0 ? base::Regulation::off : base::Regulation::current;
    r.voltage_V = voltage_V_;
    r.current_A = current_A;
    r.temperature_degC = rows_ % 1000 == 500 ? base::kAbsent : temperature_degC_;
    r.chamber_degC = air_degC_;
    r.setpoint = current_A;
    r.test = fold_.test.value();
    r.step = fold_.step.value();
    r.cycle = fold_.cycle.value();
    push(profiles::RecordKind::row, r);
  }

  std::string state_dir_;
  std::uint64_t test_;
  base::FrameRing ring_{1U << 22};
  base::VirtualClock clock_;
  std::unique_ptr<Recorder> recorder_;
  profiles::Fold fold_;
  std::uint64_t sequence_ = 0;
  std::uint64_t rows_ = 0;
  std::uint32_t step_count_ = 0;
  std::uint32_t cycle_ = 1;
  double soc_ = 0.1, voltage_V_ = 3.2, temperature_degC_ = 20.0, air_degC_ = 20.0;
};

inline std::string write_demo_test(const std::string& state_dir, int cycles) {
  return DemoTest(state_dir, 1'763'911'266'000'000).write(cycles);
}

}  // namespace cyclerd::record::testing
