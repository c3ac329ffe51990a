// From a profile's text to a Program: parse, check, compile. Everything that can be proved before the start is.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "profiles/cell_spec.hpp"
#include "profiles/program.hpp"
#include "protocols/device/device.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::profiles {

// What a launch knows besides the profile.
struct Launch {
  CellSpec cell;
  device::Capability cycler;
  device::Capability chamber;  // kind == chamber when there is one
  bool has_chamber = false;
  bool has_cell_temperature = false;  // a sensor on the cell
  base::Duration scan = base::milliseconds(100);
  SafetyLimits station;  // the station's own limits of the channel
  double initial_soc = base::kAbsent;
  bool simulated = false;  // no real cell can be hurt: a chemistry that does not fit is a warning
  std::map<std::string, std::string> parameters;  // --set name=value, as typed
  // Texts of waveform files, by the name that the profile uses. Whoever launches brings them: a compiler inside the
  // daemon opens no file that a client names.
  std::map<std::string, std::string> waveforms;
  std::string waveform_library;   // second place to look: the shipped waveforms
  std::string procedure_library;  // the shipped procedures, NAME.toml
};

// nullptr when there are errors; all findings are in `diagnostics`. Not for real-time threads; never throws.
[[nodiscard]] std::unique_ptr<const Program> compile_profile(const text::SourcePtr& source, const Launch& launch,
                                                             text::Diagnostics& diagnostics);

// Syntax and meaning only, without a cell or device: what an editor wants. Parameters take their defaults.
void check_profile(const text::SourcePtr& source, text::Diagnostics& diagnostics);

}  // namespace cyclerd::profiles
