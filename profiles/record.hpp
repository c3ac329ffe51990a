// The nouns of the record: what the executor writes down. Plain values, part of the journal's format (version 1).
#pragma once

#include <cstdint>
#include <type_traits>

#include "protocols/base/command.hpp"
#include "protocols/base/event.hpp"
#include "protocols/base/fixed_text.hpp"
#include "protocols/base/rt.hpp"
#include "protocols/base/sample.hpp"
#include "protocols/base/time.hpp"

namespace cyclerd::profiles {

// Charge and energy since some moment, charge and discharge apart. Coulomb and joule inside; Ah and Wh at the edges.
struct Throughput {
  double charge_C = 0.0;     // >= 0
  double discharge_C = 0.0;  // >= 0
  double charge_J = 0.0;
  double discharge_J = 0.0;
};

// One row of the table that the lab keeps.
struct Row {
  std::uint64_t record_index = 0;  // rows kept, from 1; 0: not kept
  std::int64_t test_time_us = 0;   // monotonic, since the test began
  std::int64_t unix_time_us = 0;
  std::int64_t step_time_us = 0;
  std::int32_t uncertainty_us = 0;
  std::uint32_t flags = 0;        // base::flag
  std::uint32_t step_count = 0;   // executed steps, from 1, never repeats
  std::uint32_t step_index = 0;   // place in the program
  std::uint32_t cycle_count = 0;  // from 1
  base::Control control = base::Control::rest;
  base::Regulation regulation = base::Regulation::unknown;
  std::uint8_t reserved[2] = {};
  double voltage_V = base::kAbsent;
  double current_A = base::kAbsent;
  double temperature_degC = base::kAbsent;
  double chamber_degC = base::kAbsent;
  double setpoint = 0.0;  // of `control`: A, V, W or Ohm
  Throughput test;
  Throughput step;
  Throughput cycle;
};

// Why a step ended. Kept in the record: never renumber.
enum class EndReason : std::uint8_t {
  none = 0,
  condition,  // an `until` of the step
  block,      // an `until` or count of an enclosing block
  complete,   // the step's own end (waveform played, soak reached)
  skipped,    // `when` was false
  operator_stop,
  operator_skip,
  trip,     // a safety limit
  failure,  // `then = fail`, or a device failed
};
[[nodiscard]] const char* to_string(EndReason reason) noexcept RT_NONBLOCKING;

struct StepSummary {
  std::uint32_t step_count = 0;
  std::uint32_t step_index = 0;
  std::uint32_t cycle_count = 0;
  EndReason reason = EndReason::none;
  std::uint8_t reserved[3] = {};
  std::int64_t start_test_time_us = 0;
  std::int64_t duration_us = 0;
  std::int64_t cv_duration_us = 0;  // time the instrument was regulating voltage
  Throughput throughput;
  double cv_charge_C = 0.0;  // charge moved while regulating voltage
  double start_voltage_V = base::kAbsent;
  double end_voltage_V = base::kAbsent;
  double end_current_A = base::kAbsent;
  double min_temperature_degC = base::kAbsent;
  double max_temperature_degC = base::kAbsent;
  double mean_temperature_degC = base::kAbsent;
  base::FixedText<46> name;
  base::FixedText<78> reason_text;  // the condition as written, or the limit
};

struct CycleSummary {
  std::uint32_t cycle_count = 0;
  std::uint32_t flags = 0;  // base::flag::kInterrupted
  std::int64_t start_test_time_us = 0;
  std::int64_t duration_us = 0;
  Throughput throughput;
  double min_temperature_degC = base::kAbsent;
  double max_temperature_degC = base::kAbsent;
  [[nodiscard]] double coulombic_efficiency() const noexcept {  // discharge / charge, NaN without charge
    return throughput.charge_C > 0 ? throughput.discharge_C / throughput.charge_C : base::kAbsent;
  }
  [[nodiscard]] double energy_efficiency() const noexcept {
    return throughput.charge_J > 0 ? throughput.discharge_J / throughput.charge_J : base::kAbsent;
  }
};

// What a person asks of a running test. Part of the executor's input, hence recorded.
enum class Request : std::uint8_t { none = 0, pause, resume, stop, skip_step, trip, device_lost };

// The executor's whole input of one scan.
struct Input {
  base::Sample sample;
  Request request = Request::none;
  std::uint8_t reserved[7] = {};
};

// Kinds of frames in the journal and in the ring from the cycle to the recorder. Never renumber.
enum class RecordKind : std::uint16_t {
  none = 0,
  test_begin = 1,     // TestBegin, then the metadata as JSON text
  input = 2,          // Input: every scan, in full
  row = 3,            // Row: kept by the record rules
  event = 4,          // base::Event
  step_summary = 5,   // StepSummary
  cycle_summary = 6,  // CycleSummary
  command = 7,        // base::Command handed to a port
  checkpoint = 8,     // Checkpoint, then the executor's state
  test_end = 9,       // TestEnd
  audit = 10,         // JSON text
  amendment = 11,     // TestAmendment, then the new profile as JSON text, then the executor's state under it
};

struct RecordHeader {
  RecordKind kind = RecordKind::none;
  std::uint16_t version = 1;
  std::uint32_t channel = 0;
  std::uint64_t test = 0;      // id of the test, 0: none
  std::uint64_t sequence = 0;  // of the test, from 1, without holes
};

struct TestBegin {
  base::MonoTime time;
  base::WallTime wall;
  std::uint32_t metadata_bytes = 0;
  std::uint32_t reserved = 0;
};

enum class TestOutcome : std::uint8_t { none = 0, completed, stopped, failed, tripped, interrupted };
[[nodiscard]] const char* to_string(TestOutcome outcome) noexcept RT_NONBLOCKING;

struct TestEnd {
  base::MonoTime time;
  base::WallTime wall;
  TestOutcome outcome = TestOutcome::none;
  std::uint8_t reserved[7] = {};
  base::FixedText<206> reason;
};

struct Checkpoint {
  base::MonoTime time;
  base::WallTime wall;
  std::uint64_t last_input_sequence = 0;
  std::uint32_t state_version = 0;
  std::uint32_t state_bytes = 0;
};

// Another profile took over, behind the input of this number and before the next one.
struct TestAmendment {
  base::MonoTime time;
  base::WallTime wall;
  std::uint64_t last_input_sequence = 0;
  std::int64_t test_time_us = 0;  // of that input
  std::uint32_t step_count = 0;   // the step that ran, and goes on
  std::uint32_t step_index = 0;
  std::uint32_t cycle_count = 0;
  std::uint32_t metadata_bytes = 0;
  std::uint32_t state_version = 0;
  std::uint32_t state_bytes = 0;
};

static_assert(std::is_trivially_copyable_v<Row> && std::is_trivially_copyable_v<StepSummary> &&
              std::is_trivially_copyable_v<CycleSummary> && std::is_trivially_copyable_v<Input> &&
              std::is_trivially_copyable_v<base::Event> && std::is_trivially_copyable_v<base::Command>);

}  // namespace cyclerd::profiles
