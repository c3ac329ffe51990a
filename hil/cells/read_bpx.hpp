// Cell sets in the Battery Parameter eXchange format (BPX, JSON; schema of the Faraday Institution, versions 0.1
// to 1.x).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "hil/cells/cell_model.hpp"
#include "hil/cells/electrochemical_set.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::hil {

struct BpxSet {
  std::string title;
  std::string source;
  SetHeader header;
  ElectrochemicalSet set;
  bool electrolyte = true;  // false: the file describes a single-particle model
};

// nullopt after reporting. C031 kind, C032 missing field, C004 bound, C033 blended electrodes, C034 (warning) ignored
// field, C035 (warning) assumed value; further those of functions and of the whole set.
[[nodiscard]] std::optional<BpxSet> read_bpx(const text::SourcePtr& source, std::uint64_t fingerprint,
                                             text::Diagnostics& diagnostics);

}  // namespace cyclerd::hil
