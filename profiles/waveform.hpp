// Waveform files: CSV with a time column and one quantity.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "profiles/program.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::profiles {

inline constexpr std::size_t kMaxWaveformRows = 10'000'000;
inline constexpr std::size_t kMaxWaveformBytes = 512ULL * 1024 * 1024;

// Header: time_s, time_ms or time_min, and one of current_A, current_C (C-rate), power_W, voltage_V; charge positive.
// Separator comma, semicolon or tab; `#` starts a comment line; LF or CRLF. Time strictly increasing; moved so that it
// starts at 0. C-rates stay as written (quantity c_rate). nullopt after findings (code P081), at most ten of them.
[[nodiscard]] std::optional<Waveform> parse_waveform(const text::SourcePtr& source, text::Diagnostics& diagnostics);

// The waveform files that a profile names, each once, in order of appearance; only paths that stay inside a folder. For
// whoever collects the texts of a launch; findings about them are the compiler's.
[[nodiscard]] std::vector<std::string> waveform_files(const text::SourcePtr& profile);

// A relative path without "..".
[[nodiscard]] bool stays_inside(const std::string& path);

}  // namespace cyclerd::profiles
