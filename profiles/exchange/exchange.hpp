// Other people's test descriptions to and from the language, each with an account of what was lost.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "profiles/compile.hpp"
#include "protocols/text/diagnostics.hpp"

namespace cyclerd::exchange {

// One thing of the other format that has no exact counterpart here, or the other way round.
struct Loss {
  enum class Kind : std::uint8_t { approximated, dropped };
  Kind kind = Kind::dropped;
  std::string where;  // as a reader of the other file finds it: "step 4", "line 12", "Step3/Limit/Other"
  std::string what;   // the key or phrase, with its value
  std::string why;    // what stands in the result instead, and how to mend it
};

// What an import or export gave. `translated`: how many steps, limits and settings have an exact counterpart.
struct Translation {
  std::string text;
  std::size_t translated = 0;
  std::vector<Loss> losses;
  std::map<std::string, std::string> files;  // waveforms that the profile names: to be written beside it
};

struct ImportOptions {
  std::string name;  // of the profile; empty: from the file's name
};

enum class Format : std::uint8_t { pybamm, unicycler, neware, maccor, arbin };
inline constexpr std::size_t kMaxImportBytes = 4 * 1024 * 1024;
inline constexpr std::size_t kMaxImportSteps = 10'000;

// Each reads a whole file and gives a profile that parses: importers run parse_profile on their own result. Findings
// (codes X001...) go to `diagnostics`; nullopt when there are errors. Any bytes are allowed; never throws; not for
// real-time threads.
[[nodiscard]] std::optional<Translation> import_pybamm(const text::SourcePtr& source, const ImportOptions& options,
                                                       text::Diagnostics& diagnostics);
[[nodiscard]] std::optional<Translation> import_unicycler(const text::SourcePtr& source, const ImportOptions& options,
                                                          text::Diagnostics& diagnostics);
[[nodiscard]] std::optional<Translation> import_neware(const text::SourcePtr& source, const ImportOptions& options,
                                                       text::Diagnostics& diagnostics);
[[nodiscard]] std::optional<Translation> import_maccor(const text::SourcePtr& source, const ImportOptions& options,
                                                       text::Diagnostics& diagnostics);
[[nodiscard]] std::optional<Translation> import_arbin(const text::SourcePtr& source, const ImportOptions& options,
                                                      text::Diagnostics& diagnostics);

// The other way, for what the other format can say without loss. Whatever it cannot say is an error that names the
// place. `launch` is what `cyclerctl check` would use: parameters and ratings become numbers. Only its cell,
// parameters, waveforms and procedure library count here.
[[nodiscard]] std::optional<Translation> export_pybamm(const text::SourcePtr& source, const profiles::Launch& launch,
                                                       text::Diagnostics& diagnostics);  // Python: Experiment([...])
[[nodiscard]] std::optional<Translation> export_unicycler(const text::SourcePtr& source, const profiles::Launch& launch,
                                                          text::Diagnostics& diagnostics);  // JSON

}  // namespace cyclerd::exchange
