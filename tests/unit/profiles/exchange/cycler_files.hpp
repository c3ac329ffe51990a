// Files of other cyclers that the tests read. Written for these tests after the schemas; none is copied.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "profiles/exchange/exchange.hpp"

namespace cyclerd::exchange::test {

inline const std::string kForeign = CYCLERD_SOURCE_DIR "/tests/unit/profiles/exchange/foreign/";

inline std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// "neware", "maccor" or "arbin", as the folder is called.
inline std::optional<Translation> import_as(const std::string& format, const std::string& name, std::string bytes,
                                            text::Diagnostics& findings) {
  const auto source = std::make_shared<const text::Source>(text::Source{name, std::move(bytes)});
  if (format == "neware") return import_neware(source, {}, findings);
  if (format == "maccor") return import_maccor(source, {}, findings);
  return import_arbin(source, {}, findings);
}

struct ForeignFile {
  std::string format;
  std::string path;
};

inline std::vector<ForeignFile> foreign_files() {
  std::vector<ForeignFile> files;
  for (const char* format : {"neware", "maccor", "arbin"}) {
    for (const auto& entry : std::filesystem::directory_iterator(kForeign + format)) {
      const std::string kind = entry.path().extension();
      if (kind == ".xml" || kind == ".000" || kind == ".sdu") files.push_back({format, entry.path().string()});
    }
  }
  return files;
}

}  // namespace cyclerd::exchange::test
