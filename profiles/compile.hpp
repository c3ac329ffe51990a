// From a profile's text to a Program: parse, check, compile. Everything that can be proved before the start is.
#pragma once

#include <map>
#include <memory>
#include <optional>
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
  double free_bytes = base::kAbsent;  // where the record will lie; absent: not judged
  bool simulated = false;             // no real cell can be hurt: a chemistry that does not fit is a warning
  std::map<std::string, std::string> parameters;  // --set name=value, as typed
  // Texts of waveform files, by the name that the profile uses. Whoever launches brings them: a compiler inside the
  // daemon opens no file that a client names.
  std::map<std::string, std::string> waveforms;
  std::string waveform_library;   // second place to look: the shipped waveforms
  std::string procedure_library;  // the shipped procedures, NAME.toml
};

// The files that a profile may need where no cell and no device is known: an editor, a printer.
struct ProfileFiles {
  std::map<std::string, std::string> waveforms;  // as in Launch
  std::string waveform_library;
  std::string procedure_library;
};

// nullptr when there are errors; all findings are in `diagnostics`. Not for real-time threads; never throws.
[[nodiscard]] std::unique_ptr<const Program> compile_profile(const text::SourcePtr& source, const Launch& launch,
                                                             text::Diagnostics& diagnostics);

// Syntax and meaning only, without a cell or device: what an editor wants. Parameters take their defaults. Without a
// library the procedures of others are not looked for.
void check_profile(const text::SourcePtr& source, text::Diagnostics& diagnostics, const ProfileFiles& files = {});

// One spelling for all profiles that mean the same. Needs no cell; nullopt when there are errors.
struct CanonicalForm {
  std::string text;
  std::string source_sha256;
  std::string canonical_sha256;
};
[[nodiscard]] std::optional<CanonicalForm> canonical_profile(const text::SourcePtr& source, const ProfileFiles& files,
                                                             text::Diagnostics& diagnostics);

}  // namespace cyclerd::profiles
