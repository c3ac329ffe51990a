// Where the shipped files are: the source tree of a build, or the share folder of an installation.
#pragma once

#include <string>
#include <vector>

namespace cyclerd::app {

struct Resources {
  std::string devices;   // description files
  std::string profiles;  // shipped profiles; waveforms/ below
  std::string waveforms;
  std::string cells;  // ratings of cells
};

// An installation ($PREFIX/bin/.. next to this program) wins over the source tree this program was built from.
[[nodiscard]] Resources find_resources();

// "cyclerd 0.1.0"; the build id is the linker's, in hex, or "unknown".
[[nodiscard]] std::string version();
[[nodiscard]] std::string build_id();

}  // namespace cyclerd::app
