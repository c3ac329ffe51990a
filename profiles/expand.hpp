// The flat program in words and as data: what a reviewer reads before a test, calls written out, values worked out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "profiles/compile.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::profiles {

// A value as far as it is known before the start.
struct ExpandedValue {
  std::string text;              // "2.5 A"; with what is measured in it: "0.8 * check.discharge_capacity[last]"
  std::string written;           // by the author, when that says something else: "charge_rate"
  double value = base::kAbsent;  // in `unit`; absent when it is measured
  std::string unit;              // SI base units, "C" for a C-rate on an unknown cell; empty when value is absent

  [[nodiscard]] bool given() const noexcept { return !text.empty(); }
};
using ExpandedValues = std::vector<std::pair<std::string, ExpandedValue>>;  // by key, in a fixed order

struct ExpandedCondition {
  ExpandedValue when;
  ExpandedValue dwell;
  std::string then;                // "next", "goto", "end", "pause", "fail", "break"
  std::uint32_t target = kNoStep;  // where it goes on: next, goto, break and pause
  std::string reason;
  bool never = false;  // the checker knows that it cannot fire
};

struct ExpandedStep {
  std::uint32_t index = 0;  // as step_index in the record
  std::uint32_t depth = 0;
  std::uint32_t line = 0;
  std::string name;
  std::string type;        // "CCCV_CHG"
  std::string does;        // one sentence
  std::string then;        // how it ends without a condition; empty when only conditions end it
  ExpandedValues values;   // set-points, counts, arguments
  ExpandedValue when;      // skipped when false
  std::uint32_t peer = 0;  // LOOP, CALL: their end; LOOP_END, CALL_END: their begin
  std::uint32_t next = kNoStep;
  std::vector<ExpandedCondition> until;
  ExpandedValues record;  // rules in force
  bool own_record = false;
  std::string waveform;
};

struct ExpandedParameter {
  std::string name;
  ExpandedValue value;  // bound
  std::string standard, min, max;
  std::string help;
};

struct ExpandedBound {
  std::string name;
  ExpandedValue min, max, dwell;
};

struct ExpandedWaveform {
  std::string name;
  std::string quantity;  // "current", "power", "voltage"
  std::string unit;      // "A", "C", "W", "V"
  std::string resample;
  std::size_t points = 0;
  double length_s = 0.0;
  double min = 0.0, max = 0.0, mean = 0.0;  // over time, before scale
};

struct Expansion {
  std::string name, title, description;
  std::vector<std::string> chemistries;
  bool with_cell = false;
  std::string cell;  // model, chemistry and capacity
  std::vector<ExpandedParameter> parameters;
  std::vector<ExpandedBound> limits;    // leaving them opens the output
  std::vector<ExpandedBound> envelope;  // set-points are held inside; only with a cell
  ExpandedValue sensor_loss;
  ExpandedValues record;  // where no step says otherwise
  std::vector<ExpandedWaveform> waveforms;
  std::vector<ExpandedStep> steps;
};

// Nothing when there are errors. Without a launch the values stay as they are written.
[[nodiscard]] std::optional<Expansion> expand_profile(const text::SourcePtr& source, const Launch& launch,
                                                      text::Diagnostics& diagnostics);
[[nodiscard]] std::optional<Expansion> expand_profile(const text::SourcePtr& source, const ProfileFiles& files,
                                                      text::Diagnostics& diagnostics);

[[nodiscard]] std::string to_text(const Expansion& expansion);

}  // namespace cyclerd::profiles
